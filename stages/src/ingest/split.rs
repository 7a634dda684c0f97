//! `split`: assigns rows to another split, at random keyed by a name, by a condition, or by a list.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, SchemaRef};
use schemars::JsonSchema;
use schemas::columns::{field, strings, with_column, wrong_type};
use schemas::random::KeyedRandom;
use schemas::tables::{embeddings, table_name, windows};
use schemas::units::Probability;
use serde::{Deserialize, Serialize};

use super::error::IngestError;
use super::predicate::Predicate;
use crate::stage::{BuildContext, Outcome, Stage, StageError};

/// Keys of the stage `split`: one rule.
///
/// ```
/// let plan = "hold_out = { split = 'validation', share = 0.1, from = 'train', by = 'image' }";
/// let config: stages::ingest::SplitConfig = toml::from_str(plan)?;
/// let plan = "where = { split = 'test', condition = \"dataset = 'lsp' AND person_index > 1000\" }";
/// let config: stages::ingest::SplitConfig = toml::from_str(plan)?;
/// let plan = "list = { split = 'validation', file = 'valid_images.txt', by = 'image' }";
/// let config: stages::ingest::SplitConfig = toml::from_str(plan)?;
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SplitConfig {
    /// A share of the rows, drawn by name.
    HoldOut(HoldOut),
    /// The rows that a condition holds for.
    Where(Where),
    /// The rows that a file lists.
    List(List),
}

/// A share of the rows, drawn by name: rows with the same name stay together, and new rows do not move old
/// ones.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HoldOut {
    /// The split that the rows drawn get.
    pub split: String,
    /// The share of names to draw.
    pub share: Probability,
    /// Only rows of this split are drawn; by default rows of every split.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// What names a row.
    pub by: By,
}

/// The rows that a condition holds for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Where {
    /// The split that such rows get.
    pub split: String,
    /// An SQL condition, as of the stage `filter`.
    pub condition: String,
}

/// The rows that a file lists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// The split that such rows get.
    pub split: String,
    /// A text file of names, one per line; empty lines are ignored. Relative to the plan's folder.
    #[schemars(extend("format" = "path"))]
    pub file: PathBuf,
    /// Only rows of this split; by default rows of every split.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Which name of a row is used. An image is listed by its path as in `image_path`, or by its file name
    /// alone.
    pub by: By,
}

/// What names a row when splits are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// The image, so that all people of an image stay together.
    Image,
    /// The sample by itself.
    Sample,
    /// What the person does, so that no activity is on both sides.
    Activity,
    /// The data set.
    Dataset,
    /// The person who holds the phone.
    Subject,
    /// The phone.
    Device,
    /// The session, named `{subject}/{device}/{session}`.
    Session,
}

impl By {
    /// The columns that make the name.
    pub fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Image => &["image_path"],
            Self::Sample => &["sample_id"],
            Self::Activity => &["activity"],
            Self::Dataset => &["dataset"],
            Self::Subject => &["subject"],
            Self::Device => &["device"],
            Self::Session => &SESSION,
        }
    }

    /// Whether all rows of a session have one name.
    fn keeps_sessions_whole(self) -> bool {
        matches!(self, Self::Dataset | Self::Subject | Self::Device | Self::Session)
    }

    /// The name of each row of `batch`, if it has one, `[N]`.
    fn names(self, batch: &RecordBatch) -> Result<Vec<Option<String>>, StageError> {
        let columns =
            self.columns().iter().map(|name| strings(batch, name)).collect::<Result<Vec<_>, _>>()?;
        let name = |row: usize| {
            let parts = columns.iter().map(|column| column.is_valid(row).then(|| column.value(row)));
            parts.collect::<Option<Vec<&str>>>().map(|parts| parts.join("/"))
        };
        Ok((0..batch.num_rows()).map(name).collect())
    }
}

/// The columns that name a session.
const SESSION: [&str; 3] = ["subject", "device", "session"];

impl SplitConfig {
    /// The files that are read: the list of names.
    pub fn files(&self) -> Vec<PathBuf> {
        match self {
            Self::List(list) => vec![list.file.clone()],
            Self::HoldOut(_) | Self::Where(_) => Vec::new(),
        }
    }

    /// The stage.
    ///
    /// # Errors
    /// When the condition is not an SQL expression, or the list cannot be read or is empty.
    pub fn build(&self, context: &BuildContext) -> Result<Split, StageError> {
        let rule = match self {
            Self::HoldOut(hold_out) => Rule::HoldOut {
                key: context.name.clone(),
                seed: context.seed,
                share: hold_out.share.get(),
                by: hold_out.by,
            },
            Self::Where(by_condition) => {
                Rule::Where(Predicate::new(&context.name, "condition", &by_condition.condition)?)
            }
            Self::List(list) => Rule::List { names: read_names(context, list)?, by: list.by },
        };
        let (to, from) = match self {
            Self::HoldOut(rule) => (&rule.split, rule.from.clone()),
            Self::Where(rule) => (&rule.split, None),
            Self::List(rule) => (&rule.split, rule.from.clone()),
        };
        Ok(Split { to: to.clone(), from, rule })
    }
}

