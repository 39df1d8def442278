//! Integration tests.

mod bad_input;
mod cli;
mod command;
mod cure;
mod images;
mod load;
mod picture;
mod plans;
mod profiles;
mod readme;
mod report;
mod salt;
mod screen;
mod steps;
mod suggestions;
mod tidy;
mod tiny;
mod vm_export;
mod vm_finders;
mod vm_guest;
mod vm_hostile;
mod vm_machine;
mod vm_profiles;
mod vm_source;
mod vm_trace;
mod ways;
