//! Selecting and mapping rows: filter, split, `split_subjects`, `map_skeleton`, select, repeat.
//!
//! [`predicate`] is the SQL of `filter` and `split`; [`polars_columns`] passes columns to polars without a copy.

mod condition;
mod error;
pub mod filter;
pub mod map_skeleton;
mod polars_columns;
pub mod predicate;
mod remap;
pub mod repeat;
pub mod select;
pub mod split;
pub mod split_subjects;

pub use error::{IngestError, Unread};
pub use filter::{Filter, FilterConfig};
pub use map_skeleton::{MapSkeleton, MapSkeletonConfig};
pub use repeat::{Repeat, RepeatConfig};
pub use select::{Select, SelectConfig};
pub use split::{Split, SplitConfig};
pub use split_subjects::{SplitSubjects, SplitSubjectsConfig};
