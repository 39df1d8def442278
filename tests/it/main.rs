//! Integration tests.

mod load;
mod picture;
mod plans;
mod vm_guest;
mod vm_machine;
