//! The arguments of the command line.

mod check;
mod formats;
mod report;
mod threads;

use std::path::PathBuf;
use std::str::FromStr;

use ::report::motion::Blocks;
use clap::{Args, Parser, Subcommand, ValueEnum};
use serde::de::{DeserializeOwned, IntoDeserializer};
use stages::evaluate::Protocol;
use stages::evaluate::verification::EerMethod;

use crate::plan::Override;
use crate::runner::MostRejects;

pub use check::{CheckArgs, FailOn};
pub use formats::{Export, Ingest};
pub use report::ReportArgs;

/// Turns raw human-motion data into what trainers, models and papers need, in one streaming pass.
#[derive(Debug, Parser)]
#[command(name = "motionmill", version, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Read original annotations, logs or predictions into a table
    #[command(subcommand)]
    Ingest(Ingest),
    /// Check annotations: contradictions, outliers, duplicates, leaks between splits
    Check(CheckArgs),
    /// Check a plan and print its graph with the schema on each edge, without reading a row
    Plan(PlanArgs),
    /// Check a plan, then run it
    Run(RunArgs),
    /// Complete a plan whose parts an array of runs has done, see `run --shard`
    Merge(MergeArgs),
    /// Check that every file of tables and exports is the one that was written
    Verify {
        /// Table folders, or exported files and folders
        #[arg(required = true)]
        paths: Vec<PathBuf>,
    },
    /// Score predictions or trials by a named protocol
    #[command(subcommand)]
    Evaluate(Evaluate),
    /// Write a table as files for other programs
    #[command(subcommand)]
    Export(Export),
    /// Print what a table holds: schema, counts, splits, joints, what made it
    Inspect {
        /// A table folder or one Parquet file
        path: PathBuf,
    },
    /// Draw a table: skeletons, samples, heatmaps, signals with their windows, log quality, scores
    Preview(PreviewArgs),
    /// Make one page about a run: numbers, curves, the worst people, comparison with another run
    Report(ReportArgs),
    /// Write the model card of an ONNX network of a well-known family, and hold it against the network; without a network,
    /// list the families
    Card(CardArgs),
    /// Say which ONNX Runtime, providers and devices work here, and what to install otherwise
    Doctor,
    /// Run both chains on synthetic people and logs: generate, ingest, augment, infer, evaluate
    Demo {
        /// Folder of everything that the demo makes; it is replaced
        #[arg(long, default_value = "demo")]
        out: PathBuf,
    },
}

/// A plan.
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// The plan file, or `recipe:NAME` for one that ships with motionmill
    pub plan: PathBuf,
    /// Change a value of the plan: a dotted key and a TOML value; repeat for more
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<Override>,
}

/// A network and its family.
#[derive(Debug, Args)]
pub struct CardArgs {
    /// The `.onnx` file
    pub model: Option<PathBuf>,
    /// Its family
    #[arg(long, value_name = "NAME")]
    pub family: Option<String>,
    /// Its skeleton, where it is another than the family usually has: a name, or a TOML file
    #[arg(long, value_name = "NAME")]
    pub skeleton: Option<String>,
    /// Width and height of the crops in px, where the network leaves its sides free
    #[arg(long, value_name = "W,H", value_parser = size)]
    pub size: Option<[u32; 2]>,
    /// The card; by default the `.toml` of the same stem beside the network
    #[arg(long)]
    pub out: Option<PathBuf>,
    /// Replace a card that is there
    #[arg(long)]
    pub force: bool,
}

/// `W,H` in px.
fn size(text: &str) -> Result<[u32; 2], String> {
    let side = |text: &str| text.trim().parse().ok().filter(|side| (1..=16384).contains(side));
    let sides = text.split_once(',').and_then(|(width, height)| Some([side(width)?, side(height)?]));
    sides.ok_or_else(|| "width and height in px are expected, such as `256,256`".to_owned())
}

/// A plan, and how to run it.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// The plan
    #[command(flatten)]
    pub plan: PlanArgs,
    /// Threads, 1 to 512; by default as many as the machine has. The output does not depend on them
    #[arg(long, value_parser = threads::threads)]
    pub threads: Option<std::num::NonZeroUsize>,
    /// Replace outputs that other work has written there
    #[arg(long)]
    pub force: bool,
    /// What may be rejected
    #[command(flatten)]
    pub rejects: RejectsArgs,
    /// Do one part of an array of runs, then complete all with `merge`; without a value, the part that a Slurm array or
    /// an indexed Kubernetes Job has given this process
    #[arg(long, value_name = "I/N", num_args = 0..=1, default_missing_value = ARRAY)]
    pub shard: Option<String>,
}

/// The value of `--shard` where none is given: the environment tells.
pub const ARRAY: &str = "array";

/// A plan whose parts are done.
#[derive(Debug, Args)]
pub struct MergeArgs {
    /// The plan
    #[command(flatten)]
    pub plan: PlanArgs,
    /// Threads, 1 to 512; by default as many as the machine has
    #[arg(long, value_parser = threads::threads)]
    pub threads: Option<std::num::NonZeroUsize>,
    /// Replace outputs that other work has written there
    #[arg(long)]
    pub force: bool,
    /// What may be rejected
    #[command(flatten)]
    pub rejects: RejectsArgs,
}

