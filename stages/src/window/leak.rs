//! Checks that no reading is used twice: sets of rows must not share a session, nor a moment of one device.
//!
//! Windows that overlap share readings; a split that separates them puts a reading on both sides, and a verifier
//! looks better than it is. Two sessions may also have been cut from one log. So sets are compared by time.

use schemas::Hinted;

/// The part of a log that one row, or several rows together, cover.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span<'a> {
    /// The person.
    pub subject: &'a str,
    /// The device.
    pub device: &'a str,
    /// The session.
    pub session: &'a str,
    /// The set that it is in: a split, a role.
    pub set: &'a str,
    /// First moment, ns.
    pub start_nanos: i64,
    /// One behind the last moment, ns; a span that ends where it begins takes no time.
    pub end_nanos: i64,
}

/// Two sets share what they must not.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[expect(missing_docs, reason = "a field bears the name of the value that the message gives")]
pub enum Leak {
    /// A session is in both.
    #[error(
        "session `{session}` of subject `{subject}`, device `{device}`, is in two sets: `{}` and `{}`",
        sets[0], sets[1]
    )]
    Session { subject: String, device: String, session: String, sets: [String; 2] },
    /// Sessions of both overlap in time.
    #[error(
        "sessions `{}` (`{}`) and `{}` (`{}`) of subject `{subject}`, device `{device}`, share {seconds} s",
        sessions[0], sets[0], sessions[1], sets[1]
    )]
    Overlap { subject: String, device: String, sessions: [String; 2], sets: [String; 2], seconds: f64 },
}

impl Hinted for Leak {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Session { .. } => "assign whole sessions, or whole subjects, to a set".into(),
            Self::Overlap { .. } => {
                "sessions that were cut from one log must be one session, or in one set".into()
            }
        })
    }
}

