//! The skeletons that come with the program: one file of `schemas/skeletons` each, which says where it is from.

use std::sync::LazyLock;

use super::Skeleton;
use super::definition::Definition;

/// Writes a static for each file, and the list of all.
macro_rules! built_in {
    ($($(#[$about:meta])+ $name:ident $file:literal,)*) => {
        $($(#[$about])+
        pub static $name: LazyLock<Skeleton> =
            LazyLock::new(|| read(include_str!(concat!("../../skeletons/", $file, ".toml"))));)*

        /// Every built-in skeleton, in the order in which messages list them.
        pub fn all() -> &'static [&'static Skeleton] {
            static ALL: LazyLock<Vec<&'static Skeleton>> = LazyLock::new(|| vec![$(&*$name),*]);
            &ALL
        }

        /// The file of each, by its name; for tests.
        #[cfg(test)]
        pub(super) const FILES: &[(&str, &str)] =
            &[$(($file, include_str!(concat!("../../skeletons/", $file, ".toml")))),*];
    };
}

built_in! {
    /// MPII Human Pose, person-centric ids 0 to 15.
    MPII16 "mpii16",
    /// Leeds Sports Pose and its extended training set, person-centric.
    LSP14 "lsp14",
    /// The eleven joints of FLIC that are ever annotated, in the order of its 29 columns.
    FLIC11 "flic11",
    /// FLIC without the eyes, in the order of the convolutional pose machine's FLIC network.
    FLIC9 "flic9",
    /// The fourteen parts of the convolutional pose machines trained on MPII and LSP.
    CPM14 "cpm14",
    /// COCO person keypoints.
    COCO17 "coco17",
    /// Penn Action.
    PENN13 "penn13",
    /// JHMDB, the joints of its puppets.
    JHMDB15 "jhmdb15",
    /// `PoseTrack` 2018 and 2021.
    POSETRACK17 "posetrack17",
    /// `CrowdPose`.
    CROWDPOSE14 "crowdpose14",
    /// AI Challenger.
    AIC14 "aic14",
    /// Halpe, the joints of the body.
    HALPE26 "halpe26",
    /// COCO-WholeBody: body, feet, face and hands.
    WHOLEBODY133 "wholebody133",
    /// `Human3.6M`.
    H36M17 "h36m17",
    /// AP-10K, animals.
    AP10K17 "ap10k17",
    /// `BlazePose`, as `MediaPipe` numbers its landmarks.
    BLAZEPOSE33 "blazepose33",
    /// One hand.
    HAND21 "hand21",
}

fn read(text: &str) -> Skeleton {
    let definition = Definition::of_toml(text).and_then(|definition| definition.resolved());
    definition.unwrap_or_else(|error| panic!("a built-in skeleton is sound: {error}")).leaked()
}