/// How much may be rejected.
#[derive(Debug, Clone, Copy, Args)]
pub struct RejectsArgs {
    /// Fail where more rows are rejected than this number, or this share of those read, such as `5%`; what a filter
    /// leaves out does not count. The tables are written all the same. A run that keeps nothing always fails
    #[arg(long, value_name = "N|P%")]
    pub fail_on_rejects: Option<MostRejects>,
}

/// What to score.
#[derive(Debug, Subcommand)]
pub enum Evaluate {
    /// Keypoints of people
    Pose(EvaluatePoseArgs),
    /// Verification scores: who holds the phone
    Verification(EvaluateVerificationArgs),
}

/// Trials and how to read them.
#[derive(Debug, Args)]
pub struct EvaluateVerificationArgs {
    /// The `trials` table
    #[arg(long, value_name = "DIR")]
    pub trials: PathBuf,
    /// A `trials` table for the threshold; by default the validation split of `--trials`
    #[arg(long, value_name = "DIR")]
    pub validation: Option<PathBuf>,
    /// The split whose people set the threshold
    #[arg(long, default_value = "validation", value_name = "NAME")]
    pub validation_split: String,
    /// The split that is scored
    #[arg(long, default_value = "test", value_name = "NAME")]
    pub split: String,
    /// How the equal error rate is read off the curve
    #[arg(long, default_value = "linear", value_name = "linear|rocch|midpoint", value_parser = named::<EerMethod>)]
    pub eer: EerMethod,
    /// Bootstrap resamples behind the 95 % intervals; 0 for none
    #[arg(long, default_value_t = stages::evaluate::DEFAULT_RESAMPLES)]
    pub resamples: u32,
    /// How the numbers are printed
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// Also write the numbers as a `metrics` table
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Draw ROC, DET, scores and clients; an earlier plot is replaced
    #[arg(long, value_name = "FILE.png")]
    pub plot: Option<PathBuf>,
    /// Replace a table or picture that other work has put there
    #[arg(long)]
    pub force: bool,
}

/// Truth, predictions and the protocol.
#[derive(Debug, Args)]
pub struct EvaluatePoseArgs {
    /// The `people` table of the truth
    #[arg(long, value_name = "DIR")]
    pub truth: PathBuf,
    /// The `keypoints` table of the predictions
    #[arg(long, value_name = "DIR")]
    pub predictions: PathBuf,
    /// The protocol; repeat for more
    #[arg(long, required = true, value_name = "NAME", help = protocol_help())]
    pub protocol: Vec<Protocol>,
    /// Only the people of this split
    #[arg(long)]
    pub split: Option<String>,
    /// Bootstrap resamples behind the 95 % intervals; 0 for none
    #[arg(long, default_value_t = stages::evaluate::DEFAULT_RESAMPLES)]
    pub resamples: u32,
    /// How the numbers are printed
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// Also write the numbers as a `metrics` table
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Replace a table that other work has written there
    #[arg(long)]
    pub force: bool,
}

/// How numbers are printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A table for people.
    #[default]
    Text,
    /// A list of `metrics` rows.
    Json,
}

/// A table to draw.
#[derive(Debug, Args)]
pub struct PreviewArgs {
    /// A table folder or one Parquet file
    pub path: PathBuf,
    /// The picture to write; an earlier one of motionmill is replaced
    #[arg(long, value_name = "FILE.png")]
    pub out: PathBuf,
    /// How many rows are drawn, spread evenly over the table
    #[arg(long, default_value_t = 16)]
    pub count: usize,
    /// For `signals`: the window that is drawn, as blocks x samples / hop
    #[arg(long, value_name = "TxB/H")]
    pub blocks: Option<DrawnBlocks>,
    /// For a `keypoints` table: the `people` table with pictures and truth
    #[arg(long, value_name = "DIR")]
    pub people: Option<PathBuf>,
    /// Only this split
    #[arg(long)]
    pub split: Option<String>,
    /// Replace a picture that something else has put there
    #[arg(long)]
    pub force: bool,
}

/// A window to draw: blocks x samples / hop.
#[derive(Debug, Clone, Copy)]
pub struct DrawnBlocks(pub Blocks);

impl Default for DrawnBlocks {
    /// The windows of Project Abacus.
    fn default() -> Self {
        Self(Blocks { blocks: 20, samples: 50, hop: 25 })
    }
}

impl FromStr for DrawnBlocks {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("a window is written as in `20x50/25`, found `{text}`");
        let (blocks, rest) = text.split_once('x').ok_or_else(wrong)?;
        let (samples, hop) = rest.split_once('/').ok_or_else(wrong)?;
        let number = |text: &str| text.parse().ok().filter(|number: &usize| *number > 0).ok_or_else(wrong);
        Ok(Self(Blocks { blocks: number(blocks)?, samples: number(samples)?, hop: number(hop)? }))
    }
}

/// The value called `name`, as plans spell it.
fn named<T: DeserializeOwned>(name: &str) -> Result<T, String> {
    T::deserialize(name.into_deserializer()).map_err(|error: serde::de::value::Error| error.to_string())
}

fn protocol_help() -> String {
    let names: Vec<&str> = Protocol::ALL.iter().map(|protocol| protocol.name()).collect();
    format!("The protocol, repeat for more: {}", names.join(", "))
}
