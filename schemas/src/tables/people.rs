//! `people`: one row is one person in one image; an image without any has one row without a person.

use std::borrow::Borrow;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, FixedSizeListArray, Float64Array, Int32Array, ListArray, RecordBatch,
    StringArray,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, Int32Type, Schema, SchemaRef};

use super::{in_space, metadata, points_array, vector_array, visibility_array};
use crate::columns::{
    SchemaError, column, fixed_list, flat_floats, integers, numbers, points, points_type, skeleton_of,
    strings, vectors_f64, visibilities, wrong_type,
};
use crate::skeleton::Skeleton;
use crate::visibility::Visibility;

/// Name of the table.
pub const NAME: &str = "people";

/// Joints of one person: places in px and whether they are known. By default there are none.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Pose {
    /// `[K, 2]` px, `NaN` where not annotated.
    pub keypoints: Vec<[f64; 2]>,
    /// `[K]`.
    pub visibility: Vec<Visibility>,
}

impl Pose {
    /// A pose of `joints` joints, none annotated.
    pub fn unknown(joints: usize) -> Self {
        Self { keypoints: vec![[f64::NAN; 2]; joints], visibility: vec![Visibility::NotAnnotated; joints] }
    }

    /// Places joint `joint` at `point`.
    pub fn set(&mut self, joint: usize, point: [f64; 2], visibility: Visibility) {
        self.visibility[joint] = visibility;
        self.keypoints[joint] = if visibility.is_annotated() { point } else { [f64::NAN; 2] };
    }

    /// The place of joint `joint`, or `None` where it is not annotated.
    pub fn joint(&self, joint: usize) -> Option<[f64; 2]> {
        self.visibility[joint].is_annotated().then(|| self.keypoints[joint])
    }

    /// How many joints are annotated.
    pub fn annotated(&self) -> usize {
        self.visibility.iter().filter(|visibility| visibility.is_annotated()).count()
    }
}

/// One row of the table. All coordinates are 0-based px of the image. By default nothing is known, not even its skeleton.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Person {
    /// Stable id without dots.
    pub sample_id: String,
    /// `mpii`, `lsp`, `lspet`, `flic`, or the name given to the source.
    pub dataset: String,
    /// `train`, `validation`, `test`.
    pub split: String,
    /// Path of the image as the reader was told to find it.
    pub image_path: String,
    /// Width and height in px where the annotation file states them.
    pub image_size: Option<[i32; 2]>,
    /// Number of the person in the image, from 0; `None` for an image without people.
    pub person_index: Option<i32>,
    /// Rough centre of the person.
    pub center: Option<[f64; 2]>,
    /// Person height / 200 px.
    pub scale: Option<f64>,
    /// Head rectangle `[x1, y1, x2, y2]`.
    pub head_box: Option<[f64; 4]>,
    /// Torso rectangle `[x1, y1, x2, y2]` of a detector.
    pub torso_box: Option<[f64; 4]>,
    /// The person's own joints.
    pub pose: Pose,
    /// The joints of every other person of the same image; of more than 64, the nearest, as [`crowd`](super::crowd) has it.
    pub others: Vec<Arc<Pose>>,
    /// What the person does, in words.
    pub activity: Option<String>,
    /// Everything the source says that no column holds, as a JSON object.
    pub attributes: Option<String>,
    /// The annotation file.
    pub source_file: String,
    /// The record in that file, in the file's own numbering.
    pub source_record: String,
}

/// Width and height in px that the row `row` of `batch` states for its image, where it has the column `image_size`.
pub fn stated_size(batch: &RecordBatch, row: usize) -> Option<[i32; 2]> {
    let list = batch.column_by_name("image_size")?.as_fixed_size_list_opt()?;
    let pair = list.is_valid(row).then(|| list.value(row))?;
    let pair =
        pair.as_primitive_opt::<Int32Type>().filter(|pair| pair.len() == 2 && pair.null_count() == 0)?;
    Some([pair.value(0), pair.value(1)])
}

