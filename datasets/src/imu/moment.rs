//! Stamps that are written as date and time: `2023-05-01T12:30:00.250+02:00`, `01.05.2023 12:30:00,250`.
//!
//! A moment needs a time zone, from its own writing or from the plan: without one, it may lie anywhere within 26 hours. What
//! the order of day and month leaves open, the plan says too.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Nanoseconds in a second.
const SECOND: i64 = 1_000_000_000;
/// Seconds in a day; leap seconds count as the second behind them.
const DAY_SECONDS: i64 = 86_400;
/// The largest offset from UTC in use is 14 hours; ISO 8601 writes up to this many.
const MOST_ZONE_HOURS: i64 = 23;
/// Decimals of a second that a stamp keeps.
const NANO_DIGITS: usize = 9;

/// The offset from UTC of stamps that state none: `UTC`, `+02:00`, `-0530`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Zone {
    /// Seconds that its clocks are ahead of UTC.
    seconds: i64,
}

impl TryFrom<String> for Zone {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match zone(text.trim().as_bytes()) {
            Some((seconds, [])) => Ok(Self { seconds }),
            _ => Err(format!("a time zone must be `UTC` or an offset such as `+02:00`, found `{text}`")),
        }
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        let (sign, minutes) = (if zone.seconds < 0 { '-' } else { '+' }, zone.seconds.abs() / 60);
        if minutes == 0 { "UTC".to_owned() } else { format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60) }
    }
}

/// The order of day and month in dates whose year stands last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DateOrder {
    /// `31/12/2023`.
    DayFirst,
    /// `12/31/2023`.
    MonthFirst,
}

/// What the plan says of moments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Rules {
    pub(super) zone: Option<Zone>,
    pub(super) order: Option<DateOrder>,
}

/// Why a text is no moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Not {
    /// It is no date and time.
    Moment,
    /// Day and month could be either way round.
    Ordered,
    /// It has no time zone.
    Zoned,
    /// It lies outside the years 1677 to 2262, which 64 bits of nanoseconds hold.
    InRange,
}

/// Nanoseconds since 1970 in UTC of `text`, date and time in one.
pub(super) fn moment(text: &[u8], rules: Rules) -> Result<i64, Not> {
    let text = text.trim_ascii();
    let at = match text.iter().take_while(|byte| byte.is_ascii_digit()).count() {
        14 => 8,
        _ => text.iter().position(|byte| matches!(byte, b'T' | b't' | b' ' | b'_')).ok_or(Not::Moment)?,
    };
    let behind = text[at..].trim_ascii_start();
    let behind = behind.strip_prefix(b"T").or(behind.strip_prefix(b"t")).or(behind.strip_prefix(b"_"));
    split(&text[..at], behind.unwrap_or(text[at..].trim_ascii_start()), rules)
}

/// As [`moment`], of a date and a time in columns of their own.
pub(super) fn split(date: &[u8], time: &[u8], rules: Rules) -> Result<i64, Not> {
    let days = days(date.trim_ascii(), rules.order)?;
    let (nanos, rest) = time_of_day(time.trim_ascii()).ok_or(Not::Moment)?;
    let rest = rest.trim_ascii_start();
    let ahead = match (rest, rules.zone) {
        ([], Some(zone)) => zone.seconds,
        ([], None) => return Err(Not::Zoned),
        _ => match zone(rest) {
            Some((seconds, [])) => seconds,
            _ => return Err(Not::Moment),
        },
    };
    let seconds = days * DAY_SECONDS - ahead;
    let all = i128::from(seconds) * i128::from(SECOND) + i128::from(nanos);
    i64::try_from(all).map_err(|_| Not::InRange)
}

/// Days since 1970-01-01.
fn days(text: &[u8], order: Option<DateOrder>) -> Result<i64, Not> {
    let (first, rest, digits) = number(text).ok_or(Not::Moment)?;
    if digits == 8 && rest.is_empty() {
        return day(first / 10_000, first / 100 % 100, first % 100);
    }
    let (mark, rest) = rest.split_first().ok_or(Not::Moment)?;
    if !b"-/.".contains(mark) {
        return Err(Not::Moment);
    }
    let (second, rest, _) = number(rest).ok_or(Not::Moment)?;
    let rest = rest.strip_prefix(&[*mark]).ok_or(Not::Moment)?;
    let (third, rest, last_digits) = number(rest).ok_or(Not::Moment)?;
    match (digits, last_digits, rest) {
        (4, 1..=2, []) => day(first, second, third),
        (1..=2, 4, []) => match order {
            Some(DateOrder::DayFirst) => day(third, second, first),
            Some(DateOrder::MonthFirst) => day(third, first, second),
            // Points stand in dates that begin with the day, wherever such dates are written.
            None if *mark == b'.' => day(third, second, first),
            None => Err(Not::Ordered),
        },
        _ => Err(Not::Moment),
    }
}

