//! Verification scores in CSV.

use datasets::registry::SourceConfig;
use datasets::trials_csv::TrialsConfig;

use crate::pieces::{mode, with_mode};
use crate::{Target, place, reading};

pub(crate) const TARGET: Target = Target {
    name: "trials",
    seeds,
    words: &[
        "client", "subject", "session", "genuine", "score", "split", ";", "\t", "|", "\"", "\r\n", "nan",
        "-1", "1e999",
    ],
    run,
};

fn run(input: &[u8]) -> u64 {
    let (mode, rest) = mode(input);
    let path = place::file("trials.csv", rest);
    let session = (mode & 2 != 0).then(|| "session".to_owned());
    let config = TrialsConfig { path, distance: mode & 1 != 0, session, ..TrialsConfig::default() };
    reading::rows(&SourceConfig::Trials(config), &[])
}

fn seeds() -> Vec<Vec<u8>> {
    let plain = "client,subject,session,genuine,score\np1,p1,walk,1,2.5\np1,p2,walk,0,-1e-3\n";
    let quoted = "\u{feff}score;client;subject;split\r\n\"2.5\";\"p;1\";p1;test\r\n0;p1;p2;validation\r\n";
    vec![with_mode(2, plain.as_bytes()), with_mode(1, quoted.as_bytes())]
}
