//! The fields of a record.
//!
//! | meaning | spellings | refused |
//! |---|---|---|
//! | number | `7`, `7.0`, `"7"`, `" 7.5 "` | `"1,5"`, `true`, `[7]` |
//! | whole number | the same, without a fraction | `3.7`, `"3.7"` |
//! | flag | `true`, `1`, `0.0`, `"false"`, `"1"`, null | `2`, `"maybe"` |
//! | nothing | null, `""`, `"null"`, `"none"`, `"nan"`, `[]`, `{}` | |

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Error, SeqAccess, Unexpected, Visitor};
use serde_json::Value as Json;

/// Words that stand for nothing, in small letters.
const NOTHING: [&str; 4] = ["", "null", "none", "nan"];
/// Whole numbers up to this one are exact as `f64`.
const EXACT: f64 = 9_007_199_254_740_992.0;

fn is_nothing(text: &str) -> bool {
    NOTHING.contains(&text.trim().to_ascii_lowercase().as_str())
}

/// The number that `text` is, in the grammar of JSON's numbers but for a leading `+`, zeros or dot.
fn number_of(text: &str) -> Option<f64> {
    let text = text.trim();
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    text.parse().ok().filter(|number: &f64| plain && number.is_finite())
}

fn whole_of(number: f64) -> Option<i64> {
    (number.fract() == 0.0 && number.abs() <= EXACT).then_some(number as i64)
}

/// A number.
struct Number(f64);
/// A number, `NaN` where there is none.
struct Coordinate(f64);
/// A number without a fraction.
struct Whole(i64);
/// True or false.
struct Flag(bool);

struct NumberVisitor;

impl Visitor<'_> for NumberVisitor {
    type Value = f64;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a number")
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<f64, E> {
        Ok(number)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<f64, E> {
        Ok(number as f64)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<f64, E> {
        Ok(number as f64)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<f64, E> {
        number_of(text).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NumberVisitor).map(Self)
    }
}

struct CoordinateVisitor;

impl Visitor<'_> for CoordinateVisitor {
    type Value = Coordinate;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a number or null")
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Coordinate, E> {
        Ok(Coordinate(number))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Coordinate, E> {
        Ok(Coordinate(number as f64))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Coordinate, E> {
        Ok(Coordinate(number as f64))
    }

    fn visit_unit<E: Error>(self) -> Result<Coordinate, E> {
        Ok(Coordinate(f64::NAN))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Coordinate, E> {
        if is_nothing(text) { self.visit_unit() } else { NumberVisitor.visit_str(text).map(Coordinate) }
    }
}

impl<'de> Deserialize<'de> for Coordinate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CoordinateVisitor)
    }
}

struct WholeVisitor;

impl Visitor<'_> for WholeVisitor {
    type Value = Whole;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a whole number")
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Whole, E> {
        Ok(Whole(number))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Whole, E> {
        i64::try_from(number).map(Whole).map_err(|_| E::invalid_value(Unexpected::Unsigned(number), &self))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Whole, E> {
        whole_of(number).map(Whole).ok_or_else(|| E::invalid_value(Unexpected::Float(number), &self))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Whole, E> {
        let whole = text.trim().parse().ok().or_else(|| number_of(text).and_then(whole_of));
        whole.map(Whole).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }
}

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WholeVisitor)
    }
}

struct FlagVisitor;

impl Visitor<'_> for FlagVisitor {
    type Value = Flag;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("true, false, 0 or 1")
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<Flag, E> {
        Ok(Flag(flag))
    }

    fn visit_unit<E: Error>(self) -> Result<Flag, E> {
        Ok(Flag(false))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Flag, E> {
        match number {
            0 | 1 => Ok(Flag(number == 1)),
            _ => Err(E::invalid_value(Unexpected::Signed(number), &self)),
        }
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Flag, E> {
        self.visit_i64(i64::try_from(number).unwrap_or(i64::MAX))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Flag, E> {
        match number {
            0.0 | 1.0 => Ok(Flag(number == 1.0)),
            _ => Err(E::invalid_value(Unexpected::Float(number), &self)),
        }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Flag, E> {
        match text.trim().to_ascii_lowercase().as_str() {
            "true" => Ok(Flag(true)),
            "false" => Ok(Flag(false)),
            word if is_nothing(word) => Ok(Flag(false)),
            word => match number_of(word) {
                Some(0.0) => Ok(Flag(false)),
                Some(1.0) => Ok(Flag(true)),
                _ => Err(E::invalid_value(Unexpected::Str(text), &self)),
            },
        }
    }
}

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FlagVisitor)
    }
}

/// Numbers, or lists of numbers one after the other.
struct NumbersVisitor;

