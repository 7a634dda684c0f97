//! `crop`: places a crop around each person and adds the geometry columns.

use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int32Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datasets::coco::stated_box;
use datasets::pixels::{self, Frame as Framed, OrientationRule, PixelError};
use schemars::JsonSchema;
use schemas::columns::{
    field, fixed_list, integers, numbers, points, schema_with, skeleton_of, strings, vectors_f64,
    visibilities, with_column,
};
use schemas::tables::keypoints::BOX;
use schemas::tables::people::stated_size;
use schemas::tables::samples::COPY;
use schemas::tables::{in_space, renamed, samples, vector_array};
use schemas::units::Pixels;
use serde::{Deserialize, Serialize};

use super::error::AugmentError;
use super::frame::{Frame, Grid, Refusal, Subject};
use super::geometry::{self, BORDER_KEY, CROP_CENTER, Geometry};
use crate::network::framing::Wanted;
use crate::stage::{BuildContext, Outcome, Stage, StageError, reject, take_rows};

/// Which part of each image becomes a sample.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CropConfig {
    /// Width and height of the crop in px; by default what the card says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<[Pixels; 2]>,
    /// How the crop is placed around the person; by default as the card says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frame: Option<Frame>,
    /// Where the middle of what is framed comes to lie; by default as the card says, else `plain`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grid: Option<Grid>,
    /// The model card of the network that the crops are for: where size, frame, grid, and the level outside the image for
    /// the stage `warp` are not named, they are those of its section `[crop]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "path"))]
    pub card: Option<PathBuf>,
    /// Whether images in which nobody is annotated are cropped too, by frames of the whole image: for detectors.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub keep_empty: bool,
    /// Folder of the images, read only where a frame needs an image's size and the table does not state it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "path"))]
    pub images: Option<PathBuf>,
    /// What is done with an image whose EXIF orientation turns it; as `warp` has it.
    #[serde(default)]
    pub orientation: OrientationRule,
}

/// The stage. A row whose frame is missing or absurd, or that holds no person, is rejected.
#[derive(Debug, Clone)]
pub struct Crop {
    name: String,
    size: [u32; 2],
    frame: Frame,
    grid: Grid,
    /// Level outside the image, where a card says it.
    border: Option<u8>,
    keep_empty: bool,
    images: PathBuf,
    orientation: OrientationRule,
}

impl CropConfig {
    /// Builds the stage.
    ///
    /// # Errors
    /// When neither the plan nor a card says the size or the frame, or the card cannot be read.
    pub fn build(&self, context: &BuildContext) -> Result<Crop, StageError> {
        let images =
            self.images.as_ref().map_or_else(|| context.folder.clone(), |at| context.folder.join(at));
        let card = self.card.as_ref().map(|card| Wanted::read(&context.folder.join(card))).transpose()?;
        let of_card = card.as_ref().map(|card| &card.crop);
        let size = self.size.map(|size| size.map(Pixels::get)).or(card.as_ref().map(|card| card.size));
        let frame = self.frame.or(of_card.map(|crop| crop.frame));
        let unsaid = |key| StageError::step(AugmentError::Unsaid { stage: context.name.clone(), key });
        let frame = frame.ok_or_else(|| unsaid("frame"))?;
        if self.keep_empty && !frame.is_of_image() {
            return Err(StageError::step(AugmentError::NobodyToFrame { stage: context.name.clone() }));
        }
        Ok(Crop {
            name: context.name.clone(),
            size: size.ok_or_else(|| unsaid("size"))?,
            frame,
            grid: self.grid.or(of_card.map(|crop| crop.grid)).unwrap_or_default(),
            border: of_card.map(|crop| crop.border.get()),
            keep_empty: self.keep_empty,
            images,
            orientation: self.orientation,
        })
    }

    /// The files that the stage reads when it is built.
    pub fn files(&self) -> Vec<PathBuf> {
        self.card.iter().cloned().collect()
    }
}

impl Crop {
    fn subjects(&self, batch: &RecordBatch) -> Result<Vec<Result<Subject, Refusal>>, StageError> {
        let rows = batch.num_rows();
        let mut subjects = vec![Subject::default(); rows];
        match self.frame {
            Frame::Person { .. } => {
                let (centers, scales) = (vectors_f64(batch, "center", 2)?, numbers(batch, "scale")?);
                for (row, subject) in subjects.iter_mut().enumerate() {
                    subject.center = centers.row(row).map(|center| [center[0], center[1]]);
                    subject.scale = scales.is_valid(row).then(|| scales.value(row));
                }
            }
            Frame::TorsoBox { .. } | Frame::Window { .. } => {
                let boxes = vectors_f64(batch, "torso_box", 4)?;
                for (row, subject) in subjects.iter_mut().enumerate() {
                    subject.torso_box = boxes.row(row).map(|b| [b[0], b[1], b[2], b[3]]);
                }
            }
            Frame::Keypoints { .. } => {
                let joints = skeleton_of(batch.schema_ref())?.len();
                let places = points(batch, "keypoints")?;
                let known = visibilities(batch, "visibility", joints)?;
                for (row, subject) in subjects.iter_mut().enumerate() {
                    let annotated =
                        std::iter::zip(&places[row], &known[row]).filter(|(_, v)| v.is_annotated());
                    subject.joints = annotated.map(|(place, _)| *place).collect();
                }
            }
            Frame::Box { .. } => {
                for (subject, corners) in subjects.iter_mut().zip(boxes(batch)?) {
                    subject.person_box = corners;
                }
            }
            Frame::Image { .. } | Frame::WholeImage | Frame::WholeImageTopLeft => return self.sized(batch),
        }
        Ok(subjects.into_iter().map(Ok).collect())
    }

