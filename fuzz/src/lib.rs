//! Fuzz targets: damaged and hostile files of every kind that motionmill reads, through the readers that a run uses.
//!
//! [`ALL`] lists the targets. Each has seeds, which are sound inputs made by code, and a function that reads one input
//! down to its rows. What an input may do is fail with an error; a panic, an abort, a hang or more memory than
//! [`memory::MOST_BYTES`] is a finding. See the README of this crate for how to run them.

pub mod memory;
mod pieces;
mod place;
mod reading;
mod targets;

/// One kind of input.
pub struct Target {
    /// Its name on the command line.
    pub name: &'static str,
    /// Sound inputs, from which others are made.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Words of the format, which mutations put in.
    pub words: &'static [&'static str],
    /// Reads one input; gives how many rows, values or pixels came of it.
    pub run: fn(&[u8]) -> u64,
}

/// Every target.
pub const ALL: &[Target] = &[
    targets::matlab::TARGET,
    targets::hdf5::TARGET,
    targets::mpii_json::TARGET,
    targets::coco::TARGET,
    targets::coco_results::TARGET,
    targets::boxes::TARGET,
    targets::posetrack::TARGET,
    targets::yolo::TARGET,
    targets::csv_logs::TARGET,
    targets::hmog::TARGET,
    targets::pictures::TARGET,
    targets::predictions::TARGET,
    targets::plan::TARGET,
    targets::cards::TARGET,
    targets::skeletons::TARGET,
    targets::table::TARGET,
    targets::trials::TARGET,
];

/// The target called `name`.
pub fn named(name: &str) -> Option<&'static Target> {
    ALL.iter().find(|target| target.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_seed_is_read_to_its_end() {
        for target in ALL {
            for (number, seed) in (target.seeds)().iter().enumerate() {
                assert!((target.run)(seed) > 0, "seed {number} of `{}` gives nothing", target.name);
            }
        }
    }

    #[test]
    fn cut_seeds_are_survived() {
        for target in ALL {
            for seed in (target.seeds)() {
                let step = seed.len() / 16 + 1;
                for end in (0..seed.len()).step_by(step) {
                    (target.run)(&seed[..end]);
                }
            }
        }
    }

    #[test]
    fn names_are_their_own() {
        let mut names: Vec<&str> = ALL.iter().map(|target| target.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ALL.len());
        assert!(named("matlab").is_some() && named("mathlab").is_none());
    }
}
