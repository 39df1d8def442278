//! Integration tests.

mod load;
mod picture;
mod plans;
mod vm_guest;
mod vm_machine;
mod bad_input;
mod cli;
mod command;
mod tiny;
mod vm_guest;
