//! The picture that a name means among those of a folder: names were written on other systems, by other programs.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;

/// Endings of pictures that our decoders read, the commonest first.
pub(crate) const ENDINGS: [&str; 7] = ["jpg", "jpeg", "png", "webp", "bmp", "tif", "tiff"];

/// The folder of the pictures of an annotation file; each of its folders is listed once, when a name leads there.
pub(crate) struct Pictures {
    folder: PathBuf,
    listings: RefCell<HashMap<PathBuf, Rc<Listing>>>,
}

/// The names in one folder.
#[derive(Default)]
struct Listing {
    /// By the name in small letters.
    folded: HashMap<String, Vec<String>>,
}

impl Listing {
    fn read(folder: &Path) -> Self {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let mut listing = Self::default();
        // A folder that is not there holds nothing: images may be missing.
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            if let Ok(name) = entry.file_name().into_string() {
                listing.folded.entry(name.to_lowercase()).or_default().push(name);
            }
        }
        listing
    }

    fn has(&self, name: &str) -> bool {
        self.like(name).iter().any(|other| other == name)
    }

    /// The names that differ from `name` in capitals at most.
    fn like(&self, name: &str) -> &[String] {
        self.folded.get(&name.to_lowercase()).map_or(&[], Vec::as_slice)
    }
}

/// A name that fits two files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TwoFiles {
    name: String,
    files: Vec<PathBuf>,
}

impl TwoFiles {
    /// Reason in rejects.
    pub(crate) const REASON: &'static str = "image name fits two files";
}

impl fmt::Display for TwoFiles {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let files: Vec<String> = self.files.iter().map(|file| format!("`{}`", file.display())).collect();
        write!(formatter, "`{}` is not there as it is written, and fits {}", self.name, files.join(" and "))
    }
}

impl Pictures {
    /// The pictures below `folder`, which need not be there.
    pub(crate) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), listings: RefCell::default() }
    }

    /// The path of the picture called `name`: as it is written, if there is such a file; else the one file that it fits
    /// with slashes for back slashes, with signs for percent codes, or with other capitals. If there is none, it is the
    /// path that the name would have.
    ///
    /// # Errors
    /// When the name fits several files.
    pub(crate) fn find(&self, name: &str) -> Result<PathBuf, TwoFiles> {
        let stated = self.folder.join(name);
        if self.is_there(&stated) {
            return Ok(stated);
        }
        let spellings = spellings(name);
        let mut found: BTreeSet<PathBuf> = spellings.iter().map(|other| self.folder.join(other)).collect();
        found.retain(|path| self.is_there(path));
        if found.is_empty() {
            for spelling in &spellings {
                self.gather(&self.folder, &mut Path::new(spelling).components(), &mut found);
            }
        }
        let mut found = found.into_iter();
        match (found.next(), found.next()) {
            (Some(only), None) => Ok(only),
            (Some(first), Some(second)) => {
                Err(TwoFiles { name: name.to_owned(), files: vec![first, second] })
            }
            // Back slashes are folders, whether the pictures are there or not.
            (None, _) => Ok(self.folder.join(name.replace('\\', "/"))),
        }
    }

    /// Path of the picture number `number` of a set whose pictures are called `stem` with any ending: the first of
    /// `endings` that is there; `None` where none is.
    pub(crate) fn by_stem(&self, stem: &str, endings: &[&str]) -> Option<PathBuf> {
        let listing = self.listing(&self.folder);
        let named = |ending: &&str| listing.like(&format!("{stem}.{ending}")).first();
        endings.iter().find_map(named).map(|name| self.folder.join(name))
    }

    fn is_there(&self, path: &Path) -> bool {
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return false };
        name.to_str().is_some_and(|name| self.listing(folder).has(name))
    }

    fn listing(&self, folder: &Path) -> Rc<Listing> {
        if let Some(listing) = self.listings.borrow().get(folder) {
            return Rc::clone(listing);
        }
        let listing = Rc::new(Listing::read(folder));
        self.listings.borrow_mut().insert(folder.to_owned(), Rc::clone(&listing));
        listing
    }

    /// Adds to `found` the files below `folder` that `rest` leads to with other capitals.
    fn gather(&self, folder: &Path, rest: &mut std::path::Components<'_>, found: &mut BTreeSet<PathBuf>) {
        match rest.next() {
            None => {
                found.insert(folder.to_owned());
            }
            Some(Component::Normal(name)) => {
                let listing = self.listing(folder);
                for name in name.to_str().map_or(&[][..], |name| listing.like(name)) {
                    self.gather(&folder.join(name), &mut rest.clone(), found);
                }
            }
            Some(Component::CurDir) => self.gather(folder, rest, found),
            Some(Component::ParentDir) => self.gather(&folder.join(".."), rest, found),
            // An absolute path is not of this folder.
            Some(Component::RootDir | Component::Prefix(_)) => {}
        }
    }
}

