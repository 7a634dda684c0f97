//! The pictures of LSP and LSPET: `im0001.jpg`, `im0002.jpg`, ..., or with another ending.

use std::path::{Path, PathBuf};

use crate::pictures::{ENDINGS, Pictures};

/// The pictures of a set, by their numbers.
pub(super) struct Numbered {
    pictures: Pictures,
    folder: PathBuf,
    digits: usize,
    /// Endings, that of most pictures first; of as many, the published one (`jpg`) first.
    endings: Vec<&'static str>,
    /// How many numbers have pictures of both endings, for the first two that some number has.
    both: Option<(usize, [&'static str; 2])>,
}

fn stem(number: usize, digits: usize) -> String {
    format!("im{number:0digits$}")
}

impl Numbered {
    /// Those of `count` numbers of `digits` digits in `folder`, which need not be there.
    pub(super) fn new(folder: &Path, count: usize, digits: usize) -> Self {
        let pictures = Pictures::new(folder);
        let has = |number, ending| pictures.by_stem(&stem(number, digits), &[ending]).is_some();
        let mut counts: Vec<(usize, &str)> = ENDINGS
            .map(|ending| ((1..=count).filter(|number| has(*number, ending)).count(), ending))
            .to_vec();
        counts.sort_by_key(|(pictures, _)| std::cmp::Reverse(*pictures));
        let endings: Vec<&str> = counts.iter().map(|(_, ending)| *ending).collect();
        let several = |number: &usize| endings.iter().filter(|ending| has(*number, ending)).count() > 1;
        let both = if counts[1].0 > 0 { (1..=count).filter(several).count() } else { 0 };
        let both = (both > 0).then(|| (both, [endings[0], endings[1]]));
        Self { pictures, folder: folder.to_owned(), digits, endings, both }
    }

    /// The path of picture `number`; of a picture that is not there, that which it would have.
    pub(super) fn path(&self, number: usize) -> PathBuf {
        let stem = stem(number, self.digits);
        let found = self.pictures.by_stem(&stem, &self.endings);
        found.unwrap_or_else(|| self.folder.join(format!("{stem}.{}", self.endings[0])))
    }

    /// What must be said of the choice.
    pub(super) fn notes(&self) -> Vec<String> {
        let Some((count, [taken, other])) = self.both else { return Vec::new() };
        vec![format!(
            "{count} pictures are there as `.{taken}` and as `.{other}`; `.{taken}` is taken, since at least as many numbers have \
             it: joints are right for one edition only"
        )]
    }
}
