//! Pictures of another size than the annotation states: resized since, or the wrong file. Every coordinate is then off.

use schemas::tables::findings::{Finding, Severity};

use super::super::rule::Rule;
use super::super::seen::{Inspect, Looked, Seen};

/// Compares header and annotation.
pub(super) struct PictureSize;

impl Inspect for PictureSize {
    fn look(&mut self, seen: &Seen<'_>, found: &mut Vec<Finding>) -> Looked {
        let Some(stated) = seen.person.image_size else { return Looked::Not("no size stated") };
        let Some((_, image)) = seen.image else { return Looked::Not("no picture named") };
        let Some(real) = image.file.size else {
            return Looked::Not(image.file.problem.unwrap_or("no picture named"));
        };
        if stated.map(i64::from) != real.map(i64::from) {
            let detail = format!(
                "the annotation states {} x {} px, the picture has {} x {}",
                stated[0], stated[1], real[0], real[1]
            );
            found.push(seen.finding(Rule::PictureSize, Severity::Error, detail));
        }
        Looked::Checked
    }
}
