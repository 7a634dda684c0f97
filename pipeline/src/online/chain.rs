//! A chain of stages that is asked for the samples of given rows and a given epoch.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{Int32Array, RecordBatch};
use arrow::compute::{concat_batches, filter_record_batch};
use arrow::datatypes::{DataType, Field, SchemaRef};
use schemas::SchemaError;
use schemas::columns::{schema_with, strings, with_column};
use schemas::tables::rejects::{Reject, total_rows};
use schemas::tables::samples::{COPY, IMAGE, raw_image_size};
use stages::encode::EncodeImageConfig;
use stages::registry::StageConfig;
use stages::stage::take_rows;
use stages::{FanOut, Outcome, Stage};

use super::path::{Cut, cut, lead_to, listed};
use super::{OnlineError, Pictures, pictures};
use crate::graph::{Graph, GraphError, Work};
use crate::plan::{Plan, SourceConfig};
use crate::runner::RunError;
use datasets::shards::TableSource;
use datasets::source::Load;

/// Rows of a source that the head takes at a time.
const HEAD_ROWS: usize = 4096;

/// Options of a chain besides its plan.
#[derive(Debug, Default)]
pub struct ChainOptions {
    /// The sink that the rows would go to; the plan's only one if not given.
    pub sink: Option<String>,
    /// What is read instead of the plan's sources, each with the name of the source; if the plan has only one, its
    /// name may be left out.
    pub people: Vec<(Option<String>, People)>,
    /// Seed in the place of the plan's.
    pub seed: Option<u64>,
    /// How pictures are given.
    pub pictures: Pictures,
}

/// What is read in the place of a source.
#[derive(Debug)]
pub enum People {
    /// Rows in memory. If the source names a split, only rows of that split are used.
    Rows(Vec<RecordBatch>),
    /// A table folder.
    Table {
        /// The folder.
        path: PathBuf,
        /// The split; that of the source if not given.
        split: Option<String>,
    },
}

/// The linear chain of a plan that leads to one sink, ready to make any of its samples.
///
/// It holds the rows that its head has selected, and nothing that a forked process would lose.
pub struct Chain {
    rows: RecordBatch,
    rejects: Vec<Reject>,
    steps: Vec<Step>,
    schema: SchemaRef,
    pictures: Pictures,
    seed: u64,
    stages_hash: String,
    process: u32,
}

/// One step of the tail.
struct Step {
    name: String,
    work: StepWork,
}

enum StepWork {
    /// A stage of the plan that gives one row for one.
    Stage { stage: Box<dyn Stage>, asks_polars: bool },
    /// Numbers the copy: epoch / `later`, where the `repeat` stages after this one make `later` copies of each.
    Copy { later: u32 },
    /// Decodes what a stage with loss has encoded.
    Decode { size: [u32; 2] },
}

impl Chain {
    /// Checks `plan`, opens its sources and runs the stages that only select rows.
    ///
    /// # Errors
    /// When the plan is not valid, a source cannot be read, or the path to the sink is not linear: a stage needs all
    /// rows at once, makes several rows of one, or joins rows after the first stage that makes samples.
    pub fn open(mut plan: Plan, options: ChainOptions) -> Result<Self, OnlineError> {
        plan.seed = options.seed.unwrap_or(plan.seed);
        let mut plan = lead_to(plan, options.sink.as_deref())?;
        let given = replace_sources(&mut plan, options.people)?;
        let (seed, stages_hash) = (plan.seed, stages_hash(&plan));
        let graph = Graph::build_given(plan, 1, given)?;
        let cut = cut(&graph)?;
        let (rows, rejects) = run_head(&graph, &cut)?;
        let mut tail = Tail { steps: Vec::new(), schema: rows.schema() };
        tail.extend(graph, &cut)?;
        let schema = Arc::new(options.pictures.schema(&tail.schema));
        let (pictures, process) = (options.pictures, std::process::id());
        Ok(Self { rows, rejects, steps: tail.steps, schema, pictures, seed, stages_hash, process })
    }

    /// How many samples an epoch has.
    pub fn len(&self) -> usize {
        self.rows.num_rows()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The schema of the samples.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The rows that the head has selected, in the order of their numbers.
    pub fn people(&self) -> &RecordBatch {
        &self.rows
    }

    /// Rows that the sources or the head have rejected.
    pub fn rejects(&self) -> &[Reject] {
        &self.rejects
    }

    /// The seed of all draws.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Equal if the samples are equal: a hash of the stages that lead to the sink, the seed and the ids of the rows.
    pub fn content_hash(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.stages_hash.as_bytes());
        for id in strings(&self.rows, "sample_id").ok().into_iter().flatten().flatten() {
            hasher.update(&(id.len() as u64).to_le_bytes()).update(id.as_bytes());
        }
        hasher.finalize().to_hex().to_string()
    }

