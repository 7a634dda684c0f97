//! Where rows of a plan come from.

use std::path::PathBuf;

use datasets::imu::{CsvLogs, HmogLogs};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a source reads.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum SourceConfig {
    /// A table folder that motionmill wrote, or one Parquet file.
    Table {
        /// The folder or file.
        #[schemars(extend("format" = "path"))]
        path: PathBuf,
        /// One split of the folder; all if not given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        split: Option<String>,
    },
    /// MPII Human Pose: the `RELEASE` `.mat`, the `HRNet` JSON, the hourglass `.h5` or `gt_valid.mat`.
    Mpii {
        /// The annotation file; its content tells which of the four it is.
        #[schemars(extend("format" = "path"))]
        annotations: PathBuf,
        /// Folder of the pictures.
        #[schemars(extend("format" = "path"))]
        images: PathBuf,
        /// A `valid.h5` whose people are kept, in its order.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(extend("format" = "path"))]
        subset: Option<PathBuf>,
    },
    /// Leeds Sports Pose, `joints.mat` of 3 x 14 x N.
    Lsp {
        /// The annotation file.
        #[schemars(extend("format" = "path"))]
        annotations: PathBuf,
        /// Folder of the pictures.
        #[schemars(extend("format" = "path"))]
        images: PathBuf,
    },
    /// Leeds Sports Pose extended training, `joints.mat` of 14 x 3 x N.
    Lspet {
        /// The annotation file.
        #[schemars(extend("format" = "path"))]
        annotations: PathBuf,
        /// Folder of the pictures.
        #[schemars(extend("format" = "path"))]
        images: PathBuf,
    },
    /// FLIC, `examples.mat`.
    Flic {
        /// The annotation file.
        #[schemars(extend("format" = "path"))]
        annotations: PathBuf,
        /// Folder of the pictures.
        #[schemars(extend("format" = "path"))]
        images: PathBuf,
        /// Whose left and right: the person's, as stored, or the observer's.
        #[serde(default)]
        labels: FlicLabels,
        /// The FLIC-plus index list into FLIC-full.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(extend("format" = "path"))]
        plus: Option<PathBuf>,
    },
    /// COCO keypoints, or another data set in its format.
    Coco {
        /// The annotation file.
        #[schemars(extend("format" = "path"))]
        annotations: PathBuf,
        /// Folder of the pictures.
        #[schemars(extend("format" = "path"))]
        images: PathBuf,
        /// Name of the category, where several have keypoints.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        category: Option<String>,
        /// Name of the data set, where it is not COCO itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        dataset: Option<String>,
        /// The split of all people; else the file's name tells.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        split: Option<String>,
    },
    /// Accelerometer and gyroscope logs in CSV files, as declared.
    Logs(CsvLogs),
    /// HMOG: zips or folders of a subject each.
    Hmog(HmogLogs),
}

/// Whose left and right FLIC's joints are named for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FlicLabels {
    /// The person's, as the file stores it.
    #[default]
    PersonCentric,
    /// The observer's: people who face away have left and right swapped.
    ObserverCentric,
}

impl SourceConfig {
    /// The files and table folders that it reads, to be hashed.
    pub fn inputs(&self) -> Vec<PathBuf> {
        match self {
            Self::Table { path, .. } => vec![path.clone()],
            Self::Mpii { annotations, subset: more, .. } | Self::Flic { annotations, plus: more, .. } => {
                std::iter::once(annotations.clone()).chain(more.clone()).collect()
            }
            Self::Lsp { annotations, .. }
            | Self::Lspet { annotations, .. }
            | Self::Coco { annotations, .. } => {
                vec![annotations.clone()]
            }
            // Logs are found when the source is opened; it hashes them as one.
            Self::Logs(_) | Self::Hmog(_) => Vec::new(),
        }
    }
}
