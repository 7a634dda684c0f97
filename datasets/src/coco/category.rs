//! Which skeleton a COCO category means.

use std::collections::HashSet;

use schemas::Skeleton;
use schemas::skeleton::{Definition, JointRef, all};
use serde::{Deserialize, Deserializer};
use serde_json::Value as Json;

use crate::json;

/// A category of a COCO file.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Category {
    #[serde(deserialize_with = "json::whole")]
    pub id: i64,
    #[serde(default)]
    pub name: String,
    /// Joint names, in the order of the annotations' points.
    #[serde(default, deserialize_with = "json::texts")]
    pub keypoints: Vec<String>,
    /// Bones, as pairs of numbers of joints.
    #[serde(default, deserialize_with = "bones")]
    pub skeleton: Vec<[i64; 2]>,
    /// What our writer puts beside them.
    #[serde(default)]
    pub motionmill: Own,
}

/// What COCO has no place for.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Own {
    /// The whole skeleton, if it is not built in.
    pub skeleton: Option<Definition>,
}

/// The pairs of whole numbers of a list; others draw no bone.
fn bones<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<[i64; 2]>, D::Error> {
    let list = Json::deserialize(deserializer)?;
    let pair = |pair: &Json| match pair.as_array()?.as_slice() {
        [a, b] => Some([json::whole(a).ok()?, json::whole(b).ok()?]),
        _ => None,
    };
    Ok(list.as_array().into_iter().flatten().filter_map(pair).collect())
}

/// Rule of [`choose`], for messages.
pub(super) const RULE: &str =
    "a COCO file must have one category with `keypoints`, or one of a known skeleton";
/// Rule of [`choose`] where a skeleton is named.
const NAMED_RULE: &str = "the category must have the joints of `skeleton`, in its order";

/// Why no category was chosen: what the file must have, and what it has.
pub(super) type Unchosen = (&'static str, String);

impl Category {
    /// The known skeleton with just these joints, in this order; names may be spelt in other ways.
    fn known(&self) -> Option<&'static Skeleton> {
        all().iter().copied().find(|skeleton| skeleton.is_spelt(&self.keypoints))
    }

    /// The skeleton that the file itself states.
    ///
    /// # Errors
    /// When its names are no joints: two are the same, one is blank.
    fn stated(&self) -> Result<&'static Skeleton, Unchosen> {
        let made = match &self.motionmill.skeleton {
            Some(definition) if definition.joints == self.keypoints => Skeleton::of(definition),
            _ => Skeleton::of(&self.definition()),
        };
        made.map_err(|error| (RULE, format!("`{}`, of which {error}", self.name)))
    }

    /// A skeleton is named after the category and the number of joints, unless a known one has this name.
    fn definition(&self) -> Definition {
        let letters = self.name.trim().chars().take(40).map(|letter| match letter {
            letter if letter.is_ascii_alphanumeric() => letter.to_ascii_lowercase(),
            _ => '_',
        });
        let name: String = letters.collect();
        let of = if name.is_empty() { "joints" } else { &name };
        let mut name = format!("{of}{}", self.keypoints.len());
        if Skeleton::named(&name).is_ok() {
            name.push_str("_own");
        }
        let limbs = self.limbs().into_iter().map(|limb| limb.map(JointRef::Number)).collect();
        Definition { name, joints: self.keypoints.clone(), limbs, ..Definition::default() }
    }

    /// The bones between its joints, counted from 0. COCO counts from 1, but some count from 0: a bone at 0 says so.
    fn limbs(&self) -> Vec<[usize; 2]> {
        let first = i64::from(!self.skeleton.iter().flatten().any(|joint| *joint == 0));
        let joints = self.keypoints.len();
        let place = |joint: i64| usize::try_from(joint - first).ok().filter(|place| *place < joints);
        let limb = |[a, b]: [i64; 2]| Some([place(a)?, place(b)?]).filter(|[a, b]| a != b);
        self.skeleton.iter().filter_map(|pair| limb(*pair)).collect()
    }

    /// Whether its points can be those of `skeleton`: it names none, or as many, of which those that the skeleton has are at
    /// their places.
    fn fits(&self, skeleton: &Skeleton) -> bool {
        let at_its_place =
            |(at, name): (usize, &String)| skeleton.index_of(name).is_none_or(|joint| joint == at);
        self.keypoints.is_empty()
            || skeleton.is_spelt(&self.keypoints)
            || (self.keypoints.len() == skeleton.len() && self.keypoints.iter().enumerate().all(at_its_place))
    }
}

