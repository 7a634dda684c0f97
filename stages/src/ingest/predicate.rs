//! A yes-or-no question about one row, in SQL.
//!
//! The expression sees the scalar columns of the rows (text, numbers, booleans) and three counts made from
//! `visibility`: `annotated_joints`, `visible_joints` and `occluded_joints`. It must judge each row independently:
//! sums, ranks and windows would make the answer depend on how rows are batched, so they are refused.

use std::collections::BTreeSet;

use arrow::array::{ArrayRef, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Schema};
use polars::lazy::dsl::{AggExpr, BooleanFunction, Expr, FunctionExpr};
use polars::prelude::{Column, DataFrame, DataType as PolarsType, IntoLazy};
use schemas::columns::{column, field, skeleton_of, visibilities};
use schemas::{SchemaError, Visibility};
use std::sync::Arc;

use super::condition::{parse, shown};
use super::error::IngestError;
use super::polars_columns::to_series;
use crate::stage::StageError;

/// The counts that a predicate may use beside the columns.
pub const DERIVED: [&str; 3] = ["annotated_joints", "visible_joints", "occluded_joints"];

/// A yes-or-no question about one row.
#[derive(Debug, Clone)]
pub struct Predicate {
    sql: String,
    expression: Expr,
    columns: BTreeSet<String>,
}

impl Predicate {
    /// Reads the SQL of the key `key` of stage `stage`.
    ///
    /// # Errors
    /// When it is no expression, is too long or too deep, or does not judge each row by itself.
    pub fn new(stage: &str, key: &'static str, sql: &str) -> Result<Self, StageError> {
        let words = || (stage.to_owned(), shown(sql));
        let expression = parse(sql).map_err(|error| {
            let (stage, sql) = words();
            StageError::step(IngestError::NotSql { stage, key, error, sql })
        })?;
        let mut columns = BTreeSet::new();
        for part in &expression {
            if let Some(found) = beyond_one_row(part) {
                let (stage, sql) = words();
                return Err(StageError::step(IngestError::BeyondOneRow { stage, key, found, sql }));
            }
            if let Expr::Column(name) = part {
                columns.insert(name.to_string());
            }
        }
        Ok(Self { sql: shown(sql), expression, columns })
    }

    /// The SQL as it was written; of a long one, the beginning.
    pub fn sql(&self) -> &str {
        &self.sql
    }

    /// The columns that it looks at.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(String::as_str)
    }

    /// Checks that rows of `schema` can be asked, on a table of that schema without rows.
    ///
    /// # Errors
    /// When a column is unknown or not scalar, types do not fit, or the answer is not yes or no.
    pub fn check(&self, schema: &Schema) -> Result<(), StageError> {
        for name in &self.columns {
            if DERIVED.contains(&name.as_str()) {
                let _ = skeleton_of(schema)?;
                field(schema, "visibility")?;
                continue;
            }
            let found = schema.field_with_name(name).map_err(|_| unknown_column(schema, name))?.data_type();
            if !is_scalar(found) {
                return Err(schemas::columns::wrong_type(name, "text, a number or a boolean", found).into());
            }
        }
        self.answers(&RecordBatch::new_empty(Arc::new(schema.clone()))).map(drop)
    }

    /// The answer for each row of `batch`, `[N]`; `None` where it is neither yes nor no.
    ///
    /// # Errors
    /// As [`Self::check`].
    pub fn answers(&self, batch: &RecordBatch) -> Result<Vec<Option<bool>>, StageError> {
        let failed = |error: &dyn std::fmt::Display| {
            StageError::step(IngestError::NotEvaluated { error: error.to_string(), sql: self.sql.clone() })
        };
        let mut columns: Vec<Column> = Vec::with_capacity(self.columns.len());
        for name in &self.columns {
            let array = if DERIVED.contains(&name.as_str()) {
                joint_counts(batch, name)?
            } else {
                Arc::clone(column(batch, name)?)
            };
            columns.push(to_series(name, &array).map_err(|error| failed(&error))?.into());
        }
        // A condition on no column at all still has one answer a row.
        let frame = DataFrame::new(batch.num_rows(), columns).map_err(|error| failed(&error))?;
        let answer = frame.lazy().select([self.expression.clone().alias("answer")]).collect();
        let answer = answer.map_err(|error| failed(&error))?;
        let answer = answer.column("answer").map_err(|error| failed(&error))?;
        if answer.dtype() != &PolarsType::Boolean {
            let (found, sql) = (answer.dtype().clone(), self.sql.clone());
            return Err(StageError::step(IngestError::NotBoolean { found, sql }));
        }
        let answer = answer.bool().map_err(|error| failed(&error))?;
        match (answer.len(), batch.num_rows()) {
            (found, rows) if found == rows => Ok(answer.iter().collect()),
            // A constant condition answers once for all.
            (1, rows) => Ok(vec![answer.get(0); rows]),
            (found, rows) => Err(failed(&format!("{found} answers for {rows} rows"))),
        }
    }
}

