//! What each column of a log may be.

use schemas::tables::readings::Sensor;

use super::super::number::Clock;
use super::super::sensor_names;
use super::lines::{Cell, Lines};
use super::names;
use super::vectors::{self, Vector};

/// Rates that sensors of people's movements have, Hz.
const RATES: std::ops::RangeInclusive<f64> = 4.0..=2000.0;
/// The most different names that a column of activities or sensors has.
const MOST_NAMES: usize = 64;

/// Where the stamps stand.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Stamp {
    /// Numbers of the clock; why that is unsure.
    Number { column: usize, clock: Clock, doubt: Option<String> },
    /// Date and time, in one column or two.
    Moment { columns: Vec<usize>, zoned: bool, ordered: bool },
    /// A count of readings.
    Count { column: usize },
    /// Nowhere.
    None,
}

/// What the columns of a log may be.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Roles {
    pub(super) stamp: Stamp,
    pub(super) vectors: Vec<Vector>,
    pub(super) subject: Option<usize>,
    pub(super) device: Option<usize>,
    pub(super) session: Option<usize>,
    pub(super) activity: Option<usize>,
    /// The column that says whose reading a line is.
    pub(super) sensor: Option<usize>,
    /// Whether the name of the file says whose readings it holds.
    pub(super) by_file_name: bool,
    /// Columns that could be the stamp too.
    pub(super) other_stamps: Vec<usize>,
}

impl Roles {
    /// The roles of the columns of `lines`, of a file called `name`; `None` where no three of them may be a sensor's.
    pub(super) fn of(lines: &Lines, name: &str) -> Option<Self> {
        let (stamp, other_stamps) = stamp(lines);
        let mut taken = stamp.columns();
        taken.extend(&other_stamps);
        let sensor = sensor_column(lines, &taken);
        taken.extend(sensor);
        let mut named = |is: fn(&str) -> bool| {
            let found = (0..lines.columns).find(|at| {
                !taken.contains(at) && lines.names.get(*at).is_some_and(|name| !name.is_empty() && is(name))
            });
            taken.extend(found);
            found
        };
        let subject = named(names::is_subject);
        let (device, session) = (named(names::is_device), named(names::is_session));
        let activity = named(names::is_activity);
        let activity = activity.or_else(|| activity_column(lines, &taken));
        taken.extend(activity);
        let of_file = sensor_of_file(name);
        let triples = vectors::triples(lines, &taken);
        let mut found = match sensor {
            Some(column) => one_below_the_other(lines, &triples, column),
            None => vectors::vectors(lines, &triples, of_file),
        };
        // A log of another sensor may look like one of these.
        if found.is_empty()
            || (of_file.is_none() && is_of_another(name) && found.iter().any(|vector| vector.doubt.is_some()))
        {
            return None;
        }
        found.sort_by_key(|vector| vector.sensor);
        let plain = lines.names.is_empty()
            || found.iter().all(|vector| {
                let stem = lines
                    .names
                    .get(vector.columns[0])
                    .and_then(|name| names::axis(name))
                    .map(|(_, stem)| stem);
                stem.is_some_and(|stem| names::sensor(&stem).is_none())
            });
        let by_file_name = of_file.is_some() && sensor.is_none() && found.len() == 1 && plain;
        Some(Self {
            stamp,
            vectors: found,
            subject,
            device,
            session,
            activity,
            sensor,
            by_file_name,
            other_stamps,
        })
    }

    /// Whether another file may be read by the same keys.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        let stamp = |roles: &Self| match &roles.stamp {
            Stamp::Number { column, clock, .. } => (vec![*column], Some(*clock)),
            stamp => (stamp.columns(), None),
        };
        let names = |roles: &Self| {
            (roles.subject, roles.device, roles.session, roles.activity, roles.sensor, roles.by_file_name)
        };
        let vectors = if self.by_file_name {
            other.vectors.iter().all(|other| self.vectors.iter().all(|known| known.columns == other.columns))
        } else {
            let places =
                |roles: &Self| roles.vectors.iter().map(|v| (v.columns, v.sensor)).collect::<Vec<_>>();
            places(self) == places(other)
        };
        stamp(self) == stamp(other) && names(self) == names(other) && vectors
    }

    /// Takes over what another file of the same keys shows: a further sensor, or doubts.
    pub(super) fn join(&mut self, other: &Self) {
        for vector in &other.vectors {
            match self.vectors.iter_mut().find(|known| known.sensor == vector.sensor) {
                None => self.vectors.push(vector.clone()),
                Some(known) if known.unit.written != vector.unit.written => {
                    let doubt = format!("another file looks like {}", vector.unit.written);
                    known.unit.doubt.get_or_insert(doubt);
                }
                Some(_) => {}
            }
        }
        self.vectors.sort_by_key(|vector| vector.sensor);
    }
}

