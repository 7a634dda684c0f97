//! Figures recomputed by an independent script, `stages/testdata/evaluate_golden.py`.

use std::collections::BTreeMap;

use schemas::skeleton::Skeleton;
use schemas::tables::metrics::Metric;
use schemas::tables::people::{Person, Pose};
use schemas::visibility::Visibility;
use serde::Deserialize;

use super::fixtures::{person, prediction};
use super::{EvaluateOptions, Protocol, evaluate_pose};
use schemas::tables::keypoints::PredictedPose;

#[derive(Deserialize)]
struct Case {
    seed: u64,
    people: BTreeMap<String, Vec<Row>>,
    expected: BTreeMap<Protocol, Expected>,
}

#[derive(Deserialize)]
struct Row {
    sample_id: String,
    keypoints: Vec<Option<[f64; 2]>>,
    visibility: Vec<u8>,
    head_box: [f64; 4],
    prediction: Option<Vec<Option<[f64; 2]>>>,
}

#[derive(Deserialize)]
struct Expected {
    joints: BTreeMap<String, Vec<f64>>,
    groups: BTreeMap<String, Vec<f64>>,
    auc: BTreeMap<String, f64>,
}

impl Row {
    fn person(&self) -> Person {
        let mut pose = Pose::unknown(self.keypoints.len());
        for (joint, (point, code)) in self.keypoints.iter().zip(&self.visibility).enumerate() {
            if let Some(point) = point {
                pose.set(joint, *point, Visibility::from_code(*code));
            }
        }
        Person { pose, head_box: Some(self.head_box), ..person(&self.sample_id, 0) }
    }

    fn prediction(&self) -> Option<PredictedPose> {
        let points = self.prediction.as_ref()?;
        let keypoints = points.iter().map(|point| point.unwrap_or([f64::NAN; 2])).collect();
        Some(PredictedPose { keypoints, ..prediction(&self.person(), 1) })
    }
}

fn skeleton_of(protocol: Protocol) -> &'static Skeleton {
    let data_set = protocol.name().split('-').next().unwrap();
    let name = match data_set {
        "mpii" => "mpii16",
        "lsp" => "lsp14",
        _ => "flic11",
    };
    Skeleton::named(name).unwrap()
}

#[test]
fn every_rate_and_area_is_that_of_the_script() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/evaluate_golden.json");
    let cases: Vec<Case> = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let mut compared = 0;
    for case in &cases {
        for (protocol, expected) in &case.expected {
            let skeleton = skeleton_of(*protocol);
            let rows = &case.people[skeleton.name];
            let truth: Vec<Person> = rows.iter().map(Row::person).collect();
            let predictions: Vec<PredictedPose> = rows.iter().filter_map(Row::prediction).collect();
            let options = EvaluateOptions { resamples: 0, ..EvaluateOptions::new(*protocol) };
            let evaluation = evaluate_pose(&truth, skeleton, &predictions, skeleton, &options).unwrap();
            assert!(evaluation.rejects.is_empty());
            for metric in &evaluation.metrics {
                let wanted = wanted(metric, expected);
                assert!(
                    (metric.value - wanted).abs() < 1e-9,
                    "seed {}: {metric:?}, the script has {wanted}",
                    case.seed
                );
            }
            let curves = expected.joints.values().chain(expected.groups.values());
            let figures = curves.map(Vec::len).sum::<usize>() + expected.auc.len();
            assert_eq!(figures, evaluation.metrics.len(), "{protocol}");
            compared += figures;
        }
    }
    assert!(compared > 10_000, "{compared}");
}

fn wanted(metric: &Metric, expected: &Expected) -> f64 {
    let at = || (metric.threshold.unwrap() * 100.0).round() as usize;
    match (&metric.joint, &metric.group) {
        (Some(joint), _) => expected.joints[joint][at()],
        (None, Some(group)) if metric.metric == "auc" => expected.auc[group],
        (None, Some(group)) => expected.groups[group][at()],
        (None, None) => panic!("{metric:?}"),
    }
}
