//! Which units of a run are done here: all, or a share of them in an array of runs.

use std::str::FromStr;

/// Which units of a run are done here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// All that are not done, and what follows from them.
    All,
    /// One of an array of runs: every `of`-th unit of the sources.
    Share {
        /// Which one, from 1.
        number: u64,
        /// How many there are.
        of: u64,
    },
    /// None: all units of the sources are done, and what follows from them is made.
    Merge,
}

impl Part {
    /// Whether unit `unit` is done here.
    pub(super) fn takes(self, unit: u64) -> bool {
        match self {
            Self::All | Self::Merge => true,
            Self::Share { number, of } => unit % of == number - 1,
        }
    }
}

/// `3/64` of an array of 64, as [`Part::Share`].
impl FromStr for Part {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("a part of an array is written `3/64`, from `1/64` to `64/64`, found `{text}`");
        let (number, of) = text.split_once('/').ok_or_else(wrong)?;
        let (number, of) = (number.parse().map_err(|_| wrong())?, of.parse().map_err(|_| wrong())?);
        if number == 0 || number > of { Err(wrong()) } else { Ok(Self::Share { number, of }) }
    }
}

/// The part that a scheduler has given this process, read from its environment variables: a Slurm array, or an indexed
/// Job of Kubernetes, which does not say how many there are, so that `MOTIONMILL_SHARDS` must.
///
/// # Errors
/// When no scheduler has, or it has in part.
pub fn part_of_array(variable: impl Fn(&str) -> Option<String>) -> Result<Part, String> {
    let number = |name: &str| -> Result<Option<u64>, String> {
        let Some(text) = variable(name) else { return Ok(None) };
        text.trim().parse().map(Some).map_err(|_| format!("`{name}` must be a number, found `{text}`"))
    };
    if let Some(task) = number("SLURM_ARRAY_TASK_ID")? {
        let least = number("SLURM_ARRAY_TASK_MIN")?.unwrap_or(0);
        let step = number("SLURM_ARRAY_TASK_STEP")?.unwrap_or(1).max(1);
        let of = number("SLURM_ARRAY_TASK_COUNT")?.ok_or("`SLURM_ARRAY_TASK_COUNT` is not set")?;
        let offset =
            task.checked_sub(least).ok_or("`SLURM_ARRAY_TASK_ID` is below `SLURM_ARRAY_TASK_MIN`")?;
        return format!("{}/{of}", offset / step + 1).parse();
    }
    if let Some(index) = number("JOB_COMPLETION_INDEX")? {
        let of = number("MOTIONMILL_SHARDS")?;
        let of = of.ok_or("`MOTIONMILL_SHARDS` must say how many completions the Job has")?;
        return format!("{}/{of}", index + 1).parse();
    }
    Err("no array is known: neither `SLURM_ARRAY_TASK_ID` nor `JOB_COMPLETION_INDEX` is set".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_is_in_one_part() {
        let parts: Vec<Part> = (1..=3).map(|number| format!("{number}/3").parse().unwrap()).collect();
        for unit in 0..10 {
            assert_eq!(parts.iter().filter(|part| part.takes(unit)).count(), 1);
        }
        for wrong in ["", "3", "0/3", "4/3", "1/0", "a/3", "1/3/3", "-1/3"] {
            assert!(wrong.parse::<Part>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn schedulers_say_which_part() {
        let of = |variables: &'static [(&str, &str)]| {
            part_of_array(move |name| {
                let found = variables.iter().find(|(key, _)| *key == name);
                found.map(|(_, value)| (*value).to_owned())
            })
        };
        let slurm: &[(&str, &str)] = &[
            ("SLURM_ARRAY_TASK_ID", "14"),
            ("SLURM_ARRAY_TASK_MIN", "10"),
            ("SLURM_ARRAY_TASK_STEP", "2"),
            ("SLURM_ARRAY_TASK_COUNT", "8"),
        ];
        assert_eq!(of(slurm), Ok(Part::Share { number: 3, of: 8 }));
        let job: &[(&str, &str)] = &[("JOB_COMPLETION_INDEX", "0"), ("MOTIONMILL_SHARDS", "4")];
        assert_eq!(of(job), Ok(Part::Share { number: 1, of: 4 }));
        assert!(of(&[("JOB_COMPLETION_INDEX", "0")]).unwrap_err().contains("MOTIONMILL_SHARDS"));
        assert!(of(&[("SLURM_ARRAY_TASK_ID", "x")]).is_err() && of(&[]).is_err());
    }
}
