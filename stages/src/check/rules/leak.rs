//! Pictures that are in two splits: the same path, the same bytes under another name, or nearly the same picture.
//!
//! The finding is reported for the people of the training side, since those are the ones to leave out; it names the
//! other side. Each picture is reported only with the nearest one of the other side. Mirrored and cropped copies are
//! not found.

use schemas::tables::findings::{Finding, Severity};

use super::super::pictures::{Alike, Images, Likeness, Split};
use super::super::rule::Rule;
use super::super::seen::{Inspect, Looked, Measured, Seen, measured};

/// Compares pictures across splits.
pub(super) struct Leaks<'a> {
    images: &'a Images,
    alike: &'a Alike<'a>,
    limit: u32,
}

/// On which side of a comparison a split stands: training data come first, and leave when they leak.
fn rank(name: &str) -> (u8, &str) {
    match name {
        "train" => (0, name),
        "validation" | "val" | "valid" => (1, name),
        _ => (2, name),
    }
}

impl<'a> Leaks<'a> {
    pub(super) fn new(images: &'a Images, alike: &'a Alike<'a>, limit: u32) -> Self {
        Self { images, alike, limit }
    }

    /// Whether people of `split` leave for people of `other`.
    fn leaves(&self, split: Split, other: Split) -> bool {
        rank(self.images.split_name(split)) < rank(self.images.split_name(other))
    }

    /// The same path in a split of the other side: the first by name.
    fn same_path(&self, image: usize, split: Split) -> Option<Likeness> {
        let others = self.images.all()[image].splits.iter().map(|(other, _)| *other);
        let first = others
            .filter(|other| self.leaves(split, *other))
            .min_by_key(|other| rank(self.images.split_name(*other)))?;
        Some(Likeness { image, split: first, bits: 0, same_bytes: true })
    }
}

impl Inspect for Leaks<'_> {
    fn look(&mut self, seen: &Seen<'_>, found: &mut Vec<Finding>) -> Looked {
        let Some((number, image)) = seen.image else { return Looked::Not("no picture named") };
        let Some(split) = self.images.split_named(&seen.person.split) else { return Looked::Checked };
        let near = || self.alike.nearest(number, |other, _| self.leaves(split, other));
        if let Some(like) = self.same_path(number, split).or_else(near) {
            let other = &self.images.all()[like.image];
            let name = self.images.split_name(like.split);
            let (severity, what) = match like {
                Likeness { image, .. } if image == number => (Severity::Error, "the image"),
                Likeness { same_bytes: true, .. } => (Severity::Error, "the same file"),
                _ => (Severity::Warning, "nearly the same picture"),
            };
            let detail = format!("{what} is in split `{name}` too: `{}`", other.path);
            let mut finding = seen.finding(Rule::Leak, severity, detail);
            let first = other.splits.iter().find(|(split, _)| *split == like.split);
            finding.other_sample_id = first.map(|(_, id)| id.to_string());
            found.push(measured(finding, Measured(f64::from(like.bits), f64::from(self.limit), "bits")));
        }
        // Paths are compared in any case.
        match image.file.incomparable() {
            Some(reason) if self.images.split_count() > 1 => Looked::InPart(reason),
            _ => Looked::Checked,
        }
    }
}
