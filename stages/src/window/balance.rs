//! `balance`: at most a given number of rows of each subject.

use std::collections::{BTreeMap, BinaryHeap};

use arrow::array::{Int32Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, SchemaRef};
use schemars::JsonSchema;
use schemas::columns::{integers, strings};
use schemas::random::KeyedRandom;
use schemas::tables::rejects::Reject;
use schemas::units::Count;
use serde::{Deserialize, Serialize};

use super::columns::{check_type, every_column};
use crate::stage::{AllRows, BuildContext, Gathered, Give, Number, Rows, StageError, take_rows};

/// Keys of the stage `balance`.
///
/// ```
/// let config: stages::window::BalanceConfig = toml::from_str("per_subject = 200")?;
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BalanceConfig {
    /// The most rows that are kept of one subject, over all splits together.
    pub per_subject: Count,
}

impl BalanceConfig {
    /// Builds the stage.
    pub fn build(&self, context: &BuildContext) -> Balance {
        let most = self.per_subject.get() as usize;
        Balance { name: context.name.clone(), seed: context.seed, most }
    }
}

/// Windows or embeddings, at most a given number of each subject, in their order.
///
/// The rows with the lowest keys are kept: random numbers keyed by (seed, stage name, sample id, copy) and, where
/// there is one, the frame. So a row that is added to one subject moves at most one row of that subject. It reads
/// its rows twice and holds one key for each row that is kept.
#[derive(Debug, Clone)]
pub struct Balance {
    name: String,
    seed: u64,
    most: usize,
}

/// What is known of a subject: its rows, and the lowest keys with the places of their rows.
#[derive(Debug, Default)]
struct Share {
    rows: u64,
    lowest: BinaryHeap<(u64, u64)>,
}

/// The columns that the key of a row is drawn from.
struct Keys<'a> {
    ids: &'a StringArray,
    copies: Option<&'a Int32Array>,
    frames: Option<&'a Int32Array>,
}

impl<'a> Keys<'a> {
    fn of(batch: &'a RecordBatch) -> Result<Self, StageError> {
        let optional = |name| match batch.column_by_name(name) {
            Some(_) => integers(batch, name).map(Some),
            None => Ok(None),
        };
        Ok(Self { ids: strings(batch, "sample_id")?, copies: optional("copy")?, frames: optional("frame")? })
    }
}

impl Balance {
    fn key(&self, keys: &Keys<'_>, row: usize) -> u64 {
        let (id, copy) = (keys.ids.value(row), keys.copies.map_or(0, |copies| copies.value(row)));
        let mut random = match keys.frames {
            Some(frames) => {
                KeyedRandom::new(self.seed, &self.name, &format!("{id}/{}", frames.value(row)), copy)
            }
            None => KeyedRandom::new(self.seed, &self.name, id, copy),
        };
        // The bits of numbers from 0 on are in the order of the numbers.
        random.unit().to_bits()
    }

    /// The subjects, by name.
    fn shares(&self, rows: &dyn Rows) -> Result<BTreeMap<String, Share>, StageError> {
        let mut shares: BTreeMap<String, Share> = BTreeMap::new();
        let mut place = 0;
        for batch in rows.scan() {
            let batch = batch?;
            let (subjects, keys) = (strings(&batch, "subject")?, Keys::of(&batch)?);
            for row in 0..batch.num_rows() {
                let subject = subjects.value(row);
                if !shares.contains_key(subject) {
                    shares.insert(subject.to_owned(), Share::default());
                }
                let Some(share) = shares.get_mut(subject) else { continue };
                share.rows += 1;
                share.lowest.push((self.key(&keys, row), place));
                if share.lowest.len() > self.most {
                    share.lowest.pop();
                }
                place += 1;
            }
        }
        Ok(shares)
    }
}

impl AllRows for Balance {
    type Count = Number<1>;

