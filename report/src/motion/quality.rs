//! One sheet of how good logs are: a row a session and sensor, a column a property.

use arrow::array::RecordBatch;
use schemas::tables::quality::{self, Quality};
use schemas::tables::readings::Sensor;

use super::super::Sheet;
use super::super::chart::{Anchor, Figure, LINE_PX, Mark, Shape, TEXT_PX, draw, fitted, width_of};
use super::super::error::{ReportError, within};

/// Rows per page by default.
pub const DEFAULT_ROWS: usize = 60;
/// The most rows of a page.
pub(super) const MOST_ROWS: usize = 800;
/// White about the page, px.
const MARGIN_PX: f64 = 16.0;
/// Least and most room for the names of a row, px.
const NAMES_PX: [f64; 2] = [170.0, 440.0];
/// Room for the name of a sensor with its colour, px.
const SENSOR_PX: f64 = 66.0;
/// Width of a column, px.
const COLUMN_PX: f64 = 116.0;
/// Room for the number within a column, px: six letters.
const NUMBER_PX: f64 = 52.0;
/// Between columns, px.
const SEAM_PX: f64 = 16.0;
/// Height of a row, px.
const ROW_PX: f64 = 20.0;
/// Height of the head, px.
const HEAD_ROWS_PX: f64 = 44.0;
/// Half the height of a bar, px.
const HALF_BAR_PX: f64 = 4.5;

/// How numbers of a column are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Marks {
    /// A bar from zero, to the left where negative.
    Bar,
    /// A dot on a scale that need not begin at zero, with a diamond for a second number.
    Dots,
}

/// A column of the sheet.
struct Column {
    title: &'static str,
    mark: Marks,
    /// Whether its numbers are counts.
    whole: bool,
    value: fn(&Quality) -> Option<f64>,
    second: fn(&Quality) -> Option<f64>,
}

const fn bar(title: &'static str, value: fn(&Quality) -> Option<f64>) -> Column {
    Column { title, mark: Marks::Bar, whole: false, value, second: |_| None }
}