    /// The samples of the rows `indices` in `epoch`, in that order, without those that are rejected.
    ///
    /// # Errors
    /// When there is no such row, or a stage fails as a whole.
    pub fn samples(&self, indices: &[usize], epoch: i32) -> Result<Outcome, OnlineError> {
        let length = self.len();
        if let Some(&index) = indices.iter().find(|&&index| index >= length) {
            return Err(OnlineError::Index { index, length });
        }
        let failed = |error| OnlineError::stage("people", error);
        let mut rows = take_rows(&self.rows, indices).map_err(failed)?;
        let mut rejects = Vec::new();
        let forked = std::process::id() != self.process;
        for Step { name, work } in &self.steps {
            match work {
                StepWork::Stage { asks_polars: true, .. } if forked => {
                    return Err(OnlineError::Forked { stage: name.clone() });
                }
                StepWork::Stage { stage, .. } => {
                    let rows_in = rows.num_rows();
                    let outcome = stage.run(&rows).map_err(|error| OnlineError::stage(name, error))?;
                    check_count(name, rows_in, &outcome)?;
                    rejects.extend(outcome.rejects);
                    rows = outcome.rows;
                }
                StepWork::Copy { later } => {
                    let copy = epoch / i32::try_from(*later).unwrap_or(i32::MAX);
                    let copies = Arc::new(Int32Array::from(vec![copy; rows.num_rows()]));
                    rows = with_column(&rows, copy_field(), copies)?;
                }
                StepWork::Decode { size } => rows = pictures::decode(&rows, *size)?,
            }
        }
        Ok(Outcome::some(self.pictures.apply(rows)?, rejects))
    }
}

/// Hash of all that decides a sample of given people. Where they are read and where samples would go does not.
fn stages_hash(plan: &Plan) -> String {
    let text = serde_json::to_string(&(plan.seed, &plan.stages)).expect("a plan is plain data");
    blake3::hash(text.as_bytes()).to_hex().to_string()
}

fn copy_field() -> Field {
    Field::new(COPY, DataType::Int32, false)
}

/// Each row gives one or is rejected; the runner checks the same.
fn check_count(stage: &str, rows_in: usize, outcome: &Outcome) -> Result<(), RunError> {
    let (rows_out, rejected) = (outcome.rows.num_rows(), total_rows(&outcome.rejects) as usize);
    if rows_out + rejected == rows_in {
        return Ok(());
    }
    let (stage, rule) = (stage.to_owned(), "each row gives 1".to_owned());
    Err(RunError::LostRows { stage, rows_in, rows_out, rejected, rule })
}

/// Puts `people` in the place of sources of `plan`; gives the rows that are in memory, by the name of their source.
fn replace_sources(
    plan: &mut Plan,
    people: Vec<(Option<String>, People)>,
) -> Result<BTreeMap<String, Vec<RecordBatch>>, OnlineError> {
    let mut given = BTreeMap::new();
    for (name, people) in people {
        let known = listed(plan.sources.keys());
        let name = match name {
            Some(name) => name,
            None if plan.sources.len() > 1 => return Err(OnlineError::Several { what: "source", known }),
            None => plan.sources.keys().next().cloned().unwrap_or_default(),
        };
        let Some(source) = plan.sources.get_mut(&name) else {
            return Err(OnlineError::Unknown { what: "source", name, known });
        };
        let split_before = match &source.read {
            SourceConfig::Table(table) => table.split.clone(),
            _ => None,
        };
        match people {
            People::Rows(rows) => {
                let rows = match split_before {
                    Some(split) => {
                        rows.iter().map(|rows| of_split(rows, &split)).collect::<Result<_, _>>()?
                    }
                    None => rows,
                };
                given.insert(name, rows);
            }
            People::Table { path, split } => {
                source.read =
                    SourceConfig::Table(TableSource { path, split: split.or(split_before), like: None });
            }
        }
    }
    Ok(given)
}

fn of_split(rows: &RecordBatch, split: &str) -> Result<RecordBatch, SchemaError> {
    let mask = strings(rows, "split")?.iter().map(|found| Some(found == Some(split))).collect();
    Ok(filter_record_batch(rows, &mask)?)
}