/// Days since 1970-01-01 of a day of the Gregorian calendar.
fn day(year: i64, month: i64, day: i64) -> Result<i64, Not> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let lengths = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let month = usize::try_from(month - 1).map_err(|_| Not::Moment)?;
    if !lengths.get(month).is_some_and(|length| (1..=*length).contains(&day)) || year < 1 {
        return Err(Not::Moment);
    }
    // Days of whole years since 0001-01-01, then of whole months.
    let before = |year: i64| 365 * (year - 1) + (year - 1) / 4 - (year - 1) / 100 + (year - 1) / 400;
    Ok(before(year) - before(1970) + lengths[..month].iter().sum::<i64>() + day - 1)
}

/// Nanoseconds since midnight, and what stands behind the time.
fn time_of_day(text: &[u8]) -> Option<(i64, &[u8])> {
    let (first, mut rest, digits) = number(text)?;
    let (hour, minute, second);
    if digits == 6 {
        (hour, minute, second) = (first / 10_000, first / 100 % 100, first % 100);
    } else {
        let mark = *rest.first().filter(|mark| b":-".contains(mark))?;
        let (minutes, behind, _) = number(&rest[1..]).filter(|(.., digits)| *digits == 2)?;
        (hour, minute, rest) = (first, minutes, behind);
        let seconds = rest.strip_prefix(&[mark]).and_then(number).filter(|(.., digits)| *digits == 2);
        (second, rest) = seconds.map_or((0, rest), |(seconds, behind, _)| (seconds, behind));
        if digits > 2 || (mark == b'-' && seconds.is_none()) {
            return None;
        }
    }
    let mut nanos = 0;
    if let Some((b'.' | b',' | b':' | b'_', behind)) = rest.split_first() {
        let fraction = behind.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if fraction == 0 {
            return None;
        }
        let digit =
            |at: usize| behind.get(at).filter(|_| at < fraction).map_or(0, |byte| i64::from(byte - b'0'));
        nanos = (0..NANO_DIGITS).fold(0, |nanos, at| 10 * nanos + digit(at));
        rest = &behind[fraction..];
    }
    let mut hour = hour;
    let word = rest.trim_ascii_start();
    if let Some((letters, behind)) = word.split_at_checked(2)
        && (letters.eq_ignore_ascii_case(b"am") || letters.eq_ignore_ascii_case(b"pm"))
    {
        if !(1..=12).contains(&hour) {
            return None;
        }
        hour = hour % 12 + if letters[0].eq_ignore_ascii_case(&b'p') { 12 } else { 0 };
        rest = behind;
    }
    let sound = hour < 24 && minute < 60 && second <= 60;
    sound.then_some((((hour * 60 + minute) * 60 + second) * SECOND + nanos, rest))
}

/// The seconds that a zone is ahead of UTC, and what stands behind it.
fn zone(text: &[u8]) -> Option<(i64, &[u8])> {
    for name in [&b"UTC"[..], b"GMT", b"Z", b"z"] {
        if let Some(rest) = text.strip_prefix(name) {
            return Some((0, rest));
        }
    }
    let (sign, rest) = text.split_first().filter(|(sign, _)| b"+-".contains(sign))?;
    let (first, rest, digits) = number(rest)?;
    let (hours, minutes, rest) = match (digits, rest.split_first()) {
        (4, _) => (first / 100, first % 100, rest),
        (2, Some((b':', behind))) => {
            let (minutes, rest, _) = number(behind).filter(|(.., digits)| *digits == 2)?;
            (first, minutes, rest)
        }
        (2, _) => (first, 0, rest),
        _ => return None,
    };
    let seconds = (hours * 60 + minutes) * 60;
    let sound = hours <= MOST_ZONE_HOURS && minutes < 60;
    sound.then_some((if *sign == b'-' { -seconds } else { seconds }, rest))
}

