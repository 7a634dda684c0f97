//! `normalise`: each signal normalised by its own mean and deviation.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use schemars::JsonSchema;
use schemas::tables::signals::signals;
use serde::{Deserialize, Serialize};

use super::super::columns::{Samples, check_signals, map_samples};
use super::moments::{Moments, standardise};
use crate::stage::{BuildContext, Outcome, Stage, StageError};

/// Keys of the stage `normalise`.
///
/// ```
/// let config: stages::window::NormaliseConfig = toml::from_str("per = \"session\"")?;
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NormaliseConfig {
    /// Whose statistics are used.
    pub per: NormalisePer,
}

/// Whose statistics normalise a signal, where nothing needs to be fitted first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NormalisePer {
    /// Those of the row itself: the whole gapless stretch of the session.
    ///
    /// A session with gaps has several rows, each of which is normalised separately: rows of one session may be in
    /// different batches. The paper does not say which statistics it uses.
    Session,
}

impl NormaliseConfig {
    /// Builds the stage.
    pub fn build(&self, _context: &BuildContext) -> Normalise {
        let NormalisePer::Session = self.per;
        Normalise
    }
}

/// Subtracts the mean of each channel of a signal and divides by its standard deviation (divisor: the number of
/// samples). A channel that never changes is only centred, so it is 0 throughout. It rejects no row.
#[derive(Debug, Clone)]
pub struct Normalise;

impl Stage for Normalise {
    fn output_schema(&self, input: &SchemaRef) -> Result<SchemaRef, StageError> {
        check_signals(input)?;
        Ok(input.clone())
    }

    fn run(&self, batch: &RecordBatch) -> Result<Outcome, StageError> {
        let channels = signals(batch)?.channels();
        let rows = map_samples(batch, Samples::Signal, |_, signal| {
            let moments = Moments::of(signal, channels);
            standardise(signal, &moments.mean, &moments.deviation());
        })?;
        Ok(Outcome::all(rows))
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::fixtures::{Signal, context, signals as table};
    use super::*;

    #[test]
    fn each_row_has_mean_nothing_and_deviation_one() {
        let rows = [Signal::waves("a", 100), Signal::waves("b", 1), Signal::waves("c", 37)];
        let stage = NormaliseConfig { per: NormalisePer::Session }.build(&context("normalise"));
        let batch = table(&rows);
        assert_eq!(stage.output_schema(&batch.schema()).unwrap(), batch.schema());
        let outcome = stage.run(&batch).unwrap();
        let found = signals(&outcome.rows).unwrap();
        for row in [0, 2] {
            let moments = Moments::of(found.row(row), 6);
            assert!(moments.mean.iter().all(|mean| mean.abs() < 1e-6));
            assert!(moments.deviation().iter().all(|spread| (spread - 1.0).abs() < 1e-6));
        }
        assert_eq!(found.row(1), [0.0; 6]);
        // A slice gives the same rows.
        assert_eq!(stage.run(&batch.slice(1, 2)).unwrap().rows, outcome.rows.slice(1, 2));
        assert!(toml::from_str::<NormaliseConfig>("per = \"device\"").is_err());
    }
}
