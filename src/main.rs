//! Parses the arguments, picks the face, turns an error into a sentence and an exit code.

fn main() {}
