//! `features`: magnitudes and orientation angles in addition to the channels of a signal, or instead of them.
//!
//! All three kinds together are the 14 numbers per sample that are **recalled, not verified**, as the input of
//! Project Abacus: 3 + 3 components, 3 + 3 angles, 2 magnitudes. Neither their order nor the definition of the
//! angles is published; the definition here is ours.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{Field, Schema, SchemaRef};
use schemars::JsonSchema;
use schemas::columns::schema_with;
use schemas::tables::readings::Sensor;
use schemas::tables::signals::{CHANNELS_KEY, SIGNAL, signal_type};
use serde::{Deserialize, Serialize};

use super::columns::{check_signals, signal_column, signal_lengths, signal_values};
use super::error::WindowError;
use crate::stage::{BuildContext, Outcome, Stage, StageError};

/// Keys of the stage `features`.
///
/// ```
/// let config: stages::window::FeaturesConfig = toml::from_str("channels = [\"raw\", \"magnitude\"]")?;
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FeaturesConfig {
    /// What a sample holds, in this order; by default the unchanged channels.
    #[serde(default = "raw")]
    pub channels: Vec<Feature>,
}

fn raw() -> Vec<Feature> {
    vec![Feature::Raw]
}

/// A kind of channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Feature {
    /// All channels of the input, unchanged.
    Raw,
    /// Length of each sensor's vector, in its unit: `accelerometer_magnitude`, `gyroscope_magnitude`.
    Magnitude,
    /// Angle of each sensor's vector above the plane of the other two axes, radians from -π/2 to π/2:
    /// `accelerometer_angle_x` = atan2(x, √(y² + z²)), and so on. The angle of a vector of length 0 is 0.
    Angles,
}

impl FeaturesConfig {
    /// Builds the stage.
    ///
    /// # Errors
    /// When no kind of channel is named, or one twice.
    pub fn build(&self, _context: &BuildContext) -> Result<Features, StageError> {
        let twice = (0..self.channels.len()).any(|at| self.channels[..at].contains(&self.channels[at]));
        if self.channels.is_empty() || twice {
            return Err(StageError::step(WindowError::Kinds));
        }
        Ok(Features { kinds: self.channels.clone() })
    }
}

/// Signals with other channels. It rejects no row.
///
/// The vectors are those of the channels `accelerometer_x`, `_y`, `_z` and `gyroscope_x`, `_y`, `_z`, normalised or
/// not, of the sensors that the input has.
#[derive(Debug, Clone)]
pub struct Features {
    kinds: Vec<Feature>,
}

/// Where the vector of a sensor stands in a sample.
type Vector = (Sensor, [usize; 3]);

/// The vectors of `channels`.
pub(super) fn vectors(channels: &[String]) -> Vec<Vector> {
    let place = |sensor: Sensor, axis: &str| {
        channels.iter().position(|name| name.strip_prefix(sensor.name()) == Some(axis))
    };
    let vector = |sensor| Some((sensor, [place(sensor, "_x")?, place(sensor, "_y")?, place(sensor, "_z")?]));
    Sensor::ALL.into_iter().filter_map(vector).collect()
}

impl Features {
    /// The names of the channels that leave, from those that enter.
    fn names(&self, input: &[String]) -> Result<Vec<String>, StageError> {
        let vectors = vectors(input);
        if vectors.is_empty() && self.kinds != [Feature::Raw] {
            return Err(StageError::step(WindowError::NoVectors { channels: input.join(",") }));
        }
        let mut names = Vec::new();
        for kind in &self.kinds {
            match kind {
                Feature::Raw => names.extend_from_slice(input),
                Feature::Magnitude => {
                    names.extend(vectors.iter().map(|(sensor, _)| format!("{}_magnitude", sensor.name())));
                }
                Feature::Angles => names.extend(vectors.iter().flat_map(|(sensor, _)| {
                    ["x", "y", "z"].map(|axis| format!("{}_angle_{axis}", sensor.name()))
                })),
            }
        }
        match (1..names.len()).find(|at| names[..*at].contains(&names[*at])) {
            Some(at) => Err(StageError::step(WindowError::ChannelTwice { channel: names.swap_remove(at) })),
            None => Ok(names),
        }
    }

    /// Appends what leaves for one `sample` to `out`.
    fn describe(&self, sample: &[f32], vectors: &[Vector], out: &mut Vec<f32>) {
        for kind in &self.kinds {
            if *kind == Feature::Raw {
                out.extend_from_slice(sample);
                continue;
            }
            for (_, places) in vectors {
                let [x, y, z] = places.map(|place| f64::from(sample[place]));
                let length = |a: f64, b: f64, c: f64| (a * a + b * b + c * c).sqrt();
                if *kind == Feature::Magnitude {
                    out.push(length(x, y, z) as f32);
                } else {
                    let angle = |axis, b, c| libm::atan2(axis, length(0.0, b, c)) as f32;
                    out.extend([angle(x, y, z), angle(y, z, x), angle(z, x, y)]);
                }
            }
        }
    }
}

