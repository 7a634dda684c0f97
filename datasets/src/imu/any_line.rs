//! Any line: quoted fields, blanks, empty cells, and every fault, with its words.

use std::borrow::Cow;

use super::faults::Fault;
use super::fields::{fields, shown};
use super::header::SEPARATORS;
use super::labels::Labels;
use super::layout::{Action, Layout, Stamps};
use super::moment::{self, Not};
use super::number::{self, Clock};
use super::plain_line::Row;
use super::reasons;

/// What stands in a cell without a reading, in any case. Source: the words that pandas reads and writes for missing values.
const NOTHING: [&[u8]; 6] = [b"nan", b"null", b"none", b"na", b"n/a", b"-nan"];

/// What a line says.
#[derive(Debug, PartialEq)]
pub(super) enum Said {
    /// A reading of one sensor or more; and what is wrong with the cells of another one.
    Row(Row, Option<Fault>),
    /// Nothing of the sensors that are read here: it is of other ones.
    Other,
}

/// What `line` says, by the same rules as [`super::plain_line`] and with all exceptions that it leaves out.
///
/// All three cells of a sensor may be empty, or `NaN`, where the other sensor's are not: that line is a reading of one
/// sensor. `cut` says that the line is the last one and lacks its end.
///
/// # Errors
/// When the line cannot be used.
pub(super) fn read(line: &[u8], cut: bool, layout: &Layout, labels: &mut [Labels]) -> Result<Said, Fault> {
    said(line, layout, labels)
        .map_err(|fault| if cut { Fault::new(reasons::TRUNCATED_LINE, fault.detail) } else { fault })
}

fn said(line: &[u8], layout: &Layout, labels: &mut [Labels]) -> Result<Said, Fault> {
    let cells = cells(line, layout)?;
    let mut row = Row::default();
    let mut shift = 0;
    let mut triples = layout.sensors.len();
    if let Some(label) = layout.roles.sensor {
        let step = layout.steps.iter().find(|step| step.action == Action::Label(label));
        let name = step.map_or(&[][..], |step| cells[step.column].as_ref());
        let Some(place) = str::from_utf8(name).ok().and_then(|name| layout.sensor_called(name)) else {
            return Ok(Said::Other);
        };
        (shift, triples) = (place, 1);
    }
    let mut nothing = [0; 2];
    for step in &layout.steps {
        if let Action::Value(slot) = step.action {
            nothing[slot / 3] += usize::from(is_nothing(&cells[step.column]));
        }
    }
    let mut present = [0, 1].map(|sensor| sensor < triples && nothing[sensor] < 3);
    if present == [false; 2] {
        if layout.shared {
            return Ok(Said::Other);
        }
        present[0] = true;
    }
    let mut faults = [None, None];
    for step in &layout.steps {
        let cell = cells[step.column].as_ref();
        let at = || layout.describe(step.column);
        match step.action {
            Action::Value(slot) if !present[slot / 3] => {}
            Action::Value(slot) => match value(cell, layout, at) {
                Ok(value) => row.values[slot + 3 * shift] = value,
                Err(fault) => faults[slot / 3] = faults[slot / 3].take().or(Some(fault)),
            },
            Action::Stamp => row.stamp_nanos = stamp(cell, &cells, layout, at)?,
            Action::Time => {}
            Action::Label(label) => row.labels[label] = name(cell, label, layout, labels, at)?,
        }
    }
    let sound = [0, 1].map(|sensor| present[sensor] && faults[sensor].is_none());
    let fault = faults.into_iter().flatten().next();
    match fault {
        Some(fault) if sound == [false; 2] => Err(fault),
        fault => {
            row.present = if shift > 0 { [false, true] } else { sound };
            Ok(Said::Row(row, fault))
        }
    }
}

