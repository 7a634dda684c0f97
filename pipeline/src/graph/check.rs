//! From a plan to a checked graph.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use datasets::ReadError;
use datasets::source::OpenSource;
use schemas::columns::SKELETON_KEY;
use stages::BuildContext;
use stages::registry::Step;

use super::joined::JoinedSource;
use super::{Graph, GraphError, Node, Work, size};
use crate::plan::Plan;

impl Graph {
    /// Builds every node of `plan` and carries the schemas along the edges. `threads` threads will call the
    /// stages.
    ///
    /// # Errors
    /// At the first node or edge that is not valid; the message names both ends.
    pub fn build(plan: Plan, threads: usize) -> Result<Self, GraphError> {
        Self::build_given(plan, threads, BTreeMap::new())
    }

    /// As [`Graph::build`], with the rows of some sources `given` under their names: their files are not read.
    ///
    /// # Errors
    /// At the first node or edge that is not valid; the message names both ends.
    pub fn build_given(
        plan: Plan,
        threads: usize,
        mut given: BTreeMap<String, Vec<RecordBatch>>,
    ) -> Result<Self, GraphError> {
        check_names(&plan)?;
        check_sinks(&plan)?;
        let mut graph = Self { nodes: Vec::new(), plan };
        let mut index: HashMap<String, usize> = HashMap::new();
        let mut batch_rows = Vec::new();
        for name in dataflow_order(&graph.plan)? {
            let node = match given.remove(&name) {
                Some(rows) => {
                    let source = OpenSource::from(rows);
                    let (schema, work) = (source.schema(), Work::Given(Arc::new(source)));
                    Node { name: name.clone(), kind: "given rows", inputs: Vec::new(), schema, work }
                }
                None if graph.plan.sources.contains_key(&name) => graph.build_source(&name, &index)?,
                None => graph.build_stage(&name, &index, threads)?,
            };
            batch_rows.push(size::check(&node, &graph.plan.runner, &batch_rows)?);
            index.insert(name, graph.nodes.len());
            graph.nodes.push(node);
        }
        for (name, sink) in graph.plan.sinks.clone() {
            let inputs: Vec<usize> = sink.inputs.iter().map(|input| index[input]).collect();
            let kind = sink.write.kind();
            let schemas = graph.input_schemas(&name, &inputs, sink.write.inputs())?;
            sink.write.check(&schemas).map_err(|source| GraphError::Sink { node: name.clone(), source })?;
            let schema = schemas[0].clone();
            graph.nodes.push(Node { name, kind, inputs, schema, work: Work::Sink(sink.write) });
        }
        Ok(graph)
    }

    /// The schemas of `inputs`, which must be those that `expected` names; where one is expected, several of one
    /// schema may stand for it.
    fn input_schemas(
        &self,
        node: &str,
        inputs: &[usize],
        expected: &'static [&'static str],
    ) -> Result<Vec<SchemaRef>, GraphError> {
        if expected.len() == 1 && !inputs.is_empty() {
            return Ok(vec![self.common_schema(node, inputs)?]);
        }
        if inputs.len() != expected.len() {
            let (node, found) = (node.to_owned(), inputs.len());
            return Err(GraphError::InputCount { node, expected, found });
        }
        Ok(inputs.iter().map(|&input| self.nodes[input].schema.clone()).collect())
    }

    fn build_source(&self, name: &str, index: &HashMap<String, usize>) -> Result<Node, GraphError> {
        let config = &self.plan.sources[name];
        let inputs: Vec<usize> = config.inputs.iter().map(|input| index[input]).collect();
        let expected = config.read.inputs();
        let schemas = self.input_schemas(name, &inputs, expected)?;
        let failed = |source| GraphError::Source { node: name.to_owned(), source };
        let schema = config.read.schema(&schemas).map_err(failed)?;
        let absent = |path: PathBuf| path.metadata().err().map(|error| ReadError::io(&path, error));
        if let Some(error) = config.read.files().into_iter().find_map(absent) {
            return Err(failed(error));
        }
        let (kind, read) = (config.read.kind(), config.read.clone());
        let work = match expected {
            [] => Work::Source(read),
            _ => Work::Aggregate(Box::new(JoinedSource { read, schema: schema.clone() })),
        };
        Ok(Node { name: name.to_owned(), kind, inputs, schema, work })
    }

    fn build_stage(
        &self,
        name: &str,
        index: &HashMap<String, usize>,
        threads: usize,
    ) -> Result<Node, GraphError> {
        let config = &self.plan.stages[name];
        let context =
            BuildContext { name: name.to_owned(), seed: self.plan.seed, threads, folder: PathBuf::new() };
        let built = config.run.build(&context);
        let step = built.map_err(|source| GraphError::Build { node: name.to_owned(), source })?;
        let inputs: Vec<usize> = config.inputs.iter().map(|input| index[input]).collect();
        let edge = |input: usize, source| GraphError::Edge {
            from: self.nodes[input].name.clone(),
            to: name.to_owned(),
            source,
        };
        let (schema, work) = match step {
            Step::Rows(stage) => {
                let input = self.common_schema(name, &inputs)?;
                let schema = stage.output_schema(&input).map_err(|source| edge(inputs[0], source))?;
                (schema, Work::Rows(stage))
            }
            Step::Aggregate(aggregate) => {
                let mut schemas = Vec::new();
                let given = self.input_schemas(name, &inputs, aggregate.inputs())?;
                for (number, schema) in given.iter().enumerate() {
                    let needed = aggregate.needed_columns(number, schema);
                    let needed = needed.map_err(|source| edge(inputs[number], source))?;
                    schemas.push(Arc::new(schema.project(&needed).expect("columns of the schema")));
                }
                let schema = aggregate.output_schema(&schemas);
                let schema = schema.map_err(|source| GraphError::Build { node: name.to_owned(), source })?;
                (schema, Work::Aggregate(aggregate))
            }
        };
        Ok(Node { name: name.to_owned(), kind: config.run.kind(), inputs, schema, work })
    }

    /// The one schema of all `inputs`.
    fn common_schema(&self, node: &str, inputs: &[usize]) -> Result<SchemaRef, GraphError> {
        let first = &self.nodes[inputs[0]];
        for &input in &inputs[1..] {
            let second = &self.nodes[input];
            let skeletons = [&first.schema, &second.schema].map(|schema| schema.metadata().get(SKELETON_KEY));
            if let [Some(one), Some(other)] = skeletons
                && one != other
            {
                let (node, skeletons) = (node.to_owned(), [one.clone(), other.clone()]);
                let (first, second) = (first.name.clone(), second.name.clone());
                return Err(GraphError::TwoSkeletons { node, first, second, skeletons });
            }
            if let Some(detail) = difference(&first.schema, &second.schema) {
                let (first, second) = (first.name.clone(), second.name.clone());
                return Err(GraphError::MixedInputs { node: node.to_owned(), first, second, detail });
            }
        }
        Ok(Arc::clone(&first.schema))
    }
}

