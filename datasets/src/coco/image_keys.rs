//! Which image of the people a result means by its `image_id`: a number, a file name, or a name without ending.

use std::collections::{BTreeSet, HashMap};

use schemas::sample_id::file_stem;
use schemas::tables::people::Person;

use super::{ImageIds, SameImageId};
use crate::json::Key;

/// The images of a table of people, by all that identifies them.
#[derive(Debug, Default)]
pub(super) struct ImageKeys {
    /// Path of each image, with slashes.
    paths: HashMap<i64, String>,
    by_name: HashMap<String, Vec<i64>>,
    by_stem: HashMap<String, Vec<i64>>,
}

/// Why a result belongs to no image.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unjoined {
    /// Reason in rejects.
    pub reason: &'static str,
    /// What was found.
    pub detail: String,
}

/// The file name of a path of any system.
fn name_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

impl ImageKeys {
    /// The images of `people`, and the number of each person's.
    ///
    /// # Errors
    /// When two images have one number.
    pub(super) fn new(people: &[Person]) -> Result<(Self, Vec<i64>), SameImageId> {
        let (mut keys, mut ids) = (Self::default(), ImageIds::default());
        let mut numbers = Vec::with_capacity(people.len());
        for person in people {
            let id = ids.of(person)?;
            numbers.push(id);
            let path = person.image_path.replace('\\', "/");
            let name = name_of(&path).to_owned();
            if keys.paths.insert(id, path).is_none() {
                keys.by_stem.entry(file_stem(&name).to_owned()).or_default().push(id);
                keys.by_name.entry(name).or_default().push(id);
            }
        }
        Ok((keys, numbers))
    }

    /// The number of the image that `key` means: the image of that number, else of that file name, else of that name
    /// without its ending. Of several images of one name, that whose path ends like `key` is meant.
    ///
    /// # Errors
    /// When it means none, or two.
    pub(super) fn find(&self, key: &Key) -> Result<i64, Unjoined> {
        let found = match key {
            Key::Number(number) if self.paths.contains_key(number) => BTreeSet::from([*number]),
            Key::Number(number) => self.numbered(*number),
            Key::Text(text) => {
                let mut found = self.named(text);
                // A number as a text may be either, so both have to agree.
                found.extend(text.trim().parse().ok().filter(|number| self.paths.contains_key(number)));
                found
            }
        };
        let mut numbers = found.iter();
        match (numbers.next(), numbers.next()) {
            (Some(only), None) => Ok(*only),
            (Some(first), Some(second)) => Err(Unjoined {
                reason: "image not unique",
                detail: format!("`image_id` {key} fits `{}` and `{}`", self.paths[first], self.paths[second]),
            }),
            (None, _) => Err(Unjoined {
                reason: "image not in the people",
                detail: format!("`image_id` {key} is neither number nor file name of an image of the people"),
            }),
        }
    }

    /// The images whose name without ending is the number `number`, with zeros in front or not.
    fn numbered(&self, number: i64) -> BTreeSet<i64> {
        let is_it = |stem: &str| {
            stem.bytes().all(|byte| byte.is_ascii_digit())
                && stem.parse::<i64>().is_ok_and(|other| other == number)
        };
        self.by_stem.iter().filter(|(stem, _)| is_it(stem)).flat_map(|(_, ids)| ids).copied().collect()
    }

    fn named(&self, text: &str) -> BTreeSet<i64> {
        let path = text.replace('\\', "/");
        let name = name_of(&path);
        let (ids, with_ending) = match (self.by_name.get(name), self.by_stem.get(name)) {
            (Some(ids), _) => (ids, true),
            (None, Some(ids)) => (ids, false),
            (None, None) => return BTreeSet::new(),
        };
        let ends_alike = |id: &i64| {
            let full = &self.paths[id];
            let full = if with_ending {
                full.as_str()
            } else {
                full.rsplit_once('.').map_or(full.as_str(), |(full, _)| full)
            };
            full.strip_suffix(path.as_str()).is_some_and(|before| before.is_empty() || before.ends_with('/'))
        };
        let alike: BTreeSet<i64> = ids.iter().copied().filter(ends_alike).collect();
        if alike.is_empty() { ids.iter().copied().collect() } else { alike }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::person;
    use super::*;

    fn keys(images: &[(&str, Option<i64>)]) -> ImageKeys {
        let of = |(path, id): &(&str, Option<i64>)| {
            let mut one = person("x", 0);
            (*path).clone_into(&mut one.image_path);
            one.attributes = id.map(|id| format!(r#"{{"coco":{{"image_id":{id}}}}}"#));
            one
        };
        ImageKeys::new(&images.iter().map(of).collect::<Vec<_>>()).unwrap().0
    }

    fn text(text: &str) -> Key {
        Key::Text(text.to_owned())
    }

    #[test]
    fn number_name_and_stem_mean_the_same_image() {
        let keys = keys(&[
            ("images/walk_29.jpg", Some(7)),
            ("images/000000000009.jpg", Some(9)),
            ("images/a/1.png", Some(100)),
            ("images/b/1.png", Some(101)),
            ("images/a.b.jpg", Some(102)),
        ]);
        for (key, image) in [
            (Key::Number(7), 7),
            (text("7"), 7),
            (text("walk_29.jpg"), 7),
            (text("walk_29"), 7),
            (text("images/walk_29.jpg"), 7),
            (text("C:\\data\\walk_29.jpg"), 7),
            (Key::Number(9), 9),
            (text("000000000009"), 9),
            (text("000000000009.jpg"), 9),
            (text("a/1.png"), 100),
            (text("b\\1.png"), 101),
            (text("b/1"), 101),
            (text("a.b"), 102),
        ] {
            assert_eq!(keys.find(&key), Ok(image), "{key}");
        }
        let reason = |key: Key| keys.find(&key).unwrap_err().reason;
        assert_eq!(reason(text("1.png")), "image not unique");
        assert_eq!(reason(Key::Number(1)), "image not unique");
        assert_eq!(reason(text("walk_2")), "image not in the people");
        assert_eq!(reason(text("ages/walk_29.png")), "image not in the people");
        assert_eq!(reason(Key::Number(29)), "image not in the people");
    }

    #[test]
    fn a_number_as_text_must_not_mean_two_images() {
        // Without numbers of a COCO file, images count from one.
        let keys = keys(&[("2.jpg", None), ("1.jpg", None), ("x.jpg", None)]);
        assert_eq!(keys.find(&Key::Number(2)), Ok(2));
        assert_eq!(keys.find(&text("3")), Ok(3));
        let error = keys.find(&text("2")).unwrap_err();
        assert_eq!(
            (error.reason, error.detail.as_str()),
            ("image not unique", "`image_id` `2` fits `2.jpg` and `1.jpg`")
        );
        assert_eq!(keys.find(&text("2.jpg")), Ok(1));
    }
}
