//! The box around a person, for formats that need one where the annotations have none.

use schemars::JsonSchema;
use schemas::tables::people::Person;
use serde::{Deserialize, Serialize};

use super::Stated;

/// How the box of a person is made if the source states none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
#[serde(rename_all = "snake_case")]
pub enum BoxRule {
    /// The smallest box that holds all annotated joints and the head rectangle: nothing is guessed, but hands, feet
    /// and the body's outline extend beyond it.
    #[default]
    Keypoints,
    /// The square of `scale` · 200 px about the centre: as wide as the person is tall, so it holds all of the person
    /// and some surroundings.
    Scale,
}

/// Where a box comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BoxSource {
    /// The annotation file states it.
    Stated,
    /// [`BoxRule::Keypoints`].
    Keypoints,
    /// [`BoxRule::Scale`].
    Scale,
}

/// Side of the square of [`BoxRule::Scale`] for a `scale` of 1, px: what `scale` is defined by.
const SCALE_PX: f64 = 200.0;

/// A person's box.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PersonBox {
    /// `[x, y, width, height]`, px of the image.
    pub xywh: [f64; 4],
    /// px²: that of the outline where the source states it, else that of the box.
    pub area: f64,
    /// Where the box comes from.
    pub source: BoxSource,
}

impl PersonBox {
    /// The box of `person`: what the source states, else by `rule`, else by the other rule; `None` where neither
    /// gives a box with an area. A box that is not stated is cut at the borders of an image of `size`, where that is
    /// given.
    pub fn of(person: &Person, rule: BoxRule, size: Option<[u32; 2]>) -> Option<Self> {
        let stated = Stated::of(person);
        if let Some(xywh) = stated.bbox.filter(has_area) {
            let area = stated.area.filter(|area| area.is_finite() && *area > 0.0);
            return Some(Self { xywh, area: area.unwrap_or(xywh[2] * xywh[3]), source: BoxSource::Stated });
        }
        let order = match rule {
            BoxRule::Keypoints => [BoxSource::Keypoints, BoxSource::Scale],
            BoxRule::Scale => [BoxSource::Scale, BoxSource::Keypoints],
        };
        order.into_iter().find_map(|source| {
            let corners = if source == BoxSource::Scale { by_scale(person) } else { by_extent(person) }?;
            let [x1, y1, x2, y2] = match size {
                Some([width, height]) => cut(corners, f64::from(width), f64::from(height)),
                None => corners,
            };
            let xywh = [x1, y1, x2 - x1, y2 - y1];
            has_area(&xywh).then_some(Self { xywh, area: xywh[2] * xywh[3], source })
        })
    }
}

fn has_area(xywh: &[f64; 4]) -> bool {
    xywh.iter().all(|value| value.is_finite()) && xywh[2] > 0.0 && xywh[3] > 0.0
}

fn cut([x1, y1, x2, y2]: [f64; 4], width: f64, height: f64) -> [f64; 4] {
    [x1.clamp(0.0, width), y1.clamp(0.0, height), x2.clamp(0.0, width), y2.clamp(0.0, height)]
}

/// Corners `[x1, y1, x2, y2]` of the square.
fn by_scale(person: &Person) -> Option<[f64; 4]> {
    let ([x, y], half) = (person.center?, person.scale? * SCALE_PX / 2.0);
    Some([x - half, y - half, x + half, y + half])
}

/// Corners `[x1, y1, x2, y2]` of joints and head rectangle; `None` without a joint.
fn by_extent(person: &Person) -> Option<[f64; 4]> {
    let joints = (0..person.pose.keypoints.len()).filter_map(|joint| person.pose.joint(joint));
    let joints: Vec<[f64; 2]> = joints.collect();
    if joints.is_empty() {
        return None;
    }
    let head = person.head_box.iter().flat_map(|[x1, y1, x2, y2]| [[*x1, *y1], [*x2, *y2]]);
    let start = [f64::INFINITY, f64::INFINITY, f64::NEG_INFINITY, f64::NEG_INFINITY];
    Some(
        joints
            .into_iter()
            .chain(head)
            .fold(start, |[x1, y1, x2, y2], [x, y]| [x1.min(x), y1.min(y), x2.max(x), y2.max(y)]),
    )
}

#[cfg(test)]
mod tests {
    use super::super::tests::person;
    use super::*;
    use schemas::Visibility;

    #[test]
    fn a_box_is_stated_or_made_by_the_rule_that_is_asked_for() {
        let mut someone = person("a.jpg", 0);
        someone.pose.set(0, [10.0, 20.0], Visibility::Visible);
        someone.pose.set(1, [30.0, 80.0], Visibility::Occluded);
        someone.head_box = Some([5.0, 60.0, 12.0, 90.0]);
        someone.center = Some([50.0, 40.0]);
        someone.scale = Some(0.5);
        let of = |rule| PersonBox::of(&someone, rule, Some([640, 70])).unwrap();
        let tight = of(BoxRule::Keypoints);
        assert_eq!((tight.xywh, tight.area), ([5.0, 20.0, 25.0, 50.0], 1250.0));
        let wide = of(BoxRule::Scale);
        assert_eq!((wide.xywh, wide.source), ([0.0, 0.0, 100.0, 70.0], BoxSource::Scale));
        someone.attributes = Some(r#"{"coco":{"bbox":[1,2,3,4],"area":7.5}}"#.into());
        let stated = PersonBox::of(&someone, BoxRule::Scale, None).unwrap();
        assert_eq!((stated.xywh, stated.area, stated.source), ([1.0, 2.0, 3.0, 4.0], 7.5, BoxSource::Stated));
    }

    #[test]
    fn without_an_area_the_other_rule_is_tried() {
        let mut someone = person("a.jpg", 0);
        assert_eq!(PersonBox::of(&someone, BoxRule::Keypoints, None), None);
        someone.pose.set(0, [10.0, 20.0], Visibility::Visible);
        assert_eq!(PersonBox::of(&someone, BoxRule::Keypoints, None), None);
        (someone.center, someone.scale) = (Some([10.0, 10.0]), Some(0.1));
        let found = PersonBox::of(&someone, BoxRule::Keypoints, None).unwrap();
        assert_eq!((found.xywh, found.source), ([0.0, 0.0, 20.0, 20.0], BoxSource::Scale));
        // Wholly outside the picture.
        assert_eq!(PersonBox::of(&someone, BoxRule::Scale, Some([0, 10])), None);
    }
}