/// The schema of the table for people annotated with `skeleton`.
pub fn schema(skeleton: &Skeleton) -> SchemaRef {
    let joints = skeleton.len();
    let text = |name: &str, nullable| Field::new(name, DataType::Utf8, nullable);
    let numbers =
        |name: &str, length| in_space(Field::new(name, fixed_list(DataType::Float64, length), true), "image");
    let keypoints = points_type(DataType::Float64, joints);
    let visibility = fixed_list(DataType::UInt8, joints);
    let fields = vec![
        text("sample_id", false),
        text("dataset", false),
        text("split", false),
        text("image_path", false),
        Field::new("image_size", fixed_list(DataType::Int32, 2), true),
        Field::new("person_index", DataType::Int32, true),
        numbers("center", 2),
        Field::new("scale", DataType::Float64, true),
        numbers("head_box", 4),
        numbers("torso_box", 4),
        in_space(Field::new("keypoints", keypoints.clone(), false), "image"),
        Field::new("visibility", visibility.clone(), false),
        in_space(Field::new("other_keypoints", list_of(keypoints), false), "image"),
        Field::new("other_visibility", list_of(visibility), false),
        text("activity", true),
        text("attributes", true),
        text("source_file", false),
        text("source_record", false),
    ];
    Arc::new(Schema::new_with_metadata(fields, metadata(NAME, Some(skeleton))))
}

fn list_of(item: DataType) -> DataType {
    DataType::List(Arc::new(Field::new("item", item, true)))
}

/// The rows `people` as a batch.
///
/// # Panics
/// When a pose has another number of joints than the skeleton.
pub fn to_batch(skeleton: &'static Skeleton, people: &[Person]) -> RecordBatch {
    let joints = skeleton.len();
    let text = |get: fn(&Person) -> &str| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(people.iter().map(get)))
    };
    let optional = |get: fn(&Person) -> Option<&str>| -> ArrayRef {
        Arc::new(people.iter().map(get).collect::<StringArray>())
    };
    let boxes = |get: fn(&Person) -> Option<&[f64]>, length| vector_array(people.iter().map(get), length);
    let others: Vec<&[Arc<Pose>]> = people.iter().map(|person| &person.others[..]).collect();
    let (other_keypoints, other_visibility) = others_arrays(&others, joints);
    let columns = vec![
        text(|p| &p.sample_id),
        text(|p| &p.dataset),
        text(|p| &p.split),
        text(|p| &p.image_path),
        sizes(people),
        Arc::new(people.iter().map(|p| p.person_index).collect::<Int32Array>()),
        boxes(|p| p.center.as_ref().map(<[f64; 2]>::as_slice), 2),
        Arc::new(people.iter().map(|p| p.scale).collect::<Float64Array>()),
        boxes(|p| p.head_box.as_ref().map(<[f64; 4]>::as_slice), 4),
        boxes(|p| p.torso_box.as_ref().map(<[f64; 4]>::as_slice), 4),
        points_array(people.iter().map(|p| p.pose.keypoints.as_slice()), joints),
        visibility_array(people.iter().map(|p| p.pose.visibility.as_slice()), joints),
        other_keypoints,
        other_visibility,
        optional(|p| p.activity.as_deref()),
        optional(|p| p.attributes.as_deref()),
        text(|p| &p.source_file),
        text(|p| &p.source_record),
    ];
    RecordBatch::try_new(schema(skeleton), columns).expect("columns follow the schema")
}

fn sizes(people: &[Person]) -> ArrayRef {
    let flat = people.iter().flat_map(|p| p.image_size.unwrap_or([0; 2])).collect::<Vec<i32>>();
    let nulls = people.iter().map(|p| p.image_size.is_some()).collect::<Vec<bool>>().into();
    let item = Arc::new(Field::new("item", DataType::Int32, true));
    Arc::new(FixedSizeListArray::new(item, 2, Arc::new(Int32Array::from(flat)), Some(nulls)))
}

