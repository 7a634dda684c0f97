//! Verification scores of other systems, in CSV: a line a trial.
//!
//! ```text
//! client,subject,session,genuine,score
//! p1,p1,walk,1,2.31
//! p1,p2,walk,0,-0.88
//! ```

use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use csv::{ReaderBuilder, StringRecord, Trim};
use schemars::JsonSchema;
use schemas::tables::rejects::Reject;
use schemas::tables::trials::{self, Trial};
use serde::{Deserialize, Serialize};

use crate::source::{OpenSource, Source};
use crate::{ReadError, files};

/// Name of the data set if none is given.
pub const DATASET: &str = "scores";
/// The split of trials whose file has no column of it.
pub const SPLIT: &str = "test";
/// Rows of a batch.
const BATCH_ROWS: usize = 8192;
/// What separates columns, the likeliest first; that of which the header has most is taken.
const SEPARATORS: [u8; 4] = *b",;\t|";

/// Verification scores of another system: a CSV file with a header and a line a trial.
///
/// The separator is told by the header. Rejects are lines without a client, a subject or a finite score, and lines whose
/// `genuine` is no yes or no.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "clap", derive(clap::Args))]
#[serde(deny_unknown_fields)]
pub struct TrialsConfig {
    /// The file.
    #[schemars(extend("format" = "path"))]
    #[cfg_attr(feature = "clap", arg(long, value_name = "FILE"))]
    pub path: PathBuf,
    /// Column of the subject whose model is tried; `client` if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "clap", arg(long, value_name = "COLUMN"))]
    pub client: Option<String>,
    /// Column of the subject whose session is scored; `subject` if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "clap", arg(long, value_name = "COLUMN"))]
    pub subject: Option<String>,
    /// Column of the session; `session` if not given. Without such a column each line is a session of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "clap", arg(long, value_name = "COLUMN"))]
    pub session: Option<String>,
    /// Column that says whether client and subject are the same person; `genuine` if not given. Without such a column they
    /// are where their names are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "clap", arg(long, value_name = "COLUMN"))]
    pub genuine: Option<String>,
    /// Column of the score; `score` if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "clap", arg(long, value_name = "COLUMN"))]
    pub score: Option<String>,
    /// The score is a distance: lower favours the client. It is stored with the other sign.
    #[serde(default)]
    #[cfg_attr(feature = "clap", arg(long))]
    pub distance: bool,
    /// Column of the split; `split` if not given. Without such a column all trials are of `test`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "clap", arg(long, value_name = "COLUMN"))]
    pub split: Option<String>,
    /// Name of the data set; `scores` if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "clap", arg(long, value_name = "NAME"))]
    pub dataset: Option<String>,
    /// Name of the system; the name of the file if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "clap", arg(long, value_name = "NAME"))]
    pub model: Option<String>,
}

impl Source for TrialsConfig {
    fn schema(&self, _inputs: &[SchemaRef]) -> Result<SchemaRef, ReadError> {
        Ok(trials::schema())
    }

    fn files(&self) -> Vec<PathBuf> {
        vec![self.path.clone()]
    }

    fn open(&self, _inputs: &[Vec<RecordBatch>]) -> Result<OpenSource, ReadError> {
        let (rows, rejects) = read(self)?;
        let batches: Vec<RecordBatch> = rows.chunks(BATCH_ROWS).map(trials::to_batch).collect();
        let batches = if batches.is_empty() { vec![trials::to_batch(&[])] } else { batches };
        Ok(OpenSource::from(batches).with(rejects, Vec::new()))
    }
}

