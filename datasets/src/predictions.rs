//! Published prediction arrays.
