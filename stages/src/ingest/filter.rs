//! `filter`: keeps the rows for which a condition holds.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::predicate::Predicate;
use crate::stage::{BuildContext, Outcome, Stage, StageError, reject, take_rows};

/// Reason of the rejects.
pub const FILTERED_OUT: &str = "filtered out";

/// Keys of the stage `filter`.
///
/// ```
/// let config: stages::ingest::FilterConfig = toml::from_str("where = \"annotated_joints >= 10\"")?;
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FilterConfig {
    /// An SQL condition on the scalar columns and on `annotated_joints`, `visible_joints` and `occluded_joints`.
    /// Rows for which it is false or null are rejected.
    #[serde(rename = "where")]
    pub condition: String,
}

impl FilterConfig {
    /// The stage.
    ///
    /// # Errors
    /// When the condition is not an SQL expression or depends on more than one row.
    pub fn build(&self, context: &BuildContext) -> Result<Filter, StageError> {
        let predicate = Predicate::new(&context.name, "where", &self.condition)?;
        Ok(Filter { name: context.name.clone(), predicate })
    }
}

/// Keeps the rows for which a condition holds; the others are rejects with the condition as detail.
#[derive(Debug, Clone)]
pub struct Filter {
    name: String,
    predicate: Predicate,
}

impl Stage for Filter {
    fn output_schema(&self, input: &SchemaRef) -> Result<SchemaRef, StageError> {
        self.predicate.check(input)?;
        Ok(SchemaRef::clone(input))
    }

    fn run(&self, batch: &RecordBatch) -> Result<Outcome, StageError> {
        let answers = self.predicate.answers(batch)?;
        let (mut kept, mut rejects) = (Vec::new(), Vec::new());
        for (row, answer) in answers.into_iter().enumerate() {
            if answer == Some(true) {
                kept.push(row);
            } else {
                rejects.push(reject(batch, row, &self.name, FILTERED_OUT, self.predicate.sql()));
            }
        }
        Ok(Outcome::some(take_rows(batch, &kept)?, rejects))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use schemas::Visibility;
    use schemas::columns::strings;
    use schemas::skeleton::FLIC9;
    use schemas::tables::people::{self, Person, Pose};

    /// `count` people of alternating splits; person n has n annotated joints, every third one occluded, and every
    /// fourth person has no scale.
    pub(crate) fn people(count: i32) -> RecordBatch {
        let person = |index: i32| {
            let mut pose = Pose::unknown(9);
            for joint in 0..(index as usize).min(9) {
                let visibility = if joint % 3 == 2 { Visibility::Occluded } else { Visibility::Visible };
                pose.set(joint, [f64::from(index), joint as f64], visibility);
            }
            Person {
                sample_id: format!("flic-{index}"),
                dataset: "flic".into(),
                split: if index % 2 == 0 { "train" } else { "test" }.into(),
                image_path: format!("images/frame{}.jpg", index / 2),
                person_index: Some(index),
                scale: (index % 4 != 3).then_some(0.4 * f64::from(index)),
                others: std::iter::repeat_n(std::sync::Arc::new(pose.clone()), (index % 3) as usize)
                    .collect(),
                pose,
                source_file: "examples.mat".into(),
                source_record: format!("examples({})", index + 1),
                ..Person::default()
            }
        };
        people::to_batch(&FLIC9, &(0..count).map(person).collect::<Vec<_>>())
    }

    pub(crate) fn context(name: &str) -> BuildContext {
        BuildContext { name: name.into(), seed: 7, threads: 1, folder: ".".into() }
    }

    fn filter(condition: &str) -> Filter {
        FilterConfig { condition: condition.into() }.build(&context("keep")).unwrap()
    }

    #[test]
    fn every_row_is_kept_or_rejected_with_the_condition() {
        let batch = people(9);
        let stage = filter("scale > 0.5 AND split = 'train'");
        assert_eq!(stage.output_schema(&batch.schema()).unwrap(), batch.schema());
        let outcome = stage.run(&batch.slice(1, 7)).unwrap();
        let ids = strings(&outcome.rows, "sample_id").unwrap();
        assert_eq!(ids.iter().flatten().collect::<Vec<_>>(), ["flic-2", "flic-4", "flic-6"]);
        assert_eq!(outcome.rejects.len(), 4);
        // A null scale is no yes.
        let third = &outcome.rejects[1];
        assert_eq!((third.stage.as_str(), third.reason.as_str()), ("keep", FILTERED_OUT));
        assert_eq!(third.detail, "scale > 0.5 AND split = 'train'");
        assert_eq!(third.source_record.as_deref(), Some("examples(4)"));
    }

    #[test]
    fn counts_of_joints_are_columns() {
        let batch = people(9);
        let kept = |condition: &str| filter(condition).run(&batch.slice(2, 6)).unwrap().rows.num_rows();
        assert_eq!(kept("annotated_joints >= 5"), 3);
        assert_eq!(kept("occluded_joints = 1"), 3);
        assert_eq!(kept("visible_joints = 4"), 2);
    }

    #[test]
    fn an_empty_batch_stays_empty() {
        let outcome = filter("scale > 1").run(&people(0)).unwrap();
        assert_eq!((outcome.rows.num_rows(), outcome.rejects.len()), (0, 0));
    }

    #[test]
    fn a_misspelt_key_is_refused() {
        assert!(toml::from_str::<FilterConfig>("when = 'scale > 1'").is_err());
    }
}