    /// Subjects that know their image's size, from the table or else from the image's header.
    fn sized(&self, batch: &RecordBatch) -> Result<Vec<Result<Subject, Refusal>>, StageError> {
        let paths = strings(batch, "image_path")?;
        let frame = Framed { rule: self.orientation, stated: None };
        let size = |row: usize| -> Result<[f64; 2], Refusal> {
            if let Some(size) = stated_size(batch, row) {
                return Ok(size.map(f64::from));
            }
            let found = pixels::framed_size(&self.images.join(paths.value(row)), frame);
            let refused = |error: PixelError| (error.reason(), error.to_string());
            found.map(|(size, _)| size.map(f64::from)).map_err(refused)
        };
        let subject = |row| size(row).map(|size| Subject { image_size: Some(size), ..Subject::default() });
        Ok((0..batch.num_rows()).map(subject).collect())
    }

    fn schema(&self, input: &Schema) -> Result<Schema, StageError> {
        let needed: &[&str] = match self.frame {
            Frame::Person { .. } => &["center", "scale"],
            Frame::TorsoBox { .. } | Frame::Window { .. } => &["torso_box"],
            Frame::Keypoints { .. } => &["visibility"],
            Frame::Box { .. } if input.index_of(BOX).is_err() => &["attributes"],
            Frame::Box { .. } => &[BOX],
            Frame::Image { .. } | Frame::WholeImage | Frame::WholeImageTopLeft => &["image_path"],
        };
        for name in ["sample_id", "keypoints"].iter().chain(needed) {
            field(input, name)?;
        }
        if geometry::space_of_keypoints(input) == Some("crop") {
            return Err(StageError::step(AugmentError::CropsMade));
        }
        let mut schema = renamed(input, samples::NAME);
        if schema.index_of(COPY).is_err() {
            schema = schema_with(&schema, Field::new(COPY, DataType::Int32, false));
        }
        let schema = geometry::schema_with_geometry(&schema, self.size);
        let schema = schema_with(&schema, center_field());
        let Some(border) = self.border else { return Ok(schema) };
        let mut metadata = schema.metadata().clone();
        metadata.insert(BORDER_KEY.to_owned(), border.to_string());
        Ok(schema.with_metadata(metadata))
    }
}

fn center_field() -> Field {
    in_space(Field::new(CROP_CENTER, fixed_list(DataType::Float64, 2), false), "image")
}

/// The box of each row: the column [`BOX`], else what the annotations state.
fn boxes(batch: &RecordBatch) -> Result<Vec<Option<[f64; 4]>>, StageError> {
    if batch.column_by_name(BOX).is_some() {
        let boxes = vectors_f64(batch, BOX, 4)?;
        let corners = |row| boxes.row(row).map(|b| [b[0], b[1], b[2], b[3]]);
        return Ok((0..batch.num_rows()).map(corners).collect());
    }
    let attributes = strings(batch, "attributes")?;
    Ok(attributes.iter().map(|text| text.and_then(stated_box)).collect())
}

impl Stage for Crop {
    fn output_schema(&self, input: &SchemaRef) -> Result<SchemaRef, StageError> {
        Ok(Arc::new(self.schema(input)?))
    }

    fn run(&self, batch: &RecordBatch) -> Result<Outcome, StageError> {
        let schema = self.schema(batch.schema_ref())?;
        let size = self.size.map(f64::from);
        let people =
            batch.column_by_name("person_index").map(|_| integers(batch, "person_index")).transpose()?;
        let (mut kept, mut rejects) = (Vec::new(), Vec::new());
        let (mut rows, mut centers) = (Vec::new(), Vec::new());
        for (row, subject) in self.subjects(batch)?.into_iter().enumerate() {
            let placed = match people {
                Some(people) if people.is_null(row) && !self.keep_empty => {
                    Err(("no person", "the image has no annotated person".to_owned()))
                }
                _ => subject.and_then(|subject| self.frame.placed_on(&subject, size, self.grid)),
            };
            match placed {
                Ok(placed) => {
                    kept.push(row);
                    rows.push(Geometry::new(self.grid.map(&placed, size), size));
                    centers.push(placed.center);
                }
                Err((reason, detail)) => rejects.push(reject(batch, row, &self.name, reason, detail)),
            }
        }
        let mut out = take_rows(batch, &kept)?;
        if out.schema_ref().index_of(COPY).is_err() {
            let copies: ArrayRef = Arc::new(Int32Array::from(vec![0; kept.len()]));
            out = with_column(&out, Field::new(COPY, DataType::Int32, false), copies)?;
        }
        out = geometry::write(&out, &rows, self.size)?;
        let centers = vector_array(centers.iter().map(|center| Some(&center[..])), 2);
        out = with_column(&out, center_field(), centers)?;
        Ok(Outcome::some(RecordBatch::try_new(Arc::new(schema), out.columns().to_vec())?, rejects))
    }
}
