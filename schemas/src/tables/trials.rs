//! `trials`: one row is one verification score: a client's model against a piece of a session.

use serde::{Deserialize, Serialize};

use super::flat::flat_table;

flat_table! {
    "trials"
    /// One row of the table.
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    pub struct Trial {
        /// The data set of the probe.
        pub dataset: String,
        /// The split of the probe: `validation`, `test`, or that of a cohort.
        pub split: String,
        /// The split of the client; it differs from `split` where the trial only serves to normalise scores.
        pub client_split: String,
        /// The subject whose model is tried.
        pub client: String,
        /// The subject whose session is scored.
        pub subject: String,
        /// The device of the session.
        pub device: String,
        /// The session.
        pub session: String,
        /// The sequence of the session, where scores are pooled by sequence.
        pub sequence: Option<i32>,
        /// Whether client and subject are the same person.
        pub genuine: bool,
        /// The score: higher favours the client. A log-likelihood ratio per frame unless normalised.
        pub score: f64,
        /// How many frames were pooled into the score.
        pub frames: i64,
        /// `none`, `z`, `t` or `zt`.
        pub normalisation: String,
        /// The system that made the score.
        pub model: String,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back() {
        let trial = Trial {
            dataset: "hmog".into(),
            split: "test".into(),
            client_split: "test".into(),
            client: "a".into(),
            subject: "b".into(),
            device: "phone".into(),
            session: "1".into(),
            sequence: None,
            genuine: false,
            score: -0.25,
            frames: 20,
            normalisation: "none".into(),
            model: "gmm".into(),
        };
        let trials = [trial.clone(), Trial { sequence: Some(3), genuine: true, ..trial }];
        assert_eq!(from_batch(&to_batch(&trials)).unwrap(), trials);
    }
}
