//! Tables to the files that other programs read, one module per format.
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
//! writes beside its target and moves the result into place, so that a target is either complete or absent. The same
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
mod people;
mod predicted;
mod webdataset;
mod yolo_pose;

use schemas::tables::people::Person;
use schemas::tables::rejects::Reject;

use crate::sink::Exported;

pub use arrow::ArrowExport;
pub use coco::CocoExport;
pub use coco_results::CocoResultsExport;
pub use encode::{EXPORT_FILE, check_export};
pub use error::ExportError;
pub use hrnet_json::HrnetExport;
pub use mpii_preds::{PredsExport, PredsForm};
pub use predicted::Predicted;
pub use webdataset::WebdatasetExport;
pub use yolo_pose::YoloExport;

use encode::{Encode, Export, Target};
use people::{OneSkeleton, expect_people, expect_table, people_of};
pub(crate) use people::{all_people, is_person};

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

#[cfg(test)]
mod region_tests;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
