//! From a plan to a checked graph.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use stages::BuildContext;
use stages::registry::Step;

use super::source::Source;
use super::{Graph, GraphError, Node, Work};
use crate::plan::{Plan, SinkConfig};

impl Graph {
    /// Builds every node of `plan` and carries the schemas along the edges. `threads` will call the stages.
    ///
    /// # Errors
    /// At the first node or edge that does not hold; the message names both ends.
    pub fn build(plan: Plan, threads: usize) -> Result<Self, GraphError> {
        Self::build_given(plan, threads, BTreeMap::new())
    }

    /// As [`Graph::build`], with the rows of some sources `given` under their names: those are not opened.
    ///
    /// # Errors
    /// At the first node or edge that does not hold; the message names both ends.
    pub fn build_given(
        plan: Plan,
        threads: usize,
        mut given: BTreeMap<String, Vec<RecordBatch>>,
    ) -> Result<Self, GraphError> {
        check_names(&plan)?;
        check_sinks(&plan)?;
        let mut graph = Self { nodes: Vec::new(), plan };
        let mut index: HashMap<String, usize> = HashMap::new();
        for (name, node) in graph.plan.sources.clone() {
            let (kind, source) = match given.remove(&name) {
                Some(rows) => ("given rows", Source::from_batches(rows)),
                None => Source::open(&name, &node.read)?,
            };
            let schema = source.schema().clone();
            index.insert(name.clone(), graph.nodes.len());
            graph.nodes.push(Node { name, kind, inputs: Vec::new(), schema, work: Work::Source(source) });
        }
        for name in stage_order(&graph.plan)? {
            let node = graph.build_stage(&name, &index, threads)?;
            index.insert(name, graph.nodes.len());
            graph.nodes.push(node);
        }
        for (name, sink) in graph.plan.sinks.clone() {
            let inputs: Vec<usize> = sink.inputs.iter().map(|input| index[input]).collect();
            let schema = graph.common_schema(&name, &inputs)?;
            graph.nodes.push(Node { name, kind: "parquet", inputs, schema, work: Work::Sink(sink.write) });
        }
        Ok(graph)
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
                let expected = aggregate.inputs();
                if inputs.len() != expected.len() {
                    let node = name.to_owned();
                    return Err(GraphError::InputCount { node, expected, found: inputs.len() });
                }
                let mut schemas = Vec::new();
                for (number, &input) in inputs.iter().enumerate() {
                    let schema = &self.nodes[input].schema;
                    let needed = aggregate.needed_columns(number, schema);
                    let needed = needed.map_err(|source| edge(input, source))?;
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
    let stages = plan.stages.iter().map(|(name, node)| (name, &node.inputs));
    let sinks = plan.sinks.iter().map(|(name, node)| (name, &node.inputs));
    for (node, inputs) in stages.chain(sinks) {
        if inputs.is_empty() {
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
        let SinkConfig::Parquet { path, .. } = &sink.write;
        let place: PathBuf = path.components().collect();
        if let Some(first) = places.insert(place, name) {
            let (first, second) = (first.to_owned(), name.clone());
            return Err(GraphError::SamePath { first, second, path: path.clone() });
        }
    }
    Ok(())
}

/// The stages so that each stands behind its inputs; among equals, by name.
fn stage_order(plan: &Plan) -> Result<Vec<String>, GraphError> {
    let mut order: Vec<String> = Vec::new();
    while order.len() < plan.stages.len() {
        let ready = plan.stages.iter().find(|(name, node)| {
            let done = |input: &String| plan.sources.contains_key(input) || order.contains(input);
            !order.contains(name) && node.inputs.iter().all(done)
        });
        let Some((name, _)) = ready else {
            let nodes = plan.stages.keys().filter(|name| !order.contains(name)).cloned().collect();
            return Err(GraphError::Cycle { nodes });
        };
        order.push(name.clone());
    }
    Ok(order)
}
