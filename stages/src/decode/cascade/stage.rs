//! The stage `refine`: each joint of a first network's maps, looked at again by a second one.

use arrow::array::{Array, AsArray, BinaryArray, BooleanArray, RecordBatch};
use arrow::datatypes::{Schema, SchemaRef};
use schemas::columns::{affines, booleans, column, field, numbers, wrong_type};
use schemas::tables::{heatmaps, samples};
use schemas::{Affine, Skeleton};

use super::card::FineCard;
use crate::decode::peak::{Peak, peak_and_mean};
use crate::decode::table::{self, Readings};
use crate::network::gather::Row;
use crate::network::pictures::{PictureWorker, check_image};
use crate::network::{NetworkError, Opened};
use crate::stage::reject;
use crate::{Outcome, Stage, StageError};

/// Columns that are read besides the maps.
const NEEDED: [&str; 4] =
    [heatmaps::STRIDE, heatmaps::ORIGIN_IN_CROP, samples::CROP_FROM_IMAGE, samples::FLIPPED];

/// A second network, ready to look again.
///
/// A joint's coarse place is the highest px of its map, `origin + stride * px` of the crop (where the origin is
/// (stride - 1) / 2, that is (px + 1/2) * stride - 1/2; the paper does not state its convention), rounded to whole px,
/// a half upwards. The network gets the picture and these places, and returns for each joint a fine map of the window around
/// its place; the joint is at `place + stride * (highest px - center)` of the crop, without interpolation between px.
///
/// `score` is the height of the coarse peak and `heatmap_mean` the mean of the coarse map. A joint whose coarse or fine
/// map has no finite peak has no place; the network gets the middle of the crop for it. Each row, that is each output
/// head of the first network, is refined separately.
pub struct RefineJoints {
    pub(super) name: String,
    pub(super) card: FineCard,
    pub(super) skeleton: &'static Skeleton,
    pub(super) network: Opened<PictureWorker>,
    /// Height and width of a fine map.
    pub(super) map_size: [usize; 2],
}

/// What a row's coarse maps say, channel by channel.
struct Coarse<'a> {
    rgb: &'a [u8],
    image_from_crop: Affine,
    flipped: bool,
    /// Height of the peak, `None` where there is none, and mean of the map.
    peaks: Vec<(Option<f32>, f64)>,
    /// `[K, 2]`, what the network is shown.
    points: Vec<f32>,
}

type Refusal = (&'static str, String);

/// The columns of a batch of maps that still has its pixels.
struct Columns<'a> {
    images: &'a BinaryArray,
    maps: &'a [f32],
    shape: [usize; 3],
    strides: &'a [f64],
    origins: &'a [f64],
    crops: Vec<Affine>,
    flipped: &'a BooleanArray,
}

impl<'a> Columns<'a> {
    fn of(batch: &'a RecordBatch) -> Result<Self, StageError> {
        let images = column(batch, samples::IMAGE)?;
        let wrong = || wrong_type(samples::IMAGE, "Binary", images.data_type());
        Ok(Self {
            images: images.as_binary_opt::<i32>().ok_or_else(wrong)?,
            maps: heatmaps::maps_values(column(batch, heatmaps::HEATMAPS)?, heatmaps::HEATMAPS)?,
            shape: table::shape_of(batch.schema_ref())?.1,
            strides: numbers(batch, heatmaps::STRIDE)?.values(),
            origins: numbers(batch, heatmaps::ORIGIN_IN_CROP)?.values(),
            crops: affines(batch, samples::CROP_FROM_IMAGE)?,
            flipped: booleans(batch, samples::FLIPPED)?,
        })
    }

    /// What row `row` says, for a network that reads `width` x `height` px.
    fn coarse(&self, row: usize, [width, height]: [u32; 2]) -> Result<Coarse<'a>, Refusal> {
        let rgb = if self.images.is_null(row) { &[][..] } else { self.images.value(row) };
        let expected = 3 * width as usize * height as usize;
        if rgb.len() != expected {
            let detail = format!("{expected} bytes of pixels are expected, found {}", rgb.len());
            return Err(("image size", detail));
        }
        let crop = &self.crops[row];
        let unusable = || {
            let detail = format!("`{}` {:?} cannot be inverted", samples::CROP_FROM_IMAGE, crop.0);
            ("singular transform", detail)
        };
        let image_from_crop = crop.inverse().ok_or_else(unusable)?;
        let [joints, rows, columns] = self.shape;
        let maps = &self.maps[row * joints * rows * columns..][..joints * rows * columns];
        let (mut peaks, mut points) = (Vec::with_capacity(joints), Vec::with_capacity(2 * joints));
        for map in maps.chunks_exact(rows * columns) {
            let (peak, mean) = peak_and_mean(map, columns);
            let place =
                |cell: usize| (self.origins[row] + self.strides[row] * cell as f64 + 0.5).floor() as f32;
            match peak {
                Some(Peak { x, y, .. }) => points.extend([place(x), place(y)]),
                None => points.extend([width / 2, height / 2].map(|middle| middle as f32)),
            }
            peaks.push((peak.map(|peak| peak.value), mean));
        }
        Ok(Coarse { rgb, image_from_crop, flipped: self.flipped.value(row), peaks, points })
    }
}

