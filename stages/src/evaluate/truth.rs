//! What scoring keeps of the truth: joints, head sizes and names, in some 200 to 400 bytes a person.

use schemas::Visibility;
use schemas::skeleton::Skeleton;
use schemas::tables::people::{Person, Pose};
use schemas::tables::rejects::Reject;

use super::error::EvaluateError;
use super::measure::{Lengths, Unusable, box_side, head_size};
use super::numbered::{Labels, Numbers};
use super::oks::Pictures;
use super::protocol::Protocol;
use super::roster::Roster;

/// What protocols need of the truth beyond joints and head sizes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Needs {
    /// The longer side of each person's box.
    boxes: bool,
    /// Pictures, with all who are in them.
    pictures: bool,
}

impl Needs {
    /// What `protocols` need.
    pub(super) fn of(protocols: impl IntoIterator<Item = Protocol>) -> Self {
        protocols.into_iter().fold(Self::default(), |needs, protocol| Self {
            boxes: needs.boxes || protocol == Protocol::PckBbox,
            pictures: needs.pictures || protocol.is_of_pictures(),
        })
    }
}

/// The people of the truth, numbered as they came.
#[derive(Debug)]
pub(super) struct Truth {
    pub skeleton: &'static Skeleton,
    pub roster: Roster,
    datasets: Labels,
    head_sizes: Vec<Option<f64>>,
    /// `[N, K * 2]`
    keypoints: Numbers,
    /// `[N, K]`
    is_annotated: Vec<bool>,
    source_files: Labels,
    source_records: Labels,
    /// Longer sides of boxes, px, where they are needed.
    box_sides: Option<Vec<Option<f64>>>,
    /// How many of these are of boxes that the source does not state.
    pub made_boxes: usize,
    pictures: Option<Pictures>,
}

impl Truth {
    /// Nobody yet; people are annotated with `skeleton`.
    pub(super) fn new(skeleton: &'static Skeleton, needs: Needs) -> Self {
        Self {
            skeleton,
            roster: Roster::default(),
            datasets: Labels::default(),
            head_sizes: Vec::new(),
            keypoints: Numbers::new(2 * skeleton.len()),
            is_annotated: Vec::new(),
            source_files: Labels::default(),
            source_records: Labels::default(),
            box_sides: needs.boxes.then(Vec::new),
            made_boxes: 0,
            pictures: needs.pictures.then(Pictures::default),
        }
    }

    /// Adds `person`.
    ///
    /// # Errors
    /// When the number of joints is another, or the id is there already.
    pub(super) fn add(&mut self, person: &Person) -> Result<(), EvaluateError> {
        self.roster.add(person, self.skeleton)?;
        self.datasets.push(&person.dataset);
        self.head_sizes.push(person.head_box.map(head_size));
        self.keypoints.push(person.pose.keypoints.iter().flatten().copied());
        self.is_annotated.extend(person.pose.visibility.iter().map(|visibility| visibility.is_annotated()));
        self.source_files.push(&person.source_file);
        self.source_records.push(&person.source_record);
        if let Some(sides) = &mut self.box_sides {
            let (side, is_stated) = box_side(person);
            sides.push(side);
            self.made_boxes += usize::from(side.is_some() && !is_stated && person.pose.annotated() > 0);
        }
        self.pictures.as_mut().map_or(Ok(()), |pictures| pictures.add(person))
    }

    /// Puts in order what only all of the truth has an order for: after the last person.
    pub(super) fn complete(&mut self) {
        let ids = &self.roster.ids;
        if let Some(pictures) = &mut self.pictures {
            pictures.arrange(|person| ids.text(person as usize));
        }
    }

    /// The pictures.
    ///
    /// # Panics
    /// When they are not among what was said to be needed.
    pub(super) fn pictures(&self) -> &Pictures {
        self.pictures.as_ref().expect("protocols of pictures say that they need these")
    }

    /// Lengths by which errors of `person` may be divided.
    pub(super) fn lengths(&self, person: usize) -> Lengths {
        Lengths {
            head: self.head_sizes[person],
            box_side: self.box_sides.as_ref().and_then(|sides| sides[person]),
        }
    }

    /// Whether joint `joint` of `person` is annotated.
    pub(super) fn is_annotated(&self, person: usize, joint: usize) -> bool {
        self.is_annotated[person * self.skeleton.len() + joint]
    }

    /// Puts the joints of `person` into `pose`. Whether an annotated joint is visible is not kept: it counts as visible.
    pub(super) fn read(&self, person: usize, pose: &mut Pose, buffer: &mut Vec<f64>) {
        let joints = self.skeleton.len();
        self.keypoints.read(person, buffer);
        pose.keypoints.clear();
        pose.keypoints.extend(buffer.chunks_exact(2).map(|point| [point[0], point[1]]));
        pose.visibility.clear();
        let codes = self.is_annotated[person * joints..(person + 1) * joints].iter();
        pose.visibility.extend(
            codes.map(|annotated| if *annotated { Visibility::Visible } else { Visibility::NotAnnotated }),
        );
    }

    /// By number of the person: the place among `people`, if any.
    pub(super) fn places_among(&self, people: &[u32]) -> Vec<Option<u32>> {
        let mut places = vec![None; self.roster.len()];
        for (place, person) in (0..).zip(people) {
            places[*person as usize] = Some(place);
        }
        places
    }

    /// The data sets of `people`, joined.
    pub(super) fn dataset_of(&self, people: &[u32]) -> String {
        self.datasets.different(people.iter().map(|person| *person as usize)).join("+")
    }

    /// The reject of `person`.
    pub(super) fn reject(&self, person: usize, why: &Unusable) -> Reject {
        self.reject_for(person, why.reason, &why.detail)
    }

    /// The reject of `person` for `reason`.
    pub(super) fn reject_for(&self, person: usize, reason: &str, detail: &str) -> Reject {
        Reject {
            stage: "evaluate".to_owned(),
            reason: reason.to_owned(),
            sample_id: Some(self.roster.ids.text(person).to_owned()),
            source_file: Some(self.source_files.of(person).to_owned()),
            source_record: Some(self.source_records.of(person).to_owned()),
            detail: detail.to_owned(),
            rows: 1,
        }
    }
}
