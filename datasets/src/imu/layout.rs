//! What to do with each column of one file, decided before its first line is parsed.

use schemas::tables::readings::Sensor;

use super::columns::ColumnRef;
use super::faults::Fault;
use super::fields::fields;
use super::file_group::{DecimalMark, FileGroup, NameFrom, SensorNames, StampColumns};
use super::header::{self, Start, bare};
use super::moment::Rules;
use super::number::Clock;
use super::reasons;
use super::sensor_names;

/// How many lines vote on the number of columns of a file without header.
const VOTING_LINES: usize = 100;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    /// The stamp, or its date.
    Stamp,
    /// The time of a stamp whose date stands in another column.
    Time,
    /// A reading: 3 x the sensor's place in [`Layout::sensors`] + the axis.
    Value(usize),
    /// A name, of the label column of that number.
    Label(usize),
}

/// One column that is used.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    /// The column, from 0.
    pub(super) column: usize,
    /// Columns between the step before and this one.
    pub(super) skip: usize,
    /// What it holds.
    pub(super) action: Action,
}

/// Which label column says who, with what, when, doing what, by which sensor; `None` where no column does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Roles {
    pub(super) subject: Option<usize>,
    pub(super) device: Option<usize>,
    pub(super) session: Option<usize>,
    pub(super) activity: Option<usize>,
    pub(super) sensor: Option<usize>,
}

/// How the stamp of a line comes about.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Stamps {
    /// A number of the clock.
    Number,
    /// Date and time, in one column or two.
    Moment(Rules),
    /// A count of readings, this many nanoseconds apart.
    Count(f64),
    /// The number of the line, counted from the first one that may be a reading; lines are this many nanoseconds apart.
    Lines(f64),
}

/// A sensor of a file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct OfSensor {
    pub(super) sensor: Sensor,
    /// What makes our unit of its readings.
    pub(super) factor: f64,
    /// What is added to its stamps.
    pub(super) offset_nanos: i64,
}

/// What to do with each column of one file.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    pub(super) separator: u8,
    /// The byte to pass over before a field: a space, where spaces do not separate.
    pub(super) blank: u8,
    /// Whether commas are decimal marks.
    pub(super) decimal_comma: bool,
    /// How comments begin; empty where there are none.
    pub(super) comment: Vec<u8>,
    /// The unit of stamps that are numbers.
    pub(super) clock: Clock,
    pub(super) stamps: Stamps,
    /// Columns of a line.
    pub(super) columns: usize,
    /// The columns that are used, from left to right.
    pub(super) steps: Vec<Step>,
    pub(super) sensors: Vec<OfSensor>,
    /// How many label columns there are.
    pub(super) labels: usize,
    pub(super) roles: Roles,
    /// Whether lines are read where they lie, as numbers and names; else each needs a closer look.
    pub(super) plain: bool,
    /// Whether other groups read the file too: a line may then hold nothing for this one.
    pub(super) shared: bool,
    /// The names of sensors in the column that says whose reading a line is.
    sensor_names: Option<SensorNames>,
    /// Names of the columns, where the file has a header.
    names: Vec<String>,
}

impl Layout {
    /// The layout of a file of `group` whose first lines are `bytes`, of these of its sensors, and where its readings begin.
    ///
    /// # Errors
    /// When the header does not have the columns, or two uses name the same one.
    pub(super) fn new(group: &FileGroup, of_file: &[Sensor], bytes: &[u8]) -> Result<(Self, Start), Fault> {
        let separator = group.separator.get();
        let wanted = header::wanted(group, of_file);
        let (names, start) = header::find(group, &wanted, bytes)?;
        let rate = |rate: schemas::units::Hertz| 1e9 / rate.get();
        let rules = Rules { zone: group.zone, order: group.date_order };
        let clock = group.clock.and_then(super::file_group::StampClock::unit);
        let stamps = match (&group.stamp, group.rate_hz) {
            (Some(_), Some(rate_hz)) => Stamps::Count(rate(rate_hz)),
            (Some(_), None) if clock.is_none() => Stamps::Moment(rules),
            (Some(_), None) => Stamps::Number,
            (None, rate_hz) => Stamps::Lines(rate_hz.map_or(0.0, rate)),
        };
        let decimal_comma = group.decimal == DecimalMark::Comma;
        let mut layout = Self {
            separator,
            blank: if separator == b' ' { b'\t' } else { b' ' },
            decimal_comma,
            comment: group.comment.trim().as_bytes().to_vec(),
            clock: clock.unwrap_or(Clock::Nanoseconds),
            stamps,
            columns: 0,
            steps: Vec::new(),
            sensors: Vec::new(),
            labels: 0,
            roles: Roles::default(),
            plain: !decimal_comma
                && group.sensor.is_none()
                && matches!(stamps, Stamps::Number | Stamps::Lines(_)),
            shared: false,
            sensor_names: group.sensor.clone(),
            names,
        };
        match &group.stamp {
            Some(StampColumns::One(column)) => layout.add(column, Action::Stamp)?,
            Some(StampColumns::DateAndTime([date, time])) => {
                layout.add(date, Action::Stamp)?;
                layout.add(time, Action::Time)?;
            }
            None => {}
        }
        layout.add_sensors(group, of_file)?;
        layout.roles = Roles {
            subject: layout.label(group.subject.as_ref())?,
            device: layout.label(group.device.as_ref())?,
            session: layout.label(group.session.as_ref())?,
            activity: layout.label(group.activity.as_ref())?,
            sensor: group.sensor.as_ref().map(|sensor| layout.label_column(&sensor.column)).transpose()?,
        };
        layout.steps.sort_by_key(|step| step.column);
        let mut next = 0;
        for step in &mut layout.steps {
            step.skip = step.column - next;
            next = step.column + 1;
        }
        let counted = match group.columns {
            Some(columns) => columns.get() as usize,
            None if group.header => layout.names.len(),
            None => layout.common_count(&bytes[start.bytes..]),
        };
        layout.columns = counted.max(next);
        Ok((layout, start))
    }

