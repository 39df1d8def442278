//! Integration tests.
mod vm_guest;
