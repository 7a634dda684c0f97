//! Picking and mapping rows of `people`: filter, split, `map_skeleton`, select, repeat.
//!
//! [`predicate`] is the SQL of `filter` and `split`; [`polars_columns`] carries columns over to polars without a
//! copy.

pub mod filter;
pub mod map_skeleton;
mod polars_columns;
pub mod predicate;
pub mod repeat;
pub mod select;
pub mod split;

pub use filter::{Filter, FilterConfig};
pub use map_skeleton::{MapSkeleton, MapSkeletonConfig};
pub use repeat::{Repeat, RepeatConfig};
pub use select::{Select, SelectConfig};
pub use split::{Split, SplitConfig};