impl Stamp {
    /// The columns.
    pub(super) fn columns(&self) -> Vec<usize> {
        match self {
            Self::Number { column, .. } | Self::Count { column } => vec![*column],
            Self::Moment { columns, .. } => columns.clone(),
            Self::None => Vec::new(),
        }
    }
}

/// The stamps of `lines`, and other columns that could be them.
fn stamp(lines: &Lines) -> (Stamp, Vec<usize>) {
    let all = |at: usize, is: fn(&Cell) -> bool| {
        let mut some = false;
        lines.column(at).all(|(_, cell)| {
            some |= is(cell);
            is(cell) || matches!(cell, Cell::Nothing)
        }) && some
    };
    let name = |at: usize| lines.names.get(at).map_or("", String::as_str);
    let columns = || 0..lines.columns;
    let moment = columns().find(|at| all(*at, |cell| matches!(cell, Cell::Moment { .. })));
    let dated = columns().find(|at| all(*at, |cell| matches!(cell, Cell::Date)));
    let timed = columns().find(|at| all(*at, |cell| matches!(cell, Cell::Time)));
    // Numbers that go on: named so, or, without a header, the first one.
    let rising: Vec<usize> = columns()
        .filter(|at| all(*at, |cell| matches!(cell, Cell::Number(_))) && rises(lines, *at))
        .collect();
    let (mut numbers, counters): (Vec<usize>, Vec<usize>) = rising.into_iter().partition(|at| {
        (lines.names.is_empty() || !names::is_counter(name(*at))) && clock(lines, *at).is_some()
    });
    if !lines.names.is_empty() {
        numbers.retain(|at| names::is_stamp(name(*at)));
    }
    // Without names, readings that rise for a while look like stamps.
    let named = !lines.names.is_empty();
    let others = |chosen: &[usize]| {
        numbers.iter().copied().filter(|at| named && !chosen.contains(at)).collect::<Vec<_>>()
    };
    let kind = |at: usize| {
        let told = lines.column(at).filter_map(|(_, cell)| match cell {
            Cell::Moment { zoned, ordered } => Some((*zoned, *ordered)),
            _ => None,
        });
        told.fold((true, true), |all, one| (all.0 && one.0, all.1 && one.1))
    };
    if let Some(column) = numbers.first() {
        let (clock, doubt) = clock(lines, *column).unwrap_or((Clock::Milliseconds, None));
        return (Stamp::Number { column: *column, clock, doubt }, others(&[*column]));
    }
    if let Some(column) = moment {
        let (zoned, ordered) = kind(column);
        return (Stamp::Moment { columns: vec![column], zoned, ordered }, others(&[column]));
    }
    if let (Some(date), Some(time)) = (dated, timed) {
        let ordered = !lines
            .column(date)
            .any(|(text, _)| text.contains('/') && !text.starts_with("20") && !text.starts_with("19"));
        return (Stamp::Moment { columns: vec![date, time], zoned: false, ordered }, others(&[date, time]));
    }
    match counters.first() {
        Some(column) => (Stamp::Count { column: *column }, Vec::new()),
        None => (Stamp::None, Vec::new()),
    }
}

/// Whether the numbers of a column mostly go up, and hardly ever down.
fn rises(lines: &Lines, at: usize) -> bool {
    let numbers = lines.numbers(at);
    let ups = numbers.windows(2).filter(|pair| pair[1] > pair[0]).count();
    let downs = numbers.windows(2).filter(|pair| pair[1] < pair[0]).count();
    // Sensors one below the other, or of several people, repeat stamps and begin anew.
    numbers.len() > 2 && ups * 10 >= numbers.len() && downs * 10 <= numbers.len()
}