/// The number at the start of `text`, what stands behind it, and how many digits it has.
fn number(text: &[u8]) -> Option<(i64, &[u8], usize)> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits == 0 || digits > 8 {
        return None;
    }
    let value = text[..digits].iter().fold(0, |value, byte| 10 * value + i64::from(byte - b'0'));
    Some((value, &text[digits..], digits))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// 2023-05-01T12:30:00Z.
    const NOON: i64 = 1_682_944_200 * SECOND;

    fn utc() -> Rules {
        Rules { zone: Some(Zone { seconds: 0 }), order: None }
    }

    #[test]
    fn moments_of_every_writing_are_nanoseconds() {
        for (text, nanos) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2023-05-01T12:30:00Z", NOON),
            ("2023-05-01 12:30:00", NOON),
            ("2023-05-01_12-30-00", NOON),
            ("2023/5/1 12:30", NOON),
            ("20230501T123000", NOON),
            ("20230501123000.25", NOON + SECOND / 4),
            ("01.05.2023 12:30:00,250", NOON + SECOND / 4),
            ("2023-05-01 12:30:00:250", NOON + SECOND / 4),
            ("2023-05-01 12:30:00_25", NOON + SECOND / 4),
            ("2023-05-01T12:30:00.123456789999Z", NOON + 123_456_789),
            ("2023-05-01T14:30:00+02:00", NOON),
            ("2023-05-01T14:30:00+02", NOON),
            ("2023-05-01T07:00:00.000-0530", NOON),
            ("2023-05-01 12:30:00 UTC", NOON),
            ("2023-05-01 12:30:00 PM", NOON),
            ("2023-05-01 12:30:00 am", NOON - 12 * 3600 * SECOND),
            ("2024-02-29T00:00:00Z", 1_709_164_800 * SECOND),
            ("1969-12-31T23:59:59Z", -SECOND),
        ] {
            assert_eq!(moment(text.as_bytes(), utc()), Ok(nanos), "{text}");
        }
        let rules = |zone: &str, order| Rules { zone: Some(Zone::try_from(zone.to_owned()).unwrap()), order };
        let east = rules("+02:00", None);
        assert_eq!(moment(b"2023-05-01 14:30:00", east), Ok(NOON));
        assert_eq!(moment(b"2023-05-01 12:30:00Z", east), Ok(NOON), "its own zone comes first");
        assert_eq!(split(b"2023-05-01", b"14:30:00", east), Ok(NOON));
        assert_eq!(moment(b"05/01/2023 12:30:00", rules("UTC", Some(DateOrder::MonthFirst))), Ok(NOON));
        assert_eq!(moment(b"01/05/2023 12:30:00", rules("UTC", Some(DateOrder::DayFirst))), Ok(NOON));
    }

    #[test]
    fn what_is_left_open_is_no_moment() {
        for (text, rules, why) in [
            ("2023-05-01T12:30:00", Rules::default(), Not::Zoned),
            ("05/01/2023 12:30:00", utc(), Not::Ordered),
            ("2023-02-29 00:00:00", utc(), Not::Moment),
            ("2023-13-01 00:00:00", utc(), Not::Moment),
            ("2023-05-01 24:00:00", utc(), Not::Moment),
            ("2023-05-01 12:60:00", utc(), Not::Moment),
            ("2023-05-01 13:00:00 PM", utc(), Not::Moment),
            ("23-05-01 12:00:00", utc(), Not::Moment),
            ("2023-05-01", utc(), Not::Moment),
            ("2023-05/01 12:30:00", utc(), Not::Moment),
            ("1682944200000", utc(), Not::Moment),
            ("2023-05-01T12:30:00Zx", utc(), Not::Moment),
            ("2023-05-01T12:30:00.", utc(), Not::Moment),
            ("3000-01-01T00:00:00Z", utc(), Not::InRange),
            ("", utc(), Not::Moment),
        ] {
            assert_eq!(moment(text.as_bytes(), rules), Err(why), "{text}");
        }
        for wrong in ["Europe/Berlin", "", "+2", "+99:00", "2:00"] {
            assert!(Zone::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
        for zone in ["UTC", "+02:00", "-05:30"] {
            assert_eq!(String::from(Zone::try_from(zone.to_owned()).unwrap()), zone);
        }
    }

    proptest! {
        #[test]
        fn days_follow_one_another(year in 1600_i64..2500, month in 1_i64..13, date in 1_i64..29) {
            let here = day(year, month, date).unwrap();
            let next = day(year, month, date + 1).or(day(year, month + 1, 1)).or(day(year + 1, 1, 1));
            prop_assert_eq!(next, Ok(here + 1));
        }

        #[test]
        fn any_bytes_are_read_or_refused(text in prop::collection::vec(any::<u8>(), 0..40)) {
            let _ = moment(&text, utc());
        }
    }
}
