//! What our writer writes is read back; data sets of others in the forms that they have.

use std::fs;

use schemas::Visibility;
use schemas::skeleton::{COCO17, CPM14, LSP14};

use super::*;
use crate::coco::{BoxRule, PersonBox};
use crate::export::YoloExport;
use crate::export::testing::{export, person as someone, picture, pieces};
use crate::pixels::OrientationRule;

fn at(annotations: PathBuf) -> YoloConfig {
    YoloConfig { annotations, ..YoloConfig::default() }
}

/// A data set of one picture, 64 x 48 px, whose `data.yaml` and label are `yaml` and `label`.
fn data_set(yaml: &str, label: &str) -> (tempfile::TempDir, YoloConfig) {
    let folder = tempfile::tempdir().unwrap();
    picture(&folder.path().join("images/a"), "1.png");
    fs::create_dir_all(folder.path().join("labels/a")).unwrap();
    fs::write(folder.path().join("labels/a/1.txt"), label).unwrap();
    let file = folder.path().join("data.yaml");
    fs::write(&file, yaml).unwrap();
    (folder, at(file))
}

#[test]
fn exported_people_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (picture(folder.path(), "a.png"), picture(folder.path(), "b.png"));
    for skeleton in [&COCO17, &LSP14, &CPM14] {
        let joints = skeleton.len();
        let mut people =
            [someone(&first, 0, joints), someone(&first, 1, joints), someone(&second, 0, joints)];
        for person in &mut people[..2] {
            person.pose.set(0, [16.0, 12.0], Visibility::Visible);
            person.pose.set(2, [32.0, 36.0], Visibility::Occluded);
        }
        people[2].person_index = None;
        people[2].split = "validation".into();
        let path = folder.path().join(skeleton.name);
        let sink = YoloExport {
            path: path.clone(),
            images: None,
            bbox: BoxRule::default(),
            orientation: OrientationRule::default(),
            link: false,
        };
        export(&sink, &[&pieces(skeleton, &people)]).unwrap();
        let (found, files) = read(&at(path.join("data.yaml"))).unwrap();
        assert_eq!((found.skeleton, found.images, found.rejects.len(), files.len()), (&**skeleton, 2, 0, 2));
        for (read, person) in found.people.iter().zip(&people) {
            assert_eq!(format!("{:?}", read.pose), format!("{:?}", person.pose));
            assert_eq!((&read.split, read.person_index), (&person.split, person.person_index));
        }
        assert_eq!(format!("{:?}", found.people[0].others), format!("{:?}", [&people[1].pose]));
        let stated = PersonBox::of(&found.people[0], BoxRule::default(), None).unwrap();
        assert_eq!(stated.xywh, [16.0, 12.0, 16.0, 24.0]);
        assert_eq!(found.people[0].center, Some([24.0, 24.0]));
    }
}

#[test]
fn files_of_others_are_read() {
    // Two numbers a joint, a path of its own, lists, several classes, the skeleton by its mirrored joints alone.
    let flip = format!("{:?}", COCO17.mirrored());
    let yaml = format!(
        "path: .\ntrain: [list.txt]\nkpt_shape: [17, 2]\nflip_idx: {flip}\nnames: [dog, person]\nnc: 2\n"
    );
    let points = "0.5 0.25 ".repeat(16);
    let label = format!("1 0.5 0.5 0.5 0.5 {points} -1 -1\n\n0 0.5 0.5 0.5 0.5 {points} 0 0\n1 0.5 0.5\n");
    let (folder, config) = data_set(&yaml, &label);
    fs::write(folder.path().join("list.txt"), "./images/a/1.png\n").unwrap();
    assert!(read(&config).unwrap_err().to_string().contains("with `category`, found `dog`, `person`"));
    let (found, files) = read(&YoloConfig { category: Some("person".into()), ..config }).unwrap();
    let names: Vec<_> = files.iter().map(|file| file.strip_prefix(folder.path()).unwrap()).collect();
    assert_eq!(names, ["labels/a/1.txt", "list.txt"].map(Path::new));
    let person = &found.people[0];
    assert_eq!(
        (found.people.len(), person.pose.keypoints[0], person.pose.annotated()),
        (1, [32.0, 12.0], 16)
    );
    let rejects: Vec<_> =
        found.rejects.iter().map(|no| (no.source_record.clone().unwrap(), no.reason.as_str())).collect();
    assert_eq!(rejects, [("line 3".into(), "another class"), ("line 4".into(), "record of another shape")]);
    assert!(
        found.rejects[1].detail.starts_with("3 numbers; there must be 39"),
        "{}",
        found.rejects[1].detail
    );
}

#[test]
fn a_skeleton_that_is_not_told_is_asked_for() {
    let yaml = "train: images\nkpt_shape: [14, 3]\nnames: {0: person}\n";
    let (_folder, config) = data_set(yaml, "");
    let message = config.schema(&[]).unwrap_err().to_string();
    assert!(message.contains("name it with `skeleton`, found 14 joints, none that fits"), "{message}");
    let named = YoloConfig { skeleton: Some("lsp14".into()), ..config.clone() };
    assert_eq!(named.schema(&[]).unwrap(), people::schema(&LSP14));
    // A picture without people is a row.
    assert_eq!(read(&named).unwrap().0.people.len(), 1);
    let other = YoloConfig { skeleton: Some("coco17".into()), ..config };
    assert!(other.schema(&[]).unwrap_err().to_string().contains("`coco17`, 17 joints, found 14"));
}
