//! Sources that are open: their schema is known, their rows come batch by batch.

use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use datasets::imu::{Loaded, Logs};
use datasets::shards::TableReader;
use datasets::{Annotations, ReadError, coco, flic, lsp, lspet, mpii};
use schemas::tables::people::{self, Person};
use schemas::tables::rejects::Reject;
use schemas::tables::{readings, table_name};

use super::GraphError;
use super::sessions::{READ_ROWS, SessionError, WholeSessions};
use crate::plan::{FlicLabels, SourceConfig};

/// An open source.
pub struct Source {
    schema: SchemaRef,
    rows: Rows,
    rejects: Vec<Reject>,
    images: Option<usize>,
}

/// The chunks of a source, in order.
pub type Chunks = Box<dyn Iterator<Item = Result<Chunk, SessionError>> + Send>;

/// A piece of a source: one unit of work.
pub struct Chunk {
    /// What it counts in the progress of the run.
    pub length: u64,
    /// Its rows.
    pub load: Load,
}

/// The rows of a chunk, or what makes them on the thread that carries them.
pub enum Load {
    /// They are there.
    Ready(RecordBatch),
    /// They stand in a file that is read by whoever calls this.
    Later(Box<dyn FnOnce() -> Result<Loaded, ReadError> + Send>),
}

impl Chunk {
    fn ready(batch: RecordBatch) -> Self {
        Self { length: batch.num_rows() as u64, load: Load::Ready(batch) }
    }
}

enum Rows {
    Given(Vec<RecordBatch>),
    Logs(Logs),
    Table(TableReader),
    People(&'static schemas::Skeleton, Arc<Vec<Person>>),
}

impl Source {
    /// Opens what `config` names, for the node `node`; gives the kind of source too. An annotation file is read here,
    /// since only its content tells its skeleton.
    ///
    /// # Errors
    /// When a file is missing or does not hold what it should.
    pub fn open(node: &str, config: &SourceConfig) -> Result<(&'static str, Self), GraphError> {
        let annotated = |result: Result<Annotations, ReadError>| {
            result
                .map(Self::from_annotations)
                .map_err(|source| GraphError::Annotations { node: node.to_owned(), source })
        };
        let logged = |result: Result<Logs, ReadError>| {
            result
                .map(Self::from_logs)
                .map_err(|source| GraphError::Annotations { node: node.to_owned(), source })
        };
        Ok(match config {
            SourceConfig::Table { path, split } => {
                let opened = TableReader::open(path, split.as_deref());
                let table = opened.map_err(|source| GraphError::Table { node: node.to_owned(), source })?;
                let schema = table.schema().clone();
                ("table", Self { schema, rows: Rows::Table(table), rejects: Vec::new(), images: None })
            }
            SourceConfig::Mpii { annotations, images, subset } => {
                let options = mpii::Options { images: images.clone(), subset: subset.clone() };
                ("mpii", annotated(mpii::read(annotations, &options))?)
            }
            SourceConfig::Lsp { annotations, images } => ("lsp", annotated(lsp::read(annotations, images))?),
            SourceConfig::Lspet { annotations, images } => {
                ("lspet", annotated(lspet::read(annotations, images))?)
            }
            SourceConfig::Flic { annotations, images, labels, plus } => {
                let labels = match labels {
                    FlicLabels::PersonCentric => flic::Labels::PersonCentric,
                    FlicLabels::ObserverCentric => flic::Labels::ObserverCentric,
                };
                let options = flic::Options { images: images.clone(), labels, plus: plus.clone() };
                ("flic", annotated(flic::read(annotations, &options))?)
            }
            SourceConfig::Coco { annotations, images, category, dataset, split } => {
                let (category, dataset, split) = (category.clone(), dataset.clone(), split.clone());
                let options = coco::Options { images: images.clone(), category, dataset, split };
                ("coco", annotated(coco::read(annotations, &options))?)
            }
            SourceConfig::Logs(config) => ("logs", logged(Logs::open_csv(config))?),
            SourceConfig::Hmog(config) => ("hmog", logged(Logs::open_hmog(config))?),
        })
    }

