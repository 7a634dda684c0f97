//! Every cross-crate test of the workspace.
