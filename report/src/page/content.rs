//! What a page is made of: sections of blocks. Numbers are words by now; the templates only set them.

use serde::Serialize;

use super::chart::Chart;

/// A part of the page with a heading of its own.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Section {
    /// Anchor.
    pub id: String,
    /// Heading.
    pub title: String,
    /// A line below it.
    pub lead: String,
    /// Its content.
    pub blocks: Vec<Block>,
}

/// A number that stands large at the top of the page.
#[derive(Debug, Clone, Serialize)]
pub struct Card {
    /// What it is.
    pub title: String,
    /// The number with its unit.
    pub value: String,
    /// Its interval and what it rests on.
    pub detail: String,
    /// Anchor of its section.
    pub target: String,
}

/// One thing of a section.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Block {
    /// A smaller heading.
    Heading {
        /// The words.
        text: String,
    },
    /// A paragraph.
    Text {
        /// The words.
        text: String,
    },
    /// What a reader must know.
    Notes {
        /// One a line.
        notes: Vec<String>,
    },
    /// A table.
    Table {
        /// The table.
        table: Table,
    },
    /// Charts, side by side where there is room.
    Charts {
        /// The charts.
        charts: Vec<Chart>,
    },
    /// Pictures.
    Gallery {
        /// The pictures.
        figures: Vec<Figure>,
        /// What the colours mean.
        keys: Vec<Swatch>,
    },
    /// Something that is closed until a reader opens it.
    Fold {
        /// What is in it.
        title: String,
        /// Its content.
        blocks: Vec<Block>,
    },
}

impl Block {
    /// A smaller heading.
    pub fn heading(text: impl Into<String>) -> Self {
        Self::Heading { text: text.into() }
    }

    /// A paragraph.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text { text: text.into() }
    }

    /// Something closed.
    pub fn fold(title: impl Into<String>, blocks: Vec<Self>) -> Self {
        Self::Fold { title: title.into(), blocks }
    }
}

/// A table. The first cell of each row is its heading.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Table {
    /// What it holds, above it.
    pub caption: String,
    /// Headings of the columns.
    pub head: Vec<String>,
    /// The rows.
    pub rows: Vec<Vec<Cell>>,
    /// Columns from this one on are words, not numbers.
    pub words_from: usize,
}

/// One cell.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Cell {
    /// What stands in it.
    pub text: String,
    /// A bar behind it, in percent of its width.
    pub bar: Option<f64>,
    /// Whether it stands out.
    pub strong: bool,
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self { text: text.into(), bar: None, strong: false }
    }
}

/// One picture of a gallery.
#[derive(Debug, Clone, Serialize)]
pub struct Figure {
    /// The picture as `data:` address; empty where there is none.
    pub source: String,
    /// Width and height, px.
    pub size: [u32; 2],
    /// What it shows, for those who do not see it.
    pub alt: String,
    /// Why there is no picture.
    pub missing: String,
    /// Below it: the name.
    pub name: String,
    /// Below it: the words.
    pub caption: String,
}

/// A colour and what it means.
#[derive(Debug, Clone, Serialize)]
pub struct Swatch {
    /// `#rrggbb`.
    pub colour: String,
    /// What it means.
    pub label: String,
}

/// `value` with two decimals, as the terminal prints it.
pub fn number(value: f64) -> String {
    format!("{value:.2}")
}

/// An interval with two decimals; empty where there is none.
pub fn interval(low: Option<f64>, high: Option<f64>) -> String {
    match (low, high) {
        (Some(low), Some(high)) => format!("{low:.2} to {high:.2}"),
        _ => String::new(),
    }
}

/// A difference with two decimals and its sign; none where it rounds to zero.
pub fn signed(value: f64) -> String {
    let text = format!("{value:+.2}");
    if text[1..] == *"0.00" { "0.00".to_owned() } else { text }
}

/// The interval of a difference; empty where there is none.
pub fn signed_interval(ends: Option<[f64; 2]>) -> String {
    ends.map_or_else(String::new, |[low, high]| format!("{} to {}", signed(low), signed(high)))
}

/// A count with commas between thousands.
pub fn count(count: impl Into<i128>) -> String {
    let (count, mut text) = (count.into(), String::new());
    let digits = count.unsigned_abs().to_string();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if count < 0 { format!("-{text}") } else { text }
}

/// `text` as an anchor: letters and digits, the rest hyphens.
pub fn anchor(text: &str) -> String {
    text.chars()
        .map(|letter| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '-' })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!((number(71.034), interval(Some(1.0), None)), ("71.03".to_owned(), String::new()));
        assert_eq!(interval(Some(69.6), Some(72.44)), "69.60 to 72.44");
        assert_eq!([0, 999, 1_000, -1_234_567].map(|n: i64| count(n)), ["0", "999", "1,000", "-1,234,567"]);
        assert_eq!([0.004, -0.004, 1.0, -2.345].map(signed), ["0.00", "0.00", "+1.00", "-2.35"]);
        assert_eq!(anchor("keypoints/mpii, Stage 2"), "keypoints-mpii--stage-2");
    }
}
