//! Which sessions there are, in folders and archives.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use schemas::tables::readings::Sensor;
use schemas::tables::rejects::Reject;

use super::super::faults::file_reject;
use super::super::listing::{is_junk, walk, without_data};
use super::super::{counted, reasons};
use super::DATASET;
use super::container::{Archive, Container};
use super::inner::{Deflated, Kept};
use super::unpack::{as_io, is_damage};
use crate::ReadError;

/// Parts of a log's path: the data set, `public_dataset`, the subject, the session, the file. What lies deeper, in a
/// folder or an archive, is no log.
const MOST_DEPTH: usize = 6;
/// Archives in archives: the outer one and its subjects'.
const MOST_NESTING: usize = 2;
/// A name whose digits are mixed up in the published files, and the subject that it means (PROTOCOLS.md 5.5).
pub(super) const MIXED_DIGITS: (&str, &str) = ("207969", "207696");

/// All sessions, and what else was found.
#[derive(Debug, Default)]
pub(super) struct Listed {
    pub(super) sessions: Vec<SessionFiles>,
    pub(super) rejects: Vec<Reject>,
    pub(super) notes: Vec<String>,
    pub(super) inputs: Vec<PathBuf>,
}

/// The files of one session.
#[derive(Debug)]
pub(super) struct SessionFiles {
    pub(super) subject: String,
    pub(super) number: u64,
    /// The session's folder, as messages name it.
    pub(super) folder: String,
    pub(super) container: Arc<Container>,
    /// Name of each entry in the container, and its length.
    pub(super) sensors: Vec<(Sensor, Entry)>,
    pub(super) activity: Option<Entry>,
}

/// A file of a session.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// As the container calls it.
    pub(super) name: Vec<u8>,
    /// As messages call it.
    pub(super) shown: String,
    pub(super) bytes: u64,
}

/// What an archive inside an archive is told by.
const ARCHIVE_END: &str = ".zip";

/// The sessions at `path`, by subject and number.
///
/// # Errors
/// When the path or a folder below it cannot be read, or it is a file and no archive.
pub(super) fn list(path: &Path) -> Result<Listed, ReadError> {
    let mut finder = Finder::default();
    if std::fs::metadata(path).map_err(|source| ReadError::io(path, source))?.is_dir() {
        finder.folder(path)?;
    } else {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        finder.archive(&Arc::new(Container::Zip(path.to_owned())), &[name], 1).map_err(|error| {
            if is_damage(&error) {
                ReadError::malformed(path, "zip", error.to_string())
            } else {
                ReadError::io(path, error)
            }
        })?;
        finder.inputs.insert(path.to_owned());
    }
    Ok(finder.finish())
}

#[derive(Debug, Default)]
struct Finder {
    sessions: BTreeMap<(String, u64), SessionFiles>,
    folders: BTreeSet<Vec<String>>,
    /// Logs that are used, by the parts of their paths.
    used: Vec<Vec<String>>,
    rejects: Vec<Reject>,
    /// Folders that were told to be duplicates.
    duplicates: BTreeSet<String>,
    mixed: bool,
    junk: usize,
    others: usize,
    inputs: BTreeSet<PathBuf>,
    kept: Arc<Kept>,
}

impl Finder {
    fn folder(&mut self, path: &Path) -> Result<(), ReadError> {
        let listing = walk(path, MOST_DEPTH)?;
        self.junk += listing.junk;
        self.folders.extend(listing.folders);
        // A path may be a session or a subject itself: its own name is the folder's.
        let container = Arc::new(Container::Folder(path.to_owned()));
        let own: Vec<String> =
            path.file_name().map(|name| name.to_string_lossy().into_owned()).into_iter().collect();
        for found in listing.files {
            if found.name().to_ascii_lowercase().ends_with(ARCHIVE_END) {
                self.inputs.insert(found.path.clone());
                let archive = Arc::new(Container::Zip(found.path.clone()));
                if let Err(error) = self.archive(&archive, &found.parts, 1) {
                    if !is_damage(&error) {
                        return Err(ReadError::io(&found.path, error));
                    }
                    self.no_archive(&found.parts, &error);
                }
                continue;
            }
            let name = found.name().into_bytes();
            let entry = Entry { name, shown: found.name(), bytes: found.bytes };
            let above = if found.parts.len() == 1 { &own[..] } else { &[] };
            if self.file(&container, above, &found.parts, entry) {
                self.inputs.insert(found.path);
            }
        }
        Ok(())
    }

