//! HDF5 files, and what MPII keeps in them.

use std::path::Path;

use datasets::ReadError;
use datasets::hdf5::File;
use datasets::mpii::MpiiConfig;
use datasets::registry::SourceConfig;

use crate::pieces::{mode, with_mode};
use crate::{Target, place, reading};

pub(crate) const TARGET: Target = Target {
    name: "hdf5",
    seeds,
    words: &[
        "\u{89}HDF\r\n\u{1a}\n",
        "OHDR",
        "OCHK",
        "TREE",
        "SNOD",
        "HEAP",
        "GCOL",
        "FRHP",
        "BTHD",
        "imgname",
        "person",
        "scale",
        "center",
        "part",
        "visible",
        "index",
        "normalize",
        "torsoangle",
    ],
    run,
};

/// Files of every kind of number and string, as MATLAB writes them, and as the stacked hourglass stores MPII.
pub(crate) const FILES: [&[u8]; 5] = [
    include_bytes!("../../../datasets/testdata/kinds.h5"),
    include_bytes!("../../../datasets/testdata/matlab_v73.mat"),
    include_bytes!("../../../datasets/testdata/hourglass.h5"),
    include_bytes!("../../../datasets/testdata/structs_v73.mat"),
    include_bytes!("../../../datasets/testdata/packed.h5"),
];

fn run(input: &[u8]) -> u64 {
    let (mode, rest) = mode(input);
    if mode % 2 == 1 {
        let annotations = place::file("valid.h5", rest);
        let config = MpiiConfig { annotations, images: "images".into(), subset: None };
        return reading::rows(&SourceConfig::Mpii(config), &[]);
    }
    match arrays(rest) {
        Ok(values) => values,
        Err(error) => {
            reading::told(&error);
            0
        }
    }
}

/// How many numbers and strings all arrays hold, and how many variables of MATLAB there are.
fn arrays(bytes: &[u8]) -> Result<u64, ReadError> {
    let file = File::from_bytes(Path::new("arrays.h5"), bytes.to_vec())?;
    let mut values = 0;
    for name in file.names()? {
        values += file.array(&name).map_or(0, |array| array.values.len() as u64);
        values += file.strings(&name).map_or(0, |strings| strings.len() as u64);
    }
    values += file.variables().map_or(0, |variables| variables.len() as u64);
    Ok(values)
}

fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = FILES.map(|file| with_mode(0, file)).to_vec();
    seeds.push(with_mode(1, FILES[2]));
    seeds
}
