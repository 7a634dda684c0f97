//! From people to a model and from the model to maps: what it learns, what it mends, what it refuses.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch};
use arrow::datatypes::{DataType, Field};
use schemas::columns::with_column;
use schemas::random::KeyedRandom;
use schemas::skeleton::{CPM14, FLIC9};
use schemas::tables::samples::{CROP_FROM_IMAGE, FLIPPED};
use schemas::tables::spatial_models::{self, Displacements, TORSO};
use schemas::tables::{points_array, vector_array};
use schemas::{Affine, Skeleton};

use super::fixtures::*;
use super::{Form, SpatialModelConfig, Torso};
use crate::decode::FitSpatialModelConfig;
use crate::stage::Aggregate;

#[test]
fn a_model_holds_displacements_and_how_many_people_showed_them() {
    let mut poses = vec![vec![[40.0, 32.0]; JOINTS]; 3];
    for pose in &mut poses {
        pose[8] = [44.0, 20.0];
    }
    poses[0][2] = [f64::NAN; 2];
    let splits = ["train", "train", "test"];
    let model = fit("", &samples_of(&FLIC9, &poses, &splits)).unwrap();
    let pairs = pairs(&model);
    assert_eq!(pairs.len(), JOINTS * (JOINTS - 1 + 1));
    let pair =
        |joint: &str, given: &str| pairs.iter().find(|p| p.joint == joint && p.given == given).unwrap();
    // The nose lies 1 px of the map to the right of the torso and 3 above: all else lies in the torso.
    let (nose, wrist) = (pair("nose", TORSO), pair("left_wrist", "nose"));
    assert_eq!((nose.people, wrist.people), (2, 1));
    let index = |dx: i32, dy: i32| ((15 + dy) * 47 + 23 + dx) as usize;
    let highest =
        |kernel: &[f64]| (0..kernel.len()).max_by(|a, b| kernel[*a].total_cmp(&kernel[*b])).unwrap();
    assert_eq!((highest(&nose.kernel), highest(&wrist.kernel)), (index(1, -3), index(-1, 3)));
    assert!((nose.kernel.iter().sum::<f64>() - 1.0).abs() < 1e-12);
}

#[test]
fn people_before_warp_give_the_model_of_their_crops() {
    // Places that f32 holds, so that both ways give the same numbers.
    let round =
        |pose: Vec<[f64; 2]>| pose.iter().map(|p| p.map(|v| (v * 4.0).round() / 4.0)).collect::<Vec<_>>();
    let in_crop: Vec<Vec<[f64; 2]>> = people(6).into_iter().map(round).collect();
    let flipped: Vec<bool> = (0..6).map(|row| row % 2 == 1).collect();
    let maps: Vec<Affine> = (0..6)
        .map(|row| {
            Affine::translation(f64::from(row), -3.0) * Affine::scale(if row % 2 == 0 { 2.0 } else { 0.5 })
        })
        .collect();
    let mirrored = FLIC9.mirrored();
    let in_image: Vec<Vec<[f64; 2]>> = (0..6)
        .map(|row| {
            let back = maps[row].inverse().unwrap();
            let source = |joint: usize| if flipped[row] { mirrored[joint] } else { joint };
            (0..JOINTS).map(|joint| back.apply(in_crop[row][source(joint)])).collect()
        })
        .collect();
    let after = samples_of(&FLIC9, &in_crop, &["train"]);
    let mut before = samples_of(&FLIC9, &in_image, &["train"]);
    let points = points_array(in_image.iter().map(Vec::as_slice), JOINTS);
    let columns: [(Field, ArrayRef); 3] = [
        (Field::new("keypoints", points.data_type().clone(), false), points),
        (
            Field::new(CROP_FROM_IMAGE, schemas::columns::fixed_list(DataType::Float64, 6), false),
            vector_array(maps.iter().map(|map| Some(&map.0[..])), 6),
        ),
        (Field::new(FLIPPED, DataType::Boolean, false), Arc::new(BooleanArray::from(flipped))),
    ];
    for (field, column) in columns {
        before = with_column(&before, field, column).unwrap();
    }
    assert_eq!(pairs(&fit("", &before).unwrap()), pairs(&fit("", &after).unwrap()));
}

