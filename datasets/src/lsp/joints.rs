//! The array `joints` of LSP and of LSPET.

use std::path::Path;

use schemas::Visibility;
use schemas::skeleton::LSP14;
use schemas::tables::people::{Person, Pose};
use schemas::tables::rejects::Reject;

use super::numbered::Numbered;
use crate::limb_scale::{LimbRatios, Parents};
use crate::unique_ids::UniqueIds;
use crate::{Annotations, ReadError, matlab};

/// Name of the array in both files.
const ARRAY: &str = "joints";

/// Which of the two files an array comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// 3 x 14 x N, third value 1 = occluded.
    Lsp,
    /// 14 x 3 x N, third value 1 = annotated.
    Lspet,
}

impl Layout {
    fn dims(self) -> [usize; 2] {
        match self {
            Self::Lsp => [3, 14],
            Self::Lspet => [14, 3],
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Lsp => "LSP",
            Self::Lspet => "LSPET",
        }
    }

    fn source(self) -> &'static str {
        match self {
            Self::Lsp => "lsp",
            Self::Lspet => "lspet",
        }
    }

    fn other(self) -> Self {
        match self {
            Self::Lsp => Self::Lspet,
            Self::Lspet => Self::Lsp,
        }
    }

    /// What the third value `flag` says, or `None` where it is neither 0 nor 1.
    fn visibility(self, flag: f64) -> Option<Visibility> {
        match (self, flag) {
            (Self::Lsp, 0.0) | (Self::Lspet, 1.0) => Some(Visibility::Visible),
            (Self::Lsp, 1.0) => Some(Visibility::Occluded),
            (Self::Lspet, 0.0) => Some(Visibility::NotAnnotated),
            _ => None,
        }
    }
}

/// The array of either file.
pub(crate) struct Joints {
    layout: Layout,
    pub(crate) people: usize,
    values: Vec<f64>,
}

impl Joints {
    pub(crate) fn read(path: &Path, layout: Layout) -> Result<Self, ReadError> {
        let variables = matlab::read(path)?;
        let node = matlab::variable(&variables, ARRAY).map_err(|error| error.in_file(path))?;
        let [rows, columns] = layout.dims();
        let rule = || format!("{}'s array `{ARRAY}` must be {rows} x {columns} x N", layout.name());
        let [first, second, people] = match *node.dims() {
            [first, second] => [first, second, 1],
            [first, second, people] => [first, second, people],
            _ => return Err(ReadError::unexpected(path, rule(), node.value().shape())),
        };
        if [first, second] == layout.other().dims() {
            let (name, source) = (layout.other().name(), layout.other().source());
            let found = format!(
                "{}, which is {name}'s layout: its third value means something else; read it as `{source}`",
                node.value().shape()
            );
            return Err(ReadError::unexpected(path, rule(), found));
        }
        let values = node.numbers().map_err(|error| error.in_file(path))?;
        if [first, second] != layout.dims() || values.len() != first * second * people {
            return Err(ReadError::unexpected(path, rule(), node.value().shape()));
        }
        Ok(Self { layout, people, values })
    }

    /// x, y and the third value of a joint, as stored.
    fn joint(&self, person: usize, joint: usize) -> [f64; 3] {
        let values = &self.values[person * 42..(person + 1) * 42];
        [0, 1, 2].map(|part| match self.layout {
            Layout::Lsp => values[joint * 3 + part],
            Layout::Lspet => values[part * 14 + joint],
        })
    }

    fn pose(&self, person: usize) -> Result<Pose, (&'static str, String)> {
        let mut pose = Pose::unknown(14);
        for joint in 0..14 {
            let [x, y, flag] = self.joint(person, joint);
            let place = || format!("joint {} ({})", joint + 1, LSP14.joints[joint]);
            let visibility = self.layout.visibility(flag).ok_or_else(|| {
                ("visibility neither 0 nor 1", format!("{} has the third value {flag}", place()))
            })?;
            if visibility.is_annotated() && !(x.is_finite() && y.is_finite()) {
                return Err(("coordinate not finite", format!("{} is at ({x}, {y})", place())));
            }
            pose.set(joint, [x - 1.0, y - 1.0], visibility);
        }
        Ok(pose)
    }

    /// Everything but the centre, and what must be said of it. `rules` gives a row's split and the name of the rule that
    /// will make its centre. The number names the picture, with any ending; see [`Numbered`].
    pub(crate) fn annotations(
        &self,
        path: &Path,
        images: &Path,
        parents: Parents,
        dataset: &str,
        digits: usize,
        rules: impl Fn(usize) -> (&'static str, &'static str),
    ) -> (Annotations, Vec<String>) {
        let numbered = Numbered::new(images, self.people, digits);
        let source_file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let (mut people, mut rejects, mut ids) = (Vec::new(), Vec::new(), UniqueIds::default());
        for row in 0..self.people {
            let number = row + 1;
            let name = format!("im{number:0digits$}.jpg");
            let sample_id = ids.of(dataset, &name, Some(0));
            let source_record = format!("{ARRAY}(:,:,{number})");
            let (split, center_rule) = rules(row);
            let pose = match self.pose(row) {
                Ok(pose) => pose,
                Err((reason, detail)) => {
                    rejects.push(Reject {
                        stage: dataset.to_owned(),
                        reason: reason.to_owned(),
                        sample_id: Some(sample_id),
                        source_file: Some(source_file.clone()),
                        source_record: Some(source_record),
                        detail,
                        rows: 1,
                    });
                    continue;
                }
            };
            let rules = serde_json::json!({ "center_rule": center_rule, "scale_rule": parents.rule() });
            people.push(Person {
                sample_id,
                dataset: dataset.to_owned(),
                split: split.to_owned(),
                image_path: numbered.path(number).to_string_lossy().into_owned(),
                person_index: Some(0),
                pose,
                attributes: Some(rules.to_string()),
                source_file: source_file.clone(),
                source_record,
                ..Person::default()
            });
        }
        let train = people.iter().filter(|person| person.split == "train").map(|person| &person.pose);
        let ratios = LimbRatios::of(train, parents);
        for person in &mut people {
            person.scale = ratios.scale(&person.pose);
        }
        (Annotations { skeleton: &LSP14, people, images: self.people, rejects }, numbered.notes())
    }
}
