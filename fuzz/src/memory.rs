//! A limit on the memory that one input may take.
//!
//! libFuzzer looks at the size of the process once a second, which misses what comes and goes within one input. Here
//! each allocation of Rust code counts. What C code allocates (the JPEG decoder) is left to libFuzzer's limit.
//!
//! Sound because [`Counting`] hands every call on to the system's allocator unchanged and only counts beside it: it
//! neither allocates nor unwinds.

use std::alloc::{GlobalAlloc, Layout, System};
use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Most bytes that one input may hold beyond what was held before it: 256 MiB.
pub const MOST_BYTES: usize = 256 << 20;

static HELD: AtomicUsize = AtomicUsize::new(0);
static ALLOWED: AtomicUsize = AtomicUsize::new(usize::MAX);

/// Begins an input: from here on, [`MOST_BYTES`] more may be held.
pub fn begin() {
    ALLOWED.store(HELD.load(Ordering::Relaxed).saturating_add(MOST_BYTES), Ordering::Relaxed);
}

/// The system's allocator, which counts and aborts beyond the limit.
#[derive(Debug)]
pub struct Counting;

fn count(bytes: usize) {
    let held = HELD.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
    if held > ALLOWED.load(Ordering::Relaxed) {
        // The process ends here: a failed write changes nothing.
        let _ = std::io::stderr().write_all(b"\nthis input takes more memory than is allowed\n");
        std::process::abort();
    }
}

// SAFETY: every call goes to `System` with the same arguments; counting does not touch the memory.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller keeps the contract of `alloc_zeroed`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size);
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `realloc`.
        unsafe { System.realloc(pointer, layout, size) }
    }
}
