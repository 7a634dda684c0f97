//! `displacements`: one row is how far one joint is missed by predictions: where the next stage of a cascade has to begin.
//!
//! All rows of a table are one fit, one row per joint of the predictions. Lengths are in parts of the person's diameter, so
//! that people of all sizes count alike.

use super::flat::flat_table;

flat_table! {
    "displacements"
    /// The normal distribution, independent along x and y, of predicted place - true place of a joint.
    #[derive(Debug, Clone, PartialEq)]
    pub struct Displacement {
        /// The joint.
        pub joint: String,
        /// Mean along x.
        pub mean_x: f64 as "diameter",
        /// Mean along y.
        pub mean_y: f64 as "diameter",
        /// Standard deviation along x.
        pub deviation_x: f64 as "diameter",
        /// Standard deviation along y.
        pub deviation_y: f64 as "diameter",
        /// How many predictions it was learnt from.
        pub count: i64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let row = |joint: &str, mean_x| Displacement {
            joint: joint.to_owned(),
            mean_x,
            mean_y: -0.25,
            deviation_x: 0.5,
            deviation_y: 0.0,
            count: 7,
        };
        let rows = [row("nose", 0.125), row("left_hip", -1.0)];
        assert_eq!(from_batch(&to_batch(&rows)).unwrap(), rows);
        assert_eq!(schema().field(1).metadata()["motionmill.unit"], "diameter");
    }
}
