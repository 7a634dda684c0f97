use proptest::prelude::*;

use super::built_in::FILES;
use super::*;

#[test]
fn flip_pairs_are_those_of_the_papers() {
    // Stacked hourglass, `src/misc` (1-based): (1,6)(2,5)(3,4)(11,16)(12,15)(13,14).
    assert_eq!(MPII16.flip_pairs(), [(0, 5), (1, 4), (2, 3), (10, 15), (11, 14), (12, 13)]);
    // Convolutional pose machines (1-based): (3,6)(4,7)(5,8)(9,12)(10,13)(11,14) and (1,4)(2,5)(3,6)(7,8).
    assert_eq!(CPM14.flip_pairs(), [(2, 5), (3, 6), (4, 7), (8, 11), (9, 12), (10, 13)]);
    assert_eq!(FLIC9.flip_pairs(), [(0, 3), (1, 4), (2, 5), (6, 7)]);
    // CrowdPose's evaluation and HRNet's loader of it: (0,1)(2,3)...(10,11).
    assert_eq!(CROWDPOSE14.flip_pairs(), [(0, 1), (2, 3), (4, 5), (6, 7), (8, 9), (10, 11)]);
    // BlazePose: (1,4)(2,5)(3,6), then neighbours.
    let neighbours = (7..33).step_by(2).map(|joint| (joint, joint + 1));
    assert_eq!(
        BLAZEPOSE33.flip_pairs(),
        [(1, 4), (2, 5), (3, 6)].into_iter().chain(neighbours).collect::<Vec<_>>()
    );
    assert_eq!(AP10K17.flip_pairs(), [(0, 1), (5, 8), (6, 9), (7, 10), (11, 14), (12, 15), (13, 16)]);
    assert_eq!(HAND21.flip_pairs(), []);
    // The face of 68 points: outline 0 to 16, brows 17 to 26, nose 27 to 35, eyes 36 to 47, mouth 48 to 67; the middle is
    // 8, 27 to 30, 33, 51, 57, 62 and 66.
    let mirrored = WHOLEBODY133.mirrored();
    let middle: Vec<usize> = (0..68).filter(|point| mirrored[23 + point] == 23 + point).collect();
    assert_eq!(middle, [8, 27, 28, 29, 30, 33, 51, 57, 62, 66]);
    assert_eq!((mirrored[23 + 36], mirrored[23 + 41], mirrored[91], mirrored[17]), (68, 69, 112, 20));
}

#[test]
fn cpm_order_is_mpii_ids_without_pelvis_and_thorax() {
    let indices: Vec<usize> = CPM14.indices_in(&MPII16).into_iter().map(Option::unwrap).collect();
    assert_eq!(indices, [9, 8, 12, 11, 10, 13, 14, 15, 2, 1, 0, 3, 4, 5]);
    let lsp: Vec<usize> = LSP14.indices_in(&MPII16).into_iter().map(Option::unwrap).collect();
    assert_eq!(lsp, [0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15, 8, 9]);
}

#[test]
fn bodies_hold_the_joints_of_coco_where_they_have_them() {
    assert!(COCO17.indices_in(&HALPE26).into_iter().eq((0..17).map(Some)));
    assert!(COCO17.indices_in(&WHOLEBODY133).into_iter().eq((0..17).map(Some)));
    let blazepose: Vec<usize> = COCO17.indices_in(&BLAZEPOSE33).into_iter().map(Option::unwrap).collect();
    assert_eq!(blazepose, [0, 2, 5, 7, 8, 11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28]);
    let of_halpe: Vec<Option<usize>> = MPII16.indices_in(&HALPE26);
    assert_eq!((of_halpe[6], of_halpe[7], of_halpe[8], of_halpe[9]), (Some(19), None, Some(18), Some(17)));
    assert!(AIC14.indices_in(&CROWDPOSE14).iter().all(Option::is_some));
}

