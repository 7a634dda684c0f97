//! `samples` to `WebDataset` shards.
//!
//! `train-000000.tar`, `train-000001.tar`, ... for each split; in each, a sample's members are consecutive: `KEY.jpg`
//! or `KEY.png`, the bytes of the column `image`; `KEY.json`, the other columns; `KEY.heatmap.npy` `[C, h, w]` and
//! `KEY.center_map.npy` `[H, W]`, f32, where the table has them. The key is `sample_id`, with `-COPY` where the table
//! has copies. Numbers that are not finite are `null` in JSON.

mod members;
mod npy;
mod shards;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use arrow::array::{Array, AsArray, RecordBatch, StringArray, StructArray};
use arrow::datatypes::SchemaRef;
use schemars::JsonSchema;
use schemas::columns::{SchemaError, column, field, integers, strings};
use schemas::sample_id::sanitised;
use schemas::tables::rejects::Reject;
use schemas::tables::samples::{self, CENTER_MAP, COPY, HEATMAPS, IMAGE, is_encoded_image};
use schemas::units::Count;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use super::atomic::AtomicFolder;
use super::{Encode, Export, ExportError, Target, expect_table};
use crate::shards::shard_mib;
use crate::sink::Exported;
use members::{extension, is_json, json_of};
use shards::Shards;

/// Stage name in rejects.
const FORMAT: &str = "webdataset";

/// `WebDataset` shards, of a table of samples with encoded pictures.
///
/// The bytes depend only on the rows: members have no owner and time 0. Rejects are samples without an image, of an
/// unknown image format, with an id that is not a valid key, or with the key of another sample.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "clap", derive(clap::Args))]
#[serde(deny_unknown_fields)]
pub struct WebdatasetExport {
    /// The folder.
    #[schemars(extend("format" = "path"))]
    #[cfg_attr(feature = "clap", arg(long = "out", value_name = "DIR"))]
    pub path: PathBuf,
    /// Largest size of a shard, MiB, unless one sample alone is larger.
    #[serde(default = "shard_mib")]
    #[cfg_attr(feature = "clap", arg(long, value_name = "MIB", default_value_t = shard_mib()))]
    pub shard_mib: Count,
}

impl Export for WebdatasetExport {
    const FORMAT: &'static str = FORMAT;

    fn path(&self) -> &Path {
        &self.path
    }

    fn check(&self, inputs: &[SchemaRef]) -> Result<(), ExportError> {
        Samples::of(&RecordBatch::new_empty(inputs[0].clone())).map(drop)
    }

    fn begin(&self, _inputs: &[SchemaRef]) -> Result<Box<dyn Encode>, ExportError> {
        Ok(Box::new(Encoder::begin(&self.path, u64::from(self.shard_mib.get()) << 20)?))
    }
}

struct Encoder {
    folder: AtomicFolder,
    shards: Shards,
    keys: HashSet<String>,
    left_out: Vec<String>,
}

impl Encoder {
    fn begin(path: &Path, shard_bytes: u64) -> Result<Self, ExportError> {
        let folder = AtomicFolder::create(path)?;
        let shards = Shards::new(folder.path(), shard_bytes);
        Ok(Self { folder, shards, keys: HashSet::new(), left_out: Vec::new() })
    }
}

impl Encode for Encoder {
    fn put(&mut self, _: usize, batch: &RecordBatch, exported: &mut Exported) -> Result<(), ExportError> {
        let samples = Samples::of(batch)?;
        self.left_out.clone_from(&samples.left_out);
        for row in 0..batch.num_rows() {
            match samples.members(row, &mut self.keys) {
                Ok((key, members)) => {
                    self.shards.append(samples.split(row), &key, &members)?;
                    exported.written += 1;
                }
                Err((reason, detail)) => exported.rejects.push(Reject {
                    stage: FORMAT.to_owned(),
                    reason: reason.to_owned(),
                    sample_id: Some(samples.ids.value(row).to_owned()),
                    detail,
                    ..Reject::default()
                }),
            }
        }
        Ok(())
    }

    fn end(self: Box<Self>, exported: &mut Exported) -> Result<Target, ExportError> {
        if !self.left_out.is_empty() {
            let columns = self.left_out.join(", ");
            exported.notes.push(format!("columns that JSON cannot hold are left out: {columns}"));
        }
        let shards = self.shards.finish()?;
        Ok(Target::Folder(self.folder, json!({ "shards": shards })))
    }
}

