//! `split_subjects`: assigns whole people to splits, by number or by share.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, SchemaRef};
use schemars::JsonSchema;
use schemas::columns::{field, schema_with, strings, with_column, wrong_type};
use schemas::random::KeyedRandom;
use schemas::tables::rejects::Reject;
use schemas::units::{Count, Probability};
use serde::{Deserialize, Serialize};

use super::error::IngestError;
use crate::stage::{AllRows, BuildContext, Gathered, Give, Number, Rows, StageError, take_rows};

/// Keys of the stage `split_subjects`: how many people, or which share of them, go to each split.
///
/// ```
/// let plan = "counts = { train = 587, validation = 150, test = 150 }";
/// let config: stages::ingest::SplitSubjectsConfig = toml::from_str(plan)?;
/// let plan = "shares = { train = 0.5, validation = 0.25, test = 0.25 }";
/// let config: stages::ingest::SplitSubjectsConfig = toml::from_str(plan)?;
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SplitSubjectsConfig {
    /// Number of people in each split. Rows of people beyond the sum are rejected.
    Counts(BTreeMap<String, Count>),
    /// Share of people in each split; the shares must add up to 1.
    Shares(BTreeMap<String, Probability>),
}

/// By how much the shares may miss 1, for shares written in decimals.
const SHARE_TOLERANCE: f64 = 1e-6;

impl SplitSubjectsConfig {
    /// The stage.
    ///
    /// # Errors
    /// When no split is named, or the shares do not add up to 1.
    pub fn build(&self, context: &BuildContext) -> Result<SplitSubjects, StageError> {
        let stage = context.name.clone();
        let (splits, sum) = match self {
            Self::Counts(counts) => (counts.len(), 1.0),
            Self::Shares(shares) => (shares.len(), shares.values().map(|share| share.get()).sum::<f64>()),
        };
        if splits == 0 {
            return Err(StageError::step(IngestError::NamesNone { stage, what: "split" }));
        }
        if (sum - 1.0).abs() > SHARE_TOLERANCE {
            return Err(StageError::step(IngestError::Shares { stage, sum }));
        }
        Ok(SplitSubjects { name: stage, seed: context.seed, config: self.clone() })
    }
}

/// Gives every row the split of its subject.
///
/// The order in which people are assigned is keyed only by seed, stage and name. So with `counts` a new person can
/// move others only by taking a place from them.
#[derive(Debug, Clone)]
pub struct SplitSubjects {
    name: String,
    seed: u64,
    config: SplitSubjectsConfig,
}

impl SplitSubjects {
    /// The split of each of `subjects`; those for whom there is no place are missing.
    fn deal(&self, subjects: BTreeSet<String>) -> Result<BTreeMap<String, &str>, StageError> {
        let mut order: Vec<(f64, String)> = subjects
            .into_iter()
            .map(|subject| (KeyedRandom::new(self.seed, &self.name, &subject, 0).unit(), subject))
            .collect();
        order.sort_by(|a, b| a.0.total_cmp(&b.0).then_with(|| a.1.cmp(&b.1)));
        let places: Vec<(&str, usize)> = match &self.config {
            SplitSubjectsConfig::Counts(counts) => {
                counts.iter().map(|(name, count)| (name.as_str(), count.get() as usize)).collect()
            }
            SplitSubjectsConfig::Shares(shares) => {
                let parts: Vec<f64> = shares.values().map(|share| share.get()).collect();
                shares.keys().map(String::as_str).zip(largest_remainders(&parts, order.len())).collect()
            }
        };
        let wanted: usize = places.iter().map(|(_, count)| count).sum();
        if wanted > order.len() {
            let (stage, found) = (self.name.clone(), order.len());
            return Err(StageError::step(IngestError::FewPeople { stage, wanted, found }));
        }
        let splits = places.iter().flat_map(|(name, count)| std::iter::repeat_n(*name, *count));
        Ok(order.into_iter().map(|(_, subject)| subject).zip(splits).collect())
    }
}

/// Whole numbers that make `total` in the proportion of `shares`: each rounded down, the rest to those that lost most.
fn largest_remainders(shares: &[f64], total: usize) -> Vec<usize> {
    let exact: Vec<f64> = shares.iter().map(|share| share * total as f64).collect();
    let mut counts: Vec<usize> = exact.iter().map(|count| count.floor() as usize).collect();
    let mut order: Vec<usize> = (0..shares.len()).collect();
    order.sort_by(|&a, &b| exact[b].fract().total_cmp(&exact[a].fract()));
    let missing = total.saturating_sub(counts.iter().sum());
    order.into_iter().take(missing).for_each(|split| counts[split] += 1);
    counts
}

fn split_field() -> Field {
    Field::new("split", DataType::Utf8, true)
}

impl AllRows for SplitSubjects {
    type Count = Number<1>;

