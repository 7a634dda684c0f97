//! The dependency direction of the workspace is a law: schemas <- datasets <- stages <- report <- pipeline <- python.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

/// Every edge that may exist. A new one needs a decision record.
const ALLOWED: [(&str, &str); 14] = [
    ("motionmill-datasets", "motionmill-schemas"),
    ("motionmill-stages", "motionmill-schemas"),
    ("motionmill-stages", "motionmill-datasets"),
    ("motionmill-report", "motionmill-schemas"),
    ("motionmill-report", "motionmill-datasets"),
    ("motionmill-report", "motionmill-stages"),
    ("motionmill", "motionmill-schemas"),
    ("motionmill", "motionmill-datasets"),
    ("motionmill", "motionmill-stages"),
    ("motionmill", "motionmill-report"),
    ("motionmill-python", "motionmill-schemas"),
    ("motionmill-python", "motionmill-datasets"),
    ("motionmill-python", "motionmill-stages"),
    ("motionmill-python", "motionmill"),
];

#[test]
fn no_edge_between_crates_but_the_allowed() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(crate::support::workspace())
        .output()
        .expect("cargo starts");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo prints JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let ours: BTreeSet<String> = packages.iter().map(|package| text(&package["name"])).collect();
    let mut edges = BTreeSet::new();
    // Fuzz targets are tests: they may use all, nothing uses them.
    for package in packages.iter().filter(|package| package["name"] != "motionmill-fuzz") {
        for dependency in package["dependencies"].as_array().expect("dependencies") {
            // `kind` is null for a normal dependency, else `dev` or `build`.
            if ours.contains(&text(&dependency["name"])) && dependency["kind"].is_null() {
                edges.insert((text(&package["name"]), text(&dependency["name"])));
            }
        }
    }
    let allowed = ALLOWED.map(|(from, to)| (from.to_owned(), to.to_owned())).into_iter().collect();
    assert_eq!(edges, allowed, "the edges between crates differ from those that are allowed");
}