#[test]
fn the_torso_says_whom_of_two_people_to_look_at() {
    let mut random = KeyedRandom::new(5, "two", "", 0);
    let trained = samples_of(&FLIC9, &people(200), &["train"]);
    let own: Vec<_> = (0..8).map(|_| person([28.0, 32.0], &mut random)).collect();
    let others: Vec<_> = (0..8).map(|_| person([70.0, 30.0], &mut random)).collect();
    // Every map shows both, the other one higher.
    let both = |row: usize| (0..JOINTS).map(move |joint| (row, joint));
    let peaks: Vec<Vec<([f64; 2], f64)>> = (0..8)
        .flat_map(both)
        .map(|(row, joint)| vec![(own[row][joint], 0.8), (others[row][joint], 1.0)])
        .collect();
    let rows = predictions(&own, maps_of(&peaks), f64::from(STRIDE));
    assert!(highest(&rows).iter().zip(&others).all(|(found, truth)| worst(found, truth) < 4.0));

    let (with_torso, alone) = (fit("", &trained).unwrap(), fit("torso = 'none'", &trained).unwrap());
    for form in [Form::Energy, Form::Probability] {
        let (found, gathered) = apply(form, std::slice::from_ref(&rows), &with_torso).unwrap();
        assert!(gathered.rejects.is_empty());
        let found = highest(&found[0]);
        assert!(found.iter().zip(&own).all(|(found, truth)| worst(found, truth) < 5.0), "{form:?}");
        // It is the torso that says so.
        let found = highest(&apply(form, std::slice::from_ref(&rows), &alone).unwrap().0[0]);
        assert!(found.iter().zip(&others).all(|(found, truth)| worst(found, truth) < 5.0), "{form:?}");
    }
}

#[test]
fn a_wrong_peak_of_one_joint_is_outvoted_by_the_others() {
    let model = fit("torso = 'none'", &samples_of(&FLIC9, &people(200), &["train"])).unwrap();
    let own = people(4);
    let wrong = [12.0, 10.0];
    let peaks: Vec<Vec<([f64; 2], f64)>> = own
        .iter()
        .flat_map(|pose| pose.iter().enumerate())
        .map(
            |(joint, place)| if joint == 5 { vec![(*place, 0.5), (wrong, 1.0)] } else { vec![(*place, 1.0)] },
        )
        .collect();
    let rows = predictions(&own, maps_of(&peaks), f64::from(STRIDE));
    assert!(highest(&rows).iter().all(|found| worst(&found[5..6], &[wrong]) < 4.0));
    for form in [Form::Energy, Form::Probability] {
        let (found, _) = apply(form, std::slice::from_ref(&rows), &model).unwrap();
        assert_eq!(found[0].schema().metadata()[schemas::tables::MODEL_KEY], "net+spatial");
        let found = highest(&found[0]);
        assert!(found.iter().zip(&own).all(|(found, truth)| worst(found, truth) < 5.0), "{form:?}");
    }
}

#[test]
fn threads_and_batches_do_not_show() {
    let model = fit("", &samples_of(&FLIC9, &people(20), &["train"])).unwrap();
    let own = people(70);
    let peaks: Vec<Vec<([f64; 2], f64)>> = own.iter().flatten().map(|place| vec![(*place, 1.0)]).collect();
    let rows = predictions(&own, maps_of(&peaks), f64::from(STRIDE));
    let on = |threads: usize, cuts: &[(usize, usize)]| {
        let batches: Vec<RecordBatch> =
            cuts.iter().map(|(start, length)| rows.slice(*start, *length)).collect();
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| apply(Form::Energy, &batches, &model).unwrap().0)
    };
    let one = on(1, &[(0, 70)]);
    assert_eq!(one.iter().map(RecordBatch::num_rows).sum::<usize>(), 70);
    assert_eq!(one, on(3, &[(0, 13), (13, 50), (63, 7)]));
}

