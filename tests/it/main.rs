//! Integration tests.

mod bad_input;
mod cli;
mod command;
mod images;
mod load;
mod picture;
mod plans;
mod tidy;
mod screen;
mod tiny;
mod vm_guest;
mod vm_machine;
mod vm_trace;