    const INPUTS: &'static [&'static str; 1] = &["rows"];

    fn needed_columns(&self, _input: usize, schema: &SchemaRef) -> Result<Vec<usize>, StageError> {
        for name in ["subject", "sample_id"] {
            check_type(schema, &Field::new(name, DataType::Utf8, false))?;
        }
        for name in ["copy", "frame"].into_iter().filter(|name| schema.index_of(name).is_ok()) {
            check_type(schema, &Field::new(name, DataType::Int32, false))?;
        }
        Ok(every_column(schema))
    }

    fn output_schema(&self, [rows]: [&SchemaRef; 1]) -> Result<SchemaRef, StageError> {
        self.needed_columns(0, rows)?;
        Ok(rows.clone())
    }

    fn run(&self, [rows]: [&dyn Rows; 1], _run: &str, give: &mut Give<'_>) -> Result<Gathered, StageError> {
        let shares = self.shares(rows)?;
        let mut kept: Vec<u64> =
            shares.values().flat_map(|share| &share.lowest).map(|(_, place)| *place).collect();
        kept.sort_unstable();
        let (mut kept, mut first) = (kept.into_iter().peekable(), 0);
        for batch in rows.scan() {
            let batch = batch?;
            let behind = first + batch.num_rows() as u64;
            let here = std::iter::from_fn(|| kept.next_if(|place| *place < behind));
            let here: Vec<usize> = here.map(|place| (place - first) as usize).collect();
            give(take_rows(&batch, &here)?)?;
            first = behind;
        }
        let over = shares.iter().filter(|(_, share)| share.rows > self.most as u64);
        let rejects = over.map(|(subject, share)| Reject {
            stage: self.name.clone(),
            reason: "over the subject's share".to_owned(),
            detail: format!("subject `{subject}` has {} rows; {} stay", share.rows, self.most),
            rows: share.rows - self.most as u64,
            ..Reject::default()
        });
        Ok(Gathered { rejects: rejects.collect(), notes: Vec::new() })
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{Signal, context, cut, gather, repeated, signals as table};
    use super::*;
    use proptest::prelude::*;
    use schemas::tables::rejects::total_rows;

    fn stage(most: u32, seed: u64) -> Balance {
        let context = BuildContext { seed, ..context("balance") };
        BalanceConfig { per_subject: Count::constant(most) }.build(&context)
    }

    fn rows(subjects: &[u8]) -> RecordBatch {
        let row = |(at, subject): (usize, &u8)| Signal {
            subject: subject.to_string(),
            ..Signal::waves(&format!("id{at}"), 1)
        };
        table(&subjects.iter().enumerate().map(row).collect::<Vec<_>>())
    }

    fn ids(batch: &RecordBatch) -> Vec<String> {
        strings(batch, "sample_id").unwrap().iter().flatten().map(str::to_owned).collect()
    }

    proptest! {
        #[test]
        fn each_subject_keeps_its_share_whatever_the_batches(
            subjects in prop::collection::vec(0_u8..4, 1..60), most in 1_u32..12, size in 1_usize..20,
        ) {
            let batch = rows(&subjects);
            let (kept, gathered) = gather(&stage(most, 7), &[&vec![batch.clone()]]).unwrap();
            prop_assert_eq!(kept.num_rows() as u64 + total_rows(&gathered.rejects), subjects.len() as u64);
            let named = strings(&kept, "subject").unwrap();
            for subject in 0_u8..4 {
                let name = subject.to_string();
                let had = subjects.iter().filter(|other| other.to_string() == name).count();
                let has = named.iter().flatten().filter(|other| *other == name).count();
                prop_assert_eq!(has, had.min(most as usize));
            }
            let (again, counted) = gather(&stage(most, 7), &[&cut(&batch, size)]).unwrap();
            prop_assert_eq!(&again, &kept);
            prop_assert_eq!(counted.rejects, gathered.rejects);
            // In their order.
            let places: Vec<usize> = ids(&kept).iter().map(|id| id[2..].parse().unwrap()).collect();
            prop_assert!(places.is_sorted());
        }

        #[test]
        fn a_row_that_is_added_moves_at_most_one(count in 1_usize..40, most in 1_u32..12) {
            let chosen = |count: usize| {
                let batch = rows(&vec![0; count]);
                ids(&gather(&stage(most, 7), &[&vec![batch]]).unwrap().0)
            };
            let (before, after) = (chosen(count), chosen(count + 1));
            prop_assert!(before.iter().filter(|id| !after.contains(id)).count() <= 1);
        }
    }

    #[test]
    fn the_choice_hangs_on_the_seed_and_copies_are_told_apart() {
        let batch = rows(&[0; 40]);
        let chosen = |seed| ids(&gather(&stage(10, seed), &[&vec![batch.clone()]]).unwrap().0);
        assert_ne!(chosen(7), chosen(8));
        let (kept, gathered) = gather(&stage(30, 7), &[&vec![repeated(&batch)]]).unwrap();
        let mut once = ids(&kept);
        once.dedup();
        assert!(once.len() > 20, "a row and its copy are drawn apart: {}", once.len());
        assert_eq!(gathered.rejects[0].detail, "subject `0` has 80 rows; 30 stay");
        assert_eq!(
            (gathered.rejects[0].rows, &gathered.rejects[0].reason[..]),
            (50, "over the subject's share")
        );
    }
}
