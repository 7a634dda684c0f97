use proptest::prelude::*;

use super::super::heatmaps::tests::{context, floats, pose, warped};
use super::*;
use crate::stage::Stage;

fn encoded(plan: &str, batch: &RecordBatch) -> (Vec<[f32; 2]>, Vec<f32>) {
    let stage = toml::from_str::<EncodeCoordinatesConfig>(plan).unwrap().build(&context());
    let out = stage.run(batch).unwrap().rows;
    assert_eq!(out.schema(), stage.output_schema(&batch.schema()).unwrap());
    (floats(&out, COORDINATES).as_chunks().0.to_vec(), floats(&out, COORDINATE_WEIGHT).to_vec())
}

const DEEPPOSE: &str = "origin = 'middle'\noutside = 'keep'";
const MMPOSE: &str = "origin = 'corner'\nends = 'centres'";

proptest! {
    #[test]
    fn the_place_comes_back(x in -100.0..300.0f64, y in -100.0..300.0f64) {
        let batch = warped(pose(&[(3, [x, y])]), vec![], 220);
        let (found, _) = encoded(DEEPPOSE, &batch);
        // DeepPose, equation 2: the inverse of diag(1 / w, 1 / h) (y - c), c the middle of the box.
        let back = found[3].map(|part| f64::from(part) * 220.0 + 109.5);
        prop_assert!((back[0] - x).abs() < 1e-3 && (back[1] - y).abs() < 1e-3, "{back:?}");
        let (found, _) = encoded(MMPOSE, &batch);
        let back = found[3].map(|part| f64::from(part) * 220.0);
        prop_assert!((back[0] - x).abs() < 1e-3 && (back[1] - y).abs() < 1e-3, "{back:?}");
    }
}

#[test]
fn values_by_hand() {
    let batch = warped(pose(&[(0, [109.5, 219.5]), (1, [-0.5, 0.0]), (2, [55.0, 219.0])]), vec![], 220);
    let (found, weights) = encoded(DEEPPOSE, &batch);
    assert_eq!(found[..2], [[0.0, 0.5], [-0.5, 0.5 / 220.0 - 0.5]]);
    assert_eq!((&weights[..4], found[3]), (&[1.0, 1.0, 1.0, 0.0][..], [0.0; 2]));
    let (found, weights) = encoded(MMPOSE, &batch);
    assert_eq!(found[2], [0.25, 219.0 / 220.0]);
    // Beyond the centre of the outermost px: the place is stated, but does not count.
    assert_eq!((found[1][0], &weights[..4]), (-0.5 / 220.0, &[0.0, 0.0, 1.0, 0.0][..]));
    let (found, _) = encoded("origin = 'corner'", &batch);
    assert_eq!(found[..2], [[0.5, 1.0], [0.0, 0.5 / 220.0]]);
}

#[test]
fn a_plan_that_cannot_work_is_refused() {
    assert!(toml::from_str::<EncodeCoordinatesConfig>("").is_err());
    assert!(toml::from_str::<EncodeCoordinatesConfig>("origin = 'centre'").is_err());
    let stage = toml::from_str::<EncodeCoordinatesConfig>(MMPOSE).unwrap().build(&context());
    let people = schemas::tables::people::schema(&schemas::skeleton::CPM14);
    assert!(stage.output_schema(&people).unwrap_err().to_string().contains("`encode_coordinates` takes"));
}