    /// Lists the archive `container`, which messages call by `parts`.
    fn archive(&mut self, container: &Arc<Container>, parts: &[String], nesting: usize) -> io::Result<()> {
        self.folders.insert(parts.to_vec());
        let mut archive = container.archive()?;
        let mut names: Vec<Vec<u8>> = archive.file_names_raw().map(<[u8]>::to_vec).collect();
        names.sort();
        for name in names {
            let text = String::from_utf8_lossy(&name).replace('\\', "/");
            if leaves(&text) {
                let detail = format!("the entry `{}` is refused", text.escape_debug());
                let mut reject = file_reject(DATASET, &parts.join("/"), reasons::PATH_LEAVES_ARCHIVE, detail);
                reject.source_record = Some(format!("entry `{}`", text.escape_debug()));
                self.rejects.push(reject);
                continue;
            }
            let inside: Vec<String> =
                text.split('/').filter(|p| !p.is_empty() && *p != ".").map(str::to_owned).collect();
            if inside.iter().any(|part| is_junk(part)) {
                self.junk += 1;
                continue;
            }
            if inside.len() > MOST_DEPTH {
                self.others += 1;
                continue;
            }
            let whole = [parts, &inside].concat();
            let folders = if text.ends_with('/') { whole.len() } else { whole.len().saturating_sub(1) };
            (parts.len() + 1..=folders).for_each(|length| _ = self.folders.insert(whole[..length].to_vec()));
            if text.ends_with('/') {
                continue;
            }
            if text.to_ascii_lowercase().ends_with(ARCHIVE_END) && nesting < MOST_NESTING {
                let inner = inner(container, &mut archive, &name, &self.kept).map(Arc::new);
                let listed = inner.and_then(|inner| {
                    self.archive(&inner, &whole, nesting + 1)?;
                    if let Container::Deflated(deflated) = inner.as_ref() {
                        deflated.forget();
                    }
                    Ok(())
                });
                if let Err(error) = listed {
                    if !is_damage(&error) {
                        return Err(error);
                    }
                    self.no_archive(&whole, &error);
                }
                continue;
            }
            let bytes = archive.by_name_raw(&name).map_or(0, |file| file.size());
            self.file(container, &[], &whole, Entry { name, shown: whole.join("/"), bytes });
        }
        Ok(())
    }

    fn no_archive(&mut self, parts: &[String], error: &io::Error) {
        let detail = format!("no readable zip archive: {error}");
        self.rejects.push(file_reject(DATASET, &parts.join("/"), reasons::NOT_AN_ARCHIVE, detail));
        // It has its reject; that it holds no log goes without saying.
        self.folders.remove(parts);
    }

    /// Takes the file at `parts`, below `above`, if it is a log of a session; says whether it is.
    fn file(&mut self, container: &Arc<Container>, above: &[String], parts: &[String], entry: Entry) -> bool {
        let full = [above, parts].concat();
        let session = full.len().checked_sub(2).and_then(|at| session_of(&full[at]));
        let (Some((subject, number)), Some(name)) = (session, full.last().map(|name| name.to_lowercase()))
        else {
            self.others += 1;
            return false;
        };
        let sensor = match name.as_str() {
            "accelerometer.csv" => Some(Sensor::Accelerometer),
            "gyroscope.csv" => Some(Sensor::Gyroscope),
            "activity.csv" => None,
            _ => {
                self.others += 1;
                return false;
            }
        };
        self.mixed |= subject == MIXED_DIGITS.0;
        let subject = if subject == MIXED_DIGITS.0 { MIXED_DIGITS.1 } else { subject }.to_owned();
        let folder = full[..full.len() - 1].join("/");
        let session = self.sessions.entry((subject.clone(), number)).or_insert_with(|| SessionFiles {
            subject,
            number,
            folder: folder.clone(),
            container: Arc::clone(container),
            sensors: Vec::new(),
            activity: None,
        });
        if sensor.is_some() {
            self.used.push(parts.to_vec());
        }
        if session.folder != folder {
            let (subject, kept) = (&session.subject, &session.folder);
            if self.duplicates.insert(folder.clone()) {
                let detail = format!("session {number} of subject {subject} is read from `{kept}`");
                self.rejects.push(file_reject(DATASET, &folder, reasons::DUPLICATE_SESSION, detail));
            }
            return false;
        }
        match sensor {
            Some(sensor) => session.sensors.push((sensor, entry)),
            None => session.activity = Some(entry),
        }
        true
    }

