//! Which three columns are x, y and z of which sensor, and in which unit.

use schemas::tables::readings::Sensor;

use super::super::units::STANDARD_GRAVITY;
use super::lines::{Cell, Lines};
use super::names;

/// How far the median length of an acceleration may be from gravity, as a share: people move, sensors are off by some percent.
const NEAR_GRAVITY: f64 = 0.15;
/// Counts of converters for 1 g: 2^8 to 2^14, those of ranges from 2 to 16 g at 10 to 16 bits.
const COUNTS: std::ops::RangeInclusive<u32> = 8..=14;
/// Turns above this are beyond 2000 deg/s, the range of phones, in rad/s; in deg/s they are slow.
const FAST_RADIANS: f64 = 35.0;
/// The share of readings below which the size of turns is judged.
const SIZE_SHARE: f64 = 0.95;

/// Three columns of a sensor.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Vector {
    pub(super) columns: [usize; 3],
    pub(super) sensor: Sensor,
    pub(super) unit: Unit,
    /// Why the sensor is unsure; nothing where its name says it.
    pub(super) doubt: Option<String>,
}

/// A unit as layouts write it, and why it is unsure.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Unit {
    pub(super) written: String,
    pub(super) doubt: Option<String>,
}

/// Three columns that belong together, and what their names have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Triple {
    pub(super) columns: [usize; 3],
    pub(super) stem: String,
}

/// The triples of `lines` by their names or, without a header, of neighbouring columns of numbers that are not `taken`.
pub(super) fn triples(lines: &Lines, taken: &[usize]) -> Vec<Triple> {
    if lines.names.is_empty() {
        let free: Vec<usize> =
            (0..lines.columns).filter(|at| !taken.contains(at) && holds_readings(lines, *at)).collect();
        let runs = free.chunk_by(|a, b| a + 1 == *b);
        let of_run = |run: &[usize]| -> Vec<[usize; 3]> { run.as_chunks::<3>().0.to_vec() };
        return runs.flat_map(of_run).map(|columns| Triple { columns, stem: String::new() }).collect();
    }
    let mut stems: Vec<(String, [Option<usize>; 3])> = Vec::new();
    for (at, name) in lines.names.iter().enumerate().filter(|(at, _)| !taken.contains(at)) {
        let Some((axis, stem)) = names::axis(name) else { continue };
        let free =
            |(known, columns): &&mut (String, [Option<usize>; 3])| *known == stem && columns[axis].is_none();
        if let Some((_, columns)) = stems.iter_mut().find(free) {
            columns[axis] = Some(at);
        } else {
            let mut columns = [None; 3];
            columns[axis] = Some(at);
            stems.push((stem, columns));
        }
    }
    let whole = |(stem, columns): (String, [Option<usize>; 3])| {
        let [Some(x), Some(y), Some(z)] = columns else { return None };
        let columns = [x, y, z];
        columns.iter().all(|at| holds_numbers(lines, *at)).then_some(Triple { columns, stem })
    };
    stems.into_iter().filter_map(whole).collect()
}

/// The vectors of a log with these triples whose file is of `of_file`, where its name says so.
pub(super) fn vectors(lines: &Lines, triples: &[Triple], of_file: Option<Sensor>) -> Vec<Vector> {
    let mut found: Vec<Vector> = Vec::new();
    for sensor in Sensor::ALL {
        let named = triples.iter().filter_map(|triple| {
            names::sensor(&triple.stem).filter(|(of, _)| *of == sensor).map(|(_, made)| (made, triple))
        });
        let mut named: Vec<(u8, &Triple)> = named.collect();
        named.sort_by_key(|(made, _)| *made);
        let Some((made, triple)) = named.first() else { continue };
        let mut doubts = Vec::new();
        if *made > 0 {
            doubts.push("by its name it may be made of the sensor's readings".to_owned());
        }
        if named.len() > 1 {
            let others =
                named[1..].iter().map(|(_, triple)| describe(lines, triple)).collect::<Vec<_>>().join("; ");
            doubts.push(format!("others could be it too: {others}"));
        }
        let doubt = (!doubts.is_empty()).then(|| doubts.join("; "));
        found.push(Vector { columns: triple.columns, sensor, unit: unit(lines, triple, sensor), doubt });
    }
    if !found.is_empty() {
        return found;
    }
    // Names that say nothing but the axis: the file's name says whose they are, or their size does.
    let plain: Vec<&Triple> =
        triples.iter().filter(|triple| lines.names.is_empty() || !names_another(&triple.stem)).collect();
    if let Some(sensor) = of_file
        && let Some(triple) = plain.first()
    {
        let doubt = (plain.len() > 1).then(|| "the first three of more columns of numbers".to_owned());
        return vec![Vector { columns: triple.columns, sensor, unit: unit(lines, triple, sensor), doubt }];
    }
    let heavy = plain.iter().position(|triple| gravity(&lengths(lines, triple)).is_some());
    let Some(at) = heavy else {
        return Vec::new();
    };
    let by_size = |triple: &Triple, sensor: Sensor, why: &str| Vector {
        columns: triple.columns,
        sensor,
        unit: unit(lines, triple, sensor),
        doubt: Some(why.to_owned()),
    };
    found.push(by_size(
        plain[at],
        Sensor::Accelerometer,
        "by its length alone, which is about that of gravity",
    ));
    if let Some(next) = plain.get(at + 1).or_else(|| plain.first().filter(|_| at > 0)) {
        found.push(by_size(next, Sensor::Gyroscope, "by its place beside the accelerometer alone"));
    }
    found
}