#[test]
fn a_nose_is_not_a_head_top() {
    assert_eq!(MPII16.indices_in(&FLIC11)[9], None);
    assert_eq!(FLIC9.indices_in(&MPII16)[8], None);
    // Nor is the head of Penn Action, whatever files of CrowdPose call theirs.
    assert_eq!(CROWDPOSE14.indices_in(&PENN13)[12], None);
}

#[test]
fn built_in_skeletons_are_sound() {
    assert_eq!(all().len(), FILES.len());
    for (skeleton, (file, text)) in all().iter().zip(FILES) {
        assert_eq!(skeleton.name, *file);
        assert!(text.starts_with("# "), "{file} says what it is");
        let mirrored = skeleton.mirrored();
        assert!((0..skeleton.len()).all(|joint| mirrored[mirrored[joint]] == joint), "{file}");
        let apart = skeleton.flip_pairs().iter().all(|(a, b)| a < b);
        assert!(apart && skeleton.flip_pairs().is_sorted(), "{file}");
        // The name ends with the number of joints.
        assert!(file.ends_with(&skeleton.len().to_string()), "{file}");
        assert_eq!(Skeleton::of_file(text).unwrap(), *skeleton);
        assert!(std::ptr::eq(Skeleton::of_table(file, Some(&skeleton.to_json())).unwrap(), *skeleton));
        let spelt: Vec<String> = skeleton.joints.iter().map(|joint| joint.replace('_', " ")).collect();
        let fitting: Vec<&str> =
            all().iter().filter(|one| one.is_spelt(&spelt)).map(|one| one.name).collect();
        assert_eq!(fitting, [*file]);
    }
}

#[test]
fn files_may_spell_joints_in_their_own_way() {
    let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
    let halpe = "Nose LEye REye LEar REar LShoulder RShoulder LElbow RElbow LWrist RWrist LHip RHip LKnee Rknee LAnkle \
        RAnkle Head Neck Hip LBigToe RBigToe LSmallToe RSmallToe LHeel RHeel";
    assert!(HALPE26.is_spelt(&names(&halpe.split_whitespace().collect::<Vec<_>>())));
    let animal = [
        "L_Eye",
        "R_Eye",
        "Nose",
        "Neck",
        "Root of tail",
        "L_Shoulder",
        "L_Elbow",
        "L_F_Paw",
        "R_Shoulder",
        "R_Elbow",
        "R_F_Paw",
        "L_Hip",
        "L_Knee",
        "L_B_Paw",
        "R_Hip",
        "R_Knee",
        "R_B_Paw",
    ];
    assert!(AP10K17.is_spelt(&names(&animal)));
    let mut crowd = names(CROWDPOSE14.joints);
    crowd[12] = "head".to_owned();
    assert!(CROWDPOSE14.is_spelt(&crowd));
    crowd.swap(0, 1);
    assert!(!CROWDPOSE14.is_spelt(&crowd));
}

#[test]
fn spreads_are_those_of_the_evaluators() {
    // `cocoeval.py` of pycocotools: tenths of hundredths.
    let coco = [26, 25, 25, 35, 35, 79, 79, 72, 72, 62, 62, 107, 107, 87, 87, 89, 89];
    let stated = COCO17.sigmas.unwrap().iter().map(|sigma| (sigma * 1000.0).round() as i32);
    assert!(stated.eq(coco));
    assert_eq!(&HALPE26.sigmas.unwrap()[..17], COCO17.sigmas.unwrap());
    assert_eq!(&WHOLEBODY133.sigmas.unwrap()[..17], COCO17.sigmas.unwrap());
    let hands = &WHOLEBODY133.sigmas.unwrap()[91..];
    assert_eq!((hands.len(), &hands[..21]), (42, &hands[21..]));
    // CrowdPose's are COCO's of the same joints, and 0.079 for head and neck.
    for (joint, sigma) in CROWDPOSE14.joints.iter().zip(CROWDPOSE14.sigmas.unwrap()) {
        let expected = COCO17.index_of(joint).map_or(0.079, |at| COCO17.sigmas.unwrap()[at]);
        assert_eq!(*sigma, expected, "{joint}");
    }
    assert_eq!(MPII16.sigmas, None);
}

