//! Spans between two events, such as unlock and lock.

use schemas::tables::readings::SessionKey;
use schemas::tables::rejects::Reject;

use super::columns::ColumnRef;
use super::cut::Span;
use super::faults::{Fault, Faults};
use super::fields::{fields, shown};
use super::file_group::Events;
use super::header::trimmed;
use super::number;
use super::reasons;

/// The spans of one file of events.
#[derive(Debug, Clone, Default)]
pub(super) struct EventSpans {
    /// Subject, device and session that the file's path names.
    pub(super) fields: [Option<String>; 3],
    /// Spans in order, none overlapping.
    pub(super) spans: Vec<Span>,
}

impl EventSpans {
    /// Whether the file holds for the session `key`.
    fn holds_for(&self, key: &SessionKey) -> bool {
        let names = [&key.subject, &key.device, &key.session];
        self.fields.iter().zip(names).all(|(field, name)| field.as_ref().is_none_or(|field| field == name))
    }
}

/// The spans of all `files` that hold for the session `key`, in order; spans that overlap become one.
pub(super) fn spans_for(files: &[EventSpans], key: &SessionKey) -> Vec<Span> {
    let holding = files.iter().filter(|events| events.holds_for(key));
    let mut all: Vec<Span> = holding.flat_map(|events| events.spans.iter().copied()).collect();
    all.sort_unstable();
    all.dedup_by(|later, earlier| {
        let overlap = later.0 < earlier.1;
        if overlap {
            earlier.1 = earlier.1.max(later.1);
        }
        overlap
    });
    all
}

/// The spans of the file `name`, whose bytes these are.
///
/// Events are taken in the order of their stamps, those of one stamp in the order of the file. A start while a span is
/// open and an end while none is become rejects; a span that does not end lasts to the end of the log.
pub(super) fn spans(events: &Events, dataset: &str, name: &str, bytes: &[u8]) -> (Vec<Span>, Vec<Reject>) {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut faults = Faults::new(dataset, name);
    let mut lines = (1u64..).zip(bytes.split_inclusive(|byte| *byte == b'\n'));
    let columns = match columns(events, lines.by_ref().take(usize::from(events.header)).next()) {
        Ok(columns) => columns,
        Err(fault) => {
            faults.add(1, fault);
            return (Vec::new(), faults.finish());
        }
    };
    let mut found = Vec::new();
    for (number, line) in lines {
        match event(events, columns, trimmed(line.strip_suffix(b"\n").unwrap_or(line))) {
            Ok(Some((stamp, starts))) => found.push((stamp, number, starts)),
            Ok(None) => {}
            Err(fault) => faults.add(number, fault),
        }
    }
    found.sort_by_key(|(stamp, number, _)| (*stamp, *number));
    let (mut spans, mut open): (Vec<Span>, Option<i64>) = (Vec::new(), None);
    let mut out_of_place = Vec::new();
    for (stamp, number, starts) in found {
        match (starts, open) {
            (true, None) => open = Some(stamp),
            (false, Some(start)) => {
                spans.push((start, stamp));
                open = None;
            }
            (true, Some(_)) => out_of_place.push((number, &events.start, "before the last one ended")),
            (false, None) => out_of_place.push((number, &events.end, "without a start")),
        }
    }
    spans.extend(open.map(|start| (start, i64::MAX)));
    out_of_place.sort_unstable();
    let mut rejects = faults.finish();
    let mut faults = Faults::new(dataset, name);
    for (number, event, why) in out_of_place {
        faults.add(number, Fault::new(reasons::EVENT_OUT_OF_PLACE, format!("`{event}` {why}")));
    }
    rejects.extend(faults.finish());
    (spans, rejects)
}

/// The places of stamp and event.
fn columns(events: &Events, header: Option<(u64, &[u8])>) -> Result<[usize; 2], Fault> {
    let line = header.map(|(_, line)| trimmed(line.strip_suffix(b"\n").unwrap_or(line)));
    let names = line.map_or(Ok(Vec::new()), |line| fields(line, events.separator.get()))?;
    let place = |column: &ColumnRef| match column {
        ColumnRef::Number(number) => Ok(*number as usize - 1),
        ColumnRef::Name(name) => {
            names.iter().position(|found| **found == *name.as_bytes()).ok_or_else(|| {
                Fault::new(
                    reasons::COLUMNS_DO_NOT_FIT,
                    format!("no column {column} in the header of the events"),
                )
            })
        }
    };
    Ok([place(&events.stamp)?, place(&events.event)?])
}

/// Stamp and whether it starts a span; `None` for other events.
fn event(events: &Events, [stamp, event]: [usize; 2], line: &[u8]) -> Result<Option<(i64, bool)>, Fault> {
    if line.trim_ascii().is_empty() {
        return Err(Fault::new(reasons::EMPTY_LINE, "nothing on the line"));
    }
    let cells = fields(line, events.separator.get())?;
    let (Some(stamp), Some(event)) = (cells.get(stamp), cells.get(event)) else {
        let detail = format!("{} columns, expected {} or more", cells.len(), stamp.max(event) + 1);
        return Err(Fault::new(reasons::MISSING_COLUMN, detail));
    };
    let starts = **event == *events.start.as_bytes();
    if !starts && **event != *events.end.as_bytes() {
        return Ok(None);
    }
    match number::stamp(stamp, events.clock) {
        Some((nanos, used)) if used == stamp.len() => Ok(Some((nanos, starts))),
        _ => Err(Fault::new(reasons::NOT_A_NUMBER, format!("the stamp is `{}`", shown(stamp)))),
    }
}