/// Whether `line`, the first one below the header, holds no number where numbers must be.
pub(super) fn is_line_of_units(line: &[u8], layout: &Layout) -> bool {
    let Ok(cells) = cells(line, layout) else { return false };
    let mut numbers =
        layout.steps.iter().filter(|step| !matches!(step.action, Action::Label(_))).map(|step| {
            let cell = cells[step.column].as_ref();
            cell.first().is_some_and(u8::is_ascii_digit)
                || value(cell, layout, String::new).is_ok()
                || is_nothing(cell)
        });
    layout.has_header() && !numbers.any(|number| number)
}

/// The cells of `line`, as many as there are columns.
fn cells<'a>(line: &'a [u8], layout: &Layout) -> Result<Vec<Cow<'a, [u8]>>, Fault> {
    if line.trim_ascii().is_empty() {
        return Err(Fault::new(reasons::EMPTY_LINE, "nothing on the line"));
    }
    let mut cells = fields(line, layout.separator)?;
    let behind = cells.len() == layout.columns + 1 && cells.last().is_some_and(|last| last.is_empty());
    cells.truncate(cells.len() - usize::from(behind));
    let (found, expected) = (cells.len(), layout.columns);
    if found != expected {
        let reason = if found < expected { reasons::MISSING_COLUMN } else { reasons::EXTRA_COLUMN };
        let other = SEPARATORS.iter().filter(|other| **other != layout.separator);
        let count = |other: u8| fields(line, other).map_or(0, |fields| fields.len());
        let fitting = other.copied().find(|other| expected > 1 && count(*other) == expected);
        let hint = fitting.map_or(String::new(), |fitting| {
            format!("; hint: set `separator = {:?}` in the layout", char::from(fitting).to_string())
        });
        let detail = format!("{found} columns, expected {expected}; the line is `{}`{hint}", shown(line));
        return Err(Fault::new(reason, detail));
    }
    Ok(cells)
}

fn is_nothing(cell: &[u8]) -> bool {
    cell.is_empty() || NOTHING.iter().any(|word| cell.eq_ignore_ascii_case(word))
}

fn name(
    cell: &[u8],
    label: usize,
    layout: &Layout,
    labels: &mut [Labels],
    at: impl Fn() -> String,
) -> Result<i32, Fault> {
    let name = str::from_utf8(cell).map_err(|_| {
        let detail = format!(
            "column {} holds `{}`; hint: name the log's `encoding` in the layout, such as `latin-1`",
            at(),
            shown(cell)
        );
        Fault::new(reasons::NOT_UTF8, detail)
    })?;
    if name.is_empty() && layout.roles.subject == Some(label) {
        return Err(Fault::new(reasons::EMPTY_CELL, format!("column {}, the subject, is empty", at())));
    }
    Ok(labels[label].number(name))
}

/// `cell` with points as decimal marks; nothing where it has a point although commas are its marks.
fn pointed<'a>(cell: &'a [u8], layout: &Layout) -> Cow<'a, [u8]> {
    if !layout.decimal_comma {
        return Cow::Borrowed(cell);
    }
    if cell.contains(&b'.') {
        return Cow::Borrowed(&[]);
    }
    Cow::Owned(with_points(cell))
}

fn with_points(cell: &[u8]) -> Vec<u8> {
    cell.iter().map(|byte| if *byte == b',' { b'.' } else { *byte }).collect()
}

fn value(cell: &[u8], layout: &Layout, at: impl Fn() -> String) -> Result<f64, Fault> {
    let text = pointed(cell, layout);
    if let Some((value, used)) = number::decimal(&text)
        && used == text.len()
        && used > 0
    {
        return Ok(value);
    }
    let reason = match str::from_utf8(&text).ok().and_then(|text| text.parse::<f64>().ok()) {
        _ if cell.is_empty() => {
            return Err(Fault::new(reasons::EMPTY_CELL, format!("column {} is empty", at())));
        }
        Some(_) => reasons::NOT_FINITE,
        None => reasons::NOT_A_NUMBER,
    };
    let hint = match layout.decimal_comma {
        false if is_decimal(&with_points(cell)) => "; hint: set `decimal = \",\"` in the layout",
        true if is_decimal(cell) => "; hint: leave `decimal = \",\"` out of the layout",
        _ => "",
    };
    Err(Fault::new(reason, format!("column {} holds `{}`{hint}", at(), shown(cell))))
}

