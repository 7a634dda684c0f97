//! One person as the rules see it.

use schemas::Skeleton;
use schemas::tables::findings::{Finding, Severity};
use schemas::tables::people::Person;

use super::body::{self, Body, Build};
use super::pictures::Image;
use super::rule::Rule;

/// What a rule made of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Looked {
    /// It looked, and noted what it found.
    Checked,
    /// It could only look in part, for this reason.
    InPart(&'static str),
    /// It could not look, for this reason.
    Not(&'static str),
}

/// A rule at work.
pub(super) trait Inspect {
    /// Looks at one person and notes what it finds.
    fn look(&mut self, seen: &Seen<'_>, found: &mut Vec<Finding>) -> Looked;

    /// After the last person: what only all of them show. What a reader must know goes into `notes`.
    fn finish(&mut self, _found: &mut Vec<Finding>, _notes: &mut Vec<String>) {}
}

/// One row, and what the survey knows of it.
pub(super) struct Seen<'a> {
    pub person: &'a Person,
    pub skeleton: &'static Skeleton,
    /// Number and facts of its image; `None` where the row names none.
    pub image: Option<(usize, &'a Image)>,
    /// The person's size; `None` where too few limbs are known, or no rule needs it.
    pub body: Option<&'a Body>,
    /// What is usual in its data set.
    pub build: &'a Build,
}

/// A number, what is allowed, and their unit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Measured(pub f64, pub f64, pub &'static str);

impl Seen<'_> {
    /// The place of joint `joint` where it is annotated and finite.
    pub(super) fn place(&self, joint: usize) -> Option<[f64; 2]> {
        body::place(&self.person.pose, joint)
    }

    /// Joints with a place.
    pub(super) fn places(&self) -> impl Iterator<Item = (usize, [f64; 2])> + '_ {
        (0..self.skeleton.len()).filter_map(|joint| Some((joint, self.place(joint)?)))
    }

    /// Width and height of the picture: from its header, else as the annotation states, and which of both.
    pub(super) fn size(&self) -> Result<([f64; 2], &'static str), &'static str> {
        if let Some(size) = self.image.and_then(|(_, image)| image.file.size) {
            return Ok((size.map(f64::from), ""));
        }
        if let Some(size) = self.person.image_size {
            return Ok((size.map(f64::from), ", as the annotation states"));
        }
        Err(self.image.and_then(|(_, image)| image.file.problem).unwrap_or("no picture named"))
    }

    /// A finding of `rule` about this person.
    pub(super) fn finding(&self, rule: Rule, severity: Severity, detail: impl Into<String>) -> Finding {
        let person = self.person;
        let text = |text: &String| (!text.is_empty()).then(|| text.clone());
        Finding {
            sample_id: Some(person.sample_id.clone()),
            dataset: person.dataset.clone(),
            split: person.split.clone(),
            rule: rule.name().to_owned(),
            severity,
            joint: None,
            value: None,
            limit: None,
            unit: None,
            detail: detail.into(),
            other_sample_id: None,
            image_path: text(&person.image_path),
            source_file: text(&person.source_file),
            source_record: text(&person.source_record),
        }
    }

    /// `finding` about joint `joint`.
    pub(super) fn at(&self, joint: usize, finding: Finding) -> Finding {
        Finding { joint: Some(self.skeleton.joints[joint].to_owned()), ..finding }
    }
}

/// `finding` with what was measured.
pub(super) fn measured(finding: Finding, Measured(value, limit, unit): Measured) -> Finding {
    Finding { value: Some(value), limit: Some(limit), unit: Some(unit.to_owned()), ..finding }
}