impl RefineJoints {
    /// The card.
    pub fn card(&self) -> &FineCard {
        &self.card
    }

    fn carried(input: &Schema) -> Vec<&str> {
        let names = input.fields().iter().map(|field| field.name().as_str());
        names.filter(|name| table::PROVENANCE.contains(name)).collect()
    }

    /// The highest px of the fine map of each joint of each row, `[rows, K]`.
    fn look(&self, rows: &[Coarse<'_>]) -> Result<Vec<Option<Peak>>, StageError> {
        let [height, width] = self.map_size;
        let (joints, layout) = (self.skeleton.len(), self.card.output().layout);
        let mut room = vec![0.0; height * width];
        let mut peaks = Vec::with_capacity(rows.len() * joints);
        self.network.with(|worker| {
            for rows in rows.chunks(self.network.rows()) {
                let shown = rows.iter().map(|row| Row {
                    rgb: row.rgb,
                    center_in_crop: None,
                    mirrored: false,
                    points: Some(&row.points),
                });
                let rows: Vec<Row<'_>> = shown.collect();
                worker.run(&rows, |outputs| {
                    let (_, values) = outputs[0];
                    for given in values.chunks_exact(joints * height * width).take(rows.len()) {
                        for joint in 0..joints {
                            layout.copy_channel(given, joints, joint, &mut room);
                            peaks.push(peak_and_mean(&room, width).0);
                        }
                    }
                })?;
            }
            Ok(peaks)
        })
    }

    /// Where joint map `channel` of a row lies in the image, and the height of its coarse peak.
    fn place(&self, row: &Coarse<'_>, channel: usize, fine: Option<Peak>) -> ([f64; 2], f64) {
        let output = self.card.output();
        match (row.peaks[channel].0, fine) {
            (Some(height), Some(fine)) => {
                let shown = |axis: usize| f64::from(row.points[2 * channel + axis]);
                let off = |cell: usize| output.stride * (cell as f64 - output.center);
                let point = [shown(0) + off(fine.x), shown(1) + off(fine.y)];
                (row.image_from_crop.apply(point), f64::from(height))
            }
            _ => ([f64::NAN; 2], f64::NAN),
        }
    }
}

impl Stage for RefineJoints {
    fn engines(&self) -> Vec<(String, String)> {
        self.network.engines()
    }

    fn output_schema(&self, input: &SchemaRef) -> Result<SchemaRef, StageError> {
        if field(input, samples::IMAGE).is_err() {
            return Err(NetworkError::NoImage { network: self.card.name.clone() }.into());
        }
        check_image(input, &self.card.input, &self.card.name)?;
        let (skeleton, _) = table::shape_of(input)?;
        table::check_one_stride(input)?;
        if skeleton != self.skeleton {
            let (network, expected) = (self.card.name.clone(), self.card.skeleton.clone());
            return Err(
                NetworkError::OtherSkeleton { network, expected, found: skeleton.name.to_owned() }.into()
            );
        }
        for name in NEEDED {
            field(input, name)?;
        }
        let schema = table::schema_of(input, &Self::carried(input))?;
        Ok(table::named(&schema, &self.card.name))
    }

    fn run(&self, batch: &RecordBatch) -> Result<Outcome, StageError> {
        let schema = self.output_schema(&batch.schema())?;
        let columns = Columns::of(batch)?;
        let maps = column(batch, heatmaps::HEATMAPS)?;
        let size = [self.card.input.width, self.card.input.height];
        let (mut kept, mut rows, mut rejects) = (Vec::new(), Vec::new(), Vec::new());
        for row in 0..batch.num_rows() {
            let coarse = if maps.is_null(row) {
                Err(("no maps", "the row has no maps".to_owned()))
            } else {
                columns.coarse(row, size)
            };
            match coarse {
                Ok(coarse) => {
                    kept.push(row);
                    rows.push(coarse);
                }
                Err((reason, detail)) => rejects.push(reject(batch, row, &self.name, reason, detail)),
            }
        }
        let fine = self.look(&rows)?;
        let (mirrored, mut readings) = (self.skeleton.mirrored(), Readings::default());
        for (row, fine) in rows.iter().zip(fine.chunks_exact(mirrored.len())) {
            for (joint, mirror) in mirrored.iter().enumerate() {
                // In a mirrored crop the map of a left joint shows the right one.
                let channel = if row.flipped { *mirror } else { joint };
                let (point, score) = self.place(row, channel, fine[channel]);
                readings.push(point, score, row.peaks[channel].1);
            }
        }
        Ok(Outcome::some(table::to_batch(&schema, batch, &kept, readings)?, rejects))
    }
}
