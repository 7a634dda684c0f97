//! The truth by picture: people, and regions in which people are not told apart.

use datasets::coco::{BoxRule, PersonBox, Stated};
use schemas::tables::people::Person;
use schemas::tables::regions::{self, Why};

use super::Kind;
use crate::evaluate::error::EvaluateError;
use crate::evaluate::numbered::{Labels, Texts};

/// Share of the box that the area of a person is, where `CrowdPose` needs one (`crowdposetools`, `cocoeval.py`).
const AREA_OF_BOX: f64 = 0.53;

/// A person, or a region.
#[derive(Debug, Clone)]
pub(super) struct Subject {
    /// Its number in the truth, if it is a person.
    pub person: Option<u32>,
    /// Number among the annotations of the picture.
    order: i32,
    /// How many joints are annotated.
    pub joints: u32,
    /// Joints of a region, `[3K]`.
    pub keypoints: Option<Vec<f64>>,
    /// `[x, y, width, height]` px; `None` where it may be anywhere.
    pub bbox: Option<[f64; 4]>,
    /// px²; that of the box where none is stated.
    area: f64,
    pub is_crowd: bool,
    pub is_ignored: bool,
    pub is_void: bool,
}

impl Subject {
    /// The area by which `kind` measures, px².
    pub(super) fn area_by(&self, kind: Kind) -> f64 {
        match kind {
            Kind::Coco => self.area,
            Kind::CrowdPose => self.bbox.map_or(0.0, |[_, _, width, height]| width * height * AREA_OF_BOX),
        }
    }

    /// A region has no number of its own in the table, where `person` of the same picture names it.
    fn of_region(region: regions::Region) -> Self {
        let keypoints = region.keypoints;
        let labelled = |numbers: &Vec<f64>| numbers.chunks_exact(3).filter(|point| point[2] > 0.0).count();
        let box_area = region.bbox.map_or(0.0, |[_, _, width, height]| width * height);
        Self {
            person: None,
            order: region.index.unwrap_or(i32::MAX),
            joints: keypoints.as_ref().map_or(0, labelled) as u32,
            keypoints,
            bbox: region.bbox,
            area: region.area.unwrap_or(box_area),
            is_crowd: true,
            is_ignored: true,
            is_void: false,
        }
    }
}

/// What of the truth departs from COCO's own files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Departures {
    /// People who count and state no area.
    pub without_area: usize,
    /// People who count and whose area is that of their box to the last bit.
    pub area_of_box: usize,
    /// People who count and have neither an area nor a box.
    pub without_box: usize,
    /// Regions of people whose annotation was rejected or is of a category that was not read.
    pub lost: usize,
    /// People whose annotation has the number 0.
    pub void: usize,
}

/// The pictures of the truth, numbered as they came.
#[derive(Debug, Default)]
pub(in super::super) struct Pictures {
    paths: Texts,
    datasets: Labels,
    splits: Labels,
    image_ids: Vec<Option<i64>>,
    crowd_indices: Vec<Option<f64>>,
    subjects: Vec<Vec<Subject>>,
    departures: Vec<Departures>,
    /// By number of the person.
    of_person: Vec<u32>,
    /// Files, and numbers of annotations in them.
    files: Texts,
    annotations: std::collections::HashSet<(u32, i64)>,
}

