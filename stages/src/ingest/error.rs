//! Why rows could not be selected or mapped.

use std::path::PathBuf;

use datasets::ReadError;
use polars::prelude::DataType;
use schemas::{Fault, Hinted, Skeleton};

/// Why rows could not be selected or mapped.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "a field bears the name of the value that the message gives")]
pub enum IngestError {
    /// A condition that cannot be read.
    #[error("`{stage}`: `{key}` is not an SQL expression: {error}: `{sql}`")]
    NotSql { stage: String, key: &'static str, error: Unread, sql: String },
    /// A condition whose answer depends on how rows are batched.
    #[error("`{stage}`: `{key}` must judge each row independently, found {found}: `{sql}`")]
    BeyondOneRow { stage: String, key: &'static str, found: String, sql: String },
    /// A condition that does not fit the rows.
    #[error("cannot evaluate the condition: {error}: `{sql}`")]
    NotEvaluated { error: String, sql: String },
    /// A condition that is a number, a text.
    #[error("the condition must be true or false, found {found}: `{sql}`")]
    NotBoolean { found: DataType, sql: String },
    /// No column or split is named.
    #[error("`{stage}` names no {what}")]
    NamesNone { stage: String, what: &'static str },
    /// A column cannot be kept or dropped twice.
    #[error("`{stage}` names the column `{column}` twice")]
    ColumnTwice { stage: String, column: String },
    /// The skeleton to map to is unknown, or its file is none.
    #[error("`{stage}`: {error}")]
    Skeleton { stage: String, error: ReadError },
    /// A derived joint, or one of those that it is made of, that its skeleton lacks.
    #[error("`derived` must be of joints of `{}`, {}, found `{joint}`", skeleton.name, listed(skeleton.joints))]
    DerivedStranger { joint: String, skeleton: &'static Skeleton },
    /// A joint in the middle of nothing.
    #[error("`derived.{joint}` must name joints, found none")]
    DerivedOfNone { joint: String },
    /// Two spellings of one joint.
    #[error("`derived` must have each joint once, found `{joint}` twice")]
    DerivedTwice { joint: &'static str },
    /// Nothing would be left of a pose.
    #[error("the skeletons `{from}` and `{to}` share no joint")]
    NoSharedJoint { from: &'static str, to: &'static str },
    /// Maps cannot be reordered.
    #[error("the column `{column}` follows the skeleton `{skeleton}` and cannot be mapped")]
    MapsMade { column: &'static str, skeleton: &'static str },
    /// A list that would pick nothing.
    #[error("`{stage}`: the list of names is empty: `{}`", path.display())]
    EmptyList { stage: String, path: PathBuf },
    /// Windows overlap.
    #[error("this split could put {table} of one session on both sides, and they share readings")]
    DividesSessions { table: String },
    /// People would be left over, or assigned twice.
    #[error("`{stage}`: the shares must make 1, they make {sum}")]
    Shares { stage: String, sum: f64 },
    /// More people are asked for than there are.
    #[error("`{stage}` deals out {wanted} people, but there are {found}")]
    FewPeople { stage: String, wanted: usize, found: usize },
}

/// Why a condition could not be read.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "a field bears the name of the value that the message gives")]
pub enum Unread {
    /// It is no SQL.
    #[error("{0}")]
    Sql(String),
    /// It is too long.
    #[error("it is {found} bytes long; the most is {most}")]
    Long { found: usize, most: usize },
    /// Operators stand within operators too often.
    #[error("it is {found} levels deep; the most is {most}")]
    Deep { found: usize, most: usize },
    /// It makes long text of short.
    #[error("it may not use {found}, which makes text of any length")]
    Lengthens { found: String },
    /// No thread can be started to read it.
    #[error("there is no memory to read it: {0}")]
    Thread(std::io::Error),
}

/// `names` between backticks and commas.
fn listed(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

impl Hinted for IngestError {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NotSql { error: Unread::Long { .. } | Unread::Deep { .. }, .. } => {
                "use `IN`, or several stages `filter` one after the other"
            }
            Self::NotSql { error: Unread::Lengthens { .. }, .. } => "compare the column itself",
            Self::NotSql { .. } => {
                "write a condition on columns, such as `scale > 0.5 AND annotated_joints >= 10`"
            }
            Self::BeyondOneRow { .. } => {
                "use comparisons, arithmetic, `IN`, `LIKE`, `BETWEEN`, `IS NULL`, `AND`, `OR` and `NOT`"
            }
            Self::NotEvaluated { .. } => "compare columns with values of their own type",
            Self::NotBoolean { .. } => "compare with something, such as `scale > 0.5`",
            Self::NamesNone { what: "column", .. } => "name one or more columns",
            Self::NamesNone { .. } => "name splits, such as `shares = { train = 0.5, test = 0.5 }`",
            Self::ColumnTwice { .. } | Self::DerivedTwice { .. } => "name it once",
            Self::Skeleton { error, .. } => return error.hint(),
            Self::DerivedStranger { .. } => {
                "left of `=` stands a joint of the skeleton in `to`, right of it joints that the rows have"
            }
            Self::DerivedOfNone { .. } => "name the joints in whose middle it lies",
            Self::NoSharedJoint { .. } => "map to a skeleton with some of the same joints",
            Self::MapsMade { .. } => "map the skeleton before the maps are made",
            Self::EmptyList { .. } => "write one name per line",
            Self::DividesSessions { .. } => {
                "split by `subject`, `device` or `session`, or put the stage before `window`"
            }
            Self::Shares { .. } => "change one of the shares",
            Self::FewPeople { .. } => "lower `counts`, or use `shares`",
        };
        Some(hint.to_owned())
    }

    fn fault(&self) -> Fault {
        if matches!(self, Self::FewPeople { .. }) { Fault::Data } else { Fault::Config }
    }
}