fn difference(first: &Schema, second: &Schema) -> Option<String> {
    for (a, b) in first.fields().iter().zip(second.fields()) {
        if a.name() != b.name() {
            return Some(format!("column `{}` against column `{}`", a.name(), b.name()));
        }
        if a.data_type() != b.data_type() {
            return Some(format!("column `{}` is {} against {}", a.name(), a.data_type(), b.data_type()));
        }
    }
    if first.fields().len() != second.fields().len() {
        return Some(format!("{} columns against {}", first.fields().len(), second.fields().len()));
    }
    let keys: BTreeMap<_, _> = first.metadata().iter().chain(second.metadata()).collect();
    let differs = keys.keys().find(|key| first.metadata().get(**key) != second.metadata().get(**key))?;
    let value = |schema: &Schema| schema.metadata().get(*differs).cloned().unwrap_or_default();
    Some(format!("`{differs}` is `{}` against `{}`", value(first), value(second)))
}

fn check_names(plan: &Plan) -> Result<(), GraphError> {
    if let Some(node) = plan.stages.keys().find(|name| plan.sources.contains_key(*name)) {
        return Err(GraphError::Twice { node: node.clone() });
    }
    let known = || plan.sources.keys().chain(plan.stages.keys()).map(|name| format!("`{name}`")).collect();
    let sources = plan.sources.iter().map(|(name, node)| (name, &node.inputs, false));
    let stages = plan.stages.iter().map(|(name, node)| (name, &node.inputs, true));
    let sinks = plan.sinks.iter().map(|(name, node)| (name, &node.inputs, true));
    for (node, inputs, needs_some) in sources.chain(stages).chain(sinks) {
        if inputs.is_empty() && needs_some {
            return Err(GraphError::NoInput { node: node.clone() });
        }
        for input in inputs {
            if !plan.sources.contains_key(input) && !plan.stages.contains_key(input) {
                let (node, input) = (node.clone(), input.clone());
                return Err(GraphError::UnknownInput { node, input, known: known() });
            }
        }
    }
    Ok(())
}

fn check_sinks(plan: &Plan) -> Result<(), GraphError> {
    if plan.sinks.is_empty() {
        return Err(GraphError::NoSink);
    }
    let mut places: BTreeMap<PathBuf, &str> = BTreeMap::new();
    for (name, sink) in &plan.sinks {
        let path = sink.write.path();
        let place: PathBuf = path.components().collect();
        if let Some(first) = places.insert(place, name) {
            let (first, second) = (first.to_owned(), name.clone());
            return Err(GraphError::SamePath { first, second, path: path.to_owned() });
        }
    }
    Ok(())
}

/// The sources and stages so that each stands behind its inputs; among equals sources first, then by name.
fn dataflow_order(plan: &Plan) -> Result<Vec<String>, GraphError> {
    let sources = plan.sources.iter().map(|(name, node)| (name, &node.inputs));
    let stages = plan.stages.iter().map(|(name, node)| (name, &node.inputs));
    let nodes: Vec<(&String, &Vec<String>)> = sources.chain(stages).collect();
    let numbers: HashMap<&str, usize> =
        nodes.iter().enumerate().map(|(number, (name, _))| (name.as_str(), number)).collect();
    // How many inputs each node still waits for, and which nodes wait for it; an input that is named twice counts twice.
    let mut missing: Vec<usize> = nodes.iter().map(|(_, inputs)| inputs.len()).collect();
    let mut followers: Vec<Vec<usize>> = vec![Vec::new(); nodes.len()];
    for (number, (_, inputs)) in nodes.iter().enumerate() {
        inputs.iter().for_each(|input| followers[numbers[input.as_str()]].push(number));
    }
    let mut ready: BinaryHeap<Reverse<usize>> =
        (0..nodes.len()).filter(|number| missing[*number] == 0).map(Reverse).collect();
    let mut order: Vec<usize> = Vec::with_capacity(nodes.len());
    while let Some(Reverse(number)) = ready.pop() {
        order.push(number);
        for follower in &followers[number] {
            missing[*follower] -= 1;
            if missing[*follower] == 0 {
                ready.push(Reverse(*follower));
            }
        }
    }
    if order.len() < nodes.len() {
        let waiting = (0..nodes.len()).filter(|number| missing[*number] > 0);
        return Err(GraphError::Cycle { nodes: waiting.map(|number| nodes[number].0.clone()).collect() });
    }
    Ok(order.into_iter().map(|number| nodes[number].0.clone()).collect())
}