#[test]
fn rows_without_a_torso_or_a_number_are_rejected() {
    let model = fit("", &samples_of(&FLIC9, &people(20), &["train"])).unwrap();
    let mut own = people(4);
    own[1][6] = [f64::NAN; 2];
    own[2].iter_mut().for_each(|joint| joint[0] += 500.0);
    let mut maps = maps_of(&vec![vec![([40.0, 30.0], 1.0)]; 4 * JOINTS]);
    maps[3 * JOINTS * PIXELS + 7] = f32::NAN;
    let (rows, gathered) =
        apply(Form::Energy, &[predictions(&own, maps, f64::from(STRIDE))], &model).unwrap();
    assert_eq!(rows[0].num_rows(), 1);
    let reasons: Vec<(&str, Option<&str>)> =
        gathered.rejects.iter().map(|reject| (&*reject.reason, reject.sample_id.as_deref())).collect();
    assert_eq!(reasons, [("no torso", Some("p1")), ("no torso", Some("p2")), ("not finite", Some("p3"))]);
    assert!(gathered.rejects[1].detail.contains("outside"));
}

#[test]
fn a_model_for_something_else_is_refused_before_a_row_flows() {
    let step = SpatialModelConfig::default().build(&context()).unwrap();
    let rows = predictions(&people(1), vec![0.0; JOINTS * PIXELS], f64::from(STRIDE));
    let refused = |model| step.output_schema(&[rows.schema(), model]).unwrap_err().to_string();
    let of =
        |skeleton: &Skeleton, map, torso: Torso| spatial_models::schema(skeleton, map, 4.0, torso.name());
    let skeleton = refused(of(&CPM14, MAP, Torso::None));
    assert_eq!(skeleton, "the spatial model is for `cpm14`, the maps are of `flic9`");
    let size = refused(of(&FLIC9, [16, 16], Torso::None));
    assert_eq!(size, "the spatial model is for maps of 16 x 16 px, the maps are 24 x 16 px");
    assert!(refused(rows.schema()).contains("must be a table `spatial_models`, found `heatmaps`"));
    assert!(refused(of(&FLIC9, MAP, Torso::TorsoBox)).contains("`torso_box`"));
    assert!(step.output_schema(&[rows.schema(), of(&FLIC9, MAP, Torso::Keypoints)]).is_ok());
    // The stride stands in the rows.
    let model = fit("torso = 'none'", &samples_of(&FLIC9, &people(2), &["train"])).unwrap();
    let rows = predictions(&people(1), vec![0.0; JOINTS * PIXELS], 8.0);
    let error = apply(Form::Energy, &[rows], &model).unwrap_err();
    assert!(error.to_string().contains("maps of stride 4, those of `p0` have stride 8"), "{error}");
}

#[test]
fn a_model_that_is_not_whole_is_refused() {
    let model = fit("torso = 'none'", &samples_of(&FLIC9, &people(2), &["train"])).unwrap();
    let rows = predictions(&people(1), vec![0.0; JOINTS * PIXELS], f64::from(STRIDE));
    let refused = |model: &[RecordBatch]| {
        apply(Form::Energy, std::slice::from_ref(&rows), model).unwrap_err().to_string()
    };
    let missing = refused(&model[1..]);
    assert_eq!(missing, "the spatial model has no row for `left_shoulder` given `left_elbow`");
    let twice = refused(&[&model[..], &model[..1]].concat());
    assert_eq!(twice, "the spatial model has two rows for `left_shoulder` given `left_elbow`");
    let mut odd = pairs(&model);
    odd[0].kernel[3] = f64::NAN;
    let odd = refused(&[Displacements::to_batch(&model[0].schema(), &odd)]);
    assert!(odd.contains("no histogram, `left_shoulder` given `left_elbow`"), "{odd}");
    let mut foreign = pairs(&model);
    foreign[1].given = "left_wing".to_owned();
    let foreign = refused(&[Displacements::to_batch(&model[0].schema(), &foreign)]);
    assert!(foreign.contains("no pair of its skeleton, `left_shoulder` given `left_wing`"), "{foreign}");
}

