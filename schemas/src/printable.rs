//! Text from data, as a terminal or a page may show it.

use std::borrow::Cow;
use std::fmt::Write;

/// `text` with every character that would steer a terminal, break the line or turn the reading direction spelt out, as
/// in `\n`, `\u{1b}` or `\u{202e}`. All other text stays as it is, backslashes among it.
///
/// Ids, names, paths and reasons come from files of others: printed raw, an escape sequence in one could clear the screen
/// or rename the window, and a line break could forge a line of ours.
///
/// ```
/// assert_eq!(schemas::printable("im\u{1b}[2J\n1"), r"im\u{1b}[2J\n1");
/// assert_eq!(schemas::printable("Jürgen ひ.jpg"), "Jürgen ひ.jpg");
/// ```
pub fn printable(text: &str) -> Cow<'_, str> {
    spelt_out(text, steers)
}

/// `text` as [`printable`] gives it, but with its tabs and line breaks: for text of several lines, whose parts are
/// printable.
pub fn printable_lines(text: &str) -> Cow<'_, str> {
    spelt_out(text, |letter| !matches!(letter, '\n' | '\t') && steers(letter))
}

fn spelt_out(text: &str, is_spelt_out: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&is_spelt_out) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for letter in text.chars() {
        if is_spelt_out(letter) {
            let _ = write!(shown, "{}", letter.escape_default());
        } else {
            shown.push(letter);
        }
    }
    Cow::Owned(shown)
}

/// Whether `letter` is a control character, a break of lines, a mark of the reading direction, or invisible: the general
/// categories Cc, Zl and Zp of Unicode, the bidirectional controls of its annex 9, and tags.
fn steers(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_steers_a_terminal_is_spelt_out() {
        for (nasty, shown) in [
            ("\u{1b}[31mred\u{1b}[0m", r"\u{1b}[31mred\u{1b}[0m"),
            ("\u{1b}]0;title\u{7}", r"\u{1b}]0;title\u{7}"),
            ("a\r\nb\tc\0", r"a\r\nb\tc\u{0}"),
            ("\u{7f}\u{9b}2J\u{85}", r"\u{7f}\u{9b}2J\u{85}"),
            ("gpj.\u{202e}exe\u{2066}\u{2069}\u{200f}", r"gpj.\u{202e}exe\u{2066}\u{2069}\u{200f}"),
            ("a\u{2028}b\u{2029}", r"a\u{2028}b\u{2029}"),
        ] {
            assert_eq!(printable(nasty), shown);
        }
    }

    #[test]
    fn other_text_is_not_copied() {
        for plain in ["", "im1.jpg#0", r"C:\new\test", "é ひ 👩‍🔬 می‌خواهم"] {
            assert!(matches!(printable(plain), Cow::Borrowed(same) if same == plain));
        }
        assert_eq!(printable_lines("a\n\tb\r\u{1b}"), "a\n\tb\\r\\u{1b}");
    }

    proptest! {
        #[test]
        fn what_is_printable_stays(text in any::<String>()) {
            let once = printable(&text).into_owned();
            prop_assert!(!once.contains(char::is_control));
            prop_assert_eq!(printable(&once), once.as_str());
        }
    }
}
