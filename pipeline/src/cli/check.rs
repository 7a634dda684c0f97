//! The words of `motionmill check`.

use std::path::PathBuf;
use std::str::FromStr;

use ::report::findings::DEFAULT_SHOWN;
use clap::Args;
use stages::check::Rule;

use super::{Format, named};
use crate::plan::Override;

/// Tables of people to check.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// A table of people; several are checked as one, so that leaks between them are found
    #[arg(required = true, value_name = "PEOPLE")]
    pub people: Vec<PathBuf>,
    /// Only the people of this split
    #[arg(long)]
    pub split: Option<String>,
    /// Only this rule; repeat for more
    #[arg(long, value_name = "RULE", value_parser = named::<Rule>, help = rule_help("Only this rule, repeat for more"))]
    pub rule: Vec<Rule>,
    /// Change a threshold: a key of the stage `check` and its value; repeat for more
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<Override>,
    /// Folder that relative image paths start from
    #[arg(long, value_name = "DIR")]
    pub images: Option<PathBuf>,
    /// How the summary is printed
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// Write the findings as a table
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Draw the clearest findings of each rule: one page of HTML, or a sheet as PNG; an earlier one is replaced
    #[arg(long, value_name = "FILE.html|FILE.png")]
    pub gallery: Option<PathBuf>,
    /// How many findings of each rule are drawn
    #[arg(long, default_value_t = DEFAULT_SHOWN, value_name = "N")]
    pub show: usize,
    /// Exit with 1 if this rule finds something, or `any`; repeat for more
    #[arg(long, value_name = "RULE|any")]
    pub fail_on: Vec<FailOn>,
    /// Replace a table, page or picture that other work has put there
    #[arg(long)]
    pub force: bool,
}

/// What makes a check fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailOn {
    /// A finding of any rule.
    Any,
    /// A finding of this rule.
    Rule(Rule),
}

impl FromStr for FailOn {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "any" { Ok(Self::Any) } else { named(text).map(Self::Rule) }
    }
}

impl FailOn {
    /// Whether a finding of `rule` makes the check fail.
    pub fn covers(self, rule: Rule) -> bool {
        self == Self::Any || self == Self::Rule(rule)
    }
}

fn rule_help(lead: &str) -> String {
    let names: Vec<&str> = Rule::ALL.iter().map(|rule| rule.name()).collect();
    format!("{lead}: {}", names.join(", "))
}
