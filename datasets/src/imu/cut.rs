//! Long logs cut into sessions.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemas::tables::readings::{SessionKey, Track};
use schemas::tables::rejects::Reject;

use super::assemble::Recorded;
use super::faults::{file_reject, lines};
use super::reasons;
use super::rows::Part;

/// A span of time, both ends included, nanoseconds of the log's clock.
pub(super) type Span = (i64, i64);

/// A line, and whether its readings are outside all spans.
type Mark = (u64, bool);

/// The spans between gaps of more than `gap_nanos`, in which no sensor has a reading; together they hold every stamp.
///
/// The stamps need not be in order: one that strays far from its neighbours is in a span of its own.
pub(super) fn spans_between_gaps(recorded: &Recorded, gap_nanos: i64) -> Vec<Span> {
    let mut stamps: Vec<i64> =
        recorded.parts.iter().flat_map(|(_, part)| part.track.stamp_nanos.iter().copied()).collect();
    sort(&mut stamps);
    let mut spans: Vec<Span> = Vec::new();
    for stamp in stamps {
        match spans.last_mut() {
            Some((_, last)) if stamp.saturating_sub(*last) <= gap_nanos => *last = stamp,
            _ => spans.push((stamp, stamp)),
        }
    }
    spans
}

/// Each sensor's stamps are one run or few, and stable sorting merges runs in linear time.
#[expect(clippy::stable_sort_primitive, reason = "unstable sorting does not use the runs")]
fn sort(stamps: &mut [i64]) {
    stamps.sort();
}

/// The session cut at `spans`, which are in order and do not overlap but at their ends.
///
/// The sessions are numbered by their span, from 001; a span without readings makes none. Readings outside all spans
/// become rejects, one for each run of neighbouring lines.
pub(super) fn cut(recorded: Recorded, spans: &[Span]) -> (Vec<Recorded>, Vec<Reject>) {
    let Recorded { key, parts } = recorded;
    let mut pieces: BTreeMap<usize, Recorded> = BTreeMap::new();
    let mut outside: Vec<(Arc<str>, Vec<Mark>)> = Vec::new();
    for (file, part) in parts {
        let places = places(&part.track.stamp_nanos, spans);
        for (place, track) in scattered(&part.track, &places) {
            let piece = pieces
                .entry(place)
                .or_insert_with(|| Recorded { key: numbered(&key, place), parts: Vec::new() });
            piece.parts.push((Arc::clone(&file), Part { sensor: part.sensor, track, lines: None }));
        }
        if let Some(of_lines) = &part.lines {
            let marks = of_lines.iter().zip(places.iter().map(Option::is_none));
            match outside.iter_mut().find(|(known, _)| *known == file) {
                Some((_, known)) => known.extend(marks),
                None => outside.push((file, marks.collect())),
            }
        }
    }
    let rejects = outside.into_iter().flat_map(|(file, marks)| outside_rejects(&key.dataset, &file, marks));
    let rejects = rejects.collect();
    (pieces.into_values().collect(), rejects)
}

/// The key of the piece in span `place`.
fn numbered(key: &SessionKey, place: usize) -> SessionKey {
    let mut key = key.clone();
    let dash = if key.session.is_empty() { "" } else { "-" };
    key.session = format!("{}{dash}{:03}", key.session, place + 1);
    key
}

/// The span of each stamp.
fn places(stamps: &[i64], spans: &[Span]) -> Vec<Option<usize>> {
    let mut last = 0;
    let place = |stamp: &i64| {
        let inside = |place: usize| spans.get(place).is_some_and(|(from, to)| (from..=to).contains(&stamp));
        if !inside(last) {
            last = spans.partition_point(|(from, _)| from <= stamp).saturating_sub(1);
        }
        inside(last).then_some(last)
    };
    stamps.iter().map(place).collect()
}

/// The readings of `track` in each span that has some, in their order.
fn scattered(track: &Track, places: &[Option<usize>]) -> BTreeMap<usize, Track> {
    let mut tracks: BTreeMap<usize, Track> = BTreeMap::new();
    let mut first = 0;
    for run in places.chunk_by(|a, b| a == b) {
        let rows = first..first + run.len();
        first = rows.end;
        let Some(place) = run[0] else { continue };
        let piece = tracks.entry(place).or_default();
        piece.stamp_nanos.extend_from_slice(&track.stamp_nanos[rows.clone()]);
        piece.x.extend_from_slice(&track.x[rows.clone()]);
        piece.y.extend_from_slice(&track.y[rows.clone()]);
        piece.z.extend_from_slice(&track.z[rows.clone()]);
        if !track.activity.is_empty() {
            piece.activity.extend_from_slice(&track.activity[rows]);
        }
    }
    tracks
}

/// One reject for each run of lines outside, of the lines of `file` that hold a reading, each with whether it is
/// outside; a line with readings of two sensors comes twice.
fn outside_rejects(dataset: &str, file: &str, marks: Vec<Mark>) -> Vec<Reject> {
    let mut marks = marks;
    marks.sort_unstable();
    marks.dedup();
    let runs = marks.chunk_by(|a, b| a.1 == b.1).filter(|run| run[0].1);
    let reject = |run: &[Mark]| {
        let (first, last) = (run[0].0, run[run.len() - 1].0);
        let detail = format!("{} lines between the spans that the events give", run.len());
        let mut reject = file_reject(dataset, file, reasons::OUTSIDE_ANY_SESSION, detail);
        reject.source_record = Some(lines(first, last));
        reject.rows = run.len() as u64;
        reject
    };
    runs.map(reject).collect()
}
