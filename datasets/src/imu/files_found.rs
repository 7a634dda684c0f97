//! Which file is read by which group, and what each of its sensors is.

use std::collections::HashMap;
use std::path::Path;

use schemas::tables::readings::Sensor;
use schemas::tables::rejects::Reject;

use super::config::CsvLogs;
use super::declaration::{Plan, sensors};
use super::faults::file_reject;
use super::listing::{Found, walk};
use super::pattern::{Field, Fields, Pattern};
use super::place::{self, Place};
use super::{counted, hmog, reasons, sensor_names};
use crate::ReadError;

/// How many names of files a note or message lists.
const LISTED_NAMES: usize = 5;

/// A file, or an entry of an archive.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub(super) place: Place,
    /// Its path below the folder, by parts.
    pub(super) parts: Vec<String>,
    pub(super) bytes: u64,
    /// The part that is an archive.
    archive: Option<usize>,
}

impl Candidate {
    /// Its path below the folder, with `/`.
    pub(super) fn name(&self) -> String {
        self.parts.join("/")
    }

    /// The fields of its path by `pattern`, or of its name alone; an archive goes by its name without the ending or with it, a
    /// file that gzip packed by its name with the ending or without.
    pub(super) fn fields(&self, pattern: &Pattern, whole_path: bool) -> Option<Fields> {
        let plain: Vec<&str> = self.parts.iter().map(String::as_str).collect();
        let last = plain.len().checked_sub(1)?;
        let without = |parts: &[&str], at: usize, ending: &str| -> Option<Vec<String>> {
            let stem = stem(parts[at], ending)?.to_owned();
            let mut parts: Vec<String> = parts.iter().map(|part| (*part).to_owned()).collect();
            parts[at] = stem;
            Some(parts)
        };
        let unpacked = self.archive.and_then(|at| without(&plain, at, ".zip"));
        let forms = unpacked.into_iter().chain([self.parts.clone()]).flat_map(|parts| {
            let borrowed: Vec<&str> = parts.iter().map(String::as_str).collect();
            let unpacked = without(&borrowed, last, ".gz");
            std::iter::once(parts.clone()).chain(unpacked).collect::<Vec<_>>()
        });
        forms.into_iter().find_map(|parts| {
            let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
            let given = if whole_path { pattern.matches(&parts) } else { pattern.matches_name(parts[last]) };
            given.map(|given| given.map(|name| name.map(str::to_owned)))
        })
    }
}

/// `name` without `ending`, in any case; `None` where it has another one.
pub(super) fn stem<'a>(name: &'a str, ending: &str) -> Option<&'a str> {
    let at = name.len().checked_sub(ending.len()).filter(|at| *at > 0 && name.is_char_boundary(*at))?;
    name[at..].eq_ignore_ascii_case(ending).then(|| &name[..at])
}

/// A file that a group reads.
#[derive(Debug)]
pub(super) struct Claim {
    /// The candidate's number.
    pub(super) file: usize,
    pub(super) group: usize,
    pub(super) fields: Fields,
    /// The sensors that it holds.
    pub(super) sensors: Vec<Sensor>,
    /// Whether other groups read the file too.
    pub(super) shared: bool,
}

/// What lies below the path of a plan.
#[derive(Debug, Default)]
pub(super) struct Files {
    pub(super) all: Vec<Candidate>,
    /// Folders, each by its parts, sorted.
    pub(super) folders: Vec<Vec<String>>,
    /// Whether paths count or, where the plan names a file, only names.
    pub(super) whole_paths: bool,
    /// How many files and folders are litter of a file manager.
    pub(super) junk: usize,
    pub(super) rejects: Vec<Reject>,
}

impl Files {
    /// The files below the path of `config`, those in archives too.
    ///
    /// # Errors
    /// When the system refuses, or the path is an archive that cannot be read.
    pub(super) fn list(config: &CsvLogs, plan: &Plan) -> Result<Self, ReadError> {
        let patterns: Vec<&Pattern> = plan.patterns().collect();
        Self::found(&config.path, plan.depth(), &plan.dataset, &patterns)
    }

    /// The files down to `depth` parts below `path`, those in archives too.
    ///
    /// # Errors
    /// As [`Self::list`].
    pub(super) fn below(path: &Path, depth: usize) -> Result<Self, ReadError> {
        Self::found(path, depth, "logs", &[])
    }

