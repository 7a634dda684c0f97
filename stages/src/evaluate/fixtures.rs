//! People and predictions for tests, made from numbers keyed by their id.

use schemas::random::KeyedRandom;
use schemas::skeleton::{MPII16, Skeleton};
use schemas::tables::keypoints::PredictedPose;
use schemas::tables::people::{Person, Pose};
use schemas::visibility::Visibility;

use super::output_head::OutputHead;

/// The first output head of what [`prediction`] makes.
pub const FIRST_HEAD: OutputHead<'_> = OutputHead { model: "made-up", number: 1 };

/// A person of MPII's skeleton, all joints annotated, called `sample_id`.
pub fn person(sample_id: &str, index: i32) -> Person {
    person_of(&MPII16, sample_id, index, 1.0)
}

/// A person whose joints are each annotated with this probability; the shoulders and hips always are.
pub fn person_of(skeleton: &Skeleton, sample_id: &str, index: i32, annotated: f64) -> Person {
    let mut random = KeyedRandom::new(11, "person", sample_id, index);
    let mut pose = Pose::unknown(skeleton.len());
    for (joint, name) in skeleton.joints.iter().enumerate() {
        let point = [random.uniform(-20.0, 300.0), random.uniform(-20.0, 300.0)];
        let visibility = if random.happens(0.3) { Visibility::Occluded } else { Visibility::Visible };
        let torso = name.ends_with("shoulder") || name.ends_with("hip");
        if random.happens(annotated) || torso {
            pose.set(joint, point, visibility);
        }
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

/// A prediction of `person` that hits every annotated joint.
pub fn prediction(person: &Person, head: i32) -> PredictedPose {
    PredictedPose {
        sample_id: person.sample_id.clone(),
        head,
        keypoints: person.pose.keypoints.clone(),
        model: "made-up".into(),
        ..PredictedPose::default()
    }
}

/// A prediction that misses each joint by a normal error of `spread` px, and now and then says nothing.
pub fn noisy_prediction(person: &Person, seed: u64, spread: f64) -> PredictedPose {
    let mut random = KeyedRandom::new(seed, "prediction", &person.sample_id, 0);
    let mut pose = prediction(person, 1);
    for point in &mut pose.keypoints {
        if point[0].is_nan() {
            *point = [random.uniform(0.0, 300.0), random.uniform(0.0, 300.0)];
        }
        *point = [point[0] + spread * random.normal(), point[1] + spread * random.normal()];
        if random.happens(0.02) {
            *point = [f64::NAN; 2];
        }
    }
    pose
}