/// Carries all rows of the sources through the head.
fn run_head(graph: &Graph, cut: &Cut) -> Result<(RecordBatch, Vec<Reject>), OnlineError> {
    let mut rejects = Vec::new();
    let mut alive: Vec<Vec<RecordBatch>> = Vec::new();
    for (index, node) in graph.nodes.iter().enumerate() {
        let mut rows = Vec::new();
        match &node.work {
            Work::Source(_) | Work::Given(_) => {
                let source = node.open()?;
                rejects.extend_from_slice(source.rejects());
                for chunk in source.chunks(HEAD_ROWS) {
                    match chunk.map_err(|source| node.unreadable(source))?.load {
                        Load::Ready(batch) => rows.push(batch),
                        Load::Later(_) => {
                            let detail = "reads logs, which become windows by whole sessions".to_owned();
                            return Err(OnlineError::NotStraight { node: node.name.clone(), detail });
                        }
                    }
                }
            }
            Work::Rows(stage) if cut.in_head[index] => {
                for batch in node.inputs.iter().flat_map(|&input| &alive[input]) {
                    let outcome = stage.run(batch).map_err(|error| OnlineError::stage(&node.name, error))?;
                    check_count(&node.name, batch.num_rows(), &outcome)?;
                    rejects.extend(outcome.rejects);
                    rows.push(outcome.rows);
                }
            }
            _ => {}
        }
        alive.push(rows);
    }
    let rows: Vec<RecordBatch> = cut.entry.iter().flat_map(|&node| alive[node].iter().cloned()).collect();
    let schema = &graph.nodes[cut.entry[0]].schema;
    let whole = concat_batches(schema, &rows).map_err(SchemaError::from)?;
    Ok((whole, rejects))
}

/// The tail while it is put together.
struct Tail {
    steps: Vec<Step>,
    schema: SchemaRef,
}

impl Tail {
    /// Takes the stages of the tail out of `graph`.
    fn extend(&mut self, graph: Graph, cut: &Cut) -> Result<(), OnlineError> {
        let plan = graph.plan;
        let configs: Vec<&StageConfig> =
            cut.tail.iter().map(|&node| &plan.stages[&graph.nodes[node].name].run).collect();
        let mut later = 1_u32;
        let mut copies: Vec<Option<u32>> = vec![None; configs.len()];
        for (at, config) in configs.iter().enumerate().rev() {
            if let StageConfig::Repeat(repeat) = config {
                copies[at] = Some(later);
                later = later.saturating_mul(repeat.copies.get());
            }
        }
        if let (Some(entry), true) = (cut.tail.first(), self.schema.index_of(COPY).is_ok()) {
            let detail = "takes rows that are copies already".to_owned();
            return Err(OnlineError::NotStraight { node: graph.nodes[*entry].name.clone(), detail });
        }
        if copies.iter().all(Option::is_none) && !cut.tail.is_empty() {
            self.number("copy", 1);
        }
        let tail = graph.nodes.into_iter().enumerate().filter(|(index, _)| cut.tail.contains(index));
        for (((_, node), config), copies) in tail.zip(configs).zip(copies) {
            let Work::Rows(stage) = node.work else { continue };
            match (config, copies) {
                (_, Some(later)) => self.number(&node.name, later),
                (StageConfig::EncodeImage(EncodeImageConfig::Png), _) => {}
                _ => self.stage(&node.name, config, stage)?,
            }
        }
        Ok(())
    }

    fn number(&mut self, name: &str, later: u32) {
        self.schema = Arc::new(schema_with(&self.schema, copy_field()));
        self.steps.push(Step { name: name.to_owned(), work: StepWork::Copy { later } });
    }

    fn stage(&mut self, name: &str, config: &StageConfig, stage: Box<dyn Stage>) -> Result<(), OnlineError> {
        if stage.fan_out() != FanOut::Each(1) {
            let detail = "does not make one row of one".to_owned();
            return Err(OnlineError::NotStraight { node: name.to_owned(), detail });
        }
        let from = self.steps.last().map_or("people", |step| &step.name).to_owned();
        let edge = |source| GraphError::Edge { from, to: name.to_owned(), source };
        let raw = self.schema.field_with_name(IMAGE).ok().and_then(raw_image_size);
        self.schema = stage.output_schema(&self.schema).map_err(edge)?;
        let asks_polars = matches!(config, StageConfig::Filter(_) | StageConfig::Split(_));
        self.steps.push(Step { name: name.to_owned(), work: StepWork::Stage { stage, asks_polars } });
        if let (StageConfig::EncodeImage(_), Some(size)) = (config, raw) {
            self.schema = Arc::new(pictures::decoded_schema(&self.schema, size));
            self.steps.push(Step { name: name.to_owned(), work: StepWork::Decode { size } });
        }
        Ok(())
    }
}