impl Pictures {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.paths.len()
    }

    /// Adds `person`, who is the next of the truth.
    ///
    /// # Errors
    /// When another row is of the same annotation of the same file.
    pub(in super::super) fn add(&mut self, person: &Person) -> Result<(), EvaluateError> {
        let (picture, is_new) = self.paths.number(&person.image_path);
        let number = self.of_person.len() as u32;
        self.of_person.push(picture as u32);
        let stated = Stated::of(person);
        if is_new {
            self.datasets.push(&person.dataset);
            self.splits.push(&person.split);
            self.image_ids.push(stated.image_id);
            self.crowd_indices.push(stated.crowd_index);
            let regions = regions::of(person);
            let is_lost = |region: &&regions::Region| matches!(region.why, Why::Rejected | Why::Unread);
            let lost = regions.iter().filter(is_lost).count();
            self.departures.push(Departures { lost, ..Departures::default() });
            self.subjects.push(regions.into_iter().map(Subject::of_region).collect());
        }
        let annotated = person.pose.annotated();
        if person.person_index.is_none() && annotated == 0 {
            return Ok(());
        }
        if let Some(id) = stated.annotation_id {
            let file = self.files.number(&person.source_file).0 as u32;
            if !self.annotations.insert((file, id)) {
                let (sample_id, file) = (person.sample_id.clone(), person.source_file.clone());
                return Err(EvaluateError::DuplicateAnnotation { sample_id, id, file });
            }
        }
        let size = person.image_size.map(|size| size.map(|side| side.max(0).unsigned_abs()));
        let made = PersonBox::of(person, BoxRule::default(), size);
        let is_ignored = stated.num_keypoints.map_or(annotated == 0, |count| count == 0.0);
        let bbox = stated.bbox.or(made.map(|made| made.xywh));
        let area = stated.area.or(made.map(|made| made.area));
        let is_void = stated.annotation_id == Some(0);
        if !is_ignored {
            let departures = &mut self.departures[picture];
            departures.without_area += usize::from(stated.area.is_none());
            departures.without_box += usize::from(area.is_none() || bbox.is_none());
            let of_box = stated.bbox.map(|[_, _, width, height]| width * height);
            departures.area_of_box += usize::from(stated.area.is_some() && stated.area == of_box);
            departures.void += usize::from(is_void);
        }
        self.subjects[picture].push(Subject {
            person: Some(number),
            order: person.person_index.unwrap_or_default(),
            joints: annotated as u32,
            keypoints: None,
            bbox,
            area: area.unwrap_or_default(),
            is_crowd: false,
            is_ignored,
            is_void,
        });
        Ok(())
    }

    /// Puts the people of each picture into the order of its annotations; `id_of` names a person by number, so that the
    /// order of rows never shows.
    pub(in super::super) fn arrange<'a>(&mut self, id_of: impl Fn(u32) -> &'a str) {
        for subjects in &mut self.subjects {
            subjects.sort_by(|a, b| {
                let name = |one: &Subject| one.person.map(&id_of);
                a.order
                    .cmp(&b.order)
                    .then_with(|| a.is_crowd.cmp(&b.is_crowd))
                    .then_with(|| name(a).cmp(&name(b)))
            });
        }
    }

    /// People and regions of picture number `picture`, in the order of their annotations.
    pub(super) fn subjects(&self, picture: u32) -> &[Subject] {
        &self.subjects[picture as usize]
    }

    /// The number of the picture at `path`.
    pub(super) fn find(&self, path: &str) -> Option<u32> {
        self.paths.find(path).map(|number| number as u32)
    }

    /// The number of the picture of person number `person`.
    pub(super) fn of_person(&self, person: usize) -> u32 {
        self.of_person[person]
    }

    /// Numbers of the pictures in `split`, in the order of their images' numbers, where each has one of its own, else of
    /// their paths.
    pub(super) fn scored(&self, split: Option<&str>) -> Vec<u32> {
        let is_in = |picture: &u32| split.is_none_or(|split| self.splits.of(*picture as usize) == split);
        let mut pictures: Vec<u32> = (0..self.len() as u32).filter(is_in).collect();
        let mut ids: Vec<Option<i64>> = pictures.iter().map(|at| self.image_ids[*at as usize]).collect();
        ids.sort_unstable();
        let are_own = ids.iter().all(Option::is_some) && ids.windows(2).all(|pair| pair[0] != pair[1]);
        let path = |picture: u32| self.paths.text(picture as usize);
        pictures.sort_unstable_by(|a, b| {
            let id = |picture: u32| self.image_ids[picture as usize].filter(|_| are_own);
            id(*a).cmp(&id(*b)).then_with(|| path(*a).cmp(path(*b)))
        });
        pictures
    }

    /// How crowded picture number `picture` is.
    pub(super) fn crowd_index(&self, picture: u32) -> Option<f64> {
        self.crowd_indices[picture as usize]
    }

    /// Data set and split of picture number `picture`.
    pub(super) fn set(&self, picture: u32) -> (&str, &str) {
        (self.datasets.of(picture as usize), self.splits.of(picture as usize))
    }

    /// What of `pictures` departs from COCO's own files.
    pub(super) fn departures(&self, pictures: &[u32]) -> Departures {
        let each = pictures.iter().map(|picture| self.departures[*picture as usize]);
        each.fold(Departures::default(), |sum, one| Departures {
            without_area: sum.without_area + one.without_area,
            area_of_box: sum.area_of_box + one.area_of_box,
            without_box: sum.without_box + one.without_box,
            lost: sum.lost + one.lost,
            void: sum.void + one.void,
        })
    }
}
