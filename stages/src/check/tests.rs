//! Every rule finds what was planted, and nothing else.

use datasets::pixels::{Frame, Limits};
use schemas::Visibility::{NotAnnotated, Visible};
use schemas::skeleton::{FLIC11, MPII16};
use schemas::tables::findings::{Finding, Severity};
use schemas::tables::people::{self, Person, Pose};

use super::fixtures::{check, check_with, crowd, lsp, mpii, named};
use super::{CheckConfig, Rule};

const CROWD: usize = 60;

fn only(finding: &[Finding]) -> &Finding {
    assert_eq!(finding.len(), 1, "{finding:?}");
    &finding[0]
}

fn moved(person: &mut Person, joint: &str, by: [f64; 2]) {
    let joint = MPII16.index_of(joint).unwrap();
    let [x, y] = person.pose.keypoints[joint];
    person.pose.set(joint, [x + by[0], y + by[1]], Visible);
}

fn exchange(person: &mut Person, part: &str) {
    let joint = |side: &str| MPII16.index_of(&format!("{side}_{part}")).unwrap();
    person.pose.keypoints.swap(joint("left"), joint("right"));
}

#[test]
fn clean_people_have_no_findings() {
    let checked = check(&MPII16, &crowd(CROWD), &Rule::ALL);
    assert_eq!(checked.findings, []);
    // Nobody's picture is there, which is said.
    let note = "leak: 60 of 60 people checked in part: 60 image missing";
    assert!(checked.notes.iter().any(|said| said == note), "{:?}", checked.notes);
}

#[test]
fn drawn_people_have_no_findings() {
    for drawn in [lsp(80), mpii(50)] {
        let checked = check(drawn.skeleton, &drawn.people, &Rule::ALL);
        // People at the edge of a drawn picture reach over it, as those of MPII do.
        let others: Vec<&Finding> =
            checked.findings.iter().filter(|finding| finding.rule != "out_of_image").collect();
        assert!(others.is_empty(), "{others:#?}");
        let leak = checked.summary.iter().find(|row| row.rule == Rule::Leak).unwrap();
        assert!(leak.left_out() == 0 && leak.in_part.is_empty());
    }
}

#[test]
fn contradicting_visibilities() {
    let mut people = crowd(4);
    people[0].pose.keypoints[3] = [f64::NAN, 4.0];
    people[1].pose.keypoints[0] = [0.0, 0.0];
    people[2].pose.visibility[9] = NotAnnotated;
    people[3].pose.set(9, [0.0; 2], NotAnnotated);
    let found = check(&MPII16, &people, &[Rule::Visibility]).findings;
    assert_eq!(
        named(&found),
        [
            ["mpii-0000-0", "left_hip", ""],
            ["mpii-0001-0", "right_ankle", ""],
            ["mpii-0002-0", "head_top", ""]
        ]
    );
    let severities: Vec<Severity> = found.iter().map(|finding| finding.severity).collect();
    assert_eq!(severities, [Severity::Error, Severity::Warning, Severity::Note]);
}

#[test]
fn few_joints_are_counted_and_none_is_no_label() {
    let mut people = crowd(3);
    people[0].pose = Pose::unknown(16);
    people[1].pose = Pose::unknown(16);
    (0..3).for_each(|joint| people[1].pose.set(joint, [10.0, 20.0], Visible));
    let checked = check(&MPII16, &people, &[Rule::FewJoints]);
    let found = only(&checked.findings);
    assert_eq!(
        (found.value, found.limit, found.detail.as_str()),
        (Some(3.0), Some(4.0), "3 of 16 joints annotated")
    );
    assert_eq!((checked.summary[0].checked, checked.summary[0].people), (2, 1));
    assert!(checked.notes[0].starts_with("1 of 3 people have no joint annotated"), "{:?}", checked.notes);
}