#[test]
fn an_unknown_name_lists_all() {
    let message = Skeleton::named("mpii").unwrap_err().to_string();
    assert!(message.contains("`mpii16`, `lsp14`, `flic11`, `flic9`, `cpm14`, `coco17`"), "{message}");
}

const OWN: &str = r#"
    name = "robot"
    joints = ["base", "arm l", "arm r", "tool"]
    limbs = [["base", "ArmL"], [0, 2], ["tool", "arm_r"]]
    sigmas = [0.1, 0.2, 0.2, 0.05]
    groups = { arms = [1, "arm_right"] }
"#;

fn with(from: &str, to: &str) -> String {
    assert!(OWN.contains(from), "{from}");
    let error = Skeleton::of_file(&OWN.replacen(from, to, 1)).unwrap_err();
    error.to_string()
}

#[test]
fn a_skeleton_of_ones_own_is_kept_once_for_its_content() {
    let robot = Skeleton::of_file(OWN).unwrap();
    assert_eq!((robot.len(), robot.limbs), (4, &[(0, 1), (0, 2), (3, 2)][..]));
    assert_eq!((robot.flip_pairs(), robot.groups[0].joints), (vec![(1, 2)], &[1, 2][..]));
    assert!(std::ptr::eq(robot, Skeleton::of_file(&OWN.replace("[0, 2]", "[\"base\", \"arm r\"]")).unwrap()));
    assert!(std::ptr::eq(robot, Skeleton::of_table("robot", Some(&robot.to_json())).unwrap()));
    // Another content is another skeleton, even of that name.
    let other = Skeleton::of_file(&OWN.replace("0.05", "0.06")).unwrap();
    assert!(other != robot && other.name == robot.name);
    assert!(Skeleton::named("robot").is_err());
    let error = Skeleton::of_table("robot", None).unwrap_err();
    assert!(matches!(error, SkeletonError::Unknown(_)), "{error}");
}

#[test]
fn what_is_no_skeleton_is_refused_with_what_was_expected_and_found() {
    for (from, to, expected) in [
        ("\"tool\"", "\"Base\"", "`joints` must differ, found `base` at 0 and `Base` at 3"),
        ("\"tool\"", "\"\"", "the name of a joint must be 1 to 100 bytes with a letter or digit"),
        ("\"tool\"", "\"a\\u001b\"", "found `a\\u{1b}`"),
        ("robot", "ro/bot", "the name of a skeleton must be 1 to 100 letters"),
        (
            "\"base\", \"ArmL\"",
            "\"base\", \"leg\"",
            "`limbs[0]` must be of joints of `robot`, `base`, `arm l`, `arm r`, `tool`, found `leg`",
        ),
        ("[0, 2]", "[0, 4]", "`limbs[1]` must be of joints 0 to 3, found 4"),
        ("[0, 2]", "[2, 2]", "`limbs[1]` must be of two joints, found `arm r` twice"),
        ("[0, 2]", "[0, -2]", "the name of a joint, or its number from 0"),
        ("0.05]", "0.05, 1.0]", "`sigmas` must be one number for each of 4 joints, found 5"),
        ("0.05]", "0.0]", "`sigmas[3]` must be positive and finite, found 0"),
        ("0.05]", "nan]", "`sigmas[3]` must be positive and finite, found NaN"),
        ("[1, \"arm_right\"]", "[]", "`groups.arms` must have joints, found none"),
        ("sigmas", "sigma", "unknown field `sigma`"),
        (
            "groups",
            "flip_pairs = [[\"tool\", \"hand\"]]\ngroups",
            "`flip_pairs[0]` must be of joints of `robot`",
        ),
        (
            "groups",
            "flip_pairs = [[1, 2], [3, 2]]\ngroups",
            "must have each joint once, found `arm r` in two pairs",
        ),
        ("groups", "spellings = { leg = [\"x\"] }\ngroups", "`spellings` must be of joints"),
        ("robot", "flic9", "`flic9` is a built-in skeleton with other joints"),
    ] {
        let message = with(from, to);
        assert!(message.contains(expected), "{message}\nlacks\n{expected}");
    }
    let none = Skeleton::of_file("name = 'x'\njoints = []").unwrap_err().to_string();
    assert_eq!(none, "a skeleton has 1 to 1000 joints, found none");
    let many: Vec<String> = (0..=MOST_JOINTS).map(|joint| format!("'j{joint}'")).collect();
    let many = Skeleton::of_file(&format!("name = 'x'\njoints = [{}]", many.join(", "))).unwrap_err();
    assert_eq!(many.to_string(), "a skeleton has at most 1000 joints, found 1001");
    let long = Skeleton::of_file(&"#".repeat((1 << 20) + 1)).unwrap_err();
    assert_eq!(long.to_string(), "a skeleton has at most 1048576 bytes, found 1048577");
    let coco = FILES.iter().find(|(name, _)| *name == "coco17").unwrap().1;
    let error = Skeleton::of_file(&coco.replace("0.107, 0.107", "0.107, 0.108")).unwrap_err();
    assert_eq!(error.to_string(), "`coco17` is a built-in skeleton with other sigmas");
}

