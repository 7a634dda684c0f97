//! From a plan to the nodes that lead to one sink: the head that selects rows, the tail that makes samples.

use std::collections::BTreeSet;

use crate::graph::{Graph, Work};
use crate::online::OnlineError;
use crate::plan::Plan;

/// Stages that only pick rows and columns: each row's outcome is cheap and the same in every epoch.
const HEAD: [&str; 4] = ["filter", "split", "select", "map_skeleton"];

/// `names` between backticks, for messages.
pub(super) fn listed<'a>(names: impl IntoIterator<Item = &'a String>) -> String {
    names.into_iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// The part of `plan` that leads to `sink`, or to its only sink.
///
/// # Errors
/// When there is no such sink, or several and none is named.
pub(super) fn lead_to(mut plan: Plan, sink: Option<&str>) -> Result<Plan, OnlineError> {
    let known = listed(plan.sinks.keys());
    let sink = match sink {
        Some(name) if plan.sinks.contains_key(name) => name.to_owned(),
        Some(name) => return Err(OnlineError::Unknown { what: "sink", name: name.to_owned(), known }),
        None if plan.sinks.len() > 1 => return Err(OnlineError::Several { what: "sink", known }),
        None => match plan.sinks.keys().next() {
            Some(name) => name.clone(),
            None => return Ok(plan),
        },
    };
    plan.sinks.retain(|name, _| *name == sink);
    let mut wanted: BTreeSet<String> = BTreeSet::new();
    let mut open: Vec<String> = plan.sinks[&sink].inputs.clone();
    while let Some(name) = open.pop() {
        if wanted.insert(name.clone())
            && let Some(stage) = plan.stages.get(&name)
        {
            open.extend(stage.inputs.iter().cloned());
        }
    }
    plan.stages.retain(|name, _| wanted.contains(name));
    plan.sources.retain(|name, _| wanted.contains(name));
    Ok(plan)
}

/// How a graph is cut.
pub(super) struct Cut {
    /// For each node whether it belongs to the head.
    pub in_head: Vec<bool>,
    /// The nodes of the tail, in order.
    pub tail: Vec<usize>,
    /// The nodes of the head whose rows enter the tail (or the sink, where there is no tail).
    pub entry: Vec<usize>,
}

/// Cuts `graph`, all of whose nodes lead to its one sink.
///
/// # Errors
/// When the tail is not linear: it takes rows of several nodes, or needs all rows at once.
pub(super) fn cut(graph: &Graph) -> Result<Cut, OnlineError> {
    let mut cut = Cut { in_head: vec![false; graph.nodes.len()], tail: Vec::new(), entry: Vec::new() };
    for (index, node) in graph.nodes.iter().enumerate() {
        let refuse =
            |detail: &str| OnlineError::NotStraight { node: node.name.clone(), detail: detail.to_owned() };
        let picks = match &node.work {
            Work::Source(_) | Work::Given(_) => true,
            Work::Rows(_) => HEAD.contains(&node.kind) && node.inputs.iter().all(|&i| cut.in_head[i]),
            Work::Aggregate(_) => return Err(refuse("needs all rows at once")),
            Work::Sink(_) => false,
        };
        if picks {
            cut.in_head[index] = true;
            continue;
        }
        match cut.tail.last() {
            None if node.inputs.iter().all(|&input| cut.in_head[input]) => cut.entry.clone_from(&node.inputs),
            Some(last) if node.inputs == [*last] => {}
            _ => {
                return Err(refuse(
                    "takes rows from several places after the first stage that makes samples",
                ));
            }
        }
        if matches!(node.work, Work::Rows(_)) {
            cut.tail.push(index);
        }
    }
    Ok(cut)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(text: &str) -> Plan {
        Plan::parse(text, "test", &[]).unwrap()
    }

    const TWO: &str = "
        [sources.a]
        read.table = { path = 'a' }
        [sources.b]
        read.table = { path = 'b' }
        [stages.few]
        inputs = ['a']
        run.filter = { where = 'scale > 1' }
        [sinks.one]
        inputs = ['few']
        write.parquet = { path = 'one' }
        [sinks.two]
        inputs = ['b']
        write.parquet = { path = 'two' }";

    #[test]
    fn only_what_leads_to_the_sink_stays() {
        let one = lead_to(plan(TWO), Some("one")).unwrap();
        assert_eq!(one.sources.keys().collect::<Vec<_>>(), ["a"]);
        let two = lead_to(plan(TWO), Some("two")).unwrap();
        assert_eq!((two.stages.len(), two.sinks.len(), two.sources.contains_key("b")), (0, 1, true));
    }

    #[test]
    fn a_sink_must_be_named_where_there_are_several() {
        let message = |sink| lead_to(plan(TWO), sink).unwrap_err().to_string();
        assert_eq!(message(None), "the plan has several sinks: `one`, `two`");
        assert_eq!(message(Some("x")), "the plan has no sink `x`; there are `one`, `two`");
    }
}
