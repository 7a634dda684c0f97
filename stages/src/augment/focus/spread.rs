//! Where the predictions of an earlier stage would lie: normal distributions about the true joints, from a table
//! `displacements`.

use std::path::Path;

use datasets::shards::TableReader;
use schemas::Skeleton;
use schemas::random::KeyedRandom;
use schemas::tables::displacements::{self, Displacement};

use super::super::error::AugmentError;
use crate::stage::StageError;

/// The rows of one fit.
#[derive(Debug, Clone, PartialEq)]
pub struct Spreads(Vec<Displacement>);

impl Spreads {
    /// Reads the table, a folder or a Parquet file, at `path`.
    ///
    /// # Errors
    /// When it cannot be read, or holds two rows of a joint or a number that no distribution has.
    pub fn read(path: &Path) -> Result<Self, StageError> {
        let mut rows: Vec<Displacement> = Vec::new();
        for batch in TableReader::open(path, None)?.read_all()? {
            rows.extend(displacements::from_batch(&batch)?);
        }
        Self::checked(rows).map_err(|(what, joint)| {
            StageError::step(AugmentError::BrokenDisplacements { what, joint, path: path.to_owned() })
        })
    }

    fn checked(rows: Vec<Displacement>) -> Result<Self, (&'static str, String)> {
        for (at, row) in rows.iter().enumerate() {
            let numbers = [row.mean_x, row.mean_y, row.deviation_x, row.deviation_y];
            if rows[..at].iter().any(|other| other.joint == row.joint) {
                return Err(("two rows", row.joint.clone()));
            }
            if !numbers.iter().all(|number| number.is_finite())
                || numbers[2..].iter().any(|spread| *spread < 0.0)
            {
                return Err(("a mean or deviation out of range", row.joint.clone()));
            }
        }
        Ok(Self(rows))
    }

    /// The distribution of each joint of `skeleton`, `[K]`.
    ///
    /// # Errors
    /// When the table has none of a joint.
    pub fn of(&self, skeleton: &Skeleton) -> Result<Vec<Spread>, StageError> {
        let of_joint = |(at, name): (usize, &&str)| {
            let row = self.0.iter().find(|row| skeleton.index_of(&row.joint) == Some(at));
            let row = row.ok_or_else(|| {
                StageError::step(AugmentError::NoDisplacement {
                    joint: (*name).to_owned(),
                    skeleton: skeleton.name.to_owned(),
                })
            })?;
            Ok(Spread { mean: [row.mean_x, row.mean_y], deviation: [row.deviation_x, row.deviation_y] })
        };
        skeleton.joints.iter().enumerate().map(of_joint).collect()
    }
}

/// A normal distribution along x and along y, in parts of a diameter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    mean: [f64; 2],
    deviation: [f64; 2],
}

impl Spread {
    /// One displacement of a pose of `diameter` px, px of the image.
    pub fn draw(&self, diameter: f64, random: &mut KeyedRandom) -> [f64; 2] {
        let mut along = |axis: usize| diameter * (self.mean[axis] + self.deviation[axis] * random.normal());
        [along(0), along(1)]
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use datasets::shards::{Provenance, Rejected, TableFolder, TableOptions};
    use schemas::skeleton::{FLIC9, LSP14};

    /// A row of `joint` whose numbers are these.
    pub(in super::super) fn row(joint: &str, mean: [f64; 2], deviation: [f64; 2]) -> Displacement {
        let ([mean_x, mean_y], [deviation_x, deviation_y]) = (mean, deviation);
        Displacement { joint: joint.to_owned(), mean_x, mean_y, deviation_x, deviation_y, count: 1 }
    }

    /// Writes `rows` as the table `folder`.
    pub(in super::super) fn write(folder: &Path, rows: &[Displacement]) {
        let provenance = Provenance {
            motionmill: "test".to_owned(),
            made_by: "test".to_owned(),
            plan_hash: "a".to_owned(),
            seed: None,
            inputs: Vec::new(),
            engines: BTreeMap::new(),
        };
        let table =
            TableFolder::claim(folder, &displacements::schema(), provenance, &TableOptions::default())
                .unwrap();
        let mut unit = table.unit(0);
        unit.write(&displacements::to_batch(rows)).unwrap();
        table.complete(unit.finish().unwrap(), Rejected::default()).unwrap();
        table.release().unwrap();
    }

    #[test]
    fn draws_have_the_moments_of_the_table() {
        let spread = Spread { mean: [0.5, -1.0], deviation: [0.25, 0.0] };
        let mut random = KeyedRandom::new(1, "focus", "a", 0);
        let drawn: Vec<[f64; 2]> = (0..20_000).map(|_| spread.draw(40.0, &mut random)).collect();
        let mean = drawn.iter().map(|point| point[0]).sum::<f64>() / 20_000.0;
        let variance = drawn.iter().map(|point| (point[0] - mean).powi(2)).sum::<f64>() / 20_000.0;
        assert!((mean - 20.0).abs() < 0.3 && (variance.sqrt() - 10.0).abs() < 0.2, "{mean} {variance}");
        assert!(drawn.iter().all(|point| point[1] == -40.0));
    }

    #[test]
    fn a_table_gives_a_distribution_for_every_joint_or_says_which_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("displacements");
        let rows: Vec<Displacement> =
            FLIC9.joints.iter().map(|joint| row(joint, [0.0; 2], [0.125; 2])).collect();
        write(&path, &rows);
        let spreads = Spreads::read(&path).unwrap();
        assert_eq!(spreads.of(&FLIC9).unwrap(), [Spread { mean: [0.0; 2], deviation: [0.125; 2] }; 9]);
        let error = spreads.of(&LSP14).unwrap_err();
        assert!(error.to_string().contains("`right_ankle`"), "{error}");
        assert!(Spreads::read(&folder.path().join("nowhere")).is_err());
    }

    #[test]
    fn numbers_that_no_distribution_has_are_refused() {
        let fine = row("nose", [0.0; 2], [1.0; 2]);
        for (rows, what) in [
            (vec![fine.clone(), fine.clone()], "two rows"),
            (vec![row("nose", [f64::NAN, 0.0], [1.0; 2])], "out of range"),
            (vec![row("nose", [0.0; 2], [1.0, -1.0])], "out of range"),
        ] {
            assert!(Spreads::checked(rows).unwrap_err().0.contains(what));
        }
        assert!(Spreads::checked(vec![fine]).is_ok());
    }
}
