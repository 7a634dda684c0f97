//! Parts of files assembled into sessions.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use schemas::tables::readings::{Sensor, Session, SessionKey, Track, to_batch};
use schemas::tables::rejects::Reject;

use super::Loaded;
use super::faults::file_reject;
use super::labels::Labels;
use super::log_file::FileRows;
use super::reasons;
use super::rows::Part;

/// A session on its way: the parts that the files gave, in their order.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Recorded {
    pub(super) key: SessionKey,
    /// Each with the file that it is from.
    pub(super) parts: Vec<(Arc<str>, Part)>,
}

/// The sessions of one item, in the order in which they first appear.
#[derive(Debug)]
pub(super) struct Assembly {
    dataset: String,
    activities: Labels,
    found: HashMap<[String; 3], usize>,
    pub(super) sessions: Vec<Recorded>,
    pub(super) rejects: Vec<Reject>,
    pub(super) notes: Vec<String>,
}

impl Assembly {
    pub(super) fn new(dataset: &str) -> Self {
        Self {
            dataset: dataset.to_owned(),
            activities: Labels::default(),
            found: HashMap::new(),
            sessions: Vec::new(),
            rejects: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Adds what `file` says. `known` are subject, device and session where no column gives them; `activity` makes the
    /// data set's name of one of the log's, or is the name itself where no column gives it.
    pub(super) fn add(
        &mut self,
        file: &str,
        known: &[Option<String>; 3],
        rows: FileRows,
        activity: &Activity<'_>,
    ) {
        let file: Arc<str> = file.into();
        let names: Vec<i32> = match activity {
            Activity::AsLogged => rows.activities.iter().map(|name| self.activities.number(name)).collect(),
            Activity::Named(named) => {
                rows.activities.iter().map(|name| self.activities.number(named(name))).collect()
            }
            Activity::Renamed(names) => rows
                .activities
                .iter()
                .map(|name| self.activities.number(names.get(name).map_or(name.as_str(), String::as_str)))
                .collect(),
            Activity::Constant(name) => vec![self.activities.number(name)],
        };
        let constant = matches!(activity, Activity::Constant(_));
        for (given, parts) in rows.groups {
            let mut key = [const { String::new() }; 3];
            for (place, name) in key.iter_mut().enumerate() {
                *name = given[place].clone().or_else(|| known[place].clone()).unwrap_or_default();
            }
            let session = self.session(key);
            for mut part in parts {
                if constant {
                    part.track.activity = vec![names[0]; part.track.stamp_nanos.len()];
                } else {
                    part.track.activity.iter_mut().for_each(|activity| *activity = names[*activity as usize]);
                }
                self.sessions[session].parts.push((Arc::clone(&file), part));
            }
        }
        self.rejects.extend(rows.rejects);
    }

    fn session(&mut self, key: [String; 3]) -> usize {
        if let Some(session) = self.found.get(&key) {
            return *session;
        }
        let [subject, device, session] = key.clone();
        let dataset = self.dataset.clone();
        self.sessions
            .push(Recorded { key: SessionKey { dataset, subject, device, session }, parts: Vec::new() });
        self.found.insert(key, self.sessions.len() - 1);
        self.sessions.len() - 1
    }

    /// One batch per session; a session that lacks one of the `expected` sensors is kept, and a reject says so.
    pub(super) fn finish(mut self, expected: &[Sensor]) -> Loaded {
        let mut batches = Vec::with_capacity(self.sessions.len());
        let mut short = Vec::new();
        for Recorded { key, parts } in self.sessions {
            for sensor in expected {
                let Some((file, _)) = parts.first() else { continue };
                if !parts.iter().any(|(_, part)| part.sensor == *sensor) {
                    let SessionKey { subject, device, session, .. } = &key;
                    let detail = format!(
                        "no reading of the {} for subject `{subject}`, device `{device}`, session `{session}`; those of other sensors flow",
                        sensor.name()
                    );
                    self.rejects.push(file_reject(&self.dataset, file, reasons::SENSOR_MISSING, detail));
                }
            }
            if !parts.is_empty() {
                batches.push(to_batch(session(key, parts, &self.activities, &mut short)));
            }
        }
        Loaded { batches, rejects: self.rejects, notes: self.notes }
    }
}

/// How the names of activities come about.
pub(super) enum Activity<'a> {
    /// As the log has them.
    AsLogged,
    /// By a name for each of the log's.
    Named(&'a dyn Fn(&str) -> &'static str),
    /// As the log has them, but for those that have another name.
    Renamed(&'a BTreeMap<String, String>),
    /// One for the whole file.
    Constant(&'a str),
}

/// The session of these parts: a track for each sensor and file, and only the activities that occur. `short` is room for the
/// number of each activity in a session, all `None` between two sessions: clearing it takes no longer than the session is.
fn session(
    key: SessionKey,
    parts: Vec<(Arc<str>, Part)>,
    activities: &Labels,
    short: &mut Vec<Option<i32>>,
) -> Session {
    let track =
        |(file, part): (Arc<str>, Part)| (part.sensor, Track { source_file: file.to_string(), ..part.track });
    let mut tracks: Vec<(Sensor, Track)> = parts.into_iter().map(track).collect();
    tracks.sort_by_key(|(sensor, _)| *sensor);
    short.resize(activities.names().len(), None);
    let mut occurring = Vec::new();
    for activity in tracks.iter_mut().flat_map(|(_, track)| &mut track.activity) {
        *activity = *short[*activity as usize].get_or_insert_with(|| {
            occurring.push(*activity);
            occurring.len() as i32 - 1
        });
    }
    for activity in &occurring {
        short[*activity as usize] = None;
    }
    let names = occurring.iter().map(|activity| activities.name(*activity).to_owned()).collect();
    Session { key, activities: names, tracks }
}
