//! What a panel of signals shows: lines over seconds, from `readings`, `signals` or `windows`.

use arrow::array::{Array, RecordBatch};
use schemas::columns::{integers, longs, strings};
use schemas::tables::{readings, signals, windows};

use super::super::error::ReportError;

/// Nanoseconds of a second.
const NANOS: f64 = 1e9;
/// A step between readings that is at least so many times the median step is a gap ...
const GAP_STEPS: f64 = 8.0;
/// ... if it also is at least so many seconds long: shorter ones are the jitter of a busy phone.
const LEAST_GAP_SECONDS: f64 = 0.05;

/// A block of a window, or a window: from the first to behind the last sample, seconds of the panel.
pub(super) type Span = [f64; 2];

/// One panel: a session, or a window.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Trace {
    /// Whose it is.
    pub title: String,
    /// What else there is to say, short.
    pub detail: String,
    /// Plots below each other.
    pub strips: Vec<Strip>,
    /// From the first to behind the last sample, seconds from 0.
    pub seconds: f64,
    /// Stretches with samples, seconds; what lies between them is a gap.
    pub stretches: Vec<Span>,
    /// The blocks that the samples came in, seconds; none for a plain signal.
    pub blocks: Vec<Span>,
    /// Time between samples, seconds, where it is one.
    pub period: Option<f64>,
}

/// Lines that share a scale.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Strip {
    /// What it shows: a sensor.
    pub name: String,
    /// The unit of its numbers.
    pub unit: String,
    /// Its lines.
    pub lines: Vec<Line>,
}

/// One line.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Line {
    /// Its name, short.
    pub name: String,
    /// Seconds and values, by stretch; the line breaks between stretches.
    pub pieces: Vec<Vec<[f64; 2]>>,
}

/// The panels of `batch`, a table `readings`, `signals` or `windows`: of each session that stands together, or of each
/// window.
///
/// # Errors
/// When the batch is none of these, or lacks a column.
pub(super) fn traces(batch: &RecordBatch) -> Result<Vec<Trace>, ReportError> {
    let has = |name: &str| batch.schema_ref().index_of(name).is_ok();
    if has(windows::WINDOW) {
        of_windows(batch)
    } else if has(signals::SIGNAL) {
        of_signals(batch)
    } else if has("stamp_nanos") && has("sensor") {
        of_readings(batch)
    } else {
        Err(ReportError::NoSignals)
    }
}

fn of_readings(batch: &RecordBatch) -> Result<Vec<Trace>, ReportError> {
    let mut traces = Vec::new();
    for session in readings::sessions(batch)? {
        let stamps = || session.tracks.iter().flat_map(|track| track.stamp_nanos.iter().copied());
        let first = stamps().min().unwrap_or(0);
        let seconds = |stamp: i64| (stamp as f64 - first as f64) / NANOS;
        let mut trace =
            Trace { title: session.id(), seconds: stamps().max().map_or(0.0, seconds), ..Trace::default() };
        let mut rates = Vec::new();
        for track in &session.tracks {
            let times: Vec<f64> = track.stamp_nanos.iter().map(|stamp| seconds(*stamp)).collect();
            let mut steps: Vec<f64> =
                times.windows(2).map(|pair| pair[1] - pair[0]).filter(|step| *step > 0.0).collect();
            steps.sort_unstable_by(f64::total_cmp);
            let median = steps.get(steps.len() / 2).copied();
            let limit = (median.unwrap_or(0.0) * GAP_STEPS).max(LEAST_GAP_SECONDS);
            // Stamps that go back are a break as well: time does not.
            let broken = |at: usize| !(0.0..=limit).contains(&(times[at] - times[at - 1]));
            let mut starts: Vec<usize> = (1..times.len()).filter(|at| broken(*at)).collect();
            starts.insert(0, 0);
            let ends = starts[1..].iter().copied().chain([times.len()]);
            let ranges: Vec<(usize, usize)> = starts.iter().copied().zip(ends).collect();
            trace.stretches.extend(ranges.iter().map(|(from, to)| [times[*from], times[*to - 1]]));
            let lines = ["x", "y", "z"].iter().zip(&track.axes).map(|(name, values)| Line {
                name: (*name).to_owned(),
                pieces: ranges
                    .iter()
                    .map(|(from, to)| (*from..*to).map(|at| [times[at], values[at]]).collect())
                    .collect(),
            });
            let (name, unit) = (track.sensor.name().to_owned(), track.sensor.unit().to_owned());
            trace.strips.push(Strip { name, unit, lines: lines.collect() });
            rates.extend(median.map(|median| format!("{:.0} Hz", 1.0 / median)));
        }
        trace.detail = detail(&[&rates.join(" / "), session.activity.as_deref().unwrap_or_default()]);
        traces.push(trace);
    }
    Ok(traces)
}

