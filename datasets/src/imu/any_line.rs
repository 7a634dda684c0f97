//! Any line: quoted fields, blanks, empty cells, and every fault, with its words.

use super::faults::Fault;
use super::fields::{fields, shown};
use super::labels::Labels;
use super::layout::{Action, Layout};
use super::number;
use super::plain_line::Row;
use super::reasons;

/// The row of `line`, by the same rules as [`super::plain_line`] and with all exceptions that it leaves out.
///
/// All three cells of a sensor may be empty where the other sensor's are not: that line is a reading of one sensor.
/// `cut` says that the line is the last one and lacks its end.
///
/// # Errors
/// When the line cannot be used.
pub(super) fn read(line: &[u8], cut: bool, layout: &Layout, labels: &mut [Labels]) -> Result<Row, Fault> {
    row_of(line, layout, labels)
        .map_err(|fault| if cut { Fault::new(reasons::TRUNCATED_LINE, fault.detail) } else { fault })
}

fn row_of(line: &[u8], layout: &Layout, labels: &mut [Labels]) -> Result<Row, Fault> {
    if line.trim_ascii().is_empty() {
        return Err(Fault::new(reasons::EMPTY_LINE, "nothing on the line"));
    }
    let cells = fields(line, layout.separator)?;
    let behind =
        usize::from(cells.len() == layout.columns + 1 && cells.last().is_some_and(|last| last.is_empty()));
    let (found, expected) = (cells.len() - behind, layout.columns);
    if found != expected {
        let reason = if found < expected { reasons::MISSING_COLUMN } else { reasons::EXTRA_COLUMN };
        return Err(Fault::new(reason, format!("{found} columns, expected {expected}")));
    }
    let mut row = Row::default();
    let mut filled = [0; 2];
    for step in &layout.steps {
        if let Action::Value(slot) = step.action {
            filled[slot / 3] += usize::from(!cells[step.column].is_empty());
        }
    }
    row.present = filled.map(|cells| cells > 0);
    if row.present == [false; 2] {
        row.present[0] = true;
    }
    for step in &layout.steps {
        let cell = cells[step.column].as_ref();
        let at = || layout.describe(step.column);
        match step.action {
            Action::Value(slot) if !row.present[slot / 3] => {}
            Action::Value(slot) => row.values[slot] = value(cell, at)?,
            Action::Stamp => row.stamp_nanos = stamp(cell, layout, at)?,
            Action::Label(label) => {
                let name = str::from_utf8(cell).map_err(|_| {
                    Fault::new(reasons::NOT_UTF8, format!("column {} holds `{}`", at(), shown(cell)))
                })?;
                if name.is_empty() && layout.roles.subject == Some(label) {
                    return Err(Fault::new(
                        reasons::EMPTY_CELL,
                        format!("column {}, the subject, is empty", at()),
                    ));
                }
                row.labels[label] = labels[label].number(name);
            }
        }
    }
    Ok(row)
}

fn value(cell: &[u8], at: impl Fn() -> String) -> Result<f64, Fault> {
    if let Some((value, used)) = number::decimal(cell)
        && used == cell.len()
    {
        return Ok(value);
    }
    let reason = match str::from_utf8(cell).ok().and_then(|text| text.parse::<f64>().ok()) {
        _ if cell.is_empty() => {
            return Err(Fault::new(reasons::EMPTY_CELL, format!("column {} is empty", at())));
        }
        Some(_) => reasons::NOT_FINITE,
        None => reasons::NOT_A_NUMBER,
    };
    Err(Fault::new(reason, format!("column {} holds `{}`", at(), shown(cell))))
}

fn stamp(cell: &[u8], layout: &Layout, at: impl Fn() -> String) -> Result<i64, Fault> {
    if let Some((nanos, used)) = number::stamp(cell, layout.clock)
        && used == cell.len()
    {
        return Ok(nanos);
    }
    // A stamp that is a sound number is out of range; all else is told as for readings.
    value(cell, &at)?;
    let detail = format!("column {} holds `{}`, beyond 64 bits of nanoseconds", at(), shown(cell));
    Err(Fault::new(reasons::STAMP_OUT_OF_RANGE, detail))
}