    fn found(path: &Path, depth: usize, dataset: &str, patterns: &[&Pattern]) -> Result<Self, ReadError> {
        let io = |source| ReadError::io(path, source);
        let kind = std::fs::metadata(path).map_err(io)?;
        if kind.is_dir() {
            let listing = walk(path, depth)?;
            let mut files =
                Self { folders: listing.folders, whole_paths: true, junk: listing.junk, ..Self::default() };
            for found in listing.files {
                files.add(found, dataset, patterns)?;
            }
            files.sort();
            return Ok(files);
        }
        if kind.is_file() && place::is_archive(path).map_err(io)? {
            let mut files = Self { whole_paths: true, ..Self::default() };
            files.add_entries(path, &[], dataset).map_err(io)?;
            files.sort();
            return Ok(files);
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let (place, parts) = (Place::File(path.to_owned()), vec![name]);
        let only = Candidate { place, parts, bytes: kind.len(), archive: None };
        Ok(Self { all: vec![only], ..Self::default() })
    }

    /// Adds a file or, if it is an archive that no pattern names, what lies in it.
    fn add(&mut self, found: Found, dataset: &str, patterns: &[&Pattern]) -> Result<(), ReadError> {
        let Found { path, parts, bytes } = found;
        let is_archive = parts.last().is_some_and(|name| stem(name, ".zip").is_some());
        let candidate = Candidate { place: Place::File(path.clone()), parts, bytes, archive: None };
        let named = |pattern: &&Pattern| candidate.fields(pattern, true).is_some();
        if !is_archive || patterns.iter().any(named) {
            self.all.push(candidate);
            return Ok(());
        }
        match self.add_entries(&path, &candidate.parts, dataset) {
            Err(error) if hmog::unpack::is_damage(&error) => {
                let name = candidate.name();
                let reject = file_reject(dataset, &name, reasons::NOT_AN_ARCHIVE, error.to_string());
                self.rejects.push(reject);
                Ok(())
            }
            done => done.map_err(|source| ReadError::io(&path, source)),
        }
    }

    fn add_entries(&mut self, path: &Path, parts: &[String], dataset: &str) -> std::io::Result<()> {
        let found = place::entries(path)?;
        self.junk += found.junk;
        let name = |below: &str| [parts, &[below.to_owned()]].concat().join("/");
        self.rejects.extend(found.leaving.iter().map(|entry| {
            file_reject(dataset, &name(entry), reasons::PATH_LEAVES_ARCHIVE, "not read: it would lie outside")
        }));
        for entry in found.files {
            self.all.push(Candidate {
                place: Place::Entry(path.to_owned(), entry.name),
                parts: [parts, &entry.parts].concat(),
                bytes: entry.bytes,
                archive: parts.len().checked_sub(1),
            });
        }
        Ok(())
    }

    /// Puts all in the order of their paths, whatever that in an archive is.
    fn sort(&mut self) {
        self.all.sort_by(|a, b| a.parts.cmp(&b.parts));
    }

    /// Says in `notes` which of the files `numbers` are not read, and why.
    pub(super) fn note(&self, numbers: &[usize], what: &str, notes: &mut Vec<String>) {
        if !numbers.is_empty() {
            notes.push(format!("{} {what}: {}", counted(numbers.len(), "file"), self.listed(numbers)));
        }
    }

    /// The names of the first of the files `numbers`.
    pub(super) fn listed(&self, numbers: &[usize]) -> String {
        let names: Vec<String> =
            numbers.iter().take(LISTED_NAMES).map(|file| self.all[*file].name()).collect();
        let more = if numbers.len() > LISTED_NAMES { ", ..." } else { "" };
        format!("{}{more}", names.join(", "))
    }
}

/// Which files the groups read.
#[derive(Debug, Default)]
pub(super) struct Claims {
    /// In the order of files, then of groups.
    pub(super) read: Vec<Claim>,
    /// Files that no pattern fits.
    pub(super) unused: Vec<usize>,
    pub(super) notes: Vec<String>,
}

impl Claims {
    /// The claims of the groups of `plan` on `files`, those numbered `taken` aside.
    ///
    /// A file belongs to the first group whose pattern fits, and to all others of the same pattern.
    ///
    /// # Errors
    /// When all files of a group belong to groups before it.
    pub(super) fn of(
        config: &CsvLogs,
        plan: &Plan,
        files: &Files,
        taken: &[usize],
    ) -> Result<Self, ReadError> {
        let mut claims = Self::default();
        let mut others = Vec::new();
        // The first file that fits each group, and whether the group has a file.
        let mut fitting: Vec<Option<usize>> = vec![None; plan.groups.len()];
        let mut served = vec![false; plan.groups.len()];
        for (number, file) in files.all.iter().enumerate().filter(|(number, _)| !taken.contains(number)) {
            let mut owner: Option<(&Pattern, Fields)> = None;
            let mut read = Vec::new();
            for (at, group) in plan.groups.iter().enumerate() {
                let Some(fields) = file.fields(&group.pattern, files.whole_paths) else { continue };
                fitting[at] = fitting[at].or(Some(number));
                let (pattern, fields) = owner.get_or_insert((&group.pattern, fields));
                if **pattern == group.pattern {
                    served[at] = true;
                    let sensors = sensors(group, &*fields);
                    read.push(Claim {
                        file: number,
                        group: at,
                        fields: fields.clone(),
                        sensors,
                        shared: false,
                    });
                }
            }
            if owner.is_none() {
                claims.unused.push(number);
            }
            let shared = read.len() > 1;
            read.retain(|claim| !claim.sensors.is_empty());
            if owner.is_some() && read.is_empty() {
                others.push(number);
            }
            claims.read.extend(read.into_iter().map(|claim| Claim { shared, ..claim }));
        }
        for (at, group) in plan.groups.iter().enumerate().filter(|(at, _)| !served[*at]) {
            let pattern = String::from(group.pattern.clone());
            if let Some(file) = fitting[at].filter(|_| !plan.of_preset) {
                let expected =
                    format!("group {} of `files`, with the pattern `{pattern}`, must have a file", at + 1);
                let found = format!(
                    "`{}`, which fits a group before it; give both groups one pattern",
                    files.all[file].name()
                );
                return Err(ReadError::unexpected(&config.path, expected, found));
            }
            if !plan.of_preset {
                claims.notes.push(format!("no file fits the pattern `{pattern}`"));
            }
        }
        claims.choose_plain(plan, files);
        files.note(&claims.unused, "not read, no pattern fits", &mut claims.notes);
        files.note(&others, "not read, of another sensor", &mut claims.notes);
        Ok(claims)
    }