/// Extension and bytes.
type Member = (&'static str, Vec<u8>);

/// The columns of a batch of samples.
struct Samples<'a> {
    batch: &'a RecordBatch,
    ids: &'a StringArray,
    splits: Option<&'a StringArray>,
    copies: Option<&'a arrow::array::Int32Array>,
    images: &'a StructArray,
    /// Index and extension of the columns of maps.
    maps: Vec<(usize, &'static str)>,
    /// Indices of the columns that go to JSON.
    json: Vec<usize>,
    /// Names of the columns that go nowhere.
    left_out: Vec<String>,
}

impl<'a> Samples<'a> {
    fn of(batch: &'a RecordBatch) -> Result<Self, ExportError> {
        let schema = batch.schema_ref();
        expect_table(schema, samples::NAME)?;
        let image = field(schema, IMAGE)?;
        if !is_encoded_image(image) {
            return Err(ExportError::RawPixels { found: image.data_type().to_string() });
        }
        let has = |name: &str| schema.index_of(name).is_ok();
        let (mut maps, mut json, mut left_out) = (Vec::new(), Vec::new(), Vec::new());
        for (index, field) in schema.fields().iter().enumerate() {
            match field.name().as_str() {
                IMAGE => {}
                HEATMAPS => maps.push((index, "heatmap.npy")),
                CENTER_MAP => maps.push((index, "center_map.npy")),
                _ if is_json(field.data_type()) => json.push(index),
                name => left_out.push(format!("`{name}`")),
            }
        }
        for (index, _) in &maps {
            let field = schema.field(*index);
            if npy::shape(field.data_type()).is_none() {
                let found = field.data_type().to_string();
                let (column, expected) = (field.name().clone(), "maps of Float32".to_owned());
                return Err(SchemaError::WrongType { column, expected, found }.into());
            }
        }
        Ok(Self {
            batch,
            ids: strings(batch, "sample_id")?,
            splits: has("split").then(|| strings(batch, "split")).transpose()?,
            copies: has(COPY).then(|| integers(batch, COPY)).transpose()?,
            images: column(batch, IMAGE)?.as_struct(),
            maps,
            json,
            left_out,
        })
    }

    fn split(&self, row: usize) -> &str {
        self.splits.filter(|splits| splits.is_valid(row)).map_or("all", |splits| splits.value(row))
    }

    /// Key and members of `row`, or why it has none.
    fn members(
        &self,
        row: usize,
        keys: &mut HashSet<String>,
    ) -> Result<(String, Vec<Member>), (&'static str, String)> {
        let id = self.ids.value(row);
        if id.is_empty() || sanitised(id) != id {
            return Err(("id no key", format!("`{id}` must be letters, digits, `_` and `-`")));
        }
        let files = self.images.column(0).as_binary_opt::<i32>().filter(|files| files.is_valid(row));
        let Some(bytes) = files.filter(|_| self.images.is_valid(row)).map(|files| files.value(row)) else {
            return Err(("no picture", "the column `image` has no bytes".to_owned()));
        };
        let Some(extension) = extension(bytes) else {
            return Err(("picture of another format", "it must be JPEG, PNG or WebP".to_owned()));
        };
        let copy = self.copies.map(|copies| copies.value(row));
        let key = copy.map_or_else(|| id.to_owned(), |copy| format!("{id}-{copy}"));
        if !keys.insert(key.clone()) {
            return Err(("key used twice", format!("`{key}`")));
        }
        let object: Map<String, Json> = self
            .json
            .iter()
            .map(|&index| {
                let name = self.batch.schema_ref().field(index).name().clone();
                (name, json_of(self.batch.column(index).as_ref(), row))
            })
            .collect();
        let mut members =
            vec![(extension, bytes.to_vec()), ("json", Json::Object(object).to_string().into_bytes())];
        for (index, extension) in &self.maps {
            let maps = self.batch.column(*index).slice(row, 1);
            members.extend(npy::file(&maps).map(|file| (*extension, file)));
        }
        Ok((key, members))
    }
}

#[cfg(test)]
mod tests;