/// The trials of the file that `config` names, and the lines that are none.
///
/// # Errors
/// When the file cannot be read, is no text, or lacks a column.
pub fn read(config: &TrialsConfig) -> Result<(Vec<Trial>, Vec<Reject>), ReadError> {
    let path = &*config.path;
    let bytes = files::read(path).map_err(|error| ReadError::io(path, error))?;
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&bytes);
    let header = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let count = |separator: &u8| memchr::memchr_iter(*separator, header).count();
    // `max_by_key` takes the last of equals, the list has the likeliest first.
    let separator = SEPARATORS.iter().rev().max_by_key(|separator| count(separator)).copied().unwrap_or(b',');
    let mut reader =
        ReaderBuilder::new().delimiter(separator).trim(Trim::All).flexible(true).from_reader(bytes);
    let malformed = |error: &csv::Error| ReadError::Malformed {
        format: "CSV",
        detail: error.to_string(),
        path: path.to_owned(),
    };
    let columns = Columns::find(config, &reader.headers().map_err(|error| malformed(&error))?.clone())?;
    let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let (mut rows, mut rejects) = (Vec::new(), Vec::new());
    for record in reader.records() {
        let record = record.map_err(|error| malformed(&error))?;
        let line = record.position().map_or(0, csv::Position::line);
        match columns.trial(config, &record, line, &file) {
            Ok(trial) => rows.push(trial),
            Err((reason, detail)) => rejects.push(Reject {
                stage: DATASET.to_owned(),
                reason: reason.to_owned(),
                source_file: Some(file.clone()),
                source_record: Some(format!("line {line}")),
                detail,
                ..Reject::default()
            }),
        }
    }
    Ok((rows, rejects))
}

/// A column, by its name and place.
struct Column {
    name: String,
    at: usize,
}

impl Column {
    fn of<'a>(&self, record: &'a StringRecord) -> &'a str {
        record.get(self.at).unwrap_or_default()
    }
}

struct Columns {
    client: Column,
    subject: Column,
    session: Option<Column>,
    genuine: Option<Column>,
    score: Column,
    split: Option<Column>,
}

