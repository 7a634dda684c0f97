//! The layout as a text, with comments.

use std::fmt::Write as _;

use super::super::files_found::Files;
use super::super::number::Clock;
use super::super::text::Encoding;
use super::Kind;
use super::columns::Stamp;
use super::paths::{self, Paths};

/// The layout of all kinds of files, and what is unsure of it. `others` are the numbers of files that are no logs.
pub(super) fn layout(kinds: &[Kind], files: &Files, others: &[usize]) -> (String, Vec<String>) {
    let mut unsure = Vec::new();
    let mut text = String::from(
        "# A guess from the first lines of the logs. Read it, mend it, save it as layout.toml, then:\n#   motionmill ingest logs FOLDER --layout layout.toml --out readings\n",
    );
    text.push_str("dataset = \"logs\" # choose a name\n");
    if !others.is_empty() {
        let _ = writeln!(text, "# not read, no x, y and z of a sensor: {}", files.listed(others));
    }
    for kind in kinds {
        text.push('\n');
        text.push_str(&group(kind, files, &mut unsure));
    }
    (text, unsure)
}

/// One group of files.
fn group(kind: &Kind, files: &Files, unsure: &mut Vec<String>) -> String {
    let Kind { lines, roles, files: numbers } = kind;
    let candidates: Vec<_> = numbers.iter().map(|number| &files.all[*number]).collect();
    let paths =
        paths::pattern(&candidates, roles.subject.is_some(), roles.session.is_some(), roles.by_file_name);
    let Paths { pattern, subject, doubts, .. } = paths;
    let mut text = format!("[[files]] # {}\n", files.listed(numbers));
    let mut line = |key: &str, value: &str, doubts: &[String]| {
        for doubt in doubts {
            unsure.push(format!("`{key}` of `{pattern}`: {doubt}"));
            let _ = writeln!(text, "# UNSURE: {doubt}");
        }
        let _ = writeln!(text, "{key} = {value}");
    };
    line("pattern", &quoted(&pattern), &doubts);
    let column = |at: usize| match lines.names.get(at) {
        // Of names that come twice, only the first can be named.
        Some(name) if !name.is_empty() && lines.names.iter().position(|other| other == name) == Some(at) => {
            quoted(name)
        }
        _ => (at + 1).to_string(),
    };
    if lines.names.is_empty() {
        line("header", "false", &[]);
        if lines.skipped > 0 {
            line("skip_lines", &lines.skipped.to_string(), &[]);
        }
        line("columns", &lines.columns.to_string(), &[]);
    }
    if let Some(encoding) = lines.encoding {
        let doubts = match encoding {
            Encoding::Latin1 => vec!["not UTF-8; Latin-1 reads any bytes".to_owned()],
            _ => Vec::new(),
        };
        line("encoding", &serialised(&encoding), &doubts);
    }
    if let Some(comment) = lines.comment {
        line("comment", &quoted(comment), &[]);
    }
    line("separator", &quoted(&char::from(lines.separator).to_string()), &[]);
    if lines.decimal_comma {
        line("decimal", "\",\"", &[]);
    }
    match &roles.stamp {
        Stamp::Number { column: at, clock, doubt } => {
            let doubts: Vec<String> = doubt.iter().cloned().collect();
            line("clock", &serialised::<Clock>(clock), &doubts);
            let others: Vec<String> = roles.other_stamps.iter().map(|at| column(*at)).collect();
            let told = format!("other columns could be it too: {}", others.join(", "));
            line("stamp", &column(*at), if others.is_empty() { &[] } else { std::slice::from_ref(&told) });
        }
        Stamp::Moment { columns, zoned, ordered } => {
            line("clock", "\"date-time\"", &[]);
            let told: Vec<String> = columns.iter().map(|at| column(*at)).collect();
            let value = if told.len() == 1 { told[0].clone() } else { format!("[{}]", told.join(", ")) };
            line("stamp", &value, &[]);
            if !zoned {
                line("zone", "\"UTC\"", &["the stamps name no time zone".to_owned()]);
            }
            if !ordered {
                line("date_order", "\"day_first\"", &["day and month may be the other way round".to_owned()]);
            }
        }
        Stamp::Count { column: at } => {
            line("stamp", &column(*at), &[]);
            line(
                "rate_hz",
                "50",
                &["the stamps count readings, and nothing says how many there are a second".to_owned()],
            );
        }
        Stamp::None => {
            line(
                "rate_hz",
                "50",
                &["there are no stamps, and nothing says how many readings there are a second".to_owned()],
            );
        }
    }
    let sensors: Vec<String> = roles
        .vectors
        .iter()
        .map(|vector| {
            let columns = vector.columns.map(column).join(", ");
            format!("{} = [{columns}]", vector.sensor.name())
        })
        .collect();
    let doubts = |of: fn(&super::vectors::Vector) -> &Option<String>| -> Vec<String> {
        let told = |vector: &super::vectors::Vector| {
            of(vector).as_ref().map(|doubt| format!("{}: {doubt}", vector.sensor.name()))
        };
        roles.vectors.iter().filter_map(told).collect()
    };
    line("sensors", &format!("{{ {} }}", sensors.join(", ")), &doubts(|vector| &vector.doubt));
    if let Some(at) = roles.sensor {
        line("sensor", &format!("{{ column = {} }}", column(at)), &[]);
    }
    let units: Vec<String> = roles
        .vectors
        .iter()
        .map(|vector| format!("{} = {}", vector.sensor.name(), vector.unit.written))
        .collect();
    line("units", &format!("{{ {} }}", units.join(", ")), &doubts(|vector| &vector.unit.doubt));
    let from = |at: usize| format!("{{ column = {} }}", column(at));
    match roles.subject {
        Some(at) => line("subject", &from(at), &[]),
        None if !subject => {
            line(
                "subject",
                "{ value = \"unknown\" }",
                &["neither a path nor a column names the person".to_owned()],
            );
        }
        None => {}
    }
    for (key, at) in [("device", roles.device), ("session", roles.session), ("activity", roles.activity)] {
        if let Some(at) = at {
            let told = lines.names.is_empty().then(|| "by its words alone".to_owned());
            line(key, &from(at), told.as_slice());
        }
    }
    text
}

/// `text` as a string of TOML.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// The name that a plan has for `value`.
fn serialised<T: serde::Serialize>(value: &T) -> String {
    toml::Value::try_from(value).map_or_else(|_| "\"\"".to_owned(), |value| value.to_string())
}
