//! Decoders of others that may panic on damaged files: the panic becomes an error, and is not printed.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    /// Whether this thread is within [`guarded`].
    static WITHIN: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work`, which decodes what came from a file; a panic of the decoder is the error, in its words.
///
/// # Errors
/// When `work` panics. What it has changed is then to be dropped, not used again.
pub(crate) fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let print = take_hook();
        set_hook(Box::new(move |panic| {
            if !WITHIN.get() {
                print(panic);
            }
        }));
    });
    let before = WITHIN.replace(true);
    let done = catch_unwind(AssertUnwindSafe(work));
    WITHIN.set(before);
    let first_line = |text: &str| text.lines().next().unwrap_or_default().to_owned();
    done.map_err(|panic| first_line(panic_text(panic.as_ref()).unwrap_or_default()))
}

/// What a panic says; `None` where it says nothing in words.
pub fn panic_text(panic: &(dyn Any + Send)) -> Option<&str> {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_in_its_words() {
        assert_eq!(guarded(|| 3), Ok(3));
        let index = std::hint::black_box(7);
        let error = guarded(|| [1, 2][index]).unwrap_err();
        assert!(error.starts_with("index out of bounds"), "{error}");
        let nested = guarded(|| (guarded(|| panic!("inner")), guarded(|| 1)));
        assert_eq!(nested, Ok((Err::<(), _>("inner".to_owned()), Ok(1))));
        assert!(!WITHIN.get());
    }
}