    const INPUTS: &'static [&'static str; 1] = &["rows"];

    fn needed_columns(&self, _input: usize, schema: &SchemaRef) -> Result<Vec<usize>, StageError> {
        let found = field(schema, "subject")?.data_type();
        if found != &DataType::Utf8 {
            return Err(wrong_type("subject", "Utf8", found).into());
        }
        Ok((0..schema.fields().len()).collect())
    }

    fn output_schema(&self, inputs: [&SchemaRef; 1]) -> Result<SchemaRef, StageError> {
        Ok(Arc::new(schema_with(inputs[0], split_field())))
    }

    fn run(&self, inputs: [&dyn Rows; 1], _run: &str, give: &mut Give<'_>) -> Result<Gathered, StageError> {
        let mut subjects = BTreeSet::new();
        for batch in inputs[0].scan() {
            subjects.extend(strings(&batch?, "subject")?.iter().flatten().map(str::to_owned));
        }
        let splits = self.deal(subjects)?;
        let mut without_place: BTreeMap<String, u64> = BTreeMap::new();
        for batch in inputs[0].scan() {
            let batch = batch?;
            let names = strings(&batch, "subject")?;
            let mut kept = Vec::new();
            for (row, name) in names.iter().enumerate() {
                let name = name.unwrap_or_default();
                if splits.contains_key(name) {
                    kept.push(row);
                } else {
                    *without_place.entry(name.to_owned()).or_default() += 1;
                }
            }
            give(with_splits(&take_rows(&batch, &kept)?, &splits)?)?;
        }
        let reject = |(subject, rows): (String, u64)| Reject {
            stage: self.name.clone(),
            reason: "subject in no split".to_owned(),
            detail: format!("subject `{subject}`"),
            rows,
            ..Reject::default()
        };
        let counts = match &self.config {
            SplitSubjectsConfig::Counts(counts) => counts.keys().collect::<Vec<_>>(),
            SplitSubjectsConfig::Shares(shares) => shares.keys().collect(),
        };
        let dealt = counts.into_iter().map(|split| {
            let people = splits.values().filter(|of| *of == split).count();
            format!("{people} in `{split}`")
        });
        let notes =
            vec![format!("`{}` dealt people out: {}", self.name, dealt.collect::<Vec<_>>().join(", "))];
        Ok(Gathered { rejects: without_place.into_iter().map(reject).collect(), notes })
    }
}

/// `batch` with the split of each row's subject.
fn with_splits(batch: &RecordBatch, splits: &BTreeMap<String, &str>) -> Result<RecordBatch, StageError> {
    let names = strings(batch, "subject")?;
    let column: StringArray =
        names.iter().map(|name| name.and_then(|name| splits.get(name)).copied()).collect();
    Ok(with_column(batch, split_field(), Arc::new(column))?)
}

#[cfg(test)]
mod tests {
    use super::super::filter::tests::context;
    use super::*;
    use arrow::datatypes::Schema;

    fn rows(subjects: &[&str]) -> RecordBatch {
        let schema = Schema::new(vec![Field::new("subject", DataType::Utf8, false)]);
        let column = StringArray::from(subjects.to_vec());
        RecordBatch::try_new(Arc::new(schema), vec![Arc::new(column)]).unwrap()
    }

    fn dealt(plan: &str, batches: &[RecordBatch]) -> Result<(Vec<(String, String)>, Gathered), StageError> {
        let stage = toml::from_str::<SplitSubjectsConfig>(plan).unwrap().build(&context("deal"))?;
        let mut given = Vec::new();
        let gathered = stage.run([&batches.to_vec()], "", &mut |batch| {
            let text = |name: &str| strings(&batch, name).unwrap().clone();
            let pairs = text("subject").iter().flatten().map(str::to_owned).collect::<Vec<_>>();
            let splits = text("split").iter().flatten().map(str::to_owned).collect::<Vec<_>>();
            given.extend(pairs.into_iter().zip(splits));
            Ok(())
        })?;
        Ok((given, gathered))
    }

    const PEOPLE: [&str; 7] = ["a", "b", "c", "d", "e", "f", "g"];

    #[test]
    fn shares_are_rounded_so_that_everyone_has_a_place() {
        let plan = "shares = { train = 0.5, validation = 0.25, test = 0.25 }";
        let (given, gathered) = dealt(plan, &[rows(&PEOPLE), rows(&["a", "g"])]).unwrap();
        assert_eq!((given.len(), gathered.rejects.len()), (9, 0));
        assert_eq!((&given[0].1, &given[6].1), (&given[7].1, &given[8].1), "a subject has one split");
        let count = |split: &str| given[..7].iter().filter(|(_, of)| of == split).count();
        assert_eq!([count("train"), count("validation"), count("test")], [3, 2, 2]);
        assert_eq!(largest_remainders(&[0.5, 0.25, 0.25], 7), [3, 2, 2]);
    }

    #[test]
    fn counts_leave_the_others_out_and_say_so() {
        let (given, gathered) = dealt("counts = { test = 2, train = 3 }", &[rows(&PEOPLE)]).unwrap();
        assert_eq!((given.len(), gathered.rejects.len()), (5, 2));
        assert_eq!(gathered.rejects[0].reason, "subject in no split");
        assert_eq!(gathered.notes, ["`deal` dealt people out: 2 in `test`, 3 in `train`"]);
        let error = dealt("counts = { test = 8 }", &[rows(&PEOPLE)]).unwrap_err();
        assert_eq!(error.to_string(), "`deal` deals out 8 people, but there are 7");
    }

    #[test]
    fn wrong_plans_are_refused() {
        let build = |plan: &str| toml::from_str::<SplitSubjectsConfig>(plan).unwrap().build(&context("deal"));
        assert!(build("shares = { train = 0.5, test = 0.4 }").is_err());
        assert!(build("counts = {}").is_err());
        assert!(toml::from_str::<SplitSubjectsConfig>("shares = { train = 1.5 }").is_err());
    }
}
