//! Sample ids without duplicates.

use std::collections::HashMap;

use schemas::sample_id::{file_stem, sample_id, sanitised};

/// Gives every record of one file its own id: where two records would share one, the later gets `_2`, `_3`, ...
///
/// Ids follow the file's order, so they do not change when rows are added at its end.
#[derive(Debug, Default)]
pub(crate) struct UniqueIds {
    given: HashMap<String, u32>,
}

impl UniqueIds {
    /// The id of person `person_index` of the image file `image`, of `dataset`.
    pub(crate) fn of(&mut self, dataset: &str, image: &str, person_index: Option<i32>) -> String {
        self.kept(&sample_id(dataset, file_stem(image), person_index))
    }

    /// `id`, which the record brings along, without dots.
    pub(crate) fn kept(&mut self, id: &str) -> String {
        let id = sanitised(id);
        let count = self.given.entry(id.clone()).or_default();
        *count += 1;
        if *count == 1 {
            return id;
        }
        let later = format!("{id}_{count}");
        self.given.insert(later.clone(), 1);
        later
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_of_a_name_is_told_apart() {
        let mut ids = UniqueIds::default();
        assert_eq!(ids.of("mpii", "a/1.jpg", Some(0)), "mpii-1-0");
        assert_eq!(ids.of("mpii", "b/1.jpg", Some(0)), "mpii-1-0_2");
        assert_eq!(ids.of("mpii", "1.jpg", Some(1)), "mpii-1-1");
        assert_eq!(ids.of("mpii", "1.jpg", None), "mpii-1");
    }
}
