//! People, predictions and trials for tests, made from numbers keyed by their id.

use schemas::Visibility;
use schemas::random::KeyedRandom;
use schemas::skeleton::MPII16;
use schemas::tables::keypoints::PredictedPose;
use schemas::tables::people::{Person, Pose};
use schemas::tables::trials::Trial;

/// A person of MPII's skeleton, all joints annotated, some of them occluded.
pub fn person(sample_id: &str, index: i32) -> Person {
    let mut random = KeyedRandom::new(11, "person", sample_id, index);
    let mut pose = Pose::unknown(MPII16.len());
    for joint in 0..MPII16.len() {
        let point = [random.uniform(-20.0, 300.0), random.uniform(-20.0, 300.0)];
        let visibility = if random.happens(0.3) { Visibility::Occluded } else { Visibility::Visible };
        pose.set(joint, point, visibility);
    }
    let corner = [random.uniform(0.0, 100.0), random.uniform(0.0, 100.0)];
    let size = [random.uniform(20.0, 60.0), random.uniform(20.0, 60.0)];
    Person {
        sample_id: sample_id.to_owned(),
        dataset: "mpii".into(),
        split: "validation".into(),
        image_path: format!("{sample_id}.jpg"),
        image_size: None,
        person_index: Some(index),
        center: None,
        scale: Some(1.0),
        head_box: Some([corner[0], corner[1], corner[0] + size[0], corner[1] + size[1]]),
        torso_box: None,
        pose,
        others: vec![],
        activity: None,
        attributes: None,
        source_file: "made-up.mat".into(),
        source_record: format!("annolist({})", index + 1),
    }
}

/// A prediction that misses each joint by a normal error of `spread` px, and now and then has no place for it.
pub fn noisy_prediction(person: &Person, seed: u64, spread: f64) -> PredictedPose {
    let mut random = KeyedRandom::new(seed, "prediction", &person.sample_id, 0);
    let mut keypoints = person.pose.keypoints.clone();
    for point in &mut keypoints {
        *point = [point[0] + spread * random.normal(), point[1] + spread * random.normal()];
        if random.happens(0.02) {
            *point = [f64::NAN; 2];
        }
    }
    PredictedPose {
        sample_id: person.sample_id.clone(),
        head: 1,
        keypoints,
        model: "made-up".into(),
        ..PredictedPose::default()
    }
}

/// Every one of `people` tried against every session of all, three sessions each. Scores are normal, genuine ones two
/// higher, with a level of its own for each client.
pub fn trials(split: &str, people: usize, seed: u64) -> Vec<Trial> {
    let mut rows = Vec::new();
    for client in 0..people {
        let mut random = KeyedRandom::new(seed, "fixture", split, client as i32);
        let level = random.normal();
        for (subject, session) in (0..people).flat_map(|subject| (0..3).map(move |at| (subject, at))) {
            let genuine = client == subject;
            rows.push(Trial {
                dataset: "made".into(),
                split: split.into(),
                client_split: split.into(),
                client: format!("{split}-{client:02}"),
                subject: format!("{split}-{subject:02}"),
                device: "phone".into(),
                session: session.to_string(),
                sequence: None,
                genuine,
                score: level + random.normal() + if genuine { 2.0 } else { 0.0 },
                frames: 20,
                normalisation: "none".into(),
                model: "gmm".into(),
            });
        }
    }
    rows
}
