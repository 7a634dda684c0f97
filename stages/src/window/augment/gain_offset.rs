//! `gain_offset`: each channel of a row scaled and shifted slightly, as another unit of the sensor would.
//!
//! Project Abacus is **recalled, not verified**, to have done so: per example, offset and gain noise, a vector of 12
//! numbers from U[0.98, 1.02]. Read as six gains and six offsets, that is odd: such offsets would add about 1 to each
//! channel. Here gains are centred on 1 and offsets on 0, with the same range to either side.

use schemars::JsonSchema;
use schemas::random::KeyedRandom;
use schemas::units::{NonNegative, Positive};
use serde::{Deserialize, Serialize};

use super::super::error::WindowError;
use super::per_row::{PerRow, Vary};
use crate::stage::{BuildContext, StageError};

/// The lowest gain. Recalled, not verified, as Project Abacus's.
pub const GAIN_LOW: Positive = Positive::constant(0.98);
/// The highest gain. Recalled, not verified, as Project Abacus's.
pub const GAIN_HIGH: Positive = Positive::constant(1.02);
/// The largest offset to either side, in the channel's unit, or in deviations where signals are normalised. Our
/// choice: the same range as the gains about 1.
pub const OFFSET: NonNegative = NonNegative::constant(0.02);

/// Keys of the stage `gain_offset`.
///
/// ```
/// let config: stages::window::GainOffsetConfig = toml::from_str("gain_low = 0.9\ngain_high = 1.1")?;
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GainOffsetConfig {
    /// The lowest gain, [`GAIN_LOW`].
    #[serde(default = "gain_low")]
    pub gain_low: Positive,
    /// The highest gain, [`GAIN_HIGH`].
    #[serde(default = "gain_high")]
    pub gain_high: Positive,
    /// The largest offset to either side; by default [`OFFSET`].
    #[serde(default = "offset")]
    pub offset: NonNegative,
}

fn gain_low() -> Positive {
    GAIN_LOW
}

fn gain_high() -> Positive {
    GAIN_HIGH
}

fn offset() -> NonNegative {
    OFFSET
}

/// The stage.
pub type GainOffset = PerRow<GainOffsetConfig>;

impl GainOffsetConfig {
    /// Builds the stage.
    ///
    /// # Errors
    /// When the lowest gain is above the highest.
    pub fn build(&self, context: &BuildContext) -> Result<GainOffset, StageError> {
        let (low, high) = (self.gain_low.get(), self.gain_high.get());
        if low > high {
            return Err(StageError::step(WindowError::Gains { low, high }));
        }
        Ok(PerRow::new(*self, context))
    }
}

impl Vary for GainOffsetConfig {
    fn check(&self, _channels: &[String]) -> Result<(), StageError> {
        Ok(())
    }

    /// Draws the gains of all channels first, then their offsets.
    fn vary(&self, random: &mut KeyedRandom, channels: &[String], samples: &mut [f32]) {
        let count = channels.len();
        let mut draw = |low, high| (0..count).map(|_| random.uniform(low, high)).collect::<Vec<_>>();
        let gains = draw(self.gain_low.get(), self.gain_high.get());
        let offsets = draw(-self.offset.get(), self.offset.get());
        for sample in samples.chunks_exact_mut(count.max(1)) {
            for ((value, gain), offset) in sample.iter_mut().zip(&gains).zip(&offsets) {
                *value = (f64::from(*value) * gain + offset) as f32;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::fixtures::{Signal, context, cut, repeated, signals as table};
    use super::*;
    use crate::stage::Stage;
    use proptest::prelude::*;
    use schemas::tables::signals::signals;

    fn stage(plan: &str) -> GainOffset {
        toml::from_str::<GainOffsetConfig>(plan).unwrap().build(&context("gain_offset")).unwrap()
    }

    proptest! {
        #[test]
        fn values_stay_within_the_bounds(
            length in 0_usize..40, low in 0.5_f64..1.0, high in 1.0_f64..1.5, offset in 0.0_f64..0.5,
        ) {
            let batch = table(&[Signal::waves("a", length), Signal::waves("b", length)]);
            let stage = stage(&format!("gain_low = {low}\ngain_high = {high}\noffset = {offset}"));
            let varied = stage.run(&batch).unwrap().rows;
            for row in 0..2 {
                let (before, after) = (signals(&batch).unwrap(), signals(&varied).unwrap());
                for (before, after) in before.row(row).iter().zip(after.row(row)) {
                    let (before, after) = (f64::from(*before), f64::from(*after));
                    let scaled = [before * low, before * high];
                    prop_assert!(after >= scaled[0].min(scaled[1]) - offset - 1e-5);
                    prop_assert!(after <= scaled[0].max(scaled[1]) + offset + 1e-5);
                }
            }
        }
    }

    #[test]
    fn one_gain_and_one_offset_serve_a_channel_of_a_row() {
        let batch = table(&[Signal::waves("a", 50), Signal::waves("b", 50)]);
        let varied = stage("").run(&batch).unwrap().rows;
        let mut found = Vec::new();
        for row in 0..2 {
            for channel in 0..6 {
                let of = |batch| -> Vec<f64> {
                    let row = signals(batch).unwrap().row(row);
                    row.iter().skip(channel).step_by(6).map(|value| f64::from(*value)).collect()
                };
                let (before, after) = (of(&batch), of(&varied));
                let gain = (after[1] - after[0]) / (before[1] - before[0]);
                let offset = after[0] - gain * before[0];
                assert!((0.9799..1.0201).contains(&gain) && offset.abs() < 0.0201, "{gain} {offset}");
                for (before, after) in before.iter().zip(&after) {
                    assert!((before * gain + offset - after).abs() < 2e-5);
                }
                found.push((gain * 1e6) as i64);
            }
        }
        found.sort_unstable();
        found.dedup();
        assert_eq!(found.len(), 12, "each is drawn for itself");
    }

    #[test]
    fn the_draw_hangs_on_id_and_copy_and_not_on_batches() {
        let batch = repeated(&table(&[Signal::waves("a", 9), Signal::waves("b", 9)]));
        let stage = stage("");
        let whole = stage.run(&batch).unwrap().rows;
        let parts: Vec<_> = cut(&batch, 3).iter().map(|part| stage.run(part).unwrap().rows).collect();
        assert_eq!(arrow::compute::concat_batches(&whole.schema(), &parts).unwrap(), whole);
        let found = signals(&whole).unwrap();
        assert_ne!(found.row(0), found.row(1), "copies of one row differ");
        let error =
            toml::from_str::<GainOffsetConfig>("gain_low = 1.1").unwrap().build(&context("g")).unwrap_err();
        assert_eq!(error.to_string(), "`gain_low` must be at most `gain_high`, found 1.1 and 1.02");
    }
}