/// The names that say which panel a row of `signals` or `windows` belongs to.
struct Identity<'a> {
    texts: Vec<&'a arrow::array::StringArray>,
    copy: &'a arrow::array::Int32Array,
    activity: &'a arrow::array::StringArray,
    start: &'a arrow::array::Int64Array,
}

impl<'a> Identity<'a> {
    fn of(batch: &'a RecordBatch) -> Result<Self, ReportError> {
        let mut texts = Vec::new();
        for name in ["dataset", "subject", "device", "session"] {
            texts.push(strings(batch, name)?);
        }
        Ok(Self {
            texts,
            copy: integers(batch, "copy")?,
            activity: strings(batch, "activity")?,
            start: longs(batch, "start_nanos")?,
        })
    }

    /// Whether two rows are of one session and copy.
    fn same(&self, a: usize, b: usize) -> bool {
        self.copy.value(a) == self.copy.value(b)
            && self.texts.iter().all(|text| text.value(a) == text.value(b))
    }

    fn title(&self, row: usize) -> String {
        let names = self.texts[1..].iter().map(|text| text.value(row)).filter(|name| !name.is_empty());
        let copy = Some(self.copy.value(row)).filter(|copy| *copy > 0).map(|copy| format!(" #{copy}"));
        names.collect::<Vec<_>>().join("-") + &copy.unwrap_or_default()
    }

    fn activity(&self, row: usize) -> &str {
        if self.activity.is_valid(row) { self.activity.value(row) } else { "" }
    }
}

fn of_signals(batch: &RecordBatch) -> Result<Vec<Trace>, ReportError> {
    let (channels, rate) = (signals::channels(batch.schema_ref())?, signals::rate_hz(batch.schema_ref())?);
    let (identity, rows) = (Identity::of(batch)?, signals::signals(batch)?);
    check_channels(&channels, rows.channels())?;
    let mut traces: Vec<Trace> = Vec::new();
    let mut row = 0;
    while row < batch.num_rows() {
        let first = row;
        while row < batch.num_rows() && identity.same(first, row) {
            row += 1;
        }
        let origin = (first..row).map(|at| identity.start.value(at)).min().unwrap_or(0);
        let stretches =
            (first..row).map(|at| ((identity.start.value(at) as f64 - origin as f64) / NANOS, rows.row(at)));
        let stretches: Vec<(f64, &[f32])> = stretches.collect();
        let spans = spans(&stretches, channels.len(), rate);
        let count = match row - first {
            1 => String::new(),
            count => format!("{count} stretches"),
        };
        traces.push(Trace {
            title: identity.title(first),
            detail: detail(&[&format!("{rate} Hz"), &count, identity.activity(first)]),
            strips: strips(&channels, &stretches, rate),
            seconds: spans.iter().map(|[_, end]| *end).fold(0.0, f64::max),
            stretches: spans,
            blocks: Vec::new(),
            period: Some(1.0 / rate),
        });
    }
    Ok(traces)
}

