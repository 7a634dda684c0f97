//! The call into libFuzzer, a C++ library.
//!
//! Sound because the arguments live until the process ends, because libFuzzer gives the callback a pointer and a length
//! that belong together and stay while it runs, and because no panic leaves the callback.

use std::ffi::{CString, c_char, c_int};
use std::panic::catch_unwind;
use std::sync::OnceLock;

use fuzz::{Target, memory};
// It brings the library; its own entry is not used, since there are several targets in one program.
use libfuzzer_sys as _;

type Callback = extern "C" fn(*const u8, usize) -> c_int;

unsafe extern "C" {
    fn LLVMFuzzerRunDriver(count: *mut c_int, arguments: *mut *mut *mut c_char, callback: Callback) -> c_int;
    fn signal(number: c_int, handler: usize) -> usize;
}

/// Memory that is not mapped, and memory behind the end of a file.
const FAULTS: [c_int; 2] = [11, 7];

static TARGET: OnceLock<&Target> = OnceLock::new();

/// Runs libFuzzer with `arguments` on `target`, until its flags say that it ends or something is found.
pub(crate) fn run(target: &'static Target, arguments: &[String]) -> c_int {
    TARGET.get_or_init(|| target);
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
