//! Bytes to tables and back: one module per format, and the table folders that everything is written to.
//!
//! [`registry`] lists all formats: sources ([`source::Source`]), such as [`mpii`], [`coco`] or [`imu`], and sinks
//! ([`sink::Sink`]), such as [`shards`] and those of [`export`]. Readers of annotation files return [`Annotations`];
//! [`pixels`] decodes images; [`synthetic`] draws people and writes them in the original formats.

pub mod annotations;
pub mod coco;
pub mod export;
pub mod files;
pub mod flic;
pub mod guarded;
mod hashing;
pub mod hdf5;
pub mod imu;
mod json;
pub mod limb_scale;
pub mod lsp;
pub mod lspet;
pub mod matlab;
pub mod mpii;
mod pictures;
pub mod pixels;
pub mod predictions;
pub mod registry;
pub mod sessions;
pub mod shards;
mod signature;
pub mod sink;
mod skeleton_file;
pub mod source;
mod split_names;
pub mod synthetic;
#[doc(hidden)]
pub mod testing;
pub mod trials_csv;
mod unique_ids;
pub mod videos;
pub mod yolo;

pub use annotations::{Annotations, ReadError};
pub use skeleton_file::{skeleton_called, skeleton_file};
