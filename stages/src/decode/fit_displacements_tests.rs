//! Displacements that are known are found again, whatever the batches; what cannot be measured is said.

use proptest::prelude::*;
use schemas::random::KeyedRandom;
use schemas::skeleton::{FLIC9, LSP14};
use schemas::tables::keypoints::{self, PredictedPose};
use schemas::tables::people::{self, Person};
use schemas::{Skeleton, Visibility};

use super::*;
use crate::unit_sum::tests::InUnits;

fn fit() -> FitDisplacements {
    let context = BuildContext { name: "fit".to_owned(), seed: 0, threads: 1, folder: ".".into() };
    toml::from_str::<FitDisplacementsConfig>("").unwrap().build(&context)
}

/// People of `skeleton` about `side` px in size, all joints annotated.
fn crowd(skeleton: &'static Skeleton, count: usize, side: f64) -> Vec<Person> {
    let person = |at: usize| {
        let mut random = KeyedRandom::new(5, "crowd", &at.to_string(), 0);
        let mut pose = Pose::unknown(skeleton.len());
        for joint in 0..skeleton.len() {
            pose.set(joint, [random.uniform(0.0, side), random.uniform(0.0, side)], Visibility::Visible);
        }
        Person { sample_id: format!("p{at}"), split: "train".into(), pose, ..Person::default() }
    };
    (0..count).map(person).collect()
}

fn diameter(person: &Person, skeleton: &Skeleton) -> f64 {
    let [a, b] = ends().map(|name| person.pose.keypoints[skeleton.index_of(&name).unwrap()]);
    (a[0] - b[0]).hypot(a[1] - b[1])
}

/// Joint j is predicted `draw` diameters off.
fn predictions(
    people: &[Person],
    skeleton: &'static Skeleton,
    mut draw: impl FnMut(usize) -> [f64; 2],
) -> Vec<PredictedPose> {
    let mut pose = |person: &Person| {
        let px = diameter(person, skeleton);
        let off = |(joint, place): (usize, &[f64; 2])| {
            let [dx, dy] = draw(joint);
            [place[0] + px * dx, place[1] + px * dy]
        };
        let keypoints = person.pose.keypoints.iter().enumerate().map(off).collect();
        PredictedPose {
            sample_id: person.sample_id.clone(),
            head: 1,
            keypoints,
            model: "m".into(),
            ..PredictedPose::default()
        }
    };
    people.iter().map(&mut pose).collect()
}

fn fitted(people: &dyn Rows, predicted: &dyn Rows) -> Result<(Vec<Displacement>, Vec<String>), StageError> {
    let (stage, mut rows) = (fit(), Vec::new());
    stage.output_schema([&people.schema(), &predicted.schema()])?;
    let gathered = AllRows::run(&stage, [people, predicted], "", &mut |batch| {
        rows.extend(displacements::from_batch(&batch)?);
        Ok(())
    })?;
    Ok((rows, gathered.notes))
}

#[test]
fn mean_and_deviation_of_every_joint_are_found_in_diameters() {
    // Small people and large ones: the unit is their own size.
    let people = [crowd(&LSP14, 400, 500.0), crowd(&LSP14, 400, 9000.0)].concat();
    let people: Vec<Person> = people
        .into_iter()
        .enumerate()
        .map(|(at, one)| Person { sample_id: format!("p{at}"), ..one })
        .collect();
    let mut random = KeyedRandom::new(9, "off", "", 0);
    let predicted = predictions(&people, &LSP14, |joint| {
        [0.1 * joint as f64 + 0.2 * random.normal(), -0.3 + 0.05 * random.normal()]
    });
    let (people, predicted) =
        (vec![people::to_batch(&LSP14, &people)], vec![keypoints::to_batch(&LSP14, &predicted)]);
    let (rows, notes) = fitted(&people, &predicted).unwrap();
    assert_eq!(rows.iter().map(|row| &*row.joint).collect::<Vec<_>>(), LSP14.joints);
    for (joint, row) in rows.iter().enumerate() {
        assert!((row.mean_x - 0.1 * joint as f64).abs() < 0.04 && (row.mean_y + 0.3).abs() < 0.01, "{row:?}");
        assert!((row.deviation_x - 0.2).abs() < 0.02 && (row.deviation_y - 0.05).abs() < 0.005, "{row:?}");
        assert_eq!(row.count, 800);
    }
    assert_eq!(notes, ["`fit`: learnt from 800 predictions of people of split `train`"]);
}

#[test]
fn what_cannot_be_measured_is_left_out_and_said() {
    let mut people = crowd(&LSP14, 4, 100.0);
    people[0].split = "test".into();
    people[1].pose = Pose::unknown(14);
    people[2].pose.set(0, [0.0; 2], Visibility::NotAnnotated);
    let mut predicted = predictions(&people[2..], &LSP14, |_| [0.5, 0.0]);
    predicted[1].keypoints[1] = [f64::NAN; 2];
    predicted.push(PredictedPose { sample_id: "p0".into(), ..predicted[0].clone() });
    let table = |people: &[Person]| vec![people::to_batch(&LSP14, people)];
    let made = vec![keypoints::to_batch(&LSP14, &predicted)];
    let (rows, notes) = fitted(&table(&people), &made).unwrap();
    assert_eq!(
        rows.iter().map(|row| row.count).collect::<Vec<_>>(),
        [1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2]
    );
    assert!(rows.iter().all(|row| (row.mean_x - 0.5).abs() < 1e-9 && row.deviation_x < 1e-6));
    assert!(
        notes[1].contains("1 predictions are of nobody") && notes[2].contains("1 people of the split"),
        "{notes:?}"
    );
    // Without a single comparison there is no distribution.
    let error = fitted(&table(&people[..1]), &made).unwrap_err();
    assert!(error.to_string().contains("`right_ankle`") && error.hint().is_some(), "{error}");
    people[3].sample_id = "p2".into();
    assert!(fitted(&table(&people), &made).unwrap_err().to_string().contains("`p2`"));
}

#[test]
fn joints_are_joined_by_name() {
    let people = crowd(&LSP14, 30, 100.0);
    let shared = |joint: &str| LSP14.index_of(joint);
    let poses: Vec<PredictedPose> = people
        .iter()
        .map(|person| PredictedPose {
            sample_id: person.sample_id.clone(),
            head: 1,
            keypoints: FLIC9
                .joints
                .iter()
                .map(|joint| shared(joint).map_or([1.0; 2], |at| person.pose.keypoints[at]))
                .collect(),
            model: "m".into(),
            ..PredictedPose::default()
        })
        .collect();
    // The nose is in no annotation of LSP.
    let error = fitted(&vec![people::to_batch(&LSP14, &people)], &vec![keypoints::to_batch(&FLIC9, &poses)])
        .unwrap_err();
    assert!(error.to_string().contains("`nose`"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn batches_do_not_show(size in 1usize..9, lengths in prop::collection::vec(1usize..12, 0..4)) {
        let people = crowd(&FLIC9, 20, 80.0);
        let mut random = KeyedRandom::new(2, "off", "", 0);
        let poses = predictions(&people, &FLIC9, |_| [random.normal(), random.normal()]);
        let (people, poses) = (people::to_batch(&FLIC9, &people), keypoints::to_batch(&FLIC9, &poses));
        let whole = InUnits::cut(&poses, &lengths, 100);
        let parts = InUnits::cut(&poses, &lengths, size);
        let (expected, _) = fitted(&vec![people.clone()], &whole).unwrap();
        let (found, _) = fitted(&InUnits::cut(&people, &[], size), &parts).unwrap();
        prop_assert_eq!(found, expected);
    }
}