/// What is shown of each row.
const COLUMNS: [Column; 7] = [
    Column {
        title: "rate, Hz",
        mark: Marks::Dots,
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
    "duplicates, backward: readings whose stamp repeats or goes back; start skew: behind the first sensor",
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
pub fn quality_sheet(batch: &RecordBatch, rows: usize) -> Result<Sheet, ReportError> {
    within("rows of quality", rows, 1, MOST_ROWS)?;
    let all = quality::from_batch(batch)?;
    if all.is_empty() {
        return Err(ReportError::NoRows { table: "quality" });
    }
    let chosen = rows.min(all.len());
    let shown: Vec<&Quality> = (0..chosen).map(|number| &all[number * all.len() / chosen]).collect();
    let wide = |text: &str| width_of(text, TEXT_PX);
    let widest =
        shown.iter().map(|row| wide(&name(row)) + defect(row).map_or(0.0, |text| wide(&text) + 16.0));
    let names_px = (widest.fold(0.0, f64::max) + SENSOR_PX + 30.0).clamp(NAMES_PX[0], NAMES_PX[1]).round();
    let legend = LINE_PX * (LEGEND.len() as f64 + 1.0);
    let mut figure = Figure::sized(
        2.0 * MARGIN_PX + names_px + COLUMNS.len() as f64 * (COLUMN_PX + SEAM_PX),
        top_of(chosen) + MARGIN_PX + legend,
    );
    names(&mut figure, &shown, names_px);
    for (at, column) in COLUMNS.iter().enumerate() {
        let left = MARGIN_PX + names_px + SEAM_PX + at as f64 * (COLUMN_PX + SEAM_PX);
        draw_column(&mut figure, column, &shown, left);
    }
    let foot = top_of(chosen) + LINE_PX;
    for (at, text) in LEGEND.iter().enumerate() {
        figure.words([MARGIN_PX, foot + LINE_PX * at as f64], Anchor::Start, *text, "");
    }
    if chosen < all.len() {
        let place = [figure.size[0] - MARGIN_PX, foot + LINE_PX * LEGEND.len() as f64];
        figure.words(place, Anchor::End, format!("{chosen} of {} rows", all.len()), "");
    }
    Ok(Sheet { picture: draw(&figure)?, drawn: chosen, rejects: Vec::new() })
}

/// Height of the upper edge of row `at`, px.
fn top_of(at: usize) -> f64 {
    MARGIN_PX + HEAD_ROWS_PX + ROW_PX * at as f64
}

fn session(row: &Quality) -> [&str; 4] {
    [&row.dataset, &row.subject, &row.device, &row.session]
}

/// The session in one word.
fn name(row: &Quality) -> String {
    let parts = [&row.subject, &row.device, &row.session].map(String::as_str);
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
}

/// The class of the style sheet for the sensor of `row`.
fn class_of(row: &Quality) -> &'static str {
    if row.sensor == Sensor::Accelerometer.name() { "s2" } else { "s4" }
}

/// Grounds and names of the rows: the session once, the sensor in each.
fn names(figure: &mut Figure, shown: &[&Quality], names_px: f64) {
    let sensor = MARGIN_PX + names_px - SENSOR_PX + 14.0;
    for (text, x) in [("session", MARGIN_PX), ("sensor", sensor)] {
        figure.words([x, MARGIN_PX + LINE_PX / 2.0], Anchor::Start, text, "ink");
    }
    let mut striped = true;
    let bar = |place, class: &str| Mark::new(Shape::Bar(place), format!("mark {class}"));
    for (at, row) in shown.iter().enumerate() {
        let first = at == 0 || session(shown[at - 1]) != session(row);
        striped ^= first;
        let (top, middle) = (top_of(at), top_of(at) + ROW_PX / 2.0);
        let ground = [MARGIN_PX - 6.0, top, figure.size[0] - 2.0 * MARGIN_PX + 12.0, ROW_PX];
        figure.marks.push(bar(ground, if striped { "stripe" } else { "plain" }));
        let mut room = sensor - MARGIN_PX - 30.0;
        if let Some(defect) = defect(row) {
            figure.words([sensor - 22.0, middle], Anchor::End, &defect, "warning");
            room -= width_of(&defect, TEXT_PX) + 10.0;
        }
        if first {
            let name = fitted(&name(row), TEXT_PX, room);
            figure.words([MARGIN_PX, middle], Anchor::Start, name, "ink");
        }
        figure.marks.push(bar([sensor - 14.0, middle - 4.0, 8.0, 8.0], class_of(row)));
        let short = row.sensor.replace("accelerometer", "acc").replace("gyroscope", "gyro");
        figure.words([sensor, middle], Anchor::Start, fitted(&short, TEXT_PX, SENSOR_PX - 14.0), "ink");
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

fn draw_column(figure: &mut Figure, column: &Column, shown: &[&Quality], left: f64) {
    let values = shown.iter().flat_map(|row| [(column.value)(row), (column.second)(row)]);
    let (low, high) = range(column.mark, values.flatten().filter(|value| value.is_finite()));
    let room = COLUMN_PX - NUMBER_PX - 6.0;
    let place = |value: f64| left + room * ((value - low) / (high - low)).clamp(0.0, 1.0);
    figure.words([left, MARGIN_PX + LINE_PX / 2.0], Anchor::Start, column.title, "ink");
    let scale = MARGIN_PX + 1.5 * LINE_PX;
    let (start, end) = (number(low, low == 0.0 || column.whole), number(high, column.whole));
    figure.words([left, scale], Anchor::Start, &start, "");
    let right = (left + room).max(left + width_of(&start, TEXT_PX) + width_of(&end, TEXT_PX) + 6.0);
    figure.words([right, scale], Anchor::End, &end, "");
    for x in [place(low), place(0.0), place(high)] {
        let rule = [[x.round(), top_of(0) - 4.0], [x.round(), top_of(shown.len())]];
        figure.marks.push(Mark::new(Shape::Line(rule.to_vec()), "grid"));
    }
    for (at, row) in shown.iter().enumerate() {
        let (middle, class, value) = (top_of(at) + ROW_PX / 2.0, class_of(row), (column.value)(row));
        let text = value.map_or_else(|| "–".to_owned(), |value| number(value, column.whole || value == 0.0));
        let ink = if value == Some(0.0) || value.is_none() { "" } else { "ink" };
        figure.words([left + COLUMN_PX, middle], Anchor::End, text, ink);
        let value = value.filter(|value| value.is_finite());
        match column.mark {
            Marks::Bar => {
                if let Some(value) = value.filter(|value| *value != 0.0) {
                    let (from, to) = (place(value.min(0.0)), place(value.max(0.0)));
                    let bar = [from, middle - HALF_BAR_PX, (to - from).max(1.0), 2.0 * HALF_BAR_PX];
                    figure.marks.push(Mark::new(Shape::Bar(bar), format!("mark {class}")));
                }
            }
            Marks::Dots => {
                let second = (column.second)(row).filter(|second| second.is_finite());
                let diamond = second.map(|second| (Shape::Diamond([place(second), middle]), "s7"));
                let dot = value.map(|value| (Shape::Dot([place(value), middle]), class));
                let marks = [diamond, dot].into_iter().flatten();
                figure.marks.extend(marks.map(|(shape, class)| Mark::new(shape, format!("dot {class}"))));
            }
        }
    }
}

/// From where to where the marks of a column lie.
fn range(mark: Marks, values: impl Iterator<Item = f64>) -> (f64, f64) {
    let start = if mark == Marks::Bar { (0.0, 0.0) } else { (f64::INFINITY, f64::NEG_INFINITY) };
    let (low, high) = values.fold(start, |(low, high), value| (low.min(value), high.max(value)));
    match mark {
        _ if low > high => (0.0, 1.0),
        Marks::Bar if low == high => (0.0, 1.0),
        Marks::Bar => (low, high),
        // Rates that differ by less than a tenth are alike to the eye as well.
        Marks::Dots => (low.min(0.9 * high).floor(), high.ceil()),
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
    use schemas::Hinted;

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
            let ink = if at.is_multiple_of(2) { [0, 114, 178] } else { [201, 138, 0] };
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
