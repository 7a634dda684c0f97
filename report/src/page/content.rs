//! What a page is made of: sections of blocks. Numbers are words by now; the templates only set them.

use serde::Serialize;

use super::super::chart::{self, Key};
use super::super::words::number;

/// A part of the page with a heading of its own.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Section {
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
pub(super) struct Card {
    /// What it is.
    pub title: String,
    /// The number with its unit.
    pub value: String,
    /// Its interval and what it rests on.
    pub detail: String,
    /// Anchor of its section.
    pub target: String,
}

/// A chart, as it stands in the page.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Chart {
    /// Its heading.
    pub title: String,
    /// The element `svg`.
    pub svg: String,
    /// What its colours mean.
    pub keys: Vec<Key>,
}

/// One thing of a section.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Block {
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
    pub(super) fn heading(text: impl Into<String>) -> Self {
        Self::Heading { text: text.into() }
    }

    /// A paragraph.
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Text { text: text.into() }
    }

    /// A table.
    pub(super) fn table(table: Table) -> Self {
        Self::Table { table }
    }

    /// Charts, side by side where there is room.
    pub(super) fn charts(figures: Vec<chart::Figure>) -> Self {
        let set = |figure: chart::Figure| Chart { svg: figure.svg(), title: figure.title, keys: figure.keys };
        Self::Charts { charts: figures.into_iter().map(set).collect() }
    }

    /// Something closed.
    pub(super) fn fold(title: impl Into<String>, blocks: Vec<Self>) -> Self {
        Self::Fold { title: title.into(), blocks }
    }
}

/// A table. The first cell of each row is its heading.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Table {
    /// What it holds, above it.
    pub caption: String,
    /// Headings of the columns.
    pub head: Vec<String>,
    /// The rows.
    pub rows: Vec<Vec<Cell>>,
    /// Columns from this one on are words, not numbers.
    pub words_from: usize,
}

impl Table {
    /// A table of numbers, whose first column alone is words.
    pub(super) fn new(
        caption: impl Into<String>,
        head: impl IntoIterator<Item = impl Into<String>>,
        rows: Vec<Vec<Cell>>,
    ) -> Self {
        let head = head.into_iter().map(Into::into).collect();
        Self { caption: caption.into(), head, rows, words_from: usize::MAX }
    }

    /// The same with words from column number `column` on, counted from 0.
    pub(super) fn words_from(self, column: usize) -> Self {
        Self { words_from: column, ..self }
    }
}

/// One cell.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Cell {
    /// What stands in it.
    pub text: String,
    /// A bar behind it, in percent of its width.
    pub bar: Option<f64>,
    /// Whether it stands out.
    pub strong: bool,
}

impl Cell {
    /// The cell, standing out or not.
    pub(super) fn strong(text: impl Into<String>, strong: bool) -> Self {
        Self { text: text.into(), bar: None, strong }
    }

    /// `percent` with a bar as long behind it.
    pub(super) fn barred(percent: f64, strong: bool) -> Self {
        Self { text: number(percent), bar: Some(percent.clamp(0.0, 100.0)), strong }
    }

    /// What `text` says, or a dash.
    pub(super) fn or_dash(text: Option<impl Into<String>>) -> Self {
        text.map_or_else(|| "–".into(), |text| text.into().into())
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self { text: text.into(), bar: None, strong: false }
    }
}

/// One picture of a gallery.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Figure {
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
pub(super) struct Swatch {
    /// `#rrggbb`.
    pub colour: String,
    /// What it means.
    pub label: String,
}
