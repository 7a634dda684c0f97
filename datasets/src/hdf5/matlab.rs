//! Variables of MATLAB v7.3 files: HDF5 with attributes that say what MATLAB had.
//!
//! Source: the layout that MATLAB writes, as its reader in `scipy`'s and `mat73`'s documentation describe it (`MathWorks` publishes
//! none): `MATLAB_class` names the class; sizes stand in reverse, so that the numbers are column-major; text is 16-bit codes; a
//! cell array is references to objects in the group `#refs#`; a struct is a group, and an array of structs a group whose fields are
//! references; `MATLAB_empty` says that the numbers are the sizes of an empty array.

use std::collections::HashMap;

use hdf5_reader::reference::read_object_references;
use hdf5_reader::{Attribute, Dataset, Datatype, group::Group};

use super::{File, kind};
use crate::ReadError;
use crate::guarded::guarded;
use crate::matlab::{MAX_DEPTH, Numbers, Structs, Value};

/// Name of the group of all that is referred to.
const REFERRED: &str = "#refs#";
/// Bytes of a reference to an object.
const REFERENCE_BYTES: u8 = 8;

impl File {
    /// The variables of a MATLAB v7.3 file, by name, as [`crate::matlab::read`] gives those of a v5 file.
    ///
    /// Not supported: sparse and complex arrays, objects (strings and tables among them) and function handles; a file
    /// with one of them is an error that names it.
    ///
    /// # Errors
    /// When the file is damaged, contradicts itself or holds what is not supported.
    pub fn variables(&self) -> Result<Vec<(String, Value)>, ReadError> {
        guarded(|| self.read_variables()).unwrap_or_else(|panic| Err(self.broken("/", &panic)))
    }

    fn read_variables(&self) -> Result<Vec<(String, Value)>, ReadError> {
        let root = self.inner.root_group().map_err(|error| self.malformed("/", &error))?;
        let (groups, datasets) = root.members().map_err(|error| self.malformed("/", &error))?;
        let mut reading = Reading { file: self, objects: HashMap::new(), left: self.most };
        if let Some(referred) = groups.iter().find(|group| group.name() == REFERRED) {
            let (groups, datasets) = referred.members().map_err(|error| self.malformed(REFERRED, &error))?;
            reading.objects.extend(groups.into_iter().map(|group| (group.address(), Object::Group(group))));
            reading.objects.extend(datasets.into_iter().map(|one| (one.address(), Object::Dataset(one))));
        }
        let mut variables = Vec::new();
        for group in groups.iter().filter(|group| !group.name().starts_with('#')) {
            variables.push((group.name().to_owned(), reading.group(group.name(), group, 0)?));
        }
        for dataset in &datasets {
            variables.push((dataset.name().to_owned(), reading.dataset(dataset.name(), dataset, 0)?));
        }
        variables.sort_by(|(one, _), (other, _)| one.cmp(other));
        Ok(variables)
    }
}

enum Object {
    Group(Group),
    Dataset(Dataset),
}

struct Reading<'a> {
    file: &'a File,
    /// What is referred to, by address.
    objects: HashMap<u64, Object>,
    /// Bytes that may still be made: references may lead to one object over and over.
    left: usize,
}

/// The text of an attribute.
fn text(attribute: &Attribute) -> String {
    match attribute.decoded_strings.as_deref() {
        Some([only]) => only.clone(),
        _ => String::from_utf8_lossy(&attribute.raw_data).trim_end_matches('\0').to_owned(),
    }
}