/// Checks that no session of one subject and device is in two sets, and that spans of different sets never overlap
/// on one subject's device. The order of `spans` does not matter.
///
/// ```
/// use stages::window::leak::{Span, check_disjoint};
/// let first = Span { subject: "s", device: "d", session: "1", set: "enrolment", start_nanos: 0, end_nanos: 10 };
/// let second = Span { session: "2", set: "probe", start_nanos: 10, end_nanos: 20, ..first };
/// assert!(check_disjoint(&[first, second]).is_ok());
/// assert!(check_disjoint(&[first, Span { start_nanos: 9, ..second }]).is_err());
/// ```
///
/// # Errors
/// Names the first leak: sessions in two sets come first, then overlaps, by subject, device and time.
pub fn check_disjoint(spans: &[Span<'_>]) -> Result<(), Leak> {
    let mut order: Vec<&Span<'_>> = spans.iter().collect();
    order.sort_unstable();
    let log = |span: &Span<'_>| (span.subject.to_owned(), span.device.to_owned());
    let one = |a: &Span<'_>, b: &Span<'_>| (a.subject, a.device) == (b.subject, b.device);
    let divided = |pair: &&[&Span<'_>]| {
        one(pair[0], pair[1]) && pair[0].session == pair[1].session && pair[0].set != pair[1].set
    };
    if let Some(pair) = order.windows(2).find(divided) {
        let (subject, device) = log(pair[0]);
        let sets = [pair[0].set.to_owned(), pair[1].set.to_owned()];
        return Err(Leak::Session { subject, device, session: pair[0].session.to_owned(), sets });
    }
    order.retain(|span| span.start_nanos < span.end_nanos);
    order.sort_unstable_by_key(|span| (span.subject, span.device, span.start_nanos, span.end_nanos, *span));
    for logs in order.chunk_by(|a, b| one(a, b)) {
        if let Some([earlier, later]) = overlap(logs) {
            let shared = later.end_nanos.min(earlier.end_nanos).saturating_sub(later.start_nanos);
            let (subject, device) = log(later);
            return Err(Leak::Overlap {
                subject,
                device,
                sessions: [earlier.session.to_owned(), later.session.to_owned()],
                sets: [earlier.set.to_owned(), later.set.to_owned()],
                seconds: shared as f64 / 1e9,
            });
        }
    }
    Ok(())
}

/// The first two of `spans`, which are in order of time, that overlap and are of different sets.
fn overlap<'a>(spans: &[&'a Span<'a>]) -> Option<[&'a Span<'a>; 2]> {
    // Of all spans so far, the one that ends last, and of those of other sets than its, the one that ends last.
    let (mut last, mut last_other): (Option<&Span<'_>>, Option<&Span<'_>>) = (None, None);
    for span in spans {
        let other = if last.is_some_and(|last| last.set != span.set) { last } else { last_other };
        if let Some(other) = other.filter(|other| other.end_nanos > span.start_nanos) {
            return Some([other, span]);
        }
        if last.is_none_or(|last| span.end_nanos >= last.end_nanos) {
            if last.is_some_and(|last| last.set != span.set) {
                last_other = last;
            }
            last = Some(span);
        } else if last.is_some_and(|last| last.set != span.set)
            && last_other.is_none_or(|other| span.end_nanos > other.end_nanos)
        {
            last_other = Some(span);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NAMES: [&str; 4] = ["a", "b", "c", "d"];

    fn span(session: &'static str, set: &'static str, start_nanos: i64, end_nanos: i64) -> Span<'static> {
        Span { subject: "s", device: "d", session, set, start_nanos, end_nanos }
    }

    #[test]
    fn a_session_in_two_sets_is_named() {
        let leak = check_disjoint(&[span("1", "test", 50, 60), span("1", "train", 0, 10)]).unwrap_err();
        let expected = "session `1` of subject `s`, device `d`, is in two sets: `test` and `train`";
        assert_eq!(leak.to_string(), expected);
        // The same name of another device is another session.
        let other = Span { device: "e", ..span("1", "train", 50, 60) };
        assert_eq!(check_disjoint(&[span("1", "test", 50, 60), other]), Ok(()));
    }

    #[test]
    fn an_overlap_names_both_sessions_and_the_time() {
        let spans =
            [span("1", "enrolment", 0, 3_000_000_000), span("2", "probe", 1_500_000_000, 2_000_000_000)];
        let error = check_disjoint(&spans).unwrap_err();
        let expected = "sessions `1` (`enrolment`) and `2` (`probe`) of subject `s`, device `d`, share 0.5 s";
        assert_eq!(error.to_string(), expected);
        assert!(error.hint().is_some());
    }

    #[test]
    fn spans_that_touch_or_take_no_time_do_not_overlap() {
        let spans =
            [span("1", "a", 0, 10), span("2", "b", 10, 20), span("3", "a", 15, 15), span("4", "a", 20, 30)];
        assert_eq!(check_disjoint(&spans), Ok(()));
        assert_eq!(check_disjoint(&[]), Ok(()));
    }

    proptest! {
        #[test]
        fn it_finds_what_comparing_all_pairs_finds(
            drawn in prop::collection::vec((0_usize..2, 0_usize..4, 0_i64..40, 0_i64..8), 0..14),
        ) {
            // The session says the set here, so only time can leak.
            let spans: Vec<Span<'_>> = drawn.iter().map(|(device, set, start, length)| Span {
                subject: "s", device: NAMES[*device], session: NAMES[*set], set: NAMES[*set % 3],
                start_nanos: *start, end_nanos: start + length,
            }).collect();
            let shares = |a: &Span<'_>, b: &Span<'_>| {
                a.device == b.device && a.set != b.set
                    && a.start_nanos.max(b.start_nanos) < a.end_nanos.min(b.end_nanos)
            };
            let leaks = spans.iter().any(|a| spans.iter().any(|b| shares(a, b)));
            let found = check_disjoint(&spans);
            prop_assert_eq!(found.is_err(), leaks);
            let mut turned = spans.clone();
            turned.reverse();
            prop_assert_eq!(check_disjoint(&turned), found);
        }
    }
}
