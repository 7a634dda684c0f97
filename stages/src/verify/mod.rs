//! The statistical back end of verification.
pub mod blocks;
pub mod density;
pub mod em;
pub mod fit_background;
pub mod fit_projection;
pub mod frames;
pub mod gaussians;
mod lanes;
pub mod moments;
pub mod near;
pub mod product;
pub mod project;
pub mod rechunk;
pub mod start;
pub mod statistics;
pub use fit_background::*;
