//! `encode_loss_mask`: where a sample counts in the loss: not inside crowds and regions to ignore.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, FixedSizeListArray, RecordBatch, UInt8Array};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use schemars::JsonSchema;
use schemas::columns::{affines, field, fixed_list, schema_with, strings, with_column};
use schemas::tables::regions::{self, Region};
use schemas::tables::samples::CROP_FROM_IMAGE;
use schemas::units::Pixels;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::error::EncodeError;
use crate::augment::geometry::crop_size_of;
use crate::stage::{BuildContext, Outcome, Stage, StageError};

/// Column of the mask, `[H, W]`: 1 where a sample counts in the loss, 0 where it does not.
pub const LOSS_MASK: &str = "loss_mask";

/// The grid of the mask.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EncodeLossMaskConfig {
    /// Px of the crop per px of the mask: that of the maps of the network.
    pub stride: Pixels,
}

/// The stage. It rejects no row.
///
/// A px of the mask is 0 where its middle lies in a [region](schemas::tables::regions) of the picture: in the outline, a
/// polygon or run lengths of numbers, else in the box. Of a region whose place is not known nothing is masked.
#[derive(Debug, Clone, Copy)]
pub struct EncodeLossMask {
    stride: u32,
}

impl EncodeLossMaskConfig {
    /// Builds the stage.
    pub fn build(&self, _context: &BuildContext) -> EncodeLossMask {
        EncodeLossMask { stride: self.stride.get() }
    }
}

impl EncodeLossMask {
    /// Width and height of the mask.
    fn size(self, input: &Schema) -> Result<[usize; 2], StageError> {
        field(input, "attributes")?;
        let crop = crop_size_of(input)?;
        if crop.iter().any(|side| !side.is_multiple_of(self.stride)) {
            let [width, height] = crop;
            return Err(StageError::step(EncodeError::Stride { stride: self.stride, width, height }));
        }
        Ok(crop.map(|side| (side / self.stride) as usize))
    }
}

fn mask_field([width, height]: [usize; 2]) -> Field {
    Field::new(LOSS_MASK, fixed_list(fixed_list(DataType::UInt8, width), height), false)
}

impl Stage for EncodeLossMask {
    fn output_schema(&self, input: &SchemaRef) -> Result<SchemaRef, StageError> {
        Ok(Arc::new(schema_with(input, mask_field(self.size(input)?))))
    }

    fn run(&self, batch: &RecordBatch) -> Result<Outcome, StageError> {
        let [width, height] = self.size(batch.schema_ref())?;
        let attributes = strings(batch, "attributes")?;
        let mut mask = vec![1_u8; batch.num_rows() * width * height];
        let rows = mask.chunks_exact_mut((width * height).max(1));
        for ((row, crop_from_image), mask) in
            affines(batch, CROP_FROM_IMAGE)?.into_iter().enumerate().zip(rows)
        {
            let text = attributes.is_valid(row).then(|| attributes.value(row));
            let areas: Vec<Area> = regions::in_attributes(text).iter().filter_map(Area::of).collect();
            // A crop that has no way back shows nothing of the picture.
            let Some(image_from_crop) = crop_from_image.inverse().filter(|_| !areas.is_empty()) else {
                continue;
            };
            for (at, value) in mask.iter_mut().enumerate() {
                let middle = |place: usize| f64::from(self.stride) * (place as f64 + 0.5) - 0.5;
                let point = image_from_crop.apply([middle(at % width), middle(at / width)]);
                *value = u8::from(!areas.iter().any(|area| area.holds(point)));
            }
        }
        let item = |data_type: DataType| Arc::new(Field::new("item", data_type, true));
        let lines = FixedSizeListArray::new(
            item(DataType::UInt8),
            width as i32,
            Arc::new(UInt8Array::from(mask)),
            None,
        );
        let masks =
            FixedSizeListArray::new(item(lines.data_type().clone()), height as i32, Arc::new(lines), None);
        Ok(Outcome::all(with_column(batch, mask_field([width, height]), Arc::new(masks) as ArrayRef)?))
    }
}

/// A region with a place.
enum Area {
    /// Left, top, right, bottom, px of the image.
    Box([f64; 4]),
    /// Corners of polygons, px of the image.
    Polygons(Vec<Vec<[f64; 2]>>),
    /// Column by column: the ends of runs of px, the first of which lie outside; and the height of the image.
    Runs { ends: Vec<u64>, size: [u64; 2] },
}

impl Area {
    fn of(region: &Region) -> Option<Self> {
        region
            .outline
            .as_ref()
            .and_then(Self::outline)
            .or_else(|| region.bbox.map(|[x, y, width, height]| Self::Box([x, y, x + width, y + height])))
    }

    /// An outline as COCO writes it; packed run lengths are not read, their box is.
    fn outline(outline: &Json) -> Option<Self> {
        if let Some(polygons) = outline.as_array() {
            let corners = |polygon: &Json| -> Option<Vec<[f64; 2]>> {
                let numbers: Vec<f64> =
                    polygon.as_array()?.iter().map(Json::as_f64).collect::<Option<_>>()?;
                Some(numbers.chunks_exact(2).map(|pair| [pair[0], pair[1]]).collect())
            };
            let polygons: Vec<_> = polygons.iter().map(corners).collect::<Option<_>>()?;
            return (!polygons.is_empty()).then_some(Self::Polygons(polygons));
        }
        let numbers =
            |list: &Json| -> Option<Vec<u64>> { list.as_array()?.iter().map(Json::as_u64).collect() };
        let [height, width] = numbers(&outline["size"])?[..] else { return None };
        let mut sum = 0_u64;
        let ends = numbers(&outline["counts"])?.into_iter().map(|count| {
            sum = sum.saturating_add(count);
            sum
        });
        Some(Self::Runs { ends: ends.collect(), size: [width, height] })
    }

