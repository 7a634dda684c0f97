//! What is written is read back: by our own readers here, by those of others in `python/tests/test_exports.py`.

use std::collections::BTreeMap;
use std::path::Path;

use ::arrow::array::RecordBatch;
use proptest::prelude::*;
use schemas::columns::points;
use schemas::skeleton::{COCO17, LSP14, MPII16};
use schemas::tables::keypoints::{PredictedPose, to_batch};
use schemas::tables::people::{Person, Pose};
use schemas::{Hinted, Skeleton, Visibility};

use super::testing::{export, person, picture, pieces, place, pose, text};
use super::*;
use crate::coco::{BoxRule, ResultOptions};
use crate::mpii::MpiiConfig;
use crate::pixels::OrientationRule;
use crate::predictions::{self, Predictions};
use crate::shards::{Claiming, Provenance};
use crate::sink::{Sink, Target};
use crate::source::Source;
use crate::{matlab, mpii};

/// Two people of one picture, one of another, a picture without people; every column filled somewhere.
fn crowd(folder: &Path, joints: usize) -> Vec<Person> {
    let (first, second, third) =
        (picture(folder, "a.png"), picture(folder, "b.png"), picture(folder, "c.png"));
    let mut people = vec![person(&first, 0, joints), person(&first, 1, joints), person(&second, 0, joints)];
    for (index, one) in people.iter_mut().enumerate() {
        let shift = index as f64;
        one.pose.set(0, [10.25 + shift, 20.5], Visibility::Visible);
        one.pose.set(3, [30.0, 40.0 - shift], Visibility::Occluded);
        one.center = Some([20.0, 30.125 + shift]);
        one.scale = Some(0.2);
        one.image_size = Some([64, 48]);
    }
    people[1].head_box = Some([3.0, 4.0, 9.0, 11.0]);
    people[2].torso_box = Some([3.5, 4.0, 9.0, 11.0]);
    people[2].activity = Some("bicycling".into());
    people[2].split = "validation".into();
    people[0].others = vec![std::sync::Arc::new(people[1].pose.clone())];
    people[1].others = vec![std::sync::Arc::new(people[0].pose.clone())];
    let empty =
        Person { sample_id: "test-c".into(), image_size: Some([64, 48]), ..person(&third, 0, joints) };
    people.push(Person { person_index: None, ..empty });
    people
}

fn coco_at(path: &Path) -> CocoExport {
    CocoExport {
        path: path.to_owned(),
        images: None,
        bbox: BoxRule::default(),
        orientation: OrientationRule::default(),
    }
}

fn yolo_at(path: &Path) -> YoloExport {
    YoloExport {
        path: path.to_owned(),
        images: None,
        bbox: BoxRule::default(),
        orientation: OrientationRule::default(),
        link: false,
    }
}

fn hrnet_at(path: &Path) -> HrnetExport {
    HrnetExport { path: path.to_owned(), images: None }
}

/// The people of the MPII JSON `path`.
fn from_hrnet(path: &Path, images: &Path) -> Vec<Person> {
    let config = MpiiConfig { annotations: path.to_owned(), images: images.to_owned(), subset: None };
    mpii::read(&config).unwrap().people
}

/// The people of the COCO file `path`, but for where they stand.
fn from_coco(path: &Path, images: &Path) -> Vec<Person> {
    let (annotations, images) = (path.to_owned(), images.to_owned());
    let config = crate::coco::CocoConfig { annotations, images, ..Default::default() };
    let found = crate::coco::read(&config).unwrap();
    assert!(found.rejects.is_empty(), "{:?}", found.rejects);
    found.people
}

fn without_source(people: &[Person]) -> Vec<Person> {
    let (attributes, source_file, source_record) = (None, String::new(), String::new());
    let blank = |one: &Person| Person {
        attributes: attributes.clone(),
        source_file: source_file.clone(),
        source_record: source_record.clone(),
        ..one.clone()
    };
    people.iter().map(blank).collect()
}

