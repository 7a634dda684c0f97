//! Tables to the files that other programs read, one module a format.
//!
//! | sink | from | to | for |
//! |---|---|---|---|
//! | [`ArrowExport`] | any | one Arrow IPC file | pyarrow, polars |
//! | [`CocoExport`] | `people` | COCO keypoints JSON | pycocotools, mmpose, detectron2 |
//! | [`CocoResultsExport`] | `keypoints` | COCO results JSON | pycocotools |
//! | [`HrnetExport`] | `people` | MPII JSON of `HRNet` and mmpose | `HRNet`, mmpose |
//! | [`PredsExport`] | `keypoints` | `preds` `.mat` `[N, K, 2]` | the MPII evaluators |
//! | [`YoloExport`] | `people` | folder of pictures, labels and `data.yaml` | YOLO trainers |
//! | [`WebdatasetExport`] | `samples` | tar shards | webdataset |
//!
//! Hugging Face `datasets` needs no export: it reads the tables themselves. Every writer takes batches as they come,
//! writes beside its target and moves the whole into place, so that a target is complete or not there. The same
//! rows give the same bytes. Rows in = rows written + rows in the rejects.

mod arrow;
mod atomic;
mod coco;
mod coco_results;
mod encode;
mod error;
mod hrnet_json;
mod images;
mod joined;
mod mpii_preds;
mod predicted;
mod webdataset;
mod yolo_pose;

use ::arrow::array::RecordBatch;
use ::arrow::datatypes::{Schema, SchemaRef};
use schemas::Skeleton;
use schemas::columns::{field, skeleton_of};
use schemas::tables::people::{self, Person};
use schemas::tables::rejects::Reject;
use schemas::tables::table_name;

use crate::shards::ShardError;
use crate::sink::Exported;

pub use arrow::ArrowExport;
pub use coco::CocoExport;
pub use coco_results::CocoResultsExport;
pub use encode::EXPORT_FILE;
pub use error::ExportError;
pub use hrnet_json::HrnetExport;
pub use mpii_preds::PredsExport;
pub use predicted::{Predicted, Prediction};
pub use webdataset::WebdatasetExport;
pub use yolo_pose::YoloExport;

use encode::{Encode, Target, exporting};

/// Why a person has no box.
const NO_BOX: &str = "neither joints nor centre and scale make a box in the picture";

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

/// The people of a batch that [`expect_people`] lets pass.
fn people_of(batch: &RecordBatch) -> Result<(&'static Skeleton, Vec<Person>), ExportError> {
    Ok((skeleton_of(batch.schema_ref())?, people::from_batch(batch)?))
}

/// Checks that the first of `inputs` are people.
fn expect_people(inputs: &[SchemaRef]) -> Result<(), ExportError> {
    expect_table(&inputs[0], people::NAME)?;
    field(&inputs[0], "image_path")?;
    skeleton_of(&inputs[0])?;
    Ok(())
}

/// A table is told by its name: the joints of crops, say, have pixels of their own.
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

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
