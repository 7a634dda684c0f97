//! `gt_valid.mat` of `HRNet`: joints and head boxes of the validation people, without their identities.

use std::path::Path;

use schemas::skeleton::MPII16;
use schemas::tables::people::Person;
use serde_json::json;

use super::hourglass::Identity;
use super::subset::Subset;
use super::{DATASET, Fault, Origin, distinct, fill_others, visible_if};
use crate::matlab::{AccessError, Value, variable};
use crate::unique_ids::UniqueIds;
use crate::{Annotations, ReadError};

/// The arrays, column-major: missing [16, N], points [16, 2, N], head boxes [2 corners, 2, N].
struct Arrays {
    people: usize,
    missing: Vec<f64>,
    points: Vec<f64>,
    heads: Vec<f64>,
}

/// Every person of `variables`: row i is row i of `subset`, which states image, person, centre and scale. Without
/// it, ids are the rows' numbers and images are unknown.
pub(super) fn read(
    source: &Origin<'_>,
    variables: &[(String, Value)],
    subset: Option<&Subset>,
) -> Result<Annotations, ReadError> {
    let arrays = Arrays::read(variables).map_err(|error| error.in_file(source.path))?;
    if let Some(subset) = subset.filter(|subset| subset.rows.len() != arrays.people) {
        let rule = format!("`{}` must have as many people as the file, {}", subset.name, arrays.people);
        return Err(ReadError::unexpected(source.path, rule, subset.rows.len().to_string()));
    }
    let mut ids = UniqueIds::default();
    let (mut people, mut rejects, mut names) = (Vec::new(), Vec::new(), Vec::new());
    for row in 0..arrays.people {
        let record = format!("pos_gt_src(:,:,{})", row + 1);
        let identity = subset.map(|subset| subset.rows[row].as_ref()).transpose();
        let read = match identity {
            Ok(identity) => arrays.person(source, row, identity, record.clone()),
            Err(fault) => Err(Fault { reason: fault.reason, detail: fault.detail.clone() }),
        };
        match read {
            Ok(mut person) => {
                let image = identity.ok().flatten().map(|identity| identity.image.clone());
                person.sample_id = match &image {
                    Some(image) => ids.of(DATASET, image, person.person_index),
                    None => ids.of(DATASET, &format!("valid-{row}"), None),
                };
                names.push(image.unwrap_or_else(|| person.sample_id.clone()));
                people.push(person);
            }
            Err(fault) => rejects.push(source.reject(None, record, fault)),
        }
    }
    fill_others(&mut people, &names);
    Ok(Annotations { skeleton: &MPII16, images: distinct(&names), people, rejects })
}

impl Arrays {
    fn read(variables: &[(String, Value)]) -> Result<Self, AccessError> {
        let joints = MPII16.len();
        let points = variable(variables, "pos_gt_src")?;
        let people = match *points.dims() {
            [16, 2] => 1,
            [16, 2, people] => people,
            _ => return Err(points.refuse("16 x 2 x N")),
        };
        let array = |name, per_person: usize| {
            let node = variable(variables, name)?;
            let numbers = node.numbers()?;
            if numbers.len() != per_person * people {
                return Err(node.refuse(format!("{per_person} numbers for each of {people} people")));
            }
            Ok(numbers)
        };
        Ok(Self {
            people,
            missing: array("jnt_missing", joints)?,
            points: array("pos_gt_src", 2 * joints)?,
            heads: array("headboxes_src", 4)?,
        })
    }

    fn person(
        &self,
        source: &Origin<'_>,
        row: usize,
        identity: Option<&Identity>,
        record: String,
    ) -> Result<Person, Fault> {
        let joints = MPII16.len();
        let number = identity.map(|identity| identity.person);
        let mut person = match identity {
            Some(identity) => source.person(&identity.image, number, record)?,
            None => source.person_at(Path::new(""), number, record),
        };
        "validation".clone_into(&mut person.split);
        person.center = identity.and_then(|identity| identity.center);
        person.scale = identity.and_then(|identity| identity.scale);
        for joint in 0..joints {
            let at = |axis: usize| self.points[row * 2 * joints + axis * joints + joint];
            let (x, y) = (at(0), at(1));
            let annotated = self.missing[row * joints + joint] == 0.0;
            if annotated && !(x.is_finite() && y.is_finite()) {
                return Err(Fault::not_finite(format!("joint {joint} is at ({x}, {y})")));
            }
            person.pose.set(joint, [x - 1.0, y - 1.0], visible_if(annotated));
        }
        // Column-major [corner, axis]: x1, x2, y1, y2.
        let [x1, x2, y1, y2] = [0, 1, 2, 3].map(|part| self.heads[row * 4 + part] - 1.0);
        if ![x1, x2, y1, y2].iter().all(|value| value.is_finite()) {
            return Err(Fault::not_finite(format!("`headboxes_src(:,:,{})`", row + 1)));
        }
        person.head_box = Some([x1, y1, x2, y2]);
        person.attributes = Some(json!({ "visibility_means": "annotated" }).to_string());
        Ok(person)
    }
}
