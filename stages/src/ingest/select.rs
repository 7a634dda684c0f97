//! `select`: keeps or drops columns.

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use schemars::JsonSchema;
use schemas::columns::field;
use serde::{Deserialize, Serialize};

use super::error::IngestError;
use crate::stage::{BuildContext, Outcome, Stage, StageError};

/// Keys of the stage `select`: `columns = [...]` or `drop = [...]`.
///
/// ```
/// let config: stages::ingest::SelectConfig = toml::from_str("drop = ['activity']")?;
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SelectConfig {
    /// The columns to keep, in this order.
    Columns(Vec<String>),
    /// The columns to drop; the others keep their order.
    Drop(Vec<String>),
}

impl SelectConfig {
    /// The stage.
    ///
    /// # Errors
    /// When no column is named, or one is named twice.
    pub fn build(&self, context: &BuildContext) -> Result<Select, StageError> {
        let (Self::Columns(names) | Self::Drop(names)) = self;
        let stage = context.name.clone();
        if names.is_empty() {
            return Err(StageError::step(IngestError::NamesNone { stage, what: "column" }));
        }
        if let Some(at) = (0..names.len()).find(|&at| names[..at].contains(&names[at])) {
            return Err(StageError::step(IngestError::ColumnTwice { stage, column: names[at].clone() }));
        }
        Ok(Select { config: self.clone() })
    }
}

/// Keeps or drops columns. No row changes.
#[derive(Debug, Clone)]
pub struct Select {
    config: SelectConfig,
}

impl Select {
    fn kept(&self, schema: &Schema) -> Result<Vec<usize>, StageError> {
        let (SelectConfig::Columns(names) | SelectConfig::Drop(names)) = &self.config;
        for name in names {
            field(schema, name)?;
        }
        Ok(match &self.config {
            SelectConfig::Columns(names) => {
                names.iter().map(|name| schema.index_of(name)).collect::<Result<_, _>>()?
            }
            SelectConfig::Drop(names) => {
                (0..schema.fields().len()).filter(|&at| !names.contains(schema.field(at).name())).collect()
            }
        })
    }
}

impl Stage for Select {
    fn output_schema(&self, input: &SchemaRef) -> Result<SchemaRef, StageError> {
        Ok(SchemaRef::new(input.project(&self.kept(input)?)?))
    }

    fn run(&self, batch: &RecordBatch) -> Result<Outcome, StageError> {
        Ok(Outcome::all(batch.project(&self.kept(batch.schema_ref())?)?))
    }
}

#[cfg(test)]
mod tests {
    use super::super::filter::tests::{context, people};
    use super::*;

    fn select(plan: &str) -> Select {
        toml::from_str::<SelectConfig>(plan).unwrap().build(&context("narrow")).unwrap()
    }

    fn names(schema: &Schema) -> Vec<&str> {
        schema.fields().iter().map(|field| field.name().as_str()).collect()
    }

    #[test]
    fn columns_come_in_the_order_asked_for_with_metadata_kept() {
        let batch = people(4);
        let stage = select("columns = ['split', 'sample_id']");
        let schema = stage.output_schema(&batch.schema()).unwrap();
        assert_eq!(names(&schema), ["split", "sample_id"]);
        assert_eq!(schema.metadata(), batch.schema_ref().metadata());
        let rows = stage.run(&batch.slice(1, 2)).unwrap().rows;
        assert_eq!((rows.schema(), rows.num_rows()), (schema, 2));
        assert_eq!(rows.column(1).as_ref(), batch.slice(1, 2).column(0).as_ref());
    }

    #[test]
    fn dropped_columns_are_gone_and_even_an_empty_batch_keeps_its_schema() {
        let batch = people(0);
        let stage = select("drop = ['activity', 'attributes']");
        let rows = stage.run(&batch).unwrap().rows;
        assert_eq!(rows.num_columns(), batch.num_columns() - 2);
        assert_eq!(rows.schema(), stage.output_schema(&batch.schema()).unwrap());
    }

    #[test]
    fn dropping_every_column_keeps_the_count_of_rows() {
        let batch = people(3).project(&[0]).unwrap();
        let rows = select("drop = ['sample_id']").run(&batch).unwrap().rows;
        assert_eq!((rows.num_columns(), rows.num_rows()), (0, 3));
    }

    #[test]
    fn wrong_plans_are_refused() {
        let unknown = select("drop = ['sclae']").output_schema(&people(0).schema()).unwrap_err();
        assert!(unknown.to_string().starts_with("column `sclae` is missing"), "{unknown}");
        assert!(SelectConfig::Drop(vec![]).build(&context("s")).is_err());
        assert!(SelectConfig::Columns(vec!["a".into(), "a".into()]).build(&context("s")).is_err());
        assert!(toml::from_str::<SelectConfig>("columns = ['a']\ndrop = ['b']").is_err());
        assert!(toml::from_str::<SelectConfig>("keep = ['a']").is_err());
    }
}
