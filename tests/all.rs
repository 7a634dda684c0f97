//! Every cross-crate test: laws of the workspace, whole commands, chains on synthetic and on real data.

mod bad_input;
mod bounds;
mod check;
mod commands;
mod crate_edges;
mod determinism;
mod file_edges;
mod formats;
mod frames;
mod losses;
mod motion;
mod own_skeleton;
mod real_data;
mod reference;
mod report;
mod support;
mod units;
