//! The contracts that every other crate obeys: the Arrow schemas of all tables, skeletons, geometry and units.
//!
//! # Conventions
//! - Pixel centres are at integers, origin top left, x right, y down, **0-based**.
//! - Visibility is that of COCO: 0 not annotated, 1 annotated but occluded, 2 visible. A coordinate's sign or
//!   zero never says whether a joint exists; a joint that is not annotated has `NaN` coordinates.
//! - Angles are in radians internally, in degrees only in plans and printed output. Times are `i64`
//!   nanoseconds.
//! - Images are RGB, `[H, W, C]` u8.
//! - Letters for shapes: N rows, K joints, C channels, H height, W width, S output heads of a network.

pub mod columns;
pub mod geometry;
mod hint;
pub mod huggingface;
mod printable;
pub mod random;
pub mod sample_id;
pub mod skeleton;
pub mod tables;
pub mod units;
pub mod visibility;

pub use columns::SchemaError;
pub use geometry::Affine;
pub use hint::{Fault, Hinted};
pub use printable::{printable, printable_lines};
pub use skeleton::Skeleton;
pub use visibility::Visibility;
