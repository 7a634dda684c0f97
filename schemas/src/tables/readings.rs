//! `readings`: one row is one reading of one sensor.
//!
//! The rows of one session are stored together, those of each sensor in the order of the log, whatever their
//! stamps: repeated and backward stamps are data that a quality report must see. Batches of readings hold whole
//! sessions (`docs/decisions/0005-sessions-flow-whole.md`), so a stage may work session by session.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, DictionaryArray, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray,
};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Field, Int32Type, Int64Type, Schema, SchemaRef};

use super::repeated::Repeated;
use super::{in_unit, metadata};
use crate::columns::{SchemaError, column, numbers, wrong_type};

/// Name of the table.
pub const NAME: &str = "readings";

/// A sensor, by the name that it has in the column `sensor`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sensor {
    /// Acceleration in m/s², with or without gravity, as in the log.
    Accelerometer,
    /// Angular velocity in rad/s.
    Gyroscope,
}

impl Sensor {
    /// All sensors, in the order of their channels.
    pub const ALL: [Self; 2] = [Self::Accelerometer, Self::Gyroscope];

    /// The name in tables and plans.
    pub fn name(self) -> &'static str {
        match self {
            Self::Accelerometer => "accelerometer",
            Self::Gyroscope => "gyroscope",
        }
    }

    /// The sensor called `name`.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sensor| sensor.name() == name)
    }

    /// The unit of its readings.
    pub fn unit(self) -> &'static str {
        match self {
            Self::Accelerometer => "m/s2",
            Self::Gyroscope => "rad/s",
        }
    }
}

/// What all readings of a session share: data set, subject, device and session.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SessionKey {
    /// The data set.
    pub dataset: String,
    /// The person.
    pub subject: String,
    /// The device.
    pub device: String,
    /// The session, unique for one subject and device.
    pub session: String,
}

/// The readings of one sensor in one session, in the order of the log. All lists are N long.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Track {
    /// Nanoseconds of the log's clock.
    pub stamp_nanos: Vec<i64>,
    /// Along the device's x axis, m/s² or rad/s.
    pub x: Vec<f64>,
    /// Along the device's y axis.
    pub y: Vec<f64>,
    /// Along the device's z axis.
    pub z: Vec<f64>,
    /// What the person does, as indices into [`Session::activities`]; empty where the log does not say.
    pub activity: Vec<i32>,
    /// The file that it was read from.
    pub source_file: String,
}

/// One session, as readers return it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Session {
    /// The session's key.
    pub key: SessionKey,
    /// The names that [`Track::activity`] indexes.
    pub activities: Vec<String>,
    /// Readings by sensor, in the order of [`Sensor::ALL`]; a sensor may be missing, and one that lies in several files
    /// has a track for each, one after the other.
    pub tracks: Vec<(Sensor, Track)>,
}

/// A column of few distinct names: `Dictionary(Int32, Utf8)`.
pub fn label_type() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
}

/// The schema of the table.
pub fn schema() -> SchemaRef {
    let label = |name: &str, nullable| Field::new(name, label_type(), nullable);
    let axis = |name: &str| {
        in_unit(Field::new(name, DataType::Float64, false), "m/s2 (accelerometer), rad/s (gyroscope)")
    };
    let fields = vec![
        label("dataset", false),
        label("subject", false),
        label("device", false),
        label("session", false),
        label("sensor", false),
        in_unit(Field::new("stamp_nanos", DataType::Int64, false), "ns"),
        axis("x"),
        axis("y"),
        axis("z"),
        label("activity", true),
        label("source_file", true),
    ];
    Arc::new(Schema::new_with_metadata(fields, metadata(NAME, None)))
}

