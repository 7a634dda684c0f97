//! A skeleton of one's own, from a COCO file of robots to shards for trainers, and back to COCO.

use std::fs;
use std::path::Path;

use arrow::array::RecordBatch;
use datasets::pixels::encode_jpeg;
use datasets::shards::TableReader;
use schemas::columns::{points, skeleton_of};
use schemas::tables::people;
use serde_json::{Value as Json, json};
use tempfile::tempdir;

use crate::support::{files, motionmill};

const ROBOT: &str = "name = \"robot\"\njoints = [\"base\", \"arm l\", \"arm r\", \"tool\", \"middle\"]\n\
    limbs = [[\"base\", \"arm_left\"], [\"base\", \"RightArm\"], [2, 3]]\nsigmas = [0.05, 0.08, 0.08, 0.03, 0.05]\n\
    [groups]\narms = [1, 2]\n";

const PLAN: &str = "
seed = 3
[sources.robots]
read.coco = { annotations = \"robots.json\", images = \"images\", dataset = \"robots\", skeleton = \"robot.toml\" }
[stages.middle]
inputs = [\"robots\"]
run.map_skeleton = { to = \"robot.toml\", derived = { middle = [\"arm l\", \"arm r\"] } }
[stages.crop]
inputs = [\"middle\"]
run.crop = { size = [64, 64], frame = { person = { height = 48 } } }
[stages.flip]
inputs = [\"crop\"]
run.flip = { probability = 1 }
[stages.warp]
inputs = [\"flip\"]
run.warp = {}
[stages.maps]
inputs = [\"warp\"]
run.encode_heatmaps = { stride = 4, style = { udp = { sigma = 2 } }, missing = \"mask\" }
[stages.labels]
inputs = [\"maps\"]
run.encode_simcc = { label.gaussian.sigma = [4.9, 4.9] }
[stages.places]
inputs = [\"labels\"]
run.encode_coordinates = { origin = \"middle\" }
[stages.picture]
inputs = [\"places\"]
run.encode_image = \"png\"
[sinks.people]
inputs = [\"middle\"]
write.parquet = { path = \"people\" }
[sinks.samples]
inputs = [\"picture\"]
write.parquet = { path = \"samples\" }
[sinks.again]
inputs = [\"middle\"]
write.coco = { path = \"again.json\" }
[sinks.yolo]
inputs = [\"middle\"]
write.yolo = { path = \"yolo\" }
";

/// Robots as another program annotates them, in its own words, the last joint never.
fn robots(folder: &Path) -> Json {
    fs::create_dir(folder.join("images")).unwrap();
    let annotation = |id: u32| {
        let picture = encode_jpeg(&vec![120; 96 * 80 * 3], 96, 80, 90).unwrap();
        fs::write(folder.join(format!("images/{id}.jpg")), picture).unwrap();
        let at = f64::from(id);
        let keypoints =
            [[40.0 + at, 60.0, 2.0], [30.0, 30.0 + at, 2.0], [60.0, 32.0, 1.0], [66.0, 12.0, 2.0], [0.0; 3]];
        json!({
            "id": id, "image_id": id, "category_id": 7, "bbox": [24, 8, 50, 60], "area": 2000, "iscrowd": 0,
            "keypoints": keypoints.as_flattened(),
        })
    };
    let images: Vec<Json> = (1..=4)
        .map(|id| json!({ "id": id, "file_name": format!("{id}.jpg"), "width": 96, "height": 80 }))
        .collect();
    json!({
        "images": images,
        "annotations": (1..=4).map(annotation).collect::<Vec<_>>(),
        "categories": [
            { "id": 7, "name": "robot", "keypoints": ["Sockel", "Arm links", "Arm rechts", "tool", "Mitte"],
              "skeleton": [[1, 2], [1, 3]] },
            { "id": 8, "name": "table" },
        ],
    })
}

fn rows(folder: &Path, table: &str) -> Vec<RecordBatch> {
    TableReader::open(&folder.join(table), None).unwrap().read_all().unwrap()
}

#[test]
fn it_flows_from_a_file_to_shards_and_exports() {
    let folder = tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("robots.json"), robots(folder).to_string()).unwrap();
    fs::write(folder.join("robot.toml"), ROBOT).unwrap();
    fs::write(folder.join("plan.toml"), PLAN).unwrap();
    // The plan is run from elsewhere: its paths start from its own folder.
    let place = folder.join("plan.toml");
    let elsewhere = tempdir().unwrap();
    let run = || motionmill(elsewhere.path(), &["run", place.to_str().unwrap(), "--force"]);
    run().succeeded();

    let samples = rows(folder, "samples");
    let robot = skeleton_of(samples[0].schema_ref()).unwrap();
    assert_eq!((robot.name, robot.flip_pairs(), robot.groups[0].name), ("robot", vec![(1, 2)], "arms"));
    let people: Vec<_> =
        rows(folder, "people").iter().flat_map(|batch| people::from_batch(batch).unwrap()).collect();
    assert_eq!(people.len(), 4);
    assert_eq!((people[0].pose.joint(4), people[0].pose.visibility[4].code()), (Some([45.0, 31.5]), 1));
    // Every sample is mirrored, so that its left arm is the right one of the picture.
    let mirrored = points(&samples[0], "keypoints").unwrap();
    let image_x = |joint: usize| people[0].pose.joint(joint).unwrap()[0];
    let across = |a: usize, b: usize| mirrored[0][a][0] - mirrored[0][b][0];
    assert!(
        (across(1, 2) / across(0, 3) - (image_x(2) - image_x(1)) / (image_x(0) - image_x(3))).abs() < 1e-4
    );
    for (column, numbers) in
        [("heatmaps", 5 * 16 * 16), ("simcc_x", 5 * 128), ("coordinates", 10), ("simcc_weight", 5)]
    {
        let found = schemas::columns::flat_floats(samples[0].column_by_name(column).unwrap()).unwrap();
        assert_eq!(found.len(), numbers * samples[0].num_rows(), "{column}");
        assert!(
            found.iter().all(|value| value.is_finite()) && found.iter().any(|value| *value != 0.0),
            "{column}"
        );
    }

    // Nothing that follows needs the file.
    let kept = files(folder);
    fs::remove_file(folder.join("robot.toml")).unwrap();
    let told = motionmill(folder, &["inspect", "samples"]).succeeded();
    assert!(told.stdout.contains("skeleton robot"), "{}", told.text());
    motionmill(folder, &["preview", "people", "--out", "people.png"]).succeeded();
    motionmill(folder, &["check", "people", "--out", "found"]).succeeded();
    for again in [
        "ingest coco --annotations again.json --images images --out again",
        "ingest yolo --annotations yolo/data.yaml --out from-yolo",
        "ingest table --path people/ --out copied",
    ] {
        motionmill(folder, &again.split(' ').collect::<Vec<_>>()).succeeded();
    }
    for (table, name) in [("again", "robot"), ("from-yolo", "yolo5"), ("copied", "robot")] {
        let read = rows(folder, table);
        let skeleton = skeleton_of(read[0].schema_ref()).unwrap();
        assert_eq!((skeleton.name, skeleton.joints), (name, robot.joints), "{table}");
        assert_eq!(skeleton.flip_pairs(), robot.flip_pairs(), "{table}");
        assert!(name == "yolo5" || skeleton == robot, "{table}");
    }

    // The file is an input: the same gives the same, another makes everything again.
    fs::write(folder.join("robot.toml"), ROBOT).unwrap();
    let manifest =
        |files: &std::collections::BTreeMap<String, Vec<u8>>| files["samples/manifest.json"].clone();
    run().succeeded();
    assert!(manifest(&files(folder)) == manifest(&kept), "the same bytes");
    fs::write(folder.join("robot.toml"), ROBOT.replace("0.03", "0.04")).unwrap();
    run().succeeded();
    assert!(manifest(&files(folder)) != manifest(&kept), "other inputs");
    let other = skeleton_of(rows(folder, "samples")[0].schema_ref()).unwrap();
    assert_eq!((other.name, other.sigmas.unwrap()[3]), ("robot", 0.04));
}

#[test]
fn the_file_states_a_skeleton_where_none_is_named() {
    let folder = tempdir().unwrap();
    let folder = folder.path();
    let mut file = robots(folder);
    fs::write(folder.join("robots.json"), file.to_string()).unwrap();
    let ingest = |more: &[&str]| {
        let arguments =
            ["ingest", "coco", "--annotations", "robots.json", "--images", "images", "--out", "out"];
        motionmill(folder, &[&arguments, more].concat())
    };
    ingest(&[]).succeeded();
    let read = rows(folder, "out");
    let skeleton = skeleton_of(read[0].schema_ref()).unwrap();
    assert_eq!(
        (skeleton.name, skeleton.joints[1], skeleton.limbs),
        ("robot5", "Arm links", &[(0, 1), (0, 2)][..])
    );
    // What was named and does not fit is refused before a row.
    fs::write(folder.join("robot.toml"), ROBOT.replace("\"tool\", \"middle\"", "\"middle\", \"tool\""))
        .unwrap();
    let refused = ingest(&["--skeleton", "robot.toml", "--force"]);
    assert!(refused.code == 1 && refused.stderr.contains("in its order"), "{}", refused.text());
    fs::write(folder.join("robot.toml"), ROBOT.replace("\"arm r\"", "\"arm l\"")).unwrap();
    let refused = ingest(&["--skeleton", "robot.toml", "--force"]);
    let expected = "`joints` must differ, found `arm l` at 1 and `arm l` at 2: `robot.toml`";
    assert!(refused.code == 1 && refused.stderr.contains(expected), "{}", refused.text());
    let refused = ingest(&["--skeleton", "robot", "--force"]);
    assert!(refused.stderr.contains("no skeleton is called `robot`"), "{}", refused.text());
    assert!(refused.stderr.contains("a file ending in `.toml`"), "{}", refused.text());
    // Several categories of joints: one is chosen.
    file["categories"][1]["keypoints"] = json!(["corner"]);
    fs::write(folder.join("robots.json"), file.to_string()).unwrap();
    let refused = ingest(&["--force"]);
    assert!(refused.code == 1 && refused.stderr.contains("choose with `category`"), "{}", refused.text());
    ingest(&["--category", "robot", "--force"]).succeeded();
}
