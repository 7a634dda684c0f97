//! Sources: what every format that rows come from has in common, and sources that are open.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use schemas::Skeleton;
use schemas::tables::people::{self, Person};
use schemas::tables::readings::{self, SessionKey};
use schemas::tables::regions;
use schemas::tables::rejects::Reject;
use schemas::tables::table_name;
use schemas::units::grouped;

use crate::imu::{Loaded, Logs};
use crate::sessions::{READ_ROWS, WholeSessions};
use crate::shards::TableReader;
use crate::{Annotations, ReadError};

/// Most units of a source, of which each is a job with shards of its own: a file that claims to hold more rows than any
/// run could handle must not fill the memory with them.
const MOST_UNITS: u64 = 1 << 20;

/// A format that rows come from; its configuration implements this.
///
/// [`crate::registry`] lists them all: the plan, the command line, the Python package and the reference follow from
/// that list.
pub trait Source {
    /// The tables that it joins its files to, in the order of a plan's `inputs`; most sources have none.
    const INPUTS: &'static [&'static str] = &[];

    /// The schema of its rows, for inputs of the schemas `inputs`. No row is read.
    ///
    /// # Errors
    /// When the schema depends on the files and they cannot be read, or the inputs do not fit.
    fn schema(&self, inputs: &[SchemaRef]) -> Result<SchemaRef, ReadError>;

    /// The files and table folders that it names, to be hashed. Files that are found when it is opened are not among
    /// them: see [`OpenSource::files`].
    fn files(&self) -> Vec<PathBuf>;

    /// Opens it; `inputs` are all rows of each of [`Self::INPUTS`]. An annotation file is read here.
    ///
    /// # Errors
    /// When a file is missing or does not hold what it should.
    fn open(&self, inputs: &[Vec<RecordBatch>]) -> Result<OpenSource, ReadError>;
}

/// An open source: its rows come in pieces.
#[derive(Debug, Default)]
pub struct OpenSource {
    rows: Rows,
    rejects: Vec<Reject>,
    notes: Vec<String>,
    files: Vec<PathBuf>,
}

/// The pieces of a source, in order.
pub type Chunks = Box<dyn Iterator<Item = Result<Chunk, ReadError>> + Send>;

/// A piece of a source: one unit of work.
pub struct Chunk {
    /// How much it counts in the progress of the run.
    pub length: u64,
    /// Its rows.
    pub load: Load,
}

/// The rows of a piece, or what makes them on the thread that carries them.
pub enum Load {
    /// They are there.
    Ready(RecordBatch),
    /// They are in a file, which calling this reads.
    Later(Box<dyn FnOnce() -> Result<Loaded, ReadError> + Send>),
}

impl Load {
    /// The rows, read now if they have not been read.
    ///
    /// # Errors
    /// When their file cannot be read.
    pub fn now(self) -> Result<Loaded, ReadError> {
        match self {
            Self::Ready(batch) => Ok(Loaded { batches: vec![batch], ..Loaded::default() }),
            Self::Later(load) => load(),
        }
    }
}

#[derive(Debug)]
enum Rows {
    Batches(Vec<RecordBatch>),
    Logs(Logs),
    Table(TableReader),
    /// Of an annotation file; the number is that of its images.
    People(&'static Skeleton, Arc<Vec<Person>>, usize),
}

impl Default for Rows {
    fn default() -> Self {
        Self::Batches(Vec::new())
    }
}

impl From<Annotations> for OpenSource {
    fn from(annotations: Annotations) -> Self {
        let Annotations { skeleton, people, rejects, images } = annotations;
        Self { rows: Rows::People(skeleton, Arc::new(people), images), rejects, ..Self::default() }
    }
}

impl From<Logs> for OpenSource {
    fn from(logs: Logs) -> Self {
        let (rejects, notes) = (logs.rejects().to_vec(), logs.notes().to_vec());
        let files = logs.inputs().to_vec();
        Self { rows: Rows::Logs(logs), rejects, notes, files }
    }
}

impl From<TableReader> for OpenSource {
    fn from(table: TableReader) -> Self {
        Self { rows: Rows::Table(table), ..Self::default() }
    }
}

/// Rows in memory, all of one schema.
impl From<Vec<RecordBatch>> for OpenSource {
    fn from(batches: Vec<RecordBatch>) -> Self {
        Self { rows: Rows::Batches(batches), ..Self::default() }
    }
}

impl OpenSource {
    /// The same source, with records that could not be read and notes for readers of its rows.
    #[must_use]
    pub fn with(self, rejects: Vec<Reject>, notes: Vec<String>) -> Self {
        Self { rejects, notes, ..self }
    }

