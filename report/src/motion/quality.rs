//! One sheet of how good logs are: a row a session and sensor, a column a property.

use arrow::array::RecordBatch;
use schemas::tables::quality::{self, Quality};
use schemas::tables::readings::Sensor;

use super::super::Sheet;
use super::super::caption::LETTER_PX;
use super::super::palette::{self, Rgb};
use super::canvas::{Anchor, Canvas, PLAIN, Point, Style, fitted, width_of};
use super::colours::{BLUE, FRAME, GRID, GROUND, VERMILLION};
use stages::stage::StageError;

/// Rows of a page unless asked otherwise.
pub const DEFAULT_ROWS: usize = 60;
/// The most rows of a page.
pub const MOST_ROWS: usize = 800;
/// White about the page, px.
const MARGIN_PX: f32 = 16.0;
/// Least and most room for the names of a row, px.
const NAMES_PX: [f32; 2] = [150.0, 420.0];
/// Room for the name of a sensor with its colour, px.
const SENSOR_PX: f32 = 70.0;
/// Width of a column, px.
const COLUMN_PX: f32 = 112.0;
/// Room for the number within a column, px: six letters.
const NUMBER_PX: f32 = 50.0;
/// Between columns, px.
const SEAM_PX: f32 = 14.0;
/// Height of a row, px.
const ROW_PX: f32 = 17.0;
/// Height of the head, px.
const HEAD_PX: f32 = 40.0;
/// Height of the foot, px.
const FOOT_PX: f32 = 44.0;

/// How numbers of a column are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    /// A bar from zero, to the left where negative.
    Bar,
    /// A dot on a scale that need not begin at zero, with a diamond for a second number.
    Dots,
}

/// A column of the sheet.
struct Column {
    title: &'static str,
    mark: Mark,
    /// Whether its numbers are counts.
    whole: bool,
    value: fn(&Quality) -> Option<f64>,
    second: fn(&Quality) -> Option<f64>,
}

const fn bar(title: &'static str, value: fn(&Quality) -> Option<f64>) -> Column {
    Column { title, mark: Mark::Bar, whole: false, value, second: |_| None }
}

/// What is shown of each row.
const COLUMNS: [Column; 7] = [
    Column {
        title: "rate, Hz",
        mark: Mark::Dots,
        whole: false,
        value: |q| q.mean_rate_hz,
        second: |q| q.median_rate_hz,
    },
    bar("jitter, ms", |q| q.jitter_ms),
    bar("max gap, ms", |q| q.longest_gap_ms),
    Column { whole: true, ..bar("gaps", |q| Some(q.gaps as f64)) },
    bar("duplicates, %", |q| share(q.duplicate_stamps, q.readings)),
    bar("backward, %", |q| share(q.backward_stamps, q.readings)),
    bar("start skew, ms", |q| q.start_skew_ms),
];

/// What the marks mean.
const LEGEND: [&str; 2] = [
    "rate: dot = readings a second over the session, diamond = by the median step",
    "duplicates, backward: readings whose stamp repeats or goes back.  start skew: behind the first sensor",
];

fn share(count: i64, of: i64) -> Option<f64> {
    (of > 0).then(|| 100.0 * count as f64 / of as f64)
}

/// The page of `batch`, a table `quality`, at most `rows` of them, evenly spread over the batch.
///
/// Bars are long where something is wrong; each number stands beside its mark. A dash is a number that does not exist,
/// as the jitter of a single reading. Saturated readings and those that are
/// not finite are said beside the names.
///
/// # Errors
/// When the batch is no table `quality`, has no row, or `rows` is out of range.
pub fn quality_sheet(batch: &RecordBatch, rows: usize) -> Result<Sheet, StageError> {
    if !(1..=MOST_ROWS).contains(&rows) {
        let hint = format!("ask for 1 to {MOST_ROWS} rows");
        return Err(StageError::config(format!("a page cannot have {rows} rows of quality"), hint));
    }
    let all = quality::from_batch(batch)?;
    if all.is_empty() {
        return Err(StageError::data("there are no rows of quality to draw", "give a table that has rows"));
    }
    let chosen = rows.min(all.len());
    let shown: Vec<&Quality> = (0..chosen).map(|number| &all[number * all.len() / chosen]).collect();
    let columns = COLUMNS.len() as f32;
    let widest =
        shown.iter().map(|row| width_of(&name(row)) + defect(row).map_or(0.0, |text| width_of(&text) + 16.0));
    let names_px = (widest.fold(0.0, f32::max) + SENSOR_PX + 16.0).clamp(NAMES_PX[0], NAMES_PX[1]);
    let width = 2.0 * MARGIN_PX + names_px + columns * (COLUMN_PX + SEAM_PX);
    let height = 2.0 * MARGIN_PX + HEAD_PX + ROW_PX * chosen as f32 + FOOT_PX;
    let mut canvas = Canvas::new(width as u32, height as u32)?;
    names(&mut canvas, &shown, names_px, width);
    for (at, column) in COLUMNS.iter().enumerate() {
        let left = MARGIN_PX + names_px + SEAM_PX + at as f32 * (COLUMN_PX + SEAM_PX);
        draw_column(&mut canvas, column, &shown, left);
    }
    let grey = Style { ink: FRAME, ..PLAIN };
    let foot = MARGIN_PX + HEAD_PX + ROW_PX * chosen as f32 + 16.0;
    for (at, text) in LEGEND.iter().enumerate() {
        canvas.write(text, [MARGIN_PX, foot + 16.0 * at as f32], Anchor::Left, grey);
    }
    if chosen < all.len() {
        let text = format!("{chosen} of {} rows", all.len());
        canvas.write(&text, [width - MARGIN_PX, foot], Anchor::Right, grey);
    }
    Ok(Sheet { picture: canvas.finish(), drawn: chosen, rejects: Vec::new() })
}

