//! The check as a stage of a plan, and as a function call.

use std::cmp::Ordering;
use std::path::PathBuf;

use arrow::datatypes::SchemaRef;
use schemas::columns::{field, skeleton_of};
use schemas::tables::findings::{self, Finding};

use super::config::{CheckConfig, MOST_PICTURE_BITS, PICTURE_BITS};
use super::error::CheckError;
use super::pictures::Alike;
use super::rule::Rule;
use super::rules::inspector;
use super::seen::Seen;
use super::summary::{RuleSummary, Tally};
use super::survey::{Survey, each_person, is_numbered, is_without_person};
use crate::stage::{AllRows, BuildContext, Gathered, Give, Number, Rows, StageError};

/// Columns without which there is nothing to check, and those that some rule or the reader of a finding needs.
const COLUMNS: ([&str; 3], [&str; 9]) = (
    ["sample_id", "keypoints", "visibility"],
    [
        "dataset",
        "split",
        "image_path",
        "image_size",
        "person_index",
        "scale",
        "head_box",
        "source_file",
        "source_record",
    ],
);
/// Findings given at a time.
const BATCH_ROWS: usize = 8192;

impl CheckConfig {
    /// The step.
    ///
    /// # Errors
    /// When no rule is named, or prints may differ in too many bits.
    pub fn build(&self, context: &BuildContext) -> Result<Check, StageError> {
        let stage = context.name.clone();
        if self.rules.is_empty() {
            return Err(StageError::step(CheckError::NoRule { stage }));
        }
        if self.picture_bits > MOST_PICTURE_BITS {
            let (most, found, usual) = (MOST_PICTURE_BITS, self.picture_bits, PICTURE_BITS);
            return Err(StageError::step(CheckError::PictureBits { stage, most, found, usual }));
        }
        let folder =
            self.images.as_ref().map_or_else(|| context.folder.clone(), |at| context.folder.join(at));
        Ok(Check::new(self.clone(), folder))
    }
}

/// Checks tables of people by the rules of its configuration.
#[derive(Debug, Clone)]
pub struct Check {
    config: CheckConfig,
    folder: PathBuf,
}

/// What a check found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Checked {
    /// The findings: by rule, in order; within a rule by data set, person and joint.
    pub findings: Vec<Finding>,
    /// Each rule that was checked, in order.
    pub summary: Vec<RuleSummary>,
    /// What a reader must know: what could not be checked.
    pub notes: Vec<String>,
}

impl Check {
    pub(super) fn new(config: CheckConfig, folder: PathBuf) -> Self {
        Self { config, folder }
    }

    /// Checks all of `rows`, which are read up to three times.
    ///
    /// Findings and one note a picture are held in memory, rows are not.
    ///
    /// # Errors
    /// When the rows cannot be read, lack a column, or follow different skeletons.
    pub fn examine(&self, rows: &dyn Rows) -> Result<Checked, StageError> {
        let survey = Survey::new(rows, &self.config, &self.folder)?;
        let pixels = self.config.rules.iter().any(|rule| rule.needs_pixels());
        let none = super::pictures::Images::default();
        let alike = Alike::new(if pixels { &survey.images } else { &none }, self.config.picture_bits);
        let mut rules: Vec<Rule> = self.config.rules.clone();
        rules.sort_unstable();
        rules.dedup();
        let mut inspectors: Vec<_> =
            rules.iter().map(|rule| (*rule, inspector(*rule, &self.config, &survey, &alike))).collect();
        let mut tallies: Vec<Tally> = rules.iter().map(|rule| Tally::of(*rule)).collect();
        let (mut found, numbered) = (Vec::new(), is_numbered(rows));
        each_person(rows, survey.skeleton, |person| {
            let Some(dataset) = survey.datasets.get(&person.dataset) else { return };
            let labelled = person.pose.annotated() > 0;
            let body = labelled.then(|| dataset.proportions.body(survey.skeleton, &person.pose)).flatten();
            let image = survey.images.at(&person.image_path);
            let seen = Seen {
                person,
                skeleton: survey.skeleton,
                image: image.map(|number| (number, &survey.images.all()[number])),
                body: body.as_ref(),
                build: &dataset.build,
            };
            for ((rule, inspector), tally) in inspectors.iter_mut().zip(&mut tallies) {
                if labelled || rule.is_about_pictures() {
                    let looked = inspector.look(&seen, &mut found);
                    if !is_without_person(person, numbered) {
                        tally.add(looked);
                    }
                } else if *rule == Rule::Visibility {
                    // Coordinates without a visibility are its concern, though they make nobody labelled.
                    inspector.look(&seen, &mut found);
                }
            }
        })?;
        let mut notes = said_of(&survey);
        for (_, inspector) in &mut inspectors {
            inspector.finish(&mut found, &mut notes);
        }
        found.sort_by(order);
        let summary: Vec<RuleSummary> = tallies.into_iter().map(|tally| tally.summary(&found)).collect();
        notes.extend(summary.iter().flat_map(RuleSummary::notes));
        let whole = found.iter().filter(|finding| finding.sample_id.is_none());
        notes.extend(
            whole.map(|finding| format!("{}: `{}`: {}", finding.rule, finding.dataset, finding.detail)),
        );
        Ok(Checked { findings: found, summary, notes })
    }
}

