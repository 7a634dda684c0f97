//! A spatial model as it comes in: a table, checked, made ready to run.

use std::collections::HashMap;

use schemas::Skeleton;
use schemas::columns::skeleton_of;
use schemas::tables::spatial_models::{self, Displacements};

use super::super::error::DecodeError;
use super::fit::evidence_name;
use super::messages::{Combine, Messages};
use super::torso::Torso;
use crate::stage::{Rows, StageError};

/// A model that is loaded, for maps of one size.
pub struct Loaded {
    /// Its kernels, transformed.
    pub messages: Messages,
    /// What stands for the torso.
    pub torso: Torso,
    /// Px of the crop per px of the maps.
    pub stride: f64,
    /// `[h, w]`.
    pub map: [usize; 2],
}

impl Loaded {
    /// The model whose rows are `rows`.
    ///
    /// # Errors
    /// When a pair is missing or comes twice, a row is of no pair, or a kernel is no histogram.
    pub fn read(rows: &dyn Rows, combine: Combine, bias: f64) -> Result<Self, StageError> {
        let schema = rows.schema();
        let (skeleton, map) = (skeleton_of(&schema)?, spatial_models::map_size(&schema)?);
        let torso = Torso::named(spatial_models::torso(&schema)?)?;
        let evidence = skeleton.len() + usize::from(torso != Torso::None);
        let mut kernels = vec![Vec::new(); skeleton.len() * evidence];
        for batch in rows.scan() {
            for pair in Displacements::from_batch(&batch?)? {
                let kernel = &mut kernels[position(skeleton, evidence, &pair)?];
                if !kernel.is_empty() {
                    return Err(broken("two rows for", &pair));
                }
                *kernel = checked(pair)?;
            }
        }
        let missing = |at: &usize| at / evidence != at % evidence && kernels[*at].is_empty();
        if let Some(at) = (0..kernels.len()).find(missing) {
            let (joint, given) = (skeleton.joints[at / evidence], evidence_name(skeleton, at % evidence));
            let (joint, given) = (joint.to_owned(), given.to_owned());
            return Err(broken("no row for", &Displacements { joint, given, people: 0, kernel: Vec::new() }));
        }
        let messages = Messages::new(map, [skeleton.len(), evidence], &kernels, combine, bias);
        Ok(Self { messages, torso, stride: spatial_models::stride(&schema)?, map })
    }
}

/// Where the kernel of `pair` stands: A * V + v.
fn position(skeleton: &Skeleton, evidence: usize, pair: &Displacements) -> Result<usize, StageError> {
    let names: HashMap<&str, usize> = (0..evidence).map(|at| (evidence_name(skeleton, at), at)).collect();
    match (names.get(pair.joint.as_str()), names.get(pair.given.as_str())) {
        (Some(joint), Some(given)) if *joint < skeleton.len() && joint != given => {
            Ok(joint * evidence + given)
        }
        _ => Err(broken("a row of no pair of its skeleton,", pair)),
    }
}

/// The kernel of `pair`, if it is one.
fn checked(pair: Displacements) -> Result<Vec<f64>, StageError> {
    if pair.kernel.iter().all(|share| share.is_finite() && *share >= 0.0) {
        return Ok(pair.kernel);
    }
    Err(broken("a kernel that is no histogram,", &pair))
}

fn broken(what: &'static str, pair: &Displacements) -> StageError {
    DecodeError::Broken { what, joint: pair.joint.clone(), given: pair.given.clone() }.into()
}
