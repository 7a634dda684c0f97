//! `metrics`: one row is one number.

use serde::{Deserialize, Serialize};

use super::flat::flat_table;

flat_table! {
    "metrics"
    /// One row of the table.
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    pub struct Metric {
        /// Name of the protocol, such as `mpii-official`.
        pub protocol: String,
        /// Data set of the truth.
        pub dataset: String,
        /// Split of the truth, `all` where none was chosen.
        pub split: String,
        /// What was measured: `pckh`, `pck`, `pcp`, `auc`, ...
        pub metric: String,
        /// The joint or stick, where the number is about one.
        pub joint: Option<String>,
        /// The group of joints, where the number is about one.
        pub group: Option<String>,
        /// The threshold, in the protocol's unit.
        pub threshold: Option<f64>,
        /// The number; percent where the metric is a rate.
        pub value: f64,
        /// How many annotated joints (or sticks, or people) it is based on.
        pub count: i64,
        /// Lower end of the 95 % bootstrap interval over people.
        pub ci_low: Option<f64>,
        /// Upper end of the 95 % bootstrap interval over people.
        pub ci_high: Option<f64>,
        /// The network or prediction file.
        pub model: String,
        /// Output head of the network, from 1.
        pub head: Option<i32>,
        /// Hash of the run that computed it.
        pub run: String,
    }
}