impl Stage for Features {
    fn output_schema(&self, input: &SchemaRef) -> Result<SchemaRef, StageError> {
        let names = self.names(&check_signals(input)?)?;
        let schema = schema_with(input, Field::new(SIGNAL, signal_type(names.len()), false));
        let mut metadata = schema.metadata().clone();
        metadata.insert(CHANNELS_KEY.to_owned(), names.join(","));
        Ok(Arc::new(Schema::new_with_metadata(schema.fields().clone(), metadata)))
    }

    fn run(&self, batch: &RecordBatch) -> Result<Outcome, StageError> {
        let input = check_signals(batch.schema_ref())?;
        let (vectors, width) = (vectors(&input), self.names(&input)?.len());
        let values = signal_values(batch)?;
        let mut described = Vec::with_capacity(values.len() / input.len().max(1) * width);
        for sample in values.chunks_exact(input.len().max(1)) {
            self.describe(sample, &vectors, &mut described);
        }
        let column: ArrayRef = Arc::new(signal_column(described.into(), &signal_lengths(batch)?, width)?);
        let mut columns = batch.columns().to_vec();
        columns[batch.schema_ref().index_of(SIGNAL)?] = column;
        Ok(Outcome::all(RecordBatch::try_new(self.output_schema(&batch.schema())?, columns)?))
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{Signal, context, cut, signals as table};
    use super::*;
    use schemas::tables::signals::{RAW_CHANNELS, channels, signals};
    use std::f64::consts::FRAC_PI_2;

    fn stage(plan: &str) -> Features {
        toml::from_str::<FeaturesConfig>(plan).unwrap().build(&context("features")).unwrap()
    }

    #[test]
    fn all_three_kinds_are_fourteen_numbers() {
        let batch = table(&[Signal::waves("a", 20), Signal::waves("b", 0), Signal::waves("c", 3)]);
        let stage = stage("channels = [\"raw\", \"magnitude\", \"angles\"]");
        let outcome = stage.run(&batch).unwrap();
        assert_eq!(outcome.rows.schema(), stage.output_schema(&batch.schema()).unwrap());
        let names = channels(outcome.rows.schema_ref()).unwrap();
        assert_eq!((names.len(), &names[..6]), (14, &RAW_CHANNELS.map(str::to_owned)[..]));
        assert_eq!(names[6..9], ["accelerometer_magnitude", "gyroscope_magnitude", "accelerometer_angle_x"]);
        let (before, after) = (signals(&batch).unwrap(), signals(&outcome.rows).unwrap());
        for (raw, sample) in before.row(0).chunks_exact(6).zip(after.row(0).chunks_exact(14)) {
            assert_eq!(sample[..6], *raw);
            for sensor in [0, 1] {
                let magnitude = f64::from(sample[6 + sensor]);
                for axis in 0..3 {
                    // The sine of the angle above the other two axes is the axis's share of the length.
                    let angle = f64::from(sample[8 + 3 * sensor + axis]);
                    let share = f64::from(raw[3 * sensor + axis]) / magnitude;
                    assert!(angle.abs() <= FRAC_PI_2 + 1e-6 && (angle.sin() - share).abs() < 1e-6);
                }
            }
        }
        assert_eq!((after.row(1).len(), after.row(2).len()), (0, 3 * 14));
        let parts = cut(&batch, 1).into_iter().map(|part| stage.run(&part).unwrap().rows).collect::<Vec<_>>();
        assert_eq!(arrow::compute::concat_batches(&outcome.rows.schema(), &parts).unwrap(), outcome.rows);
    }

    #[test]
    fn a_vector_of_no_length_has_no_angle() {
        let mut out = Vec::new();
        let kinds = stage("channels = [\"angles\", \"magnitude\"]");
        kinds.describe(
            &[0.0, 0.0, 0.0, 0.0, -2.0, 0.0],
            &vectors(&RAW_CHANNELS.map(str::to_owned)),
            &mut out,
        );
        let right = std::f32::consts::FRAC_PI_2;
        assert_eq!(out, [0.0, 0.0, 0.0, 0.0, -right, 0.0, 0.0, 2.0]);
    }

    #[test]
    fn the_channels_stay_unless_others_are_asked_for() {
        let batch = table(&[Signal::waves("a", 20)]);
        assert_eq!(stage("").run(&batch).unwrap().rows, batch);
        let twice = stage("channels = [\"raw\", \"angles\"]");
        let described = twice.run(&batch).unwrap().rows;
        let error = twice.output_schema(&described.schema()).unwrap_err();
        assert_eq!(error.to_string(), "the signals have a channel `accelerometer_angle_x` already");
        let magnitudes = stage("channels = [\"magnitude\"]").output_schema(&batch.schema()).unwrap();
        assert_eq!(channels(&magnitudes).unwrap(), ["accelerometer_magnitude", "gyroscope_magnitude"]);
        assert!(twice.output_schema(&magnitudes).is_err());
        for plan in ["channels = []", "channels = [\"raw\", \"raw\"]"] {
            assert!(toml::from_str::<FeaturesConfig>(plan).unwrap().build(&context("f")).is_err());
        }
    }
}
