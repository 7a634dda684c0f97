//! `fit_normaliser`: means and deviations of all training signals of a device, or of all devices.

use std::collections::BTreeMap;

use arrow::array::{RecordBatch, StringArray};
use arrow::datatypes::SchemaRef;
use rayon::prelude::*;
use schemars::JsonSchema;
use schemas::columns::strings;
use schemas::tables::models::{Normaliser, normaliser_schema};
use schemas::tables::signals::signals;
use serde::{Deserialize, Serialize};

use super::super::columns::{check_signals, every_column, in_split};
use super::super::error::WindowError;
use super::moments::Moments;
use crate::stage::{AllRows, BuildContext, Gathered, Give, Number, Rows, StageError};
use crate::unit_sum::UnitSum;

/// The split that is fitted on by default.
pub const SPLIT: &str = "train";

/// Keys of the stage `fit_normaliser`.
///
/// ```
/// let config: stages::window::FitNormaliserConfig = toml::from_str("per = \"device\"")?;
/// assert_eq!(config.split, "train");
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FitNormaliserConfig {
    /// What has a normaliser of its own.
    pub per: FitPer,
    /// The split that is fitted on, by default [`SPLIT`]; `*` for all rows.
    #[serde(default = "split")]
    pub split: String,
}

/// What has a normaliser of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FitPer {
    /// Each device: sensors differ in scale and offset.
    Device,
    /// Nothing: one normaliser serves all.
    All,
}

fn split() -> String {
    SPLIT.to_owned()
}

impl FitNormaliserConfig {
    /// Builds the stage.
    pub fn build(&self, _context: &BuildContext) -> FitNormaliser {
        FitNormaliser { per: self.per, split: self.split.clone() }
    }
}

/// All `signals` to `normalisers`, by group, in order of name. Rows of other splits are left out, which is noted.
#[derive(Debug, Clone)]
pub struct FitNormaliser {
    per: FitPer,
    split: String,
}

impl FitNormaliser {
    fn group(&self, devices: &StringArray, row: usize) -> String {
        match self.per {
            FitPer::Device => devices.value(row).to_owned(),
            FitPer::All => String::new(),
        }
    }

    /// Adds the rows of `batch`, which is of unit number `unit`, to `groups`, and gives how many were used.
    fn add(
        &self,
        (unit, batch): (u64, &RecordBatch),
        channels: usize,
        groups: &mut BTreeMap<String, UnitSum<Moments>>,
    ) -> Result<usize, StageError> {
        let (signals, devices) = (signals(batch)?, strings(batch, "device")?);
        let splits = strings(batch, "split")?;
        let used: Vec<usize> =
            (0..batch.num_rows()).filter(|row| in_split(splits, *row, &self.split)).collect();
        // Each row by itself, on any thread, then added in the order of rows: batches do not show.
        let rows: Vec<Moments> =
            used.par_iter().map(|row| Moments::of(signals.row(*row), channels)).collect();
        for (row, moments) in used.iter().zip(rows) {
            groups.entry(self.group(devices, *row)).or_default().add(unit, moments);
        }
        Ok(used.len())
    }
}

impl AllRows for FitNormaliser {
    type Count = Number<1>;

    const INPUTS: &'static [&'static str; 1] = &["signals"];

    fn needed_columns(&self, _input: usize, schema: &SchemaRef) -> Result<Vec<usize>, StageError> {
        check_signals(schema)?;
        Ok(every_column(schema))
    }

    fn output_schema(&self, [signals]: [&SchemaRef; 1]) -> Result<SchemaRef, StageError> {
        Ok(normaliser_schema(signals, check_signals(signals)?.len()))
    }

    fn run(
        &self,
        [signals]: [&dyn Rows; 1],
        _run: &str,
        give: &mut Give<'_>,
    ) -> Result<Gathered, StageError> {
        let schema = self.output_schema([&signals.schema()])?;
        let channels = check_signals(&signals.schema())?.len();
        let (mut groups, mut used, mut all) = (BTreeMap::new(), 0, 0);
        for batch in signals.scan_units() {
            let (unit, batch) = batch?;
            all += batch.num_rows();
            used += self.add((unit, &batch), channels, &mut groups)?;
        }
        let total = |(group, sum): (String, UnitSum<Moments>)| Some((group, sum.total()?));
        let mut groups: BTreeMap<String, Moments> = groups.into_iter().filter_map(total).collect();
        groups.retain(|_, moments| moments.count > 0);
        if groups.is_empty() {
            let split = self.split.clone();
            return Err(StageError::step(WindowError::NothingToFit { signals: all, split }));
        }
        let models = groups.into_iter().map(|(group, moments)| Normaliser {
            group,
            samples: moments.count as i64,
            deviation: moments.deviation(),
            mean: moments.mean,
        });
        give(Normaliser::to_batch(&schema, &models.collect::<Vec<_>>()))?;
        let notes = match all - used {
            0 => Vec::new(),
            others => {
                vec![format!("{others} of {all} signals are not of split `{}`: not fitted on", self.split)]
            }
        };
        Ok(Gathered { rejects: Vec::new(), notes })
    }
}
