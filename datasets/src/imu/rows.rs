//! Readings on their way into tracks: grouped by whose they are, sensor by sensor.

use std::collections::HashMap;

use schemas::tables::readings::{Sensor, Track};

use super::block::Block;
use super::labels::Labels;
use super::layout::{Layout, OfSensor, Roles};
use super::plain_line::Row;

/// The readings of one sensor that one file gives to one session.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Part {
    pub(super) sensor: Sensor,
    pub(super) track: Track,
    /// The line of each reading, where they are wanted.
    pub(super) lines: Option<LineRuns>,
}

/// The line of each of a list of readings, as runs of neighbours.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct LineRuns {
    /// The first reading of each run, and its line.
    runs: Vec<(usize, u64)>,
    readings: usize,
    next: u64,
}

impl LineRuns {
    /// Adds the line of the next reading.
    #[inline]
    fn push(&mut self, line: u64) {
        if line != self.next || self.runs.is_empty() {
            self.runs.push((self.readings, line));
        }
        self.readings += 1;
        self.next = line + 1;
    }

    /// The line of each reading.
    pub(super) fn iter(&self) -> impl Iterator<Item = u64> {
        let ends = self.runs.iter().skip(1).map(|(first, _)| *first).chain([self.readings]);
        self.runs.iter().zip(ends).flat_map(|((first, line), end)| *line..line + (end - first) as u64)
    }
}

/// Readings by the names of subject, device and session, each `None` where no column gives it.
pub(super) type Grouped = Vec<([Option<String>; 3], Vec<Part>)>;

/// The numbers of a group's subject, device and session; -1 where no column gives it.
type Key = [i32; 3];

/// All readings of one file.
#[derive(Debug)]
pub(super) struct Groups {
    sensors: Vec<Sensor>,
    roles: Roles,
    numbered: bool,
    found: HashMap<Key, usize>,
    parts: Vec<(Key, Vec<Part>)>,
    /// The group of the reading before: neighbours mostly belong together.
    current: usize,
    reserve: usize,
}

impl Groups {
    pub(super) fn new(layout: &Layout, numbered: bool) -> Self {
        Self {
            sensors: layout.sensors.iter().map(|of| of.sensor).collect(),
            roles: layout.roles,
            numbered,
            found: HashMap::new(),
            parts: Vec::new(),
            current: 0,
            reserve: 0,
        }
    }

    /// Makes room for `rows` readings, if all of the file are of one group.
    pub(super) fn reserve(&mut self, rows: usize) {
        let Roles { subject, device, session, .. } = self.roles;
        if [subject, device, session].iter().all(Option::is_none) {
            self.reserve = rows;
        }
    }

    /// A reading of every sensor.
    pub(super) fn all_present(&self) -> [bool; 2] {
        [true, self.sensors.len() > 1]
    }

    /// Adds what line `line` says.
    #[inline]
    pub(super) fn keep(&mut self, row: &Row, line: u64) {
        self.enter(|label| row.labels[label]);
        let activity = self.roles.activity.map(|label| row.labels[label]);
        let (_, parts) = &mut self.parts[self.current];
        for ((part, present), values) in parts.iter_mut().zip(row.present).zip(row.values.chunks_exact(3)) {
            if !present {
                continue;
            }
            part.track.stamp_nanos.push(row.stamp_nanos);
            part.track.x.push(values[0]);
            part.track.y.push(values[1]);
            part.track.z.push(values[2]);
            if let Some(activity) = activity {
                part.track.activity.push(activity);
            }
            if let Some(lines) = &mut part.lines {
                lines.push(line);
            }
        }
    }

