//! Activity and file of each window, from the parts of its signal.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Float32Array, RecordBatch, StringArray, StringBuilder};
use schemas::columns::strings;
use schemas::tables::signals::{Part, Parts, parts};

use crate::stage::StageError;

/// Column of the share of a window's samples that have its activity; 0 where it has none.
pub(super) const ACTIVITY_SHARE: &str = "activity_share";

/// The labels of windows, being filled in their order.
#[derive(Debug)]
pub(super) struct WindowLabels<'a> {
    parts: Option<Parts<'a>>,
    activities: &'a StringArray,
    files: &'a StringArray,
    /// The least share of samples that make a window's activity.
    least: f64,
    activity: StringBuilder,
    source_file: StringBuilder,
    share: Vec<f32>,
}

impl<'a> WindowLabels<'a> {
    /// Of windows of the signals of `batch`; without `least`, all samples of a window must agree.
    ///
    /// # Errors
    /// When a column is of another type.
    pub(super) fn of(batch: &'a RecordBatch, least: Option<f64>) -> Result<Self, StageError> {
        Ok(Self {
            parts: parts(batch)?,
            activities: strings(batch, "activity")?,
            files: strings(batch, "source_file")?,
            least: least.unwrap_or(1.0),
            activity: StringBuilder::new(),
            source_file: StringBuilder::new(),
            share: Vec::new(),
        })
    }

    /// Appends the labels of the window that holds `samples` of the signal in `row`.
    pub(super) fn push(&mut self, row: usize, samples: Range<usize>) {
        let told = if let Some(parts) = &self.parts {
            label(parts.row(row), &samples)
        } else {
            let text = |array: &'a StringArray| array.is_valid(row).then(|| array.value(row));
            let activity = text(self.activities).map(|name| (name, samples.len()));
            Label { activity, source_file: text(self.files) }
        };
        let share = told.activity.map_or(0.0, |(_, count)| count as f64 / samples.len().max(1) as f64);
        let name = told.activity.map(|(name, _)| name).filter(|_| share >= self.least);
        self.activity.append_option(name);
        self.source_file.append_option(told.source_file);
        self.share.push(if name.is_some() { share as f32 } else { 0.0 });
    }

    /// The columns `activity`, `source_file` and [`ACTIVITY_SHARE`].
    pub(super) fn finish(mut self) -> [ArrayRef; 3] {
        let share = Arc::new(Float32Array::from(self.share));
        [Arc::new(self.activity.finish()), Arc::new(self.source_file.finish()), share]
    }
}

/// What is said of one window.
#[derive(Debug, PartialEq, Eq)]
struct Label<'a> {
    /// The activity that most samples have, of equals the first, and how many they are.
    activity: Option<(&'a str, usize)>,
    /// The file of the first sample.
    source_file: Option<&'a str>,
}

/// The label of a window that holds `samples` of a signal of these parts.
fn label<'a>(parts: impl Iterator<Item = Part<'a>> + Clone, samples: &Range<usize>) -> Label<'a> {
    let ends = parts.clone().skip(1).map(|part| part.first_sample).chain([usize::MAX]);
    let mut counts: Vec<(&str, usize)> = Vec::new();
    let mut source_file = None;
    for (part, end) in parts.zip(ends) {
        let within = part.first_sample.max(samples.start)..end.min(samples.end);
        if within.is_empty() {
            continue;
        }
        if within.start == samples.start {
            source_file = part.source_file;
        }
        let Some(name) = part.activity else { continue };
        match counts.iter_mut().find(|(known, _)| *known == name) {
            Some((_, count)) => *count += within.len(),
            None => counts.push((name, within.len())),
        }
    }
    let activity = counts.into_iter().reduce(|most, other| if other.1 > most.1 { other } else { most });
    Label { activity, source_file }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_activity_of_most_samples_is_that_of_the_window() {
        let part = |first_sample, activity, source_file| Part { first_sample, activity, source_file };
        let parts = [
            part(0, Some("walk"), Some("a")),
            part(10, None, Some("a")),
            part(15, Some("sit"), Some("b")),
            part(25, Some("walk"), Some("b")),
        ];
        let of = |samples: Range<usize>| label(parts.iter().copied(), &samples);
        assert_eq!(of(0..10), Label { activity: Some(("walk", 10)), source_file: Some("a") });
        assert_eq!(of(5..20), Label { activity: Some(("walk", 5)), source_file: Some("a") });
        assert_eq!(of(8..30), Label { activity: Some(("sit", 10)), source_file: Some("a") });
        assert_eq!(of(0..40).activity, Some(("walk", 25)));
        assert_eq!(of(11..14), Label { activity: None, source_file: Some("a") });
        assert_eq!(of(90..99), Label { activity: Some(("walk", 9)), source_file: Some("b") });
    }

    proptest! {
        #[test]
        fn counts_are_those_of_the_samples_one_by_one(
            steps in prop::collection::vec((1_usize..20, "[abc]?"), 1..10), start in 0_usize..100, length in 1_usize..60,
        ) {
            let mut next = 0;
            let parts: Vec<Part<'_>> = steps.iter().map(|(step, name)| {
                let first_sample = next;
                next += step;
                Part { first_sample, activity: (!name.is_empty()).then_some(name.as_str()), source_file: None }
            }).collect();
            let of_sample = |sample: usize| {
                parts.iter().rfind(|part| part.first_sample <= sample).and_then(|part| part.activity)
            };
            let found = label(parts.iter().copied(), &(start..start + length));
            let count = |name: &str| (start..start + length).filter(|sample| of_sample(*sample) == Some(name)).count();
            let most = ["a", "b", "c"].map(count).into_iter().max().unwrap();
            prop_assert_eq!(found.activity.map_or(0, |(_, count)| count), most);
            if let Some((name, found)) = found.activity {
                prop_assert_eq!(count(name), found);
            }
        }
    }
}