    /// A source of rows that are in memory, all of one schema.
    pub(super) fn from_batches(batches: Vec<RecordBatch>) -> Self {
        let schema = batches.first().map_or_else(|| Arc::new(Schema::empty()), RecordBatch::schema);
        Self { schema, rows: Rows::Given(batches), rejects: Vec::new(), images: None }
    }

    fn from_logs(logs: Logs) -> Self {
        let rejects = logs.rejects().to_vec();
        Self { schema: readings::schema(), rows: Rows::Logs(logs), rejects, images: None }
    }

    fn from_annotations(annotations: Annotations) -> Self {
        let Annotations { skeleton, people, images, rejects } = annotations;
        let schema = people::schema(skeleton);
        let rows = Rows::People(skeleton, Arc::new(people));
        Self { schema, rows, rejects, images: Some(images) }
    }

    /// The schema of its rows.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// How long it is: rows, or logs that are read on the way.
    pub fn length(&self) -> u64 {
        match &self.rows {
            Rows::Given(batches) => batches.iter().map(|batch| batch.num_rows() as u64).sum(),
            Rows::Table(table) => table.rows(),
            Rows::People(_, people) => people.len() as u64,
            Rows::Logs(logs) => logs.items().len() as u64,
        }
    }

    /// How many images an annotation file lists.
    pub fn images(&self) -> Option<usize> {
        self.images
    }

    /// The people of an annotation file.
    pub fn people(&self) -> Option<&[Person]> {
        match &self.rows {
            Rows::People(_, people) => Some(people),
            Rows::Given(_) | Rows::Table(_) | Rows::Logs(_) => None,
        }
    }

    /// Records of an annotation file that could not be read.
    pub fn rejects(&self) -> &[Reject] {
        &self.rejects
    }

    /// The logs that it reads, for one hash over all of them.
    pub fn log_files(&self) -> Vec<PathBuf> {
        match &self.rows {
            Rows::Logs(logs) => logs.inputs().to_vec(),
            Rows::Given(_) | Rows::Table(_) | Rows::People(..) => Vec::new(),
        }
    }

    /// What whoever runs the plan must know of it.
    pub fn notes(&self) -> &[String] {
        match &self.rows {
            Rows::Logs(logs) => logs.notes(),
            Rows::Given(_) | Rows::Table(_) | Rows::People(..) => &[],
        }
    }

    /// Its rows, in order: at most `batch_rows` at a time, readings by whole sessions.
    pub fn chunks(&self, batch_rows: usize) -> Chunks {
        match &self.rows {
            Rows::Given(batches) => {
                Box::new(batches.clone().into_iter().map(|batch| Ok(Chunk::ready(batch))))
            }
            Rows::Table(table) if table_name(table.schema()) == Some(readings::NAME) => {
                let sessions = WholeSessions::new(table.batches(READ_ROWS));
                Box::new(sessions.map(|batch| Ok(Chunk::ready(batch?))))
            }
            Rows::Table(table) => Box::new(table.batches(batch_rows).map(|batch| Ok(Chunk::ready(batch?)))),
            Rows::People(skeleton, people) => {
                let (skeleton, people) = (*skeleton, Arc::clone(people));
                let starts = (0..people.len()).step_by(batch_rows.max(1));
                Box::new(starts.map(move |start| {
                    let end = (start + batch_rows).min(people.len());
                    Ok(Chunk::ready(people::to_batch(skeleton, &people[start..end])))
                }))
            }
            Rows::Logs(logs) => {
                let items = logs.items().to_vec().into_iter();
                Box::new(
                    items.map(|item| {
                        Ok(Chunk { length: 1, load: Load::Later(Box::new(move || item.load())) })
                    }),
                )
            }
        }
    }
}
