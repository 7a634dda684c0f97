//! From rows of `embeddings` to blocks of frames: which rows are used, and which have unusable numbers.

use std::borrow::Cow;

use arrow::array::{Array, RecordBatch};
use arrow::datatypes::{DataType, Schema};
use schemas::columns::{field, strings, wrong_type};
use schemas::tables::embeddings;
use schemas::tables::rejects::Reject;

use super::blocks::{BLOCK_FRAMES, Block, Blocks, FrameSource};
use crate::stage::{Rows, StageError, UnitScan, reject};
pub use crate::window::roles::{ENROLMENT, PROBE, ROLE};

/// The split that models are fitted on by default.
pub const TRAIN: &str = "train";

/// Indices of the columns `needed` of embeddings, and of those that a reject names, in the order of `schema`.
///
/// # Errors
/// When a needed column is absent or of another type than in `embeddings`.
pub fn needed_columns(schema: &Schema, needed: &[&str]) -> Result<Vec<usize>, StageError> {
    let dimensions = embeddings::dimensions(schema)?;
    let expected = embeddings::schema(&Schema::empty(), dimensions, "");
    for name in needed {
        let found = field(schema, name)?.data_type();
        let expected = if *name == ROLE { &DataType::Utf8 } else { field(&expected, name)?.data_type() };
        if found != expected {
            return Err(wrong_type(name, &expected.to_string(), found).into());
        }
    }
    let wanted = |name: &str| {
        needed.contains(&name) || [embeddings::EMBEDDING, "sample_id", "source_file"].contains(&name)
    };
    Ok((0..schema.fields().len()).filter(|&index| wanted(schema.field(index).name())).collect())
}

/// Which rows of `batch` are of one of `splits` and, if one is asked for, of `role`; `[N]`.
///
/// # Errors
/// When the columns are absent or of another type.
pub fn chosen(batch: &RecordBatch, splits: &[String], role: Option<&str>) -> Result<Vec<bool>, StageError> {
    let split = strings(batch, "split")?;
    let roles = role.map(|role| strings(batch, ROLE).map(|roles| (roles, role))).transpose()?;
    let serves = |row: usize| {
        let of_role = roles.is_none_or(|(roles, role)| roles.is_valid(row) && roles.value(row) == role);
        of_role && split.is_valid(row) && splits.iter().any(|wanted| wanted == split.value(row))
    };
    Ok((0..batch.num_rows()).map(serves).collect())
}

/// Says of each row of a batch whether it serves, `[N]`, and what its frame belongs to.
pub type Pick<'a> = Box<dyn FnMut(&RecordBatch) -> Result<Vec<Option<u64>>, StageError> + Send + 'a>;

/// The frames of the rows that [`Pick`] takes, in blocks; a block ends with its unit.
///
/// A row that is taken and has a number that is not finite is left out and becomes a reject.
pub struct Frames<'a> {
    stage: &'a str,
    dimensions: usize,
    batches: UnitScan<'a>,
    pick: Pick<'a>,
    /// The batch whose rows come next, and what they belong to.
    current: Option<(RecordBatch, Vec<Option<u64>>)>,
    /// Its unit.
    unit: u64,
    row: usize,
    /// Rows left out so far.
    pub rejects: Vec<Reject>,
}

impl<'a> Frames<'a> {
    /// The frames of D = `dimensions` of `rows`; `stage` is who rejects.
    pub fn new(rows: &'a dyn Rows, dimensions: usize, stage: &'a str, pick: Pick<'a>) -> Self {
        let (batches, rejects) = (rows.scan_units(), Vec::new());
        Self { stage, dimensions, batches, pick, current: None, unit: 0, row: 0, rejects }
    }

    /// Takes rows of the current batch until `block` is full or the batch is at its end.
    fn take(&mut self, block: &mut Block<'a>) -> Result<(), StageError> {
        let Some((batch, tags)) = &self.current else { return Ok(()) };
        if embeddings::dimensions(batch.schema_ref())? != self.dimensions {
            let found = field(batch.schema_ref(), embeddings::EMBEDDING)?.data_type();
            return Err(
                wrong_type(embeddings::EMBEDDING, &format!("[{}] Float32", self.dimensions), found).into()
            );
        }
        let numbers = embeddings::values(batch)?;
        while self.row < batch.num_rows() && block.tags.len() < BLOCK_FRAMES {
            let row = self.row;
            self.row += 1;
            let Some(tag) = tags[row] else { continue };
            let frame = &numbers[row * self.dimensions..(row + 1) * self.dimensions];
            let odd = frame.iter().filter(|number| !number.is_finite()).count();
            if odd > 0 {
                self.rejects.push(not_finite(batch, row, self.stage, odd, self.dimensions));
                continue;
            }
            block.numbers.to_mut().extend(frame.iter().map(|number| f64::from(*number)));
            block.tags.push(tag);
        }
        Ok(())
    }

    fn fill(&mut self) -> Result<Block<'a>, StageError> {
        let mut block = Block { numbers: Cow::Owned(Vec::new()), tags: Vec::new(), unit: self.unit };
        loop {
            self.take(&mut block)?;
            if block.tags.len() == BLOCK_FRAMES {
                return Ok(block);
            }
            let Some((unit, batch)) = self.batches.next().transpose()? else {
                self.current = None;
                return Ok(block);
            };
            let tags = (self.pick)(&batch)?;
            (self.current, self.row) = (Some((batch, tags)), 0);
            let is_next = std::mem::replace(&mut self.unit, unit) != unit;
            if is_next && !block.tags.is_empty() {
                return Ok(block);
            }
            block.unit = unit;
        }
    }
}

impl<'a> Iterator for Frames<'a> {
    type Item = Result<Block<'a>, StageError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.fill().map(|block| (!block.tags.is_empty()).then_some(block)).transpose()
    }
}

/// The reject of a row of which `odd` of `dimensions` numbers are not finite.
pub fn not_finite(batch: &RecordBatch, row: usize, stage: &str, odd: usize, dimensions: usize) -> Reject {
    reject(batch, row, stage, "not finite", format!("{odd} of {dimensions} numbers are not finite"))
}

/// The frames of one or several splits, whatever their role.
pub struct Selection<'a> {
    /// Rows of `embeddings`.
    pub rows: &'a dyn Rows,
    /// D.
    pub dimensions: usize,
    /// Who rejects.
    pub stage: &'a str,
    /// The splits that serve.
    pub splits: &'a [String],
}

impl FrameSource for Selection<'_> {
    fn dimensions(&self) -> usize {
        self.dimensions
    }

    fn blocks(&self) -> Blocks<'_> {
        let pick = |batch: &RecordBatch| {
            Ok(chosen(batch, self.splits, None)?.into_iter().map(|serves| serves.then_some(0)).collect())
        };
        Box::new(Frames::new(self.rows, self.dimensions, self.stage, Box::new(pick)))
    }
}
