use arrow::array::{ArrayRef, Float64Array, Int32Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use schemas::skeleton::MPII16;
use schemas::tables::people::Person;
use schemas::tables::{heatmaps, samples, vector_array};
use std::sync::Arc;

use super::*;
use schemas::tables::keypoints::PredictedPose;
use stages::evaluate::fixtures::{noisy_prediction, person};
use stages::evaluate::verification::fixtures::trials;
use stages::evaluate::{EvaluateOptions, Protocol, evaluate_pose};
use stages::stage::Rows;

fn people(count: i32) -> Vec<Person> {
    (0..count).map(|n| person(&format!("p{n:02}"), n)).collect()
}

fn noisy(people: &[Person], seed: u64, spread: f64) -> Vec<PredictedPose> {
    people.iter().map(|person| noisy_prediction(person, seed, spread)).collect()
}

fn input<'a>(truth: &'a [Person], predictions: &'a [PredictedPose]) -> PoseInput<'a> {
    PoseInput {
        name: "keypoints".into(),
        truth,
        truth_skeleton: &MPII16,
        predictions,
        prediction_skeleton: &MPII16,
        protocols: vec![Protocol::MpiiOfficial],
        metrics: vec![],
        seed: 0,
        heatmaps: None,
        against: None,
    }
}

fn options() -> ReportOptions {
    ReportOptions {
        title: "A run".into(),
        worst: 3,
        tile_px: 64,
        resamples: 20,
        image_root: None,
        version: "0".into(),
    }
}

fn report(poses: Vec<PoseInput<'_>>) -> Report<'_> {
    Report { sources: vec![], poses, verifications: vec![], rejects: vec![], further: vec![], notes: vec![] }
}

#[test]
fn the_numbers_are_those_of_scoring_and_every_part_is_there() {
    let people = people(25);
    let poses = noisy(&people, 1, 9.0);
    let other = noisy(&people, 2, 14.0);
    let mut one = input(&people, &poses);
    one.against =
        Some(AgainstPoses { name: "other: keypoints".into(), predictions: &other, skeleton: &MPII16 });
    let html = page(&report(vec![one]), &options()).unwrap().html;
    let how = EvaluateOptions { resamples: 20, ..EvaluateOptions::new(Protocol::MpiiOfficial) };
    let metrics = evaluate_pose(&people, &MPII16, &poses, &MPII16, &how).unwrap().metrics;
    for row in metrics.iter().filter(|row| row.threshold == Some(0.5)) {
        assert!(html.contains(&format!(">{:.2}<", row.value)), "{row:?}");
        let interval = format!("{:.2} to {:.2}", row.ci_low.unwrap(), row.ci_high.unwrap());
        assert!(row.group.is_some() || html.contains(&interval), "{row:?}");
    }
    for part in [
        "PCKh over its threshold",
        "What becomes of joints",
        "Other conventions",
        "mpii-hrnet",
        "visibility: occluded",
        "Difference by group",
        "people with the largest error",
        "What was read",
        "Rejects",
    ] {
        assert!(html.contains(part), "{part}");
    }
}

#[test]
fn a_metric_table_is_shown_as_it_stands_and_told_when_it_is_stale() {
    let people = people(12);
    let poses = noisy(&people, 1, 9.0);
    let how = EvaluateOptions { resamples: 30, seed: 5, ..EvaluateOptions::new(Protocol::MpiiOfficial) };
    let mut metrics = evaluate_pose(&people, &MPII16, &poses, &MPII16, &how).unwrap().metrics;
    let made = |metrics: &[Metric]| {
        let one = PoseInput { metrics: metrics.to_vec(), ..input(&people, &poses) };
        page(&report(vec![one]), &options()).unwrap().html
    };
    assert!(made(&metrics).contains("were scored anew and agree"));
    let total = |m: &&mut Metric| m.group.as_deref() == Some("total") && m.threshold == Some(0.5);
    metrics.iter_mut().find(total).unwrap().value = 12.34;
    let html = made(&metrics);
    assert!(html.contains("12.34 %") && html.contains("Attention: 1 of the"));
}

#[test]
fn a_missing_picture_is_a_placeholder_with_its_reason_and_a_reject() {
    let people = people(4);
    let poses = noisy(&people, 1, 9.0);
    let made = page(&report(vec![input(&people, &poses)]), &options()).unwrap();
    assert_eq!(made.rejects.len(), 3);
    assert!(made.rejects.iter().all(|reject| reject.reason == "picture not readable"));
    assert!(made.html.contains("no picture: ") && made.html.contains(".jpg"));
    assert!(!made.html.contains("<img"));
}

#[test]
fn pictures_and_maps_are_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let people = people(2);
    for person in &people {
        let picture = image::RgbImage::from_pixel(320, 300, image::Rgb([90, 120, 150]));
        picture.save(folder.path().join(person.image_path.replace("jpg", "png"))).unwrap();
    }
    let named =
        |person: &Person| Person { image_path: person.image_path.replace("jpg", "png"), ..person.clone() };
    let people: Vec<Person> = people.iter().map(named).collect();
    let poses = noisy(&people, 1, 9.0);
    let maps = maps_of(&people);
    let options = ReportOptions { image_root: Some(folder.path().to_owned()), ..options() };
    let made = |maps: Option<&dyn Rows>| {
        let one = PoseInput { heatmaps: maps, ..input(&people, &poses) };
        page(&report(vec![one]), &options).unwrap()
    };
    let with = made(Some(&maps));
    assert!(with.rejects.is_empty() && with.html.matches("src=\"data:image/jpeg;base64,").count() == 2);
    assert!(with.html.contains("width=\"130\" height=\"64\""));
    assert!(made(None).html.contains("width=\"64\" height=\"64\""));
}

/// Maps of 8 x 8 px over the whole of a picture of 320 x 320 px, a row a person.
fn maps_of(people: &[Person]) -> Vec<RecordBatch> {
    let values = vec![0.25; people.len() * 16 * 64];
    let column = heatmaps::maps_array(values, 16, 8, 8);
    let map = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0];
    let columns: Vec<(Field, ArrayRef)> = vec![
        (
            Field::new("sample_id", DataType::Utf8, false),
            Arc::new(StringArray::from_iter_values(people.iter().map(|person| &person.sample_id))),
        ),
        (
            Field::new(heatmaps::HEAD, DataType::Int32, false),
            Arc::new(Int32Array::from(vec![1; people.len()])),
        ),
        (Field::new(heatmaps::HEATMAPS, samples::maps_type(16, 8, 8), false), column),
        (
            Field::new(heatmaps::STRIDE, DataType::Float64, false),
            Arc::new(Float64Array::from(vec![40.0; people.len()])),
        ),
        (
            Field::new("crop_from_image", schemas::columns::fixed_list(DataType::Float64, 6), true),
            vector_array(people.iter().map(|_| Some(&map[..])), 6),
        ),
    ];
    let schema = Schema::new(columns.iter().map(|(field, _)| field.clone()).collect::<Vec<_>>());
    let arrays = columns.into_iter().map(|(_, array)| array).collect();
    vec![RecordBatch::try_new(Arc::new(schema), arrays).unwrap()]
}

