//! All rows of one input of an aggregate or of an export: stored on disk, or read from their source again.

use std::iter::Peekable;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Schema, SchemaRef};
use datasets::shards::TableReader;
use datasets::source::OpenSource;
use stages::StageError;
use stages::stage::{Rows, Scan, UnitScan};

use crate::graph::value_bytes;

/// Bytes of a batch that is read back: enough to keep the cost of a batch small, few enough to hold several.
const BATCH_BYTES: usize = 4 << 20;

/// Bytes that stand for a value of unknown length: a name, or a signal of some minutes.
const TEXT_BYTES: u64 = 32;
const LIST_BYTES: u64 = 64 << 10;

/// One input: the rows of one node after those of another.
pub(super) struct Shelf {
    pub schema: SchemaRef,
    pub parts: Vec<Part>,
}

/// The rows of one node.
pub(super) enum Part {
    /// What its units have stored, in their order.
    Stored(TableReader),
    /// A source, of which these columns are needed; its units are of so many batches of so many rows.
    Source(Arc<OpenSource>, Vec<usize>, UnitSize),
}

/// Batches of a unit, and rows of a batch.
pub(super) type UnitSize = (u64, usize);

impl Part {
    /// Its units: rows of a stored table, or what [`OpenSource::units`] gives.
    fn units(&self) -> Result<Vec<Range<u64>>, StageError> {
        match self {
            Self::Stored(table) => Ok(stored_units(table.files().zip(table.shard_rows()))),
            Self::Source(source, _, (batches, batch_rows)) => {
                source.units(*batches, *batch_rows).map_err(StageError::step)
            }
        }
    }

    fn scan(&self, schema: &SchemaRef) -> Scan<'_> {
        let batch_rows = batch_rows(schema);
        match self {
            Self::Stored(table) => Box::new(table.batches(batch_rows).map(|batch| Ok(batch?))),
            Self::Source(source, columns, _) => match source.projected(columns) {
                Ok(Some(narrow)) => read(&narrow, ALL, batch_rows, None),
                Ok(None) => read(source, ALL, batch_rows, Some(columns)),
                Err(error) => Box::new(std::iter::once(Err(StageError::step(error)))),
            },
        }
    }

    /// Its rows with the numbers of their `units`, which are counted from `first`.
    fn scan_units(&self, units: Vec<Range<u64>>, first: u64, schema: &SchemaRef) -> UnitScan<'_> {
        let units = (first..).zip(units);
        match self {
            Self::Source(source, columns, _) if !source.is_table() => {
                let batch_rows = batch_rows(schema);
                Box::new(units.flat_map(move |(number, unit)| {
                    let batches = read(source, unit, batch_rows, Some(columns));
                    batches.map(move |batch| Ok((number, batch?)))
                }))
            }
            // One reader for all units: to begin at a row in the middle of a shard costs the rows before it.
            _ => Box::new(Cut { batches: self.scan(schema), units: units.peekable(), rest: None, row: 0 }),
        }
    }
}

/// All rows of a source.
const ALL: Range<u64> = 0..u64::MAX;

fn batch_rows(schema: &Schema) -> usize {
    (BATCH_BYTES / row_bytes(schema).max(1)).clamp(16, 8192)
}

/// Batches of a table, cut where a unit ends.
struct Cut<'a, U: Iterator> {
    batches: Scan<'a>,
    /// Number and rows of the units that are not complete.
    units: Peekable<U>,
    /// What is left of a batch.
    rest: Option<RecordBatch>,
    /// Rows that were given.
    row: u64,
}

impl<U: Iterator<Item = (u64, Range<u64>)>> Iterator for Cut<'_, U> {
    type Item = Result<(u64, RecordBatch), StageError>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = match self.rest.take() {
            Some(batch) => batch,
            None => match self.batches.next()? {
                Ok(batch) => batch,
                Err(error) => return Some(Err(error)),
            },
        };
        let row = self.row;
        while self.units.next_if(|(_, unit)| unit.end <= row).is_some() {}
        let (number, unit) = self.units.peek().cloned().unwrap_or((u64::MAX, ALL));
        let kept = usize::try_from(unit.end - row).unwrap_or(usize::MAX).min(batch.num_rows());
        if kept < batch.num_rows() {
            self.rest = Some(batch.slice(kept, batch.num_rows() - kept));
        }
        self.row += kept as u64;
        Some(Ok((number, batch.slice(0, kept))))
    }
}

/// The rows of each unit, for the shards `files` of one or more units, in order, with their numbers of rows.
fn stored_units<'a>(files: impl Iterator<Item = (&'a Path, u64)>) -> Vec<Range<u64>> {
    let (mut units, mut last, mut first) = (Vec::<Range<u64>>::new(), None, 0);
    for (path, rows) in files {
        let number = unit_of(path);
        match units.last_mut() {
            Some(unit) if number.is_some() && number == last => unit.end = first + rows,
            _ => units.push(first..first + rows),
        }
        (last, first) = (number, first + rows);
    }
    units
}

/// The number of the unit that the shard at `path` is of: `00002` of `train-00002-000-1f3a.parquet`. The split may have
/// hyphens.
fn unit_of(path: &Path) -> Option<&str> {
    path.file_name()?.to_str()?.rsplit('-').nth(2)
}

