//! The host's programs that see a guest's bytes: started with exactly the files that were opened for them, confined where
//! the kernel allows it, and never outliving this process.

mod confine;
mod handed;
mod started;

pub use confine::Layers;
pub use handed::Handed;
pub use started::{Program, Started, is_installed};