/// What makes `part` depend on more than its own row, in words; `None` where it does not.
fn beyond_one_row(part: &Expr) -> Option<String> {
    match part {
        Expr::Column(_)
        | Expr::Literal(_)
        | Expr::Alias(..)
        | Expr::BinaryExpr { .. }
        | Expr::Cast { .. }
        | Expr::Ternary { .. } => None,
        // The list of `IN (...)` comes as an imploded literal.
        Expr::Agg(AggExpr::Implode { input, .. }) if matches!(**input, Expr::Literal(_)) => None,
        Expr::Function { function, .. } => match function {
            FunctionExpr::Boolean(
                BooleanFunction::IsNull
                | BooleanFunction::IsNotNull
                | BooleanFunction::IsFinite
                | BooleanFunction::IsInfinite
                | BooleanFunction::IsNan
                | BooleanFunction::IsNotNan
                | BooleanFunction::IsIn { .. }
                | BooleanFunction::AllHorizontal
                | BooleanFunction::AnyHorizontal
                | BooleanFunction::Not,
            )
            | FunctionExpr::StringExpr(_)
            | FunctionExpr::Negate
            | FunctionExpr::Pow(_)
            | FunctionExpr::FillNull
            | FunctionExpr::Coalesce => None,
            other => Some(format!("the function `{other}`")),
        },
        other => Some(format!("`{other}`")),
    }
}

fn is_scalar(data_type: &DataType) -> bool {
    let is_text = |found: &DataType| matches!(found, DataType::Utf8 | DataType::LargeUtf8);
    match data_type {
        DataType::Dictionary(_, names) => is_text(names),
        other => other.is_numeric() || is_text(other) || other == &DataType::Boolean,
    }
}

fn unknown_column(schema: &Schema, name: &str) -> SchemaError {
    let scalar = schema.fields().iter().filter(|field| is_scalar(field.data_type()));
    let names: Vec<String> =
        scalar.map(|field| field.name().as_str()).chain(DERIVED).map(|name| format!("`{name}`")).collect();
    SchemaError::MissingColumn { column: name.to_owned(), present: names.join(", ") }
}