    /// Columns behind the last one that is used.
    pub(super) fn rest(&self) -> usize {
        self.columns - self.steps.last().map_or(0, |step| step.column + 1)
    }

    /// The column as messages name it: `3 (x)`.
    pub(super) fn describe(&self, column: usize) -> String {
        match self.names.get(column) {
            Some(name) => format!("{} (`{name}`)", column + 1),
            None => format!("{}", column + 1),
        }
    }

    /// Whether the file has a header.
    pub(super) fn has_header(&self) -> bool {
        !self.names.is_empty()
    }

    /// Whether `line` is a comment.
    pub(super) fn is_comment(&self, line: &[u8]) -> bool {
        !self.comment.is_empty() && line.trim_ascii_start().starts_with(&self.comment)
    }

    /// The place in [`Self::sensors`] of the sensor that the column of sensors calls `name`.
    pub(super) fn sensor_called(&self, name: &str) -> Option<usize> {
        let names = self.sensor_names.as_ref()?;
        self.sensors.iter().position(|of| {
            let told = match of.sensor {
                Sensor::Accelerometer => &names.accelerometer,
                Sensor::Gyroscope => &names.gyroscope,
            };
            match told {
                Some(told) => told == name,
                None => sensor_names::is_plain(name) && sensor_names::sensor(name) == Some(of.sensor),
            }
        })
    }

    /// The sensors with their columns; those of a log that has them one below the other share theirs.
    fn add_sensors(&mut self, group: &FileGroup, of_file: &[Sensor]) -> Result<(), Fault> {
        let declared = [
            (Sensor::Accelerometer, &group.sensors.accelerometer, group.units.accelerometer.factor()),
            (Sensor::Gyroscope, &group.sensors.gyroscope, group.units.gyroscope.factor()),
        ];
        let offsets = [group.clock_offset_ms.accelerometer, group.clock_offset_ms.gyroscope];
        for ((sensor, columns, factor), offset) in declared.into_iter().zip(offsets) {
            let Some(columns) = columns.as_ref().filter(|_| of_file.contains(&sensor)) else {
                continue;
            };
            if group.sensor.is_none() || self.sensors.is_empty() {
                for (axis, column) in columns.iter().enumerate() {
                    self.add(column, Action::Value(3 * self.sensors.len() + axis))?;
                }
            }
            self.sensors.push(OfSensor { sensor, factor, offset_nanos: (offset * 1e6).round() as i64 });
        }
        Ok(())
    }

    fn add(&mut self, column: &ColumnRef, action: Action) -> Result<(), Fault> {
        let column = self.find(column)?;
        if self.steps.iter().any(|step| step.column == column) {
            let detail = format!("column {} is used twice", self.describe(column));
            return Err(Fault::new(reasons::COLUMNS_DO_NOT_FIT, detail));
        }
        self.steps.push(Step { column, skip: 0, action });
        Ok(())
    }

    /// The label column of a name.
    fn label(&mut self, name: Option<&NameFrom>) -> Result<Option<usize>, Fault> {
        let Some(NameFrom::Column(column)) = name else { return Ok(None) };
        self.label_column(column).map(Some)
    }

    /// The label column that stands in `column`; one column may serve several.
    fn label_column(&mut self, column: &ColumnRef) -> Result<usize, Fault> {
        let place = self.find(column)?;
        let same = self.steps.iter().find_map(|step| match step.action {
            Action::Label(label) if step.column == place => Some(label),
            _ => None,
        });
        if let Some(same) = same {
            return Ok(same);
        }
        self.add(column, Action::Label(self.labels))?;
        self.labels += 1;
        Ok(self.labels - 1)
    }

    fn find(&self, column: &ColumnRef) -> Result<usize, Fault> {
        let place = match column {
            ColumnRef::Number(number) => (*number as usize).checked_sub(1),
            ColumnRef::Name(name) => self.names.iter().position(|found| found == name),
        };
        let header = self.has_header();
        place.filter(|place| !header || *place < self.names.len()).ok_or_else(|| {
            let names: Vec<String> = self.names.iter().map(|name| format!("`{name}`")).collect();
            let has = if header {
                format!("the header has {}{}", names.join(", "), header::hint(&self.names))
            } else {
                "there is no header".into()
            };
            Fault::new(reasons::COLUMNS_DO_NOT_FIT, format!("no column {column}; {has}"))
        })
    }

    /// The number of columns that most of the first lines have; of equals, the larger.
    fn common_count(&self, bytes: &[u8]) -> usize {
        let mut counts = std::collections::BTreeMap::new();
        let lines = bytes.split(|byte| *byte == b'\n').map(|line| bare(line, self.separator));
        let lines = lines.filter(|line| !line.trim_ascii().is_empty() && !self.is_comment(line));
        for line in lines.take(VOTING_LINES) {
            let Ok(fields) = fields(line, self.separator) else { continue };
            let ends_empty = fields.len() > 1 && fields.last().is_some_and(|last| last.is_empty());
            *counts.entry(fields.len() - usize::from(ends_empty)).or_insert(0u32) += 1;
        }
        counts.into_iter().max_by_key(|(columns, votes)| (*votes, *columns)).map_or(0, |(columns, _)| columns)
    }
}
