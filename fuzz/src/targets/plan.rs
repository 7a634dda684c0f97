//! Plans: parsed, hashed, and checked as graphs. Sources are given tables in place of their files.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use pipeline::graph::{Graph, GraphError, print_graph};
use pipeline::plan::{Override, Plan, SourceConfig};
use pipeline::recipes;
use schemas::skeleton::{FLIC11, LSP14, MPII16};
use schemas::tables::{keypoints, people, readings, signals};

use crate::Target;
use crate::pieces::{joined, part};

pub(crate) const TARGET: Target = Target {
    name: "plan",
    seeds,
    words: &[
        "[sources.people]",
        "[stages.x]",
        "[sinks.out]",
        "inputs = [\"people\"]",
        "read.table = { path = \"people\" }",
        "read.coco_results = { file = \"r.json\" }",
        "read.logs = { path = \"l\", preset = \"sp-sw-har\" }",
        "write.parquet = { path = \"o\" }",
        "write.coco = { path = \"o\" }",
        "seed = ",
        "rejects = ",
        "[runner]",
        "batch_rows = 0",
        "unit_batches = 1",
        "memory_mib = 4294967295",
        "run.filter = { where = \"scale > 1\" }",
        "run.select = { columns = [\"sample_id\"] }",
        "run.crop = { size = [64, 64], frame = \"whole_image\" }",
        "run.flip = {}",
        "run.encode_heatmaps = { stride = 4, sigma = 1 }",
        "run.window = { blocks = 2, block_seconds = 1 }",
        "run.features = {}",
        "run.normalise = {}",
        "run.resample = { rate_hz = 50 }",
        "run.repeat = { copies = 2 }",
        "run.split = {}",
        "run.map_skeleton = { to = \"mpii16\" }",
        "nan",
        "inf",
        "1e308",
        "-1",
        "9223372036854775807",
        "\n====\n",
        "seed=1\n",
        "stages.x.run.flip.probability=2\n",
    ],
    run,
};

fn run(input: &[u8]) -> u64 {
    let (text, sets) = part(input);
    let (Ok(text), Ok(sets)) = (std::str::from_utf8(text), std::str::from_utf8(sets)) else { return 0 };
    let overrides: Vec<Override> = sets.lines().filter_map(|line| line.parse().ok()).collect();
    let plan = match Plan::parse(text, "plan.toml", &overrides) {
        Ok(plan) => plan,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return 0;
        }
    };
    plan.hash();
    let given = plan.sources.iter().map(|(name, source)| (name.clone(), table(name, &source.read))).collect();
    match Graph::build_given(plan, 1, given) {
        Ok(graph) => {
            assert!(!print_graph(&graph).is_empty());
            graph.engines();
            graph.nodes.len() as u64
        }
        Err(error) => {
            told(&error);
            0
        }
    }
}

fn told(error: &GraphError) {
    assert!(!error.to_string().is_empty());
    error.hint();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        assert!(!inner.to_string().is_empty());
        cause = inner.source();
    }
}

/// A table without rows, as `source` called `name` may give it.
fn table(name: &str, source: &SourceConfig) -> Vec<RecordBatch> {
    let schema: SchemaRef = match (source.kind(), name) {
        ("hmog" | "logs", _) | (_, "readings" | "logs") => readings::schema(),
        ("predictions" | "coco_results", _) | (_, "keypoints") => keypoints::schema(&LSP14),
        (_, "signals") => {
            let channels = ["accelerometer_x", "accelerometer_y", "accelerometer_z"].map(str::to_owned);
            signals::schema(&channels, 50.0)
        }
        ("mpii", _) => people::schema(&MPII16),
        ("flic", _) => people::schema(&FLIC11),
        _ => people::schema(&LSP14),
    };
    vec![RecordBatch::new_empty(schema)]
}

const FEW: &str = r#"[sources.people]
read.table = { path = "people", split = "test" }
[stages.kept]
inputs = ["people"]
run.filter = { where = "annotated_joints >= 8" }
[stages.crop]
inputs = ["kept"]
run.crop = { size = [64, 64], frame = { person = { height = 50 } } }
[stages.flip]
inputs = ["crop"]
run.flip = { probability = 0.5 }
[sinks.selection]
inputs = ["flip"]
write.parquet = { path = "selection" }
"#;

fn seeds() -> Vec<Vec<u8>> {
    let bare = |text: &str| -> String {
        let lines = text.lines().map(|line| line.split(" # ").next().unwrap_or_default().trim_end());
        lines.filter(|line| !line.is_empty() && !line.starts_with('#')).collect::<Vec<_>>().join("\n")
    };
    let mut seeds = vec![joined(&[FEW]), joined(&[FEW, "seed=3\nstages.flip.run.flip.probability=1\n"])];
    // Recipes that open a network or a table need its file; their other half is in the recipes that make samples.
    let alone = |text: &String| !text.contains(".onnx") && !text.contains("displacements = ");
    let own = recipes::ALL.iter().map(|recipe| bare(recipe.text)).filter(alone);
    seeds.extend(own.map(String::into_bytes));
    seeds
}
