//! Columns with one entry a joint, `[K, ...]`, rearranged into those of another skeleton.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, FixedSizeListArray, Float32Array, Float64Array, ListArray,
    PrimitiveArray, UInt8Array, UInt64Array,
};
use arrow::buffer::OffsetBuffer;
use arrow::compute::{concat, take};
use arrow::datatypes::{DataType, Float32Type, Float64Type};
use schemas::columns::wrong_type;
use schemas::skeleton::Skeleton;

use crate::stage::StageError;

/// Where a joint of the new skeleton comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    /// Nowhere: it is not annotated.
    Absent,
    /// One joint of the rows.
    Joint(usize),
    /// The middle of several joints of the rows.
    Middle(Vec<usize>),
}

/// `[K_from, ...]` as `[K_to, ...]`.
pub(super) fn remapped_type(
    name: &str,
    data_type: &DataType,
    from: &Skeleton,
    to: &Skeleton,
) -> Result<DataType, StageError> {
    match data_type {
        DataType::FixedSizeList(item, joints)
            if *joints as usize == from.len() && filler(item.data_type()).is_some() =>
        {
            Ok(DataType::FixedSizeList(Arc::clone(item), to.len() as i32))
        }
        other => {
            let expected = format!("a list of {} joints, as `{}` has them", from.len(), from.name);
            Err(wrong_type(name, &expected, other).into())
        }
    }
}

/// What a joint holds that the rows' skeleton lacks, as an array of one; `None` for types that no joint has.
fn filler(item: &DataType) -> Option<ArrayRef> {
    match item {
        DataType::UInt8 => Some(Arc::new(UInt8Array::from(vec![0]))),
        DataType::Float32 => Some(Arc::new(Float32Array::from(vec![f32::NAN]))),
        DataType::Float64 => Some(Arc::new(Float64Array::from(vec![f64::NAN]))),
        DataType::FixedSizeList(number, 2) => {
            let values: ArrayRef = match number.data_type() {
                DataType::Float32 => Arc::new(Float32Array::from(vec![f32::NAN; 2])),
                DataType::Float64 => Arc::new(Float64Array::from(vec![f64::NAN; 2])),
                _ => return None,
            };
            Some(Arc::new(FixedSizeListArray::new(Arc::clone(number), 2, values, None)))
        }
        _ => None,
    }
}

/// The least of `values`, `NaN` where one is.
fn least<T: Copy + PartialOrd>(values: impl Iterator<Item = T>) -> T {
    let is_nan = |value: T| value.partial_cmp(&value).is_none();
    let smaller = |least: T, value: T| if least < value || is_nan(least) { least } else { value };
    values.reduce(smaller).expect("a middle is of some joints")
}

/// For each row and then each of `middles`, what the middle of its joints holds: the mean of places, else the least.
///
/// `values` are `[N * K]` entries. The mean of places of which one is `NaN` is `NaN`, and the least visibility of a joint
/// that is not annotated is 0, so that such a middle is not annotated.
fn middles(values: &ArrayRef, joints: usize, middles: &[&[usize]]) -> ArrayRef {
    let rows = values.len() / joints;
    let each = || (0..rows).flat_map(|row| middles.iter().map(move |of| (row * joints, *of)));
    match values.data_type() {
        DataType::UInt8 => {
            let codes = values.as_primitive::<arrow::datatypes::UInt8Type>().values();
            Arc::new(UInt8Array::from_iter_values(
                each().map(|(first, of)| least(of.iter().map(|at| codes[first + at]))),
            ))
        }
        DataType::Float32 => Arc::new(least_numbers::<Float32Type>(values, each())),
        DataType::Float64 => Arc::new(least_numbers::<Float64Type>(values, each())),
        DataType::FixedSizeList(number, _) => {
            let points = values.as_fixed_size_list();
            let flat = points.values().slice(points.offset() * 2, points.len() * 2);
            let means: ArrayRef = if number.data_type() == &DataType::Float32 {
                let flat = flat.as_primitive::<Float32Type>().values();
                let means = each()
                    .flat_map(|(first, of)| mean(of, |at, axis| f64::from(flat[2 * (first + at) + axis])));
                Arc::new(Float32Array::from_iter_values(means.map(|value| value as f32)))
            } else {
                let flat = flat.as_primitive::<Float64Type>().values();
                let means = each().flat_map(|(first, of)| mean(of, |at, axis| flat[2 * (first + at) + axis]));
                Arc::new(Float64Array::from_iter_values(means))
            };
            Arc::new(FixedSizeListArray::new(Arc::clone(number), 2, means, None))
        }
        _ => unreachable!("the type has a filler"),
    }
}