/// Number and skeleton of the category to read: the one called `wanted`, where there is a choice. Its skeleton is `told`; else
/// the known one with its joints; else the one that the file states.
///
/// # Errors
/// When it is not one category.
pub(super) fn choose(
    categories: &[Category],
    wanted: Option<&str>,
    told: Option<&'static Skeleton>,
) -> Result<(i64, &'static Skeleton), Unchosen> {
    let called = |category: &&Category| wanted.is_none_or(|name| category.name == name);
    if let Some(skeleton) = told {
        let fitting = categories.iter().filter(called).filter(|category| category.fits(skeleton));
        let (named, unnamed): (Vec<&Category>, Vec<&Category>) =
            fitting.partition(|category| !category.keypoints.is_empty());
        // Categories without names can be of things; they are only asked where no other is there.
        return match (&named[..], &unnamed[..]) {
            ([only], _) | ([], [only]) => Ok((only.id, skeleton)),
            _ => Err((NAMED_RULE, listed(categories))),
        };
    }
    let known: Vec<_> = categories
        .iter()
        .filter(called)
        .filter_map(|category| Some((category.id, category.known()?)))
        .collect();
    let stated = categories.iter().filter(called).filter(|category| !category.keypoints.is_empty());
    match (&known[..], &stated.collect::<Vec<_>>()[..]) {
        ([only], _) => Ok(*only),
        ([], [only]) => Ok((only.id, only.stated()?)),
        _ => Err((RULE, listed(categories))),
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
    let one = |category: &Category| match category.known() {
        Some(skeleton) => format!("`{}` ({})", category.name, skeleton.name),
        None if category.keypoints.is_empty() => format!("`{}` (no keypoints)", category.name),
        None => format!("`{}` (keypoints {})", category.name, category.keypoints.join(", ")),
    };
    let names: Vec<String> = categories.iter().map(one).collect();
    if names.is_empty() { "no categories".to_owned() } else { names.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemas::skeleton::{COCO17, CROWDPOSE14, HAND21};

    fn category(name: &str, joints: &[&str]) -> Category {
        let keypoints = joints.iter().map(|&joint| joint.into()).collect();
        Category { id: 3, name: name.into(), keypoints, ..Category::default() }
    }

    #[test]
    fn every_skeleton_is_known_by_the_names_of_its_joints() {
        for &skeleton in all() {
            let category = category("person", skeleton.joints);
            assert_eq!(choose(&[category], None, None), Ok((3, skeleton)), "{}", skeleton.name);
        }
        let spelt: Vec<String> = COCO17.joints.iter().map(|joint| joint.replace('_', " ")).collect();
        let spelt: Vec<&str> = spelt.iter().map(String::as_str).collect();
        let chosen = choose(&[category("person", &spelt), category("cup", &[])], None, None);
        assert_eq!(chosen, Ok((3, &*COCO17)));
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
    fn what_is_not_one_category_is_listed() {
        let dog = category("dog", &["snout"]);
        let both = [category("man", COCO17.joints), dog, category("woman", COCO17.joints)];
        let (_, found) = choose(&both, None, None).unwrap_err();
        assert_eq!(found, "`man` (coco17), `dog` (keypoints snout), `woman` (coco17)");
        assert!(choose(&both, Some("woman"), None).is_ok());
        // Of one that is known and one that is not, the known one is meant; the other is there for the asking.
        assert_eq!(choose(&both[..2], None, None), Ok((3, &*COCO17)));
        assert_eq!(choose(&both[..2], Some("dog"), None).unwrap().1.name, "dog1");
        assert_eq!(choose(&[], None, None).unwrap_err().1, "no categories");
        assert!(choose(&[category("a", &["x"]), category("b", &["y"])], None, None).is_err());
    }

    #[test]
    fn a_file_states_its_own_skeleton() {
        let mut dog = category("Dog (adult)", &["snout", "L_Ear", "R_Ear", "tail"]);
        dog.skeleton = vec![[1, 2], [3, 1], [4, 4], [1, 9]];
        let (id, skeleton) = choose(&[dog.clone(), category("cup", &[])], None, None).unwrap();
        assert_eq!((id, skeleton.name, skeleton.joints[1]), (3, "dog__adult_4", "L_Ear"));
        assert_eq!((skeleton.limbs, skeleton.flip_pairs()), (&[(0, 1), (2, 0)][..], vec![(1, 2)]));
        // Bones that count from 0.
        dog.skeleton = vec![[0, 1], [2, 0], [0, 4]];
        assert_eq!(choose(&[dog.clone()], None, None).unwrap().1.limbs, [(0, 1), (2, 0)]);
        // The order of the joints is that of the results of a model, so another order is another skeleton.
        let turned: Vec<&str> = COCO17.joints.iter().rev().copied().collect();
        let (_, skeleton) = choose(&[category("person", &turned)], None, None).unwrap();
        assert_eq!((skeleton.name, skeleton.joints[0]), ("person17", "right_ankle"));
        // A name that is taken.
        let fingers: Vec<String> = (0..21).map(|joint| format!("f{joint}")).collect();
        let fingers: Vec<&str> = fingers.iter().map(String::as_str).collect();
        assert_eq!(choose(&[category("hand", &fingers)], None, None).unwrap().1.name, "hand21_own");
        dog.keypoints[3] = "snout".into();
        let (rule, found) = choose(&[dog], None, None).unwrap_err();
        assert_eq!(rule, RULE);
        assert!(found.contains("`joints` must differ, found `snout` at 0 and `snout` at 3"), "{found}");
    }

    #[test]
    fn a_named_skeleton_must_fit() {
        let told = |categories: &[Category], skeleton| choose(categories, None, Some(skeleton));
        let mut crowd = category("person", CROWDPOSE14.joints);
        // Names in another language are taken as they come, known ones only at their places.
        crowd.keypoints[12] = "coiffe".into();
        assert_eq!(told(&[crowd.clone()], &CROWDPOSE14), Ok((3, &*CROWDPOSE14)));
        crowd.keypoints.swap(0, 1);
        assert_eq!(told(&[crowd.clone()], &CROWDPOSE14).unwrap_err().0, NAMED_RULE);
        assert!(told(&[crowd], &COCO17).is_err());
        // A category that names no joints has those that are told.
        assert_eq!(told(&[category("hand", &[])], &HAND21), Ok((3, &*HAND21)));
        let both = [category("cup", &[]), category("hand", &[])];
        assert!(told(&both, &HAND21).is_err());
        assert!(choose(&both, Some("hand"), Some(&HAND21)).is_ok());
    }
}
