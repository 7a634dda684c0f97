//! The pictures of a table: which there are, who is in them, and which are alike.
//!
//! [`images`] lists them, [`file`] reads each once, [`print`] makes a picture comparable, [`hamming`] finds like
//! prints, and [`alike`] answers which picture is nearest. Memory holds some 200 bytes per picture, and one picture per
//! thread.

mod alike;
mod file;
mod hamming;
mod images;
mod print;

pub(super) use alike::{Alike, Likeness};
pub(super) use file::Wanted;
pub(super) use images::{Image, Images, Split};
