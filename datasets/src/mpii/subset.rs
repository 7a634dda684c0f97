//! The choice of a list of (image, person) pairs, in its order.

use std::collections::HashMap;
use std::path::Path;

use schemas::tables::people::Person;

use super::hourglass::{Identity, identities};
use super::{DATASET, Fault, Found, Origin, distinct};
use crate::pictures::Pictures;
use crate::unique_ids::UniqueIds;
use crate::{Annotations, ReadError, hdf5};

/// How far, in px and in scale, a person whose number is not known may lie from the list's to be the same.
const TOLERANCE: f64 = 0.01;

/// The pairs of a `valid.h5`.
pub(super) struct Subset {
    /// Its file name.
    pub(super) name: String,
    pub(super) rows: Vec<Result<Identity, Fault>>,
}

impl Subset {
    pub(super) fn read(path: &Path) -> Result<Self, ReadError> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let source = Origin { path, pictures: Pictures::new(Path::new("")), file: name.clone() };
        Ok(Self { name, rows: identities(&source, &hdf5::File::open(path)?)? })
    }

    /// The people of `found` that the pairs name, in their order, as the split `validation`. Where `found` does not
    /// know MPII's numbers of people, centre and scale tell who is meant, and the number is taken from the pair.
    pub(super) fn choose(&self, source: &Origin<'_>, found: Found) -> Result<Annotations, ReadError> {
        let Found { annotations: Annotations { skeleton, people, mut rejects, .. }, names, numbered } = found;
        let mut by_image: HashMap<&str, Vec<usize>> = HashMap::new();
        for (row, name) in names.iter().enumerate() {
            by_image.entry(name).or_default().push(row);
        }
        let mut people: Vec<Option<Person>> = people.into_iter().map(Some).collect();
        let mut ids = UniqueIds::default();
        let mut chosen = Vec::with_capacity(self.rows.len());
        let mut images = Vec::with_capacity(self.rows.len());
        for (row, identity) in self.rows.iter().enumerate() {
            let record = format!("row {row} of {}", self.name);
            let identity = match identity {
                Ok(identity) => identity,
                Err(Fault { reason, detail }) => {
                    rejects.push(source.reject(None, record, Fault { reason, detail: detail.clone() }));
                    continue;
                }
            };
            let is_meant = |person: &Person| {
                if numbered { person.person_index == Some(identity.person) } else { is_at(person, identity) }
            };
            let candidates = by_image.get(identity.image.as_str()).into_iter().flatten();
            let meant = candidates.copied().find(|&at| people[at].as_ref().is_some_and(is_meant));
            let Some(mut person) = meant.and_then(|at| people[at].take()) else {
                let detail = format!("person {} of image `{}`", identity.person, identity.image);
                rejects.push(source.reject(
                    None,
                    record,
                    Fault { reason: "not in the annotation file", detail },
                ));
                continue;
            };
            "validation".clone_into(&mut person.split);
            if !numbered {
                person.person_index = Some(identity.person);
                person.sample_id = ids.of(DATASET, &identity.image, person.person_index);
            }
            chosen.push(person);
            images.push(identity.image.clone());
        }
        if chosen.is_empty() && !self.rows.is_empty() {
            let rule = format!("the people of `{}` must be in the annotation file", self.name);
            return Err(ReadError::unexpected(source.path, rule, "none of them"));
        }
        Ok(Annotations { skeleton, people: chosen, images: distinct(&images), rejects })
    }
}

fn is_at(person: &Person, identity: &Identity) -> bool {
    let (Some(center), Some(scale)) = (person.center, person.scale) else { return false };
    let (Some(meant), Some(meant_scale)) = (identity.center, identity.scale) else { return false };
    let apart = [center[0] - meant[0], center[1] - meant[1], scale - meant_scale];
    apart.iter().all(|distance| distance.abs() < TOLERANCE)
}
