//! Which people of a picture are found by its detections.

/// Closer to 1 no threshold is (`1-1e-10` of the reference evaluator).
const HIGHEST: f64 = 1.0 - 1e-10;

/// A person, or a region, as one range of sizes sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sought {
    /// Its place among the people of the picture.
    pub place: usize,
    /// Neither found nor missed: a region, a person without joints, or one outside the range.
    pub is_ignored: bool,
    /// Any number of detections may fall on it.
    pub is_crowd: bool,
    /// Whoever finds it counts as having found nobody.
    pub is_void: bool,
}

/// What a detection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It found the person at this place of the picture.
    Found(usize),
    /// It found nobody.
    False,
    /// It does not count.
    Ignored,
}

/// The verdicts on the detections of a picture at one threshold.
///
/// `alike` holds the similarity of each detection, in the order of scores, to each person of the picture, `[D, G]`; those
/// `sought`, the ones that are not ignored first; `is_outside` says of each detection whether it is outside the range of
/// sizes. Source: `COCOeval.evaluateImg`.
pub(super) fn verdicts(
    alike: &[f64],
    people: usize,
    sought: &[Sought],
    is_outside: &[bool],
    threshold: f64,
) -> Vec<Verdict> {
    let mut is_taken = vec![false; sought.len()];
    let mut verdicts = Vec::with_capacity(is_outside.len());
    for (detection, is_outside) in is_outside.iter().enumerate() {
        let alike = &alike[detection * people..(detection + 1) * people];
        let (mut best, mut found) = (threshold.min(HIGHEST), None);
        for (number, one) in sought.iter().enumerate() {
            if is_taken[number] && !one.is_crowd {
                continue;
            }
            // Whoever has found a person who counts looks at none that does not.
            if found.is_some_and(|found: usize| !sought[found].is_ignored) && one.is_ignored {
                break;
            }
            // Of those equally alike, the last one is taken.
            if alike[one.place] >= best {
                (best, found) = (alike[one.place], Some(number));
            }
        }
        if let Some(found) = found {
            is_taken[found] = true;
        }
        verdicts.push(match found.map(|found| sought[found]) {
            Some(one) if one.is_ignored => Verdict::Ignored,
            Some(one) if !one.is_void => Verdict::Found(one.place),
            _ if *is_outside => Verdict::Ignored,
            _ => Verdict::False,
        });
    }
    verdicts
}

#[cfg(test)]
mod tests {
    use super::*;
    use Verdict::{False, Found, Ignored};

    const PERSON: Sought = Sought { place: 0, is_ignored: false, is_crowd: false, is_void: false };

    #[test]
    fn a_person_is_found_once_and_a_crowd_by_many() {
        use Verdict::{False, Found, Ignored};
        let second = Sought { place: 1, ..PERSON };
        let crowd = Sought { place: 2, is_ignored: true, is_crowd: true, is_void: false };
        let alike = [0.9, 0.6, 1.0, 0.95, 0.4, 0.0, 0.1, 0.2, 0.8, 0.0, 0.0, 0.7, 0.0, 0.0, 0.1];
        let found = verdicts(&alike, 3, &[PERSON, second, crowd], &[false; 5], 0.5);
        // The first detection is more like the crowd, but has found a person; the second one comes too late.
        assert_eq!(found, [Found(0), False, Ignored, Ignored, False]);
    }

    #[test]
    fn what_is_found_outside_the_range_is_not_false() {
        let found = verdicts(&[0.2, 0.2], 1, &[PERSON], &[true, false], 0.5);
        assert_eq!(found, [Ignored, False]);
        let void = Sought { is_void: true, ..PERSON };
        assert_eq!(verdicts(&[0.9, 0.9], 1, &[void], &[false; 2], 0.5), [False; 2]);
    }

    #[test]
    fn a_tie_goes_to_the_last_and_a_perfect_pose_passes_every_threshold() {
        let second = Sought { place: 1, ..PERSON };
        assert_eq!(verdicts(&[0.5, 0.5], 2, &[PERSON, second], &[false], 0.5), [Found(1)]);
        assert_eq!(verdicts(&[1.0 - 1e-11], 1, &[PERSON], &[false], 1.0), [Found(0)]);
    }
}
