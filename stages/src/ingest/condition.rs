//! From SQL to an expression that is nowhere deep, whatever its length.
//!
//! SQL's parser, the planner and the engine each call themselves once for a level of the expression, and `a AND b AND c` has
//! one for each term. So a condition is read on a stack that is as large as its length may need, and its chains of `AND` and
//! of `OR` are balanced there: 3,000 terms are 12 levels. What is deep after that is refused.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::thread;

use polars::lazy::dsl::{Expr, FunctionExpr, Operator};
use polars::sql::sql_expr;

use super::error::Unread;

/// Most bytes of a condition: 64 KiB, some thousand terms.
const MOST_BYTES: usize = 64 << 10;
/// Most levels of a condition, chains of `AND` and of `OR` counted as the logarithm of their length. A level takes up to
/// 30 kB of a thread's stack of 2 MiB in a build without optimisation.
const MOST_LEVELS: usize = 32;
/// Stack that reading a condition takes for each of its bytes; the shortest terms have six.
const STACK_PER_BYTE: usize = 8 << 10;
/// Stack for any condition.
const STACK: usize = 4 << 20;
/// Functions that pad text to a length, by the ends of their names.
const PADDING: [&str; 3] = ["pad_start", "pad_end", "zfill"];
/// The function that replaces parts of a text, by the end of its name.
const REPLACE: &str = "replace";
/// Most characters of a condition that messages and rejects repeat.
const SHOWN: usize = 300;

/// Reads `sql`.
///
/// # Errors
/// When it is too long, no expression, or too deep.
pub(super) fn parse(sql: &str) -> Result<Expr, Unread> {
    if sql.len() > MOST_BYTES {
        return Err(Unread::Long { found: sql.len(), most: MOST_BYTES });
    }
    let read = || {
        let expression = balanced(sql_expr(sql).map_err(|error| Unread::Sql(shown(&error.to_string())))?);
        let found = levels(&expression);
        if found > MOST_LEVELS {
            return Err(Unread::Deep { found, most: MOST_LEVELS });
        }
        if let Some(found) = lengthening(&expression) {
            return Err(Unread::Lengthens { found });
        }
        Ok(expression)
    };
    let stack = STACK + sql.len() * STACK_PER_BYTE;
    thread::scope(|scope| {
        let reader = thread::Builder::new().stack_size(stack).spawn_scoped(scope, read);
        reader.map_err(Unread::Thread)?.join().unwrap_or_else(|panic| resume_unwind(panic))
    })
}

/// `sql` as messages and rejects repeat it: its beginning, where it is long.
pub(super) fn shown(sql: &str) -> String {
    let mut shown: String = sql.chars().take(SHOWN).collect();
    if shown.len() < sql.len() {
        shown.push_str(" ...");
    }
    shown
}

/// `expression` with its chains of `AND` and of `OR` as balanced trees; both are associative, nulls included.
fn balanced(expression: Expr) -> Expr {
    match expression {
        Expr::BinaryExpr { left, op, right } if matches!(op, Operator::And | Operator::Or) => {
            let mut terms = Vec::new();
            let mut waiting = vec![right, left];
            while let Some(term) = waiting.pop() {
                match Arc::unwrap_or_clone(term) {
                    Expr::BinaryExpr { left, op: same, right } if same == op => waiting.extend([right, left]),
                    other => terms.push(balanced(other)),
                }
            }
            tree(terms, op)
        }
        Expr::BinaryExpr { left, op, right } => {
            let [left, right] = [left, right].map(|side| Arc::new(balanced(Arc::unwrap_or_clone(side))));
            Expr::BinaryExpr { left, op, right }
        }
        Expr::Function { input, function } => {
            Expr::Function { input: input.into_iter().map(balanced).collect(), function }
        }
        other => other,
    }
}

/// `terms`, one or more, joined by `op` in order.
fn tree(mut terms: Vec<Expr>, op: Operator) -> Expr {
    if terms.len() == 1 {
        return terms.swap_remove(0);
    }
    let right = terms.split_off(terms.len().div_ceil(2));
    Expr::BinaryExpr { left: Arc::new(tree(terms, op)), op, right: Arc::new(tree(right, op)) }
}

/// A function of `expression` that makes text of any length from a short condition, in words: padding, and a replacement
/// in what was replaced.
fn lengthening(expression: &Expr) -> Option<String> {
    let named = |part: &Expr, name: &str| matches!(part, Expr::Function { function: FunctionExpr::StringExpr(function), .. } if function.to_string().ends_with(name));
    expression.into_iter().find_map(|part| match part {
        Expr::Function { function, .. } if PADDING.iter().any(|name| named(part, name)) => {
            Some(format!("the function `{function}`"))
        }
        Expr::Function { function, input } if named(part, REPLACE) => {
            let within = input.iter().flatten().any(|inner| named(inner, REPLACE));
            within.then(|| format!("the function `{function}` within itself"))
        }
        _ => None,
    })
}

/// How many levels `expression` has.
fn levels(expression: &Expr) -> usize {
    let below = match expression {
        Expr::BinaryExpr { left, right, .. } => levels(left).max(levels(right)),
        Expr::Function { input, .. } => input.iter().map(levels).max().unwrap_or(0),
        Expr::Ternary { predicate, truthy, falsy } => {
            levels(predicate).max(levels(truthy)).max(levels(falsy))
        }
        Expr::Cast { expr, .. } | Expr::Alias(expr, _) => levels(expr),
        _ => 0,
    };
    below + 1
}
