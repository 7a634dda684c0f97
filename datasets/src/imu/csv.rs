//! CSV logs as a plan declares them.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use schemas::tables::readings::Sensor;
use schemas::tables::rejects::Reject;

use super::assemble::{Activity, Assembly};
use super::config::CsvLogs;
use super::cut::{cut, spans_between_gaps};
use super::declaration::Plan;
use super::events::{self, EventSpans};
use super::faults::file_reject;
use super::file_group::{Cut, NameFrom};
use super::files_found::{Claims, Files};
use super::hmog::unpack::is_damage;
use super::listing::without_data;
use super::log_file::{FileRows, LogFile};
use super::overlap::without_second_logs;
use super::place::Place;
use super::text::plain;
use super::{Loaded, Logs, SessionSource, counted, memory, reasons};
use crate::ReadError;

impl Logs {
    /// The logs that `config` declares: lists their files and reads logs of events, but none of readings.
    ///
    /// # Errors
    /// When the folder cannot be read, holds no file that fits, or the declaration lacks something.
    pub fn open_csv(config: &CsvLogs) -> Result<Self, ReadError> {
        memory::keep();
        let plan = Plan::new(config)?;
        let mut files = Files::list(config, &plan)?;
        let mut rejects = std::mem::take(&mut files.rejects);
        let (event_spans, of_events) = event_spans(&plan, &files, &mut rejects)?;
        let claims = Claims::of(config, &plan, &files, &of_events)?;
        if claims.read.is_empty() {
            let patterns: Vec<String> = plan
                .groups
                .iter()
                .map(|group| format!("`{}`", String::from(group.pattern.clone())))
                .collect();
            let expected = format!("at least one file must fit {}", patterns.join(" or "));
            let all: Vec<usize> = (0..files.all.len()).collect();
            let colon = if all.is_empty() { "" } else { ": " };
            let found = format!("{}{colon}{}", counted(all.len(), "other file"), files.listed(&all));
            return Err(ReadError::unexpected(&config.path, expected, found));
        }
        let mut items: BTreeMap<[Option<String>; 3], Vec<Log>> = BTreeMap::new();
        let mut used = of_events;
        for claim in claims.read {
            let (file, group) = (&files.all[claim.file], &plan.groups[claim.group]);
            let known = Plan::known(group, &claim.fields);
            let key = [0, 1, 2].map(|place| known[place].clone().filter(|_| !plan.by_column[place]));
            used.push(claim.file);
            items.entry(key).or_default().push(Log {
                place: file.place.clone(),
                name: file.name(),
                bytes: file.bytes,
                group: claim.group,
                sensors: claim.sensors,
                activity: Plan::activity(group, &claim.fields),
                known,
                shared: claim.shared,
            });
        }
        used.sort_unstable();
        used.dedup();
        let mut inputs: Vec<_> = used.iter().map(|file| files.all[*file].place.file().to_owned()).collect();
        inputs.dedup();
        let parts: Vec<&[String]> = used.iter().map(|file| &files.all[*file].parts[..]).collect();
        for folder in without_data(&files.folders, &parts) {
            let detail = "no file in it fits a pattern";
            rejects.push(file_reject(&plan.dataset, &folder.join("/"), reasons::FOLDER_WITHOUT_DATA, detail));
        }
        let mut notes = claims.notes;
        if files.junk > 0 {
            notes.push(format!("{} of a file manager passed over", counted(files.junk, "file or folder")));
        }
        let shared = Arc::new(Shared { plan, event_spans });
        let item = |(key, logs)| Arc::new(Item::new(&key, logs, &shared)) as Arc<dyn SessionSource>;
        Ok(Self { items: items.into_iter().map(item).collect(), rejects, notes, inputs })
    }
}

/// The spans that files of events give, and the numbers of these files.
fn event_spans(
    plan: &Plan,
    files: &Files,
    rejects: &mut Vec<Reject>,
) -> Result<(Vec<EventSpans>, Vec<usize>), ReadError> {
    let (mut all, mut numbers) = (Vec::new(), Vec::new());
    let Some(Cut::Events(events)) = &plan.cut else { return Ok((all, numbers)) };
    for (number, file) in files.all.iter().enumerate() {
        let Some(fields) = file.fields(&events.pattern, files.whole_paths) else { continue };
        let read = file.place.read(|reader| {
            let mut bytes = Vec::new();
            plain(reader, None)?.read_to_end(&mut bytes).map(|_| bytes)
        });
        let bytes = read.map_err(|source| ReadError::io(file.place.file(), source))?;
        let (spans, faults) = events::spans(events, &plan.dataset, &file.name(), &bytes);
        rejects.extend(faults);
        let [subject, device, session, ..] = fields;
        all.push(EventSpans { fields: [subject, device, session], spans });
        numbers.push(number);
    }
    Ok((all, numbers))
}