    /// Adds what the lines of `block` say, the first of which is `line`; all sensors are present in each.
    pub(super) fn keep_block(&mut self, block: &Block, line: u64) {
        let mut first = 0;
        while first < block.lines {
            let key = self.enter(|label| block.labels[label][first]);
            let same = |at: usize| self.key(|label| block.labels[label][at]) == key;
            // Without a column that tells them apart, all are of one group.
            let end = if key == [-1; 3] {
                block.lines
            } else {
                (first + 1..block.lines).find(|at| !same(*at)).unwrap_or(block.lines)
            };
            let rows = first..end;
            let activity = self.roles.activity.map(|label| &block.labels[label][rows.clone()]);
            let (_, parts) = &mut self.parts[self.current];
            for (part, values) in parts.iter_mut().zip(block.values.chunks_exact(3)) {
                part.track.stamp_nanos.extend_from_slice(&block.stamp_nanos[rows.clone()]);
                part.track.x.extend_from_slice(&values[0][rows.clone()]);
                part.track.y.extend_from_slice(&values[1][rows.clone()]);
                part.track.z.extend_from_slice(&values[2][rows.clone()]);
                part.track.activity.extend_from_slice(activity.unwrap_or_default());
                if let Some(lines) = &mut part.lines {
                    rows.clone().for_each(|at| lines.push(line + at as u64));
                }
            }
            first = end;
        }
    }

    /// The key of a reading with these labels.
    #[inline]
    fn key(&self, label: impl Fn(usize) -> i32) -> Key {
        [self.roles.subject, self.roles.device, self.roles.session].map(|role| role.map_or(-1, &label))
    }

    /// Makes the group of a reading with these labels the current one.
    #[inline]
    fn enter(&mut self, label: impl Fn(usize) -> i32) -> Key {
        let key = self.key(label);
        if self.parts.get(self.current).is_none_or(|(found, _)| *found != key) {
            self.current = self.group(key);
        }
        key
    }

    #[cold]
    fn group(&mut self, key: Key) -> usize {
        if let Some(group) = self.found.get(&key) {
            return *group;
        }
        let track = || Track {
            stamp_nanos: Vec::with_capacity(self.reserve),
            x: Vec::with_capacity(self.reserve),
            y: Vec::with_capacity(self.reserve),
            z: Vec::with_capacity(self.reserve),
            activity: Vec::with_capacity(if self.roles.activity.is_some() { self.reserve } else { 0 }),
            source_file: String::new(),
        };
        let lines = || self.numbered.then(LineRuns::default);
        let parts =
            self.sensors.iter().map(|sensor| Part { sensor: *sensor, track: track(), lines: lines() });
        self.parts.push((key, parts.collect()));
        self.found.insert(key, self.parts.len() - 1);
        self.parts.len() - 1
    }

    /// The parts that have readings, by the names of subject, device and session, in our units.
    pub(super) fn finish(self, layout: &Layout, labels: &[Labels]) -> Grouped {
        let roles = [self.roles.subject, self.roles.device, self.roles.session];
        let named = |key: Key| {
            let mut names = [const { None }; 3];
            for (place, role) in roles.iter().enumerate() {
                names[place] = role.map(|label| labels[label].name(key[place]).to_owned());
            }
            names
        };
        let mut groups: Vec<_> = self.parts.into_iter().map(|(key, parts)| (named(key), parts)).collect();
        for (_, parts) in &mut groups {
            for (part, OfSensor { factor, offset_nanos, .. }) in parts.iter_mut().zip(&layout.sensors) {
                let Track { stamp_nanos, x, y, z, .. } = &mut part.track;
                // A factor of one would change nothing: not even the sign of a zero.
                if *factor != 1.0 {
                    [x, y, z].into_iter().flatten().for_each(|value| *value *= factor);
                }
                if *offset_nanos != 0 {
                    for stamp in stamp_nanos {
                        *stamp = stamp.saturating_add(*offset_nanos);
                    }
                }
            }
            parts.retain(|part| !part.track.stamp_nanos.is_empty());
        }
        groups
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_back() {
        let lines = [2, 3, 4, 9, 12, 13];
        let mut runs = LineRuns::default();
        for line in lines {
            runs.push(line);
        }
        assert_eq!(runs.runs.len(), 3);
        assert_eq!(runs.iter().collect::<Vec<_>>(), lines);
    }
}
