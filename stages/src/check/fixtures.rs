//! A clean data set of made-up people, to be spoilt by the tests.

use datasets::mpii::MpiiConfig;
use datasets::synthetic::{self, Options};
use schemas::skeleton::{LSP14, MPII16};
use schemas::tables::findings::Finding;
use schemas::tables::people::{self, Person};
use schemas::{Skeleton, Visibility};

use super::{CheckConfig, Checked, Rule};
use crate::BuildContext;

/// People with their pictures in a folder that goes with them.
pub(super) struct Drawn {
    pub people: Vec<Person>,
    pub skeleton: &'static Skeleton,
    _folder: tempfile::TempDir,
}

/// `images` people of LSP, drawn.
pub(super) fn lsp(images: usize) -> Drawn {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { images, seed: 11, width: 220, height: 220 };
    let written = synthetic::write_lsp(folder.path(), &options).unwrap();
    let read = datasets::lsp::read(&written.annotations, &written.images_folder).unwrap();
    Drawn { people: read.people, skeleton: &LSP14, _folder: folder }
}

/// The people of `images` pictures of MPII, drawn.
pub(super) fn mpii(images: usize) -> Drawn {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { images, seed: 4, width: 480, height: 360 };
    let written = synthetic::write_mpii(folder.path(), &options).unwrap();
    let (annotations, images) = (written.annotations, written.images_folder);
    let read = datasets::mpii::read(&MpiiConfig { annotations, images, subset: None }).unwrap();
    Drawn { people: read.people, skeleton: &MPII16, _folder: folder }
}

/// A person with all of MPII's joints, standing upright, `size` px from shoulder to hip, joints moved by up to a few
/// per cent as `number` has it, without a picture.
pub(super) fn standing(number: usize, size: f64) -> Person {
    let places: [[f64; 2]; 16] = [
        [-0.25, 2.6],
        [-0.22, 1.8],
        [-0.2, 1.0],
        [0.2, 1.0],
        [0.22, 1.8],
        [0.25, 2.6],
        [0.0, 1.0],
        [0.0, 0.05],
        [0.0, -0.1],
        [0.0, -0.6],
        [-0.6, 1.05],
        [-0.5, 0.55],
        [-0.35, 0.0],
        [0.35, 0.0],
        [0.5, 0.55],
        [0.6, 1.05],
    ];
    let mut pose = people::Pose::unknown(16);
    for (joint, [x, y]) in places.into_iter().enumerate() {
        // A fixed spread that has no tail, so that nobody is an outlier by chance.
        let wobble = |salt: usize| ((number * 31 + joint * 17 + salt * 7) % 19) as f64 / 19.0 - 0.5;
        let point = [120.0 + size * (x + 0.06 * wobble(1)), 80.0 + size * (y + 0.06 * wobble(2))];
        pose.set(joint, point, Visibility::Visible);
    }
    Person {
        sample_id: format!("mpii-{number:04}-0"),
        dataset: "mpii".into(),
        split: if number.is_multiple_of(3) { "test" } else { "train" }.into(),
        image_path: format!("nowhere/{number:04}.jpg"),
        image_size: Some([300, 300]),
        person_index: Some(0),
        center: None,
        scale: Some(3.4 * size / 200.0),
        head_box: Some([120.0 - 0.2 * size, 80.0 - 0.6 * size, 120.0 + 0.2 * size, 80.0]),
        torso_box: None,
        pose,
        others: Vec::new(),
        activity: None,
        attributes: None,
        source_file: "made.mat".into(),
        source_record: format!("record {number}"),
    }
}

/// `count` upright people of sizes from 30 to 60 px.
pub(super) fn crowd(count: usize) -> Vec<Person> {
    (0..count).map(|number| standing(number, 30.0 + (number % 31) as f64)).collect()
}

/// What the check of `people` by `rules` finds.
pub(super) fn check(skeleton: &'static Skeleton, people: &[Person], rules: &[Rule]) -> Checked {
    check_with(skeleton, people, &CheckConfig { rules: rules.to_vec(), ..CheckConfig::default() })
}

/// The same with thresholds.
pub(super) fn check_with(skeleton: &'static Skeleton, people: &[Person], config: &CheckConfig) -> Checked {
    let context = BuildContext { name: "check".into(), seed: 0, threads: 1, folder: ".".into() };
    let batches = vec![people::to_batch(skeleton, people)];
    config.build(&context).unwrap().examine(&batches).unwrap()
}

/// Person, joint and other person of each finding; empty where there is none.
pub(super) fn named(findings: &[Finding]) -> Vec<[&str; 3]> {
    findings
        .iter()
        .map(|f| [&f.sample_id, &f.joint, &f.other_sample_id].map(|text| text.as_deref().unwrap_or("")))
        .collect()
}
