//! `annot/{train,valid,test}.h5` of the stacked hourglass.

use schemas::Visibility;
use schemas::skeleton::MPII16;
use schemas::tables::people::Person;
use serde_json::{Map, json};

use super::{DATASET, Fault, Found, Origin, distinct, fill_others, is_finite, stated_center, stated_scale};
use crate::unique_ids::UniqueIds;
use crate::{Annotations, ReadError, hdf5};

/// By how much the stored scale exceeds MPII's own (`src/util/dataset/mpii.lua`: `s = s * 1.25`).
const SCALE_FACTOR: f64 = 1.25;
/// How far the stored centre lies below MPII's own, in px a unit of MPII's scale (`c[2] = c[2] + 15 * s`).
const CENTER_SHIFT: f64 = 15.0;

/// Who a row is, with the centre (0-based) and scale of MPII itself.
pub(super) struct Identity {
    pub(super) image: String,
    /// Number of the rectangle in its image, from 0.
    pub(super) person: i32,
    pub(super) center: Option<[f64; 2]>,
    pub(super) scale: Option<f64>,
}

/// Who the rows of `file` are; a row whose numbers make no sense is its fault.
pub(super) fn identities(
    source: &Origin<'_>,
    file: &hdf5::File,
) -> Result<Vec<Result<Identity, Fault>>, ReadError> {
    let names = file.strings("imgname")?;
    let rows = names.len();
    let (people, scales) =
        (column(source, file, "person", rows, 1)?, column(source, file, "scale", rows, 1)?);
    let centers = column(source, file, "center", rows, 2)?;
    let identity = |(row, image): (usize, String)| {
        let person = people[row];
        if person.fract() != 0.0 || !(0.0..=f64::from(i32::MAX)).contains(&person) {
            return Err(Fault { reason: "record of another shape", detail: format!("`person` is {person}") });
        }
        let (scale, center) = (scales[row], [centers[2 * row], centers[2 * row + 1]]);
        if !scale.is_finite() || !is_finite(&center) {
            return Err(Fault::not_finite(format!("`center` is {center:?}, `scale` {scale}")));
        }
        // The loader moves no centre that is not stated.
        let scale = stated_scale(Some(scale)).map(|scale| scale / SCALE_FACTOR);
        let shift = scale.map_or(0.0, |scale| CENTER_SHIFT * scale);
        let center = stated_center(Some(center)).map(|[x, y]| [x - 1.0, y - shift - 1.0]);
        Ok(Identity { image, person: person as i32, center, scale })
    };
    Ok(names.into_iter().enumerate().map(identity).collect())
}

/// The array `name` of `width` numbers per row.
fn column(
    source: &Origin<'_>,
    file: &hdf5::File,
    name: &str,
    rows: usize,
    width: usize,
) -> Result<Vec<f64>, ReadError> {
    let array = file.array(name)?;
    if array.values.len() != rows * width {
        let rule = format!("the array `{name}` must have {width} numbers for each of {rows} people");
        return Err(ReadError::unexpected(source.path, rule, format!("sizes {:?}", array.dims)));
    }
    Ok(array.values)
}

/// Every row of `file`. A joint is missing where it is at (0, 0) and not visible, the file's only sign of it;
/// coordinates are cut to whole px.
pub(super) fn read(source: &Origin<'_>, file: &hdf5::File) -> Result<Found, ReadError> {
    let identities = identities(source, file)?;
    let (rows, joints) = (identities.len(), MPII16.len());
    let parts = column(source, file, "part", rows, joints * 2)?;
    let visible = column(source, file, "visible", rows, joints)?;
    let known = file.names()?;
    let mut extra = Vec::new();
    for name in
        ["index", "normalize", "torsoangle"].into_iter().filter(|name| known.iter().any(|k| k == name))
    {
        extra.push((name, column(source, file, name, rows, 1)?));
    }

    let mut ids = UniqueIds::default();
    let (mut people, mut rejects, mut names) = (Vec::new(), Vec::new(), Vec::new());
    for (row, identity) in identities.into_iter().enumerate() {
        let record = format!("row {row}");
        let read = identity.and_then(|identity| {
            let mut person = source.person(&identity.image, Some(identity.person), record.clone())?;
            fill(&mut person, &identity, &parts[row * joints * 2..], &visible[row * joints..])?;
            Ok((person, identity.image))
        });
        match read {
            Ok((mut person, image)) => {
                person.sample_id = ids.of(DATASET, &image, person.person_index);
                let facts = extra.iter().map(|(name, values)| ((*name).to_owned(), json!(values[row])));
                person.attributes = Some(json!(facts.collect::<Map<_, _>>()).to_string());
                people.push(person);
                names.push(image);
            }
            Err(fault) => rejects.push(source.reject(None, record, fault)),
        }
    }
    fill_others(&mut people, &names);
    let images = distinct(&names);
    Ok(Found {
        annotations: Annotations { skeleton: &MPII16, people, images, rejects },
        names,
        numbered: true,
    })
}

fn fill(person: &mut Person, identity: &Identity, parts: &[f64], visible: &[f64]) -> Result<(), Fault> {
    (person.center, person.scale) = (identity.center, identity.scale);
    for joint in 0..MPII16.len() {
        let (x, y) = (parts[2 * joint], parts[2 * joint + 1]);
        let visibility = match visible[joint] {
            1.0 => Visibility::Visible,
            0.0 if (x, y) == (0.0, 0.0) => Visibility::NotAnnotated,
            0.0 => Visibility::Occluded,
            other => {
                let detail = format!("`visible` of joint {joint} must be 0 or 1, found {other}");
                return Err(Fault { reason: "record of another shape", detail });
            }
        };
        if !(x.is_finite() && y.is_finite()) {
            return Err(Fault::not_finite(format!("joint {joint} is at ({x}, {y})")));
        }
        person.pose.set(joint, [x - 1.0, y - 1.0], visibility);
    }
    Ok(())
}
