//! Made-up people: how they walk, hold a phone and tremble.
//!
//! The orders of magnitude are ours, chosen to look like a phone in a hand: steps at 1.6 to 2.2 Hz, a few m/s² and
//! tenths of rad/s from walking, tremor at 8 to 12 Hz. They are no measurement.

use schemas::random::KeyedRandom;

/// Harmonics of the stride, which is two steps.
pub const HARMONICS: usize = 4;
/// x, y and z of the accelerometer (m/s²), then of the gyroscope (rad/s).
pub const CHANNELS: usize = 6;

/// Typical amplitude of each harmonic in each channel: up and down twice a stride, sideways once.
const TYPICAL: [[f64; HARMONICS]; CHANNELS] = [
    [0.60, 0.35, 0.20, 0.10],
    [0.25, 1.60, 0.20, 0.50],
    [0.30, 1.20, 0.15, 0.35],
    [0.12, 0.30, 0.06, 0.08],
    [0.30, 0.12, 0.10, 0.05],
    [0.22, 0.10, 0.08, 0.04],
];

/// How far people differ, and, in [`Person::session`], how far a person's sessions do.
struct Spread {
    step: f64,
    amplitude: f64,
    phase: f64,
    tilt: f64,
    tremor: f64,
    sway: f64,
}

const OF_PEOPLE: Spread =
    Spread { step: 0.0, amplitude: 0.45, phase: 0.0, tilt: 0.0, tremor: 0.60, sway: 0.50 };
const OF_SESSIONS: Spread =
    Spread { step: 0.02, amplitude: 0.10, phase: 0.25, tilt: 0.05, tremor: 0.14, sway: 0.15 };

/// One person, or one session of a person.
#[derive(Debug, Clone, PartialEq)]
pub struct Person {
    /// Steps a second.
    pub step_hz: f64,
    /// Sine and cosine share of each harmonic of each channel.
    pub harmonics: [[[f64; 2]; HARMONICS]; CHANNELS],
    /// How far the phone is tipped up and turned over, rad.
    pub pitch_roll: [f64; 2],
    /// Frequency of the tremor, Hz.
    pub tremor_hz: f64,
    /// Amplitude of the tremor, m/s² and rad/s.
    pub tremor: [f64; 2],
    /// Frequency at which the hold sways, Hz.
    pub sway_hz: f64,
    /// How far it sways, rad.
    pub sway: f64,
    /// Where in their cycles gait, tremor and sway begin, rad.
    pub phases: [f64; 3],
}

impl Person {
    /// The person of this seed and id.
    pub fn new(seed: u64, subject: &str) -> Self {
        let mut random = KeyedRandom::new(seed, "synthetic person", subject, 0);
        let mut harmonics = [[[0.0; 2]; HARMONICS]; CHANNELS];
        for (channel, typical) in harmonics.iter_mut().zip(TYPICAL) {
            for (harmonic, typical) in channel.iter_mut().zip(typical) {
                let amplitude = typical * libm::exp(OF_PEOPLE.amplitude * random.normal());
                let phase = random.uniform(0.0, std::f64::consts::TAU);
                *harmonic = [amplitude * libm::cos(phase), amplitude * libm::sin(phase)];
            }
        }
        let spread = |typical: f64, spread: f64, random: &mut KeyedRandom| {
            typical * libm::exp(spread * random.normal())
        };
        Self {
            step_hz: random.uniform(1.6, 2.2),
            harmonics,
            pitch_roll: [random.uniform(0.5, 1.15), random.uniform(-0.3, 0.3)],
            tremor_hz: random.uniform(8.0, 12.0),
            tremor: [
                spread(0.05, OF_PEOPLE.tremor, &mut random),
                spread(0.02, OF_PEOPLE.tremor, &mut random),
            ],
            sway_hz: random.uniform(0.15, 0.5),
            sway: spread(0.03, OF_PEOPLE.sway, &mut random),
            phases: [0.0; 3],
        }
    }

    /// The person in one session, in which nobody is quite as usual; `task` counts [`crate::imu::TASKS`].
    #[must_use]
    pub fn session(&self, random: &mut KeyedRandom, task: usize) -> Self {
        let mut other = self.clone();
        let vary = |value: &mut f64, spread: f64, random: &mut KeyedRandom| {
            *value *= libm::exp(spread * random.normal());
        };
        vary(&mut other.step_hz, OF_SESSIONS.step, random);
        for [sine, cosine] in other.harmonics.iter_mut().flatten() {
            let factor = libm::exp(OF_SESSIONS.amplitude * random.normal());
            let turn = OF_SESSIONS.phase * random.normal();
            let (s, c) = (libm::sin(turn), libm::cos(turn));
            (*sine, *cosine) = (factor * (c * *sine - s * *cosine), factor * (s * *sine + c * *cosine));
        }
        // Who writes holds the phone flatter and shakes it with the thumbs; who looks at a map turns it.
        let (flatter, turned, shakier) =
            [(0.0, 0.0, 1.0), (0.06, 0.0, 1.3), (0.03, 0.05, 1.15)][task / 2 % 3];
        other.pitch_roll[0] += OF_SESSIONS.tilt * random.normal() - flatter;
        other.pitch_roll[1] += OF_SESSIONS.tilt * random.normal() + turned;
        vary(&mut other.tremor_hz, OF_SESSIONS.step, random);
        for tremor in &mut other.tremor {
            vary(tremor, OF_SESSIONS.tremor, random);
            *tremor *= shakier;
        }
        vary(&mut other.sway, OF_SESSIONS.sway, random);
        other.phases = [(); 3].map(|()| random.uniform(0.0, std::f64::consts::TAU));
        other
    }
}