#[test]
fn names_cannot_become_markup() {
    let mut people = people(3);
    for person in &mut people {
        person.sample_id = format!("<script>alert('{}')</script>", person.sample_id);
    }
    let poses = noisy(&people, 1, 9.0);
    let options = ReportOptions { title: "a <b> & \"c\"".into(), ..options() };
    let html = page(&report(vec![input(&people, &poses)]), &options).unwrap().html;
    assert_eq!(html.matches("<script>").count(), 1);
    assert!(html.contains("<title>a &lt;b&gt; &amp; &quot;c&quot;</title>"));
}

#[test]
fn trials_have_curves_histograms_clients_and_figures() {
    let mut all = trials("test", 12, 1);
    all.extend(trials("validation", 9, 2));
    let mut worse = all.clone();
    worse.iter_mut().filter(|trial| trial.genuine).for_each(|trial| trial.score -= 3.0);
    let verification = VerificationInput {
        name: "trials".into(),
        trials: all,
        validation: None,
        split: "test".into(),
        validation_split: "validation".into(),
        metrics: vec![],
        seed: 0,
        against: Some(("other: trials".into(), worse)),
    };
    let report = Report { verifications: vec![verification], ..report(vec![]) };
    let made = page(&report, &options()).unwrap();
    for part in [
        "ROC",
        "DET",
        "Scores, test",
        "Clients, test",
        "HTER",
        "EER per client",
        "other: trials",
        "EER of gmm",
    ] {
        assert!(made.html.contains(part), "{part}");
    }
    // The other run is worse by far: the difference is below zero, and clear.
    assert!(made.html.contains("<td class=\"strong\">-"), "no clear difference");
}

#[test]
fn what_makes_no_page_is_refused_in_words() {
    let people = people(3);
    let poses = noisy(&people, 1, 9.0);
    let many = ReportOptions { worst: 100_000, ..options() };
    let error = page(&report(vec![input(&people, &poses)]), &many).unwrap_err();
    assert!(error.to_string().contains("cannot show 100000 people"), "{error}");
    let strangers = self::people(1);
    let others: Vec<PredictedPose> = poses
        .iter()
        .map(|pose| PredictedPose { sample_id: format!("x{}", pose.sample_id), ..pose.clone() })
        .collect();
    let mut one = input(&strangers, &poses[..1]);
    one.against = Some(AgainstPoses { name: "other".into(), predictions: &others, skeleton: &MPII16 });
    let error = page(&report(vec![one]), &options()).unwrap_err();
    assert!(error.to_string().contains("predicted by both"), "{error}");
}

#[test]
fn the_same_tables_make_the_same_page() {
    let people = people(20);
    let poses = noisy(&people, 1, 9.0);
    let made = || page(&report(vec![input(&people, &poses)]), &options()).unwrap().html;
    assert_eq!(made(), made());
}