/// Height of the upper edge of row `at`.
fn top_of(at: usize) -> f32 {
    MARGIN_PX + HEAD_PX + ROW_PX * at as f32
}

fn session(row: &Quality) -> [&str; 4] {
    [&row.dataset, &row.subject, &row.device, &row.session]
}

/// The session in one word.
fn name(row: &Quality) -> String {
    let parts = [&row.subject, &row.device, &row.session].map(String::as_str);
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
}

fn colour_of(row: &Quality) -> Rgb {
    if row.sensor == Sensor::Accelerometer.name() { BLUE } else { palette::LEFT }
}

/// Grounds and names of the rows: the session once, the sensor in each.
fn names(canvas: &mut Canvas, shown: &[&Quality], names_px: f32, width: f32) {
    let plain_head = MARGIN_PX + HEAD_PX - 24.0;
    canvas.write("session", [MARGIN_PX, plain_head], Anchor::Left, PLAIN);
    let sensor = MARGIN_PX + names_px - SENSOR_PX + 14.0;
    canvas.write("sensor", [sensor, plain_head], Anchor::Left, PLAIN);
    let mut tinted = true;
    for (at, row) in shown.iter().enumerate() {
        let first = at == 0 || session(shown[at - 1]) != session(row);
        tinted ^= first;
        let top = top_of(at);
        if tinted {
            canvas.fill([MARGIN_PX - 4.0, top, width - 2.0 * MARGIN_PX + 8.0, ROW_PX], GRID, 110);
        } else {
            canvas.fill([MARGIN_PX - 4.0, top, width - 2.0 * MARGIN_PX + 8.0, ROW_PX], GROUND, 255);
        }
        let words = top + (ROW_PX - LETTER_PX as f32) / 2.0;
        let defect = defect(row);
        let room = sensor - MARGIN_PX - 24.0;
        if let Some(defect) = &defect {
            let style = Style { ink: VERMILLION, ..PLAIN };
            canvas.write(defect, [sensor - 20.0, words], Anchor::Right, style);
        }
        if first {
            let room = room - defect.map_or(0.0, |defect| width_of(&defect) + 8.0);
            canvas.write(&fitted(&name(row), room), [MARGIN_PX, words], Anchor::Left, PLAIN);
        }
        canvas.fill([sensor - 14.0, words, 8.0, 8.0], colour_of(row), 255);
        let short = row.sensor.replace("accelerometer", "acc").replace("gyroscope", "gyro");
        canvas.write(&fitted(&short, 56.0), [sensor, words], Anchor::Left, PLAIN);
    }
}

/// What makes a row suspect beyond its clock, in words.
fn defect(row: &Quality) -> Option<String> {
    match (row.not_finite, row.saturated) {
        (1.., _) => Some(format!("{} not finite", row.not_finite)),
        (_, 1..) => Some(format!("{} saturated", row.saturated)),
        _ => None,
    }
}

fn draw_column(canvas: &mut Canvas, column: &Column, shown: &[&Quality], left: f32) {
    let values = shown.iter().flat_map(|row| [(column.value)(row), (column.second)(row)]);
    let (low, high) = range(column.mark, values.flatten().filter(|value| value.is_finite()));
    let room = COLUMN_PX - NUMBER_PX - 6.0;
    let place = |value: f64| left + room * (((value - low) / (high - low)).clamp(0.0, 1.0)) as f32;
    let head = MARGIN_PX + HEAD_PX - 24.0;
    canvas.write(column.title, [left, head - 16.0], Anchor::Left, PLAIN);
    let grey = Style { ink: FRAME, ..PLAIN };
    let (start, end) = (number(low, low == 0.0 || column.whole), number(high, column.whole));
    canvas.write(&start, [left, head], Anchor::Left, grey);
    let anchor = if width_of(&end) + width_of(&start) + 4.0 < room { Anchor::Right } else { Anchor::Left };
    canvas.write(&end, [left + room, head], anchor, grey);
    let bottom = top_of(shown.len());
    for x in [place(low), place(0.0), place(high)] {
        canvas.rule([x, top_of(0) - 4.0], [x, bottom], GRID);
    }
    for (at, row) in shown.iter().enumerate() {
        let middle = top_of(at) + ROW_PX / 2.0;
        let colour = colour_of(row);
        let value = (column.value)(row);
        let text = value.map_or_else(|| "-".to_owned(), |value| number(value, column.whole || value == 0.0));
        let words: Point = [left + COLUMN_PX, middle - LETTER_PX as f32 / 2.0];
        let ink = if value == Some(0.0) || value.is_none() { FRAME } else { palette::INK };
        canvas.write(&text, words, Anchor::Right, Style { ink, ..PLAIN });
        match (column.mark, value.filter(|value| value.is_finite())) {
            (Mark::Bar, Some(value)) if value != 0.0 => {
                let (from, to) = (place(value.min(0.0)), place(value.max(0.0)));
                canvas.fill([from, middle - 4.0, (to - from).max(1.0), 8.0], colour, 255);
            }
            (Mark::Dots, value) => {
                if let Some(second) = (column.second)(row).filter(|second| second.is_finite()) {
                    canvas.diamond([place(second), middle], 5.0, FRAME);
                }
                if let Some(value) = value {
                    canvas.dot([place(value), middle], 3.2, colour);
                }
            }
            _ => {}
        }
    }
}

