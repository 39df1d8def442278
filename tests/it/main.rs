//! Integration tests.
mod vm_guest;
mod vm_machine;