/// The rows of the unit `unit` of `source`, with `columns` alone where given.
fn read<'a>(
    source: &OpenSource,
    unit: Range<u64>,
    batch_rows: usize,
    columns: Option<&'a [usize]>,
) -> Scan<'a> {
    let chunks = source.chunks_of(unit, batch_rows);
    Box::new(chunks.flat_map(move |chunk| {
        let loaded = chunk.and_then(|chunk| chunk.load.now()).map_err(StageError::step);
        let (batches, failure) = match loaded {
            Ok(loaded) => (loaded.batches, None),
            Err(error) => (Vec::new(), Some(Err(error))),
        };
        let narrow = move |batch: RecordBatch| match columns {
            Some(columns) => Ok(batch.project(columns)?),
            None => Ok(batch),
        };
        batches.into_iter().map(narrow).chain(failure)
    }))
}

impl Rows for Shelf {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn scan(&self) -> Scan<'_> {
        Box::new(self.parts.iter().flat_map(|part| part.scan(&self.schema)))
    }

    fn scan_units(&self) -> UnitScan<'_> {
        let mut first = 0;
        Box::new(self.parts.iter().flat_map(move |part| match part.units() {
            Ok(units) => {
                let number = first;
                first += units.len() as u64;
                part.scan_units(units, number, &self.schema)
            }
            Err(error) => Box::new(std::iter::once(Err(error))),
        }))
    }
}

/// About how many bytes a row of `schema` takes.
pub(super) fn row_bytes(schema: &Schema) -> usize {
    schema.fields().iter().map(|field| value_bytes(field.data_type(), &usual_bytes) as usize).sum()
}

/// Bytes that stand for a value whose length only the value itself tells.
fn usual_bytes(data_type: &DataType) -> u64 {
    match data_type {
        DataType::List(_) | DataType::Binary => LIST_BYTES,
        _ => TEXT_BYTES,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{ArrayRef, AsArray as _, Int32Array};
    use arrow::datatypes::Int32Type;
    use datasets::shards::{Provenance, TableFolder, TableOptions};
    use schemas::columns::fixed_list;

    #[test]
    fn shards_of_a_unit_are_read_together() {
        let names = [
            ("train-00000-000-1f3a.parquet", 5),
            ("train-00000-001-1f3a.parquet", 2),
            ("test-00000-000-1f3a.parquet", 1),
            ("all-but-one-00002-000-1f3a.parquet", 4),
            ("train-00003-000-1f3a.parquet", 3),
        ];
        let files = names.map(|(name, rows)| (Path::new(name), rows));
        assert_eq!(stored_units(files.into_iter()), [0..8, 8..12, 12..15]);
        assert!(stored_units(std::iter::empty()).is_empty());
    }

    #[test]
    fn shards_say_which_unit_they_are_of() {
        let folder = tempfile::tempdir().unwrap();
        let (path, rows) = (folder.path().join("table"), numbers(0));
        let options = TableOptions::default();
        let table = TableFolder::claim(&path, &rows.schema(), Provenance::default(), &options).unwrap();
        for (number, digits) in [(0, "00000"), (7, "00007"), (123_456, "123456")] {
            let mut unit = table.unit(number);
            unit.write(&rows).unwrap();
            let shards = unit.finish().unwrap();
            assert_eq!(unit_of(Path::new(&shards[0].file)), Some(digits), "{}", shards[0].file);
        }
        table.release().unwrap();
    }

    #[test]
    fn the_units_of_a_source_hold_its_rows_in_order() {
        let batches: Vec<RecordBatch> = (0..5).map(numbers).collect();
        let columns = vec![0];
        let part = Part::Source(Arc::new(OpenSource::from(batches.clone())), columns, (2, 3));
        let shelf = Shelf { schema: batches[0].schema(), parts: vec![part] };
        let all: Vec<RecordBatch> = shelf.scan().collect::<Result<_, _>>().unwrap();
        let (units, rows): (Vec<u64>, Vec<RecordBatch>) = shelf.scan_units().map(Result::unwrap).unzip();
        assert_eq!(units, [0, 0, 1, 1, 2]);
        assert_eq!((rows, all), (batches.clone(), batches));
    }

    #[test]
    fn a_batch_is_cut_where_a_unit_ends() {
        let batches = [0, 2, 4].map(|first| Ok(numbers(first)));
        let units = [(7, 0..1), (8, 1..1), (9, 1..5), (10, 5..6)].into_iter().peekable();
        let cut = Cut { batches: Box::new(batches.into_iter()), units, rest: None, row: 0 };
        let given: Vec<(u64, Vec<i32>)> = cut
            .map(|batch| {
                batch.map(|(unit, rows)| (unit, rows.column(0).as_primitive::<Int32Type>().values().to_vec()))
            })
            .collect::<Result<_, _>>()
            .unwrap();
        let expected = [(7, vec![0]), (9, vec![1]), (9, vec![2, 3]), (9, vec![4]), (10, vec![5])];
        assert_eq!(given, expected);
    }

    fn numbers(first: i32) -> RecordBatch {
        let column = Int32Array::from(vec![first, first + 1]);
        RecordBatch::try_from_iter([("n", Arc::new(column) as ArrayRef)]).unwrap()
    }

    #[test]
    fn wide_rows_come_in_small_batches() {
        let window = fixed_list(fixed_list(fixed_list(DataType::Float32, 6), 50), 20);
        assert_eq!(value_bytes(&window, &usual_bytes), 24_000);
        assert_eq!(value_bytes(&DataType::Utf8, &usual_bytes), TEXT_BYTES);
    }
}
