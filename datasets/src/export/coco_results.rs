//! `keypoints` to COCO results JSON: `[{image_id, category_id, keypoints, score, sample_id}]`.
//!
//! Images have the numbers that [`super::coco`] gives the same people. The third number of a point is the joint's
//! score (1 where the table has none); a point that was not predicted is 0, 0, 0. `sample_id` tells our reader whose
//! detection it is; other readers ignore it.

use std::path::{Path, PathBuf};

use arrow::datatypes::SchemaRef;
use schemars::JsonSchema;
use schemas::tables::keypoints::PredictedPose;
use schemas::tables::people::Person;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::atomic::AtomicFile;
use super::coco::CATEGORY_ID;
use super::joined::{Joined, People};
use super::{Encode, Export, ExportError, Predicted};
use crate::coco::ImageIds;
use crate::sink::Exported;

/// Stage name in rejects.
const FORMAT: &str = "coco_results";

/// COCO results JSON, of a table of keypoints.
///
/// The people determine the order, the joints and the image numbers. A person's score is that of the detection, else
/// the mean of the joints' scores, else 1. Rejects are predictions without a person, second predictions of a person and
/// those of other heads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "clap", derive(clap::Args))]
#[serde(deny_unknown_fields)]
pub struct CocoResultsExport {
    /// The file.
    #[schemars(extend("format" = "path"))]
    #[cfg_attr(feature = "clap", arg(long = "out", value_name = "FILE"))]
    pub path: PathBuf,
    /// The output head, from 1; each person's last if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "clap", arg(long, alias = "stage", value_name = "NUMBER"))]
    pub head: Option<i32>,
}

impl Export for CocoResultsExport {
    const FORMAT: &'static str = FORMAT;
    const INPUTS: &'static [&'static str] = &["keypoints", "people"];

    fn path(&self) -> &Path {
        &self.path
    }

    fn check(&self, inputs: &[SchemaRef]) -> Result<(), ExportError> {
        Joined::check(inputs)
    }

    fn begin(&self, _inputs: &[SchemaRef]) -> Result<Box<dyn Encode>, ExportError> {
        Ok(Box::new(Joined::new(&self.path, self.head, encode)?))
    }
}

fn encode(
    predicted: Predicted,
    (skeleton, people): &People,
    file: &mut AtomicFile,
    exported: &mut Exported,
) -> Result<(), ExportError> {
    let mut ids = ImageIds::default();
    // Rows without a person have an image too, which counts.
    let numbers = people.iter().map(|person| ids.of(person)).collect::<Result<Vec<i64>, _>>()?;
    let pairs = predicted.of(people, skeleton, FORMAT, exported);
    let mut numbered = people.iter().zip(numbers);
    file.put("[")?;
    let (mut first, mut missed) = (true, 0);
    for (person, prediction) in pairs {
        let number = numbered.find(|(other, _)| std::ptr::eq(*other, person)).map(|(_, number)| number);
        let (Some(prediction), Some(number)) = (prediction, number) else {
            missed += 1;
            continue;
        };
        file.put(if first { "\n" } else { ",\n" })?;
        file.put_json(&detection(number, person, &prediction))?;
        first = false;
    }
    file.put("\n]\n")?;
    exported.note(missed, "people have no prediction");
    Ok(())
}

fn detection(image: i64, person: &Person, prediction: &PredictedPose) -> Json {
    let score_of = |joint: usize| prediction.score.as_ref().map_or(1.0, |score| score[joint]);
    let finite = |value: f64| if value.is_finite() { value } else { 0.0 };
    let found = |point: &[f64; 2]| point.iter().all(|value| value.is_finite());
    let joints = || prediction.keypoints.iter().enumerate();
    let points = joints().flat_map(|(joint, point)| {
        if found(point) { [point[0], point[1], finite(score_of(joint))] } else { [0.0; 3] }
    });
    json!({
        "image_id": image,
        "category_id": CATEGORY_ID,
        "keypoints": points.collect::<Vec<f64>>(),
        "score": prediction.whole_score(),
        "sample_id": person.sample_id,
    })
}