#[test]
fn people_that_cannot_teach_a_model_are_an_error_that_names_the_pair() {
    let mut poses = people(3);
    for pose in &mut poses {
        pose[5] = [f64::NAN; 2];
    }
    let error = fit("", &samples_of(&FLIC9, &poses, &["train"])).unwrap_err().to_string();
    assert_eq!(
        error,
        "none of 3 people of split `train` shows where `left_shoulder` lies, seen from `right_wrist`"
    );
    let error = fit("", &samples_of(&FLIC9, &people(3), &["test"])).unwrap_err().to_string();
    assert!(error.contains("split `train` has nobody"), "{error}");
    let error = fit("torso = 'center'", &samples_of(&FLIC9, &people(3), &["train"])).unwrap_err().to_string();
    assert!(error.contains("`center`"), "{error}");
    let odd: FitSpatialModelConfig = toml::from_str("stride = 5").unwrap();
    let step = odd.build(&context());
    let error = step.output_schema(&[samples_of(&FLIC9, &people(1), &["train"]).schema()]).unwrap_err();
    assert_eq!(error.to_string(), "`stride` 5 does not divide the crop, 96 x 64 px");
}

#[test]
fn somebody_without_a_pair_is_rejected() {
    let mut poses = people(3);
    poses[1].iter_mut().skip(1).for_each(|joint| *joint = [f64::NAN; 2]);
    let batch = samples_of(&FLIC9, &poses, &["train"]);
    let config: FitSpatialModelConfig = toml::from_str("stride = 4").unwrap();
    let (_, gathered) = collect(&config.build(&context()), &[&vec![batch]]).unwrap();
    assert_eq!(gathered.rejects.len(), 1);
    assert_eq!(gathered.rejects[0].sample_id.as_deref(), Some("p1"));
    assert_eq!(gathered.notes, ["`s`: learnt from 2 people of split `train`"]);
}

#[test]
fn keys_that_do_not_go_together_are_refused() {
    let built = |keys: &str| toml::from_str::<SpatialModelConfig>(keys).unwrap().build(&context());
    assert!(
        built("form = 'probability'\nbeta = 2").err().unwrap().to_string().contains("belong to energies")
    );
    let tiny = toml::from_str::<SpatialModelConfig>("bias = 1e-15").unwrap_err().to_string();
    assert!(tiny.contains("from 1e-9 to 1e9, found `1e-15`"), "{tiny}");
    assert!(built("beta = 0.5\nepsilon = 0.001\nbias = 0.01\ntorso_sigma = 3").is_ok());
}

#[test]
fn a_torso_may_be_a_box_or_a_centre_of_the_image() {
    let crop_from_image = Affine::translation(4.0, -2.0) * Affine::scale(0.5);
    let mut batch = samples_of(&FLIC9, &people(2), &["train"]);
    let numbers = |length| schemas::columns::fixed_list(DataType::Float64, length);
    let columns = [
        (CROP_FROM_IMAGE, 6, vec![Some(&crop_from_image.0[..]); 2]),
        ("torso_box", 4, vec![Some(&[80.0, 40.0, 100.0, 100.0][..]), None]),
        ("center", 2, vec![None, Some(&[60.0, 20.0][..])]),
    ];
    for (name, length, rows) in columns {
        batch =
            with_column(&batch, Field::new(name, numbers(length), true), vector_array(rows, length)).unwrap();
    }
    assert_eq!(Torso::TorsoBox.places(&batch).unwrap(), [Some([49.0, 33.0]), None]);
    assert_eq!(Torso::Center.places(&batch).unwrap(), [None, Some([34.0, 8.0])]);
    assert_eq!(Torso::None.places(&batch).unwrap(), [None, None]);
    // The mean of shoulders and hips; this body has its hips as far below the torso as its shoulders above.
    let still =
        samples_of(&FLIC9, &[BODY.map(|joint| [joint[0] + 30.0, joint[1] + 20.0]).to_vec()], &["train"]);
    assert_eq!(Torso::Keypoints.places(&still).unwrap(), [Some([30.0, 20.0])]);
}
