//! A layout guessed from the logs themselves: what their lines look like, what their columns hold, and what stays unsure.
//!
//! [`guess`] reads the first lines of some files, writes a layout with comments, and reads the files by that layout to show what
//! comes of it. Nothing of it is used without being read by a person: what is inferred from numbers alone is said to be unsure.

mod columns;
mod lines;
mod names;
mod paths;
mod vectors;
mod written;

#[cfg(test)]
mod tests;

use std::fmt::Write as _;
use std::io::Read;
use std::path::Path;

use schemas::tables::readings::sessions;
use schemas::tables::rejects::Reject;

use self::columns::Roles;
use self::lines::Lines;
use super::config::CsvLogs;
use super::files_found::{Candidate, Files};
use super::{Logs, counted, text};
use crate::ReadError;

/// Bytes of a file that are looked at.
const LOOKED_AT: u64 = 128 * 1024;
/// The most files that are looked at, spread over all of them.
const MOST_FILES: usize = 64;
/// Readings of each sensor that are shown.
const SHOWN_READINGS: usize = 3;
/// Parts of a path down to which files are looked for.
const DEPTH: usize = 6;

/// What was guessed of the logs in a folder, a file or an archive.
#[derive(Debug, Clone)]
pub struct Guess {
    /// The layout, as `--layout` reads it, with a comment for what is unsure.
    pub layout: String,
    /// What is unsure, in words.
    pub unsure: Vec<String>,
    /// The first readings, as the layout gives them, and what it rejects, in words.
    pub shown: Vec<String>,
}

impl Guess {
    /// The layout, and behind it, as comments, the first readings.
    pub fn to_text(&self) -> String {
        let mut text = self.layout.clone();
        text.push_str("\n# The first readings by this layout:\n");
        for line in &self.shown {
            let _ = writeln!(text, "#   {line}");
        }
        text
    }
}

/// One kind of file: those that look alike.
#[derive(Debug, Clone, PartialEq)]
struct Kind {
    lines: Lines,
    roles: Roles,
    /// The candidates' numbers.
    files: Vec<usize>,
}

/// Guesses the layout of the logs in `path`, a folder, a file or an archive.
///
/// # Errors
/// When the path cannot be read, or no file in it holds three columns of numbers that may be a sensor's.
pub fn guess(path: &Path) -> Result<Guess, ReadError> {
    let files = Files::below(path, DEPTH)?;
    let step = files.all.len().div_ceil(MOST_FILES).max(1);
    let mut kinds: Vec<Kind> = Vec::new();
    let mut others = Vec::new();
    for number in (0..files.all.len()).step_by(step) {
        let file = &files.all[number];
        let Some((lines, roles)) = look_at(file)? else {
            others.push(number);
            continue;
        };
        let same = |kind: &&mut Kind| {
            let first = &files.all[kind.files[0]];
            kind.lines.is_like(&lines) && kind.roles.is_like(&roles) && first.parts.len() == file.parts.len()
        };
        match kinds.iter_mut().find(same) {
            Some(kind) => {
                kind.roles.join(&roles);
                kind.files.push(number);
            }
            None => kinds.push(Kind { lines, roles, files: vec![number] }),
        }
    }
    if kinds.is_empty() {
        let found = match others.len() {
            0 => "no file".to_owned(),
            count => format!("{}: {}", counted(count, "other file"), files.listed(&others)),
        };
        return Err(ReadError::unexpected(
            path,
            "logs to guess at must have three columns of numbers that may be x, y and z of a sensor",
            found,
        ));
    }
    let (layout, unsure) = written::layout(&kinds, &files, &others);
    let shown = shown(path, &layout)?;
    Ok(Guess { layout, unsure, shown })
}

/// What the first lines of `file` look like, and what its columns may be; `None` where that is no log of a sensor.
fn look_at(file: &Candidate) -> Result<Option<(Lines, Roles)>, ReadError> {
    let read = file.place.read(|reader| {
        let mut start = Vec::new();
        reader.take(LOOKED_AT).read_to_end(&mut start)?;
        let encoding = lines::encoding(&start);
        let mut bytes = Vec::new();
        text::plain(Box::new(&start[..]), encoding)?.read_to_end(&mut bytes)?;
        Ok((bytes, encoding))
    });
    let (bytes, encoding) = match read {
        Ok(read) => read,
        Err(error) if super::hmog::unpack::is_damage(&error) => return Ok(None),
        Err(error) => return Err(ReadError::io(file.place.file(), error)),
    };
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let Some(lines) = Lines::of(bytes, encoding) else { return Ok(None) };
    let roles = Roles::of(&lines, &file.name());
    Ok(roles.map(|roles| (lines, roles)))
}

/// What the layout makes of the logs in `path`: the first readings of the first session that has some, and the first rejects.
fn shown(path: &Path, layout: &str) -> Result<Vec<String>, ReadError> {
    let declared: CsvLogs = toml::from_str(&format!("path = \"\"\n{layout}"))
        .map_err(|error| ReadError::malformed(path, "guessed layout", error.to_string()))?;
    let logs = Logs::open_csv(&CsvLogs { path: path.to_owned(), ..declared })?;
    let mut told = Vec::new();
    let mut rejects: Vec<Reject> = logs.rejects().to_vec();
    for item in logs.items() {
        let loaded = item.load()?;
        rejects.extend(loaded.rejects);
        let Some(batch) = loaded.batches.first() else { continue };
        for view in sessions(batch)?.iter().take(1) {
            let key = &view.key;
            told.push(format!(
                "subject `{}`, device `{}`, session `{}`, activity {}",
                key.subject,
                key.device,
                key.session,
                view.activity.as_ref().map_or("unknown or several".to_owned(), |name| format!("`{name}`"))
            ));
            for track in &view.tracks {
                for at in 0..track.stamp_nanos.len().min(SHOWN_READINGS) {
                    let [x, y, z] = [0, 1, 2].map(|axis| track.axes[axis][at]);
                    told.push(format!(
                        "{} at {} ns: {x}, {y}, {z} {}",
                        track.sensor.name(),
                        track.stamp_nanos[at],
                        track.sensor.unit()
                    ));
                }
            }
        }
        break;
    }
    for reject in rejects.iter().take(SHOWN_READINGS) {
        let file = reject.source_file.as_deref().unwrap_or_default();
        let record = reject.source_record.as_deref().map_or(String::new(), |record| format!(", {record}"));
        told.push(format!("rejected, {}: {} (`{file}`{record})", reject.reason, reject.detail));
    }
    if told.is_empty() {
        told.push("none".to_owned());
    }
    Ok(told)
}
