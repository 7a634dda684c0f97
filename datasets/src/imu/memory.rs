//! Memory that sessions leave behind, for those that come.
//!
//! A session is some megabytes in a dozen lists. The allocator of Linux (glibc) hands lists of that size back to the
//! system as soon as they are dropped, and each page of the next session is then cleared and mapped anew, which took a
//! tenth of the time of reading a log, and more on several threads. How much it keeps is twice the largest list that it
//! has seen come back.

use std::hint::black_box;
use std::sync::Once;

/// Bytes of the list that is shown to the allocator: it then keeps up to twice as much a thread. Sessions of an hour
/// fit.
const SHOWN_BYTES: usize = 16 * 1024 * 1024;

/// Lets the allocator keep the memory of a session for the next one. Other allocators take no notice.
pub(super) fn keep() {
    static SHOWN: Once = Once::new();
    // Not one page of it is touched.
    SHOWN.call_once(|| drop(black_box(Vec::<u8>::with_capacity(SHOWN_BYTES))));
}
