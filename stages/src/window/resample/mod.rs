//! `resample`: puts the sensors of each session on one clock, at one rate.
//!
//! [`clean`] says which readings can be used and where a sensor has a gap, [`segments`] says where all sensors
//! have readings, [`grid`] interpolates the samples, [`low_pass`] removes frequencies that are too high for the
//! rate, [`parts`] says from which sample on the person does what.

mod clean;
mod convolve;
mod filters;
mod grid;
pub mod low_pass;
mod parts;
mod segments;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use schemars::JsonSchema;
use schemas::tables::readings::{self, Sensor, SessionView, TrackView, labels, sessions};
use schemas::tables::rejects::Reject;
use schemas::tables::signals::{self, PARTS, PartsColumn, RAW_CHANNELS, parts_type};
use schemas::units::{Hertz, Positive};
use serde::{Deserialize, Serialize};

use self::clean::{Clean, Limits, sorted};
use self::filters::filters;
use self::grid::{Drawing, Grid};
use self::low_pass::Scratch;
use self::segments::{Segment, segments};
use super::columns::{check_type, signal_column};
use super::error::{WindowError, reserve};
use super::identity::{Identities, Stretch};
use super::timing::{NANOS_PER_MS, NANOS_PER_SECOND};
use crate::stage::{BuildContext, FanOut, Outcome, Stage, StageError};

/// Samples per second, Hz. Source: Project Abacus (arXiv 1511.03908).
pub const RATE_HZ: Hertz = Hertz::constant(50.0);
/// The longest step between two readings that is drawn over by a straight line, ms.
///
/// Phones hold readings back and give them in bursts: logs of 100 Hz in daily use have steps up to 188 ms
/// (sp-sw-har), while a sensor that was switched off is gone for seconds. 200 ms separates the two. Our choice; the
/// paper does not say.
pub const MAX_GAP_MS: Positive = Positive::constant(200.0);
/// How far a stamp may lie behind the latest one and still be a late reading, s. Readings come late by one burst,
/// parts of a second; a clock that was set back goes further. Ours.
pub const CLOCK_JUMP_SECONDS: Positive = Positive::constant(1.0);
/// The most samples that may be drawn between two readings: a bound on memory, far above what makes sense.
const MOST_IN_A_GAP: f64 = 100_000.0;
/// Keys of the stage `resample`.
///
/// ```
/// let config: stages::window::ResampleConfig = toml::from_str("rate_hz = 100")?;
/// assert!(config.low_pass);
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResampleConfig {
    /// Samples per second; by default [`RATE_HZ`].
    #[serde(default = "rate_hz")]
    pub rate_hz: Hertz,
    /// The longest step between two readings that is interpolated; by default [`MAX_GAP_MS`]. A longer one ends
    /// a segment.
    #[serde(default = "max_gap_ms")]
    pub max_gap_ms: Positive,
    /// The longest step back that counts as a late reading; by default [`CLOCK_JUMP_SECONDS`]. At a longer one
    /// a segment begins.
    #[serde(default = "clock_jump_seconds")]
    pub clock_jump_seconds: Positive,
    /// What becomes of readings that come late, by no more than `clock_jump_seconds`; by default they are dropped, as
    /// rejects that are counted.
    #[serde(default)]
    pub late_readings: LateReadings,
    /// Whether a sensor that is faster than `rate_hz` is filtered first; on by default.
    #[serde(default = "low_pass")]
    pub low_pass: bool,
    /// The sensors that a session needs, both by default; their channels are in the order of [`RAW_CHANNELS`].
    #[serde(default = "sensors")]
    pub sensors: BTreeSet<SensorName>,
}

/// What becomes of readings whose stamps lie before that of an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LateReadings {
    /// They are dropped, as rejects.
    #[default]
    Drop,
    /// They are put where their stamps belong: for logs whose stamps are right and whose lines are out of order.
    Sort,
}

/// A sensor in a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SensorName {
    /// Acceleration in m/s².
    Accelerometer,
    /// Angular velocity in rad/s.
    Gyroscope,
}

impl From<SensorName> for Sensor {
    fn from(name: SensorName) -> Self {
        match name {
            SensorName::Accelerometer => Self::Accelerometer,
            SensorName::Gyroscope => Self::Gyroscope,
        }
    }
}

fn rate_hz() -> Hertz {
    RATE_HZ
}

fn max_gap_ms() -> Positive {
    MAX_GAP_MS
}

fn clock_jump_seconds() -> Positive {
    CLOCK_JUMP_SECONDS
}

fn low_pass() -> bool {
    true
}

fn sensors() -> BTreeSet<SensorName> {
    BTreeSet::from([SensorName::Accelerometer, SensorName::Gyroscope])
}

