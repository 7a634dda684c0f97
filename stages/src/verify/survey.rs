//! The probes and enrolments of all splits, before any is scored.

use std::collections::{BTreeMap, HashSet};

use arrow::array::{Array, RecordBatch};
use schemas::columns::strings;

use super::error::VerifyError;
use super::frames::{ENROLMENT, PROBE, ROLE};
use crate::stage::{Rows, StageError};

/// Subject, device and session.
type Session = (String, String, String);

/// Counts of rows, and sessions by role.
#[derive(Debug, Default)]
pub(super) struct Survey {
    /// Rows of any role and split.
    pub rows: u64,
    /// Rows of role `probe` in each split.
    pub probes: BTreeMap<String, u64>,
    enrolled: Sessions,
    probed: Sessions,
}

/// Sessions of one role.
#[derive(Debug, Default)]
struct Sessions {
    all: HashSet<Session>,
    last: Option<Session>,
}

impl Sessions {
    fn add(&mut self, [subject, device, session]: [&str; 3]) {
        // Rows of a session come one after the other as a rule.
        let same = |last: &Session| (&*last.0, &*last.1, &*last.2) == (subject, device, session);
        if !self.last.as_ref().is_some_and(same) {
            let key = (subject.to_owned(), device.to_owned(), session.to_owned());
            self.all.insert(key.clone());
            self.last = Some(key);
        }
    }
}

impl Survey {
    /// Reads all rows of `rows`.
    ///
    /// # Errors
    /// When reading fails, or a session serves both for enrolment and as a probe.
    pub(super) fn new(rows: &dyn Rows) -> Result<Self, StageError> {
        let mut survey = Self::default();
        for batch in rows.scan() {
            survey.add(&batch?)?;
        }
        survey.check()?;
        Ok(survey)
    }

    fn add(&mut self, batch: &RecordBatch) -> Result<(), StageError> {
        let text = |name: &str| strings(batch, name);
        self.rows += batch.num_rows() as u64;
        let (roles, splits) = (text(ROLE)?, text("split")?);
        let names = [text("subject")?, text("device")?, text("session")?];
        for row in (0..batch.num_rows()).filter(|&row| roles.is_valid(row)) {
            let session = names.map(|names| names.value(row));
            match roles.value(row) {
                ENROLMENT => self.enrolled.add(session),
                PROBE => {
                    self.probed.add(session);
                    if splits.is_valid(row) {
                        match self.probes.get_mut(splits.value(row)) {
                            Some(count) => *count += 1,
                            None => drop(self.probes.insert(splits.value(row).to_owned(), 1)),
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn check(&self) -> Result<(), StageError> {
        let mut both: Vec<&Session> = self.enrolled.all.intersection(&self.probed.all).collect();
        both.sort();
        let Some((subject, device, session)) = both.first().copied().cloned() else { return Ok(()) };
        Err(StageError::step(VerifyError::BothRoles { count: both.len(), session, subject, device }))
    }
}
