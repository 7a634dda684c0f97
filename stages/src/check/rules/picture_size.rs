//! Pictures of another size than the annotation states: resized since, or the wrong file. Every coordinate is then off. The
//! size may be that of the stored pixels, or of the picture once it is turned by its EXIF orientation.

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
        let is_stated = |size: [u32; 2]| stated.map(i64::from) == size.map(i64::from);
        if !is_stated(real) && !image.file.turned.is_some_and(is_stated) {
            let detail = format!(
                "the annotation states {} x {} px, the picture has {} x {}",
                stated[0], stated[1], real[0], real[1]
            );
            found.push(seen.finding(Rule::PictureSize, Severity::Error, detail));
        }
        Looked::Checked
    }
}
