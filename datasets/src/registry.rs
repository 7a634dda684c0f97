//! The two lists of formats: sources of rows and sinks, under their names in a plan.
//!
//! A format is one file of this crate and one line here. The keys of plans, the commands `ingest` and `export`, the
//! functions of the Python package and the reference follow from its configuration.

use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ReadError;
use crate::coco::{BoxesConfig, CocoConfig, CocoResultsConfig};
use crate::export::{
    ArrowExport, CocoExport, CocoResultsExport, ExportError, HrnetExport, PredsExport, WebdatasetExport,
    YoloExport,
};
use crate::flic::FlicConfig;
use crate::imu::{CsvLogs, HmogLogs};
use crate::lsp::LspConfig;
use crate::lspet::LspetConfig;
use crate::mpii::MpiiConfig;
use crate::predictions::PredictionsConfig;
use crate::shards::{Claiming, ParquetSink, Provenance, TableSource};
use crate::sink::{Sink, Target, Written};
use crate::source::{OpenSource, Source};
use crate::trials_csv::TrialsConfig;
use crate::videos::{JhmdbConfig, PennActionConfig, PosetrackConfig};
use crate::yolo::YoloConfig;

/// Writes the enum of all configurations of sources, and sends each call on to the format, from one list.
macro_rules! sources {
    ($($name:literal $variant:ident($config:ty),)*) => {
        /// What a source reads: `read.NAME = { .. }` in a plan.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[cfg_attr(feature = "clap", derive(clap::Subcommand))]
        #[expect(missing_docs, reason = "each configuration says what its format is")]
        pub enum SourceConfig {
            $(#[serde(rename = $name)] $variant($config),)*
        }

        impl SourceConfig {
            /// The names of all sources, each with the tables that it takes as inputs.
            pub const KINDS: &[(&str, &[&str])] = &[$(($name, <$config as Source>::INPUTS),)*];

            /// The source's name in a plan.
            pub fn kind(&self) -> &'static str {
                match self { $(Self::$variant(_) => $name,)* }
            }

            /// [`Source::INPUTS`].
            pub fn inputs(&self) -> &'static [&'static str] {
                match self { $(Self::$variant(_) => <$config as Source>::INPUTS,)* }
            }

            /// [`Source::schema`].
            ///
            /// # Errors
            /// As the format says.
            pub fn schema(&self, inputs: &[SchemaRef]) -> Result<SchemaRef, ReadError> {
                match self { $(Self::$variant(config) => config.schema(inputs),)* }
            }

            /// [`Source::files`].
            pub fn files(&self) -> Vec<PathBuf> {
                match self { $(Self::$variant(config) => config.files(),)* }
            }

            /// [`Source::open`].
            ///
            /// # Errors
            /// As the format says.
            pub fn open(&self, inputs: &[Vec<RecordBatch>]) -> Result<OpenSource, ReadError> {
                match self { $(Self::$variant(config) => config.open(inputs),)* }
            }
        }
    };
}

/// As [`sources`], for sinks.
macro_rules! sinks {
    ($($name:literal $variant:ident($config:ty),)*) => {
        /// What a sink writes: `write.NAME = { .. }` in a plan.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[cfg_attr(feature = "clap", derive(clap::Subcommand))]
        #[expect(missing_docs, reason = "each configuration says what its format is")]
        pub enum SinkConfig {
            $(#[serde(rename = $name)] $variant($config),)*
        }

        impl SinkConfig {
            /// The names of all sinks, each with the tables that it takes as inputs.
            pub const KINDS: &[(&str, &[&str])] = &[$(($name, <$config as Sink>::INPUTS),)*];

            /// The sink's name in a plan.
            pub fn kind(&self) -> &'static str {
                match self { $(Self::$variant(_) => $name,)* }
            }

            /// [`Sink::INPUTS`].
            pub fn inputs(&self) -> &'static [&'static str] {
                match self { $(Self::$variant(_) => <$config as Sink>::INPUTS,)* }
            }

            /// [`Sink::path`].
            pub fn path(&self) -> &Path {
                match self { $(Self::$variant(config) => config.path(),)* }
            }

            /// [`Sink::check`].
            ///
            /// # Errors
            /// As the format says.
            pub fn check(&self, inputs: &[SchemaRef]) -> Result<(), ExportError> {
                match self { $(Self::$variant(config) => config.check(inputs),)* }
            }

            /// [`Sink::IN_UNITS`].
            pub fn in_units(&self) -> bool {
                match self { $(Self::$variant(_) => <$config as Sink>::IN_UNITS,)* }
            }

            /// [`Sink::complete`].
            ///
            /// # Errors
            /// As the format says.
            pub fn complete(&self, provenance: &Provenance, deep: bool) -> Result<Option<Written>, ExportError> {
                match self { $(Self::$variant(config) => config.complete(provenance, deep),)* }
            }

            /// [`Sink::claim`].
            ///
            /// # Errors
            /// As the format says.
            pub fn claim(
                &self,
                inputs: &[SchemaRef],
                provenance: Provenance,
                claiming: Claiming,
            ) -> Result<Target, ExportError> {
                match self { $(Self::$variant(config) => config.claim(inputs, provenance, claiming),)* }
            }
        }
    };
}

sources! {
    "table" Table(TableSource),
    "mpii" Mpii(MpiiConfig),
    "lsp" Lsp(LspConfig),
    "lspet" Lspet(LspetConfig),
    "flic" Flic(FlicConfig),
    "coco" Coco(CocoConfig),
    "yolo" Yolo(YoloConfig),
    "penn_action" PennAction(PennActionConfig),
    "jhmdb" Jhmdb(JhmdbConfig),
    "posetrack" Posetrack(PosetrackConfig),
    "hmog" Hmog(HmogLogs),
    "logs" Logs(CsvLogs),
    "trials" Trials(TrialsConfig),
    "predictions" Predictions(PredictionsConfig),
    "coco_results" CocoResults(CocoResultsConfig),
    "boxes" Boxes(BoxesConfig),
}

sinks! {
    "parquet" Parquet(ParquetSink),
    "arrow" Arrow(ArrowExport),
    "coco" Coco(CocoExport),
    "coco_results" CocoResults(CocoResultsExport),
    "hrnet" Hrnet(HrnetExport),
    "preds" Preds(PredsExport),
    "yolo" Yolo(YoloExport),
    "webdataset" Webdataset(WebdatasetExport),
}
