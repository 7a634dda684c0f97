//! `rotate_frame`: the device rotated in the hand or pocket: one rotation for all vectors of a row.

use schemars::JsonSchema;
use schemas::random::KeyedRandom;
use schemas::tables::signals::RAW_CHANNELS;
use schemas::units::Degrees;
use serde::{Deserialize, Serialize};

use super::super::error::WindowError;
use super::super::features::vectors;
use super::per_row::{PerRow, Vary};
use crate::stage::{BuildContext, StageError};

/// How the rotation is distributed. Our choice; not part of any paper's protocol.
///
/// ```
/// use stages::window::RotateFrameConfig;
/// let a_little: RotateFrameConfig = toml::from_str("axis_angle = { max_degrees = 15 }")?;
/// let any: RotateFrameConfig = toml::from_str("uniform = {}")?;
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum RotateFrameConfig {
    /// About an axis that is uniform on the sphere, by an angle uniform from 0 to `max_degrees`.
    AxisAngle {
        /// The bound.
        max_degrees: Degrees,
    },
    /// Uniform over all rotations.
    Uniform {},
}

/// The stage. It refuses channels other than x, y and z of a sensor: they would no longer fit the vectors.
pub type RotateFrame = PerRow<RotateFrameConfig>;

/// A rotation by its unit quaternion, w first.
type Quaternion = [f64; 4];

impl RotateFrameConfig {
    /// Builds the stage.
    pub fn build(&self, context: &BuildContext) -> RotateFrame {
        PerRow::new(*self, context)
    }

    fn draw(&self, random: &mut KeyedRandom) -> Quaternion {
        let turn = 2.0 * std::f64::consts::PI;
        match self {
            Self::AxisAngle { max_degrees } => {
                // Archimedes: the height of a point that is uniform on the sphere is uniform.
                let (z, around) = (random.uniform(-1.0, 1.0), turn * random.unit());
                let half = random.uniform(0.0, max_degrees.radians()) / 2.0;
                let (sine, ring) = (libm::sin(half), (1.0 - z * z).max(0.0).sqrt());
                [libm::cos(half), ring * libm::cos(around) * sine, ring * libm::sin(around) * sine, z * sine]
            }
            // Shoemake, Uniform random rotations, Graphics Gems III (1992).
            Self::Uniform {} => {
                let share = random.unit();
                let (one, other) = (turn * random.unit(), turn * random.unit());
                let (near, far) = ((1.0 - share).sqrt(), share.sqrt());
                [far * libm::cos(other), near * libm::sin(one), near * libm::cos(one), far * libm::sin(other)]
            }
        }
    }
}

/// The rows of the rotation matrix of `q`.
fn matrix([w, x, y, z]: Quaternion) -> [[f64; 3]; 3] {
    [
        [1.0 - 2.0 * (y * y + z * z), 2.0 * (x * y - w * z), 2.0 * (x * z + w * y)],
        [2.0 * (x * y + w * z), 1.0 - 2.0 * (x * x + z * z), 2.0 * (y * z - w * x)],
        [2.0 * (x * z - w * y), 2.0 * (y * z + w * x), 1.0 - 2.0 * (x * x + y * y)],
    ]
}

impl Vary for RotateFrameConfig {
    fn check(&self, channels: &[String]) -> Result<(), StageError> {
        let turned = 3 * vectors(channels).len();
        let other = channels.iter().find(|name| !RAW_CHANNELS.contains(&&name[..]));
        if turned == channels.len() {
            return Ok(());
        }
        Err(StageError::step(match other {
            Some(channel) => WindowError::LeftBehind { channel: channel.clone() },
            None => WindowError::NotVectors { channels: channels.join(",") },
        }))
    }