/// Whether a stem names a sensor that is neither.
fn names_another(stem: &str) -> bool {
    ["mag", "grav", "ori", "att", "quat", "rot", "euler", "lin"]
        .iter()
        .any(|beginning| stem.split(' ').any(|word| word.starts_with(beginning)))
}

fn describe(lines: &Lines, triple: &Triple) -> String {
    let name =
        |at: &usize| lines.names.get(*at).map_or_else(|| (at + 1).to_string(), |name| format!("`{name}`"));
    triple.columns.iter().map(name).collect::<Vec<_>>().join(", ")
}

/// Whether a column holds numbers where it holds anything.
fn holds_numbers(lines: &Lines, at: usize) -> bool {
    let mut some = false;
    lines.column(at).all(|(_, cell)| {
        some |= matches!(cell, Cell::Number(_));
        matches!(cell, Cell::Number(_) | Cell::Nothing)
    }) && some
}

/// Whether a column holds numbers that vary as readings do: not those of a person or an activity.
fn holds_readings(lines: &Lines, at: usize) -> bool {
    let mut numbers = lines.numbers(at);
    if !holds_numbers(lines, at) {
        return false;
    }
    let whole = numbers.iter().all(|number| number.fract() == 0.0);
    numbers.sort_by(f64::total_cmp);
    numbers.dedup();
    !whole || numbers.len() > 2
}

/// The lengths of the vectors, sorted.
fn lengths(lines: &Lines, triple: &Triple) -> Vec<f64> {
    let length = |row: &Vec<(String, Cell)>| {
        let square = |at: &usize| match row[*at].1 {
            Cell::Number(value) => Some(value * value),
            _ => None,
        };
        triple.columns.iter().map(square).sum::<Option<f64>>().map(f64::sqrt)
    };
    let mut lengths: Vec<f64> = lines.rows.iter().filter_map(length).collect();
    lengths.sort_by(f64::total_cmp);
    lengths
}

/// The unit in which lengths like these are about gravity, as layouts write it, and whether it is one of counts.
fn gravity(lengths: &[f64]) -> Option<(String, bool)> {
    let median = *lengths.get(lengths.len() / 2)?;
    let near = |one: f64| (median / one - 1.0).abs() <= NEAR_GRAVITY;
    for (name, one) in [("m/s2", STANDARD_GRAVITY), ("g", 1.0), ("mg", 1000.0)] {
        // 1024 counts are not told from 1000 mg; the sensors that give thousandths are far more common.
        if near(one) {
            return Some((format!("\"{name}\""), false));
        }
    }
    let counts = COUNTS.map(|power| f64::from(1_u32 << power)).find(|counts| near(*counts))?;
    Some((format!("{{ scale = {}, unit = \"g\" }}", 1.0 / counts), true))
}

/// The unit of a sensor, by the names of its columns or by the size of its readings.
fn unit(lines: &Lines, triple: &Triple, sensor: Sensor) -> Unit {
    let name = lines.names.get(triple.columns[0]).map_or("", String::as_str);
    let told = name.split(['(', '[', '{']).nth(1).map(|text| text.trim_end_matches([')', ']', '}']).trim());
    let lower = told.unwrap_or_default().to_lowercase();
    let sure = |written: &str| Unit { written: format!("\"{written}\""), doubt: None };
    let unsure = |written: String, doubt: &str| Unit { written, doubt: Some(doubt.to_owned()) };
    let lengths = lengths(lines, triple);
    match sensor {
        Sensor::Accelerometer => {
            let named = match lower.as_str() {
                "g" | "g's" | "gs" => Some("g"),
                "mg" | "milli-g" => Some("mg"),
                text if text.starts_with("m/s") || text.starts_with("ms") || text.starts_with("m s") => {
                    Some("m/s2")
                }
                _ => None,
            };
            let sized = gravity(&lengths);
            match (named, sized) {
                (Some(named), None) => sure(named),
                (Some(named), Some((sized, _))) if sized == format!("\"{named}\"") => sure(named),
                (Some(named), Some((sized, _))) => unsure(
                    format!("\"{named}\""),
                    &format!("the header says so, the readings look like {sized}"),
                ),
                (None, Some((sized, true))) => unsure(sized, "raw counts, by their length at about 1 g"),
                (None, Some((sized, false))) => Unit { written: sized, doubt: None },
                (None, None) => unsure(
                    "\"m/s2\"".to_owned(),
                    "the length is not that of gravity in any unit: gravity may have been taken out",
                ),
            }
        }
        Sensor::Gyroscope => {
            let words = names::words(name);
            if lower.contains("deg")
                || lower.contains("dps")
                || lower.contains('\u{b0}')
                || words.iter().any(|word| word == "dps")
            {
                return sure("deg/s");
            }
            if lower.contains("rad") {
                return sure("rad/s");
            }
            let large = lengths.get((lengths.len() as f64 * SIZE_SHARE) as usize).or(lengths.last());
            if large.is_some_and(|large| *large > FAST_RADIANS) {
                return unsure("\"deg/s\"".to_owned(), "by the size of the turns, too fast for rad/s");
            }
            unsure(
                "\"rad/s\"".to_owned(),
                "by the size of the turns alone: slow ones in deg/s look like this too",
            )
        }
    }
}
