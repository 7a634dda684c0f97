//! The damage that a defect does to the logs of a session.

use super::defects::Defect;

/// Where in a log lines are spoilt; some defects take the second or third multiple.
const SPOILT_LINE: usize = 40;

impl Defect {
    /// Does the damage to the lines of accelerometer and gyroscope; gives the line, from 1, where it is one, and how
    /// many readings it costs.
    pub(super) fn spoil(self, [acceleration, rotation]: &mut [Vec<Vec<u8>>; 2]) -> (Option<u64>, u64) {
        let at = SPOILT_LINE;
        // Each kind has a line of its own in the session that has several.
        let (line, lost) = match self {
            Self::MissingAccelerometer => (None, std::mem::take(acceleration).len()),
            Self::EmptyFile => (None, std::mem::take(rotation).len()),
            Self::DuplicateStamps => {
                for place in [at, at + 1, 3 * at] {
                    acceleration[place] =
                        with_stamp_of(&acceleration[place - 1].clone(), &acceleration[place]);
                }
                (Some(at), 0)
            }
            Self::BackwardStamp => {
                acceleration[at] = with_stamp_of(&acceleration[at - 5].clone(), &acceleration[at]);
                (Some(at), 0)
            }
            Self::Gap => {
                let mut lost = 0;
                for log in [acceleration, rotation] {
                    lost += log.drain(log.len() / 2..log.len() * 3 / 4).len();
                }
                (None, lost)
            }
            Self::TextCell => {
                acceleration[at] = with_cell(&acceleration[at], 4, "sensor off");
                (Some(at), 1)
            }
            Self::NotANumber => {
                rotation[at] = with_cell(&rotation[at], 3, "NaN");
                (Some(at), 1)
            }
            Self::MissingColumn => {
                let cells = acceleration[2 * at].split(|byte| *byte == b',').take(5);
                acceleration[2 * at] = [cells.collect::<Vec<_>>().join(&b','), b"\n".to_vec()].concat();
                (Some(2 * at), 1)
            }
            Self::EmptyLine => {
                acceleration[3 * at] = b"\n".to_vec();
                (Some(3 * at), 1)
            }
            Self::TruncatedLine => {
                let last = acceleration.len() - 1;
                let half = acceleration[last].len() / 2;
                acceleration[last].truncate(half);
                (Some(last), 1)
            }
            _ => (None, 0),
        };
        (line.map(|line| line as u64 + 1), lost as u64)
    }
}

/// `line` with the text of cell `at`.
fn with_cell(line: &[u8], at: usize, text: &str) -> Vec<u8> {
    let mut cells: Vec<&[u8]> = line.split(|byte| *byte == b',').collect();
    cells[at] = text.as_bytes();
    cells.join(&b',')
}

/// `line` with both stamps of `other`.
fn with_stamp_of(other: &[u8], line: &[u8]) -> Vec<u8> {
    let stamps =
        |line: &[u8]| -> Vec<Vec<u8>> { line.splitn(3, |byte| *byte == b',').map(<[u8]>::to_vec).collect() };
    let (mut given, kept) = (stamps(other), stamps(line));
    given.truncate(2);
    given.extend(kept.into_iter().skip(2));
    given.join(&b',')
}
