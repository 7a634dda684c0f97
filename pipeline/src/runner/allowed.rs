//! How many rejects a user allows, and rejects in words.

use std::collections::BTreeMap;
use std::str::FromStr;

use datasets::shards::Verdict;
use schemas::units::grouped;

/// The most rows that may be rejected.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum MostRejects {
    /// So many.
    Rows(u64),
    /// This share of the rows that are read, percent.
    Percent(f64),
}

impl FromStr for MostRejects {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let rule = || format!("must be a number of rows or a share such as `5%`, found `{text}`");
        match text.trim().strip_suffix('%') {
            Some(share) => {
                let share: f64 = share.trim_end().parse().map_err(|_| rule())?;
                if (0.0..=100.0).contains(&share) { Ok(Self::Percent(share)) } else { Err(rule()) }
            }
            None => text.trim().parse().map(Self::Rows).map_err(|_| rule()),
        }
    }
}

impl std::fmt::Display for MostRejects {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Rows(rows) => write!(formatter, "{}", grouped(*rows)),
            Self::Percent(share) => write!(formatter, "{share}%"),
        }
    }
}

impl MostRejects {
    pub(super) fn allows(self, verdict: &Verdict) -> bool {
        match self {
            Self::Rows(most) => verdict.rejected <= most,
            Self::Percent(share) => verdict.rejected as f64 * 100.0 <= share * verdict.read as f64,
        }
    }
}

/// A line for each reason, the most frequent first: how many rows it stands for, and the first.
pub fn lines(rows: &BTreeMap<String, u64>, examples: &BTreeMap<String, String>) -> Vec<String> {
    let mut rows: Vec<(&String, &u64)> = rows.iter().collect();
    rows.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let line = |(reason, count): (&String, &u64)| {
        let example =
            examples.get(reason).map_or_else(String::new, |example| format!(", the first: {example}"));
        format!("{} x {reason}{example}", grouped(*count))
    };
    rows.into_iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_a_count_or_a_share() {
        for (text, limit) in [
            ("0", MostRejects::Rows(0)),
            ("12", MostRejects::Rows(12)),
            ("5%", MostRejects::Percent(5.0)),
            (" 0.5 % ", MostRejects::Percent(0.5)),
            ("100%", MostRejects::Percent(100.0)),
        ] {
            assert_eq!(text.parse(), Ok(limit), "{text}");
        }
        for text in ["", "-1", "5.5", "%", "101%", "-1%", "nan%", "five"] {
            let error = text.parse::<MostRejects>().unwrap_err();
            assert!(error.contains("such as `5%`") && error.ends_with(&format!("`{text}`")), "{error}");
        }
    }

    #[test]
    fn a_limit_is_not_exceeded_by_as_many() {
        let of = |rejected, read| Verdict { read, rejected, lost: None };
        assert!(MostRejects::Rows(2).allows(&of(2, 9)) && !MostRejects::Rows(2).allows(&of(3, 9)));
        assert!(
            MostRejects::Percent(25.0).allows(&of(1, 4)) && !MostRejects::Percent(24.9).allows(&of(1, 4))
        );
        assert!(MostRejects::Percent(0.0).allows(&of(0, 0)) && !MostRejects::Rows(0).allows(&of(1, 1)));
    }

    #[test]
    fn the_most_frequent_reason_comes_first() {
        let rows = BTreeMap::from([("a".to_owned(), 1), ("b".to_owned(), 7000)]);
        let examples = BTreeMap::from([("b".to_owned(), "x.json, image 3: gone".to_owned())]);
        assert_eq!(lines(&rows, &examples), ["7,000 x b, the first: x.json, image 3: gone", "1 x a"]);
    }
}