    /// The same source, with notes for readers of its rows.
    #[must_use]
    pub fn noted(self, notes: Vec<String>) -> Self {
        Self { notes, ..self }
    }

    /// The same source, of which `files` were found when it was opened.
    #[must_use]
    pub fn with_files(self, files: Vec<PathBuf>) -> Self {
        Self { files, ..self }
    }

    /// The schema of its rows.
    pub fn schema(&self) -> SchemaRef {
        match &self.rows {
            Rows::Batches(batches) => {
                batches.first().map_or_else(|| Arc::new(Schema::empty()), RecordBatch::schema)
            }
            Rows::Logs(_) => readings::schema(),
            Rows::Table(table) => table.schema().clone(),
            Rows::People(skeleton, ..) => people::schema(skeleton),
        }
    }

    /// How long it is: rows, or logs that are read on the way.
    pub fn length(&self) -> u64 {
        match &self.rows {
            Rows::Batches(batches) => batches.iter().map(|batch| batch.num_rows() as u64).sum(),
            Rows::Table(table) => table.rows(),
            Rows::People(_, people, _) => people.len() as u64,
            Rows::Logs(logs) => logs.items().len() as u64,
        }
    }

    /// Records that could not be read when it was opened.
    pub fn rejects(&self) -> &[Reject] {
        &self.rejects
    }

    /// What readers of its rows must know.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// How much an annotation file holds and how many of its image files are missing, in words. Looks for each picture.
    pub fn counts(&self) -> Vec<String> {
        match &self.rows {
            Rows::People(_, people, images) => counts(people, *images),
            _ => Vec::new(),
        }
    }

    /// Files that were found when it was opened, for one hash over all of them.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// All its rows, in order: at most `batch_rows` at a time, readings by whole sessions.
    pub fn chunks(&self, batch_rows: usize) -> Chunks {
        self.chunks_of(0..u64::MAX, batch_rows)
    }

    /// The parts into which its rows are cut, each of `batches` batches of `batch_rows` rows, as
    /// [`chunks_of`](Self::chunks_of) takes them; always at least one.
    ///
    /// # Errors
    /// When there are more than a million, or the borders of sessions in a table of readings cannot be read.
    pub fn units(&self, batches: u64, batch_rows: usize) -> Result<Vec<Range<u64>>, ReadError> {
        let (length, step) = match &self.rows {
            Rows::Batches(given) => (given.len() as u64, batches),
            Rows::Logs(logs) => (logs.items().len() as u64, batches),
            Rows::People(_, people, _) => (people.len() as u64, batches * batch_rows as u64),
            Rows::Table(table) if is_readings(table) => return session_borders(table),
            Rows::Table(table) => (table.rows(), batches * batch_rows as u64),
        };
        let count = length.div_ceil(step.max(1));
        if count > MOST_UNITS {
            return Err(ReadError::ManyUnits { count, most: MOST_UNITS });
        }
        let starts = (0..length.max(1)).step_by(usize::try_from(step.max(1)).unwrap_or(usize::MAX));
        Ok(starts.map(|start| start..start.saturating_add(step).min(length)).collect())
    }

    /// The rows of the part `unit` of [`units`](Self::units), in order: at most `batch_rows` at a time, readings by whole
    /// sessions.
    pub fn chunks_of(&self, unit: Range<u64>, batch_rows: usize) -> Chunks {
        let within = |length: usize| {
            let place = |position: u64| usize::try_from(position).unwrap_or(usize::MAX).min(length);
            place(unit.start)..place(unit.end)
        };
        match &self.rows {
            Rows::Batches(batches) => {
                let batches = batches[within(batches.len())].to_vec();
                Box::new(batches.into_iter().map(|batch| Ok(ready(batch))))
            }
            Rows::Table(table) if is_readings(table) => {
                let sessions = WholeSessions::new(table.batches_of(unit, READ_ROWS));
                Box::new(sessions.map(|batch| Ok(ready(batch?))))
            }
            Rows::Table(table) => Box::new(table.batches_of(unit, batch_rows).map(|batch| Ok(ready(batch?)))),
            Rows::People(skeleton, people, _) => {
                let (skeleton, people) = (*skeleton, Arc::clone(people));
                let Range { start: first, end: last } = within(people.len());
                let starts = (first..last).step_by(batch_rows.max(1));
                Box::new(starts.map(move |start| {
                    let end = (start + batch_rows).min(last);
                    Ok(ready(people::to_batch(skeleton, &people[start..end])))
                }))
            }
            Rows::Logs(logs) => {
                let later =
                    |item: Arc<dyn crate::imu::SessionSource>| Load::Later(Box::new(move || item.load()));
                let items = logs.items()[within(logs.items().len())].to_vec();
                Box::new(items.into_iter().map(move |item| Ok(Chunk { length: 1, load: later(item) })))
            }
        }
    }