fn joint_counts(batch: &RecordBatch, name: &str) -> Result<ArrayRef, SchemaError> {
    let counted: fn(&Visibility) -> bool = match name {
        "annotated_joints" => |visibility| visibility.is_annotated(),
        "visible_joints" => |visibility| *visibility == Visibility::Visible,
        _ => |visibility| *visibility == Visibility::Occluded,
    };
    let joints = skeleton_of(batch.schema_ref())?.len();
    let rows = visibilities(batch, "visibility", joints)?;
    let counts = rows.iter().map(|row| row.iter().filter(|v| counted(v)).count() as i64);
    Ok(Arc::new(counts.collect::<Int64Array>()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::filter::tests::people;

    fn ask(sql: &str, batch: &RecordBatch) -> Vec<Option<bool>> {
        let predicate = Predicate::new("filter", "where", sql).unwrap();
        predicate.check(batch.schema_ref()).unwrap();
        predicate.answers(batch).unwrap()
    }

    #[test]
    fn rows_are_judged_one_by_one_whatever_their_batch() {
        let batch = people(7);
        for sql in [
            "scale > 1.0",
            "scale IS NULL OR scale < 0.5",
            "split = 'train' AND annotated_joints >= 3",
            "visible_joints + occluded_joints = annotated_joints",
            "split IN ('train', 'test') AND NOT person_index IN (2, 3)",
            "image_path LIKE '%1.jpg'",
            "scale BETWEEN 0.5 AND 1.5",
            "COALESCE(scale, 0.0) * 2 >= person_index",
            "CASE WHEN scale > 1 THEN split = 'train' ELSE TRUE END",
            "TRUE",
        ] {
            let whole = ask(sql, &batch);
            let parts =
                [ask(sql, &batch.slice(0, 3)), ask(sql, &batch.slice(3, 0)), ask(sql, &batch.slice(3, 4))];
            assert_eq!(whole, parts.concat(), "{sql}");
        }
    }

    #[test]
    fn a_condition_may_be_long_and_is_bounded_in_depth() {
        let batch = people(7);
        let chain = |term: &str, join: &str, count: usize| vec![term; count].join(join);
        for count in [2, 300, 3000] {
            let all = format!("{} AND person_index > 3", chain("scale > 0.5", " AND ", count));
            assert_eq!(ask(&all, &batch), ask("scale > 0.5 AND person_index > 3", &batch), "{count}");
            let mixed = chain("scale > 9 AND split = 'no' OR person_index = 2", " OR ", count.min(1000));
            assert_eq!(
                ask(&mixed, &batch),
                ask("person_index = 2 OR scale > 9 AND FALSE", &batch),
                "{count}"
            );
        }
        let refused = |sql: &str| Predicate::new("filter", "where", sql).unwrap_err().to_string();
        let sum = format!("{} > 3", chain("scale", " + ", 3000));
        assert!(refused(&sum).contains("levels deep; the most is 32"), "{}", refused(&sum));
        let long = chain("scale > 0.5", " AND ", 10_000);
        assert!(refused(&long).contains("159995 bytes long; the most is 65536"), "{}", refused(&long));
        assert!(refused(&long).len() < 600 && refused(&sum).len() < 600);
        for deep in [
            "(".repeat(5000) + "scale" + &")".repeat(5000),
            "NOT ".repeat(5000) + "scale > 1",
            "-".repeat(999),
        ] {
            assert!(refused(&deep).contains("is not an SQL expression"), "{}", refused(&deep));
        }
        for sql in [
            "LPAD(split, 1000000000, 'a') = 'b'",
            "RPAD(split, 9, 'a') = 'b'",
            "REPLACE(REPLACE(split, 'a', 'aaaaaaaa'), 'a', 'aaaaaaaa') = 'b'",
        ] {
            assert!(refused(sql).contains("makes text of any length"), "{}", refused(sql));
        }
        assert_eq!(ask("REPLACE(split, 't', 'tt') = 'ttrain'", &batch).len(), 7);
        // As deep as is allowed, on a thread of the usual size.
        let sum = format!("{} > 3", chain("scale", " + ", 30));
        let asked = || ask(&sum, &batch).len();
        let small = std::thread::scope(|scope| {
            std::thread::Builder::new().stack_size(2 << 20).spawn_scoped(scope, asked).unwrap().join()
        });
        assert_eq!(small.unwrap(), 7);
    }

    #[test]
    fn an_unknown_column_is_named_with_those_that_exist() {
        let predicate = Predicate::new("filter", "where", "scael > 1").unwrap();
        let message = predicate.check(people(1).schema_ref()).unwrap_err().to_string();
        assert!(message.starts_with("column `scael` is missing; the columns are `sample_id`"), "{message}");
        assert!(message.contains("`scale`") && message.contains("`occluded_joints`"), "{message}");
        assert!(!message.contains("`keypoints`"), "{message}");
        let predicate = Predicate::new("filter", "where", "keypoints IS NULL").unwrap();
        let message = predicate.check(people(1).schema_ref()).unwrap_err().to_string();
        assert!(message.starts_with("column `keypoints` must be text, a number or a boolean"), "{message}");
    }

    #[test]
    fn types_are_checked_before_a_row_is_read() {
        let check =
            |sql: &str| Predicate::new("filter", "where", sql).and_then(|p| p.check(people(1).schema_ref()));
        assert!(check("split > 3").is_err());
        let message = check("scale + 1").unwrap_err().to_string();
        assert!(message.contains("must be true or false, found f64"), "{message}");
        assert!(check("scale >").unwrap_err().to_string().contains("not an SQL expression"));
    }

    #[test]
    fn what_looks_beyond_the_row_is_refused() {
        for sql in [
            "scale > AVG(scale)",
            "COUNT(*) > 1",
            "SUM(scale) OVER (PARTITION BY split) > 1",
            "ROW_NUMBER() OVER (ORDER BY scale) < 3",
            "*",
        ] {
            let message = Predicate::new("filter", "where", sql).unwrap_err().to_string();
            assert!(
                message.contains("must judge each row independently") || message.contains("not an SQL"),
                "{message}"
            );
        }
    }
}
