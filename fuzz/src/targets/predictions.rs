//! Prediction arrays of MAT, HDF5, numpy's and JSON files, joined to people.

use std::sync::OnceLock;

use arrow::array::RecordBatch;
use datasets::matlab::{self, Packing, Value};
use datasets::predictions::PredictionsConfig;
use datasets::registry::SourceConfig;

use super::{coco, hdf5, matlab as mat};
use crate::pieces::{mode, with_mode};
use crate::{Target, place, reading};

pub(crate) const TARGET: Target =
    Target { name: "predictions", seeds, words: &["preds", "OHDR", "TREE", "SNOD", "HEAP"], run };

/// Orders of the axes.
const AXES: [&str; 6] = ["njc", "ncj", "jnc", "jcn", "cnj", "cjn"];

fn run(input: &[u8]) -> u64 {
    static PEOPLE: OnceLock<RecordBatch> = OnceLock::new();
    let people = PEOPLE.get_or_init(|| coco::people().swap_remove(0));
    let (mode, rest) = mode(input);
    let (axes, packing, flic) = (AXES[mode % 6], mode / 6 % 3, mode / 18 % 2 == 1);
    let source = PredictionsConfig {
        file: place::file("preds.mat", &mat::packed(packing, rest)),
        array: Some("preds".to_owned()),
        axes: axes.to_owned(),
        skeleton: if flic { "flic11" } else { "coco17" }.to_owned(),
        first_pixel: 1.0,
        model: None,
    };
    // The HDF5 file has two people.
    let people = if flic { people.slice(0, 2) } else { people.clone() };
    reading::rows(&SourceConfig::Predictions(source), &[vec![people]])
}

fn seeds() -> Vec<Vec<u8>> {
    let array = Value::array(&[3, 17, 3], vec![4.0; 153]);
    let file = matlab::to_bytes(&[("preds", &array)], Packing::Plain).expect("a sound value");
    let elements = &file[128..];
    let header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (3, 17, 3), }\n";
    let numpy = [b"\x93NUMPY\x01\0", &(header.len() as u16).to_le_bytes()[..], header, &[0; 612]].concat();
    let lists = format!("[{}]", vec![format!("[{}]", ["[1,2.5]"; 17].join(",")); 3].join(","));
    vec![
        with_mode(0, &numpy),
        with_mode(0, lists.as_bytes()),
        with_mode(6, elements),
        with_mode(12 + 5, elements),
        with_mode(0, &file),
        with_mode(18 + 5, hdf5::FILES[1]),
    ]
}
