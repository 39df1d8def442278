//! Resolved needs in compressed rows.

/// All needs of a guest, by who needs.
pub struct Graph {}
