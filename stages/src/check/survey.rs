//! What must be known about a whole table before any person can be judged.

use std::collections::BTreeMap;
use std::path::Path;

use schemas::Skeleton;
use schemas::columns::skeleton_of;
use schemas::tables::people::{self, Person};

use super::body::{Build, FirstReading, Proportions, SecondReading};
use super::config::CheckConfig;
use super::error::CheckError;
use super::pictures::{Images, Wanted};
use super::rule::Rule;
use crate::stage::{Rows, StageError};

/// The table at a glance.
pub(super) struct Survey {
    pub skeleton: &'static Skeleton,
    /// Every image.
    pub images: Images,
    /// How many rows name a person.
    pub people: u64,
    /// How many of those have a joint.
    pub labelled: u64,
    /// By data set.
    pub datasets: BTreeMap<String, Dataset>,
}

/// What is usual in one data set.
#[derive(Debug)]
pub(super) struct Dataset {
    pub proportions: Proportions,
    pub build: Build,
}

/// Whether the row of `person` is of an image without people. Where the table has no numbers of people, none is.
pub(super) fn is_without_person(person: &Person, numbered: bool) -> bool {
    numbered && person.person_index.is_none() && person.pose.annotated() == 0
}

/// Whether the table numbers the people of an image.
pub(super) fn is_numbered(rows: &dyn Rows) -> bool {
    rows.schema().index_of("person_index").is_ok()
}

/// Hands every row to `each`, in order.
///
/// # Errors
/// When reading fails, a column is of another type, or batches follow different skeletons.
pub(super) fn each_person(
    rows: &dyn Rows,
    skeleton: &'static Skeleton,
    mut each: impl FnMut(&Person),
) -> Result<(), StageError> {
    for batch in rows.scan() {
        let batch = batch?;
        let found = skeleton_of(batch.schema_ref())?;
        if found != skeleton {
            let (first, other) = (skeleton.name, found.name);
            return Err(StageError::step(CheckError::TwoSkeletons { first, other }));
        }
        people::from_batch(&batch)?.iter().for_each(&mut each);
    }
    Ok(())
}

impl Survey {
    /// Reads `rows` once, or twice where a rule compares lengths, and the pictures below `folder` that a rule needs.
    ///
    /// # Errors
    /// As [`each_person`].
    pub(super) fn new(rows: &dyn Rows, config: &CheckConfig, folder: &Path) -> Result<Self, StageError> {
        let skeleton = skeleton_of(&rows.schema())?;
        let any = |needs: fn(Rule) -> bool| config.rules.iter().any(|rule| needs(*rule));
        let least = u64::from(config.least_people.get());
        let (mut images, numbered) = (Images::default(), is_numbered(rows));
        let mut first: BTreeMap<String, FirstReading> = BTreeMap::new();
        let (mut people, mut labelled) = (0, 0);
        each_person(rows, skeleton, |person| {
            images.add(person);
            people += u64::from(!is_without_person(person, numbered));
            labelled += u64::from(person.pose.annotated() > 0);
            if !first.contains_key(&person.dataset) {
                first.insert(person.dataset.clone(), FirstReading::new(skeleton));
            }
            if let Some(reading) = first.get_mut(&person.dataset) {
                reading.add(skeleton, person);
            }
        })?;
        images.read_files(
            folder,
            match () {
                () if any(Rule::needs_pixels) => Wanted::Pixels,
                () if any(Rule::needs_sizes) => Wanted::Size,
                () => Wanted::Nothing,
            },
        );
        let proportions: BTreeMap<String, Proportions> =
            first.into_iter().map(|(dataset, reading)| (dataset, reading.proportions(least))).collect();
        let mut second: BTreeMap<&str, SecondReading> = BTreeMap::new();
        if any(Rule::needs_lengths) {
            let names = proportions.keys().map(String::as_str);
            second = names.map(|dataset| (dataset, SecondReading::new(skeleton))).collect();
            each_person(rows, skeleton, |person| {
                let dataset = person.dataset.as_str();
                if let (Some(reading), Some(usual)) = (second.get_mut(dataset), proportions.get(dataset)) {
                    reading.add(skeleton, usual, person);
                }
            })?;
        }
        let build =
            |dataset: &str| second.get(dataset).map(|reading| reading.build(least)).unwrap_or_default();
        let datasets = proportions.iter().map(|(dataset, proportions)| {
            (dataset.clone(), Dataset { proportions: proportions.clone(), build: build(dataset) })
        });
        let datasets = datasets.collect();
        Ok(Self { skeleton, images, people, labelled, datasets })
    }
}