#[test]
fn a_table_keeps_to_its_definition() {
    let robot = Skeleton::of_file(OWN).unwrap().to_json();
    let refused = |name: &str, text: &str| Skeleton::of_table(name, Some(text)).unwrap_err().to_string();
    assert_eq!(
        refused("machine", &robot),
        "a table of the skeleton `machine` must define it, found the definition of `robot`"
    );
    assert_eq!(refused("coco17", &robot), "`coco17` is a built-in skeleton with other joints");
    assert!(refused("robot", "{").contains("not a definition of a skeleton"));
    // A table of an earlier version, which knew no sigmas and another limb.
    let mut older: serde_json::Value = serde_json::from_str(&COCO17.to_json()).unwrap();
    older.as_object_mut().unwrap().remove("sigmas");
    older["limbs"] = serde_json::json!([[0, 1]]);
    assert_eq!(Skeleton::of_table("coco17", Some(&older.to_string())).unwrap(), &*COCO17);
}

fn definitions() -> impl Strategy<Value = Definition> {
    (2_usize..40, 0_usize..12).prop_flat_map(|(joints, limbs)| {
        let limb =
            (0..joints, 1..joints).prop_map(move |(a, by)| [a, (a + by) % joints].map(JointRef::Number));
        let sigmas = prop::option::of(prop::collection::vec(1e-6..10.0_f64, joints));
        let order = Just((0..joints).collect::<Vec<_>>()).prop_shuffle();
        (prop::collection::vec(limb, limbs), sigmas, order, 0..=joints / 2).prop_map(
            move |(limbs, sigmas, order, pairs)| Definition {
                name: "drawn".into(),
                joints: (0..joints).map(|joint| format!("joint {joint}")).collect(),
                limbs,
                flip_pairs: Some(
                    order
                        .chunks_exact(2)
                        .take(pairs)
                        .map(|pair| [pair[0], pair[1]].map(JointRef::Number))
                        .collect(),
                ),
                sigmas,
                groups: [("first".to_owned(), vec![JointRef::Number(order[0])])].into(),
                spellings: std::collections::BTreeMap::new(),
            },
        )
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_a_table_defines_is_the_skeleton_that_it_was_made_of(definition in definitions()) {
        let made = Skeleton::of(&definition).unwrap();
        let read = Skeleton::of_table(made.name, Some(&made.to_json())).unwrap();
        prop_assert!(std::ptr::eq(made, read));
        let mirrored = made.mirrored();
        prop_assert!((0..made.len()).all(|joint| mirrored[mirrored[joint]] == joint));
        prop_assert_eq!(made.indices_in(made), (0..made.len()).map(Some).collect::<Vec<_>>());
    }
}
