//! `assign_roles`: which sessions of a subject enrol it, and which are probes.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow::array::{Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use schemars::JsonSchema;
use schemas::columns::{field, longs, schema_with, strings, with_column};
use schemas::tables::rejects::Reject;
use schemas::tables::signals::{SIGNAL, rate_hz};
use schemas::units::{Count, Probability};
use serde::{Deserialize, Serialize};

use super::columns::{check_signals, check_type, every_column, signal_lengths};
use super::leak::{Span, check_disjoint};
use super::natural_order::natural_order;
use super::timing::stamp_nanos;
use crate::stage::{AllRows, BuildContext, Gathered, Give, Number, Rows, StageError, take_rows};

/// Column of the role.
pub const ROLE: &str = "role";
/// Role of the rows that a client's model is adapted with.
pub const ENROLMENT: &str = "enrolment";
/// Role of the rows that are scored.
pub const PROBE: &str = "probe";
/// How a row of no split is named where splits are compared.
const NO_SPLIT: &str = "no split";

/// Keys of the stage `assign_roles`.
///
/// ```
/// use stages::window::AssignRolesConfig;
/// let first: AssignRolesConfig = toml::from_str("enrolment = { first_sessions = 4 }")?;
/// let half: AssignRolesConfig = toml::from_str("enrolment = { share = 0.5 }")?;
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AssignRolesConfig {
    /// Which sessions enrol their subject.
    pub enrolment: Enrolment,
    /// The split whose subjects train models. They are neither enrolled nor tried, so none has too few sessions: those of
    /// a subject with fewer are all of enrolment.
    #[serde(default = "training_split")]
    pub training_split: String,
}

/// The split that trains models, as `split_subjects` and the recipes call it.
pub const TRAINING_SPLIT: &str = "train";

fn training_split() -> String {
    TRAINING_SPLIT.to_owned()
}

/// Which sessions of a subject enrol it: the first ones in order of time, whatever their split and device.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Enrolment {
    /// This many; a subject needs one more, to be a probe.
    FirstSessions(Count),
    /// This share of them, rounded to the nearest whole number, but at least one, leaving at least one.
    Share(Probability),
}

impl Enrolment {
    /// How many of `sessions` enrol, and the fewest sessions that a subject needs.
    fn of(self, sessions: usize) -> (usize, usize) {
        match self {
            Self::FirstSessions(count) => (count.get() as usize, count.get() as usize + 1),
            Self::Share(share) => {
                let nearest = (share.get() * sessions as f64).round() as usize;
                (nearest.clamp(1, sessions.saturating_sub(1).max(1)), 2)
            }
        }
    }
}

impl AssignRolesConfig {
    /// Builds the stage.
    pub fn build(&self, context: &BuildContext) -> AssignRoles {
        AssignRoles {
            name: context.name.clone(),
            enrolment: self.enrolment,
            training_split: self.training_split.clone(),
        }
    }
}

/// Rows of any table of sessions with the column [`ROLE`], in their order.
///
/// Sessions are identified by subject, device and name, and ordered by their earliest `start_nanos`, then by name in
/// natural order, then by device. No session has two roles. The rows of a subject with too few sessions are
/// rejected, unless all of them are of the training split.
///
/// It is an error if roles leak, that is if spans of enrolment and probe of one subject and device overlap, as
/// those of two sessions cut from one log may; or if splits leak, where there is a column `split`. A span reaches
/// from `start_nanos` to `end_nanos`, or over the signal where the rows are signals. Memory holds a few spans per
/// session, not rows.
#[derive(Debug, Clone)]
pub struct AssignRoles {
    name: String,
    enrolment: Enrolment,
    training_split: String,
}

/// Subject, device and session.
type Key = (String, String, String);

/// What all rows of one session take.
#[derive(Debug, Default)]
struct Session {
    rows: u64,
    earliest_nanos: i64,
    /// Split, start and end; rows that follow one another without a hole are one.
    spans: Vec<(String, i64, i64)>,
}

impl Session {
    fn add(&mut self, split: &str, start: i64, end: i64) {
        self.earliest_nanos = if self.rows == 0 { start } else { self.earliest_nanos.min(start) };
        self.rows += 1;
        match self.spans.last_mut() {
            Some((last, from, to)) if last == split && (*from..=*to).contains(&start) => *to = end.max(*to),
            _ => self.spans.push((split.to_owned(), start, end)),
        }
    }
}

/// One behind the last moment of each row.
fn ends(batch: &RecordBatch) -> Result<Vec<i64>, StageError> {
    if batch.column_by_name("end_nanos").is_some() {
        return Ok(longs(batch, "end_nanos")?.values().to_vec());
    }
    let (starts, rate) = (longs(batch, "start_nanos")?, rate_hz(batch.schema_ref())?);
    let lengths = signal_lengths(batch)?;
    Ok(starts.values().iter().zip(lengths).map(|(start, length)| stamp_nanos(*start, length, rate)).collect())
}

/// The session of each row of `batch`.
fn keys(batch: &RecordBatch) -> Result<impl Iterator<Item = [&str; 3]>, StageError> {
    let names = [strings(batch, "subject")?, strings(batch, "device")?, strings(batch, "session")?];
    Ok((0..batch.num_rows()).map(move |row| names.map(|names| names.value(row))))
}

fn owned([subject, device, session]: [&str; 3]) -> Key {
    (subject.to_owned(), device.to_owned(), session.to_owned())
}

