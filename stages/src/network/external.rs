//! The files beside an `.onnx` file that hold weights of the network.
//!
//! A tensor of an ONNX model may lie in another file, which its `external_data` names relative to the model's folder.
//! This module finds those names. It reads the messages that can hold a tensor and skips everything else, so weights
//! inside the model are not read. Source: `onnx.proto3` of ONNX 1.18, whose field numbers never change.

use std::collections::BTreeSet;
use std::io::{BufReader, Read, Seek};
use std::path::{Component, Path, PathBuf};

use super::NetworkError;
use crate::StageError;

/// Messages within messages: as many as protobuf itself reads.
const MOST_DEPTH: usize = 100;
/// Bytes of the longest name of a file that is read.
const MOST_NAME: u64 = 64 << 10;
/// What the second four bytes of a model in the runtime's own format are; it holds all its weights.
const ORT_FORMAT: [u8; 4] = *b"ORTM";
/// `TensorProto.DataLocation.EXTERNAL`.
const EXTERNAL: u64 = 1;

/// A message of ONNX that may hold a tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Message {
    Model,
    Function,
    Training,
    Graph,
    Node,
    Attribute,
    Sparse,
    Tensor,
}

impl Message {
    /// The message in field number `field`, if it may hold a tensor.
    fn within(self, field: u64) -> Option<Self> {
        Some(match (self, field) {
            (Self::Model, 7) | (Self::Training, 1 | 2) | (Self::Attribute, 6 | 11) => Self::Graph,
            (Self::Model, 20) => Self::Training,
            (Self::Model, 25) => Self::Function,
            (Self::Graph, 1) | (Self::Function, 7) => Self::Node,
            (Self::Node, 5) | (Self::Function, 11) => Self::Attribute,
            (Self::Graph, 15) | (Self::Attribute, 22 | 23) => Self::Sparse,
            (Self::Graph, 5) | (Self::Attribute, 5 | 10) | (Self::Sparse, 1 | 2) => Self::Tensor,
            _ => return None,
        })
    }
}

/// The files with weights of the network `model`, beside it, each once, by name.
///
/// # Errors
/// When the model cannot be read, is no ONNX model, or names a file outside its folder.
pub fn weights(model: &Path) -> Result<Vec<PathBuf>, StageError> {
    let unreadable = |source| StageError::File { what: "network", path: model.to_owned(), source };
    let mut file = datasets::files::open(model).map_err(unreadable)?;
    let end = file.metadata().map_err(unreadable)?.len();
    let mut begin = [0; 8];
    if end >= 8 {
        file.read_exact(&mut begin).and_then(|()| file.rewind()).map_err(unreadable)?;
    }
    if begin[4..] == ORT_FORMAT {
        return Ok(Vec::new());
    }
    let locations = locations(BufReader::new(file), end).map_err(|failure| match failure {
        Failure::System(source) => unreadable(source),
        Failure::Content(reason) => NetworkError::NotOnnx { reason }.at(model).into(),
    })?;
    let folder = model.parent().unwrap_or(Path::new(""));
    let beside = |location: String| {
        let parts = || Path::new(&location).components();
        let is_inside = parts().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
        if is_inside && parts().any(|part| matches!(part, Component::Normal(_))) {
            Ok(folder.join(&location))
        } else {
            Err(NetworkError::OutsideFolder { location }.at(model).into())
        }
    };
    locations.into_iter().map(beside).collect()
}

#[derive(Debug)]
enum Failure {
    System(std::io::Error),
    Content(&'static str),
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::UnexpectedEof => Self::Content("it ends within a message"),
            _ => Self::System(error),
        }
    }
}

/// The locations of all external tensors of the model of `end` bytes.
fn locations(bytes: impl Read + Seek, end: u64) -> Result<BTreeSet<String>, Failure> {
    let mut walk = Walk { bytes, at: 0, locations: BTreeSet::new() };
    walk.message(Message::Model, end, 0)?;
    Ok(walk.locations)
}

/// A walk through a model.
struct Walk<R> {
    bytes: R,
    /// Where it is.
    at: u64,
    locations: BTreeSet<String>,
}

impl<R: Read + Seek> Walk<R> {
    /// Reads `message`, which reaches to `end`.
    fn message(&mut self, message: Message, end: u64, depth: usize) -> Result<(), Failure> {
        if depth > MOST_DEPTH {
            return Err(Failure::Content("its messages are nested too deeply"));
        }
        let (mut location, mut is_external) = (None, false);
        while self.at < end {
            let key = self.varint()?;
            match (key >> 3, key & 7) {
                (field, 0) => {
                    let value = self.varint()?;
                    if (message, field) == (Message::Tensor, 14) {
                        is_external = value == EXTERNAL;
                    }
                }
                (_, 1) => self.skip(8)?,
                (_, 5) => self.skip(4)?,
                (field, 2) => {
                    let length = self.varint()?;
                    let behind = self.at.checked_add(length).filter(|behind| *behind <= end);
                    let behind = behind.ok_or(Failure::Content("a part of it is longer than the whole"))?;
                    if let Some(inner) = message.within(field) {
                        self.message(inner, behind, depth + 1)?;
                    } else if (message, field) == (Message::Tensor, 13) {
                        location = self.location(behind)?.or(location);
                    } else {
                        self.skip(length)?;
                    }
                }
                _ => return Err(Failure::Content("it has a field of no known type")),
            }
        }
        if self.at > end {
            return Err(Failure::Content("a part of it is longer than the whole"));
        }
        if is_external {
            self.locations.insert(location.ok_or(Failure::Content("an external tensor has no location"))?);
        }
        Ok(())
    }

    /// The value of an entry of `external_data` that reaches to `end`, if its key is `location`.
    fn location(&mut self, end: u64) -> Result<Option<String>, Failure> {
        let (mut is_location, mut value) = (false, String::new());
        while self.at < end {
            let key = self.varint()?;
            let length = if key & 7 == 2 { self.varint()? } else { u64::MAX };
            if length > MOST_NAME || length > end - self.at.min(end) {
                return Err(Failure::Content("an entry of `external_data` is not made of two texts"));
            }
            let mut text = vec![0; length as usize];
            self.bytes.read_exact(&mut text)?;
            self.at += length;
            match key >> 3 {
                1 => is_location = text == b"location",
                2 => {
                    value =
                        String::from_utf8(text).map_err(|_| Failure::Content("a location is not UTF-8"))?;
                }
                _ => {}
            }
        }
        Ok(is_location.then_some(value))
    }

    fn varint(&mut self) -> Result<u64, Failure> {
        let mut value = 0;
        for place in 0..10 {
            let mut byte = [0];
            self.bytes.read_exact(&mut byte)?;
            self.at += 1;
            value |= u64::from(byte[0] & 0x7f) << (7 * place);
            if byte[0] < 0x80 {
                return Ok(value);
            }
        }
        Err(Failure::Content("it has a number of more than ten bytes"))
    }

    fn skip(&mut self, length: u64) -> Result<(), Failure> {
        let offset =
            i64::try_from(length).map_err(|_| Failure::Content("a part of it is longer than the whole"))?;
        self.bytes.seek_relative(offset)?;
        self.at += length;
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod tests;