impl ResampleConfig {
    /// Builds the stage.
    ///
    /// # Errors
    /// When no sensor is named, or a gap would be drawn over with more samples than memory should hold.
    pub fn build(&self, context: &BuildContext) -> Result<Resample, StageError> {
        if self.sensors.is_empty() {
            return Err(StageError::step(WindowError::NoSensors));
        }
        let (gap, rate) = (self.max_gap_ms.get(), self.rate_hz.get());
        if gap / 1e3 * rate > MOST_IN_A_GAP {
            return Err(StageError::step(WindowError::LongGap { gap, rate, most: MOST_IN_A_GAP }));
        }
        Ok(Resample {
            name: context.name.clone(),
            rate_hz: rate,
            limits: Limits {
                max_gap_nanos: (gap * NANOS_PER_MS) as i64,
                clock_jump_nanos: (self.clock_jump_seconds.get() * NANOS_PER_SECOND) as i64,
            },
            late_readings: self.late_readings,
            low_pass: self.low_pass,
            sensors: self.sensors.iter().map(|name| Sensor::from(*name)).collect(),
        })
    }
}

/// Readings of whole sessions to signals: one row for each stretch in which no sensor has a gap.
///
/// A reading is taken if it lies in such a stretch, or is the neighbour that the first or last sample of one is
/// drawn from. All others are rejects, grouped by session, sensor and reason, so readings in = taken + rejected.
/// Which ones can be used is said in the module `clean`.
#[derive(Debug, Clone)]
pub struct Resample {
    name: String,
    rate_hz: f64,
    limits: Limits,
    late_readings: LateReadings,
    low_pass: bool,
    sensors: Vec<Sensor>,
}

/// Checks that `schema` is one of readings; a plain column of names serves as well as a dictionary.
pub(super) fn check_readings(schema: &Schema) -> Result<(), StageError> {
    readings::schema().fields().iter().try_for_each(|wanted| {
        let checked = check_type(schema, wanted);
        if *wanted.data_type() != readings::label_type() {
            return checked;
        }
        let plain = wanted.as_ref().clone().with_data_type(DataType::Utf8);
        checked.or_else(|error| check_type(schema, &plain).map_err(|_| error))
    })
}

/// What comes of a batch.
#[derive(Default)]
struct Output {
    values: Vec<f32>,
    parts: PartsColumn,
    lengths: Vec<usize>,
    rows: Identities,
    rejects: Vec<Reject>,
    taken: usize,
    scratch: Scratch,
}

impl Resample {
    fn channels(&self) -> Vec<String> {
        let asked_for = |name: &&str| self.sensors.iter().any(|sensor| name.starts_with(sensor.name()));
        RAW_CHANNELS.into_iter().filter(asked_for).map(str::to_owned).collect()
    }

    fn schema(&self) -> SchemaRef {
        let signals = signals::schema(&self.channels(), self.rate_hz);
        let parts: FieldRef = Arc::new(Field::new(PARTS, parts_type(), false));
        let fields: Vec<FieldRef> = signals.fields().iter().cloned().chain([parts]).collect();
        Arc::new(Schema::new_with_metadata(fields, signals.metadata().clone()))
    }

