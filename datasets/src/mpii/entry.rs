//! What an entry of a list of people says, whatever its form.

use schemas::tables::people::Person;
use serde_json::{Map, Value as Json};

use super::{DATASET, Fault};

/// Puts what an entry says into its person.
type Fill = Box<dyn FnOnce(&mut Person) -> Result<(), Fault>>;

/// What an entry says of its person.
pub(super) struct Entry {
    /// Name of the image.
    pub(super) image: String,
    /// Number of the person in the image, where it is stated.
    pub(super) person_index: Option<i32>,
    /// Whether `fill` has filled in the other people of the image.
    pub(super) states_others: bool,
    /// Puts the rest into the person.
    pub(super) fill: Fill,
}

/// `more` with what every reader of a list adds.
pub(super) fn attributes(mut more: Map<String, Json>, said: &[(&str, &str)]) -> String {
    more.extend(said.iter().map(|(key, value)| ((*key).to_owned(), Json::from(*value))));
    Json::Object(more).to_string()
}

/// Data set of people whose entry names none.
pub(super) const OWN: &str = DATASET;
