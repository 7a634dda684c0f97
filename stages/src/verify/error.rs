//! Why people could not be modelled, or sessions not scored.

use schemas::{Fault, Hinted};

/// Why people could not be modelled, or sessions not scored.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[expect(missing_docs, reason = "a field bears the name of the value that the message gives")]
pub enum VerifyError {
    /// Expectation maximisation has a least variance for more or fewer numbers than frames have.
    #[error("{floors} variance floors for {dimensions} dimensions")]
    Floors { floors: usize, dimensions: usize },
    /// There is less than one frame for each component.
    #[error("{frames} frames are too few for {components} components")]
    FewFrames { frames: u64, components: usize },
    /// Nothing keeps variances above 0.
    #[error("`{stage}`: `variance_floor` and `regularisation` are both 0, so a variance may become 0")]
    NoFloor { stage: String, usual: f64 },
    /// K-means is to see fewer frames than there are components.
    #[error("`{stage}`: `max_frames = {frames}` is below `components = {components}`")]
    FewStartFrames { stage: String, frames: u32, components: u32, usual: u32 },
    /// A number that is constant has no variance.
    #[error("number {at} of the embedding is the same in all frames of split `{split}`")]
    Constant { at: usize, split: String },
    /// Embeddings have fewer numbers than a projection is to have.
    #[error("`{stage}` is to keep {components} components of embeddings of {dimensions} numbers")]
    ManyComponents { stage: String, components: usize, dimensions: usize },
    /// Embeddings have more numbers than a covariance should have rows.
    #[error("`{stage}`: embeddings have {dimensions} numbers; the most is {most}")]
    WideEmbeddings { stage: String, dimensions: usize, most: usize },
    /// So few frames span fewer directions.
    #[error(
        "split `{split}` has {frames} frames with finite numbers, which is too few for {components} components"
    )]
    FewDirections { split: String, frames: u64, components: usize },
    /// The search for eigenvalues gave up.
    #[error("the covariance of split `{split}` has no eigenvalues after {steps} steps")]
    NoEigenvalues { split: String, steps: usize },
    /// The projection is of other embeddings.
    #[error("the embeddings have {dimensions} numbers, the projection is one of {expected}")]
    ProjectionWidth { dimensions: usize, expected: usize },
    /// A mixture is of other embeddings.
    #[error("the {model} is one over {dimensions} numbers, the {rows} have {found}")]
    MixtureWidth { model: &'static str, dimensions: usize, rows: &'static str, found: usize },
    /// An input that holds one model, made by `fit_{input}`, holds none or several.
    #[error("there must be one {model}, found {found}")]
    NotOne { model: &'static str, input: &'static str, found: usize },
    /// The background model is somebody's.
    #[error("the background model is that of client `{client}`")]
    ClientAsBackground { client: String },
    /// A mixture without a client is among those of clients.
    #[error("a row of `clients` has no client or no split")]
    NoClient,
    /// A client was adapted twice.
    #[error("client `{client}` of split `{split}` has two models")]
    TwoModels { client: String, split: String },
    /// The weights of a mixture, its means and its variances are not `[M]`, `[M, D]` and `[M, D]`.
    #[error("the mixture has {weights} weights, {means} means and {variances} variances")]
    MixtureShape { weights: usize, means: usize, variances: usize },
    /// A mixture is over no numbers.
    #[error("the mixture has no dimension")]
    NoDimension,
    /// A mean is not finite, or a variance is not above 0.
    #[error("the mixture has a {part} of {value}")]
    MixtureNumber { part: &'static str, value: f64 },
    /// The weights of a mixture are not probabilities.
    #[error("the mixture has weights that are negative or sum to {sum}")]
    Weights { sum: f64 },
    /// No part of the mixture is to be moved.
    #[error("`{stage}` adapts nothing")]
    AdaptsNothing { stage: String },
    /// No split is named.
    #[error("`{stage}` has no clients")]
    NoSplits { stage: String },
    /// The background model was fitted on people whom it is to be compared with.
    #[error("the background model was fitted on {count} of the clients, among them `{first}`")]
    Seen { count: usize, first: String },
    /// Nobody can be enrolled.
    #[error("no frame of role `{role}` in the splits {splits}")]
    NoEnrolment { role: &'static str, splits: String },
    /// A session is compared with itself.
    #[error(
        "{count} sessions serve both for enrolment and as probes, among them `{session}` of subject `{subject}`, \
         device `{device}`"
    )]
    BothRoles { count: usize, session: String, subject: String, device: String },
    /// Clients were adapted from another background model; components and numbers of each.
    #[error(
        "clients have {} components over {} numbers, the background model has {} over {}",
        clients[0], clients[1], background[0], background[1]
    )]
    OtherBackground { clients: [usize; 2], background: [usize; 2] },
    /// There is nobody to score.
    #[error("`{stage}` has no clients but those of a cohort")]
    OnlyCohort { stage: String },
    /// The cohort was not adapted.
    #[error("`{stage}`: the cohort `{cohort}` has no clients")]
    NoCohort { stage: String, cohort: String },
    /// A split has nothing to try clients on.
    #[error("`{stage}`: split `{split}` has no row of role `{role}`")]
    NoProbes { stage: String, split: String, role: &'static str },
    /// The scores have already been normalised by another `normalise_scores`.
    #[error("`{stage}`: scores are normalised by `{by}` already")]
    Normalised { stage: String, by: String },
    /// The cohort was not scored.
    #[error("`{stage}`: no trial has {what} of the cohort `{cohort}`")]
    NoCohortTrials { stage: String, what: &'static str, cohort: String },
}

impl Hinted for VerifyError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Floors { .. } => "give one floor for each dimension".into(),
            Self::FewFrames { .. } => "lower `components`, or check `split` against the data".into(),
            Self::NoFloor { usual, .. } => format!("set `variance_floor = {usual}`"),
            Self::FewStartFrames { components, usual, .. } => {
                format!("set `max_frames` to {components} or more; {usual} is usual")
            }
            Self::Constant { .. } => {
                "drop it with `fit_projection` and `project`, or set `regularisation` above 0".into()
            }
            Self::WideEmbeddings { .. } => {
                "fit on the embeddings of a network, or on frames of fewer samples".into()
            }
            Self::ManyComponents { dimensions, .. } => format!("set `components` to at most {dimensions}"),
            Self::FewDirections { frames, .. } => {
                let most = frames.saturating_sub(1);
                format!("set `components` to at most {most}, or check `split`")
            }
            Self::NoEigenvalues { .. } => "look for numbers that are far out of proportion".into(),
            Self::ProjectionWidth { .. } => "fit the projection on the same features".into(),
            Self::MixtureWidth { .. } => "give both the same features and the same projection".into(),
            Self::NotOne { input, .. } => {
                format!("name the output of one `fit_{input}` as the input `{input}`")
            }
            Self::ClientAsBackground { .. } => {
                "name the output of one `fit_background` as the input `background`".into()
            }
            Self::NoClient => "name the output of `adapt` as the input `clients`".into(),
            Self::TwoModels { .. } => "adapt each client once".into(),
            Self::MixtureShape { .. }
            | Self::NoDimension
            | Self::MixtureNumber { .. }
            | Self::Weights { .. } => "fit it again with `fit_background`".into(),
            Self::AdaptsNothing { .. } => "name `means`, `weights` or `variances` in `parameters`".into(),
            Self::NoSplits { .. } => "name a split in `splits`".into(),
            Self::Seen { .. } => {
                "split by subject, name the split of a cohort in `cohort`, or set `allow_seen = true`".into()
            }
            Self::NoEnrolment { .. } => "assign roles before `adapt`, or check `splits`".into(),
            Self::BothRoles { .. } => "assign roles by whole sessions".into(),
            Self::OtherBackground { .. } => "adapt the clients from the same background model".into(),
            Self::OnlyCohort { .. } => "name a split to be evaluated in `splits` of `adapt`".into(),
            Self::NoCohort { cohort, .. } => {
                format!("set `cohort = \"{cohort}\"` in `adapt`, and assign roles in that split")
            }
            Self::NoProbes { .. } => {
                "assign roles before `score`; each client needs sessions of both roles".into()
            }
            Self::Normalised { .. } => "give it the output of `score`".into(),
            Self::NoCohortTrials { cohort, .. } => {
                format!("set `cohort = \"{cohort}\"` in `score`, and in `adapt` too")
            }
        })
    }

    fn fault(&self) -> Fault {
        match self {
            Self::Floors { .. }
            | Self::NoFloor { .. }
            | Self::FewStartFrames { .. }
            | Self::ManyComponents { .. }
            | Self::WideEmbeddings { .. }
            | Self::AdaptsNothing { .. }
            | Self::NoSplits { .. } => Fault::Config,
            _ => Fault::Data,
        }
    }
}