/// From where to where the marks of a column lie.
fn range(mark: Mark, values: impl Iterator<Item = f64>) -> (f64, f64) {
    let start = if mark == Mark::Bar { (0.0, 0.0) } else { (f64::INFINITY, f64::NEG_INFINITY) };
    let (low, high) = values.fold(start, |(low, high), value| (low.min(value), high.max(value)));
    match mark {
        _ if low > high => (0.0, 1.0),
        Mark::Bar if low == high => (0.0, 1.0),
        Mark::Bar => (low, high),
        // Rates that differ by less than a tenth are alike to the eye as well.
        Mark::Dots => (low.min(0.9 * high).floor(), high.ceil()),
    }
}

/// `value` in at most six letters; a `whole` one without decimals.
fn number(value: f64, whole: bool) -> String {
    match value.abs() {
        size if size >= 999_500.0 => format!("{value:.0e}"),
        size if size >= 99_950.0 => format!("{:.0}k", value / 1000.0),
        size if size >= 99.95 || whole => format!("{value:.0}"),
        size if size >= 9.995 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(count: usize) -> Vec<Quality> {
        let row = |at: usize| Quality {
            subject: format!("s{:02}", at / 2),
            session: "1".to_owned(),
            sensor: Sensor::ALL[at % 2].name().to_owned(),
            readings: 1000,
            mean_rate_hz: Some(90.0 + at as f64),
            median_rate_hz: Some(100.0),
            jitter_ms: (at > 0).then_some(1.5 * at as f64),
            longest_gap_ms: Some(f64::NAN),
            gaps: at as i64,
            duplicate_stamps: 80,
            start_skew_ms: Some(at as f64 - 3.0),
            ..Quality::default()
        };
        (0..count).map(row).collect()
    }

    #[test]
    fn bars_grow_with_the_numbers() {
        let sheet = quality_sheet(&quality::to_batch(&rows(6)), 60).unwrap();
        assert_eq!(sheet.drawn, 6);
        let left = (MARGIN_PX + NAMES_PX[0] + SEAM_PX + 3.0 * (COLUMN_PX + SEAM_PX)) as u32;
        let length = |at: usize| {
            let y = (top_of(at) + ROW_PX / 2.0) as u32;
            let ink = if at.is_multiple_of(2) { BLUE } else { palette::LEFT };
            (left..left + 56).filter(|x| sheet.picture.get_pixel(*x, y).0 == ink).count()
        };
        let lengths: Vec<usize> = (0..6).map(length).collect();
        assert!(lengths.windows(2).all(|pair| pair[0] < pair[1]), "{lengths:?}");
        assert_eq!(lengths[0], 0);
    }

    #[test]
    fn more_rows_make_a_taller_page_up_to_the_most() {
        let batch = quality::to_batch(&rows(40));
        let height = |rows| quality_sheet(&batch, rows).unwrap().picture.height();
        assert_eq!(height(40) - height(10), 30 * ROW_PX as u32);
        assert_eq!(quality_sheet(&batch, 10).unwrap().drawn, 10);
        assert!(quality_sheet(&batch, 0).unwrap_err().hint().is_some());
    }

    #[test]
    fn no_rows_and_other_tables_are_refused() {
        let empty = quality_sheet(&quality::to_batch(&[]), 10).unwrap_err();
        assert_eq!(empty.to_string(), "there are no rows of quality to draw");
        let lacking = quality::to_batch(&rows(2)).project(&[0, 1]).unwrap();
        assert!(quality_sheet(&lacking, 10).unwrap_err().to_string().contains("`device`"));
    }

    #[test]
    fn numbers_fit_their_room() {
        for value in [0.0, 0.004, -8.25, 9.999, 99.96, -123.4, 12_345.6, 123_456.0, 1.2e9, -99_960.0] {
            assert!(number(value, false).len() <= 6, "{}", number(value, false));
        }
        assert_eq!((number(12.34, false), number(3.0, true)), ("12.3".to_owned(), "3".to_owned()));
    }
}
