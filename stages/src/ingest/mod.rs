//! Picking and mapping rows of `people`: filter, split, map_skeleton, select, repeat.