/// Why a line is no trial: the phrase under which it is counted, and what was found.
type Refusal = (&'static str, String);

impl Columns {
    fn find(config: &TrialsConfig, header: &StringRecord) -> Result<Self, ReadError> {
        let absent = |name: &str| {
            let names: Vec<String> = header.iter().map(|name| format!("`{name}`")).collect();
            let expected = format!("a file of trials must have the column `{name}`");
            ReadError::unexpected(Path::new(&config.path), &expected, names.join(", "))
        };
        let may = |given: &Option<String>, usual: &str| {
            let name = given.as_deref().unwrap_or(usual);
            let found = header.iter().position(|column| column.eq_ignore_ascii_case(name));
            match found {
                Some(at) => Ok(Some(Column { name: name.to_owned(), at })),
                None if given.is_some() => Err(absent(name)),
                None => Ok(None),
            }
        };
        let must = |given: &Option<String>, usual: &str| may(given, usual)?.ok_or_else(|| absent(usual));
        Ok(Self {
            client: must(&config.client, "client")?,
            subject: must(&config.subject, "subject")?,
            session: may(&config.session, "session")?,
            genuine: may(&config.genuine, "genuine")?,
            score: must(&config.score, "score")?,
            split: may(&config.split, "split")?,
        })
    }

    fn trial(
        &self,
        config: &TrialsConfig,
        record: &StringRecord,
        line: u64,
        file: &str,
    ) -> Result<Trial, Refusal> {
        let named = |column: &Column| match column.of(record) {
            "" => Err(("empty cell", format!("column `{}` is empty", column.name))),
            name => Ok(name.to_owned()),
        };
        let (client, subject) = (named(&self.client)?, named(&self.subject)?);
        let cell = self.score.of(record);
        let score = cell.parse().ok().filter(|score: &f64| score.is_finite());
        let score =
            score.ok_or_else(|| ("not a score", format!("column `{}` holds `{cell}`", self.score.name)))?;
        let genuine = match &self.genuine {
            None => client == subject,
            Some(column) => yes_or_no(column.of(record)).ok_or_else(|| {
                let detail = format!("column `{}` holds `{}`", column.name, column.of(record));
                ("neither genuine nor impostor", detail)
            })?,
        };
        let session = self.session.as_ref().map(named).transpose()?;
        let split = self.split.as_ref().map(named).transpose()?.unwrap_or_else(|| SPLIT.to_owned());
        Ok(Trial {
            dataset: config.dataset.clone().unwrap_or_else(|| DATASET.to_owned()),
            client_split: split.clone(),
            split,
            client,
            subject,
            device: String::new(),
            session: session.unwrap_or_else(|| format!("line {line}")),
            sequence: None,
            genuine,
            // A difference, so that no score becomes a negative zero.
            score: if config.distance { 0.0 - score } else { score },
            frames: 1,
            normalisation: "none".to_owned(),
            model: config.model.clone().unwrap_or_else(|| file.to_owned()),
        })
    }
}

/// What `cell` says, in the ways in which people and tools write it.
fn yes_or_no(cell: &str) -> Option<bool> {
    match cell.to_ascii_lowercase().as_str() {
        "1" | "1.0" | "true" | "t" | "yes" | "y" | "genuine" | "target" | "same" | "client" => Some(true),
        "0" | "0.0" | "-1" | "false" | "f" | "no" | "n" | "impostor" | "imposter" | "nontarget"
        | "non-target" | "different" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str, config: &TrialsConfig) -> Result<(Vec<Trial>, Vec<Reject>), String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("scores.csv");
        std::fs::write(&path, text).unwrap();
        read(&TrialsConfig { path, ..config.clone() }).map_err(|error| error.to_string())
    }

    #[test]
    fn trials_are_read_however_the_file_is_written() {
        let lines = [
            ["client", "subject", "session", "genuine", "score"],
            ["p1", "p1", "walk", "1", "2.5"],
            ["p1", "p2", "walk", "0", "-1e-3"],
        ];
        let mut found = Vec::new();
        for separator in [",", ";", "\t", "|"] {
            for (end, prefix) in [("\n", ""), ("\r\n", "\u{feff}")] {
                let text: String = lines.map(|line| line.join(separator) + end).concat();
                found.push(read_text(&(prefix.to_owned() + &text), &TrialsConfig::default()).unwrap());
            }
        }
        let quoted =
            "Score,Genuine,Client,Subject,Session\n\"2.5\",TRUE,p1,p1,walk\n -1e-3 ,impostor,p1,p2,walk\n";
        found.push(read_text(quoted, &TrialsConfig::default()).unwrap());
        for (trials, rejects) in &found {
            assert!(rejects.is_empty());
            assert_eq!(trials, &found[0].0);
        }
        let [genuine, impostor] = &found[0].0[..] else { panic!("two trials") };
        assert!(genuine.genuine && !impostor.genuine);
        assert_eq!((genuine.score, impostor.score), (2.5, -1e-3));
        assert_eq!((genuine.split.as_str(), genuine.model.as_str()), ("test", "scores.csv"));
    }

    #[test]
    fn columns_may_have_other_names_or_be_absent() {
        let config = TrialsConfig {
            client: Some("enrolled".into()),
            subject: Some("probe".into()),
            score: Some("dist".into()),
            distance: true,
            split: Some("fold".into()),
            ..TrialsConfig::default()
        };
        let (trials, _) =
            read_text("enrolled,probe,dist,fold\na,a,0.25,validation\na,b,4,test\n", &config).unwrap();
        assert_eq!((trials[0].score, trials[0].genuine, trials[1].genuine), (-0.25, true, false));
        assert_eq!((trials[0].split.as_str(), trials[1].split.as_str()), ("validation", "test"));
        assert_ne!(trials[0].session, trials[1].session, "each line is a session");
        let error = read_text("a,b\n1,2\n", &config).unwrap_err();
        assert!(error.contains("the column `enrolled`") && error.contains("found `a`, `b`"), "{error}");
    }

    #[test]
    fn lines_that_are_no_trials_say_why() {
        let text =
            "client,subject,genuine,score\np,p,1,\np,p,1,nan\np,p,1,high\np,p,maybe,1\n,p,0,1\np,p,1,1\n";
        let (trials, rejects) = read_text(text, &TrialsConfig::default()).unwrap();
        let words: Vec<String> =
            rejects.iter().map(|reject| format!("{} {}", reject.reason, reject.words())).collect();
        assert_eq!(trials.len(), 1);
        assert_eq!(
            words,
            [
                "not a score scores.csv, line 2: column `score` holds ``",
                "not a score scores.csv, line 3: column `score` holds `nan`",
                "not a score scores.csv, line 4: column `score` holds `high`",
                "neither genuine nor impostor scores.csv, line 5: column `genuine` holds `maybe`",
                "empty cell scores.csv, line 6: column `client` is empty",
            ]
        );
    }
}
