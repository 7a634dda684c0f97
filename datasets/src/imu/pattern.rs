//! Patterns of paths with named fields: `{subject}/{session}_sp.csv`.

use std::collections::HashSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::sensor_names::sensor;

/// What a path gives to the fields, in the order subject, device, session, sensor, activity.
pub(super) type Fields = [Option<String>; 5];

/// What a field of a pattern names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Subject,
    Device,
    Session,
    Sensor,
    Activity,
}

const FIELDS: [(&str, Field); 5] = [
    ("subject", Field::Subject),
    ("device", Field::Device),
    ("session", Field::Session),
    ("sensor", Field::Sensor),
    ("activity", Field::Activity),
];

/// Most bytes of a part of a pattern; names of files have at most 255.
const MOST_PART_BYTES: usize = 512;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Literal(String),
    Field(Field),
    Any,
}

/// A path below a folder, with fields `{subject}`, `{device}`, `{session}`, `{activity}`, `{sensor}` and `*`.
///
/// Parts are separated by `/`. A field matches one or more characters within one part, `*` may match nothing; each
/// match is as short as the rest allows, from the left. `{sensor}` begins with the name of a sensor where the path
/// allows that: `s2_walk_fast_acc.csv` by `{subject}_{session}_{sensor}.csv` is of session `walk_fast`. A field may occur
/// once in a part; one that occurs in several parts must match the same text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct Pattern {
    text: String,
    parts: Vec<Vec<Token>>,
}

/// What a path gives to the fields, in the order subject, device, session, sensor, activity.
pub(super) type Given<'a> = [Option<&'a str>; 5];

impl Pattern {
    /// `*`, the pattern of files that are found by other means.
    pub(super) fn any() -> Self {
        Self { text: "*".to_owned(), parts: vec![vec![Token::Any]] }
    }

    /// How many parts a path must have.
    pub(super) fn depth(&self) -> usize {
        self.parts.len()
    }

    /// Whether the pattern has `field`.
    pub(super) fn has(&self, field: Field) -> bool {
        self.parts.iter().flatten().any(|token| *token == Token::Field(field))
    }

    /// The fields of a path of these parts, if it fits.
    pub(super) fn matches<'a>(&self, parts: &[&'a str]) -> Option<Given<'a>> {
        if parts.len() != self.parts.len() {
            return None;
        }
        self.given(|by_sensor, given| {
            self.parts.iter().zip(parts).all(|(tokens, part)| fits(tokens, part, given, by_sensor))
        })
    }

    /// As [`Self::matches`], by the last part of the pattern alone.
    pub(super) fn matches_name<'a>(&self, name: &'a str) -> Option<Given<'a>> {
        self.given(|by_sensor, given| {
            self.parts.last().is_some_and(|tokens| fits(tokens, name, given, by_sensor))
        })
    }

    /// What `all` fills in; a name of `{sensor}` that begins as one of a sensor comes before any other.
    fn given<'a>(&self, all: impl Fn(bool, &mut Given<'a>) -> bool) -> Option<Given<'a>> {
        let rules: &[bool] = if self.has(Field::Sensor) { &[true, false] } else { &[false] };
        rules.iter().find_map(|by_sensor| {
            let mut given = Given::default();
            all(*by_sensor, &mut given).then_some(given)
        })
    }
}

/// Whether `text` is what `tokens` say; fills the fields. `by_sensor` says that `{sensor}` must begin with the name of one.
fn fits<'a>(tokens: &[Token], text: &'a str, given: &mut Given<'a>, by_sensor: bool) -> bool {
    fits_from(tokens, text, given, by_sensor, &mut HashSet::new())
}

/// As [`fits`]. `failed` are the numbers of tokens and bytes
/// left that have been tried in vain: without it, the time would grow exponentially with the number of `*`. A part names a
/// field once, so what the fields hold changes nothing.
fn fits_from<'a>(
    tokens: &[Token],
    text: &'a str,
    given: &mut Given<'a>,
    by_sensor: bool,
    failed: &mut HashSet<(usize, usize)>,
) -> bool {
    let Some((token, rest)) = tokens.split_first() else { return text.is_empty() };
    let place = (tokens.len(), text.len());
    if failed.contains(&place) {
        return false;
    }
    let before = *given;
    let mut further = |text, given: &mut Given<'a>| fits_from(rest, text, given, by_sensor, failed);
    let found = match token {
        Token::Literal(literal) => {
            text.strip_prefix(literal.as_str()).is_some_and(|text| further(text, given))
        }
        Token::Any => ends(text, 0).any(|end| further(&text[end..], given)),
        Token::Field(field) => match given[*field as usize] {
            Some(known) => text.strip_prefix(known).is_some_and(|text| further(text, given)),
            None if by_sensor && *field == Field::Sensor && sensor(text).is_none() => false,
            None => ends(text, 1).any(|end| {
                let name = &text[..end];
                given[*field as usize] = Some(name);
                (!by_sensor || *field != Field::Sensor || sensor(name).is_some())
                    && further(&text[end..], given)
            }),
        },
    };
    if !found {
        *given = before;
        failed.insert(place);
    }
    found
}

/// The ends of the first characters of `text`, from `least` characters on.
fn ends(text: &str, least: usize) -> impl Iterator<Item = usize> {
    text.char_indices().map(|(at, _)| at).chain([text.len()]).skip(least)
}