fn read_names(context: &BuildContext, list: &List) -> Result<HashSet<String>, StageError> {
    let path = context.folder.join(&list.file);
    let failed = |source| StageError::File { what: "list of names", path: path.clone(), source };
    let text = datasets::files::read_to_string(&path).map_err(failed)?;
    let names: HashSet<String> =
        text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
    if names.is_empty() {
        return Err(StageError::step(IngestError::EmptyList { stage: context.name.clone(), path }));
    }
    Ok(names)
}

/// Assigns the rows that its rule selects to another split. Every row is kept, in order.
#[derive(Debug, Clone)]
pub struct Split {
    to: String,
    from: Option<String>,
    rule: Rule,
}

#[derive(Debug, Clone)]
enum Rule {
    HoldOut { key: String, seed: u64, share: f64, by: By },
    Where(Predicate),
    List { names: HashSet<String>, by: By },
}

impl Split {
    /// Whether the rule picks each row, `[N]`.
    fn picked(&self, batch: &RecordBatch) -> Result<Vec<bool>, StageError> {
        // A row without a name, such as one without an activity, is never picked.
        let named = |by: By, pick: &dyn Fn(&str) -> bool| -> Result<Vec<bool>, StageError> {
            Ok(by.names(batch)?.iter().map(|name| name.as_deref().is_some_and(pick)).collect())
        };
        match &self.rule {
            Rule::HoldOut { key, seed, share, by } => {
                named(*by, &|name| KeyedRandom::new(*seed, key, name, 0).happens(*share))
            }
            Rule::Where(predicate) => {
                Ok(predicate.answers(batch)?.into_iter().map(|answer| answer == Some(true)).collect())
            }
            Rule::List { names, by } => named(*by, &|name| {
                let file_name = || name.rsplit(['/', '\\']).next().unwrap_or(name);
                names.contains(name) || (*by == By::Image && names.contains(file_name()))
            }),
        }
    }

    /// Refuses rules that would put parts of one session on both sides: windows of a session overlap, so readings
    /// of the one would be seen in the other.
    fn check_leaks(&self, input: &SchemaRef) -> Result<(), StageError> {
        let table = table_name(input).unwrap_or_default();
        if ![windows::NAME, embeddings::NAME].contains(&table) {
            return Ok(());
        }
        let by_session = |name: &str| SESSION.contains(&name) || ["dataset", "split"].contains(&name);
        let safe = match &self.rule {
            Rule::HoldOut { by, .. } | Rule::List { by, .. } => by.keeps_sessions_whole(),
            Rule::Where(predicate) => predicate.columns().all(by_session),
        };
        if safe {
            return Ok(());
        }
        Err(StageError::step(IngestError::DividesSessions { table: table.to_owned() }))
    }
}

impl Stage for Split {
    fn output_schema(&self, input: &SchemaRef) -> Result<SchemaRef, StageError> {
        self.check_leaks(input)?;
        let mut needed = vec!["split"];
        match &self.rule {
            Rule::HoldOut { by, .. } | Rule::List { by, .. } => needed.extend(by.columns()),
            Rule::Where(predicate) => predicate.check(input)?,
        }
        for name in needed {
            let found = field(input, name)?.data_type();
            if found != &DataType::Utf8 {
                return Err(wrong_type(name, "Utf8", found).into());
            }
        }
        Ok(SchemaRef::clone(input))
    }

    fn run(&self, batch: &RecordBatch) -> Result<Outcome, StageError> {
        let old = strings(batch, "split")?;
        let picked = self.picked(batch)?;
        let new: StringArray = old
            .iter()
            .zip(picked)
            .map(|(split, picked)| {
                let eligible = self.from.is_none() || split == self.from.as_deref();
                if picked && eligible { Some(self.to.as_str()) } else { split }
            })
            .collect();
        let field = field(batch.schema_ref(), "split")?.clone();
        debug_assert_eq!(new.len(), batch.num_rows());
        Ok(Outcome::all(with_column(batch, field, Arc::new(new))?))
    }
}

#[cfg(test)]
mod tests {
    use super::super::filter::tests::{context, people};
    use super::*;
    use schemas::tables::signals;

    fn split(plan: &str) -> Split {
        toml::from_str::<SplitConfig>(plan).unwrap().build(&context("split")).unwrap()
    }

