//! Which picture is most like another.

use std::collections::{BTreeMap, HashMap};

use super::hamming;
use super::images::{Images, Split};
use super::print::Print;

/// A picture that is like another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Likeness {
    /// Number of the other image.
    pub image: usize,
    /// The split of the other's rows.
    pub split: Split,
    /// How many bits of the prints differ.
    pub bits: u32,
    /// Whether the files are the same, byte by byte.
    pub same_bytes: bool,
}

/// The image with the smallest path in each split. Of many images with one print it is enough to know these: who asks
/// for the nearest gets the first.
type First = BTreeMap<Split, usize>;

/// All pictures by their bytes and by their prints.
#[derive(Debug)]
pub(crate) struct Alike<'a> {
    images: &'a Images,
    by_content: HashMap<u128, First>,
    by_print: HashMap<Print, usize>,
    firsts: Vec<First>,
    near: Vec<Vec<(usize, u32)>>,
}

impl<'a> Alike<'a> {
    /// Compares all of `images`; prints may differ in `limit` bits.
    pub(crate) fn new(images: &'a Images, limit: u32) -> Self {
        let mut by_content: HashMap<u128, First> = HashMap::new();
        let mut by_print: BTreeMap<Print, First> = BTreeMap::new();
        for (number, image) in images.all().iter().enumerate() {
            for &(split, _) in &image.splits {
                let groups = [
                    image.file.content.map(|content| by_content.entry(content).or_default()),
                    image.file.print.map(|print| by_print.entry(print).or_default()),
                ];
                for group in groups.into_iter().flatten() {
                    let first = group.entry(split).or_insert(number);
                    if image.path < images.all()[*first].path {
                        *first = number;
                    }
                }
            }
        }
        let prints: Vec<Print> = by_print.keys().copied().collect();
        Self {
            images,
            by_content,
            near: hamming::neighbours(&prints, limit),
            by_print: prints.into_iter().enumerate().map(|(number, print)| (print, number)).collect(),
            firsts: by_print.into_values().collect(),
        }
    }

    /// The image most like image number `image` among those that `accepts` takes, given split and number: by equal
    /// bytes, then bits, then path.
    pub(crate) fn nearest(&self, image: usize, accepts: impl Fn(Split, usize) -> bool) -> Option<Likeness> {
        let file = &self.images.all()[image].file;
        let same = file.content.and_then(|content| self.by_content.get(&content));
        let print = file.print.and_then(|print| self.by_print.get(&print));
        let near = print.into_iter().flat_map(|&print| &self.near[print]);
        let groups = same
            .map(|first| (first, 0, true))
            .into_iter()
            .chain(near.map(|&(other, bits)| (&self.firsts[other], bits, false)));
        groups
            .flat_map(|(first, bits, same_bytes)| {
                first.iter().map(move |(split, image)| (*split, *image, bits, same_bytes))
            })
            .filter(|(split, other, ..)| accepts(*split, *other))
            .map(|(split, image, bits, same_bytes)| Likeness { image, split, bits, same_bytes })
            .min_by_key(|like| {
                let path = self.images.all()[like.image].path.clone();
                (!like.same_bytes, like.bits, path, self.images.split_name(like.split))
            })
    }
}
