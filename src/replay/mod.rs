//! The workflow that both faces drive: open, plan, export, prove, heal.
//!
//! One type a stage, each made from the one before: [`Opened`] reads the source once for all of them, [`Planned`] is a profile on
//! it, [`Exported`] a written output, [`Proven`] what its verification found, [`Healed`] what was changed until it held. Wishes
//! are plain structs. Nothing here parses arguments, asks a question or prints; errors become sentences in [`told`], the same
//! ones for both faces.

mod error;
mod exported;
mod healed;
mod opened;
mod paths;
mod planned;
mod proof;
mod proven;
mod told;
mod wishes;

pub use error::ReplayError;
pub use exported::Exported;
pub use healed::{Healed, Healing, heal};
pub use opened::Opened;
pub use paths::{Paths, check_profile_path};
pub use planned::Planned;
pub use proof::{Proof, Proved, Proving};
pub use proven::{Proven, Verified};
pub use told::{Told, told};
pub use wishes::Wishes;
