//! What a plan declares of CSV logs, completed by its preset and checked.

use std::path::PathBuf;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use schemas::tables::readings::{self, Sensor};

use super::Logs;
use super::config::CsvLogs;
use super::file_group::{Cut, FileGroup, NameFrom, StampClock, StampColumns};
use super::pattern::{Field, Fields, Pattern};
use super::sensor_names;
use crate::source::{OpenSource, Source};
use crate::{ReadError, files};

impl CsvLogs {
    /// The declaration with what its layout file says.
    ///
    /// # Errors
    /// When the layout cannot be read or is no declaration.
    fn with_layout(&self) -> Result<Self, ReadError> {
        let Some(layout) = &self.layout else { return Ok(self.clone()) };
        if !self.files.is_empty() {
            return Err(ReadError::unexpected(layout, "logs need either `layout` or `files`", "both"));
        }
        let text = files::read_to_string(layout).map_err(|error| ReadError::io(layout, error))?;
        // The layout says how files look, the plan where they are.
        let place = toml::Value::String(self.path.display().to_string());
        let declared: Self = toml::from_str(&format!("path = {place}\n{text}"))
            .map_err(|error| ReadError::malformed(layout, "layout", error.to_string()))?;
        Ok(Self {
            layout: None,
            dataset: self.dataset.clone().or(declared.dataset),
            preset: self.preset.or(declared.preset),
            sessions: self.sessions.clone().or(declared.sessions),
            ..declared
        })
    }
}

impl Source for CsvLogs {
    fn schema(&self, _inputs: &[SchemaRef]) -> Result<SchemaRef, ReadError> {
        Plan::new(&self.with_layout()?)?;
        Ok(readings::schema())
    }

    /// Logs are found when the source is opened.
    fn files(&self) -> Vec<PathBuf> {
        self.layout.iter().cloned().collect()
    }

    fn open(&self, _inputs: &[Vec<RecordBatch>]) -> Result<OpenSource, ReadError> {
        Ok(Logs::open_csv(&self.with_layout()?)?.into())
    }
}

/// A declaration, complete and checked.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) dataset: String,
    pub(super) groups: Vec<FileGroup>,
    pub(super) cut: Option<Cut>,
    /// Whether a column of some group gives subject, device and session: then it does not distinguish files.
    pub(super) by_column: [bool; 3],
    pub(super) sensors: Vec<Sensor>,
    /// Whether the groups are those of a preset, which names all forms that its files have.
    pub(super) of_preset: bool,
}

impl Plan {
    /// What `config` declares.
    ///
    /// # Errors
    /// When it lacks something, or says it twice.
    pub(super) fn new(config: &CsvLogs) -> Result<Self, ReadError> {
        let wrong = |expected: &str, found: &str| ReadError::unexpected(&config.path, expected, found);
        let (groups, cut) = match config.preset {
            Some(_) if !config.files.is_empty() => {
                return Err(wrong("logs need either `preset` or `files`", "both"));
            }
            Some(preset) => preset.declaration().map_err(|error| wrong("a preset must be sound", &error))?,
            None => (config.files.clone(), None),
        };
        let dataset =
            config.dataset.clone().or_else(|| config.preset.map(|preset| preset.dataset().to_owned()));
        let dataset =
            dataset.ok_or_else(|| wrong("logs need the name of their data set, `dataset`", "none"))?;
        if groups.is_empty() {
            return Err(wrong("logs need `preset` or `files`", "neither"));
        }
        let mut sensors = Vec::new();
        for group in &groups {
            if group.subject.is_none() && !group.pattern.has(Field::Subject) {
                let expected = "`files` need `subject`, or the field `{subject}` in their pattern";
                return Err(wrong(
                    expected,
                    &format!("the pattern `{}`", String::from(group.pattern.clone())),
                ));
            }
            let declared = declared(group);
            if declared.is_empty() {
                return Err(wrong(
                    "`sensors` must name columns of the accelerometer, the gyroscope or both",
                    "none",
                ));
            }
            sensors.extend(declared);
            if let Some((expected, found)) = unsound(group) {
                return Err(wrong(expected, &found));
            }
        }
        if let Some((first, second)) = alike(&groups) {
            let pattern = String::from(groups[first].pattern.clone());
            let expected = "groups of one pattern that give one sensor need a `device` or `session` each";
            let found =
                format!("the same for groups {} and {} of the pattern `{pattern}`", first + 1, second + 1);
            return Err(wrong(expected, &found));
        }
        sensors.sort_unstable();
        sensors.dedup();
        let column = |name: fn(&FileGroup) -> &Option<NameFrom>| {
            groups.iter().any(|group| matches!(name(group), Some(NameFrom::Column(_))))
        };
        let by_column =
            [column(|group| &group.subject), column(|group| &group.device), column(|group| &group.session)];
        let of_preset = config.preset.is_some();
        Ok(Self { dataset, by_column, sensors, of_preset, cut: config.sessions.clone().or(cut), groups })
    }