impl Reading<'_> {
    fn damaged(&self, place: &str, detail: &str) -> ReadError {
        ReadError::malformed(&self.file.path, "MATLAB v7.3", format!("`{place}`: {detail}"))
    }

    fn spend(&mut self, place: &str, bytes: usize) -> Result<(), ReadError> {
        let most = self.file.most;
        self.left = self.left.checked_sub(bytes).ok_or_else(|| {
            self.damaged(place, &format!("the variables take more than the {most} bytes allowed"))
        })?;
        Ok(())
    }

    fn check_depth(&self, place: &str, depth: usize) -> Result<(), ReadError> {
        if depth <= MAX_DEPTH {
            return Ok(());
        }
        Err(self.damaged(place, &format!("cells and structs nest deeper than {MAX_DEPTH}")))
    }

    /// A struct, or an array of structs.
    fn group(&mut self, place: &str, group: &Group, depth: usize) -> Result<Value, ReadError> {
        self.check_depth(place, depth)?;
        if group.attribute("MATLAB_sparse").is_ok() {
            return Err(self.damaged(place, "a sparse array, which is not supported"));
        }
        let (groups, datasets) = group.members().map_err(|error| self.file.malformed(place, &error))?;
        let is_field = |one: &Dataset| {
            matches!(one.dtype(), Datatype::Reference { .. }) && one.attribute("MATLAB_class").is_err()
        };
        let arrays = groups.is_empty() && !datasets.is_empty() && datasets.iter().all(is_field);
        let mut fields: Vec<(String, Vec<Value>)> = Vec::new();
        let mut dims = vec![1, 1];
        if arrays {
            dims = sizes(&datasets[0]);
            for field in &datasets {
                let place = format!("{place}.{}", field.name());
                if sizes(field) != dims {
                    return Err(self.damaged(&place, "fields of one array have several sizes"));
                }
                fields.push((field.name().to_owned(), self.referred(&place, field, depth)?));
            }
        } else {
            for inner in &groups {
                let place = format!("{place}.{}", inner.name());
                fields.push((inner.name().to_owned(), vec![self.group(&place, inner, depth + 1)?]));
            }
            for field in &datasets {
                let place = format!("{place}.{}", field.name());
                fields.push((field.name().to_owned(), vec![self.dataset(&place, field, depth + 1)?]));
            }
        }
        fields.sort_by(|(one, _), (other, _)| one.cmp(other));
        let count = fields.first().map_or(0, |(_, values)| values.len());
        let (names, columns): (Vec<String>, Vec<Vec<Value>>) = fields.into_iter().unzip();
        let mut columns: Vec<_> = columns.into_iter().map(Vec::into_iter).collect();
        let values = (0..count)
            .flat_map(|_| columns.iter_mut().filter_map(Iterator::next).collect::<Vec<_>>())
            .collect();
        Ok(Value::Struct(Structs { dims, fields: names, values }))
    }

    /// What the references of `dataset` lead to.
    fn referred(&mut self, place: &str, dataset: &Dataset, depth: usize) -> Result<Vec<Value>, ReadError> {
        self.check_depth(place, depth)?;
        self.spend(place, sizes(dataset).iter().product::<usize>().saturating_mul(size_of::<Value>()))?;
        let raw = dataset.read_raw_bytes().map_err(|error| self.file.malformed(place, &error))?;
        let addresses = read_object_references(&raw, REFERENCE_BYTES)
            .map_err(|error| self.file.malformed(place, &error))?;
        let mut values = Vec::with_capacity(addresses.len());
        for (index, address) in addresses.into_iter().enumerate() {
            let place = format!("{place}({})", index + 1);
            let Some(object) = self.objects.remove(&address) else {
                return Err(self.damaged(&place, "a reference to nothing, or to what it stands in"));
            };
            // It is put back afterwards; meanwhile, nothing inside can lead to it again.
            let value = match &object {
                Object::Group(group) => self.group(&place, group, depth + 1),
                Object::Dataset(dataset) => self.dataset(&place, dataset, depth + 1),
            };
            self.objects.insert(address, object);
            values.push(value?);
        }
        Ok(values)
    }

    fn dataset(&mut self, place: &str, dataset: &Dataset, depth: usize) -> Result<Value, ReadError> {
        let attribute = |name: &str| dataset.attribute(name).ok();
        let class = attribute("MATLAB_class").map(|found| text(&found)).unwrap_or_default();
        if attribute("MATLAB_object_decode").is_some()
            || ["function_handle", "string", "table"].contains(&class.as_str())
        {
            return Err(
                self.damaged(place, &format!("a value of the class `{class}`, which is not supported"))
            );
        }
        if attribute("MATLAB_empty").is_some_and(|empty| empty.raw_data.iter().any(|byte| *byte != 0)) {
            let dims: Vec<usize> =
                self.file.values(place, dataset)?.into_iter().map(|size| size as usize).collect();
            let dims = if dims.contains(&0) && dims.len() >= 2 { dims } else { vec![0, 0] };
            return Ok(match class.as_str() {
                "char" => Value::Char { dims, units: Vec::new() },
                "cell" => Value::Cell { dims, values: Vec::new() },
                "struct" => Value::Struct(Structs { dims, fields: Vec::new(), values: Vec::new() }),
                _ => Value::Numeric { dims, numbers: Numbers::Double(Vec::new()) },
            });
        }
        let dims = sizes(dataset);
        if matches!(dataset.dtype(), Datatype::Reference { .. }) {
            return Ok(Value::Cell { dims, values: self.referred(place, dataset, depth)? });
        }
        if !matches!(dataset.dtype(), Datatype::FixedPoint { .. } | Datatype::FloatingPoint { .. }) {
            let detail = format!("{}, which are not supported", kind(dataset.dtype()));
            return Err(self.damaged(place, &detail));
        }
        let values = self.file.values(place, dataset)?;
        self.spend(place, values.len().saturating_mul(size_of::<f64>()))?;
        Ok(match class.as_str() {
            "char" => Value::Char { dims, units: values.into_iter().map(|unit| unit as u16).collect() },
            "logical" => {
                Value::Logical { dims, values: values.into_iter().map(|value| value != 0.0).collect() }
            }
            "single" => Value::Numeric {
                dims,
                numbers: Numbers::Single(values.into_iter().map(|value| value as f32).collect()),
            },
            _ => Value::Numeric { dims, numbers: Numbers::Double(values) },
        })
    }
}

/// The sizes as MATLAB shows them.
fn sizes(dataset: &Dataset) -> Vec<usize> {
    let mut dims: Vec<usize> = dataset.shape().iter().rev().map(|size| *size as usize).collect();
    while dims.len() < 2 {
        dims.push(1);
    }
    dims
}
