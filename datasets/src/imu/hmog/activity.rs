//! `Activity.csv`: which activity is which task.

use std::collections::HashMap;

use schemas::tables::rejects::Reject;

use super::super::faults::{Fault, Faults};
use super::super::fields::{fields, shown};
use super::super::header::trimmed;
use super::super::reasons;

/// What the tasks are, from task 7 on, again and again: {7, 13, 19} are the first, {8, 14, 20} the second, ...
pub const TASKS: [&str; 6] = ["read+sit", "read+walk", "write+sit", "write+walk", "map+sit", "map+walk"];
/// The tasks that have a name.
const FIRST_TASK: usize = 7;
const LAST_TASK: usize = 24;
/// Columns: activity id, subject, session, start, end, relative start and end, gesture scenario, task id, content id.
const COLUMNS: usize = 10;
const TASK_COLUMN: usize = 8;

/// The name of task `id`.
fn task(id: usize) -> Option<&'static str> {
    (FIRST_TASK..=LAST_TASK).contains(&id).then(|| TASKS[(id - FIRST_TASK) % TASKS.len()])
}

/// The activities of one session.
#[derive(Debug, Default)]
pub(super) struct Activities {
    tasks: HashMap<String, &'static str>,
    pub(super) rejects: Vec<Reject>,
}

impl Activities {
    /// Of the file `name`, whose bytes these are.
    pub(super) fn parse(name: &str, bytes: &[u8]) -> Self {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let mut faults = Faults::new(super::DATASET, name);
        let mut tasks = HashMap::new();
        for (number, line) in (1u64..).zip(bytes.split_inclusive(|byte| *byte == b'\n')) {
            match activity(trimmed(line.strip_suffix(b"\n").unwrap_or(line))) {
                Ok((id, task)) => {
                    tasks.insert(id, task);
                }
                Err(fault) => faults.add(number, fault),
            }
        }
        Self { tasks, rejects: faults.finish() }
    }

    /// What the person does in activity `id`; nothing where it is not listed.
    pub(super) fn task(&self, id: &str) -> &'static str {
        self.tasks.get(id).copied().unwrap_or("")
    }

    /// Whether activity `id` is listed.
    pub(super) fn lists(&self, id: &str) -> bool {
        self.tasks.contains_key(id)
    }
}

fn activity(line: &[u8]) -> Result<(String, &'static str), Fault> {
    if line.trim_ascii().is_empty() {
        return Err(Fault::new(reasons::EMPTY_LINE, "nothing on the line"));
    }
    let cells = fields(line, b',')?;
    // The last column is not needed, and a line may go on behind it.
    if cells.len() < COLUMNS - 1 {
        let detail = format!("{} columns, expected {COLUMNS}", cells.len());
        return Err(Fault::new(reasons::MISSING_COLUMN, detail));
    }
    let text = |at: usize| String::from_utf8_lossy(&cells[at]).into_owned();
    let id = text(TASK_COLUMN);
    let number: usize = id.parse().map_err(|_| {
        Fault::new(
            reasons::NOT_A_NUMBER,
            format!("column {}, the task, holds `{}`", TASK_COLUMN + 1, shown(id.as_bytes())),
        )
    })?;
    let task = task(number).ok_or_else(|| {
        Fault::new(reasons::UNKNOWN_TASK, format!("task {number}, known are {FIRST_TASK} to {LAST_TASK}"))
    })?;
    Ok((text(0), task))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_have_the_names_of_published_code() {
        let named = |ids: [usize; 3]| ids.map(|id| task(id).unwrap());
        assert_eq!(named([7, 13, 19]), ["read+sit"; 3]);
        assert_eq!(named([10, 16, 22]), ["write+walk"; 3]);
        assert_eq!(named([12, 18, 24]), ["map+walk"; 3]);
        assert_eq!((task(6), task(25)), (None, None));
    }

    #[test]
    fn lines_that_say_nothing_are_told() {
        let text = "11,100669,1,1,2,0,1,2,8,1\n\n12,100669,1,1,2,0,1,2,99,1\n13,1\n14,1,1,1,1,1,1,1,walk,1\n15,1,1,1,1,1,1,1,7";
        let found = Activities::parse("Activity.csv", text.as_bytes());
        assert_eq!((found.task("11"), found.task("15"), found.task("12")), ("read+walk", "read+sit", ""));
        let rejects: Vec<_> =
            found.rejects.iter().map(|r| (r.reason.as_str(), r.source_record.as_deref().unwrap())).collect();
        let expected = [
            (reasons::EMPTY_LINE, "line 2"),
            (reasons::UNKNOWN_TASK, "line 3"),
            (reasons::MISSING_COLUMN, "line 4"),
            (reasons::NOT_A_NUMBER, "line 5"),
        ];
        assert_eq!(rejects, expected);
    }
}
