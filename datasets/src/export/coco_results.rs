//! `keypoints` to COCO results JSON: `[{image_id, category_id, keypoints, score, sample_id}]`.
//!
//! Images have the numbers that [`super::coco`] gives the same people. The third number of a point is the joint's
//! score (1 where the table has none); a point that was not predicted is 0, 0, 0. `sample_id` tells our reader whose
//! the detection is; others pass over it.

use std::path::Path;

use schemas::Skeleton;
use schemas::tables::people::Person;
use serde_json::{Value as Json, json};

use super::atomic::AtomicFile;
use super::coco::CATEGORY_ID;
use super::{ExportError, Exported, Predicted, Prediction};
use crate::coco::ImageIds;

/// Stage name in rejects.
const FORMAT: &str = "export coco-results";

/// Writes what is `predicted` of `people`, whose joints have the order of `skeleton`, to the file `target`.
///
/// A person's score is that of the detection, else the mean of the joints' scores, else 1. Rejects are predictions of
/// nobody, second ones and those of other stages.
///
/// # Errors
/// When the target is there and `overwrite` is not set, the system refuses, or numbers of images clash.
pub fn write(
    predicted: Predicted,
    people: &[Person],
    skeleton: &'static Skeleton,
    target: &Path,
    overwrite: bool,
) -> Result<Exported, ExportError> {
    let mut file = AtomicFile::create(target, overwrite)?;
    let (mut exported, mut ids) = (Exported::default(), ImageIds::default());
    // Rows without a person have an image too, which counts.
    let numbers = people.iter().map(|person| ids.of(person)).collect::<Result<Vec<i64>, _>>()?;
    let pairs = predicted.of(people, skeleton, FORMAT, &mut exported);
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
    file.finish()?;
    exported.note(missed, "people have no prediction");
    Ok(exported)
}

fn detection(image: i64, person: &Person, prediction: &Prediction) -> Json {
    let score_of = |joint: usize| prediction.score.as_ref().map_or(1.0, |score| score[joint]);
    let finite = |value: f64| if value.is_finite() { value } else { 0.0 };
    let found = |point: &[f64; 2]| point.iter().all(|value| value.is_finite());
    let joints = || prediction.keypoints.iter().enumerate();
    let points = joints().flat_map(|(joint, point)| {
        if found(point) { [point[0], point[1], finite(score_of(joint))] } else { [0.0; 3] }
    });
    let scores: Vec<f64> =
        joints().filter(|(_, point)| found(point)).map(|(joint, _)| finite(score_of(joint))).collect();
    let mean = scores.iter().sum::<f64>() / scores.len().max(1) as f64;
    json!({
        "image_id": image,
        "category_id": CATEGORY_ID,
        "keypoints": points.collect::<Vec<f64>>(),
        "score": prediction.detection_score.unwrap_or(mean),
        "sample_id": person.sample_id,
    })
}