    fn finish(self) -> Listed {
        let mut rejects = self.rejects;
        let folders: Vec<Vec<String>> = self.folders.into_iter().collect();
        let used: Vec<&[String]> = self.used.iter().map(Vec::as_slice).collect();
        for folder in without_data(&folders, &used) {
            let detail = "neither `Accelerometer.csv` nor `Gyroscope.csv` of a session in it";
            rejects.push(file_reject(DATASET, &folder.join("/"), reasons::FOLDER_WITHOUT_DATA, detail));
        }
        let mut notes = Vec::new();
        if self.mixed {
            let (found, meant) = MIXED_DIGITS;
            notes.push(format!(
                "subject {found} is read as {meant}: its digits are mixed up in the published files"
            ));
        }
        if self.junk > 0 {
            notes.push(format!(
                "{} of a file manager passed over, such as `__MACOSX`",
                counted(self.junk, "file or folder")
            ));
        }
        if self.others > 0 {
            notes.push(format!(
                "{} not read: neither sensor's log nor `Activity.csv`",
                counted(self.others, "file")
            ));
        }
        let mut sessions: Vec<SessionFiles> =
            self.sessions.into_values().filter(|session| !session.sensors.is_empty()).collect();
        for session in &mut sessions {
            session.sensors.sort_by_key(|(sensor, _)| *sensor);
            if session.activity.is_none() {
                notes.push(format!(
                    "no `Activity.csv` in `{}`: what the person does is unknown",
                    session.folder
                ));
            }
        }
        Listed { sessions, rejects, notes, inputs: self.inputs.into_iter().collect() }
    }
}

/// The archive called `name` inside another one.
fn inner(outer: &Container, archive: &mut Archive, name: &[u8], kept: &Arc<Kept>) -> io::Result<Container> {
    // Raw: the place and the form of the entry are wanted, not its contents.
    let entry = archive.by_name_raw(name).map_err(as_io)?;
    let place = entry.data_start();
    Ok(match (entry.compression(), place, outer) {
        (zip::CompressionMethod::Stored, Some(start), Container::Zip(path)) if !entry.encrypted() => {
            Container::Stored(path.clone(), start, entry.compressed_size())
        }
        _ => Container::Deflated(Deflated::new(outer.file().to_owned(), name.to_vec(), kept)),
    })
}

/// Whether a path, with `/` between its parts, would lead out of the folder that an archive is unpacked to.
fn leaves(path: &str) -> bool {
    let drive = path.as_bytes().get(1) == Some(&b':') && path.as_bytes()[0].is_ascii_alphabetic();
    path.starts_with('/') || drive || path.contains('\0') || path.split('/').any(|part| part == "..")
}

/// Subject and number of a folder `<subject>_session_<n>`.
fn session_of(folder: &str) -> Option<(&str, u64)> {
    let (subject, number) = folder.rsplit_once("_session_")?;
    Some((subject, number.parse().ok()?))
        .filter(|_| !subject.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_lead_out_are_known() {
        for path in ["../a.csv", "a/../../b", "/etc/passwd", "C:/a", "a/..", "a\0b"] {
            assert!(leaves(path), "{path}");
        }
        assert!(!leaves("100669/100669_session_1/Accelerometer.csv") && !leaves("a/..b/c..csv"));
    }

    #[test]
    fn folders_of_sessions_are_known() {
        assert_eq!(session_of("100669_session_12"), Some(("100669", 12)));
        for other in ["100669", "_session_1", "1_session_", "1_session_x", "1_session_+1"] {
            assert_eq!(session_of(other), None, "{other}");
        }
    }
}
