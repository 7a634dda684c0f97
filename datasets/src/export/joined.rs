//! Formats that combine predictions with the people they belong to.

use std::path::Path;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use schemas::Skeleton;
use schemas::columns::skeleton_of;
use schemas::tables::keypoints;
use schemas::tables::people::Person;

use super::atomic::AtomicFile;
use super::{Encode, ExportError, Predicted, Target, all_people, expect_people, expect_table};
use crate::sink::Exported;

/// Everybody, and the skeleton of their poses.
pub(super) type People = (&'static Skeleton, Vec<Person>);

/// Writes what is predicted of the people to the file.
type Write = fn(Predicted, &People, &mut AtomicFile, &mut Exported) -> Result<(), ExportError>;

/// Keeps both tables until they are whole: they are small, and either may come first.
pub(super) struct Joined {
    file: AtomicFile,
    head: Option<i32>,
    write: Write,
    keypoints: Vec<RecordBatch>,
    people: Vec<RecordBatch>,
}

impl Joined {
    /// # Errors
    /// When the system refuses.
    pub(super) fn new(path: &Path, head: Option<i32>, write: Write) -> Result<Self, ExportError> {
        let (keypoints, people) = (Vec::new(), Vec::new());
        Ok(Self { file: AtomicFile::create(path)?, head, write, keypoints, people })
    }

    /// # Errors
    /// When `inputs` are not keypoints and people.
    pub(super) fn check(inputs: &[SchemaRef]) -> Result<(), ExportError> {
        expect_table(&inputs[0], keypoints::NAME)?;
        skeleton_of(&inputs[0])?;
        expect_people(&inputs[1..])
    }
}

impl Encode for Joined {
    fn put(&mut self, input: usize, batch: &RecordBatch, _: &mut Exported) -> Result<(), ExportError> {
        let table = if input == 0 { &mut self.keypoints } else { &mut self.people };
        table.push(batch.clone());
        Ok(())
    }

    fn end(mut self: Box<Self>, exported: &mut Exported) -> Result<Target, ExportError> {
        let predicted = Predicted::read(&self.keypoints, self.head)?;
        let people = all_people(&self.people)?;
        (self.write)(predicted, &people, &mut self.file, exported)?;
        Ok(Target::File(self.file))
    }
}