#[test]
fn joints_outside_are_measured_from_the_pixels_edge() {
    let mut people = crowd(3);
    people[0].pose.keypoints[0] = [-0.5, 299.5];
    people[1].pose.keypoints[0] = [-3.0, 20.0];
    people[2].pose.keypoints[5] = [310.0, 301.0];
    people[2].image_size = Some([300, 300]);
    let found = check(&MPII16, &people, &[Rule::OutOfImage]).findings;
    assert_eq!(named(&found), [["mpii-0001-0", "right_ankle", ""], ["mpii-0002-0", "left_ankle", ""]]);
    assert_eq!((found[0].value, found[1].value), (Some(2.5), Some(10.5)));
    assert_eq!(found[1].detail, "10.5 px beyond the right edge of 300 x 300 px, as the annotation states");
    let margin_px = 5.0.try_into().unwrap();
    let config = CheckConfig { rules: vec![Rule::OutOfImage], margin_px, ..CheckConfig::default() };
    assert_eq!(check_with(&MPII16, &people, &config).findings.len(), 1);
    people[0].image_size = None;
    let checked = check(&MPII16, &people, &[Rule::OutOfImage]);
    assert_eq!(checked.summary[0].not_checked, [("image missing".to_owned(), 1)].into());
}

#[test]
fn a_picture_of_another_size() {
    let mut drawn = lsp(3);
    drawn.people[0].image_size = None;
    let real = datasets::pixels::size(drawn.people[1].image_path.as_ref()).unwrap();
    drawn.people[1].image_size = Some(real.map(|side| side as i32));
    drawn.people[2].image_size = Some([real[0] as i32 * 2, real[1] as i32]);
    let checked = check(drawn.skeleton, &drawn.people, &[Rule::PictureSize]);
    let found = only(&checked.findings);
    assert_eq!(found.sample_id.as_ref(), Some(&drawn.people[2].sample_id));
    assert_eq!((found.severity, checked.summary[0].checked), (Severity::Error, 2));
}

#[test]
fn exchanged_hips_shoulders_and_elbows() {
    let mut people = crowd(5);
    exchange(&mut people[0], "hip");
    exchange(&mut people[1], "shoulder");
    exchange(&mut people[2], "elbow");
    // Seen from behind: everything is exchanged, and nothing contradicts anything.
    let mirror = MPII16.mirrored();
    people[3].pose.keypoints = mirror.iter().map(|joint| people[3].pose.keypoints[*joint]).collect();
    let found = check(&MPII16, &people, &[Rule::LeftRight]).findings;
    let of = |id: &str| -> Vec<&str> {
        let ours = found.iter().filter(|finding| finding.sample_id.as_deref() == Some(id));
        ours.filter_map(|finding| finding.joint.as_deref()).collect()
    };
    assert!(of("mpii-0000-0").contains(&"left_hip"));
    assert!(of("mpii-0001-0").contains(&"left_hip") && of("mpii-0001-0").contains(&"left_elbow"));
    assert_eq!(of("mpii-0002-0"), ["left_elbow"]);
    assert!(of("mpii-0003-0").is_empty() && of("mpii-0004-0").is_empty());
}

#[test]
fn a_face_that_contradicts_the_shoulders() {
    let from = crowd(2);
    let mut people: Vec<Person> = from
        .into_iter()
        .map(|mut person| {
            let mpii = person.pose.clone();
            person.pose = Pose::unknown(11);
            for (joint, at) in FLIC11.indices_in(&MPII16).into_iter().enumerate() {
                if let Some(at) = at {
                    person.pose.set(joint, mpii.keypoints[at], Visible);
                }
            }
            person.pose.set(8, [124.0, 62.0], Visible);
            person.pose.set(9, [116.0, 62.0], Visible);
            person
        })
        .collect();
    assert_eq!(check(&FLIC11, &people, &[Rule::LeftRight]).findings, []);
    people[1].pose.keypoints.swap(8, 9);
    let checked = check(&FLIC11, &people, &[Rule::LeftRight]);
    assert_eq!(only(&checked.findings).joint.as_deref(), Some("left_eye"));
}

#[test]
fn heads_without_size_and_heads_beyond_belief() {
    let mut people = crowd(CROWD);
    people[10].head_box = Some([50.0, 40.0, 50.0, 80.0]);
    let [x1, y1, x2, y2] = people[20].head_box.unwrap();
    people[20].head_box = Some([x1, y1, x2 + 5.0 * (x2 - x1), y2 + 5.0 * (y2 - y1)]);
    people[30].head_box = None;
    let found = check(&MPII16, &people, &[Rule::HeadSize]).findings;
    assert_eq!(named(&found), [["mpii-0010-0", "", ""], ["mpii-0020-0", "", ""]]);
    assert_eq!((found[0].severity, found[1].severity), (Severity::Error, Severity::Warning));
    assert!(found[1].detail.contains(" times what the limbs suggest") && found[1].value > found[1].limit);
    for person in &mut people {
        person.head_box = None;
    }
    let (neck, top) = (8, 9);
    people[7].pose.keypoints[top] = people[7].pose.keypoints[neck];
    moved(&mut people[8], "head_top", [0.0, -80.0]);
    let found = check(&MPII16, &people, &[Rule::HeadSize]).findings;
    assert_eq!(named(&found), [["mpii-0007-0", "head_top", ""], ["mpii-0008-0", "head_top", ""]]);
}