/// The rows of `batch`. Columns that the table lacks (`attributes`, `others`, boxes) are returned empty.
///
/// # Errors
/// When `sample_id`, `keypoints` or `visibility` is absent, or any column is of another type.
pub fn from_batch(batch: &RecordBatch) -> Result<Vec<Person>, SchemaError> {
    let joints = skeleton_of(batch.schema_ref())?.len();
    let has = |name: &str| batch.schema_ref().index_of(name).is_ok();
    let text = |name: &str| -> Result<Vec<Option<String>>, SchemaError> {
        if !has(name) {
            return Ok(vec![None; batch.num_rows()]);
        }
        Ok(strings(batch, name)?.iter().map(|value| value.map(str::to_owned)).collect())
    };
    let vector = |name: &str, length: usize| -> Result<Vec<Option<Vec<f64>>>, SchemaError> {
        if !has(name) {
            return Ok(vec![None; batch.num_rows()]);
        }
        let vectors = vectors_f64(batch, name, length)?;
        Ok((0..batch.num_rows()).map(|row| vectors.row(row).map(<[f64]>::to_vec)).collect())
    };
    let four = |value: &Option<Vec<f64>>| value.as_ref().map(|v| [v[0], v[1], v[2], v[3]]);

    let poses = std::iter::zip(points(batch, "keypoints")?, visibilities(batch, "visibility", joints)?);
    let others =
        if has("other_keypoints") { read_others(batch, joints)? } else { vec![vec![]; batch.num_rows()] };
    let (ids, datasets, splits) = (text("sample_id")?, text("dataset")?, text("split")?);
    let (paths, activities, attributes) = (text("image_path")?, text("activity")?, text("attributes")?);
    let (files, records) = (text("source_file")?, text("source_record")?);
    let (centers, heads, torsos) = (vector("center", 2)?, vector("head_box", 4)?, vector("torso_box", 4)?);
    let scales = if has("scale") { Some(numbers(batch, "scale")?) } else { None };
    let indices = if has("person_index") { Some(integers(batch, "person_index")?) } else { None };
    let sizes = if has("image_size") { image_sizes(batch)? } else { vec![None; batch.num_rows()] };

    let mut people = Vec::with_capacity(batch.num_rows());
    for (row, (pose, others)) in poses.zip(others).enumerate() {
        let own = |values: &[Option<String>]| values[row].clone().unwrap_or_default();
        people.push(Person {
            sample_id: own(&ids),
            dataset: own(&datasets),
            split: own(&splits),
            image_path: own(&paths),
            image_size: sizes[row],
            person_index: indices.filter(|array| array.is_valid(row)).map(|array| array.value(row)),
            center: centers[row].as_ref().map(|v| [v[0], v[1]]),
            scale: scales.filter(|array| array.is_valid(row)).map(|array| array.value(row)),
            head_box: four(&heads[row]),
            torso_box: four(&torsos[row]),
            pose: Pose { keypoints: pose.0, visibility: pose.1 },
            others: others.into_iter().map(Arc::new).collect(),
            activity: activities[row].clone(),
            attributes: attributes[row].clone(),
            source_file: own(&files),
            source_record: own(&records),
        });
    }
    Ok(people)
}

/// Of each row of `batch`, whether it is a person, not an image without people: it has a number, or joints. Where the batch
/// has no column of numbers, all rows are. `[N]`
///
/// # Errors
/// When a column is of another type.
pub fn persons(batch: &RecordBatch) -> Result<Vec<bool>, SchemaError> {
    if batch.column_by_name("person_index").is_none() {
        return Ok(vec![true; batch.num_rows()]);
    }
    let numbers = integers(batch, "person_index")?;
    let mut persons: Vec<bool> = (0..batch.num_rows()).map(|row| numbers.is_valid(row)).collect();
    if batch.column_by_name("visibility").is_some() && persons.contains(&false) {
        let joints = skeleton_of(batch.schema_ref())?.len();
        for (person, seen) in persons.iter_mut().zip(visibilities(batch, "visibility", joints)?) {
            *person |= seen.iter().any(|seen| seen.is_annotated());
        }
    }
    Ok(persons)
}

fn image_sizes(batch: &RecordBatch) -> Result<Vec<Option<[i32; 2]>>, SchemaError> {
    let array = column(batch, "image_size")?;
    let list = array.as_fixed_size_list_opt().filter(|list| list.value_length() == 2);
    let pairs = list.and_then(|list| Some((list, list.values().as_primitive_opt::<Int32Type>()?)));
    let (list, values) =
        pairs.ok_or_else(|| wrong_type("image_size", "two 32-bit integers", array.data_type()))?;
    let pair = |row: usize| list.is_valid(row).then(|| [0, 1].map(|side| values.value(2 * row + side)));
    Ok((0..list.len()).map(pair).collect())
}