    fn vary(&self, random: &mut KeyedRandom, channels: &[String], samples: &mut [f32]) {
        let rotation = matrix(self.draw(random));
        let vectors = vectors(channels);
        for sample in samples.chunks_exact_mut(channels.len().max(1)) {
            for (_, places) in &vectors {
                let vector = places.map(|place| f64::from(sample[place]));
                for (place, row) in places.iter().zip(&rotation) {
                    let turned = row[0] * vector[0] + row[1] * vector[1] + row[2] * vector[2];
                    sample[*place] = turned as f32;
                }
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
    use schemas::tables::signals::{self, signals};

    const PLANS: [&str; 2] = ["axis_angle = { max_degrees = 20 }", "uniform = {}"];

    fn config(plan: &str) -> RotateFrameConfig {
        toml::from_str(plan).unwrap()
    }

    proptest! {
        #[test]
        fn magnitudes_and_angles_between_vectors_stay(id in "[a-z]{1,8}", length in 1_usize..20, plan in 0_usize..2) {
            let batch = table(&[Signal::waves(&id, length)]);
            let turned = config(PLANS[plan]).build(&context("rotate")).run(&batch).unwrap().rows;
            let rows = signals(&batch).unwrap().row(0).chunks_exact(6);
            for (before, after) in rows.zip(signals(&turned).unwrap().row(0).chunks_exact(6)) {
                let dot = |a: &[f32], b: &[f32]| -> f64 {
                    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
                };
                for (a, b) in [(0, 0), (0, 3), (3, 3)] {
                    let [before, after] = [before, after].map(|s| dot(&s[a..a + 3], &s[b..b + 3]));
                    prop_assert!((before - after).abs() < 1e-4, "{before} {after}");
                }
            }
        }
    }

    #[test]
    fn a_matrix_turns_by_the_right_hand() {
        let half = std::f64::consts::FRAC_1_SQRT_2;
        let [x, y, z] = matrix([half, 0.0, 0.0, half]);
        assert!((x[1] + 1.0).abs() < 1e-15 && (y[0] - 1.0).abs() < 1e-15 && (z[2] - 1.0).abs() < 1e-15);
    }

    #[test]
    fn angles_are_bounded_or_uniform_over_rotations() {
        let traces = |plan: &str| -> Vec<f64> {
            let draw = |at: i32| config(plan).draw(&mut KeyedRandom::new(1, "r", &at.to_string(), 0));
            (0..4000).map(draw).map(matrix).map(|m| m[0][0] + m[1][1] + m[2][2]).collect()
        };
        let degrees = |trace: &f64| ((trace - 1.0) / 2.0).clamp(-1.0, 1.0).acos().to_degrees();
        let bounded: Vec<f64> = traces(PLANS[0]).iter().map(degrees).collect();
        assert!(bounded.iter().all(|angle| *angle < 20.0 + 1e-6));
        assert!((bounded.iter().sum::<f64>() / 4000.0 - 10.0).abs() < 0.4);
        // Over all rotations the trace has mean 0 and variance 1, and the angle mean 90 + 360 / pi^2 degrees.
        let any = traces(PLANS[1]);
        let mean = any.iter().sum::<f64>() / 4000.0;
        let variance = any.iter().map(|trace| trace * trace).sum::<f64>() / 4000.0;
        assert!(mean.abs() < 0.06 && (variance - 1.0).abs() < 0.08, "{mean} {variance}");
        let angle = any.iter().map(degrees).sum::<f64>() / 4000.0;
        assert!((angle - 126.476).abs() < 2.0, "{angle}");
    }

    #[test]
    fn derived_channels_are_refused_and_one_sensor_is_enough() {
        let stage = config(PLANS[1]).build(&context("rotate"));
        let schema = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            stage.output_schema(&signals::schema(&names, 50.0))
        };
        assert!(schema(&RAW_CHANNELS).is_ok() && schema(&RAW_CHANNELS[3..]).is_ok());
        let error = schema(&[&RAW_CHANNELS[..], &["gyroscope_magnitude"]].concat()).unwrap_err();
        let expected = "channel `gyroscope_magnitude` would no longer fit the vectors that are turned";
        assert_eq!(error.to_string(), expected);
        assert!(schema(&RAW_CHANNELS[..4]).is_err());
    }

    #[test]
    fn the_same_rows_whatever_the_batches() {
        let batch = repeated(&table(&[Signal::waves("a", 9), Signal::waves("b", 4)]));
        let stage = config(PLANS[1]).build(&context("rotate"));
        let whole = stage.run(&batch).unwrap().rows;
        let parts: Vec<_> = cut(&batch, 1).iter().map(|part| stage.run(part).unwrap().rows).collect();
        assert_eq!(arrow::compute::concat_batches(&whole.schema(), &parts).unwrap(), whole);
    }
}