/// One file of readings.
#[derive(Debug)]
struct Log {
    place: Place,
    name: String,
    bytes: u64,
    group: usize,
    sensors: Vec<Sensor>,
    known: [Option<String>; 3],
    /// What the person does, where that is one thing for the whole file.
    activity: Option<String>,
    shared: bool,
}

/// What all items need.
#[derive(Debug)]
struct Shared {
    plan: Plan,
    event_spans: Vec<EventSpans>,
}

/// Files that share what is known of subject, device and session.
#[derive(Debug)]
struct Item {
    name: String,
    logs: Vec<Log>,
    shared: Arc<Shared>,
}

impl Item {
    fn new(key: &[Option<String>; 3], logs: Vec<Log>, shared: &Arc<Shared>) -> Self {
        let known: Vec<&str> = key.iter().flatten().map(String::as_str).collect();
        let name = if known.is_empty() { shared.plan.dataset.clone() } else { known.join(" ") };
        Self { name, logs, shared: Arc::clone(shared) }
    }
}

impl SessionSource for Item {
    fn name(&self) -> &str {
        &self.name
    }

    fn bytes(&self) -> u64 {
        self.logs.iter().map(|log| log.bytes).sum()
    }

    fn load(&self) -> Result<Loaded, ReadError> {
        let Shared { plan, event_spans } = self.shared.as_ref();
        let mut assembly = Assembly::new(&plan.dataset);
        for log in &self.logs {
            let group = &plan.groups[log.group];
            let rows = log.read(plan)?;
            let activity = match (&log.activity, &group.activity) {
                (Some(name), _) => Activity::Constant(name),
                (None, Some(NameFrom::Column(_))) if !group.activities.is_empty() => {
                    Activity::Renamed(&group.activities)
                }
                _ => Activity::AsLogged,
            };
            assembly.add(&log.name, &log.known, rows, &activity);
        }
        if let Some(how) = &plan.cut {
            for recorded in std::mem::take(&mut assembly.sessions) {
                let spans = match how {
                    Cut::GapSeconds(seconds) => spans_between_gaps(&recorded, (seconds.get() * 1e9) as i64),
                    Cut::Events(_) => events::spans_for(event_spans, &recorded.key),
                };
                let (pieces, rejects) = cut(recorded, &spans);
                assembly.sessions.extend(pieces);
                assembly.rejects.extend::<Vec<Reject>>(rejects);
            }
        }
        for recorded in &mut assembly.sessions {
            assembly.rejects.extend(without_second_logs(recorded));
        }
        Ok(assembly.finish(&plan.sensors))
    }
}

impl Log {
    /// What it says; a log whose bytes are damaged is a reject.
    fn read(&self, plan: &Plan) -> Result<FileRows, ReadError> {
        let group = &plan.groups[self.group];
        let file = LogFile {
            dataset: &plan.dataset,
            name: &self.name,
            group,
            sensors: &self.sensors,
            bytes: self.bytes,
            numbered: matches!(plan.cut, Some(Cut::Events(_))),
            shared: self.shared,
        };
        let opened = Cell::new(matches!(self.place, Place::Entry(..)));
        let read = self.place.read(|reader| {
            opened.set(true);
            file.read(&mut plain(reader, group.encoding)?)
        });
        read.or_else(|error| {
            if !opened.get() || !is_damage(&error) {
                return Err(ReadError::io(self.place.file(), error));
            }
            let too_long = error.kind() == io::ErrorKind::FileTooLarge;
            let reason = if too_long { reasons::ENTRY_TOO_LONG } else { reasons::CORRUPT_ENTRY };
            let reject = file_reject(&plan.dataset, &self.name, reason, error.to_string());
            Ok(FileRows { rejects: vec![reject], ..FileRows::default() })
        })
    }
}