#[test]
fn coco_gives_the_same_people_back() {
    let folder = tempfile::tempdir().unwrap();
    for skeleton in [&COCO17, &MPII16] {
        let people = crowd(folder.path(), skeleton.len());
        let target = folder.path().join("people.json");
        let exported = export(&coco_at(&target), &[&pieces(skeleton, &people)]).unwrap();
        assert_eq!((exported.written, exported.rejects.len()), (4, 0));
        let read = from_coco(&target, folder.path());
        assert_eq!(text(&without_source(&read)), text(&without_source(&people)));
        // Once more: box, area and numbers are those of the file now.
        let again = folder.path().join("again.json");
        export(&coco_at(&again), &[&pieces(skeleton, &read)]).unwrap();
        let stated =
            |path: &Path| std::fs::read_to_string(path).unwrap().replace("\"stated\"", "\"keypoints\"");
        assert_eq!(stated(&again), stated(&target));
    }
}

#[test]
fn what_coco_cannot_hold_is_a_reject_or_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let mut people = crowd(folder.path(), 17);
    people[0].pose = Pose::unknown(17);
    people[0].scale = None;
    people[2].image_path = "absent.png".into();
    people[2].image_size = None;
    let target = folder.path().join("people.json");
    let exported = export(&coco_at(&target), &[&pieces(&COCO17, &people)]).unwrap();
    let reasons: Vec<&str> = exported.rejects.iter().map(|reject| reject.reason.as_str()).collect();
    assert_eq!((exported.written, reasons), (2, vec!["no box", "image missing"]));
    assert_eq!(exported.rejects[0].source_record.as_deref(), Some("record 0"));
    let start = |force| {
        let schema = pieces(&COCO17, &people)[0].schema();
        let claiming = Claiming { force, ..Claiming::default() };
        coco_at(&target).claim(
            &[schema],
            Provenance { made_by: "other".into(), ..Default::default() },
            claiming,
        )
    };
    assert!(start(false).err().unwrap().hint().unwrap().contains("--force"));
    let Target::Whole(claimed) = start(true).unwrap() else { panic!("an export is written at once") };
    claimed.release().unwrap();
    let other = folder.path().join("other.json");
    let failure = |pieces: &[RecordBatch]| export(&coco_at(&other), &[pieces]).unwrap_err().to_string();
    let nobody = schemas::tables::people::to_batch(&COCO17, &[]);
    assert_eq!(failure(std::slice::from_ref(&nobody)), "no row can be written");
    assert_eq!(failure(&keypoints_of(&people, &COCO17)), "the table must be `people`, found `keypoints`");
    let mixed = pieces(&COCO17, &people[..1]).into_iter().chain(pieces(&LSP14, &[person("x", 0, 14)]));
    assert_eq!(
        failure(&mixed.collect::<Vec<_>>()),
        "all rows must have one skeleton, found `coco17` and `lsp14`"
    );
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        5,
        "three pictures, the target, its record"
    );
}

/// The truth as predictions of the last of two heads.
fn keypoints_of(people: &[Person], skeleton: &'static Skeleton) -> Vec<RecordBatch> {
    let persons: Vec<&Person> = people.iter().filter(|person| is_person(person)).collect();
    let pose = |person: &&Person, head, keypoints: &[[f64; 2]], score| PredictedPose {
        sample_id: person.sample_id.clone(),
        split: Some(person.split.clone()),
        head,
        keypoints: keypoints.to_vec(),
        score,
        model: "truth".into(),
        ..PredictedPose::default()
    };
    let nothing = vec![[1.0, 1.0]; skeleton.len()];
    let first = persons.iter().map(|person| pose(person, 1, &nothing, None));
    let score = Some(vec![0.5; skeleton.len()]);
    let last = persons.iter().map(|person| pose(person, 2, &person.pose.keypoints, score.clone()));
    vec![to_batch(skeleton, &first.collect::<Vec<_>>()), to_batch(skeleton, &last.collect::<Vec<_>>())]
}