/// The rows of `session` as one batch.
pub fn to_batch(session: Session) -> RecordBatch {
    let Session { key, activities, tracks } = session;
    let rows: usize = tracks.iter().map(|(_, track)| track.stamp_nanos.len()).sum();
    let counts: Vec<usize> = tracks.iter().map(|(_, track)| track.stamp_nanos.len()).collect();
    let (once, by_track) = (Repeated::new(&[rows]), Repeated::new(&counts));
    let one = |name: &str| once.column(StringArray::from(vec![name]));
    let of_sensor: Vec<_> = tracks.chunk_by(|a, b| a.0 == b.0).collect();
    let count = |tracks: &&[(Sensor, Track)]| tracks.iter().map(|(_, track)| track.stamp_nanos.len()).sum();
    let by_sensor = Repeated::new(&of_sensor.iter().map(count).collect::<Vec<_>>());
    let sensors = by_sensor.column(of_sensor.iter().map(|tracks| Some(tracks[0].0.name())).collect());
    let files = by_track.column(tracks.iter().map(|(_, track)| Some(track.source_file.as_str())).collect());
    let known: Vec<bool> = tracks.iter().map(|(_, track)| !track.activity.is_empty()).collect();
    let activity: ArrayRef = if known.iter().any(|known| *known) {
        let (mut keys, mut valid) = (Vec::with_capacity(rows), Vec::with_capacity(rows));
        for ((_, track), known) in tracks.iter().zip(&known) {
            if *known {
                keys.extend_from_slice(&track.activity);
            } else {
                keys.resize(keys.len() + track.stamp_nanos.len(), 0);
            }
            valid.resize(keys.len(), *known);
        }
        let keys = Int32Array::new(keys.into(), Some(NullBuffer::from(valid)));
        Arc::new(DictionaryArray::new(keys, Arc::new(StringArray::from(activities))))
    } else {
        let keys = Int32Array::new(once.keys().clone(), Some(NullBuffer::new_null(rows)));
        Arc::new(DictionaryArray::new(keys, Arc::new(StringArray::from(vec![""]))))
    };
    let axis = |get: fn(&mut Track) -> &mut Vec<f64>, tracks: &mut [(Sensor, Track)]| -> ArrayRef {
        Arc::new(Float64Array::from(joined(tracks.iter_mut().map(|(_, track)| get(track)), rows)))
    };
    let mut tracks = tracks;
    let stamps = joined(tracks.iter_mut().map(|(_, track)| &mut track.stamp_nanos), rows);
    let columns = vec![
        one(&key.dataset),
        one(&key.subject),
        one(&key.device),
        one(&key.session),
        sensors,
        Arc::new(Int64Array::from(stamps)),
        axis(|track| &mut track.x, &mut tracks),
        axis(|track| &mut track.y, &mut tracks),
        axis(|track| &mut track.z, &mut tracks),
        activity,
        files,
    ];
    RecordBatch::try_new(schema(), columns).expect("columns follow the schema")
}

/// All `parts` in one list of `length`; the first one's memory is used again.
fn joined<'a, T: Copy + 'a>(parts: impl Iterator<Item = &'a mut Vec<T>>, length: usize) -> Vec<T> {
    let mut parts = parts;
    let mut all = parts.next().map(std::mem::take).unwrap_or_default();
    all.reserve_exact(length - all.len());
    parts.for_each(|part| all.extend_from_slice(part));
    all
}

/// The readings of one sensor in one session, as a view of a batch.
#[derive(Debug, Clone)]
pub struct TrackView<'a> {
    /// Which sensor.
    pub sensor: Sensor,
    /// The first row of the batch that holds one of its readings.
    pub first_row: usize,
    /// Nanoseconds of the log's clock, `[N]`.
    pub stamp_nanos: Cow<'a, [i64]>,
    /// x, y and z, each `[N]`, m/s² or rad/s.
    pub axes: [Cow<'a, [f64]>; 3],
}

/// One session of a batch.
#[derive(Debug, Clone)]
pub struct SessionView<'a> {
    /// The session's key.
    pub key: SessionKey,
    /// The rows that it takes.
    pub rows: Range<usize>,
    /// Its tracks in the order of [`Sensor::ALL`]; those without a reading are left out.
    pub tracks: Vec<TrackView<'a>>,
    /// What the person does, where all readings that state an activity agree.
    pub activity: Option<String>,
    /// The file of the first reading.
    pub source_file: Option<String>,
    /// Where activity or file change, in the order of the log: one part or more, by the readings of the first sensor
    /// that states an activity, or of the first one.
    pub parts: Vec<Part>,
}

/// Neighbouring readings of one activity and one file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Part {
    /// The stamp of the first of them.
    pub first_nanos: i64,
    /// What the person does; `None` where the log does not say, or says nothing.
    pub activity: Option<String>,
    /// The file that they were read from.
    pub source_file: Option<String>,
}