#[test]
fn scales_that_the_limbs_contradict() {
    let mut people = crowd(CROWD);
    people[3].scale = Some(0.0);
    people[4].scale = people[4].scale.map(|scale| scale * 4.0);
    people[5].scale = people[5].scale.map(|scale| scale / 4.0);
    people[6].scale = None;
    let checked = check(&MPII16, &people, &[Rule::PersonScale]);
    let ids: Vec<&str> = named(&checked.findings).iter().map(|[id, ..]| *id).collect();
    assert_eq!(ids, ["mpii-0003-0", "mpii-0004-0", "mpii-0005-0"]);
    assert_eq!(checked.summary[0].not_checked, [("no scale stated".to_owned(), 1)].into());
}

#[test]
fn a_wrong_joint_makes_its_limbs_too_long() {
    let mut people = crowd(CROWD);
    moved(&mut people[12], "left_wrist", [150.0, 40.0]);
    people[13].pose.keypoints[0] = people[13].pose.keypoints[1];
    let found = check(&MPII16, &people, &[Rule::LimbLength]).findings;
    assert_eq!(named(&found), [["mpii-0012-0", "left_wrist", ""], ["mpii-0013-0", "right_ankle", ""]]);
    assert!(found[0].detail.starts_with("left_elbow to left_wrist of "), "{}", found[0].detail);
    assert!(found[1].detail.ends_with("has no length"));
    // Too few to know what is usual: a limb without length is seen all the same.
    let checked = check(&MPII16, &people[..20], &[Rule::LimbLength]);
    assert_eq!(only(&checked.findings).sample_id.as_deref(), Some("mpii-0013-0"));
    assert_eq!(checked.summary[0].left_out(), 20);
}

#[test]
fn one_person_annotated_twice() {
    let mut people = crowd(4);
    for person in &mut people {
        person.image_path = "nowhere/one.jpg".into();
    }
    people[2].pose = people[0].pose.clone();
    moved(&mut people[2], "head_top", [3.0, 0.0]);
    for person in &mut people[1..=3] {
        moved(person, "pelvis", [0.0, 0.5]);
    }
    people[1].pose.keypoints.iter_mut().for_each(|point| point[0] += 60.0);
    people[3].pose.keypoints.iter_mut().for_each(|point| point[0] -= 60.0);
    let found = check(&MPII16, &people, &[Rule::DuplicatePerson]).findings;
    assert_eq!(named(&found), [["mpii-0002-0", "", "mpii-0000-0"]]);
    people.reverse();
    assert_eq!(check(&MPII16, &people, &[Rule::DuplicatePerson]).findings, found);
}

/// People of `dataset` whose joints fill the picture from `first` to `first` + 299, as counted by annotators who stay
/// within it.
fn filling(dataset: &str, first: f64) -> Vec<Person> {
    let mut people = crowd(2 * CROWD);
    for (number, person) in people.iter_mut().enumerate() {
        dataset.clone_into(&mut person.dataset);
        for (joint, point) in person.pose.keypoints.iter_mut().enumerate() {
            let at = |salt: usize| ((number * 16 + joint) * 97 + salt * 41) % 300;
            *point = [at(1) as f64 + first, at(5) as f64 + first];
        }
    }
    people
}

#[test]
fn a_wrong_first_pixel_shows_in_the_whole_data_set() {
    let people = [
        filling("right", 0.0),
        filling("late", 1.0),
        filling("early", -1.0),
        filling("edges", 0.5),
        crowd(60),
    ];
    let checked = check(&MPII16, &people.concat(), &[Rule::BasePixel]);
    let found: Vec<(&str, Option<f64>)> =
        checked.findings.iter().map(|finding| (finding.dataset.as_str(), finding.value)).collect();
    assert_eq!(found, [("early", Some(-1.0)), ("edges", Some(0.5)), ("late", Some(1.0))]);
    assert_eq!(checked.findings[2].detail, "coordinates run from 1 to width");
    assert_eq!(checked.findings[0].detail, "coordinates run from -1 to width - 2");
    assert!(checked.findings.iter().all(|finding| finding.sample_id.is_none() && finding.split == "all"));
    let note = "base_pixel: nothing can be told of `mpii`: too few joints lie near the edges";
    assert!(checked.notes.iter().any(|said| said == note), "{:?}", checked.notes);
}

