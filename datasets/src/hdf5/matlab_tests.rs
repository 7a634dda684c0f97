//! MATLAB v7.3 files against the same values of v5.

use std::path::{Path, PathBuf};

use proptest::prelude::*;

use crate::hdf5::File;
use crate::matlab::{self, Value, variable};
use crate::mpii::MpiiConfig;

fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/structs_v73.mat")
}

#[test]
fn every_class_is_read() {
    let variables = matlab::read(&testdata()).unwrap();
    let names: Vec<&str> = variables.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["RELEASE", "flag", "joints", "matrix", "mixed", "short", "text"]);
    let node = |name| variable(&variables, name).unwrap();
    assert_eq!(node("text").text().unwrap(), "walk");
    assert_eq!(
        (node("matrix").dims(), node("matrix").numbers().unwrap()),
        (&[2, 3][..], vec![0.0, 3.0, 1.0, 4.0, 2.0, 5.0])
    );
    assert_eq!(node("short").numbers().unwrap(), [1.0, 2.0]);
    assert_eq!(*node("flag").value(), Value::Logical { dims: vec![1, 1], values: vec![true] });
    let cells = node("mixed").cells().unwrap();
    assert_eq!((cells[0].text().unwrap().as_str(), cells[1].number().unwrap()), ("a", 2.0));
    assert!(cells[2].is_empty());
    assert_eq!(node("joints").dims(), [3, 14, 2]);
    let release = node("RELEASE").row().unwrap();
    let images = release.require("annolist").unwrap().rows().unwrap();
    assert_eq!(images.len(), 2);
    let rects = images[0].require("annorect").unwrap().rows().unwrap();
    let points =
        rects[0].require("annopoints").unwrap().row().unwrap().require("point").unwrap().rows().unwrap();
    assert_eq!(points[1].require("id").unwrap().number().unwrap(), 9.0);
    assert!(points[1].filled("is_visible").is_none() && rects[1].filled("scale").is_none());
    assert_eq!(
        points[1].require("id").unwrap().place(),
        "RELEASE.annolist(1).annorect(1).annopoints.point(2).id"
    );
}

#[test]
fn mpii_and_lsp_are_read_from_it() {
    let config = MpiiConfig { annotations: testdata(), ..MpiiConfig::default() };
    let found = crate::mpii::read(&config).unwrap();
    assert!(found.rejects.is_empty(), "{:?}", found.rejects);
    let [first, second, nobody] = &found.people[..] else { panic!("three rows") };
    assert_eq!((first.center, first.scale), (Some([10.0, 20.0]), Some(2.0)));
    assert_eq!((first.pose.joint(0), first.pose.joint(9)), (Some([4.0, 5.0]), Some([6.0, 7.0])));
    assert_eq!((second.scale, second.pose.annotated(), nobody.person_index), (None, 0, None));
    assert_eq!((first.split.as_str(), nobody.split.as_str()), ("train", "test"));
    let found = crate::lsp::read(&testdata(), Path::new("")).unwrap();
    assert_eq!(found.people.len() + found.rejects.len(), 2);
}

#[test]
fn what_takes_too_much_or_leads_in_circles_is_refused() {
    let bytes = std::fs::read(testdata()).unwrap();
    let mut file = File::from_bytes(&testdata(), bytes).unwrap();
    file.most = 64;
    let error = file.variables().unwrap_err().to_string();
    assert!(error.contains("more than the 64 bytes allowed"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn damage_never_panics(
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
    ) {
        let mut bytes = std::fs::read(testdata()).unwrap();
        for (place, byte) in damage {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if let Ok(file) = File::from_bytes(&testdata(), bytes) {
            let _ = file.variables();
        }
    }
}
