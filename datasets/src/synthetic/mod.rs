//! A seeded generator of articulated people, written in the original formats.
