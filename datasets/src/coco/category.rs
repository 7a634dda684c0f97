//! Which skeleton a COCO category means.

use std::collections::HashSet;

use schemas::Skeleton;
use schemas::skeleton::ALL;
use serde::Deserialize;

use crate::json;

/// A category of a COCO file.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Category {
    #[serde(deserialize_with = "json::whole")]
    pub id: i64,
    #[serde(default)]
    pub name: String,
    /// Joint names, in the order of the annotations' points.
    #[serde(default, deserialize_with = "json::texts")]
    pub keypoints: Vec<String>,
}

/// Rule of [`choose`], for messages.
pub(super) const RULE: &str =
    "a COCO file must have one category whose `keypoints` are those of a known skeleton, in its order";

impl Category {
    /// The skeleton with just these joints, in this order; names may be spelt with blanks or hyphens.
    fn skeleton(&self) -> Option<&'static Skeleton> {
        ALL.into_iter().find(|skeleton| skeleton.is_spelt(&self.keypoints))
    }
}

/// Number and skeleton of the one category with keypoints of a known skeleton, or of the one called `wanted`.
///
/// # Errors
/// What the file holds instead.
pub(super) fn choose(
    categories: &[Category],
    wanted: Option<&str>,
) -> Result<(i64, &'static Skeleton), String> {
    let named = categories.iter().filter(|category| wanted.is_none_or(|name| category.name == name));
    let known: Vec<_> = named.filter_map(|category| Some((category.id, category.skeleton()?))).collect();
    match known[..] {
        [only] => Ok(only),
        _ => Err(listed(categories)),
    }
}

/// Names of categories of people who are not told apart, or have no keypoints.
const PEOPLE: [&str; 7] = ["person", "people", "human", "pedestrian", "crowd", "ignore", "ignored"];

/// The numbers of the categories besides `chosen` that are of people, whatever else is known of them: those with
/// keypoints, or with such a name.
pub(super) fn of_people(categories: &[Category], chosen: i64) -> HashSet<i64> {
    let of_people = |category: &&Category| {
        let name = category.name.to_lowercase();
        let mut words = name.split(|letter: char| !letter.is_alphanumeric());
        !category.keypoints.is_empty() || words.any(|word| PEOPLE.contains(&word))
    };
    let others = categories.iter().filter(|category| category.id != chosen);
    others.filter(of_people).map(|category| category.id).collect()
}

fn listed(categories: &[Category]) -> String {
    let one = |category: &Category| match category.skeleton() {
        Some(skeleton) => format!("`{}` ({})", category.name, skeleton.name),
        None if category.keypoints.is_empty() => format!("`{}` (no keypoints)", category.name),
        None => format!("`{}` (unknown keypoints: {})", category.name, category.keypoints.join(", ")),
    };
    let names: Vec<String> = categories.iter().map(one).collect();
    if names.is_empty() { "no categories".to_owned() } else { names.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemas::skeleton::COCO17;

    fn category(name: &str, joints: &[&str]) -> Category {
        Category { id: 3, name: name.into(), keypoints: joints.iter().map(|&joint| joint.into()).collect() }
    }

    #[test]
    fn every_skeleton_is_known_by_the_names_of_its_joints() {
        for skeleton in ALL {
            let category = category("person", skeleton.joints);
            assert_eq!(choose(&[category], None), Ok((3, skeleton)), "{}", skeleton.name);
        }
        let spelt: Vec<String> = COCO17.joints.iter().map(|joint| joint.replace('_', " ")).collect();
        let spelt: Vec<&str> = spelt.iter().map(String::as_str).collect();
        assert_eq!(choose(&[category("person", &spelt), category("cup", &[])], None), Ok((3, &COCO17)));
    }

    #[test]
    fn people_of_other_categories_are_told_from_things() {
        let named = |id: i64, name: &str, joints: &[&str]| Category { id, ..category(name, joints) };
        let all = [
            named(1, "person", COCO17.joints),
            named(2, "cup", &[]),
            named(3, "dog", &["snout"]),
            named(4, "Ignored regions", &[]),
            named(5, "people-crowd", &[]),
            named(6, "personal computer", &[]),
        ];
        assert_eq!(of_people(&all, 1), HashSet::from([3, 4, 5]));
    }

    #[test]
    fn what_is_not_known_is_listed() {
        let dog = category("dog", &["snout"]);
        let both = [category("man", COCO17.joints), dog, category("woman", COCO17.joints)];
        let found = choose(&both, None).unwrap_err();
        assert_eq!(found, "`man` (coco17), `dog` (unknown keypoints: snout), `woman` (coco17)");
        assert!(choose(&both, Some("woman")).is_ok());
        assert_eq!(choose(&[], None).unwrap_err(), "no categories");
        // The order of the joints is that of the results of a model, so another order is another skeleton.
        let turned: Vec<&str> = COCO17.joints.iter().rev().copied().collect();
        assert!(choose(&[category("person", &turned)], None).is_err());
    }
}