fn sessions(rows: &dyn Rows) -> Result<BTreeMap<Key, Session>, StageError> {
    let mut sessions: BTreeMap<Key, Session> = BTreeMap::new();
    for batch in rows.scan() {
        let batch = batch?;
        let (starts, ends) = (longs(&batch, "start_nanos")?, ends(&batch)?);
        let splits = match batch.column_by_name("split") {
            Some(_) => Some(strings(&batch, "split")?),
            None => None,
        };
        for (row, key) in keys(&batch)?.enumerate() {
            let split =
                splits.filter(|splits| splits.is_valid(row)).map_or(NO_SPLIT, |splits| splits.value(row));
            sessions.entry(owned(key)).or_default().add(split, starts.value(row), ends[row]);
        }
    }
    Ok(sessions)
}

/// The spans of all `sessions` that `set` puts in a set, by session and split.
fn spans<'a>(
    sessions: &'a BTreeMap<Key, Session>,
    set: impl Fn(&Key, &'a str) -> Option<&'a str>,
) -> Vec<Span<'a>> {
    let mut all = Vec::new();
    for (key, session) in sessions {
        for (split, start_nanos, end_nanos) in &session.spans {
            let (subject, device, name) = (&key.0[..], &key.1[..], &key.2[..]);
            let (start_nanos, end_nanos) = (*start_nanos, *end_nanos);
            let span = |set| Span { subject, device, session: name, set, start_nanos, end_nanos };
            all.extend(set(key, split).map(span));
        }
    }
    all
}

impl AssignRoles {
    /// The role of each session whose subject has enough of them, and the rejects of the others.
    fn roles<'a>(
        &self,
        sessions: &'a BTreeMap<Key, Session>,
    ) -> (HashMap<&'a Key, &'static str>, Vec<Reject>) {
        let mut subjects: BTreeMap<&str, Vec<(&Key, &Session)>> = BTreeMap::new();
        for (key, session) in sessions {
            subjects.entry(&key.0).or_default().push((key, session));
        }
        let (mut roles, mut rejects) = (HashMap::new(), Vec::new());
        for (subject, mut of_subject) in subjects {
            let (enrolling, needed) = self.enrolment.of(of_subject.len());
            let splits = of_subject.iter().flat_map(|(_, session)| &session.spans);
            if of_subject.len() < needed
                && splits.into_iter().all(|(split, ..)| *split == self.training_split)
            {
                roles.extend(of_subject.into_iter().map(|(key, _)| (key, ENROLMENT)));
                continue;
            }
            if of_subject.len() < needed {
                let (has, plural) = (of_subject.len(), if of_subject.len() == 1 { "" } else { "s" });
                rejects.push(Reject {
                    stage: self.name.clone(),
                    reason: "subject has too few sessions".to_owned(),
                    detail: format!("subject `{subject}` has {has} session{plural}; {needed} are needed"),
                    rows: of_subject.iter().map(|(_, session)| session.rows).sum(),
                    ..Reject::default()
                });
                continue;
            }
            of_subject.sort_by(|(a_key, a), (b_key, b)| {
                let by_name =
                    || natural_order(&a_key.2, &b_key.2).then_with(|| natural_order(&a_key.1, &b_key.1));
                a.earliest_nanos.cmp(&b.earliest_nanos).then_with(by_name)
            });
            for (at, (key, _)) in of_subject.into_iter().enumerate() {
                roles.insert(key, if at < enrolling { ENROLMENT } else { PROBE });
            }
        }
        (roles, rejects)
    }
}

impl AllRows for AssignRoles {
    type Count = Number<1>;

    const INPUTS: &'static [&'static str; 1] = &["rows"];

    fn needed_columns(&self, _input: usize, schema: &SchemaRef) -> Result<Vec<usize>, StageError> {
        for name in ["subject", "device", "session"] {
            check_type(schema, &Field::new(name, DataType::Utf8, false))?;
        }
        check_type(schema, &Field::new("start_nanos", DataType::Int64, false))?;
        if field(schema, "split").is_ok() {
            check_type(schema, &Field::new("split", DataType::Utf8, true))?;
        }
        if field(schema, SIGNAL).is_ok() {
            check_signals(schema)?;
        } else {
            check_type(schema, &Field::new("end_nanos", DataType::Int64, false))?;
        }
        Ok(every_column(schema))
    }

    fn output_schema(&self, [rows]: [&SchemaRef; 1]) -> Result<SchemaRef, StageError> {
        self.needed_columns(0, rows)?;
        Ok(Arc::new(with_role(rows)))
    }

    fn run(&self, [rows]: [&dyn Rows; 1], _run: &str, give: &mut Give<'_>) -> Result<Gathered, StageError> {
        let sessions = sessions(rows)?;
        let (roles, rejects) = self.roles(&sessions);
        check_disjoint(&spans(&sessions, |_, split| Some(split))).map_err(StageError::step)?;
        check_disjoint(&spans(&sessions, |key, _| roles.get(key).copied())).map_err(StageError::step)?;
        for batch in rows.scan() {
            let batch = batch?;
            let (mut kept, mut names) = (Vec::new(), Vec::new());
            for (row, key) in keys(&batch)?.enumerate() {
                if let Some(role) = roles.get(&owned(key)) {
                    kept.push(row);
                    names.push(*role);
                }
            }
            let rows = take_rows(&batch, &kept)?;
            give(with_column(&rows, role_field(), Arc::new(StringArray::from(names)))?)?;
        }
        Ok(Gathered { rejects, notes: Vec::new() })
    }
}

fn role_field() -> Field {
    Field::new(ROLE, DataType::Utf8, false)
}

fn with_role(schema: &Schema) -> Schema {
    schema_with(schema, role_field())
}