/// `name` as it is written, with slashes, without percent codes, and with both.
fn spellings(name: &str) -> BTreeSet<String> {
    let mut all = BTreeSet::from([name.to_owned(), name.replace('\\', "/")]);
    let decoded: Vec<String> = all.iter().filter_map(|name| without_percents(name)).collect();
    all.extend(decoded);
    all
}

/// `name` with the signs that its percent codes stand for; `None` where it has none, or they are no UTF-8.
fn without_percents(name: &str) -> Option<String> {
    let (bytes, mut decoded, mut at) = (name.as_bytes(), Vec::new(), 0);
    while at < bytes.len() {
        let code = bytes
            .get(at + 1..at + 3)
            .filter(|code| bytes[at] == b'%' && code.iter().all(u8::is_ascii_hexdigit));
        let code = code.and_then(|code| std::str::from_utf8(code).ok());
        if let Some(byte) = code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            decoded.push(byte);
            at += 3;
        } else {
            decoded.push(bytes[at]);
            at += 1;
        }
    }
    String::from_utf8(decoded).ok().filter(|decoded| decoded != name && !decoded.contains('\0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(names: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in names {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        folder
    }

    #[test]
    fn a_name_means_the_one_file_that_it_fits() {
        let folder = folder(&[
            "a.jpg",
            "B.JPG",
            "walk/My picture.png",
            "100%25.jpg",
            "%41.jpg",
            "zoë.jpg",
            "c\\d.jpg",
        ]);
        let pictures = Pictures::new(folder.path());
        for (name, file) in [
            ("a.jpg", "a.jpg"),
            ("A.jpg", "a.jpg"),
            ("./a.JPG", "a.jpg"),
            ("b.jpg", "B.JPG"),
            ("walk\\My picture.png", "walk/My picture.png"),
            ("walk/My%20picture.png", "walk/My picture.png"),
            ("WALK\\my%20Picture.PNG", "walk/My picture.png"),
            // As it is written comes first.
            ("100%25.jpg", "100%25.jpg"),
            ("%41.jpg", "%41.jpg"),
            ("zo%C3%AB.jpg", "zoë.jpg"),
            ("c\\d.jpg", "c\\d.jpg"),
            // None of these is there.
            ("e.jpg", "e.jpg"),
            ("walk\\e.jpg", "walk/e.jpg"),
            ("100%.jpg", "100%.jpg"),
            ("e%20.jpg", "e%20.jpg"),
        ] {
            assert_eq!(pictures.find(name), Ok(folder.path().join(file)), "{name}");
        }
    }

    #[test]
    fn a_name_that_fits_two_files_is_refused() {
        let folder = folder(&["a.jpg", "A.jpg", "x y.jpg", "X%20Y.jpg", "w/b.jpg", "W/b.jpg"]);
        let pictures = Pictures::new(folder.path());
        assert_eq!(pictures.find("a.jpg"), Ok(folder.path().join("a.jpg")));
        for name in ["a.JPG", "x%20y.jpg.", "w\\B.jpg"] {
            let found = pictures.find(name);
            match name {
                "x%20y.jpg." => assert!(found.is_ok()),
                _ => assert!(found.unwrap_err().to_string().contains(" and fits "), "{name}"),
            }
        }
        // With signs for codes it is there as it is written, so other capitals are not tried.
        assert_eq!(pictures.find("x%20y.jpg"), Ok(folder.path().join("x y.jpg")));
    }

    #[test]
    fn pictures_need_not_be_there() {
        let pictures = Pictures::new(Path::new("no/such/folder"));
        assert_eq!(pictures.find("w\\a.jpg"), Ok(PathBuf::from("no/such/folder/w/a.jpg")));
        assert_eq!(pictures.find("/elsewhere/a.jpg"), Ok(PathBuf::from("/elsewhere/a.jpg")));
        assert_eq!(pictures.by_stem("im0001", &ENDINGS), None);
    }

    #[test]
    fn a_stem_is_found_with_the_first_ending_that_is_there() {
        let folder = folder(&["im1.png", "im1.jpg", "im2.PNG"]);
        let pictures = Pictures::new(folder.path());
        assert_eq!(pictures.by_stem("im1", &["png", "jpg"]), Some(folder.path().join("im1.png")));
        assert_eq!(pictures.by_stem("im2", &ENDINGS), Some(folder.path().join("im2.PNG")));
        assert_eq!(pictures.by_stem("im3", &ENDINGS), None);
    }
}
