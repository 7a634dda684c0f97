//! How a plan declares CSV logs.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::file_group::{Cut, FileGroup};
use super::presets::Preset;

/// Accelerometer and gyroscope logs in CSV files.
///
/// ```toml
/// path = "logs"                       # a folder, or one file
/// dataset = "our-study"
/// sessions = { gap_seconds = 60 }     # optional: cut long logs
///
/// [[files]]
/// pattern = "{subject}/{session}.csv" # fields: subject, device, session, activity, sensor; `*` is anything
/// header = true                       # the first line holds the names of the columns
/// separator = ","
/// clock = "ms"                        # s, ms, us, ns or date-time
/// stamp = "time"                      # a column: by name, or by number from 1
/// sensors = { accelerometer = ["ax", "ay", "az"], gyroscope = ["gx", "gy", "gz"] }
/// units = { accelerometer = "m/s2", gyroscope = "rad/s" }
/// device = { value = "nexus5" }       # subject, device, session: a constant, a column, or from the pattern
/// activity = { column = "label" }
/// ```
///
/// Published data sets and the exports of some apps need no declaration: `preset = "pamap2"`.
///
/// Files that agree in subject, device and session make one session, even if each sensor has its own file. The rows
/// of a file whose subject, device or session comes from a column are grouped by value, in order of first appearance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "clap", derive(clap::Args))]
#[cfg_attr(feature = "clap", command(group = clap::ArgGroup::new("declared").required(true)))]
#[serde(deny_unknown_fields)]
pub struct CsvLogs {
    /// A folder, or one file.
    #[schemars(extend("format" = "path"))]
    pub path: PathBuf,
    /// A TOML file with the keys `files`, `dataset` and `sessions`, instead of giving them here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "path"))]
    #[cfg_attr(feature = "clap", arg(long, value_name = "FILE", group = "declared"))]
    pub layout: Option<PathBuf>,
    /// Name of the data set; a preset has its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "clap", arg(long, value_name = "NAME"))]
    pub dataset: Option<String>,
    /// A data set whose files are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "clap", arg(long, value_enum, group = "declared"))]
    pub preset: Option<Preset>,
    /// Print a layout guessed from the first lines of the logs, with comments, and read nothing into a table.
    #[serde(skip)]
    #[cfg_attr(feature = "clap", arg(long, group = "declared", conflicts_with_all = ["layout", "preset"]))]
    pub guess: bool,
    /// Groups of files; a file belongs to the first group whose pattern matches, and to all others of the same pattern.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "clap", arg(skip))]
    pub files: Vec<FileGroup>,
    /// How to cut long logs; without it they are not cut. It overrides the preset's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "clap", arg(skip))]
    pub sessions: Option<Cut>,
}
