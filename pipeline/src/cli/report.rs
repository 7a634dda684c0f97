//! The words of `motionmill report`.

use std::path::PathBuf;

use clap::Args;
use stages::evaluate::Protocol;

/// A run to report on.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// The folder that the run wrote its tables to, or one table
    pub run: PathBuf,
    /// The page to write; an earlier one of motionmill is replaced
    #[arg(long, value_name = "FILE.html", default_value = "report.html")]
    pub out: PathBuf,
    /// Another run, or one of its tables, to compare with on the same people
    #[arg(long, value_name = "DIR")]
    pub against: Option<PathBuf>,
    /// The `people` table of the truth; repeat for more. Found below RUN by default
    #[arg(long, value_name = "DIR")]
    pub truth: Vec<PathBuf>,
    /// The `keypoints` table to report on; repeat for more. All below RUN by default
    #[arg(long, value_name = "DIR")]
    pub predictions: Vec<PathBuf>,
    /// The `heatmaps` table that the predictions were decoded from
    #[arg(long, value_name = "DIR")]
    pub heatmaps: Option<PathBuf>,
    /// The `trials` table to report on; repeat for more. All below RUN by default
    #[arg(long, value_name = "DIR")]
    pub trials: Vec<PathBuf>,
    /// A `trials` table for the threshold; by default the validation split of the trials
    #[arg(long, value_name = "DIR")]
    pub validation: Option<PathBuf>,
    /// The protocol, repeat for more, the first one throughout; by default that of the run's metric table
    #[arg(long, value_name = "NAME")]
    pub protocol: Vec<Protocol>,
    /// Only the people of this split; by default those of the predictions
    #[arg(long)]
    pub split: Option<String>,
    /// How many of the people with the largest error are shown
    #[arg(long, default_value_t = ::report::page::DEFAULT_WORST, value_name = "N")]
    pub worst: usize,
    /// Bootstrap resamples behind intervals that no metric table has; 0 for none
    #[arg(long, default_value_t = stages::evaluate::DEFAULT_RESAMPLES)]
    pub resamples: u32,
    /// Folder that relative image paths start from
    #[arg(long, value_name = "DIR")]
    pub images: Option<PathBuf>,
    /// Heading of the page
    #[arg(long)]
    pub title: Option<String>,
    /// Replace a page that something else has put there
    #[arg(long)]
    pub force: bool,
}
