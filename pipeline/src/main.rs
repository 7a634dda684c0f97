//! The `motionmill` command.
fn main() {}