fn of_windows(batch: &RecordBatch) -> Result<Vec<Trace>, ReportError> {
    let schema = batch.schema_ref();
    let (channels, rate) = (signals::channels(schema)?, signals::rate_hz(schema)?);
    let [blocks, samples, width] = windows::shape(schema)?;
    check_channels(&channels, width)?;
    // Without a hop the blocks stand side by side.
    let hop = schema.metadata().get(windows::HOP_KEY).and_then(|text| text.parse::<usize>().ok());
    let apart = hop.unwrap_or(samples) as f64 / rate;
    let (identity, sequence) = (Identity::of(batch)?, integers(batch, "sequence")?);
    let row_length = blocks * samples * width;
    if row_length == 0 {
        return Ok(Vec::new());
    }
    let values = windows::values(batch)?;
    let windows = values.chunks_exact(row_length).enumerate().map(|(row, values)| {
        let stretches: Vec<(f64, &[f32])> = values
            .chunks_exact(samples * width)
            .enumerate()
            .map(|(block, values)| (block as f64 * apart, values))
            .collect();
        let spans = spans(&stretches, width, rate);
        let cut = match hop {
            Some(hop) => format!("{blocks} blocks of {samples}, hop {hop}"),
            None => format!("{blocks} blocks of {samples} side by side"),
        };
        let seconds = spans.last().map_or(0.0, |[_, end]| *end);
        Trace {
            title: format!("{} window {}", identity.title(row), sequence.value(row)),
            detail: detail(&[&format!("{rate} Hz"), &cut, identity.activity(row)]),
            strips: strips(&channels, &stretches, rate),
            seconds,
            stretches: vec![[0.0, seconds]],
            blocks: spans,
            period: Some(1.0 / rate),
        }
    });
    Ok(windows.collect())
}

/// Those of `parts` that are not empty, on one line.
fn detail(parts: &[&str]) -> String {
    parts.iter().copied().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ")
}

fn check_channels(names: &[String], found: usize) -> Result<(), ReportError> {
    if names.len() == found && found > 0 {
        return Ok(());
    }
    Err(ReportError::ChannelCount { named: names.len(), found })
}

/// From the first to behind the last sample of each stretch.
fn spans(stretches: &[(f64, &[f32])], channels: usize, rate: f64) -> Vec<Span> {
    stretches
        .iter()
        .map(|(start, values)| [*start, start + (values.len() / channels) as f64 / rate])
        .collect()
}

/// The channels by what they measure: those of one vector share a strip, its magnitude with them.
fn strips(channels: &[String], stretches: &[(f64, &[f32])], rate: f64) -> Vec<Strip> {
    let mut strips: Vec<Strip> = Vec::new();
    for (channel, name) in channels.iter().enumerate() {
        let (group, short) = match name.rsplit_once('_') {
            Some((group, axis @ ("x" | "y" | "z"))) => (group, axis),
            Some((group, "magnitude")) => (group, "norm"),
            _ => ("other channels", name.as_str()),
        };
        let pieces = stretches.iter().map(|(start, values)| {
            let samples = values.chunks_exact(channels.len()).enumerate();
            samples.map(|(at, sample)| [start + at as f64 / rate, f64::from(sample[channel])]).collect()
        });
        let line = Line { name: short.to_owned(), pieces: pieces.collect() };
        match strips.iter_mut().find(|strip| strip.name == group) {
            Some(strip) => strip.lines.push(line),
            None => strips.push(Strip { name: group.to_owned(), unit: unit_of(group), lines: vec![line] }),
        }
    }
    strips
}

/// The unit of channels whose names begin with `group`, starred since a normalised signal has none.
fn unit_of(group: &str) -> String {
    if group.ends_with("_angle") {
        return "rad".to_owned();
    }
    readings::Sensor::named(group).map_or_else(String::new, |sensor| format!("{}*", sensor.unit()))
}
