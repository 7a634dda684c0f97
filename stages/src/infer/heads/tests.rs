//! Outputs of numbers, by hand: what is read from where, and what a card is told that does not fit.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Float64Type, Schema};
use schemas::columns::{points, vectors_f64};
use schemas::skeleton::FLIC9;

use super::super::flip::{Flip, FlipRule};
use super::super::model_card::ModelCard;
use super::*;

const HEAD: &str = "
    name = 'by-hand'
    skeleton = 'flic9'
    [input]
    name = 'image'
    layout = 'nchw'
    colour = 'rgb'
    element = 'float16'
    width = 100
    height = 50
";

fn card(outputs: &str) -> ModelCard {
    let card: ModelCard = toml::from_str(&format!("{HEAD}\n{outputs}")).unwrap();
    card.validate().unwrap();
    card
}

fn complaint(outputs: &str) -> String {
    toml::from_str::<ModelCard>(&format!("{HEAD}\n{outputs}")).unwrap().validate().unwrap_err().to_string()
}

/// The columns that one row gives, its mirrored run after it.
fn collected(card: &ModelCard, shapes: &[&[i64]], runs: &[&[Vec<f32>]]) -> RecordBatch {
    let shapes: Vec<Vec<i64>> = shapes.iter().map(|shape| shape.to_vec()).collect();
    let flip = (runs.len() == 2).then_some(Flip { rule: FlipRule::Exact });
    let columns = card.columns(1, &shapes, flip).unwrap();
    let mut collect = columns.start(1);
    for (mirrored, run) in runs.iter().enumerate() {
        let given: Vec<&[f32]> = run.iter().map(Vec::as_slice).collect();
        collect.take(0, mirrored == 1, &given);
    }
    RecordBatch::try_new(std::sync::Arc::new(Schema::new(columns.fields())), collect.columns()).unwrap()
}

const BY_POINT: &str = "
    [[outputs]]
    kind = 'coordinates'
    name = 'places'
    point = ['y', 'x', 'z', 'score']
    unit = 'parts'
    score = 'logit'
";

#[test]
fn numbers_of_points_are_read_by_their_names() {
    // Joint k at (0.1 k, 0.02 k) in parts of 100 x 50 px, score logit 0.
    let by_point: Vec<f32> =
        (0..9).flat_map(|joint| [0.02 * joint as f32, 0.1 * joint as f32, 7.0, 0.0]).collect();
    let rows = collected(&card(BY_POINT), &[&[1, 1, 9, 4]], &[&[by_point.clone()]]);
    let found = points(&rows, "points").unwrap();
    assert!((found[0][3][0] - 30.0).abs() < 1e-5 && (found[0][3][1] - 3.0).abs() < 1e-5, "{:?}", found[0][3]);
    assert_eq!(vectors_f64(&rows, "point_score", 9).unwrap().row(0).unwrap(), [0.5; 9]);
    assert!(rows.column_by_name("person_score").unwrap().is_null(0));
    // The same numbers, those of one kind side by side.
    let by_number: Vec<f32> = (0..4)
        .flat_map(|number| (0..9).map(move |joint| (number, joint)))
        .map(|(n, j)| by_point[4 * j + n])
        .collect();
    let turned = card(&format!("{BY_POINT}\n order = 'by_number'"));
    assert_eq!(points(&collected(&turned, &[&[1, 4, 9]], &[&[by_number]]), "points").unwrap(), found);
}

#[test]
fn points_are_looked_up_by_name_and_scores_may_stand_apart() {
    let names: Vec<String> =
        FLIC9.joints.iter().rev().map(|joint| format!("'{joint}'")).chain(["'toe'".into()]).collect();
    let card = card(&format!(
        "[[outputs]]\nkind = 'coordinates'\nname = 'places'\npoint = ['x', 'y']\norigin = 'edge'\npoints = [{}]\n\
         scores = 'sure'\nscore = 'deviation_logit'\nperson = {{ name = 'there', score = 'logit' }}",
        names.join(", ")
    ));
    let places: Vec<f32> = (0..10).flat_map(|point| [point as f32, 2.0 * point as f32]).collect();
    let run = [places, vec![0.0; 10], vec![0.0]];
    let rows = collected(&card, &[&[1, 20], &[1, 10], &[1, 1]], &[&run]);
    // The first joint is the last but one of the points, and the centre of a px is half a px from its edge.
    assert_eq!(points(&rows, "points").unwrap()[0][0], [7.5, 15.5]);
    assert_eq!(vectors_f64(&rows, "point_score", 9).unwrap().row(0).unwrap()[0], 0.5);
    assert_eq!(rows.column_by_name("person_score").unwrap().as_primitive::<Float64Type>().value(0), 0.5);
}

#[test]
fn the_mirrored_run_is_seen_from_the_other_side() {
    let plain: Vec<f32> = (0..9).flat_map(|joint| [10.0 + joint as f32, 5.0]).collect();
    let mirror = FLIC9.mirrored();
    // What an exact network says of the mirrored picture: x becomes 99 - x, left becomes right.
    let mirrored: Vec<f32> = (0..9).flat_map(|joint| [99.0 - plain[2 * mirror[joint]], 5.0]).collect();
    let card = card("[[outputs]]\nkind = 'coordinates'\nname = 'places'\npoint = ['x', 'y']");
    let rows = collected(&card, &[&[1, 18]], &[&[plain.clone()], &[mirrored]]);
    let found = points(&rows, "points").unwrap();
    assert_eq!(found[0].as_flattened(), plain.iter().map(|value| f64::from(*value)).collect::<Vec<_>>());
}

const DETECTED: &str = "
    [[outputs]]
    kind = 'detections'
    name = 'seen'
    point = ['x', 'y', 'score']
    minimum_score = 0.3
