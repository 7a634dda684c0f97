//! What exports need of tables of people.

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use schemas::Skeleton;
use schemas::columns::{field, skeleton_of};
use schemas::tables::people::{self, Person};
use schemas::tables::table_name;

use super::error::ExportError;

/// The people of a batch that [`expect_people`] lets pass.
pub(super) fn people_of(batch: &RecordBatch) -> Result<(&'static Skeleton, Vec<Person>), ExportError> {
    Ok((skeleton_of(batch.schema_ref())?, people::from_batch(batch)?))
}

/// Checks that the first of `inputs` are people.
pub(super) fn expect_people(inputs: &[SchemaRef]) -> Result<(), ExportError> {
    expect_table(&inputs[0], people::NAME)?;
    field(&inputs[0], "image_path")?;
    skeleton_of(&inputs[0])?;
    Ok(())
}

/// A table is told by its name: the joints of crops, say, have pixels of their own.
pub(super) fn expect_table(schema: &Schema, expected: &'static str) -> Result<(), ExportError> {
    match table_name(schema) {
        Some(name) if name == expected => Ok(()),
        other => Err(ExportError::OtherTable { expected, found: other.unwrap_or("of no name").to_owned() }),
    }
}

/// Whether the row is of a person, not of an image without people.
pub(crate) fn is_person(person: &Person) -> bool {
    person.person_index.is_some() || person.pose.annotated() > 0
}

/// Checks that all batches have one skeleton and says which.
#[derive(Default)]
pub(super) struct OneSkeleton(Option<&'static Skeleton>);

impl OneSkeleton {
    pub(super) fn check(&mut self, skeleton: &'static Skeleton) -> Result<(), ExportError> {
        match self.0.replace(skeleton) {
            Some(first) if first != skeleton => {
                Err(ExportError::TwoSkeletons { first: first.name, second: skeleton.name })
            }
            _ => Ok(()),
        }
    }

    pub(super) fn get(&self) -> Result<&'static Skeleton, ExportError> {
        self.0.ok_or(ExportError::Empty)
    }
}

/// All people of `batches`.
///
/// # Errors
/// When a batch is not of people, or there is none.
pub(crate) fn all_people(batches: &[RecordBatch]) -> Result<(&'static Skeleton, Vec<Person>), ExportError> {
    let (mut skeleton, mut people) = (OneSkeleton::default(), Vec::new());
    for batch in batches {
        let (found, rows) = people_of(batch)?;
        skeleton.check(found)?;
        people.extend(rows);
    }
    Ok((skeleton.get()?, people))
}
