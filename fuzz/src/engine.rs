//! The call into libFuzzer, a C++ library.
//!
//! Sound because the arguments live until the process ends, because libFuzzer gives the callbacks a pointer and lengths
//! that belong together and stay while they run, and because no panic leaves a callback.

use std::ffi::{CString, c_char, c_int, c_uint};
use std::panic::catch_unwind;
use std::sync::OnceLock;

use fuzz::{Target, memory};
// It brings the library; its own entry is not used, since there are several targets in one program.
use libfuzzer_sys as _;

type Callback = extern "C" fn(*const u8, usize) -> c_int;

unsafe extern "C" {
    fn LLVMFuzzerRunDriver(count: *mut c_int, arguments: *mut *mut *mut c_char, callback: Callback) -> c_int;
    fn LLVMFuzzerMutate(data: *mut u8, length: usize, most: usize) -> usize;
    fn signal(number: c_int, handler: usize) -> usize;
}

/// Memory that is not mapped, and memory behind the end of a file.
const FAULTS: [c_int; 2] = [11, 7];

static TARGET: OnceLock<&Target> = OnceLock::new();
static CORPUS: OnceLock<Vec<Vec<u8>>> = OnceLock::new();

/// Runs libFuzzer with `arguments` on `target`, until its flags say that it ends or something is found. `corpus` is where
/// mutations begin.
pub(crate) fn run(target: &'static Target, corpus: Vec<Vec<u8>>, arguments: &[String]) -> c_int {
    TARGET.get_or_init(|| target);
    CORPUS.get_or_init(|| corpus);
    let text =
        |argument: &String| CString::new(argument.as_str()).expect("an argument has no zero").into_raw();
    let mut arguments: Vec<*mut c_char> = arguments.iter().map(text).collect();
    let mut count = c_int::try_from(arguments.len()).expect("few arguments");
    arguments.push(std::ptr::null_mut());
    let mut arguments = arguments.leak().as_mut_ptr();
    for number in FAULTS {
        // SAFETY: 0 is the default action; libFuzzer takes it as leave to report such faults with their input.
        unsafe { signal(number, 0) };
    }
    // SAFETY: see the module: the arguments are leaked, zero-ended texts, and a null follows the last.
    unsafe { LLVMFuzzerRunDriver(&raw mut count, &raw mut arguments, one) }
}

extern "C" fn one(data: *const u8, length: usize) -> c_int {
    // SAFETY: libFuzzer gives `length` bytes at `data`; of an empty input the pointer may be null, and is not used.
    let input = if length == 0 { &[] } else { unsafe { std::slice::from_raw_parts(data, length) } };
    let Some(target) = TARGET.get() else { return -1 };
    memory::begin();
    // What panics has been told by the hook; the input is written when libFuzzer sees the process abort.
    if catch_unwind(|| (target.run)(input)).is_err() {
        std::process::abort();
    }
    0
}

/// Mutates the `length` bytes at `data`, for which there is room for `most`.
///
/// A program that does not tell its branches keeps no corpus: libFuzzer then mutates one byte for ever. In its place comes
/// one of [`CORPUS`].
///
/// # Safety
/// `data` must point to `most` bytes that may be written, `length` of which are an input.
#[unsafe(no_mangle)]
unsafe extern "C" fn LLVMFuzzerCustomMutator(
    data: *mut u8,
    length: usize,
    most: usize,
    seed: c_uint,
) -> usize {
    let (mut length, seed) = (length, seed as usize);
    if let Some(corpus) = CORPUS.get().filter(|corpus| length <= 1 && !corpus.is_empty()) {
        let input = &corpus[seed % corpus.len()];
        length = input.len().min(most);
        // SAFETY: `length` is at most that of either; the corpus is ours, the buffer libFuzzer's.
        unsafe { std::ptr::copy_nonoverlapping(input.as_ptr(), data, length) };
    }
    // SAFETY: the caller's buffer, of which `length` bytes are an input.
    unsafe { LLVMFuzzerMutate(data, length, most) }
}