";

/// A candidate of the form centre, size, score, joints.
fn candidate(x: f32, score: f32) -> Vec<f32> {
    let joints = (0..9).flat_map(|joint| [x + joint as f32, 4.0, 0.25]);
    [x, 20.0, 10.0, 30.0, score].into_iter().chain(joints).collect()
}

fn boxes(rows: &RecordBatch) -> Vec<f64> {
    let list = rows.column_by_name("boxes").unwrap().as_list::<i32>().value(0);
    schemas::columns::flat_floats(&*list).unwrap()
}

#[test]
fn candidates_are_rows_or_columns_and_those_below_the_limit_go() {
    let row = "row = ['center_x', 'center_y', 'width', 'height', 'score', 'joints']";
    let people =
        [candidate(20.0, 0.9), candidate(40.0, 0.2), candidate(60.0, f32::NAN), candidate(70.0, 0.3)];
    let rows = collected(&card(&format!("{DETECTED}\n{row}")), &[&[1, 4, 32]], &[&[people.concat()]]);
    // One below the limit is gone; one without a score is told apart when people are chosen.
    assert_eq!(boxes(&rows), [15.0, 5.0, 25.0, 35.0, 55.0, 5.0, 65.0, 35.0, 65.0, 5.0, 75.0, 35.0]);
    let turned: Vec<f32> = (0..32).flat_map(|number| people.iter().map(move |one| one[number])).collect();
    let by_columns = card(&format!("{DETECTED}\n{row}\ncandidates = 'columns'"));
    let again = collected(&by_columns, &[&[1, 32, 4]], &[&[turned]]);
    assert_eq!((again.num_rows(), boxes(&again)), (1, boxes(&rows)));
    let flat = |rows: &RecordBatch| {
        schemas::columns::flat_floats(
            &*rows.column_by_name("people_points").unwrap().as_list::<i32>().value(0),
        )
    };
    assert_eq!(flat(&again), flat(&rows));
}

#[test]
fn joints_may_stand_in_an_output_of_their_own_and_nobody_be_there() {
    let card = card(&format!(
        "{DETECTED}\nrow = ['left', 'top', 'right', 'bottom', 'score', 'class']\njoints = 'joints'"
    ));
    let joints: Vec<f32> = (0..9).flat_map(|joint| [joint as f32, 4.0, 0.25]).collect();
    let run = [vec![1.0, 2.0, 30.0, 40.0, 0.9, 0.0], joints];
    let rows = collected(&card, &[&[1, 1, 6], &[1, 1, 9, 3]], &[&run]);
    assert_eq!(boxes(&rows), [1.0, 2.0, 30.0, 40.0]);
    let empty = collected(&card, &[&[1, 0, 6], &[1, 0, 9, 3]], &[&[Vec::new(), Vec::new()]]);
    assert_eq!((empty.num_rows(), boxes(&empty).len()), (1, 0));
}

#[test]
fn a_card_that_does_not_fit_is_told_what_was_expected_and_found() {
    let refused = |card: &ModelCard, shapes: &[&[i64]], flip: bool| {
        let shapes: Vec<Vec<i64>> = shapes.iter().map(|shape| shape.to_vec()).collect();
        let flip = flip.then_some(Flip { rule: FlipRule::Exact });
        card.columns(1, &shapes, flip).err().unwrap().to_string()
    };
    let coordinates = card(BY_POINT);
    assert!(
        refused(&coordinates, &[&[1, 17, 4]], false)
            .contains("36 numbers are expected, a run gave [1, 17, 4]")
    );
    assert!(refused(&coordinates, &[&[1, 4, 9]], false).contains("expects [9, 4] as the last dimensions"));
    let row = "row = ['left', 'top', 'width', 'height', 'score', 'joints']";
    let detections = card(&format!("{DETECTED}\n{row}"));
    let message = refused(&detections, &[&[1, 32, 4]], false);
    assert!(message.contains("[candidates, 32] are expected, a run gave [1, 32, 4]"), "{message}");
    assert!(refused(&detections, &[&[1, 4, 32]], true).contains("cannot be averaged"));
    let bins = card("[[outputs]]\nkind = 'simcc'\nx = 'x'\ny = 'y'\nsplit_ratio = 2.0");
    assert!(
        refused(&bins, &[&[1, 9, 100], &[1, 9, 200]], false)
            .contains("[9, 200] are expected, a run gave [1, 9, 100]")
    );

    assert!(
        complaint("[[outputs]]\nkind = 'coordinates'\nname = 'a'\npoint = ['x', 'score']")
            .contains("one `x` and one `y`")
    );
    assert!(complaint(&format!("{BY_POINT}\npoints = ['nose']")).contains("has no `left_shoulder`"));
    assert!(complaint(&format!("{BY_POINT}\npoints = ['nose', 'nose']")).contains("has `nose` twice"));
    assert!(complaint(&format!("{BY_POINT}\nscores = 'b'")).contains("in `point` and in `scores`"));
    assert!(
        complaint(&format!("{DETECTED}\nrow = ['left', 'top', 'score', 'joints']"))
            .contains("must have a `score`")
    );
    assert!(complaint(&format!("{DETECTED}\n{row}\njoints = 'more'")).contains("once"));
    assert!(complaint(&format!("{DETECTED}\n{row}\noverlap = 2.0")).contains("between 0 and 1"));
    let two = format!("{BY_POINT}\n[[outputs]]\nkind = 'simcc'\nx = 'x'\ny = 'y'\nsplit_ratio = 2.0");
    assert!(complaint(&two).contains("of one kind, found `coordinates` and `simcc`"));
}
