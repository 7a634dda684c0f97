//! Pictures that occur twice in one split under two names: they count double in training and in scores, and often carry
//! two annotations that differ.
//!
//! The finding is reported for the people of the picture with the larger path, so that leaving out the findings keeps
//! one.

use schemas::tables::findings::{Finding, Severity};

use super::super::pictures::{Alike, Images};
use super::super::rule::Rule;
use super::super::seen::{Inspect, Looked, Measured, Seen, measured};

/// Compares pictures within a split.
pub(super) struct DuplicatePicture<'a> {
    images: &'a Images,
    alike: &'a Alike<'a>,
    limit: u32,
}

impl<'a> DuplicatePicture<'a> {
    pub(super) fn new(images: &'a Images, alike: &'a Alike<'a>, limit: u32) -> Self {
        Self { images, alike, limit }
    }
}

impl Inspect for DuplicatePicture<'_> {
    fn look(&mut self, seen: &Seen<'_>, found: &mut Vec<Finding>) -> Looked {
        let Some((number, image)) = seen.image else { return Looked::Not("no picture named") };
        let Some(split) = self.images.split_named(&seen.person.split) else { return Looked::Checked };
        let earlier = |other: usize| self.images.all()[other].path < image.path;
        let like = self.alike.nearest(number, |of, other| of == split && earlier(other));
        if let Some(like) = like {
            let other = &self.images.all()[like.image];
            let what = if like.same_bytes { "the same file" } else { "nearly the same picture" };
            let detail = format!("{what} is in the split as `{}`", other.path);
            let mut finding = seen.finding(Rule::DuplicatePicture, Severity::Warning, detail);
            let first = other.splits.iter().find(|(of, _)| *of == split);
            finding.other_sample_id = first.map(|(_, id)| id.to_string());
            found.push(measured(finding, Measured(f64::from(like.bits), f64::from(self.limit), "bits")));
            return Looked::Checked;
        }
        image.file.incomparable().map_or(Looked::Checked, Looked::Not)
    }
}