impl SessionView<'_> {
    /// `{subject}-{device}-{session}`, fit for a `sample_id`.
    pub fn id(&self) -> String {
        let SessionKey { subject, device, session, .. } = &self.key;
        let parts = [subject, device, session].into_iter().filter(|part| !part.is_empty());
        let id = parts.map(String::as_str).collect::<Vec<_>>().join("-");
        crate::sample_id::sanitised(&id)
    }
}

/// A column of names, dictionary or plain.
#[derive(Debug, Clone)]
pub struct Labels<'a> {
    keys: Option<&'a Int32Array>,
    names: &'a StringArray,
}

impl<'a> Labels<'a> {
    /// The name in `row`, if it has one.
    pub fn get(&self, row: usize) -> Option<&'a str> {
        let at = match self.keys {
            Some(keys) => keys.is_valid(row).then(|| keys.value(row) as usize)?,
            None => row,
        };
        self.names.is_valid(at).then(|| self.names.value(at))
    }

    /// Whether no two of `rows` differ.
    pub fn is_same(&self, rows: Range<usize>) -> bool {
        self.runs(rows).len() <= 1
    }

    /// Whether one of `rows` or more has a name.
    fn is_stated(&self, rows: &Range<usize>) -> bool {
        match self.keys {
            Some(keys) if keys.null_count() == keys.len() => false,
            _ => rows.clone().any(|row| self.get(row).is_some()),
        }
    }

    /// Whether no two rows differ, as far as can be said without a look at them.
    fn is_constant(&self) -> bool {
        self.keys.is_some_and(|keys| {
            let nulls = keys.null_count();
            nulls == keys.len() || (nulls == 0 && self.names.len() == 1)
        })
    }

    /// Longest ranges of `rows` in which all rows hold the same name.
    fn runs(&self, rows: Range<usize>) -> Vec<Range<usize>> {
        if self.is_constant() && !rows.is_empty() {
            return std::iter::once(rows).collect();
        }
        let Some(keys) = self.keys else { return runs(rows, |a, b| self.get(a) == self.get(b)) };
        // Keys are compared block by block first: a column mostly holds one name for thousands of rows.
        let (values, nulls) = (keys.values(), keys.nulls().is_some());
        let (mut all, mut start) = (Vec::new(), rows.start);
        let mut row = rows.start + 1;
        while row < rows.end {
            let end = (row + RUN_BLOCK).min(rows.end);
            let first = values[row - 1];
            let constant = !nulls && values[row..end].iter().filter(|key| **key != first).count() == 0;
            if !constant {
                for at in row..end {
                    if (nulls || values[at - 1] != values[at]) && self.get(at - 1) != self.get(at) {
                        all.push(start..at);
                        start = at;
                    }
                }
            }
            row = end;
        }
        if start < rows.end {
            all.push(start..rows.end);
        }
        all
    }
}

/// The names of column `name`, `[N]`.
///
/// # Errors
/// When it is absent or of another type.
pub fn labels<'a>(batch: &'a RecordBatch, name: &str) -> Result<Labels<'a>, SchemaError> {
    let array = column(batch, name)?;
    if let Some(names) = array.as_string_opt() {
        return Ok(Labels { keys: None, names });
    }
    let found = array.as_dictionary_opt::<Int32Type>().and_then(|dictionary| {
        dictionary.values().as_string_opt().map(|names| Labels { keys: Some(dictionary.keys()), names })
    });
    found.ok_or_else(|| wrong_type(name, "Dictionary(Int32, Utf8)", array.data_type()))
}

