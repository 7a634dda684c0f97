//! `project`: embeddings projected onto the directions of a fitted projection.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use rayon::prelude::*;
use schemars::JsonSchema;
use schemas::columns::{fixed_list, schema_with, with_column};
use schemas::tables::embeddings::{self, CLASSES_KEY, EMBEDDING};
use schemas::tables::models::{Projection, matrix_shape};
use schemas::tables::rejects::Reject;
use serde::{Deserialize, Serialize};

use super::blocks::BLOCK_FRAMES;
use super::error::VerifyError;
use super::frames::not_finite;
use super::product::{Strided, multiply};
use super::rechunk::Rechunked;
use crate::stage::{AllRows, BuildContext, Gathered, Give, Number, Rows, StageError, take_rows};

/// Keys of the stage `project`: none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProjectConfig {}

impl ProjectConfig {
    /// The step.
    ///
    /// # Errors
    /// Never.
    pub fn build(&self, context: &BuildContext) -> Result<Project, StageError> {
        Ok(Project { name: context.name.clone() })
    }
}

/// Replaces the D numbers of every row by P numbers, y = directions (x - mean); other columns do not change.
#[derive(Debug, Clone)]
pub struct Project {
    name: String,
}

impl AllRows for Project {
    type Count = Number<2>;

    const INPUTS: &'static [&'static str; 2] = &["embeddings", "projection"];

    fn needed_columns(&self, input: usize, schema: &SchemaRef) -> Result<Vec<usize>, StageError> {
        if input == 0 {
            embeddings::dimensions(schema)?;
        } else {
            matrix_shape(schema, "directions")?;
        }
        Ok((0..schema.fields().len()).collect())
    }

    fn output_schema(&self, inputs: [&SchemaRef; 2]) -> Result<SchemaRef, StageError> {
        let dimensions = embeddings::dimensions(inputs[0])?;
        let [components, expected] = matrix_shape(inputs[1], "directions")?;
        if dimensions != expected {
            return Err(StageError::step(VerifyError::ProjectionWidth { dimensions, expected }));
        }
        let mut schema = schema_with(inputs[0], projected_field(components));
        // Numbers along principal directions are scores of no class.
        schema.metadata.remove(CLASSES_KEY);
        Ok(Arc::new(schema))
    }

    fn run(&self, inputs: [&dyn Rows; 2], _run: &str, give: &mut Give<'_>) -> Result<Gathered, StageError> {
        let schema = self.output_schema([&inputs[0].schema(), &inputs[1].schema()])?;
        let projection = only_projection(inputs[1])?;
        let mut batches = Rechunked::new(inputs[0], BLOCK_FRAMES);
        let mut gathered = Gathered::default();
        loop {
            let at_once = 2 * rayon::current_num_threads();
            let group: Vec<RecordBatch> = batches.by_ref().take(at_once).collect::<Result<_, _>>()?;
            if group.is_empty() {
                return Ok(gathered);
            }
            let projected: Vec<Result<_, StageError>> =
                group.par_iter().map(|batch| self.project(batch, &projection, &schema)).collect();
            for outcome in projected {
                let (rows, rejects) = outcome?;
                gathered.rejects.extend(rejects);
                if rows.num_rows() > 0 {
                    give(rows)?;
                }
            }
        }
    }
}

impl Project {
    fn project(
        &self,
        batch: &RecordBatch,
        projection: &Projection,
        schema: &Arc<Schema>,
    ) -> Result<(RecordBatch, Vec<Reject>), StageError> {
        let (dimensions, components) = (projection.mean.len(), projection.variance.len());
        let (mut kept, mut rejects) = (Vec::new(), Vec::new());
        let mut centred = Vec::with_capacity(batch.num_rows() * dimensions);
        for (row, frame) in embeddings::values(batch)?.chunks_exact(dimensions).enumerate() {
            let odd = frame.iter().filter(|number| !number.is_finite()).count();
            if odd > 0 {
                rejects.push(not_finite(batch, row, &self.name, odd, dimensions));
                continue;
            }
            kept.push(row);
            centred.extend(frame.iter().zip(&projection.mean).map(|(x, mean)| f64::from(*x) - mean));
        }
        let mut out = vec![0.0; kept.len() * components];
        if !kept.is_empty() {
            let directions = Strided::new(&projection.directions, components, dimensions, dimensions);
            let centred = Strided::new(&centred, kept.len(), dimensions, dimensions);
            multiply(centred, directions.transposed(), 0.0, &mut out);
        }
        let numbers = embeddings::embedding_array(out.iter().map(|y| *y as f32).collect(), components);
        let rows = with_column(&take_rows(batch, &kept)?, projected_field(components), numbers)?;
        Ok((rows.with_schema(Arc::clone(schema))?, rejects))
    }
}

fn projected_field(components: usize) -> Field {
    Field::new(EMBEDDING, fixed_list(DataType::Float32, components), false)
}

fn only_projection(rows: &dyn Rows) -> Result<Projection, StageError> {
    let mut all = Vec::new();
    for batch in rows.scan() {
        all.extend(Projection::from_batch(&batch?)?);
    }
    let found = all.len();
    let [projection] = <[Projection; 1]>::try_from(all).map_err(|_| {
        StageError::step(VerifyError::NotOne { model: "projection", input: "projection", found })
    })?;
    Ok(projection)
}