fn is_decimal(text: &[u8]) -> bool {
    number::decimal(text).is_some_and(|(_, used)| used == text.len() && used > 0)
}

/// The stamp whose cell, or whose date's cell, is `cell`.
fn stamp(
    cell: &[u8],
    cells: &[Cow<'_, [u8]>],
    layout: &Layout,
    at: impl Fn() -> String,
) -> Result<i64, Fault> {
    let out_of_range = || {
        let detail = format!("column {} holds `{}`, beyond 64 bits of nanoseconds", at(), shown(cell));
        Fault::new(reasons::STAMP_OUT_OF_RANGE, detail)
    };
    let rules = match layout.stamps {
        Stamps::Moment(rules) => rules,
        Stamps::Count(period_nanos) => {
            let count = value(cell, layout, &at)?;
            let nanos = (count * period_nanos).round();
            // Through 63 bits, beyond which `as` would hide what is lost.
            return if nanos.abs() < 9.2e18 { Ok(nanos as i64) } else { Err(out_of_range()) };
        }
        Stamps::Number | Stamps::Lines(_) => {
            let text = pointed(cell, layout);
            if let Some((nanos, used)) = number::stamp(&text, layout.clock)
                && used == text.len()
            {
                return Ok(nanos);
            }
            // A stamp that is a sound number is out of range; all else is told as for readings.
            value(cell, layout, &at).map_err(|fault| with_clock_hint(&fault, cell))?;
            return Err(out_of_range());
        }
    };
    let time = layout.steps.iter().find(|step| step.action == Action::Time);
    let (found, told) = match time {
        Some(step) => {
            let time = cells[step.column].as_ref();
            let told = format!(
                "columns {} and {} hold `{}` and `{}`",
                at(),
                layout.describe(step.column),
                shown(cell),
                shown(time)
            );
            (moment::split(cell, time, rules), told)
        }
        None => (moment::moment(cell, rules), format!("column {} holds `{}`", at(), shown(cell))),
    };
    found.map_err(|why| match why {
        Not::InRange => out_of_range(),
        Not::Moment if cell.is_empty() => {
            Fault::new(reasons::EMPTY_CELL, format!("column {}, the stamp, is empty", at()))
        }
        Not::Moment if number::stamp(cell, Clock::Seconds).is_some_and(|(_, used)| used == cell.len()) => {
            let hint = "hint: name the unit of the stamps in the layout, such as `clock = \"ms\"`";
            Fault::new(reasons::NOT_A_MOMENT, format!("{told}, a number; {hint}"))
        }
        Not::Moment => Fault::new(reasons::NOT_A_MOMENT, told),
        Not::Zoned => {
            let hint =
                "hint: name the time zone in the layout, such as `zone = \"UTC\"` or `zone = \"+02:00\"`";
            Fault::new(reasons::NOT_A_MOMENT, format!("{told}, without a time zone; {hint}"))
        }
        Not::Ordered => {
            let hint = "hint: set `date_order` in the layout to `day_first` or `month_first`";
            Fault::new(
                reasons::NOT_A_MOMENT,
                format!("{told}, where day and month may be either way round; {hint}"),
            )
        }
    })
}

/// `fault`, with a hint where the stamp is a date and time.
fn with_clock_hint(fault: &Fault, cell: &[u8]) -> Fault {
    let dated = matches!(
        moment::moment(cell, moment::Rules::default()),
        Ok(_) | Err(Not::Zoned | Not::Ordered | Not::InRange)
    );
    let hint = if dated { "; hint: set `clock = \"date-time\"` in the layout" } else { "" };
    Fault::new(fault.reason, format!("{}{hint}", fault.detail))
}
