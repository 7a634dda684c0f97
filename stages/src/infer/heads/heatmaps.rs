//! `kind = "heatmaps"`: one map per joint, highest where the network places the joint.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array};
use arrow::datatypes::{DataType, Field};
use schemas::Skeleton;
use schemas::tables::heatmaps;
use serde::{Deserialize, Serialize};

use super::{Card, Collect, Columns, check_head, head_column};
use crate::infer::flip::{self, Flip, FlipRule};
use crate::network::NetworkError;
use crate::network::card::{ImageInput, Layout, maps_of};
use crate::network::ports::{Port, expect_output};

/// One output head that gives maps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeatmapOutput {
    /// The network's own name for it.
    pub name: String,
    /// Order of its dimensions.
    pub layout: Layout,
    /// Number of the output head, from 1; cards of earlier versions call it `stage`.
    #[serde(alias = "stage")]
    pub head: i32,
    /// Input px per map px. Where the grid's outer px lie on the outer px of the input (unbiased data processing), it is
    /// (W - 1) / (w - 1).
    pub stride: f64,
    /// Input px per map px along y, where it differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stride_y: Option<f64>,
    /// Input px of the centre of map px 0, along both axes.
    pub origin: f64,
    /// How many channels it has, background included.
    pub channels: usize,
    /// Index of the background channel, which is dropped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub background: Option<usize>,
    /// Maps of where in its px a joint lies, for networks that have them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offsets: Option<OffsetMaps>,
}

/// Two maps a joint: what to add to the place of the highest px along x and along y.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OffsetMaps {
    /// The network's own name for the output, `[N, 2K, h, w]` in the layout of the maps.
    pub name: String,
    /// Order of its channels.
    #[serde(default)]
    pub order: OffsetOrder,
    /// Input px per unit of an offset.
    #[serde(default = "one")]
    pub scale: f64,
}

/// How the channels of offsets follow each other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OffsetOrder {
    /// x and y of the first joint, then of the next.
    #[default]
    Xy,
    /// All y, then all x, as in `PoseNet`.
    Yx,
}

fn one() -> f64 {
    1.0
}

impl HeatmapOutput {
    pub(super) fn names(&self) -> Vec<&str> {
        let offsets = self.offsets.iter().map(|offsets| offsets.name.as_str());
        std::iter::once(self.name.as_str()).chain(offsets).collect()
    }

    pub(super) fn validate(&self, skeleton: &Skeleton) -> Result<(), NetworkError> {
        let Self { head, stride, origin, channels, background, .. } = *self;
        let (output, joints) = (self.name.clone(), skeleton.len());
        check_head(&output, head)?;
        for stride in [Some(stride), self.stride_y].into_iter().flatten() {
            if !(stride.is_finite() && stride > 0.0 && origin.is_finite()) {
                return Err(NetworkError::NoPlace { output, stride, key: "origin", value: origin });
            }
        }
        if background.is_some_and(|index| index >= channels) {
            return Err(NetworkError::Background { output, channels });
        }
        let kept = channels - usize::from(background.is_some());
        if kept != joints {
            let skeleton = skeleton.name.to_owned();
            return Err(NetworkError::Channels { output, kept, skeleton, joints });
        }
        match &self.offsets {
            Some(offsets) if !(offsets.scale.is_finite() && offsets.scale > 0.0) => {
                let found = offsets.scale.to_string();
                Err(NetworkError::NotPositive { key: "offsets.scale", found })
            }
            _ => Ok(()),
        }
    }

    pub(super) fn check_ports(&self, outputs: &[Port]) -> Result<(), NetworkError> {
        let dimensions = |channels: usize| self.layout.dimensions(channels as i64, [-1; 2]);
        expect_output(outputs, &self.name, &dimensions(self.channels))?;
        if let Some(offsets) = &self.offsets {
            expect_output(outputs, &offsets.name, &dimensions(2 * self.joints()))?;
        }
        Ok(())
    }

    /// Height and width of its maps, from the dimensions that a run of `rows` rows gave.
    ///
    /// # Errors
    /// When the run gave other rows or channels than it should, or maps that cover another area than the stride says.
    pub fn map_size(
        &self,
        input: &ImageInput,
        rows: usize,
        dimensions: &[i64],
    ) -> Result<[usize; 2], NetworkError> {
        let Self { name, layout, stride, channels, .. } = self;
        let [height, width] = maps_of(name, *layout, rows, *channels, dimensions)?;
        let axes = [
            ("height", height, input.height, self.stride_y.unwrap_or(*stride)),
            ("width", width, input.width, *stride),
        ];
        for (axis, found, input_px, stride) in axes {
            let cells = f64::from(input_px) / stride;
            if (found as f64 - cells).abs() > 1.0 {
                let output = name.clone();
                return Err(NetworkError::Stride { output, stride, axis, input_px, cells, found });
            }
        }
        Ok([height as usize, width as usize])
    }

