//! One session of HMOG, loaded.

use std::collections::HashMap;
use std::io::Read;
use std::sync::Arc;

use schemas::tables::readings::Sensor;

use super::super::assemble::{Activity, Assembly};
use super::super::faults::file_reject;
use super::super::file_group::FileGroup;
use super::super::log_file::{FileRows, LogFile};
use super::super::{Loaded, SessionSource, reasons};
use super::activity::Activities;
use super::container::Container;
use super::listing::{Entry, SessionFiles};
use super::unpack::Bounded;
use super::{DATASET, DEVICE};
use crate::ReadError;

/// The longest `Activity.csv`, bytes, which is read at once; a session has some lines.
const MOST_ACTIVITY_BYTES: u64 = 16 * 1024 * 1024;

/// One item a session, in their order.
pub(super) fn items(sessions: Vec<SessionFiles>, group: &FileGroup) -> Vec<Arc<dyn SessionSource>> {
    let group = Arc::new(group.clone());
    let mut by_container: HashMap<*const Container, usize> = HashMap::new();
    for session in &sessions {
        *by_container.entry(Arc::as_ptr(&session.container)).or_default() += 1;
    }
    let item = |session: SessionFiles| {
        let sharing = by_container[&Arc::as_ptr(&session.container)];
        let name = format!("{} {:02}", session.subject, session.number);
        Arc::new(Item { name, session, sharing, group: Arc::clone(&group) }) as Arc<dyn SessionSource>
    };
    sessions.into_iter().map(item).collect()
}

/// One session.
#[derive(Debug)]
struct Item {
    name: String,
    session: SessionFiles,
    /// How many sessions lie in its container.
    sharing: usize,
    group: Arc<FileGroup>,
}

impl SessionSource for Item {
    fn name(&self) -> &str {
        &self.name
    }

    fn bytes(&self) -> u64 {
        self.session.sensors.iter().map(|(_, entry)| entry.bytes).sum()
    }

    fn load(&self) -> Result<Loaded, ReadError> {
        let loaded = self.assembled();
        if let Container::Deflated(deflated) = self.session.container.as_ref() {
            deflated.session_done(self.sharing);
        }
        loaded
    }
}

impl Item {
    fn assembled(&self) -> Result<Loaded, ReadError> {
        let SessionFiles { subject, number, container, sensors, activity, .. } = &self.session;
        let known = [Some(subject.clone()), Some(DEVICE.to_owned()), Some(format!("{number:02}"))];
        let mut assembly = Assembly::new(DATASET);
        let activities = match activity {
            Some(entry) => {
                let bytes = read(container, entry, &mut assembly, |reader, _| {
                    let mut bytes = Vec::new();
                    Bounded::new(reader, MOST_ACTIVITY_BYTES).read_to_end(&mut bytes).map(|_| bytes)
                })?;
                bytes.map(|bytes| Activities::parse(&entry.shown, &bytes))
            }
            None => None,
        };
        // Without tasks the activity ids mean nothing: the activity is unknown.
        let group = FileGroup {
            activity: self.group.activity.clone().filter(|_| activities.is_some()),
            ..self.group.as_ref().clone()
        };
        let mut activities = activities.unwrap_or_default();
        assembly.rejects.append(&mut activities.rejects);
        for (sensor, entry) in sensors {
            let rows = read(container, entry, &mut assembly, |reader, bytes| {
                let sensors = &[*sensor];
                LogFile {
                    dataset: DATASET,
                    name: &entry.shown,
                    group: &group,
                    sensors,
                    bytes,
                    numbered: false,
                    shared: false,
                }
                .read(reader)
            })?;
            let Some(rows) = rows else { continue };
            assembly.notes.extend(unlisted_note(&rows, &activities, &entry.shown));
            assembly.add(&entry.shown, &known, rows, &Activity::Named(&|id| activities.task(id)));
        }
        Ok(assembly.finish(&Sensor::ALL))
    }
}

/// What `take` makes of `entry`; a damaged one becomes a reject.
fn read<T>(
    container: &Container,
    entry: &Entry,
    assembly: &mut Assembly,
    take: impl FnOnce(&mut dyn Read, u64) -> std::io::Result<T>,
) -> Result<Option<T>, ReadError> {
    Ok(match container.read(&entry.name, take)? {
        Ok(taken) => Some(taken),
        Err(error) => {
            let too_long = error.kind() == std::io::ErrorKind::FileTooLarge;
            let reason = if too_long { reasons::ENTRY_TOO_LONG } else { reasons::CORRUPT_ENTRY };
            assembly.rejects.push(file_reject(DATASET, &entry.shown, reason, error.to_string()));
            None
        }
    })
}

/// How many readings are of activities that `Activity.csv` does not list.
fn unlisted_note(rows: &FileRows, activities: &Activities, file: &str) -> Option<String> {
    let unlisted: Vec<bool> = rows.activities.iter().map(|id| !activities.lists(id)).collect();
    let tracks = rows.groups.iter().flat_map(|(_, parts)| parts).map(|part| &part.track.activity);
    let count = tracks.flatten().filter(|activity| unlisted[**activity as usize]).count();
    (count > 0)
        .then(|| format!("{count} readings of `{file}` are of activities that `Activity.csv` does not list"))
}