#[test]
fn the_same_image_and_the_same_picture_in_two_splits() {
    let mut drawn = lsp(12);
    let people = &mut drawn.people;
    for person in people.iter_mut() {
        person.split = "train".into();
    }
    let folder = tempfile::tempdir().unwrap();
    let add = |people: &mut Vec<Person>, of: usize, id: &str, split: &str, path: std::path::PathBuf| {
        let mut copy = people[of].clone();
        (copy.sample_id, copy.split) = (id.into(), split.into());
        copy.image_path = path.display().to_string();
        people.push(copy);
    };
    let file = |people: &[Person], of: usize| std::path::PathBuf::from(&people[of].image_path);
    // The same path; the same bytes; a smaller and paler copy, each in the test split.
    let same = file(people, 0);
    add(people, 0, "lsp-a", "test", same);
    let copied = folder.path().join("copied.jpg");
    std::fs::copy(file(people, 1), &copied).unwrap();
    add(people, 1, "lsp-b", "test", copied);
    let pale = folder.path().join("pale.png");
    let picture =
        datasets::pixels::decode_file(&file(people, 2), &Limits::default(), Frame::default()).unwrap();
    let rgb = picture.rgb.iter().map(|level| level / 2 + 100).collect();
    let picture = image::RgbImage::from_raw(picture.width, picture.height, rgb).unwrap();
    image::imageops::resize(&picture, 160, 150, image::imageops::FilterType::Triangle).save(&pale).unwrap();
    add(people, 2, "lsp-c", "test", pale.clone());
    // The same copy once more, in its own split.
    let again = folder.path().join("z.png");
    std::fs::copy(&pale, &again).unwrap();
    add(people, 2, "lsp-d", "test", again);
    let checked = check(drawn.skeleton, &drawn.people, &[Rule::Leak, Rule::DuplicatePicture]);
    let id = |of: usize| drawn.people[of].sample_id.as_str();
    assert_eq!(
        named(&checked.findings),
        [[id(0), "", "lsp-a"], [id(1), "", "lsp-b"], [id(2), "", "lsp-c"], ["lsp-d", "", "lsp-c"]]
    );
    let severities: Vec<Severity> = checked.findings.iter().map(|finding| finding.severity).collect();
    assert_eq!(severities, [Severity::Error, Severity::Error, Severity::Warning, Severity::Warning]);
    assert!(checked.findings[1].detail.starts_with("the same file is in split `test` too"));
    assert!(checked.findings[3].detail.starts_with("the same file is in the split as "));
}

#[test]
fn tables_of_two_skeletons_are_refused_and_missing_columns_named() {
    use crate::stage::Aggregate;
    let context = crate::BuildContext { name: "check".into(), seed: 0, threads: 1, folder: ".".into() };
    let step = CheckConfig::default().build(&context).unwrap();
    let batches = vec![people::to_batch(&MPII16, &crowd(1)), people::to_batch(&FLIC11, &[])];
    let error = step.examine(&batches).unwrap_err().to_string();
    assert_eq!(error, "the people follow two skeletons: `mpii16` and `flic11`");
    let narrow = batches[0].project(&[0, 1]).unwrap();
    let error = step.needed_columns(0, &narrow.schema()).unwrap_err().to_string();
    assert_eq!(error, "column `keypoints` is missing; the columns are `sample_id`, `dataset`");
}

#[test]
fn the_barest_table_is_checked_as_far_as_it_goes() {
    let mut people = crowd(2);
    people[0].pose.keypoints[0] = [f64::NAN; 2];
    let batch = people::to_batch(&MPII16, &people);
    let wanted = ["sample_id", "keypoints", "visibility"].map(|name| batch.schema().index_of(name).unwrap());
    let context = crate::BuildContext { name: "check".into(), seed: 0, threads: 1, folder: ".".into() };
    let checked =
        CheckConfig::default().build(&context).unwrap().examine(&vec![batch.project(&wanted).unwrap()]);
    let checked = checked.unwrap();
    assert_eq!(only(&checked.findings).rule, "visibility");
    assert!(checked.notes.iter().any(|note| note == "leak: 2 of 2 people not checked: 2 no picture named"));
}