impl TryFrom<String> for Pattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let parts = text.split('/').map(|part| tokens(part, &text)).collect::<Result<_, _>>()?;
        Ok(Self { text, parts })
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> Self {
        pattern.text
    }
}

fn tokens(part: &str, whole: &str) -> Result<Vec<Token>, String> {
    if part.is_empty() || part == "." || part == ".." {
        return Err(format!("a pattern must be a path below a folder, found `{whole}`"));
    }
    if part.len() > MOST_PART_BYTES {
        return Err(format!(
            "a part of a pattern must have at most {MOST_PART_BYTES} bytes, found {}",
            part.len()
        ));
    }
    let (mut all, mut rest) = (Vec::new(), part);
    while let Some(first) = rest.chars().next() {
        match first {
            '{' => {
                let (name, behind) = rest[1..].split_once('}').ok_or(format!("no `}}` behind `{rest}`"))?;
                let field = FIELDS.iter().find(|(known, _)| *known == name).ok_or_else(|| {
                    let known = FIELDS.map(|(known, _)| format!("`{known}`")).join(", ");
                    format!("no field `{name}`; the fields are {known}")
                })?;
                if all.contains(&Token::Field(field.1)) {
                    return Err(format!("`{{{name}}}` must stand once in a part of a path, found `{part}`"));
                }
                all.push(Token::Field(field.1));
                rest = behind;
            }
            '}' => return Err(format!("no `{{` before `{rest}`")),
            '*' => {
                all.push(Token::Any);
                rest = &rest[1..];
            }
            _ => {
                let end = rest.find(['{', '}', '*']).unwrap_or(rest.len());
                all.push(Token::Literal(rest[..end].to_owned()));
                rest = &rest[end..];
            }
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given<'a>(pattern: &str, path: &'a str) -> Option<Given<'a>> {
        let parts: Vec<&str> = path.split('/').collect();
        Pattern::try_from(pattern.to_owned()).unwrap().matches(&parts)
    }

    #[test]
    fn fields_are_taken_from_paths() {
        let found = given("{subject}/{session}_sp.csv", "s01/s01_01_sp.csv");
        assert_eq!(found, Some([Some("s01"), None, Some("s01_01"), None, None]));
        let found = given("{subject}_{session}.csv", "s01_01_sp.csv");
        assert_eq!(found, Some([Some("s01"), None, Some("01_sp"), None, None]));
        let found = given("*/{device}-*-{sensor}.csv", "x/n5-2014-acc.csv");
        assert_eq!(found, Some([None, Some("n5"), None, Some("acc"), None]));
        let found = given("{subject}/{subject}_session_{session}/A.csv", "7/7_session_12/A.csv");
        assert_eq!(found, Some([Some("7"), None, Some("12"), None, None]));
        assert_eq!(given("{subject}/{subject}_{session}.csv", "7/8_1.csv"), None);
        assert_eq!(given("{subject}.csv", ".csv"), None);
        assert_eq!(given("{subject}.csv", "a/b.csv"), None);
        assert_eq!(given("ä{subject}*.csv", "äöü.csv"), Some([Some("ö"), None, None, None, None]));
    }

    #[test]
    fn a_name_is_read_in_the_way_that_gives_a_sensor() {
        let pattern = "{subject}_{session}_{sensor}.csv";
        for (name, expected) in [
            ("s1_walk_accm.csv", ["s1", "walk", "accm"]),
            ("s2_walk_fast_accm.csv", ["s2", "walk_fast", "accm"]),
            ("s2_walk_fast_GYRO_1.csv", ["s2", "walk_fast", "GYRO_1"]),
            ("s2_walk_fast_magm.csv", ["s2", "walk", "fast_magm"]),
            ("acc_acc_acc_acc.csv", ["acc", "acc", "acc_acc"]),
        ] {
            let given = given(pattern, name).unwrap();
            assert_eq!([given[0], given[2], given[3]].map(Option::unwrap), expected, "{name}");
        }
        let found = given("{sensor}_{activity}_{device}.csv", "acc_climbing_down_waist.csv").unwrap();
        assert_eq!((found[4], found[1], found[3]), (Some("climbing"), Some("down_waist"), Some("acc")));
        let found = given("{subject}/{session}_{sensor}_*.csv", "7/a_b_gyr_.csv").unwrap();
        assert_eq!((found[2], found[3]), (Some("a_b"), Some("gyr")));
    }

    #[test]
    fn patterns_that_say_nothing_are_refused() {
        for wrong in ["", "/a.csv", "../a.csv", "a//b", "{user}.csv", "{subject", "subject}.csv"] {
            assert!(Pattern::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
        assert!(Pattern::try_from("*".repeat(513)).unwrap_err().contains("at most 512"));
        assert!(
            Pattern::try_from("{subject}-{subject}.csv".to_owned()).unwrap_err().contains("once in a part")
        );
    }

    #[test]
    fn many_stars_do_not_take_for_ever() {
        let pattern = "*a".repeat(30) + "{subject}*b";
        let name = "a".repeat(250);
        assert_eq!(given(&pattern, &name), None);
        let name = name + "xb";
        let subject = given(&pattern, &name).and_then(|given| given[0]);
        assert_eq!(subject, Some("a"));
    }
}