impl<'de> Visitor<'de> for NumbersVisitor {
    type Value = Vec<f64>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of numbers")
    }

    fn visit_unit<E: Error>(self) -> Result<Vec<f64>, E> {
        Ok(Vec::new())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Vec<f64>, E> {
        if is_nothing(text) { Ok(Vec::new()) } else { Err(E::invalid_type(Unexpected::Str(text), &self)) }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<f64>, A::Error> {
        let mut numbers = Vec::with_capacity(list.size_hint().unwrap_or(0).min(1 << 12));
        while let Some(item) = list.next_element::<Item>()? {
            match item {
                Item::One(number) => numbers.push(number),
                Item::Several(several) => numbers.extend(several),
            }
        }
        Ok(numbers)
    }
}

/// An item of a list: a number, or a point.
enum Item {
    One(f64),
    Several(Vec<f64>),
}

struct ItemVisitor;

impl<'de> Visitor<'de> for ItemVisitor {
    type Value = Item;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a number")
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Item, E> {
        Ok(Item::One(number))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Item, E> {
        Ok(Item::One(number as f64))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Item, E> {
        Ok(Item::One(number as f64))
    }

    fn visit_unit<E: Error>(self) -> Result<Item, E> {
        Ok(Item::One(f64::NAN))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Item, E> {
        CoordinateVisitor.visit_str(text).map(|number| Item::One(number.0))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Item, A::Error> {
        let mut several = Vec::new();
        while let Some(Coordinate(number)) = list.next_element()? {
            several.push(number);
        }
        Ok(Item::Several(several))
    }
}

impl<'de> Deserialize<'de> for Item {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ItemVisitor)
    }
}

/// A value, or nothing.
fn maybe<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<Option<T>, D::Error> {
    let value = Json::deserialize(deserializer)?;
    let nothing = match &value {
        Json::Null => true,
        Json::String(text) => is_nothing(text),
        Json::Array(list) => list.is_empty(),
        Json::Object(object) => object.is_empty(),
        Json::Bool(_) | Json::Number(_) => false,
    };
    if nothing { Ok(None) } else { T::deserialize(&value).map(Some).map_err(D::Error::custom) }
}

/// A whole number.
pub(crate) fn whole<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    Whole::deserialize(deserializer).map(|whole| whole.0)
}

/// A whole number, or nothing.
pub(crate) fn maybe_whole<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    Ok(maybe::<D, Whole>(deserializer)?.map(|whole| whole.0))
}

/// The size of a picture along an axis, px; nothing where it is 0 or less, as some write what they do not know.
pub(crate) fn maybe_size<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i32>, D::Error> {
    let Some(whole) = maybe_whole(deserializer)? else { return Ok(None) };
    let size = i32::try_from(whole)
        .map_err(|_| D::Error::invalid_value(Unexpected::Signed(whole), &"a number of px"))?;
    Ok((size > 0).then_some(size))
}

/// A number.
pub(crate) fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Number::deserialize(deserializer).map(|number| number.0)
}

/// A number, or nothing.
pub(crate) fn maybe_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    Ok(maybe::<D, Number>(deserializer)?.map(|number| number.0))
}

/// So many numbers, or nothing; nothing too where all of them are null.
pub(crate) fn maybe_numbers<'de, D: Deserializer<'de>, const COUNT: usize>(
    deserializer: D,
) -> Result<Option<[f64; COUNT]>, D::Error> {
    let Some(list) = maybe::<D, Vec<Coordinate>>(deserializer)? else { return Ok(None) };
    let numbers: Vec<f64> = list.into_iter().map(|number| number.0).collect();
    let Ok(numbers) = <[f64; COUNT]>::try_from(numbers.as_slice()) else {
        return Err(D::Error::invalid_length(numbers.len(), &format!("{COUNT} numbers").as_str()));
    };
    match numbers.iter().filter(|number| number.is_nan()).count() {
        0 => Ok(Some(numbers)),
        absent if absent == COUNT => Ok(None),
        _ => Err(D::Error::invalid_type(Unexpected::Unit, &format!("{COUNT} numbers").as_str())),
    }
}

/// Any count of numbers, or of points of numbers; `NaN` where one is null.
pub(crate) fn numbers<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f64>, D::Error> {
    deserializer.deserialize_any(NumbersVisitor)
}

/// Any count of points, `NaN` where a number is null.
pub(crate) fn points<'de, D: Deserializer<'de>, const COUNT: usize>(
    deserializer: D,
) -> Result<Vec<[f64; COUNT]>, D::Error> {
    let list = maybe::<D, Vec<Vec<Coordinate>>>(deserializer)?.unwrap_or_default();
    let point = |point: Vec<Coordinate>| {
        let numbers: Vec<f64> = point.into_iter().map(|number| number.0).collect();
        <[f64; COUNT]>::try_from(numbers.as_slice()).map_err(|_| {
            D::Error::invalid_length(numbers.len(), &format!("points of {COUNT} numbers").as_str())
        })
    };
    list.into_iter().map(point).collect()
}

/// True or false; false where there is nothing.
pub(crate) fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Flag::deserialize(deserializer).map(|flag| flag.0)
}

/// Any count of flags.
pub(crate) fn flags<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<bool>, D::Error> {
    let list = maybe::<D, Vec<Flag>>(deserializer)?.unwrap_or_default();
    Ok(list.into_iter().map(|flag| flag.0).collect())
}

/// A text that is not blank.
pub(crate) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.trim().is_empty() {
        return Err(D::Error::invalid_value(Unexpected::Str(&text), &"a text that is not blank"));
    }
    Ok(text)
}

/// A text, or nothing.
pub(crate) fn maybe_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text: Option<String> = Option::deserialize(deserializer)?;
    Ok(text.filter(|text| !text.trim().is_empty()))
}

/// Any count of texts.
pub(crate) fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    Ok(maybe(deserializer)?.unwrap_or_default())
}

/// A number or a name that identifies something.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    /// Written as a number.
    Number(i64),
    /// Written as a text, which may be a number too.
    Text(String),
}

impl fmt::Display for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(formatter, "{number}"),
            Self::Text(text) => write!(formatter, "`{text}`"),
        }
    }
}

struct KeyVisitor;

impl Visitor<'_> for KeyVisitor {
    type Value = Key;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a whole number or a name")
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Key, E> {
        Ok(Key::Number(number))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Key, E> {
        WholeVisitor.visit_u64(number).map(|whole| Key::Number(whole.0))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Key, E> {
        WholeVisitor.visit_f64(number).map(|whole| Key::Number(whole.0))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Key, E> {
        if text.trim().is_empty() {
            return Err(E::invalid_value(Unexpected::Str(text), &self));
        }
        Ok(Key::Text(text.to_owned()))
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(KeyVisitor)
    }
}
