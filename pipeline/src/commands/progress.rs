//! The progress bar: on stderr, and only where that is a terminal.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar over rows, hidden unless stderr is a terminal.
pub(super) fn bar() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let plain = std::env::var_os("NO_COLOR").is_some();
    let template = if plain {
        "{bar:40} {human_pos}/{human_len} rows  {per_sec}  {eta}"
    } else {
        "{bar:40.cyan} {human_pos}/{human_len} rows  {per_sec}  {eta}"
    };
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    bar.set_style(ProgressStyle::with_template(template).expect("a template of ours"));
    bar
}

/// A bar over `length` bytes, hidden unless stderr is a terminal.
pub(super) fn bytes(length: u64) -> ProgressBar {
    let bar = bar();
    let template = "{bar:40} {bytes}/{total_bytes}  {bytes_per_sec}  {eta}";
    bar.set_style(ProgressStyle::with_template(template).expect("a template of ours"));
    bar.set_length(length);
    bar
}

/// As many threads as the machine gives this process.
pub(super) fn available_threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
