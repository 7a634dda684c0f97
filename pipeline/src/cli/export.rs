//! The words of `motionmill export`, and of reading COCO.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use datasets::coco::BoxRule;
use schemas::units::Count;

use super::{AnnotationArgs, OutArgs};

/// The format to write.
#[derive(Debug, Subcommand)]
pub enum Export {
    /// COCO keypoints JSON, of a table of people
    Coco {
        /// What is written, and where to
        #[command(flatten)]
        files: ExportArgs,
        /// How images are called
        #[command(flatten)]
        images: ImageArgs,
        /// What a person's box is made from, where the source states none
        #[arg(long, value_enum, default_value_t, value_name = "RULE")]
        bbox: Boxes,
    },
    /// COCO results JSON, of a table of keypoints
    CocoResults(PredictionExportArgs),
    /// MPII JSON of `HRNet` and mmpose, of a table of people (mpii16)
    Hrnet {
        /// What is written, and where to
        #[command(flatten)]
        files: ExportArgs,
        /// How images are called
        #[command(flatten)]
        images: ImageArgs,
    },
    /// The array `preds` of N x K x 2 in a .mat, as evaluators of MPII read it, of a table of keypoints
    Preds(PredictionExportArgs),
    /// A folder of pictures, labels and data.yaml for trainers of YOLO-pose, of a table of people
    Yolo {
        /// What is written, and where to
        #[command(flatten)]
        files: ExportArgs,
        /// How images are called
        #[command(flatten)]
        images: ImageArgs,
        /// What a person's box is made from, where the source states none
        #[arg(long, value_enum, default_value_t, value_name = "RULE")]
        bbox: Boxes,
        /// Link to the pictures instead of copying them
        #[arg(long)]
        link: bool,
    },
    /// `WebDataset` shards, of a table of samples with encoded pictures
    Webdataset {
        /// What is written, and where to
        #[command(flatten)]
        files: ExportArgs,
        /// Largest size of a shard, in MiB
        #[arg(long, value_name = "MIB", default_value = "512", value_parser = count)]
        shard_mib: Count,
    },
}

/// What is written, and where to.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// A table folder or one Parquet file
    pub table: PathBuf,
    /// The file or folder to write
    #[arg(long, value_name = "PATH")]
    pub out: PathBuf,
    /// Only this split
    #[arg(long)]
    pub split: Option<String>,
    /// Replace what an export has put there
    #[arg(long)]
    pub overwrite: bool,
}

/// Predictions, and the people that they are of.
#[derive(Debug, Args)]
pub struct PredictionExportArgs {
    /// What is written, and where to
    #[command(flatten)]
    pub files: ExportArgs,
    /// The people that they are of: they give order, joints and numbers of images
    #[arg(long, value_name = "TABLE")]
    pub people: PathBuf,
    /// The output head, from 1; each person's last if not given
    #[arg(long, value_name = "NUMBER")]
    pub stage: Option<i32>,
}

/// How images are called.
#[derive(Debug, Args)]
pub struct ImageArgs {
    /// The folder that names of images are relative to; their file names alone if not given
    #[arg(long, value_name = "DIR")]
    pub images: Option<PathBuf>,
}

/// What a person's box is made from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Boxes {
    /// The smallest box around all annotated joints and the head rectangle.
    #[default]
    Keypoints,
    /// The square of scale x 200 px around the centre.
    Scale,
}

impl From<Boxes> for BoxRule {
    fn from(boxes: Boxes) -> Self {
        match boxes {
            Boxes::Keypoints => Self::Keypoints,
            Boxes::Scale => Self::Scale,
        }
    }
}

/// A COCO annotation file.
#[derive(Debug, Args)]
pub struct CocoArgs {
    /// What is read, and where it goes
    #[command(flatten)]
    pub files: AnnotationArgs,
    /// Name of the category, where several have keypoints
    #[arg(long, value_name = "NAME")]
    pub category: Option<String>,
    /// Name of the data set, where it is not COCO itself
    #[arg(long, value_name = "NAME")]
    pub dataset: Option<String>,
    /// The split of all people; else the file's name tells
    #[arg(long)]
    pub split: Option<String>,
}

/// COCO results and the people that they are of.
#[derive(Debug, Args)]
pub struct CocoResultArgs {
    /// The file
    pub file: PathBuf,
    /// The people: from `ingest coco`, or those that `export coco` has written
    #[arg(long, value_name = "TABLE")]
    pub people: PathBuf,
    /// Only the people of this split; the one that was exported, where one was
    #[arg(long)]
    pub split: Option<String>,
    /// Number of the category, where the file has several
    #[arg(long, value_name = "NUMBER")]
    pub category_id: Option<i64>,
    /// What made the predictions; the file's name if not given
    #[arg(long)]
    pub model: Option<String>,
    /// Where it goes
    #[command(flatten)]
    pub out: OutArgs,
}

fn count(text: &str) -> Result<Count, String> {
    let number: f64 = text.parse().map_err(|_| format!("a whole number is wanted, found `{text}`"))?;
    Count::try_from(number).map_err(|error| error.to_string())
}
