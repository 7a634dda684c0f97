//! Which parts of the paths of like files name whom and what.

use super::super::files_found::{Candidate, stem};
use super::super::sensor_names;

/// What separates the words of a file's name.
const MARKS: [char; 4] = ['_', '-', ' ', '.'];

/// A pattern of paths.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Paths {
    pub(super) pattern: String,
    /// Whether it has the fields `{subject}` and `{session}`.
    pub(super) subject: bool,
    pub(super) session: bool,
    /// What is unsure of it.
    pub(super) doubts: Vec<String>,
}

/// The fields that are still to be found, in the order in which paths name them.
struct Open(Vec<&'static str>);

impl Open {
    /// The next field, as patterns write it; `*` where there is none left.
    fn next(&mut self) -> String {
        if self.0.is_empty() { "*".to_owned() } else { format!("{{{}}}", self.0.remove(0)) }
    }
}

/// The pattern of `files`, which lie at one depth, where columns name neither what is in `open`; `by_sensor` says that their
/// names say whose readings they hold.
pub(super) fn pattern(files: &[&Candidate], subject: bool, session: bool, by_sensor: bool) -> Paths {
    let wanted = [(!subject).then_some("subject"), (!session).then_some("session")];
    let mut open = Open(wanted.into_iter().flatten().collect());
    let depth = files[0].parts.len();
    let mut parts = Vec::new();
    for level in 0..depth - 1 {
        let names: Vec<&str> = files.iter().map(|file| file.parts[level].as_str()).collect();
        let zip = if names.iter().all(|name| name.to_lowercase().ends_with(".zip")) { ".zip" } else { "" };
        let same = names.iter().all(|name| *name == names[0]) && files.len() > 1;
        parts.push(if same { literal(names[0]) } else { open.next() + zip });
    }
    let names: Vec<&str> = files.iter().map(|file| unpacked(&file.parts[depth - 1])).collect();
    parts.push(file_name(&names, by_sensor, &mut open));
    let pattern = parts.join("/");
    let (has_subject, has_session) = (pattern.contains("{subject}"), pattern.contains("{session}"));
    let mut doubts = Vec::new();
    if has_subject || has_session {
        doubts.push(
            "which parts of the paths name the person and the session: by their order alone".to_owned(),
        );
    }
    Paths { pattern, subject: has_subject, session: has_session, doubts }
}

/// `name` without the ending of gzip.
fn unpacked(name: &str) -> &str {
    stem(name, ".gz").unwrap_or(name)
}

/// The pattern of the names of files.
fn file_name(names: &[&str], by_sensor: bool, open: &mut Open) -> String {
    let (stems, endings): (Vec<&str>, Vec<&str>) = names
        .iter()
        .map(|name| name.rsplit_once('.').map_or((*name, ""), |(stem, ending)| (stem, ending)))
        .unzip();
    let ending = match endings[0] {
        "" => String::new(),
        ending if endings.iter().all(|other| *other == ending) => format!(".{}", literal(ending)),
        _ => ".*".to_owned(),
    };
    let words: Vec<Vec<&str>> = stems.iter().map(|stem| stem.split(MARKS).collect()).collect();
    let alike = words.iter().all(|other| other.len() == words[0].len());
    let marks: Vec<char> = stems[0].chars().filter(|letter| MARKS.contains(letter)).collect();
    let same_marks = stems
        .iter()
        .all(|stem| stem.chars().filter(|letter| MARKS.contains(letter)).eq(marks.iter().copied()));
    let sensor_at = |words: &[&str]| words.iter().position(|word| sensor_names::sensor(word).is_some());
    if !by_sensor && (stems.len() == 1 || stems.iter().all(|stem| *stem == stems[0])) {
        return literal(stems[0]) + &ending;
    }
    if !(alike && same_marks) || (!by_sensor && open.0.len() < 2) {
        if !by_sensor {
            return open.next() + &ending;
        }
        // The word of the sensor is the first or the last one, or stands alone.
        let last = words.iter().all(|words| sensor_at(words).is_some_and(|at| at + 1 == words.len()));
        let mark = marks.last().map_or(String::new(), char::to_string);
        let field = open.next();
        return if last {
            format!("{field}{mark}{{sensor}}{ending}")
        } else {
            format!("{{sensor}}{mark}{field}{ending}")
        };
    }
    let sensor = if by_sensor { sensor_at(&words[0]) } else { None };
    let mut pattern = String::new();
    for at in 0..words[0].len() {
        let same = words.iter().all(|other| other[at] == words[0][at]);
        pattern += &match sensor {
            Some(place) if place == at => "{sensor}".to_owned(),
            _ if same => literal(words[0][at]),
            _ => open.next(),
        };
        if let Some(mark) = marks.get(at) {
            pattern.push(*mark);
        }
    }
    pattern + &ending
}

/// `text` as it stands in a pattern.
fn literal(text: &str) -> String {
    text.replace(['{', '}'], "*")
}