#[test]
fn coco_results_come_back_to_the_people_that_they_are_of() {
    let folder = tempfile::tempdir().unwrap();
    let people = crowd(folder.path(), 17);
    let target = folder.path().join("results.json");
    let sink = CocoResultsExport { path: target.clone(), head: None };
    let inputs: [&[RecordBatch]; 2] = [&keypoints_of(&people, &COCO17), &pieces(&COCO17, &people)];
    let exported = export(&sink, &inputs).unwrap();
    assert_eq!((exported.written, exported.rejects.len()), (3, 1));
    assert_eq!((exported.rejects[0].reason.as_str(), exported.rejects[0].rows), ("another head", 3));
    let options = ResultOptions { model: "truth".into(), ..ResultOptions::default() };
    let read = crate::coco::read_results(&target, &people, &COCO17, &options).unwrap();
    let expected: Vec<Vec<[f64; 2]>> = people[..3].iter().map(|one| one.pose.keypoints.clone()).collect();
    assert_eq!(text(&points(&read.batch, "keypoints").unwrap()), text(&expected));
    // Without the ids they are matched by likeness, whatever their order.
    let mut list: Vec<serde_json::Value> = serde_json::from_slice(&std::fs::read(&target).unwrap()).unwrap();
    list.reverse();
    for one in &mut list {
        one.as_object_mut().unwrap().remove("sample_id");
    }
    std::fs::write(&target, serde_json::to_vec(&list).unwrap()).unwrap();
    let read = crate::coco::read_results(&target, &people, &COCO17, &options).unwrap();
    assert_eq!(text(&points(&read.batch, "keypoints").unwrap()), text(&expected));
    assert!(read.rejects.is_empty() && read.notes.is_empty());
}

#[test]
fn hrnet_json_is_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let people = crowd(folder.path(), 16);
    let target = folder.path().join("train.json");
    let exported = export(&hrnet_at(&target), &[&pieces(&MPII16, &people)]).unwrap();
    assert_eq!((exported.written, exported.rejects[0].reason.as_str()), (3, "image without people"));
    assert!(exported.notes[0].starts_with("3 joints are hidden"), "{:?}", exported.notes);
    let read = from_hrnet(&target, folder.path());
    for (read, person) in read.iter().zip(&people) {
        assert_eq!(text(&read.pose.keypoints), text(&person.pose.keypoints));
        assert_eq!((read.center, read.scale), (person.center, person.scale));
        assert_eq!((&read.image_path, read.person_index), (&person.image_path, person.person_index));
    }
    let lsp = pieces(&LSP14, &[person("x", 0, 14)]);
    let error = export(&hrnet_at(&target), &[&lsp]).unwrap_err();
    assert_eq!(error.to_string(), "the MPII JSON of HRNet holds `mpii16` keypoints, found `lsp14`");
}

#[test]
fn hrnet_json_gives_a_published_file_back() {
    let Some(path) = crate::testing::real_data("mpii/images/test_mpii.json") else { return };
    let folder = tempfile::tempdir().unwrap();
    let people = from_hrnet(&path, Path::new(""));
    let target = folder.path().join("test_mpii.json");
    export(&hrnet_at(&target), &[&pieces(&MPII16, &people)]).unwrap();
    let load = |path: &Path| -> Vec<BTreeMap<String, serde_json::Value>> {
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
    };
    for (written, published) in load(&target).into_iter().zip(load(&path)) {
        for (key, value) in written {
            assert_eq!(value, published[&key], "{key}");
        }
    }
}

#[test]
fn preds_stand_in_the_order_of_the_people_and_of_their_joints() {
    let folder = tempfile::tempdir().unwrap();
    let people = crowd(folder.path(), 16);
    let mut predicted = people.clone();
    predicted.reverse();
    predicted.pop();
    predicted.push(person("stranger.png", 0, 16));
    let target = folder.path().join("preds.mat");
    let sink = |head| PredsExport { path: target.clone(), head, form: PredsForm::Array };
    let everybody = pieces(&MPII16, &people);
    let exported = export(&sink(Some(2)), &[&keypoints_of(&predicted, &MPII16), &everybody]).unwrap();
    assert_eq!(exported.written, 2);
    let reasons: Vec<(&str, u64)> =
        exported.rejects.iter().map(|one| (one.reason.as_str(), one.rows)).collect();
    assert_eq!(reasons, [("another head", 3), ("no person with this id", 1)]);
    assert_eq!(exported.notes[1], "1 people have no prediction; their rows are NaN");
    let options = predictions::Options {
        array: mpii_preds::ARRAY.into(),
        axes: "njc".into(),
        skeleton: &MPII16,
        first_pixel: 1.0,
    };
    let read = predictions::read(&target, &options).unwrap();
    let mut expected: Vec<_> = people[..3].iter().map(|one| one.pose.keypoints.clone()).collect();
    expected[0] = vec![[f64::NAN; 2]; 16];
    assert_eq!(text(&read.keypoints), text(&expected));
    // A network of another skeleton.
    let lsp = predictions::to_batch(
        &[people[2].sample_id.clone()],
        &[None],
        &Predictions { keypoints: vec![(0..14).map(|j| [f64::from(j), 5.0]).collect()], score: None },
        &LSP14,
        "x",
    )
    .unwrap();
    let exported = export(&sink(None), &[&[lsp], &everybody]).unwrap();
    assert_eq!(exported.notes[1], "the predictions (`lsp14`) have no `pelvis`, `thorax`");
    let variables = matlab::read(&target).unwrap();
    let values = matlab::variable(&variables, "preds").unwrap().numbers().unwrap();
    // x of the head top, joint 13 of lsp14 and 9 of mpii16, of the third of three people; from 1.
    assert_eq!(values[2 + 3 * 9], 14.0);
}

