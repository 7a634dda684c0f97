//! Variation of signals and windows: each draw keyed by the row, never by the order of rows.

pub mod gain_offset;
pub mod per_row;
pub mod rotate_frame;

pub use gain_offset::{GainOffset, GainOffsetConfig};
pub use rotate_frame::{RotateFrame, RotateFrameConfig};
