//! Definitions of skeletons: files of one's own, and the metadata of tables.

use schemas::Skeleton;
use schemas::skeleton::{COCO17, HAND21};

use crate::Target;

pub(crate) const TARGET: Target = Target {
    name: "skeletons",
    seeds,
    words: &[
        "name = ",
        "joints = [",
        "limbs = [[",
        "flip_pairs = [[",
        "sigmas = [",
        "[groups]",
        "[spellings]",
        "\"name\":",
        "\"joints\":",
        "\"limbs\":",
        "\"flip_pairs\":",
        "\"sigmas\":",
        "\"groups\":",
        "left_",
        "Right",
        "-1",
        "1e999",
        "nan",
    ],
    run,
};

/// A skeleton under any name, as a table has it, or else as a file has it.
fn run(input: &[u8]) -> u64 {
    let Ok(text) = std::str::from_utf8(input) else { return 0 };
    let named = |json: &serde_json::Value| json["name"].as_str().map(str::to_owned);
    let name = serde_json::from_str(text).ok().as_ref().and_then(named);
    let read = match &name {
        Some(name) => Skeleton::of_table(name, Some(text)),
        None => Skeleton::of_file(text),
    };
    let Ok(skeleton) = read else { return 0 };
    let mirrored = skeleton.mirrored();
    assert!(
        (0..skeleton.len()).all(|joint| mirrored[mirrored[joint]] == joint),
        "mirroring twice is nothing"
    );
    let again =
        Skeleton::of_table(skeleton.name, Some(&skeleton.to_json())).expect("a sound skeleton is read again");
    assert!(again == skeleton, "a table holds the whole skeleton");
    COCO17.indices_in(skeleton).iter().flatten().count() as u64 + skeleton.len() as u64
}

fn seeds() -> Vec<Vec<u8>> {
    let file = "name = \"robot\"\njoints = [\"base\", \"arm l\", \"arm r\"]\nlimbs = [[\"base\", \"ArmL\"], [0, 2]]\n\
        flip_pairs = [[1, 2]]\nsigmas = [0.1, 0.2, 0.2]\n[groups]\narms = [1, 2]\n[spellings]\nbase = [\"root\"]\n";
    let table = HAND21.to_json().replace("hand21", "paw21");
    vec![file.into(), table.into(), COCO17.to_json().into()]
}
