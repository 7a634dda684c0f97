//! How many threads a command may be told to use.

use std::num::NonZeroUsize;

/// Most threads: 512, more than one machine has cores. Each takes memory of its own.
const MOST_THREADS: usize = 512;

/// The number of threads that `text` says.
///
/// # Errors
/// When it is no whole number from 1 to [`MOST_THREADS`].
pub(super) fn threads(text: &str) -> Result<NonZeroUsize, String> {
    let number = text.parse().ok().and_then(NonZeroUsize::new).filter(|number| number.get() <= MOST_THREADS);
    number.ok_or_else(|| format!("it must be a whole number from 1 to {MOST_THREADS}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbers_that_a_machine_can_have() {
        assert_eq!(threads("1").unwrap().get(), 1);
        assert_eq!(threads("512").unwrap().get(), 512);
        for text in ["0", "513", "5000", "1000000000", "99999999999999999999999", "-1", "1.5", "", "many"] {
            assert_eq!(threads(text).unwrap_err(), "it must be a whole number from 1 to 512", "{text}");
        }
    }
}