fn least_numbers<'a, T: ArrowPrimitiveType>(
    values: &ArrayRef,
    each: impl Iterator<Item = (usize, &'a [usize])>,
) -> PrimitiveArray<T>
where
    T::Native: PartialOrd,
{
    let numbers = values.as_primitive::<T>().values();
    PrimitiveArray::from_iter_values(each.map(|(first, of)| least(of.iter().map(|at| numbers[first + at]))))
}

/// The mean over the joints `of`, along both axes.
fn mean(of: &[usize], coordinate: impl Fn(usize, usize) -> f64) -> [f64; 2] {
    [0, 1].map(|axis| of.iter().map(|at| coordinate(*at, axis)).sum::<f64>() / of.len() as f64)
}

/// `[N, K_from, ...]` as `[N, K_to, ...]`.
pub(super) fn remapped(
    list: &FixedSizeListArray,
    origins: &[Origin],
) -> Result<FixedSizeListArray, StageError> {
    let joints = list.value_length() as usize;
    let values = list.values().slice(list.offset() * joints, list.len() * joints);
    let filler = filler(values.data_type())
        .ok_or_else(|| wrong_type("keypoints", "a list of joints", list.data_type()))?;
    let of_middles: Vec<&[usize]> = origins
        .iter()
        .filter_map(|origin| if let Origin::Middle(of) = origin { Some(of.as_slice()) } else { None })
        .collect();
    let made = middles(&values, joints, &of_middles);
    let extended = concat(&[values.as_ref(), filler.as_ref(), made.as_ref()])?;
    let (absent, first_made) = (values.len(), values.len() + 1);
    let mut next_made = first_made..;
    let mut places = Vec::with_capacity(list.len() * origins.len());
    for row in 0..list.len() {
        for origin in origins {
            let place = match origin {
                Origin::Absent => absent,
                Origin::Joint(joint) => row * joints + joint,
                Origin::Middle(_) => next_made.next().expect("the range has no end"),
            };
            places.push(place as u64);
        }
    }
    let taken = take(&extended, &UInt64Array::from(places), None)?;
    let DataType::FixedSizeList(item, _) = list.data_type() else { unreachable!("a fixed-size list") };
    let nulls = list.nulls().cloned();
    Ok(FixedSizeListArray::try_new(Arc::clone(item), origins.len() as i32, taken, nulls)?)
}

/// `[N, (people), K_from, ...]` as `[N, (people), K_to, ...]`.
pub(super) fn remapped_lists(lists: &ListArray, origins: &[Origin]) -> Result<ListArray, StageError> {
    let offsets = lists.value_offsets();
    let (first, last) = (offsets[0] as usize, offsets[lists.len()] as usize);
    let poses = lists.values().slice(first, last - first);
    let poses = remapped(poses.as_fixed_size_list(), origins)?;
    let DataType::List(item) = lists.data_type() else { unreachable!("a list") };
    let item = Arc::new(item.as_ref().clone().with_data_type(poses.data_type().clone()));
    let lengths = offsets.windows(2).map(|pair| (pair[1] - pair[0]) as usize);
    let offsets = OffsetBuffer::from_lengths(lengths);
    Ok(ListArray::try_new(item, offsets, Arc::new(poses), lists.nulls().cloned())?)
}