    /// Whether reading its rows again costs little: all but logs.
    pub fn is_rereadable(&self) -> bool {
        !matches!(self.rows, Rows::Logs(_))
    }

    /// Whether its rows are those of a table on disk.
    pub fn is_table(&self) -> bool {
        matches!(self.rows, Rows::Table(_))
    }

    /// The columns numbered `columns` of the rows of a table, which are all that is read; `None` of other sources.
    ///
    /// # Errors
    /// When there are fewer columns.
    pub fn projected(&self, columns: &[usize]) -> Result<Option<Self>, ReadError> {
        let Rows::Table(table) = &self.rows else { return Ok(None) };
        Ok(Some(Self { rows: Rows::Table(table.project(columns)?), ..Self::default() }))
    }
}

fn is_readings(table: &TableReader) -> bool {
    table_name(table.schema()) == Some(readings::NAME)
}

/// The parts of a table of readings that begin and end with a session: its shards, joined where a session goes on.
fn session_borders(table: &TableReader) -> Result<Vec<Range<u64>>, ReadError> {
    let session_at = |row: u64| -> Result<Option<SessionKey>, ReadError> {
        let Some(batch) = table.batches_of(row..row + 1, 1).next().transpose()? else { return Ok(None) };
        Ok(readings::sessions(&batch)?.into_iter().next().map(|view| view.key))
    };
    let mut units: Vec<Range<u64>> = Vec::new();
    let mut first = 0;
    for rows in table.shard_rows().filter(|rows| *rows > 0) {
        let goes_on = first > 0 && session_at(first - 1)? == session_at(first)?;
        match units.last_mut() {
            Some(last) if goes_on => last.end = first + rows,
            _ => units.push(first..first + rows),
        }
        first += rows;
    }
    if units.is_empty() {
        units.push(0..0);
    }
    Ok(units)
}

fn ready(batch: RecordBatch) -> Chunk {
    Chunk { length: batch.num_rows() as u64, load: Load::Ready(batch) }
}

/// How many images, people and joints there are, and how many image files are missing, in words.
fn counts(people: &[Person], images: usize) -> Vec<String> {
    let labelled = people.iter().filter(|person| person.pose.annotated() > 0).count();
    let joints: usize = people.iter().map(|person| person.pose.annotated()).sum();
    let persons = people.iter().filter(|person| person.person_index.is_some()).count();
    let mut pictures: Vec<&str> = people.iter().map(|person| person.image_path.as_str()).collect();
    pictures.sort_unstable();
    pictures.dedup();
    let absent = pictures.iter().filter(|path| !Path::new(path).exists()).count();
    let count = |value: usize| grouped(value as u64);
    let mut counts = vec![format!(
        "{} images, {} people, {} of them labelled, {} annotated joints",
        count(images),
        count(persons),
        count(labelled),
        count(joints)
    )];
    let regions: usize = people
        .iter()
        .enumerate()
        .filter(|(row, person)| *row == 0 || people[row - 1].image_path != person.image_path)
        .map(|(_, person)| regions::of(person).len())
        .sum();
    if regions > 0 {
        counts.push(format!("{} regions of people who are not told apart, or not known", count(regions)));
    }
    if absent > 0 {
        counts.push(format!("{} of {} image files are missing", count(absent), count(pictures.len())));
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemas::Hinted;

    #[test]
    fn units_are_not_without_number() {
        let empty = RecordBatch::new_empty(Arc::new(Schema::empty()));
        let source = OpenSource::from(vec![empty; MOST_UNITS as usize + 1]);
        assert_eq!(source.units(2, 1).unwrap().len() as u64, MOST_UNITS / 2 + 1);
        let error = source.units(1, 1).unwrap_err();
        assert!(error.to_string().contains("found 1048577") && error.hint().is_some());
    }
}
