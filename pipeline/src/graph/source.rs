//! Sources that are open: their schema is known, their rows come batch by batch.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datasets::shards::{ShardError, TableReader};
use datasets::{Annotations, ReadError, flic, lsp, lspet, mpii};
use schemas::tables::people::{self, Person};
use schemas::tables::rejects::Reject;

use super::GraphError;
use crate::plan::{FlicLabels, SourceConfig};

/// An open source.
pub struct Source {
    schema: SchemaRef,
    rows: Rows,
    rejects: Vec<Reject>,
    images: Option<usize>,
}

enum Rows {
    Table(TableReader),
    People(&'static schemas::Skeleton, Arc<Vec<Person>>),
}

impl Source {
    /// Opens what `config` names. An annotation file is read here, since only its content tells its skeleton.
    pub(super) fn open(node: &str, config: &SourceConfig) -> Result<(&'static str, Self), GraphError> {
        let annotated = |result: Result<Annotations, ReadError>| {
            result
                .map(Self::from_annotations)
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
        })
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

    /// How many rows it has.
    pub fn rows(&self) -> u64 {
        match &self.rows {
            Rows::Table(table) => table.rows(),
            Rows::People(_, people) => people.len() as u64,
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
            Rows::Table(_) => None,
        }
    }

    /// Records of an annotation file that could not be read.
    pub fn rejects(&self) -> &[Reject] {
        &self.rejects
    }

    /// Its rows, in order, at most `batch_rows` at a time.
    pub fn batches(
        &self,
        batch_rows: usize,
    ) -> Box<dyn Iterator<Item = Result<RecordBatch, ShardError>> + Send> {
        match &self.rows {
            Rows::Table(table) => Box::new(table.batches(batch_rows)),
            Rows::People(skeleton, people) => {
                let (skeleton, people) = (*skeleton, Arc::clone(people));
                let starts = (0..people.len()).step_by(batch_rows.max(1));
                Box::new(starts.map(move |start| {
                    let end = (start + batch_rows).min(people.len());
                    Ok(people::to_batch(skeleton, &people[start..end]))
                }))
            }
        }
    }
}
