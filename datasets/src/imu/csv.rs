//! CSV logs as a plan declares them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use schemas::tables::readings::Sensor;
use schemas::tables::rejects::Reject;

use super::assemble::{Activity, Assembly};
use super::config::CsvLogs;
use super::cut::{cut, spans_between_gaps};
use super::declaration::{Plan, sensors};
use super::events::{self, EventSpans};
use super::faults::file_reject;
use super::file_group::{Cut, NameFrom};
use super::listing::{Found, Listing, walk, without_data};
use super::log_file::{FileRows, LogFile};
use super::pattern::Pattern;
use super::{Loaded, Logs, SessionSource, counted, memory, reasons};
use crate::ReadError;

/// How many names of files a note lists.
const LISTED_NAMES: usize = 5;

impl Logs {
    /// The logs that `config` declares: lists their files and reads logs of events, but none of readings.
    ///
    /// # Errors
    /// When the folder cannot be read, holds no file that fits, or the declaration lacks something.
    pub fn open_csv(config: &CsvLogs) -> Result<Self, ReadError> {
        memory::keep();
        let plan = Plan::new(config)?;
        let (listing, whole_paths) = list(config, &plan)?;
        let mut items: BTreeMap<[Option<String>; 3], Vec<Log>> = BTreeMap::new();
        let (mut inputs, mut used, mut unused, mut others) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut event_spans = Vec::new();
        let mut rejects = Vec::new();
        for found in &listing.files {
            let parts: Vec<&str> = found.parts.iter().map(String::as_str).collect();
            let given = |pattern: &Pattern| {
                if whole_paths {
                    pattern.matches(&parts)
                } else {
                    pattern.matches_name(parts[parts.len() - 1])
                }
            };
            if let Some(Cut::Events(events)) = &plan.cut
                && let Some(given) = given(&events.pattern)
            {
                let bytes =
                    crate::files::read(&found.path).map_err(|source| ReadError::io(&found.path, source))?;
                let (spans, faults) = events::spans(events, &plan.dataset, &found.name(), &bytes);
                rejects.extend(faults.iter().cloned());
                let fields = [0, 1, 2].map(|field| given[field].map(str::to_owned));
                event_spans.push(EventSpans { fields, spans });
                inputs.push(found.path.clone());
                used.push(&found.parts[..]);
                continue;
            }
            let group =
                plan.groups.iter().enumerate().find_map(|(at, group)| Some((at, given(&group.pattern)?)));
            let Some((group, given)) = group else {
                unused.push(found);
                continue;
            };
            let sensors = sensors(&plan.groups[group], &given);
            if sensors.is_empty() {
                others.push(found);
                continue;
            }
            inputs.push(found.path.clone());
            used.push(&found.parts[..]);
            let known = Plan::known(&plan.groups[group], &given);
            let key = [0, 1, 2].map(|place| known[place].clone().filter(|_| !plan.by_column[place]));
            let (path, name, bytes) = (found.path.clone(), found.name(), found.bytes);
            items.entry(key).or_default().push(Log { path, name, bytes, group, sensors, known });
        }
        if items.is_empty() {
            let patterns: Vec<String> = plan
                .groups
                .iter()
                .map(|group| format!("`{}`", String::from(group.pattern.clone())))
                .collect();
            let expected = format!("at least one file must fit {}", patterns.join(" or "));
            return Err(ReadError::unexpected(
                &config.path,
                expected,
                counted(listing.files.len(), "other file"),
            ));
        }
        for folder in without_data(&listing.folders, &used) {
            let detail = "no file in it fits a pattern";
            rejects.push(file_reject(&plan.dataset, &folder.join("/"), reasons::FOLDER_WITHOUT_DATA, detail));
        }
        let mut notes = Vec::new();
        notes.extend(files_note(&unused, "not read, no pattern fits"));
        notes.extend(files_note(&others, "not read, of another sensor"));
        if listing.junk > 0 {
            notes.push(format!("{} of a file manager passed over", counted(listing.junk, "file or folder")));
        }
        let shared = Arc::new(Shared { plan, event_spans });
        let item = |(key, logs)| Arc::new(Item::new(&key, logs, &shared)) as Arc<dyn SessionSource>;
        Ok(Self { items: items.into_iter().map(item).collect(), rejects, notes, inputs })
    }
}

/// The files, and whether their paths count or, where the plan names a file, only their names.
fn list(config: &CsvLogs, plan: &Plan) -> Result<(Listing, bool), ReadError> {
    let path = &config.path;
    let kind = std::fs::metadata(path).map_err(|source| ReadError::io(path, source))?;
    if kind.is_dir() {
        return Ok((walk(path, plan.depth())?, true));
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let file = Found { path: path.clone(), parts: vec![name], bytes: kind.len() };
    Ok((Listing { files: vec![file], ..Listing::default() }, false))
}

fn files_note(files: &[&Found], what: &str) -> Option<String> {
    let names: Vec<String> = files.iter().take(LISTED_NAMES).map(|file| file.name()).collect();
    let more = if files.len() > LISTED_NAMES { ", ..." } else { "" };
    (!files.is_empty())
        .then(|| format!("{} {what}: {}{more}", counted(files.len(), "file"), names.join(", ")))
}

/// One file of readings.
#[derive(Debug)]
struct Log {
    path: PathBuf,
    name: String,
    bytes: u64,
    group: usize,
    sensors: Vec<Sensor>,
    known: [Option<String>; 3],
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
            let file = LogFile {
                dataset: &plan.dataset,
                name: &log.name,
                group,
                sensors: &log.sensors,
                bytes: log.bytes,
                numbered: matches!(plan.cut, Some(Cut::Events(_))),
            };
            let rows = read(&file, &log.path)?;
            let activity = match &group.activity {
                Some(NameFrom::Value(name)) => Activity::Constant(name),
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
        Ok(assembly.finish(&plan.sensors))
    }
}

fn read(file: &LogFile<'_>, path: &Path) -> Result<FileRows, ReadError> {
    let mut reader = crate::files::open(path).map_err(|source| ReadError::io(path, source))?;
    file.read(&mut reader).map_err(|source| ReadError::io(path, source))
}