/// The predictions of `file` for `people`, as the source reads them back: ids, points, scores.
fn read_back(file: &Path, people: &[Person], strangers: usize) -> (Vec<String>, String) {
    let config = predictions::PredictionsConfig {
        file: file.to_owned(),
        array: None,
        axes: "njc".into(),
        skeleton: "mpii16".into(),
        first_pixel: 1.0,
        model: Some("truth".into()),
    };
    let source = Source::open(&config, &[pieces(&MPII16, people)]).unwrap();
    assert_eq!(source.rejects().len(), strangers, "{:?}", source.rejects());
    let batches = source.chunks(100).flat_map(|chunk| chunk.unwrap().load.now().unwrap().batches);
    let poses: Vec<PredictedPose> =
        batches.flat_map(|batch| schemas::tables::keypoints::from_batch(&batch).unwrap()).collect();
    let values = poses.iter().map(|pose| (pose.keypoints.clone(), pose.score.clone())).collect::<Vec<_>>();
    (poses.into_iter().map(|pose| pose.sample_id).collect(), text(&values))
}

#[test]
fn both_forms_of_preds_are_read_back_for_the_same_people() {
    let folder = tempfile::tempdir().unwrap();
    let people = crowd(folder.path(), 16);
    // Images without people come first and last; the second person of the first image is not predicted.
    let mut everybody = vec![people[3].clone()];
    everybody.extend(people[..3].iter().cloned());
    everybody[0].image_path = picture(folder.path(), "0.png");
    everybody.push(people[3].clone());
    let predicted = [people[0].clone(), people[2].clone()];
    let target = folder.path().join("pred.mat");
    let sink = PredsExport { path: target.clone(), head: Some(2), form: PredsForm::Submission };
    let exported =
        export(&sink, &[&keypoints_of(&predicted, &MPII16), &pieces(&MPII16, &everybody)]).unwrap();
    assert_eq!(
        exported.notes,
        [
            "`pred` is a structure of 4 images (`mpii16`), pixels from 1",
            "1 people have no prediction; they have no points"
        ]
    );
    let (ids, values) = read_back(&target, &everybody, 0);
    assert_eq!(ids, [people[0].sample_id.clone(), people[2].sample_id.clone()]);
    let score = |pose: &Pose| {
        (0..16).map(|joint| if pose.joint(joint).is_some() { 0.5 } else { f64::NAN }).collect::<Vec<_>>()
    };
    let expected: Vec<_> =
        predicted.iter().map(|one| (one.pose.keypoints.clone(), Some(score(&one.pose)))).collect();
    assert_eq!(values, text(&expected));
    // For part of the images, names tell whose they are.
    let (ids, _) = read_back(&target, &people[2..], 1);
    assert_eq!(ids, [people[2].sample_id.clone()]);
    let sink = PredsExport { path: target.clone(), head: Some(2), form: PredsForm::Array };
    export(&sink, &[&keypoints_of(&people[..3], &MPII16), &pieces(&MPII16, &everybody)]).unwrap();
    let (ids, _) = read_back(&target, &everybody, 0);
    assert_eq!(ids, people[..3].iter().map(|one| one.sample_id.clone()).collect::<Vec<_>>());
}

