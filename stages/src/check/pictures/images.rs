//! All images of a table, each once, with who is in it.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;
use schemas::tables::people::Person;

use super::file::{PictureFile, Wanted};

/// Number of a split, by its place among those that were seen.
pub(crate) type Split = usize;

/// One image.
#[derive(Debug, Clone)]
pub(crate) struct Image {
    /// As the table names it.
    pub path: Arc<str>,
    /// How many rows of people with joints it has.
    pub people: u32,
    /// The splits it is in, each with the smallest id of its rows there.
    pub splits: Vec<(Split, Box<str>)>,
    /// What the file is.
    pub file: PictureFile,
}

/// The images.
#[derive(Debug, Default)]
pub(crate) struct Images {
    all: Vec<Image>,
    by_path: HashMap<Arc<str>, usize>,
    splits: Vec<String>,
}

impl Images {
    /// Notes the row of `person`; a row that names no image is passed over.
    pub(crate) fn add(&mut self, person: &Person) {
        if person.image_path.is_empty() {
            return;
        }
        let split = self.split(&person.split);
        let image = if let Some(&image) = self.by_path.get(person.image_path.as_str()) {
            image
        } else {
            let path: Arc<str> = person.image_path.as_str().into();
            self.by_path.insert(path.clone(), self.all.len());
            self.all.push(Image { path, people: 0, splits: Vec::new(), file: PictureFile::default() });
            self.all.len() - 1
        };
        let image = &mut self.all[image];
        image.people += u32::from(person.pose.annotated() > 0);
        match image.splits.iter_mut().find(|(of, _)| *of == split) {
            Some((_, first)) if **first > *person.sample_id => *first = person.sample_id.as_str().into(),
            Some(_) => {}
            None => image.splits.push((split, person.sample_id.as_str().into())),
        }
    }

    fn split(&mut self, name: &str) -> Split {
        self.split_named(name).unwrap_or_else(|| {
            self.splits.push(name.to_owned());
            self.splits.len() - 1
        })
    }

    /// The number of the split called `name`.
    pub(crate) fn split_named(&self, name: &str) -> Option<Split> {
        self.splits.iter().position(|split| split == name)
    }

    /// The name of a split.
    pub(crate) fn split_name(&self, split: Split) -> &str {
        &self.splits[split]
    }

    /// How many splits there are.
    pub(crate) fn split_count(&self) -> usize {
        self.splits.len()
    }

    /// The images, by number.
    pub(crate) fn all(&self) -> &[Image] {
        &self.all
    }

    /// Number of the image at `path`.
    pub(crate) fn at(&self, path: &str) -> Option<usize> {
        self.by_path.get(path).copied()
    }

    /// Reads every file, in parallel; relative paths start from `folder`.
    pub(crate) fn read_files(&mut self, folder: &Path, wanted: Wanted) {
        if wanted == Wanted::Nothing {
            return;
        }
        self.all.par_iter_mut().for_each_init(Vec::new, |bytes, image| {
            image.file = PictureFile::read(&folder.join(&*image.path), wanted, bytes);
        });
    }
}
