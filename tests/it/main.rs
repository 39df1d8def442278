//! Integration tests.
mod load;
mod vm_guest;
mod vm_machine;