#[test]
fn yolo_labels_are_shares_of_the_picture() {
    let folder = tempfile::tempdir().unwrap();
    let mut people = crowd(folder.path(), 17);
    people[0].pose.set(5, [-1.0, 5.0], Visibility::Visible);
    people[2].image_path = "absent.png".into();
    let target = folder.path().join("yolo");
    let exported = export(&yolo_at(&target), &[&pieces(&COCO17, &people)]).unwrap();
    assert_eq!((exported.written, exported.rejects[0].reason.as_str()), (3, "image missing"));
    assert!(exported.notes[0].starts_with("1 annotated joints lie outside"), "{:?}", exported.notes);
    let labels = std::fs::read_to_string(target.join("labels/train/a.txt")).unwrap();
    let lines: Vec<Vec<f64>> =
        labels.lines().map(|line| line.split(' ').map(|number| number.parse().unwrap()).collect()).collect();
    assert_eq!((lines.len(), lines[0].len()), (2, 5 + 17 * 3));
    assert_eq!(lines[0][5..8], [10.25 / 64.0, 20.5 / 48.0, 2.0].map(|v| (v * 1e6_f64).round() / 1e6));
    assert!(lines.iter().flatten().all(|number| (0.0..=2.0).contains(number)));
    assert_eq!(lines[0][5 + 15..5 + 18], [0.0; 3]);
    assert_eq!(std::fs::read_to_string(target.join("labels/train/c.txt")).unwrap(), "");
    let list = std::fs::read_to_string(target.join("train.txt")).unwrap();
    assert_eq!(list, "./images/train/a.png\n./images/train/c.png\n");
    assert!(list.lines().all(|line| target.join(line).is_file()));
    let yaml = std::fs::read_to_string(target.join("data.yaml")).unwrap();
    assert!(yaml.contains("kpt_shape: [17, 3]\nflip_idx: [0, 2, 1, 4, 3,"), "{yaml}");
    let twins =
        [person(&picture(folder.path(), "x.png"), 0, 17), person(&picture(folder.path(), "x.jpg"), 0, 17)];
    let twins = twins.map(|one| Person { person_index: None, ..one });
    let target = folder.path().join("twins");
    let error = export(&yolo_at(&target), &[&pieces(&COCO17, &twins)]).unwrap_err();
    assert!(error.to_string().starts_with("two images are called `x.jpg`"), "{error}");
    assert!(!target.exists());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_pose_survives_coco_and_hrnet_json(
        poses in proptest::collection::vec((pose(16), place(), place(), 1..400_i32), 1..4),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let image = picture(folder.path(), "a.png");
        let mut people = Vec::new();
        for (index, (pose, x, y, scale)) in poses.into_iter().enumerate() {
            let (center, scale) = (Some([x, y]), Some(f64::from(scale) / 64.0));
            people.push(Person { pose, center, scale, ..person(&image, index as i32, 16) });
        }
        let json = folder.path().join("coco.json");
        let exported = export(&coco_at(&json), &[&pieces(&MPII16, &people)]).unwrap();
        prop_assert_eq!(exported.written as usize + exported.rejects.len(), people.len());
        let boxed: Vec<&Person> = people
            .iter()
            .filter(|one| !exported.rejects.iter().any(|no| no.sample_id.as_ref() == Some(&one.sample_id)))
            .collect();
        if !boxed.is_empty() {
            let read = from_coco(&json, folder.path());
            prop_assert_eq!(read.len(), boxed.len());
            for (read, person) in read.iter().zip(&boxed) {
                prop_assert_eq!(text(&read.pose), text(&person.pose));
                prop_assert_eq!((&read.sample_id, read.center, read.scale), (&person.sample_id, person.center, person.scale));
            }
        }
        let json = folder.path().join("hrnet.json");
        export(&hrnet_at(&json), &[&pieces(&MPII16, &people)]).unwrap();
        let read = from_hrnet(&json, folder.path());
        for (read, person) in read.iter().zip(&people) {
            prop_assert_eq!(text(&read.pose.keypoints), text(&person.pose.keypoints));
            prop_assert_eq!((read.center, read.scale), (person.center, person.scale));
        }
    }
}
