//! What to do with each column of one file, decided before its first line is parsed.

use schemas::tables::readings::Sensor;

use super::columns::ColumnRef;
use super::faults::Fault;
use super::fields::fields;
use super::file_group::{FileGroup, NameFrom};
use super::number::Clock;
use super::reasons;

/// How many lines vote on the number of columns of a file without header.
const VOTING_LINES: usize = 100;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    /// The stamp.
    Stamp,
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

/// Which label column says who, with what, when, doing what; `None` where no column does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Roles {
    pub(super) subject: Option<usize>,
    pub(super) device: Option<usize>,
    pub(super) session: Option<usize>,
    pub(super) activity: Option<usize>,
}

/// What to do with each column of one file.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    pub(super) separator: u8,
    /// The byte to pass over before a field: a space, where spaces do not separate.
    pub(super) blank: u8,
    pub(super) clock: Clock,
    /// Columns of a line.
    pub(super) columns: usize,
    /// The columns that are used, from left to right.
    pub(super) steps: Vec<Step>,
    /// The sensors, each with the factor that makes our unit of its readings.
    pub(super) sensors: Vec<(Sensor, f64)>,
    /// How many label columns there are.
    pub(super) labels: usize,
    pub(super) roles: Roles,
    /// Names of the columns, where the file has a header.
    names: Vec<String>,
}

impl Layout {
    /// The layout of a file of `group` whose first lines are `bytes`, of these of its sensors, and how
    /// many of the bytes are header.
    ///
    /// # Errors
    /// When the header does not have the columns, or two uses name the same one.
    pub(super) fn new(group: &FileGroup, of_file: &[Sensor], bytes: &[u8]) -> Result<(Self, usize), Fault> {
        let separator = group.separator.get();
        let (names, length) = if group.header { header(bytes, separator)? } else { (Vec::new(), 0) };
        let mut layout = Self {
            separator,
            blank: if separator == b' ' { b'\t' } else { b' ' },
            clock: group.clock,
            columns: 0,
            steps: Vec::new(),
            sensors: Vec::new(),
            labels: 0,
            roles: Roles::default(),
            names,
        };
        layout.add(&group.stamp, Action::Stamp)?;
        let declared = [
            (Sensor::Accelerometer, &group.sensors.accelerometer, group.units.accelerometer.factor()),
            (Sensor::Gyroscope, &group.sensors.gyroscope, group.units.gyroscope.factor()),
        ];
        for (sensor, columns, factor) in declared {
            let Some(columns) = columns.as_ref().filter(|_| of_file.contains(&sensor)) else {
                continue;
            };
            for (axis, column) in columns.iter().enumerate() {
                layout.add(column, Action::Value(3 * layout.sensors.len() + axis))?;
            }
            layout.sensors.push((sensor, factor));
        }
        layout.roles = Roles {
            subject: layout.label(group.subject.as_ref())?,
            device: layout.label(group.device.as_ref())?,
            session: layout.label(group.session.as_ref())?,
            activity: layout.label(group.activity.as_ref())?,
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
            None => common_count(bytes, separator),
        };
        layout.columns = counted.max(next);
        Ok((layout, length))
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

    fn add(&mut self, column: &ColumnRef, action: Action) -> Result<(), Fault> {
        let column = self.find(column)?;
        if self.steps.iter().any(|step| step.column == column) {
            let detail = format!("column {} is used twice", self.describe(column));
            return Err(Fault::new(reasons::COLUMNS_DO_NOT_FIT, detail));
        }
        self.steps.push(Step { column, skip: 0, action });
        Ok(())
    }

    /// The label column of a name; one column may serve several.
    fn label(&mut self, name: Option<&NameFrom>) -> Result<Option<usize>, Fault> {
        let Some(NameFrom::Column(column)) = name else { return Ok(None) };
        let place = self.find(column)?;
        let same = self.steps.iter().find_map(|step| match step.action {
            Action::Label(label) if step.column == place => Some(label),
            _ => None,
        });
        if same.is_some() {
            return Ok(same);
        }
        self.add(column, Action::Label(self.labels))?;
        self.labels += 1;
        Ok(Some(self.labels - 1))
    }

    fn find(&self, column: &ColumnRef) -> Result<usize, Fault> {
        let place = match column {
            ColumnRef::Number(number) => (*number as usize).checked_sub(1),
            ColumnRef::Name(name) => self.names.iter().position(|found| found == name),
        };
        let header = !self.names.is_empty();
        place.filter(|place| !header || *place < self.names.len()).ok_or_else(|| {
            let names: Vec<String> = self.names.iter().map(|name| format!("`{name}`")).collect();
            let has = if header {
                format!("the header has {}", names.join(", "))
            } else {
                "there is no header".into()
            };
            Fault::new(reasons::COLUMNS_DO_NOT_FIT, format!("no column {column}; {has}"))
        })
    }
}

/// The names in the first line of `bytes`, and its length with its end.
fn header(bytes: &[u8], separator: u8) -> Result<(Vec<String>, usize), Fault> {
    let end = memchr::memchr(b'\n', bytes).unwrap_or(bytes.len());
    let names = fields(trimmed(&bytes[..end]), separator)?;
    let mut names: Vec<String> =
        names.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect();
    // A separator at the end of the line makes no column.
    if names.len() > 1 && names.last().is_some_and(String::is_empty) {
        names.pop();
    }
    Ok((names, (end + 1).min(bytes.len())))
}

/// The number of columns that most of the first lines have; of equals, the larger.
fn common_count(bytes: &[u8], separator: u8) -> usize {
    let mut counts = std::collections::BTreeMap::new();
    let lines = bytes.split(|byte| *byte == b'\n').map(trimmed).filter(|line| !line.is_empty());
    for line in lines.take(VOTING_LINES) {
        let Ok(fields) = fields(line, separator) else { continue };
        let ends_empty = fields.len() > 1 && fields.last().is_some_and(|last| last.is_empty());
        *counts.entry(fields.len() - usize::from(ends_empty)).or_insert(0u32) += 1;
    }
    counts.into_iter().max_by_key(|(columns, votes)| (*votes, *columns)).map_or(0, |(columns, _)| columns)
}

/// `line` without the carriage return of its end.
pub(super) fn trimmed(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}