/// The sessions of `batch`, in order.
///
/// # Errors
/// When a column is absent or of another type, or a sensor is unknown.
pub fn sessions(batch: &RecordBatch) -> Result<Vec<SessionView<'_>>, SchemaError> {
    let [dataset, subject, device, session] = [
        labels(batch, "dataset")?,
        labels(batch, "subject")?,
        labels(batch, "device")?,
        labels(batch, "session")?,
    ];
    let (sensor, activity, file) =
        (labels(batch, "sensor")?, labels(batch, "activity")?, labels(batch, "source_file")?);
    let stamps = column(batch, "stamp_nanos")?;
    let stamps: &Int64Array = stamps
        .as_primitive_opt::<Int64Type>()
        .ok_or_else(|| wrong_type("stamp_nanos", "Int64", stamps.data_type()))?;
    let axes = [numbers(batch, "x")?, numbers(batch, "y")?, numbers(batch, "z")?];
    let mut sessions: Vec<Range<usize>> = std::iter::once(0..batch.num_rows()).collect();
    for labels in [&subject, &device, &session] {
        sessions = sessions.into_iter().flat_map(|rows| labels.runs(rows)).collect();
    }
    let mut views = Vec::new();
    for rows in sessions {
        let text = |labels: &Labels<'_>| labels.get(rows.start).unwrap_or_default().to_owned();
        let mut parts: Vec<(Sensor, Vec<Range<usize>>)> = Vec::new();
        for run in sensor.runs(rows.clone()) {
            let name = sensor.get(run.start).unwrap_or_default();
            let known = Sensor::named(name)
                .ok_or_else(|| SchemaError::UnknownSensor { found: name.to_owned(), row: run.start })?;
            match parts.iter_mut().find(|(sensor, _)| *sensor == known) {
                Some((_, runs)) => runs.push(run),
                None => parts.push((known, vec![run])),
            }
        }
        parts.sort_by_key(|(sensor, _)| *sensor);
        let states =
            |(_, runs): &&(Sensor, Vec<Range<usize>>)| runs.iter().any(|run| activity.is_stated(run));
        let telling = parts.iter().find(states).or(parts.first()).map_or(&[][..], |(_, runs)| runs);
        let changes = changes(telling, stamps.values(), &activity, &file);
        let tracks = parts.into_iter().map(|(sensor, runs)| TrackView {
            sensor,
            first_row: runs[0].start,
            stamp_nanos: gathered(stamps.values(), &runs),
            axes: [0, 1, 2].map(|axis| gathered(axes[axis].values(), &runs)),
        });
        let (tracks, first) = (tracks.collect(), activity.get(rows.start));
        let constant = activity.runs(rows.clone()).len() == 1;
        // One sensor may say what the person does, and another say nothing.
        let agreed =
            changes.first().filter(|part| changes.iter().all(|other| other.activity == part.activity));
        let agreed = agreed.and_then(|part| part.activity.clone());
        views.push(SessionView {
            key: SessionKey {
                dataset: text(&dataset),
                subject: text(&subject),
                device: text(&device),
                session: text(&session),
            },
            tracks,
            activity: first.filter(|_| constant).map(str::to_owned).or(agreed),
            source_file: file.get(rows.start).map(str::to_owned),
            parts: changes,
            rows,
        });
    }
    Ok(views)
}

/// Where activity or file change among the rows of `runs`, those of one sensor in the order of the log.
fn changes(runs: &[Range<usize>], stamps: &[i64], activity: &Labels<'_>, file: &Labels<'_>) -> Vec<Part> {
    let owned = |name: Option<&str>| name.filter(|name| !name.is_empty()).map(str::to_owned);
    let mut parts: Vec<Part> = Vec::new();
    for same in runs.iter().flat_map(|run| file.runs(run.clone())).flat_map(|run| activity.runs(run)) {
        let first = same.start;
        let (doing, from) = (owned(activity.get(first)), owned(file.get(first)));
        if parts.last().is_none_or(|last| (&last.activity, &last.source_file) != (&doing, &from)) {
            parts.push(Part { first_nanos: stamps[first], activity: doing, source_file: from });
        }
    }
    parts
}

/// Keys that are compared at once.
const RUN_BLOCK: usize = 256;

/// Longest ranges of `rows` in which neighbours are `same`.
fn runs(rows: Range<usize>, same: impl Fn(usize, usize) -> bool) -> Vec<Range<usize>> {
    let (mut all, mut start) = (Vec::new(), rows.start);
    for row in rows.start + 1..rows.end {
        if !same(row - 1, row) {
            all.push(start..row);
            start = row;
        }
    }
    if start < rows.end {
        all.push(start..rows.end);
    }
    all
}

/// The values of `runs`, borrowed where they stand together.
fn gathered<'a, T: Copy>(values: &'a [T], runs: &[Range<usize>]) -> Cow<'a, [T]> {
    match runs {
        [only] => Cow::Borrowed(&values[only.clone()]),
        _ => Cow::Owned(runs.iter().flat_map(|run| values[run.clone()].iter().copied()).collect()),
    }
}

#[cfg(test)]
mod tests;