/// The unit of the stamps in a column, by its name or by the steps, and why it is unsure; `None` for a count of readings.
fn clock(lines: &Lines, at: usize) -> Option<(Clock, Option<String>)> {
    let numbers = lines.numbers(at);
    let mut steps: Vec<f64> =
        numbers.windows(2).map(|pair| pair[1] - pair[0]).filter(|step| *step > 0.0).collect();
    steps.sort_by(f64::total_cmp);
    let (median, first, last) = (*steps.get(steps.len() / 2)?, *steps.first()?, *steps.last()?);
    if (first, last) == (1.0, 1.0) {
        return None;
    }
    let words = lines.names.get(at).map_or(Vec::new(), |name| names::words(name));
    let named = |names: &[&str]| words.iter().skip(1).any(|word| names.contains(&word.as_str()));
    let by_name = [
        (&["ns", "nanos", "nanoseconds"][..], Clock::Nanoseconds),
        (&["us", "micros", "microseconds"], Clock::Microseconds),
        (&["ms", "millis", "milliseconds"], Clock::Milliseconds),
        (&["s", "sec", "secs", "seconds"], Clock::Seconds),
    ];
    let units = [
        (Clock::Seconds, 1.0),
        (Clock::Milliseconds, 1e3),
        (Clock::Microseconds, 1e6),
        (Clock::Nanoseconds, 1e9),
    ];
    let sized =
        units.into_iter().find(|(_, a_second)| RATES.contains(&(a_second / median))).map(|(clock, _)| clock);
    let told = by_name.into_iter().find(|(words, _)| named(words)).map(|(_, clock)| clock);
    match (told, sized) {
        (Some(told), Some(sized)) if told != sized => {
            Some((told, Some(format!("its name says so, its steps of {median} look like another unit"))))
        }
        (Some(told), _) => Some((told, None)),
        (None, Some(sized)) => Some((sized, None)),
        (None, None) => Some((
            Clock::Milliseconds,
            Some(format!("steps of {median} fit no unit at a rate of 4 to 2000 Hz")),
        )),
    }
}

/// The distinct texts of a column of names; `None` where it has numbers or too many names.
fn texts(lines: &Lines, at: usize) -> Option<Vec<&str>> {
    let mut found: Vec<&str> = Vec::new();
    for (text, cell) in lines.column(at) {
        match cell {
            Cell::Text if !found.contains(&text.as_str()) => found.push(text),
            Cell::Text | Cell::Nothing => {}
            _ => return None,
        }
        if found.len() > MOST_NAMES {
            return None;
        }
    }
    (!found.is_empty()).then_some(found)
}

/// The column that names sensors, row by row.
fn sensor_column(lines: &Lines, taken: &[usize]) -> Option<usize> {
    (0..lines.columns).filter(|at| !taken.contains(at)).find(|at| {
        texts(lines, *at).is_some_and(|names| names.iter().any(|name| sensor_names::is_plain(name)))
    })
}

/// The first column of few names.
fn activity_column(lines: &Lines, taken: &[usize]) -> Option<usize> {
    let is_axis = |at: &usize| lines.names.get(*at).is_some_and(|name| names::axis(name).is_some());
    let free = (0..lines.columns).filter(|at| !taken.contains(at) && !is_axis(at));
    free.into_iter().find(|at| texts(lines, *at).is_some())
}

/// The vectors of a log that has its sensors one below the other, named in `column`.
fn one_below_the_other(lines: &Lines, triples: &[vectors::Triple], column: usize) -> Vec<Vector> {
    let of = |sensor: Sensor| {
        let rows = lines.rows.iter().filter(|row| {
            let name = row[column].0.as_str();
            sensor_names::is_plain(name) && sensor_names::sensor(name) == Some(sensor)
        });
        let part = Lines { rows: rows.cloned().collect(), ..lines.clone() };
        if part.rows.is_empty() {
            return None;
        }
        vectors::vectors(&part, triples, Some(sensor)).into_iter().next()
    };
    Sensor::ALL.into_iter().filter_map(of).collect()
}

/// The sensor that the name of a file names.
fn sensor_of_file(path: &str) -> Option<Sensor> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let words = name.split(|letter: char| !letter.is_alphanumeric());
    words.into_iter().find_map(sensor_names::sensor)
}

/// Whether the name of a file names a sensor that is neither.
fn is_of_another(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path).to_lowercase();
    ["magn", "mag_", "_mag", "gravity", "orientation", "linear", "location", "rotation", "baro"]
        .iter()
        .any(|word| name.contains(word))
}
