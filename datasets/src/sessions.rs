//! Batches of readings regrouped so that each holds one whole session.

use std::collections::VecDeque;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use schemas::SchemaError;
use schemas::tables::readings::{self, SessionKey};

use crate::ReadError;
use crate::shards::ShardError;

/// Rows of a batch that is read: many, since readings are small.
pub const READ_ROWS: usize = 1 << 16;

/// Cuts and joins the batches of `batches` at the borders of sessions.
pub struct WholeSessions<I> {
    batches: I,
    /// Parts of the session whose end has not come yet.
    begun: Option<(SessionKey, Vec<RecordBatch>)>,
    ready: VecDeque<RecordBatch>,
    finished: bool,
}

impl<I> WholeSessions<I> {
    /// The sessions of `batches`, in order.
    pub fn new(batches: I) -> Self {
        Self { batches, begun: None, ready: VecDeque::new(), finished: false }
    }

    fn take(&mut self, batch: &RecordBatch) -> Result<(), ReadError> {
        for view in readings::sessions(batch)? {
            let part = batch.slice(view.rows.start, view.rows.len());
            match &mut self.begun {
                Some((key, parts)) if *key == view.key => parts.push(part),
                _ => {
                    self.end_session()?;
                    self.begun = Some((view.key, vec![part]));
                }
            }
        }
        Ok(())
    }

    fn end_session(&mut self) -> Result<(), ReadError> {
        if let Some((_, parts)) = self.begun.take() {
            let whole = match &parts[..] {
                [only] => only.clone(),
                _ => concat_batches(parts[0].schema_ref(), &parts).map_err(SchemaError::from)?,
            };
            self.ready.push_back(whole);
        }
        Ok(())
    }

    fn advance(&mut self) -> Result<Option<RecordBatch>, ReadError>
    where
        I: Iterator<Item = Result<RecordBatch, ShardError>>,
    {
        loop {
            if let Some(batch) = self.ready.pop_front() {
                return Ok(Some(batch));
            }
            if self.finished {
                return Ok(None);
            }
            if let Some(batch) = self.batches.next().transpose()? {
                self.take(&batch)?;
            } else {
                self.finished = true;
                self.end_session()?;
            }
        }
    }
}

impl<I: Iterator<Item = Result<RecordBatch, ShardError>>> Iterator for WholeSessions<I> {
    type Item = Result<RecordBatch, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.advance();
        self.finished |= next.is_err();
        next.transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemas::tables::readings::{Sensor, Session, Track, to_batch};

    fn session(name: &str, rows: usize) -> RecordBatch {
        let numbers: Vec<f64> = (0..rows).map(|row| row as f64).collect();
        let track = Track {
            stamp_nanos: (0..rows as i64).collect(),
            x: numbers.clone(),
            y: numbers.clone(),
            z: numbers,
            activity: Vec::new(),
            source_file: "log.csv".to_owned(),
        };
        let key = SessionKey { session: name.to_owned(), ..SessionKey::default() };
        to_batch(Session { key, activities: Vec::new(), tracks: vec![(Sensor::Gyroscope, track)] })
    }

    #[test]
    fn every_cut_gives_the_same_sessions() {
        let sessions = [session("a", 5), session("b", 3), session("c", 9)];
        let all = concat_batches(sessions[0].schema_ref(), &sessions).unwrap();
        for rows in 1..=17 {
            let starts = (0..17).step_by(rows);
            let cut = starts.map(|start| Ok(all.slice(start, rows.min(17 - start))));
            let whole: Vec<RecordBatch> = WholeSessions::new(cut).map(Result::unwrap).collect();
            assert_eq!(whole, sessions, "in batches of {rows}");
        }
        assert!(WholeSessions::new(std::iter::empty()).next().is_none());
    }
}
