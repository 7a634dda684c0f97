//! What a phone's sensors feel in a made-up person's hand.

use std::f64::consts::TAU;

use schemas::random::KeyedRandom;

use super::person::Person;
use crate::imu::STANDARD_GRAVITY;

/// Noise of the phone's sensors, m/s² and rad/s, one standard deviation: one model of phone serves all.
const NOISE: [f64; 2] = [0.03, 0.004];
/// Spread of the time between two readings, as a share of it.
const JITTER: f64 = 0.06;
/// The share of the nominal time that lies between two readings at least.
const LEAST_STEP: f64 = 0.3;

/// One sensor in one session.
#[derive(Debug)]
pub(super) struct Motion<'a> {
    person: &'a Person,
    walking: bool,
    random: KeyedRandom,
}

impl<'a> Motion<'a> {
    /// Of `person`, as in this session, whose noise comes from `random`.
    pub(super) fn new(person: &'a Person, walking: bool, random: KeyedRandom) -> Self {
        Self { person, walking, random }
    }

    /// The times of readings, s, from 0 to `seconds`.
    pub(super) fn next_time(&mut self, now: f64, rate_hz: f64) -> f64 {
        now + (1.0 + JITTER * self.random.normal()).max(LEAST_STEP) / rate_hz
    }

    /// Acceleration with gravity after `t` seconds, m/s².
    pub(super) fn acceleration(&mut self, t: f64) -> [f64; 3] {
        let ([pitch, roll], _) = self.hold(t);
        let (sin_pitch, cos_pitch) = (libm::sin(pitch), libm::cos(pitch));
        let gravity = [libm::sin(roll) * cos_pitch, sin_pitch, libm::cos(roll) * cos_pitch];
        let moved = self.moved(t, 0);
        [0, 1, 2].map(|axis| STANDARD_GRAVITY * gravity[axis] + moved[axis])
    }

    /// Angular velocity after `t` seconds, rad/s.
    pub(super) fn rotation(&mut self, t: f64) -> [f64; 3] {
        let (_, [pitch_rate, roll_rate]) = self.hold(t);
        let moved = self.moved(t, 1);
        [moved[0] + pitch_rate, moved[1] + roll_rate, moved[2]]
    }

    /// Pitch and roll, rad, and how fast they change, rad/s.
    fn hold(&self, t: f64) -> ([f64; 2], [f64; 2]) {
        let Person { pitch_roll: [pitch, roll], sway, sway_hz, phases, .. } = self.person;
        let angle = TAU * sway_hz * t + phases[2];
        let (s, c) = (libm::sin(angle), libm::cos(angle));
        let rate = sway * TAU * sway_hz;
        ([pitch + sway * s, roll + sway * c], [rate * c, -rate * s])
    }

    /// Gait, tremor and noise in the three channels of sensor 0 or 1.
    fn moved(&mut self, t: f64, sensor: usize) -> [f64; 3] {
        let Person { step_hz, harmonics, tremor_hz, tremor, phases, .. } = self.person;
        let shake = TAU * tremor_hz * t + phases[1];
        let (s, c) = (libm::sin(shake), libm::cos(shake));
        let mut channels = [s, c, s - c].map(|wave| tremor[sensor] * wave);
        if self.walking {
            // The pace wanders a little; harmonics follow by the angle sum formula.
            let stride = TAU * 0.5 * step_hz * t + 0.4 * libm::sin(TAU * 0.05 * t) + phases[0];
            let (s, c) = (libm::sin(stride), libm::cos(stride));
            let (mut sine, mut cosine) = (s, c);
            let mut waves = [[0.0; 2]; super::person::HARMONICS];
            for wave in &mut waves {
                *wave = [sine, cosine];
                (sine, cosine) = (sine * c + cosine * s, cosine * c - sine * s);
            }
            for (channel, harmonics) in channels.iter_mut().zip(&harmonics[3 * sensor..]) {
                *channel += harmonics.iter().zip(&waves).map(|(h, w)| h[0] * w[0] + h[1] * w[1]).sum::<f64>();
            }
        }
        channels.map(|value| value + NOISE[sensor] * self.random.normal())
    }
}
