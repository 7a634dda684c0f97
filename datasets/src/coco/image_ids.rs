//! The number that identifies an image in COCO files.

use std::collections::HashMap;

use schemas::tables::people::Person;

use super::Stated;

/// Two images that claim one number: rows from COCO mixed with rows from elsewhere, or from two COCO files.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("two images have the COCO number {id}: `{first}` and `{second}`")]
pub struct SameImageId {
    /// The number.
    pub id: i64,
    /// Path of the image that had it first.
    pub first: String,
    /// Path of the other.
    pub second: String,
}

/// Numbers the images of a table of people, row by row in the table's order.
///
/// An image keeps the number that its COCO file gave it; where the rows come from elsewhere, its number is its place
/// among the images of the table, from 1, in the order in which they first appear. Whether the image file exists
/// does not matter. So the same table gives the same numbers when its annotations are written and when results for
/// them are read.
#[derive(Debug, Default)]
pub struct ImageIds {
    by_path: HashMap<String, i64>,
    by_id: HashMap<i64, String>,
}

impl ImageIds {
    /// The number of the image of `person`.
    ///
    /// # Errors
    /// When another image has the number already.
    pub fn of(&mut self, person: &Person) -> Result<i64, SameImageId> {
        if let Some(id) = self.by_path.get(&person.image_path) {
            return Ok(*id);
        }
        let id = Stated::of(person).image_id.unwrap_or(self.by_path.len() as i64 + 1);
        if let Some(first) = self.by_id.insert(id, person.image_path.clone()) {
            return Err(SameImageId { id, first, second: person.image_path.clone() });
        }
        self.by_path.insert(person.image_path.clone(), id);
        Ok(id)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::person;
    use super::*;

    #[test]
    fn images_count_from_one_and_keep_the_numbers_of_their_file() {
        let mut ids = ImageIds::default();
        assert_eq!(ids.of(&person("a.jpg", 0)), Ok(1));
        assert_eq!(ids.of(&person("b.jpg", 0)), Ok(2));
        assert_eq!(ids.of(&person("a.jpg", 1)), Ok(1));
        let mut numbered = person("c.jpg", 0);
        numbered.attributes = Some(r#"{"coco":{"image_id":397133}}"#.into());
        assert_eq!(ids.of(&numbered), Ok(397_133));
        numbered.attributes = Some(r#"{"coco":{"image_id":2}}"#.into());
        numbered.image_path = "d.jpg".into();
        let clash = ids.of(&numbered).unwrap_err();
        assert_eq!(clash.to_string(), "two images have the COCO number 2: `b.jpg` and `d.jpg`");
    }
}
