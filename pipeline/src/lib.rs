//! Plan file, graph check, embedded runner and command line of motionmill.

pub mod cli;
pub mod commands;
pub mod graph;
pub mod online;
pub mod plan;
pub mod recipes;
pub mod runner;
