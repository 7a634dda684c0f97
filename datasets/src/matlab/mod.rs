//! MAT v5 files, read and written: values with their class and size, and access that names the place of an error.
//!
//! Format: "MAT-File Format", The `MathWorks`, chapter 1. [`read`] lists what is not supported.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use datasets::matlab::{self, Packing, Value};
//! let joints = Value::array(&[2, 1], vec![1.5, 2.5]);
//! let bytes = matlab::to_bytes(&[("joints", &joints)], Packing::Zlib)?;
//! let variables = matlab::from_bytes(&bytes)?;
//! assert_eq!(matlab::variable(&variables, "joints")?.numbers()?, [1.5, 2.5]);
//! # Ok(())
//! # }
//! ```

mod cursor;
mod element;
mod json;
mod node;
mod reader;
mod value;
mod writer;

pub use node::{AccessError, Node, Row, listed, variable};
pub use reader::{MAX_DECOMPRESSED_BYTES, MAX_DEPTH, from_bytes, is_v5, is_v73, read, read_from};
pub use value::{Numbers, Structs, Value};
pub use writer::{MAX_NAME_BYTES, Packing, WriteError, to_bytes, write};

#[cfg(test)]
mod tests;
