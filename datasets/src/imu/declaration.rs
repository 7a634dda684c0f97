//! What a plan declares of CSV logs, completed by its preset and checked.

use std::path::PathBuf;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use schemas::tables::readings::{self, Sensor};

use super::Logs;
use super::config::CsvLogs;
use super::file_group::{Cut, FileGroup, NameFrom};
use super::pattern::{Field, Given};
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
        }
        sensors.sort_unstable();
        sensors.dedup();
        let column = |name: fn(&FileGroup) -> &Option<NameFrom>| {
            groups.iter().any(|group| matches!(name(group), Some(NameFrom::Column(_))))
        };
        let by_column =
            [column(|group| &group.subject), column(|group| &group.device), column(|group| &group.session)];
        Ok(Self { dataset, by_column, sensors, cut: config.sessions.clone().or(cut), groups })
    }

    /// Subject, device and session of a file, where no column gives them.
    pub(super) fn known(group: &FileGroup, given: &Given<'_>) -> [Option<String>; 3] {
        let names = [&group.subject, &group.device, &group.session];
        [0, 1, 2].map(|place| match names[place] {
            Some(NameFrom::Column(_)) => None,
            Some(NameFrom::Value(name)) => Some(name.clone()),
            None => given[place].map(str::to_owned),
        })
    }

    /// How many parts of a path matter.
    pub(super) fn depth(&self) -> usize {
        let events = match &self.cut {
            Some(Cut::Events(events)) => events.pattern.depth(),
            _ => 0,
        };
        self.groups.iter().map(|group| group.pattern.depth()).max().unwrap_or(1).max(events)
    }
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
pub(super) fn sensors(group: &FileGroup, given: &Given<'_>) -> Vec<Sensor> {
    let mut sensors = declared(group);
    if let Some(name) = given[Field::Sensor as usize] {
        let name = name.to_lowercase();
        sensors.retain(|sensor| name.starts_with(&sensor.name()[..3]));
    }
    sensors
}
