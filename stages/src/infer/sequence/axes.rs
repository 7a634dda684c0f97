//! The order of a network's axes, and the copy into it.

use serde::{Deserialize, Serialize};

/// Which axes of a window, `[T, B, C]`, make which axis of a network's input.
///
/// Written as in einops: `n t b c` is the window unchanged, `n t (b c)` one vector per block, `n t c b` channels
/// before samples, `n c (t b)` one long signal of C channels. `n` stands for the rows and comes first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Axes {
    /// The axes in order, each a group of the letters `t`, `b`, `c`.
    groups: Vec<Vec<usize>>,
    text: String,
}

/// The letters of a window's axes, in the order in which it stores them.
const LETTERS: [char; 3] = ['t', 'b', 'c'];

impl TryFrom<String> for Axes {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = |what: &str| {
            format!(
                "axes are written as in `n t b c` or `n t (b c)`, each letter once, found `{text}`: {what}"
            )
        };
        let spaced = text.replace('(', " ( ").replace(')', " ) ");
        let mut words = spaced.split_whitespace();
        if words.next() != Some("n") {
            return Err(wrong("`n` must come first"));
        }
        let (mut groups, mut open): (Vec<Vec<usize>>, Option<Vec<usize>>) = (Vec::new(), None);
        for word in words {
            match (word, &mut open) {
                ("(", None) => open = Some(Vec::new()),
                (")", Some(group)) if !group.is_empty() => groups.extend(open.take()),
                (letter, open) => {
                    let axis = LETTERS.iter().position(|known| letter == known.to_string());
                    let axis = axis.ok_or_else(|| wrong(&format!("`{letter}` is not an axis")))?;
                    match open {
                        Some(group) => group.push(axis),
                        None => groups.push(vec![axis]),
                    }
                }
            }
        }
        let mut used: Vec<usize> = groups.iter().flatten().copied().collect();
        used.sort_unstable();
        if open.is_some() || used != [0, 1, 2] {
            return Err(wrong("`t`, `b` and `c` must stand there once each, brackets closed"));
        }
        Ok(Self { groups, text })
    }
}

impl From<Axes> for String {
    fn from(axes: Axes) -> Self {
        axes.text
    }
}

impl Axes {
    /// The network's dimensions behind the rows, for windows of `shape`.
    pub fn dimensions(&self, shape: [usize; 3]) -> Vec<i64> {
        let size = |group: &Vec<usize>| group.iter().map(|&axis| shape[axis] as i64).product();
        self.groups.iter().map(size).collect()
    }

    /// Copies one `window`, `[T, B, C]`, to `out`, as long, in the network's order.
    pub fn arrange(&self, window: &[f32], shape: [usize; 3], out: &mut [f32]) {
        let order: Vec<usize> = self.groups.iter().flatten().copied().collect();
        if order == [0, 1, 2] {
            out.copy_from_slice(window);
            return;
        }
        let strides = [shape[1] * shape[2], shape[2], 1];
        let [a, b, c] = [order[0], order[1], order[2]];
        let mut slots = out.iter_mut();
        for i in 0..shape[a] {
            for j in 0..shape[b] {
                let from = i * strides[a] + j * strides[b];
                for (k, slot) in slots.by_ref().take(shape[c]).enumerate() {
                    *slot = window[from + k * strides[c]];
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axes(text: &str) -> Axes {
        Axes::try_from(text.to_owned()).unwrap()
    }

    #[test]
    fn the_notation_says_dimensions() {
        assert_eq!(axes("n t b c").dimensions([20, 50, 6]), [20, 50, 6]);
        assert_eq!(axes("n t (b c)").dimensions([20, 50, 6]), [20, 300]);
        assert_eq!(axes("n c (t b)").dimensions([20, 50, 6]), [6, 1000]);
        for wrong in ["t b c", "n t b", "n t b b c", "n t (b c", "n t () b c", "n t x c", "n (t (b c))"] {
            assert!(Axes::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn every_order_is_the_plain_definition() {
        let shape = [2, 3, 4];
        let window: Vec<f32> = (0..24).map(|n| n as f32).collect();
        let mut out = vec![0.0; 24];
        axes("n c (t b)").arrange(&window, shape, &mut out);
        for t in 0..2 {
            for b in 0..3 {
                for c in 0..4 {
                    assert_eq!(out[c * 6 + t * 3 + b], window[t * 12 + b * 4 + c]);
                }
            }
        }
        axes("n t (b c)").arrange(&window, shape, &mut out);
        assert_eq!(out, window);
    }
}