    /// Channels that are kept, in order: all but the background.
    pub fn kept_channels(&self) -> impl Iterator<Item = usize> {
        let background = self.background;
        (0..self.channels).filter(move |channel| Some(*channel) != background)
    }

    fn joints(&self) -> usize {
        self.channels - usize::from(self.background.is_some())
    }
}

/// Several heads, all with maps of one size.
struct HeatmapColumns {
    heads: Vec<HeatmapOutput>,
    /// Height and width.
    size: [usize; 2],
    joints: usize,
    mirrored_joints: Vec<usize>,
    flip: Option<Flip>,
}

/// The columns of `heads`; see [`super::columns`].
pub(super) fn columns(
    heads: Vec<HeatmapOutput>,
    card: &Card<'_>,
    rows: usize,
    dimensions: &[Vec<i64>],
    flip: Option<Flip>,
) -> Result<impl Columns + use<>, NetworkError> {
    let (mut size, mut at) = (None, 0);
    for head in &heads {
        let found = head.map_size(card.input, rows, &dimensions[at])?;
        let first = *size.get_or_insert(found);
        if found != first {
            return Err(NetworkError::MapSizes {
                first: heads[0].name.clone(),
                size: first,
                other: head.name.clone(),
                other_size: found,
            });
        }
        if let Some(offsets) = &head.offsets {
            let of = maps_of(&offsets.name, head.layout, rows, 2 * head.joints(), &dimensions[at + 1])?;
            if of.map(|side| side as usize) != found {
                return Err(NetworkError::MapSizes {
                    first: head.name.clone(),
                    size: found,
                    other: offsets.name.clone(),
                    other_size: of.map(|side| side as usize),
                });
            }
        }
        at += head.names().len();
    }
    if let Some(other) = heads.iter().find(|head| head.offsets.is_some() != heads[0].offsets.is_some()) {
        return Err(NetworkError::SomeOffsets { output: other.name.clone() });
    }
    let size = size.ok_or(NetworkError::NoOutput)?;
    if flip.is_some_and(|flip| flip.rule == FlipRule::Exact) {
        check_symmetry(&heads, card.input.width, size[1])?;
    }
    let (joints, mirrored_joints) = (card.skeleton.len(), card.skeleton.mirrored());
    Ok(HeatmapColumns { heads, size, joints, mirrored_joints, flip })
}

impl HeatmapColumns {
    /// Whether the stride along y is another one than along x.
    fn has_stride_y(&self) -> bool {
        self.heads.iter().any(|head| head.stride_y.is_some())
    }
}

impl Columns for HeatmapColumns {
    fn table(&self) -> &'static str {
        heatmaps::NAME
    }

    fn fields(&self) -> Vec<Field> {
        let [height, width] = self.size;
        let mut fields = heatmaps::fields(self.joints, height, width);
        if self.heads[0].offsets.is_some() {
            fields.push(heatmaps::offsets_field(self.joints, height, width));
        }
        if self.has_stride_y() {
            fields.push(Field::new(heatmaps::STRIDE_Y, DataType::Float64, false));
        }
        fields
    }

    fn rows_a_sample(&self) -> usize {
        self.heads.len()
    }

    fn start<'a>(&'a self, samples: usize) -> Box<dyn Collect + 'a> {
        let per_map = self.joints * self.size[0] * self.size[1];
        let rows = samples * self.heads.len();
        let has_offsets = self.heads[0].offsets.is_some();
        Box::new(Collected {
            of: self,
            samples,
            maps: vec![0.0; rows * per_map],
            offsets: vec![0.0; if has_offsets { 2 * rows * per_map } else { 0 }],
            room: vec![0.0; if self.flip.is_some() { per_map } else { 0 }],
        })
    }
}

struct Collected<'a> {
    of: &'a HeatmapColumns,
    samples: usize,
    /// `[samples, heads, K, h, w]`
    maps: Vec<f32>,
    /// `[samples, heads, K, 2, h, w]`, px of the input.
    offsets: Vec<f32>,
    /// For the mirrored maps of one head.
    room: Vec<f32>,
}

