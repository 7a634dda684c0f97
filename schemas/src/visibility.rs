//! Whether a joint was annotated, and whether it can be seen.

/// Visibility of one joint, numbered as in COCO.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(u8)]
pub enum Visibility {
    /// The joint was not annotated; its coordinates are `NaN`.
    #[default]
    NotAnnotated = 0,
    /// The joint was annotated although it is hidden.
    Occluded = 1,
    /// The joint was annotated and is visible.
    Visible = 2,
}

impl Visibility {
    /// Whether the joint has coordinates at all, seen or hidden.
    pub fn is_annotated(self) -> bool {
        self != Self::NotAnnotated
    }

    /// The visibility that a stored number stands for; numbers above 2 count as visible, as in COCO readers.
    pub fn from_code(code: u8) -> Self {
        match code {
            0 => Self::NotAnnotated,
            1 => Self::Occluded,
            _ => Self::Visible,
        }
    }

    /// The number that is stored.
    pub fn code(self) -> u8 {
        self as u8
    }
}