    fn splits(stage: &Split, batch: &RecordBatch) -> Vec<String> {
        assert_eq!(stage.output_schema(&batch.schema()).unwrap(), batch.schema());
        let outcome = stage.run(batch).unwrap();
        assert_eq!((outcome.rows.num_rows(), outcome.rejects.len()), (batch.num_rows(), 0));
        assert_eq!(outcome.rows.schema(), batch.schema());
        strings(&outcome.rows, "split").unwrap().iter().flatten().map(str::to_owned).collect()
    }

    #[test]
    fn people_of_an_image_stay_together_and_new_rows_move_no_old_one() {
        let stage = split("hold_out = { split = 'validation', share = 0.3, by = 'image' }");
        let batch = people(2_000);
        let all = splits(&stage, &batch);
        assert!(
            all.chunks_exact(2).all(|image| { (image[0] == "validation") == (image[1] == "validation") })
        );
        let share = all.iter().filter(|split| *split == "validation").count() as f64 / 2_000.0;
        assert!((share - 0.3).abs() < 0.04, "{share}");
        assert_eq!(splits(&stage, &batch.slice(0, 700)), all[..700]);
        assert_eq!(splits(&stage, &batch.slice(701, 11)), all[701..712]);
        assert_eq!(splits(&stage, &people(0)), [""; 0]);
    }

    #[test]
    fn only_rows_of_the_split_named_are_drawn() {
        let batch = people(40);
        let stage = split("hold_out = { split = 'validation', share = 1, from = 'train', by = 'sample' }");
        let all = splits(&stage, &batch);
        assert!(all.chunks_exact(2).all(|pair| pair == ["validation", "test"]));
        let none = split("hold_out = { split = 'validation', share = 0, by = 'sample' }");
        assert!(splits(&none, &batch).iter().all(|split| split != "validation"));
    }

    #[test]
    fn a_condition_picks_rows() {
        let stage = split("where = { split = 'held', condition = 'annotated_joints > 3' }");
        assert_eq!(splits(&stage, &people(6).slice(2, 4)), ["train", "test", "held", "held"]);
        let wrong = split("where = { split = 'held', condition = 'joints > 3' }");
        assert!(wrong.output_schema(&people(1).schema()).is_err());
    }

    #[test]
    fn a_list_picks_images_by_path_or_file_name() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("held.txt"), "frame1.jpg\n\nimages/frame2.jpg\r\n").unwrap();
        let context = BuildContext { folder: folder.path().into(), ..context("split") };
        let config = |plan: &str| toml::from_str::<SplitConfig>(plan).unwrap();
        let plan = config("list = { split = 'held', file = 'held.txt', by = 'image' }");
        let all = splits(&plan.build(&context).unwrap(), &people(8));
        assert_eq!(all, ["train", "test", "held", "held", "held", "held", "train", "test"]);
        let missing = config("list = { split = 'held', file = 'none.txt', by = 'image' }");
        let error = missing.build(&context).unwrap_err().to_string();
        assert!(error.starts_with("cannot read the list of names") && error.contains("none.txt"), "{error}");
        std::fs::write(folder.path().join("none.txt"), "\n").unwrap();
        assert!(missing.build(&context).is_err());
    }

    #[test]
    fn windows_are_only_split_by_whole_sessions() {
        let signals = signals::schema(&["x".to_owned()], 50.0);
        let windows = Arc::new(windows::schema(&signals, 2, 4, 2).unwrap());
        let refused = |plan: &str| split(plan).output_schema(&windows).is_err();
        assert!(refused("hold_out = { split = 'test', share = 0.5, by = 'sample' }"));
        assert!(refused("where = { split = 'test', condition = 'sequence > 3' }"));
        assert!(!refused("where = { split = 'test', condition = \"session = 'a'\" }"));
        assert!(!refused("hold_out = { split = 'test', share = 0.5, by = 'subject' }"));
        let by_sample = split("hold_out = { split = 'test', share = 0.5, by = 'sample' }");
        assert!(by_sample.output_schema(&signals).is_ok(), "stretches of a session share no reading");
    }

    #[test]
    fn wrong_plans_are_refused() {
        let parse = |plan: &str| toml::from_str::<SplitConfig>(plan);
        assert!(parse("hold_out = { split = 'v', share = 1.5, by = 'image' }").is_err());
        assert!(parse("hold_out = { split = 'v', share = 0.5, by = 'image', seed = 3 }").is_err());
        assert!(parse("hold_out = { split = 'v', share = 0.5, by = 'colour' }").is_err());
        let stage = split("hold_out = { split = 'v', share = 0.5, by = 'image' }");
        let bare = people(1).project(&[0]).unwrap();
        assert!(stage.output_schema(&bare.schema()).unwrap_err().to_string().contains("`split` is missing"));
    }
}
