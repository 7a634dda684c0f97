//! The signal half of the motion chain: readings to signals, signals to windows, windows to frames.
//!
//! `resample` puts the sensors of a session on one clock and `quality` says how good its log is -> `features` adds
//! channels -> `normalise`, or `fit_normaliser` and `apply_normaliser`, remove the scale -> `gain_offset` and
//! `rotate_frame` vary a signal -> `window` cuts it into sequences of blocks -> `frames` describes them without a
//! network. `balance` and `assign_roles` decide which rows are used and what for; [`leak`] makes sure that no
//! reading is used twice.

#[cfg(test)]
mod activity_tests;
pub mod augment;
pub mod balance;
mod columns;
pub mod cut;
#[cfg(test)]
mod cut_tests;
mod error;
pub mod features;
#[cfg(test)]
mod fixtures;
pub mod frames;
mod identity;
pub mod leak;
mod median;
mod natural_order;
pub mod normalise;
pub mod quality;
pub mod resample;
pub mod roles;
#[cfg(test)]
mod roles_tests;
mod timing;
pub mod view;
mod window_labels;

pub use augment::{GainOffset, GainOffsetConfig, RotateFrame, RotateFrameConfig};
pub use balance::{Balance, BalanceConfig};
pub use columns::ANY_SPLIT;
pub use cut::{Window, WindowConfig};
pub use error::WindowError;
pub use features::{Feature, Features, FeaturesConfig};
pub use frames::{FrameOf, Frames, FramesConfig};
pub use normalise::{
    ApplyNormaliser, ApplyNormaliserConfig, FitNormaliser, FitNormaliserConfig, FitPer, Normalise,
    NormaliseConfig, NormalisePer,
};
pub use quality::{Quality, QualityConfig};
pub use resample::{LateReadings, Resample, ResampleConfig};
pub use roles::{AssignRoles, AssignRolesConfig, Enrolment};
pub use view::{Cutting, WindowView};
