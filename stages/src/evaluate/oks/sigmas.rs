//! How far apart annotators place each joint: the scale on which similarity falls off.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use schemas::skeleton::{CROWDPOSE14, Skeleton};
use serde::{Deserialize, Serialize};

/// The spread of one joint, in parts of the square root of the person's area: above 0.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Sigma(f64);

/// A number that is no spread.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("a sigma must be a finite number above 0, found {found}")]
pub struct SigmaError {
    /// The number.
    pub found: f64,
}

impl TryFrom<f64> for Sigma {
    type Error = SigmaError;

    fn try_from(found: f64) -> Result<Self, SigmaError> {
        if found.is_finite() && found > 0.0 { Ok(Self(found)) } else { Err(SigmaError { found }) }
    }
}

impl From<Sigma> for f64 {
    fn from(sigma: Sigma) -> Self {
        sigma.0
    }
}

impl JsonSchema for Sigma {
    fn schema_name() -> Cow<'static, str> {
        "Sigma".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "number", "exclusiveMinimum": 0 })
    }
}

/// Spread of head and neck in `CrowdPose`'s evaluation (`crowdposetools`, `cocoeval.py`).
const HEAD_AND_NECK: f64 = 0.079;

/// Spreads by name of the joint, for those that are not the skeleton's own.
pub type Sigmas = BTreeMap<String, Sigma>;

/// The spread of each joint of `skeleton`: that of `own`, else the skeleton's. `[K]`
///
/// # Errors
/// With the name in `own` that is no joint of the skeleton.
pub(in super::super) fn sigmas_of(skeleton: &Skeleton, own: &Sigmas) -> Result<Vec<f64>, String> {
    let mut sigmas: Vec<f64> = datasets::coco::sigmas(skeleton).into_iter().map(as_published).collect();
    for (name, sigma) in own {
        let joint = skeleton.index_of(name).ok_or_else(|| name.clone())?;
        sigmas[joint] = as_published(sigma.0);
    }
    Ok(sigmas)
}

/// The spread of each joint of `skeleton` by `CrowdPose`'s evaluation, whatever the skeleton's own are: that of its joint of
/// the same name, else that of its head and neck. `[K]`
pub(super) fn crowdpose_sigmas(skeleton: &Skeleton) -> Vec<f64> {
    let own = datasets::coco::sigmas(&CROWDPOSE14);
    let sigma = |joint: &&str| CROWDPOSE14.index_of(joint).map_or(HEAD_AND_NECK, |at| own[at]);
    skeleton.joints.iter().map(|joint| as_published(sigma(joint))).collect()
}

/// The reference evaluators write 0.035 as 0.35 / 10, which has other bits.
fn as_published(sigma: f64) -> f64 {
    let tenths = (sigma * 1000.0).round() / 100.0 / 10.0;
    if (tenths - sigma).abs() <= f64::EPSILON * sigma { tenths } else { sigma }
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemas::skeleton::{COCO17, LSP14};

    #[test]
    fn bits_are_those_of_the_reference_evaluator() {
        let tenths = [
            0.26, 0.25, 0.25, 0.35, 0.35, 0.79, 0.79, 0.72, 0.72, 0.62, 0.62, 1.07, 1.07, 0.87, 0.87, 0.89,
            0.89,
        ];
        let expected: Vec<f64> = tenths.iter().map(|tenth| tenth / 10.0).collect();
        assert_eq!(sigmas_of(&COCO17, &Sigmas::new()).unwrap(), expected);
        assert_ne!(expected[3], 0.035);
        assert_eq!(as_published(0.012_345_6), 0.012_345_6);
    }

    #[test]
    fn a_plan_says_other_spreads_by_name() {
        let own: Sigmas = toml::from_str("neck = 0.05\nhead_top = 0.06").unwrap();
        let sigmas = sigmas_of(&LSP14, &own).unwrap();
        assert_eq!((sigmas[12], sigmas[13]), (0.05, 0.06));
        let stranger: Sigmas = toml::from_str("tail = 0.05").unwrap();
        assert_eq!(sigmas_of(&LSP14, &stranger), Err("tail".to_owned()));
        for wrong in ["neck = 0", "neck = -1.0", "neck = nan"] {
            let error = toml::from_str::<Sigmas>(wrong).unwrap_err().to_string();
            assert!(error.contains("a sigma must be a finite number above 0"), "{error}");
        }
    }
}
