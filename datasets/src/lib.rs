//! Bytes to tables and back: one module a format, and the table folders that everything is written to.
//!
//! Readers of annotation files ([`mpii`], [`lsp`], [`lspet`], [`flic`], [`coco`]) give [`Annotations`]; [`predictions`]
//! reads published prediction arrays; [`export`] writes what other programs read; [`imu`] reads phone logs; [`pixels`] decodes images; [`shards`] writes and reads table folders;
//! [`synthetic`] draws people and writes them in the original formats.

pub mod annotations;
pub mod coco;
pub mod export;
pub mod flic;
pub mod hdf5;
pub mod imu;
pub mod limb_scale;
pub mod lsp;
pub mod lspet;
pub mod matlab;
pub mod mpii;
pub mod pixels;
pub mod predictions;
pub mod shards;
pub mod synthetic;
#[doc(hidden)]
pub mod testing;
mod unique_ids;

pub use annotations::{Annotations, ReadError};