    fn holds(&self, [x, y]: [f64; 2]) -> bool {
        match self {
            Self::Box([left, top, right, bottom]) => x >= *left && x <= *right && y >= *top && y <= *bottom,
            // Each edge that a ray to the right crosses changes the side.
            Self::Polygons(polygons) => polygons.iter().any(|corners| {
                let edges = corners.iter().zip(corners.iter().cycle().skip(1));
                edges.fold(false, |inside, ([x1, y1], [x2, y2])| {
                    let crosses = (*y1 > y) != (*y2 > y) && x < x1 + (y - y1) / (y2 - y1) * (x2 - x1);
                    inside != crosses
                })
            }),
            Self::Runs { ends, size: [width, height] } => {
                let (column, row) = (x.round(), y.round());
                if column < 0.0 || row < 0.0 || column >= *width as f64 || row >= *height as f64 {
                    return false;
                }
                let at = column as u64 * height + row as u64;
                ends.partition_point(|end| *end <= at) % 2 == 1 && ends.last().is_some_and(|end| at < *end)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use schemas::columns::numbers;
    use schemas::skeleton::COCO17;
    use schemas::tables::people::{Person, Pose, to_batch};
    use schemas::tables::regions::Why;
    use serde_json::json;

    use super::*;
    use crate::augment::CropConfig;

    /// The mask, a text line a row, of a person in a picture of 64 x 48 px with `regions`, cut to 32 x 24 px.
    fn mask(regions: &[Region], stride: u32) -> Vec<String> {
        let mut people = [Person {
            sample_id: "a".into(),
            dataset: "d".into(),
            split: "train".into(),
            image_path: "a.jpg".into(),
            image_size: Some([64, 48]),
            person_index: Some(0),
            pose: Pose::unknown(17),
            source_file: "a.json".into(),
            source_record: "1".into(),
            ..Person::default()
        }];
        regions::add(&mut people, regions);
        let context =
            BuildContext { name: "mask".into(), seed: 0, threads: 1, folder: std::path::PathBuf::new() };
        let crop: CropConfig = toml::from_str("size = [32, 24]\nframe = \"whole_image\"").unwrap();
        let rows = crop.build(&context).unwrap().run(&to_batch(&COCO17, &people)).unwrap().rows;
        let stage: EncodeLossMaskConfig = toml::from_str(&format!("stride = {stride}")).unwrap();
        let stage = stage.build(&context);
        let out = stage.run(&rows).unwrap().rows;
        assert_eq!(out.schema(), stage.output_schema(&rows.schema()).unwrap());
        assert!(numbers(&out, "scale").is_ok(), "the other columns stay");
        let column = out.column_by_name(LOSS_MASK).unwrap();
        let lines = arrow::array::AsArray::as_fixed_size_list(column.as_ref()).value(0);
        let lines = arrow::array::AsArray::as_fixed_size_list(lines.as_ref()).clone();
        let line = |row| {
            let values = lines.value(row);
            let values =
                arrow::array::AsArray::as_primitive::<arrow::datatypes::UInt8Type>(values.as_ref()).clone();
            values.iter().flatten().map(|value| if value == 1 { '.' } else { '#' }).collect()
        };
        (0..lines.len()).map(line).collect()
    }

    #[test]
    fn what_lies_in_a_region_does_not_count() {
        assert_eq!(mask(&[], 8), vec!["...."; 3]);
        // The right lower quarter of the picture; the whole of it; a place that nobody knows.
        let quarter = Region::at(Why::Crowd, Some([32.0, 16.0, 32.0, 32.0]));
        assert_eq!(mask(std::slice::from_ref(&quarter), 8), ["....", "..##", "..##"]);
        assert_eq!(mask(&[Region::at(Why::Ignore, Some([-9.0, -9.0, 99.0, 99.0]))], 8), vec!["####"; 3]);
        assert_eq!(mask(&[Region::somewhere(Why::Rejected)], 8), vec!["...."; 3]);
        let left = Region::at(Why::Ignore, Some([0.0, 0.0, 15.0, 48.0]));
        assert_eq!(mask(&[quarter, left], 8), ["#...", "#.##", "#.##"]);
    }

    #[test]
    fn an_outline_goes_before_its_box() {
        let whole = Region::at(Why::Crowd, Some([0.0, 0.0, 64.0, 48.0]));
        let with = |outline: Json| Region { outline: Some(outline), ..whole.clone() };
        // The half below the diagonal; the two rightmost columns of 16 px, as run lengths; packed ones, which are not read.
        let triangle = with(json!([[0, 0, 64, 48, 0, 48]]));
        assert_eq!(mask(&[triangle], 8), ["#...", "##..", "###."]);
        let runs = with(json!({ "size": [48, 64], "counts": [48 * 32, 48 * 32] }));
        assert_eq!(mask(&[runs], 8), vec!["..##"; 3]);
        let packed = with(json!({ "size": [48, 64], "counts": "0a1b" }));
        assert_eq!(mask(&[packed], 8), vec!["####"; 3]);
    }
}