    /// Where several files of one sensor and session differ by the name of the sensor, only those of its plain name are
    /// read: `Accelerometer.csv`, not `AccelerometerUncalibrated.csv`.
    fn choose_plain(&mut self, plan: &Plan, files: &Files) {
        type Key = (usize, [Option<String>; 3], Option<String>, Sensor);
        let key = |claim: &Claim, sensor: Sensor| -> Key {
            let group = &plan.groups[claim.group];
            let activity = claim.fields[Field::Activity as usize].clone();
            (claim.group, Plan::known(group, &claim.fields), activity, sensor)
        };
        let name = |claim: &Claim| claim.fields[Field::Sensor as usize].clone();
        let mut plain: HashMap<Key, usize> = HashMap::new();
        for claim in
            self.read.iter().filter(|claim| name(claim).is_some_and(|name| sensor_names::is_plain(&name)))
        {
            for sensor in &claim.sensors {
                plain.entry(key(claim, *sensor)).or_insert(claim.file);
            }
        }
        let (mut beside, mut alone) = (Vec::new(), Vec::new());
        self.read.retain(|claim| {
            let Some(name) = name(claim).filter(|name| !sensor_names::is_plain(name)) else { return true };
            let has_plain = claim.sensors.iter().any(|sensor| plain.contains_key(&key(claim, *sensor)));
            if has_plain {
                beside.push(claim.file);
            } else if !name.is_empty() {
                alone.push(claim.file);
            }
            !has_plain
        });
        beside.dedup();
        alone.dedup();
        files.note(&beside, "not read, beside one of the sensor's plain name", &mut self.notes);
        files.note(&alone, "read as that sensor which the name begins with", &mut self.notes);
    }
}