impl Checked {
    /// Gives the findings as rows of their table.
    ///
    /// # Errors
    /// When they are not taken.
    pub fn give(&self, give: &mut Give<'_>) -> Result<(), StageError> {
        self.findings.chunks(BATCH_ROWS).map(findings::to_batch).try_for_each(give)
    }
}

/// How many people there are, where not all are labelled.
fn said_of(survey: &Survey) -> Vec<String> {
    let Survey { people, labelled, .. } = survey;
    let unlabelled = people.saturating_sub(*labelled);
    if unlabelled == 0 {
        return Vec::new();
    }
    vec![format!("{unlabelled} of {people} people have no joint annotated; only their pictures are checked")]
}

/// By rule as they are listed, data set, person, joint, the other; then by all else, so that no order of rows shows.
fn order(a: &Finding, b: &Finding) -> Ordering {
    let rule = |finding: &Finding| Rule::ALL.iter().position(|rule| rule.name() == finding.rule);
    rule(a).cmp(&rule(b)).then_with(|| texts(a).cmp(&texts(b)))
}

/// What findings of one rule are ordered by.
fn texts(finding: &Finding) -> [Option<&str>; 6] {
    let Finding { dataset, split, sample_id, joint, other_sample_id, detail, .. } = finding;
    let [id, joint, other] = [sample_id, joint, other_sample_id].map(Option::as_deref);
    [Some(dataset), id, Some(split), joint, other, Some(detail)]
}

impl AllRows for Check {
    type Count = Number<1>;

    const INPUTS: &'static [&'static str; 1] = &["people"];

    fn needed_columns(&self, _input: usize, schema: &SchemaRef) -> Result<Vec<usize>, StageError> {
        for name in COLUMNS.0 {
            field(schema, name)?;
        }
        skeleton_of(schema)?;
        let wanted = |name: &str| COLUMNS.0.contains(&name) || COLUMNS.1.contains(&name);
        Ok((0..schema.fields().len()).filter(|&index| wanted(schema.field(index).name())).collect())
    }

    fn output_schema(&self, _inputs: [&SchemaRef; 1]) -> Result<SchemaRef, StageError> {
        Ok(findings::schema())
    }

    fn run(&self, [rows]: [&dyn Rows; 1], _run: &str, give: &mut Give<'_>) -> Result<Gathered, StageError> {
        let checked = self.examine(rows)?;
        checked.give(give)?;
        Ok(Gathered { rejects: Vec::new(), notes: checked.notes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built(plan: &str) -> Result<Check, StageError> {
        let context = BuildContext { name: "look".into(), seed: 0, threads: 1, folder: ".".into() };
        toml::from_str::<CheckConfig>(plan).unwrap().build(&context)
    }

    #[test]
    fn a_plan_is_checked_where_it_stands() {
        assert!(toml::from_str::<CheckConfig>("limb_sigmas = 3").is_err());
        let error = toml::from_str::<CheckConfig>("rules = ['leeks']").unwrap_err().to_string();
        assert!(error.contains("`leak`") && error.contains("`visibility`"), "{error}");
        assert!(toml::from_str::<CheckConfig>("limb_sigma = -1").is_err());
        assert!(built("rules = []").unwrap_err().hint().unwrap().contains("`left_right`"));
        let error = built("picture_bits = 40").unwrap_err();
        assert_eq!(error.to_string(), "`look`: `picture_bits` must be at most 12, found `40`");
        assert!(built("").is_ok());
    }
}