    /// Subject, device and session of a file, where no column gives them.
    pub(super) fn known(group: &FileGroup, fields: &Fields) -> [Option<String>; 3] {
        let names = [&group.subject, &group.device, &group.session];
        [0, 1, 2].map(|place| match names[place] {
            Some(NameFrom::Column(_)) => None,
            Some(NameFrom::Value(name)) => Some(name.clone()),
            None => fields[place].clone(),
        })
    }

    /// The activity of a file, where it is one for all of it.
    pub(super) fn activity(group: &FileGroup, fields: &Fields) -> Option<String> {
        let name = match &group.activity {
            Some(NameFrom::Column(_)) => return None,
            Some(NameFrom::Value(name)) => name.clone(),
            None => fields[Field::Activity as usize].clone()?,
        };
        Some(group.activities.get(&name).cloned().unwrap_or(name))
    }

    /// The patterns of all groups and of events.
    pub(super) fn patterns(&self) -> impl Iterator<Item = &Pattern> {
        let events = match &self.cut {
            Some(Cut::Events(events)) => Some(&events.pattern),
            _ => None,
        };
        self.groups.iter().map(|group| &group.pattern).chain(events)
    }

    /// How many parts of a path matter.
    pub(super) fn depth(&self) -> usize {
        self.patterns().map(Pattern::depth).max().unwrap_or(1)
    }
}

/// What a group must have and what it has, where its keys contradict each other.
fn unsound(group: &FileGroup) -> Option<(&'static str, String)> {
    let date_time = group.clock == Some(StampClock::DateTime);
    match (&group.stamp, group.clock, group.rate_hz) {
        (Some(_), Some(_), None) | (_, None, Some(_)) => {}
        (None, None, None) => {
            let expected = "`files` need `stamp` and `clock`, or `rate_hz` for logs without a clock";
            return Some((expected, "none of them".to_owned()));
        }
        (Some(_), None, None) => {
            return Some(("`stamp` needs `clock`, or `rate_hz` if it counts readings", "neither".to_owned()));
        }
        (None, Some(_), None) => return Some(("`clock` needs `stamp`", "none".to_owned())),
        (_, Some(_), Some(_)) => {
            return Some(("`rate_hz` is for logs without a `clock`", "both".to_owned()));
        }
    }
    if !date_time && matches!(group.stamp, Some(StampColumns::DateAndTime(_))) {
        return Some((
            "date and time in two columns need `clock = \"date-time\"`",
            "another clock".to_owned(),
        ));
    }
    if !date_time && (group.zone.is_some() || group.date_order.is_some()) {
        return Some(("`zone` and `date_order` need `clock = \"date-time\"`", "another clock".to_owned()));
    }
    let [first, second] = [&group.sensors.accelerometer, &group.sensors.gyroscope];
    if group.sensor.is_some() && first.is_some() && second.is_some() && first != second {
        let expected = "with the key `sensor`, both sensors must have the same columns";
        return Some((expected, "others".to_owned()));
    }
    let offsets = [group.clock_offset_ms.accelerometer, group.clock_offset_ms.gyroscope];
    let wild = offsets.into_iter().find(|offset| offset.is_nan() || offset.abs() > MOST_OFFSET_MS);
    wild.map(|offset| ("`clock_offset_ms` must be from -1e12 to 1e12", offset.to_string()))
}

/// The largest offset of a clock, ms: 30 years.
const MOST_OFFSET_MS: f64 = 1e12;

/// Two groups that would give a sensor of one session twice from one file.
fn alike(groups: &[FileGroup]) -> Option<(usize, usize)> {
    let same = |a: &FileGroup, b: &FileGroup| {
        let sensors = declared(b);
        a.pattern == b.pattern
            && (&a.subject, &a.device, &a.session) == (&b.subject, &b.device, &b.session)
            && declared(a).iter().any(|sensor| sensors.contains(sensor))
    };
    let pairs = (0..groups.len()).flat_map(|second| (0..second).map(move |first| (first, second)));
    pairs.into_iter().find(|(first, second)| same(&groups[*first], &groups[*second]))
}

/// The sensors whose columns `group` names.
fn declared(group: &FileGroup) -> Vec<Sensor> {
    let columns = [&group.sensors.accelerometer, &group.sensors.gyroscope];
    Sensor::ALL
        .into_iter()
        .zip(columns)
        .filter(|(_, columns)| columns.is_some())
        .map(|(sensor, _)| sensor)
        .collect()
}

/// The sensors that a file holds: all of its group, or the one that the field `{sensor}` names by the start of its
/// name, `acc` or `gyr`, in any case. None for a file of another sensor.
pub(super) fn sensors(group: &FileGroup, fields: &Fields) -> Vec<Sensor> {
    let mut sensors = declared(group);
    if let Some(name) = &fields[Field::Sensor as usize] {
        sensors.retain(|sensor| sensor_names::sensor(name) == Some(*sensor));
    }
    sensors
}
