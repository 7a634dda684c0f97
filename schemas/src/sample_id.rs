//! Names of samples: stable under new rows, safe as a file name and as a `WebDataset` key.

/// The id of person `person_index` in the image whose file stem is `image`, of `dataset`.
///
/// Only ASCII letters, digits, `_` and `-` survive; every other character becomes `_`, so an id never has a dot.
///
/// ```
/// use schemas::sample_id::sample_id;
/// assert_eq!(sample_id("mpii", "015601864", Some(1)), "mpii-015601864-1");
/// assert_eq!(sample_id("flic", "12-oclock-high.special", None), "flic-12-oclock-high_special");
/// ```
pub fn sample_id(dataset: &str, image: &str, person_index: Option<i32>) -> String {
    let id = match person_index {
        Some(index) => format!("{dataset}-{image}-{index}"),
        None => format!("{dataset}-{image}"),
    };
    sanitised(&id)
}

/// `text` with every character but ASCII letters, digits, `_` and `-` made `_`.
pub fn sanitised(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' || c == '-' { c } else { '_' }).collect()
}

/// The part of a path between the last separator and the last dot.
///
/// ```
/// assert_eq!(schemas::sample_id::file_stem("images/015601864.jpg"), "015601864");
/// ```
pub fn file_stem(path: &str) -> &str {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}