/// The other people of each row's image, from `other_keypoints` `[N, (people), K, 2]` and `other_visibility`.
///
/// # Errors
/// When a column is absent or of another type.
pub fn read_others(batch: &RecordBatch, joints: usize) -> Result<Vec<Vec<Pose>>, SchemaError> {
    let list = |name: &'static str| -> Result<&ListArray, SchemaError> {
        let array = column(batch, name)?;
        array.as_list_opt::<i32>().ok_or_else(|| wrong_type(name, "a list of poses", array.data_type()))
    };
    let (keypoints, visibility) = (list("other_keypoints")?, list("other_visibility")?);
    (0..batch.num_rows())
        .map(|row| {
            let (points, codes) = (keypoints.value(row), visibility.value(row));
            let flat = flat_floats(points.as_ref())
                .filter(|flat| flat.len() == points.len() * joints * 2)
                .ok_or_else(|| wrong_type("other_keypoints", "a list of poses", points.data_type()))?;
            let codes = codes
                .as_fixed_size_list_opt()
                .filter(|list| list.value_length() as usize == joints)
                .and_then(|list| list.values().as_primitive_opt::<arrow::datatypes::UInt8Type>())
                .ok_or_else(|| wrong_type("other_visibility", "a list of visibilities", codes.data_type()))?;
            let poses = flat.chunks_exact(joints * 2).zip(codes.values().chunks_exact(joints));
            Ok(poses
                .map(|(points, codes)| Pose {
                    keypoints: points.chunks_exact(2).map(|p| [p[0], p[1]]).collect(),
                    visibility: codes.iter().map(|code| Visibility::from_code(*code)).collect(),
                })
                .collect())
        })
        .collect()
}

/// The columns `other_keypoints` and `other_visibility` of `others`, in their order.
pub fn others_arrays<P: Borrow<Pose>>(others: &[impl AsRef<[P]>], joints: usize) -> (ArrayRef, ArrayRef) {
    let all = || others.iter().flat_map(AsRef::as_ref).map(Borrow::borrow);
    let list = |values: ArrayRef| -> ArrayRef {
        let item = Arc::new(Field::new("item", values.data_type().clone(), true));
        let lengths = others.iter().map(|poses| poses.as_ref().len());
        Arc::new(ListArray::new(item, OffsetBuffer::from_lengths(lengths), values, None))
    };
    let keypoints = list(points_array(all().map(|pose| pose.keypoints.as_slice()), joints));
    let visibility = list(visibility_array(all().map(|pose| pose.visibility.as_slice()), joints));
    (keypoints, visibility)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::skeleton::FLIC9;

    fn person(index: i32, others: usize) -> Person {
        let mut pose = Pose::unknown(9);
        pose.set(0, [f64::from(index) + 0.5, -30.0], Visibility::Occluded);
        Person {
            sample_id: format!("flic-a-{index}"),
            dataset: "flic".into(),
            split: "train".into(),
            image_path: "a.jpg".into(),
            image_size: (index == 0).then_some([720, 480]),
            person_index: Some(index),
            center: Some([1.0, 2.0]),
            torso_box: (index == 1).then_some([1.0, 2.0, 3.0, 4.0]),
            pose: pose.clone(),
            others: std::iter::repeat_n(Arc::new(pose), others).collect(),
            attributes: Some("{}".into()),
            source_file: "examples.mat".into(),
            source_record: format!("examples({})", index + 1),
            ..Person::default()
        }
    }

    #[test]
    fn image_sizes_of_another_shape_are_refused() {
        let batch = to_batch(&FLIC9, &[person(0, 0), person(1, 0)]);
        let at = batch.schema().index_of("image_size").unwrap();
        let item = |kind| Arc::new(Field::new("item", kind, true));
        let ones = Arc::new(Int32Array::from(vec![1, 1]));
        let short: ArrayRef = Arc::new(FixedSizeListArray::new(item(DataType::Int32), 1, ones, None));
        let halves = Arc::new(Float64Array::from(vec![0.5; 4]));
        let floats: ArrayRef = Arc::new(FixedSizeListArray::new(item(DataType::Float64), 2, halves, None));
        for array in [short, floats] {
            let mut fields: Vec<Field> = batch.schema().fields().iter().map(|f| f.as_ref().clone()).collect();
            fields[at] = Field::new("image_size", array.data_type().clone(), true);
            let schema = Schema::new_with_metadata(fields, batch.schema().metadata().clone());
            let mut columns = batch.columns().to_vec();
            columns[at] = array;
            let other = RecordBatch::try_new(Arc::new(schema), columns).unwrap();
            let error = from_batch(&other).unwrap_err().to_string();
            assert!(error.contains("image_size") && error.contains("two 32-bit integers"), "{error}");
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let people = [person(0, 2), person(1, 0), person(2, 1)];
        let batch = to_batch(&FLIC9, &people);
        let read = from_batch(&batch).unwrap();
        // NaN is unlike itself, so the text is compared.
        assert_eq!(format!("{read:?}"), format!("{people:?}"));
        let tail = from_batch(&batch.slice(1, 2)).unwrap();
        assert_eq!(format!("{tail:?}"), format!("{:?}", &people[1..]));
    }
}
