//! Any table to one Arrow IPC file, which other programs map into memory without a copy.
//!
//! `pyarrow.feather.read_table(path)`, `pyarrow.ipc.open_file(path)` and `polars.read_ipc(path)` read it. The schema
//! keeps its metadata, so name, version and skeleton of the table stay with it. Nothing is compressed, so that a reader
//! needs no copy. Format: arrow.apache.org/docs/format/Columnar.html#ipc-file-format.

use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::ipc::writer::FileWriter;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::atomic::AtomicFile;
use super::{Encode, Export, ExportError, Target};
use crate::sink::Exported;

/// Name of the format.
const FORMAT: &str = "arrow";

/// One Arrow IPC file, of any table; pyarrow, polars and pandas (as Feather) read it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "clap", derive(clap::Args))]
#[serde(deny_unknown_fields)]
pub struct ArrowExport {
    /// The file.
    #[schemars(extend("format" = "path"))]
    #[cfg_attr(feature = "clap", arg(long = "out", value_name = "FILE"))]
    pub path: PathBuf,
}

impl Export for ArrowExport {
    const FORMAT: &'static str = FORMAT;

    fn path(&self) -> &Path {
        &self.path
    }

    fn check(&self, _inputs: &[SchemaRef]) -> Result<(), ExportError> {
        Ok(())
    }

    fn begin(&self, inputs: &[SchemaRef]) -> Result<Box<dyn Encode>, ExportError> {
        let file = AtomicFile::create(&self.path)?;
        Ok(Box::new(Encoder(FileWriter::try_new(file, &inputs[0])?)))
    }
}

struct Encoder(FileWriter<AtomicFile>);

impl Encode for Encoder {
    fn put(&mut self, _: usize, batch: &RecordBatch, exported: &mut Exported) -> Result<(), ExportError> {
        self.0.write(batch)?;
        exported.written += batch.num_rows() as u64;
        Ok(())
    }

    fn end(self: Box<Self>, _: &mut Exported) -> Result<Target, ExportError> {
        Ok(Target::File(self.0.into_inner()?))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{export, person};
    use super::*;
    use arrow::ipc::reader::FileReader;
    use schemas::skeleton::MPII16;
    use schemas::tables::people::to_batch;

    #[test]
    fn rows_and_metadata_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("people.arrow");
        let people = [0, 1, 2].map(|index| person("a.jpg", index, 16));
        let batches = [to_batch(&MPII16, &people[..2]), to_batch(&MPII16, &people[2..])];
        let exported = export(&ArrowExport { path: path.clone() }, &[&batches]).unwrap();
        assert_eq!((exported.written, exported.rejects.len()), (3, 0));
        let reader = FileReader::try_new(std::fs::File::open(&path).unwrap(), None).unwrap();
        assert_eq!(reader.schema(), batches[0].schema());
        assert_eq!(reader.collect::<Result<Vec<_>, _>>().unwrap(), batches);
    }
}