impl Collect for Collected<'_> {
    fn take(&mut self, sample: usize, mirrored: bool, given: &[&[f32]]) {
        let HeatmapColumns { heads, size, joints, mirrored_joints, flip } = self.of;
        let pixels = size[0] * size[1];
        let per_map = joints * pixels;
        let mut given = given.iter();
        for (index, head) in heads.iter().enumerate() {
            let Some(maps) = given.next() else { return };
            let row = sample * heads.len() + index;
            let kept = &mut self.maps[row * per_map..][..per_map];
            let shift = flip.is_some_and(|flip| flip.rule == FlipRule::Toolkit);
            if mirrored {
                keep_joints(head, maps, &mut self.room, pixels);
                flip::average(kept, &self.room, mirrored_joints, *size, shift);
            } else {
                keep_joints(head, maps, kept, pixels);
            }
            let Some(offsets) = &head.offsets else { continue };
            let Some(maps) = given.next() else { return };
            let kept = &mut self.offsets[2 * row * per_map..][..2 * per_map];
            let mut plane = vec![0.0; pixels];
            for joint in 0..*joints {
                for axis in 0..2 {
                    let of_joint = if mirrored { mirrored_joints[joint] } else { joint };
                    let channel = match offsets.order {
                        OffsetOrder::Xy => 2 * of_joint + axis,
                        OffsetOrder::Yx => (1 - axis) * joints + of_joint,
                    };
                    head.layout.copy_channel(maps, 2 * joints, channel, &mut plane);
                    let kept = &mut kept[(2 * joint + axis) * pixels..][..pixels];
                    let scale = offsets.scale as f32;
                    if mirrored {
                        // What lies to the right in the mirrored picture lies to the left.
                        let sign = if axis == 0 { -scale } else { scale };
                        flip::average_plane(kept, &plane, size[1], shift, |value| sign * value);
                    } else {
                        kept.iter_mut().zip(&plane).for_each(|(kept, value)| *kept = scale * value);
                    }
                }
            }
        }
    }

    fn columns(self: Box<Self>) -> Vec<ArrayRef> {
        let HeatmapColumns { heads, size: [height, width], joints, .. } = self.of;
        let each = |get: fn(&HeatmapOutput) -> f64| -> ArrayRef {
            let all = (0..self.samples).flat_map(|_| heads).map(get);
            Arc::new(Float64Array::from_iter_values(all))
        };
        let mut columns = vec![
            head_column(&heads.iter().map(|head| head.head), self.samples),
            heatmaps::maps_array(self.maps, *joints, *height, *width),
            each(|head| head.stride),
            each(|head| head.origin),
        ];
        if heads[0].offsets.is_some() {
            columns.push(heatmaps::maps_array(self.offsets, 2 * joints, *height, *width));
        }
        if self.of.has_stride_y() {
            columns.push(each(|head| head.stride_y.unwrap_or(head.stride)));
        }
        columns
    }
}

/// How far a grid px may lie from the mirrored place of its counterpart, in px of the input.
const SAME_PLACE: f64 = 1e-6;

/// Checks that mirroring the input, px x to W - 1 - x, maps the px of every output onto each other.
///
/// Map px i lies at `origin + stride * i`, its counterpart w - 1 - i at the mirrored place only if
/// `origin = (W - 1 - stride * (w - 1)) / 2`. Other maps would have to be shifted by a part of a px, which is not done.
///
/// # Errors
/// When an output has another origin; the message says which one would do.
fn check_symmetry(heads: &[HeatmapOutput], input_width: u32, map_width: usize) -> Result<(), NetworkError> {
    let last_px = f64::from(input_width) - 1.0;
    for output in heads {
        let expected = 0.5 * (last_px - output.stride * (map_width - 1) as f64);
        if (output.origin - expected).abs() > SAME_PLACE {
            let (output, found) = (output.name.clone(), output.origin);
            return Err(NetworkError::Asymmetric { output, expected, found });
        }
    }
    Ok(())
}

/// Copies one row's `given` maps, in the output's layout, to `[K, h, w]` without the background.
fn keep_joints(output: &HeatmapOutput, given: &[f32], kept: &mut [f32], pixels: usize) {
    for (channel, map) in output.kept_channels().zip(kept.chunks_exact_mut(pixels)) {
        output.layout.copy_channel(given, output.channels, channel, map);
    }
}
