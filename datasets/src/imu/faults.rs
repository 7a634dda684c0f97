//! Lines that cannot be used, as rejects: neighbours that share a reason share a reject.

use schemas::tables::rejects::Reject;

/// Why a line cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// One of [`super::reasons`].
    pub(super) reason: &'static str,
    /// What was found, in words.
    pub(super) detail: String,
}

impl Fault {
    pub(super) fn new(reason: &'static str, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into() }
    }
}

/// The rejects of one file, in the order of its lines.
#[derive(Debug)]
pub(super) struct Faults {
    dataset: String,
    file: String,
    open: Option<Run>,
    closed: Vec<Reject>,
}

/// Neighbouring lines of one reason.
#[derive(Debug)]
struct Run {
    fault: Fault,
    first: u64,
    last: u64,
}

impl Faults {
    /// No fault yet of `file`, a file of `dataset`.
    pub(super) fn new(dataset: &str, file: &str) -> Self {
        Self { dataset: dataset.to_owned(), file: file.to_owned(), open: None, closed: Vec::new() }
    }

    /// Adds the fault of line `line`, counted from 1; lines come in order.
    pub(super) fn add(&mut self, line: u64, fault: Fault) {
        match &mut self.open {
            Some(run) if run.last + 1 == line && run.fault.reason == fault.reason => run.last = line,
            _ => {
                self.close();
                self.open = Some(Run { fault, first: line, last: line });
            }
        }
    }

    fn close(&mut self) {
        let Some(Run { fault, first, last }) = self.open.take() else { return };
        let rows = last - first + 1;
        let detail = if rows == 1 {
            fault.detail
        } else {
            format!("{}; the first of {rows} similar lines", fault.detail)
        };
        let mut reject = file_reject(&self.dataset, &self.file, fault.reason, detail);
        reject.source_record = Some(lines(first, last));
        reject.rows = rows;
        self.closed.push(reject);
    }

    /// All rejects.
    pub(super) fn finish(mut self) -> Vec<Reject> {
        self.close();
        self.closed
    }
}

/// `line 7` or `lines 7-9`.
pub(super) fn lines(first: u64, last: u64) -> String {
    if first == last { format!("line {first}") } else { format!("lines {first}-{last}") }
}

/// The reject of `file` as a whole.
pub(super) fn file_reject(dataset: &str, file: &str, reason: &str, detail: impl Into<String>) -> Reject {
    Reject {
        stage: dataset.to_owned(),
        reason: reason.to_owned(),
        source_file: Some(file.to_owned()),
        detail: detail.into(),
        ..Reject::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_of_one_reason_share_a_reject() {
        let mut faults = Faults::new("d", "a.csv");
        for (line, reason) in [(2, "empty line"), (3, "empty line"), (4, "not a number"), (6, "not a number")]
        {
            faults.add(line, Fault::new(reason, format!("found {line}")));
        }
        let found: Vec<_> = faults.finish().into_iter().map(|r| (r.source_record.unwrap(), r.rows)).collect();
        let expected = [("lines 2-3", 2), ("line 4", 1), ("line 6", 1)];
        assert_eq!(found, expected.map(|(record, rows)| (record.to_owned(), rows)));
    }
}
