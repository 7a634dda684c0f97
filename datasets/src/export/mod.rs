//! Tables to the files that other programs read, one module a format.
//!
//! | module | from | to | for |
//! |---|---|---|---|
//! | [`coco`] | `people` | COCO keypoints JSON | pycocotools, mmpose, detectron2 |
//! | [`coco_results`] | `keypoints` | COCO results JSON | pycocotools |
//! | [`hrnet_json`] | `people` | MPII JSON of `HRNet` and mmpose | `HRNet`, mmpose |
//! | [`mpii_preds`] | `keypoints` | `preds` `.mat` `[N, K, 2]` | the MPII evaluators |
//! | [`yolo_pose`] | `people` | folder of pictures, labels and `data.yaml` | YOLO trainers |
//! | [`webdataset`] | `samples` | tar shards | webdataset |
//!
//! Hugging Face `datasets` needs no export: it reads the tables themselves. Every writer takes batches as they come,
//! writes beside its target and moves the whole into place, so that a target is complete or not there. The same
//! rows give the same bytes. Rows in = rows written + rows in the rejects.

mod atomic;
pub mod coco;
pub mod coco_results;
mod error;
pub mod hrnet_json;
mod images;
pub mod mpii_preds;
mod predicted;
pub mod webdataset;
pub mod yolo_pose;

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use schemas::Skeleton;
use schemas::columns::{field, skeleton_of};
use schemas::tables::people::{self, Person};
use schemas::tables::rejects::Reject;
use schemas::tables::table_name;

use crate::shards::ShardError;

pub use atomic::EXPORT_FILE;
pub use error::ExportError;
pub use predicted::{Predicted, Prediction};

/// What became of the rows.
#[derive(Debug, Default)]
pub struct Exported {
    /// Rows that stand in the target.
    pub written: u64,
    /// Rows that do not, each with the reason.
    pub rejects: Vec<Reject>,
    /// What whoever reads the target must know.
    pub notes: Vec<String>,
}

impl Exported {
    fn reject(&mut self, stage: &str, person: &Person, reason: &str, detail: impl Into<String>) {
        let stated = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        self.rejects.push(Reject {
            stage: stage.to_owned(),
            reason: reason.to_owned(),
            sample_id: stated(&person.sample_id),
            source_file: stated(&person.source_file),
            source_record: stated(&person.source_record),
            detail: detail.into(),
            rows: 1,
        });
    }

    /// Adds the note "`count` `what`", where there are any.
    fn note(&mut self, count: u64, what: &str) {
        if count > 0 {
            self.notes.push(format!("{count} {what}"));
        }
    }
}

/// A row whose joints stand in the picture, told by its table's name: crops have their own pixels.
fn people_of(batch: &RecordBatch) -> Result<(&'static Skeleton, Vec<Person>), ExportError> {
    expect_table(batch.schema_ref(), people::NAME)?;
    field(batch.schema_ref(), "image_path")?;
    let skeleton = skeleton_of(batch.schema_ref())?;
    Ok((skeleton, people::from_batch(batch)?))
}

fn expect_table(schema: &Schema, expected: &'static str) -> Result<(), ExportError> {
    match table_name(schema) {
        Some(name) if name == expected => Ok(()),
        other => Err(ExportError::OtherTable { expected, found: other.unwrap_or("of no name").to_owned() }),
    }
}

/// Whether the row is of a person, not of an image without people.
fn is_person(person: &Person) -> bool {
    person.person_index.is_some() || person.pose.annotated() > 0
}

/// Checks that all batches have one skeleton and says which.
#[derive(Default)]
struct OneSkeleton(Option<&'static Skeleton>);

impl OneSkeleton {
    fn check(&mut self, skeleton: &'static Skeleton) -> Result<(), ExportError> {
        match self.0.replace(skeleton) {
            Some(first) if first != skeleton => {
                Err(ExportError::TwoSkeletons { first: first.name, second: skeleton.name })
            }
            _ => Ok(()),
        }
    }

    fn get(&self) -> Result<&'static Skeleton, ExportError> {
        self.0.ok_or(ExportError::Empty)
    }
}

/// A piece of a table, or why it could not be read.
pub type Piece = Result<RecordBatch, ShardError>;

/// All people of `batches`, for writers that need them as a list.
///
/// # Errors
/// When a batch cannot be read, is not of the table `people`, or there is none.
pub fn all_people(
    batches: impl IntoIterator<Item = Piece>,
) -> Result<(&'static Skeleton, Vec<Person>), ExportError> {
    let (mut skeleton, mut people) = (OneSkeleton::default(), Vec::new());
    for batch in batches {
        let (found, rows) = people_of(&batch?)?;
        skeleton.check(found)?;
        people.extend(rows);
    }
    Ok((skeleton.get()?, people))
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