    /// Appends the signals of `session` to `output`.
    fn session(
        &self,
        session: &SessionView<'_>,
        files: &readings::Labels<'_>,
        output: &mut Output,
    ) -> Result<(), StageError> {
        let track = |sensor: &Sensor| session.tracks.iter().find(|track| track.sensor == *sensor);
        // The readings that are dropped are counted together: where they may be of several files, none is named.
        let mut refuse = |track: &TrackView<'_>, reason: &str, rows: usize| {
            if rows > 0 {
                let file = files.get(track.first_row).filter(|_| {
                    let rows = track.first_row..track.first_row + track.stamp_nanos.len();
                    files.is_same(rows.start..rows.end.min(session.rows.end))
                });
                output.rejects.push(self.rejected(session, track.sensor, file, reason, rows));
            }
        };
        for track in session.tracks.iter().filter(|track| !self.sensors.contains(&track.sensor)) {
            refuse(track, "sensor not asked for", track.stamp_nanos.len());
        }
        let tracks: Vec<_> = self.sensors.iter().filter_map(track).collect();
        if tracks.len() < self.sensors.len() {
            for track in tracks {
                refuse(track, "sensor missing", track.stamp_nanos.len());
            }
            return Ok(());
        }
        let tracks: Vec<Cow<'_, TrackView<'_>>> = match self.late_readings {
            LateReadings::Drop => tracks.into_iter().map(Cow::Borrowed).collect(),
            LateReadings::Sort => tracks.into_iter().map(|track| sorted(track, self.limits)).collect(),
        };
        let tracks: Vec<&TrackView<'_>> = tracks.iter().map(AsRef::as_ref).collect();
        let cleaned: Vec<_> = tracks.iter().map(|track| Clean::of(track, self.limits)).collect();
        let (segments, taken) = segments(&cleaned);
        let grid = |segment: &Segment| Grid::over(segment.start_nanos, segment.end_nanos, self.rate_hz);
        let grids: Vec<Grid> = segments.iter().map(grid).collect();
        let rate_hz = self.low_pass.then_some(self.rate_hz);
        let filters = match filters(&cleaned, rate_hz, &grids, &tracks) {
            Ok(filters) => filters,
            Err(reason) => {
                for track in tracks {
                    refuse(track, reason, track.stamp_nanos.len());
                }
                return Ok(());
            }
        };
        for ((track, clean), taken) in tracks.iter().zip(&cleaned).zip(taken) {
            let dropped = clean.dropped;
            output.taken += taken;
            refuse(track, "not finite", dropped.not_finite);
            refuse(track, "duplicate stamp", dropped.duplicate);
            refuse(track, "backward stamp", dropped.backward);
            refuse(track, "stretch too short", dropped.alone);
            refuse(track, "outside the common span", track.stamp_nanos.len() - dropped.total() - taken);
        }
        let (id, width) = (session.id(), 3 * cleaned.len());
        for ((number, segment), grid) in segments.iter().enumerate().zip(grids) {
            let first = output.values.len();
            reserve(&mut output.values, grid.length.saturating_mul(width), "signals")?;
            output.values.resize(first + grid.length * width, 0.0);
            let (samples, _) = output.values[first..].as_chunks_mut::<3>();
            let readings = cleaned.iter().zip(&segment.readings);
            let readings: Vec<_> = readings.map(|(clean, range)| clean.readings(range.clone())).collect();
            let sensors: Vec<usize> = (0..cleaned.len()).collect();
            // Sensors of a merged log are read at the same moments: each sample's place is found once for all.
            let same = |a: &usize, b: &usize| filters[*a] == filters[*b] && readings[*a].0 == readings[*b].0;
            for together in sensors.chunk_by(same) {
                let first = together[0];
                let stamps = readings[first].0;
                let tracks: Vec<[&[f64]; 3]> = together.iter().map(|sensor| readings[*sensor].1).collect();
                let write = |track: usize, at: usize, sample: [f64; 3]| {
                    samples[at * cleaned.len() + first + track] = sample.map(|value| value as f32);
                };
                match &filters[first] {
                    Some(filter) => filter.apply(stamps, &tracks, grid, &mut output.scratch, write),
                    None => Drawing::new(stamps, grid).draw(&tracks, 0..grid.length, write),
                }
            }
            output.lengths.push(grid.length);
            let told = parts::of_stretch(&session.parts, grid, self.limits.clock_jump_nanos);
            let agreed = told.iter().all(|part| part.activity == told[0].activity);
            output.rows.push(Stretch {
                sample_id: format!("{id}-{number:03}"),
                key: &session.key,
                segment: number as i32,
                activity: told.first().and_then(|part| part.activity).filter(|_| agreed),
                source_file: told.first().and_then(|part| part.source_file),
                start_nanos: segment.start_nanos,
            });
            output.parts.push(&told);
        }
        Ok(())
    }

    fn rejected(
        &self,
        session: &SessionView<'_>,
        sensor: Sensor,
        file: Option<&str>,
        reason: &str,
        rows: usize,
    ) -> Reject {
        let readings = if rows == 1 { "reading" } else { "readings" };
        Reject {
            stage: self.name.clone(),
            reason: reason.to_owned(),
            sample_id: None,
            source_file: file.map(str::to_owned),
            source_record: None,
            detail: format!("{rows} {readings} of the {} in session `{}`", sensor.name(), session.id()),
            rows: rows as u64,
        }
    }
}

impl Stage for Resample {
    fn output_schema(&self, input: &SchemaRef) -> Result<SchemaRef, StageError> {
        check_readings(input)?;
        Ok(self.schema())
    }

    fn run(&self, batch: &RecordBatch) -> Result<Outcome, StageError> {
        let files = labels(batch, "source_file")?;
        let mut output = Output::default();
        for session in sessions(batch)? {
            self.session(&session, &files, &mut output)?;
        }
        let signal: ArrayRef =
            Arc::new(signal_column(output.values.into(), &output.lengths, 3 * self.sensors.len())?);
        let mut columns = output.rows.into_columns();
        columns.extend([signal, Arc::new(output.parts.finish())]);
        let rows = RecordBatch::try_new(self.schema(), columns)?;
        Ok(Outcome { taken: Some(output.taken), ..Outcome::some(rows, output.rejects) })
    }

    fn fan_out(&self) -> FanOut {
        FanOut::Varies
    }
}
