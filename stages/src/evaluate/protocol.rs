//! The names of the protocols.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// A way to score poses that papers or widely used code use. [`super::rules`] says what each counts.
///
/// ```
/// use stages::evaluate::Protocol;
/// let protocol: Protocol = "mpii-official".parse()?;
/// assert_eq!(protocol.to_string(), "mpii-official");
/// # Ok::<(), stages::evaluate::UnknownProtocol>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "&'static str")]
pub enum Protocol {
    /// `PCKh` as in MPII's own evaluation code.
    MpiiOfficial,
    /// `PCKh` as in the high-resolution network's code.
    MpiiHrnet,
    /// `PCKh` as `mmpose` has it.
    MpiiMmpose,
    /// `PCKh` as in `pytorch-pose`, ported from Tompson's script.
    MpiiPytorchPose,
    /// `PCKh` with the plain mean of the seven groups as total.
    MpiiGroups,
    /// PCK@0.2 of the torso diameter on Leeds Sports Pose.
    LspPck,
    /// PCK@0.2 of the longest side of the joints' bounding box.
    LspPckBbox,
    /// Percentage of correct parts, both ends right.
    LspPcpStrict,
    /// Percentage of correct parts, both ends right on average.
    LspPcpLoose,
    /// PCK@0.2 on FLIC, observer-centric, over left shoulder to right hip of the truth.
    FlicPck,
    /// PCK@0.2 on FLIC, observer-centric, over right shoulder to left hip of the truth.
    FlicPckTompson,
    /// PCK@0.2 on FLIC, observer-centric, over left shoulder to right hip of the prediction.
    FlicPckPredictedTorso,
    /// PCK@0.2 of the longer side of the person's box, for any skeleton.
    PckBbox,
    /// Percentage of detected joints over the torso diameter, for any skeleton with shoulders and hips.
    Pdj,
    /// Average precision and recall by object keypoint similarity, as COCO's own evaluation has them.
    CocoOks,
    /// The same as `CrowdPose`'s evaluation has them.
    CrowdPose,
    /// Whether heatmaps predict that a joint is not annotated.
    Presence,
}

impl Protocol {
    /// Every protocol, in the order in which messages list them.
    pub const ALL: [Self; 17] = [
        Self::MpiiOfficial,
        Self::MpiiHrnet,
        Self::MpiiMmpose,
        Self::MpiiPytorchPose,
        Self::MpiiGroups,
        Self::LspPck,
        Self::LspPckBbox,
        Self::LspPcpStrict,
        Self::LspPcpLoose,
        Self::FlicPck,
        Self::FlicPckTompson,
        Self::FlicPckPredictedTorso,
        Self::PckBbox,
        Self::Pdj,
        Self::CocoOks,
        Self::CrowdPose,
        Self::Presence,
    ];

    /// Whether it compares all detections of a picture with all its people, so that predictions are joined to pictures
    /// and false people count.
    pub fn is_of_pictures(self) -> bool {
        matches!(self, Self::CocoOks | Self::CrowdPose)
    }

    /// Its name in plans and metric tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::MpiiOfficial => "mpii-official",
            Self::MpiiHrnet => "mpii-hrnet",
            Self::MpiiMmpose => "mpii-mmpose",
            Self::MpiiPytorchPose => "mpii-pytorch-pose",
            Self::MpiiGroups => "mpii-groups",
            Self::LspPck => "lsp-pck",
            Self::LspPckBbox => "lsp-pck-bbox",
            Self::LspPcpStrict => "lsp-pcp-strict",
            Self::LspPcpLoose => "lsp-pcp-loose",
            Self::FlicPck => "flic-pck",
            Self::FlicPckTompson => "flic-pck-tompson",
            Self::FlicPckPredictedTorso => "flic-pck-predicted-torso",
            Self::PckBbox => "pck-bbox",
            Self::Pdj => "pdj",
            Self::CocoOks => "coco-oks",
            Self::CrowdPose => "crowdpose",
            Self::Presence => "presence",
        }
    }
}

impl JsonSchema for Protocol {
    fn schema_name() -> Cow<'static, str> {
        "Protocol".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "enum": Self::ALL.map(Self::name) })
    }
}

/// A name that no known protocol has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no protocol is called `{name}`; there are {}", Protocol::ALL.map(|p| format!("`{p}`")).join(", "))]
pub struct UnknownProtocol {
    /// The name that was asked for.
    pub name: String,
}

impl fmt::Display for Protocol {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Protocol {
    type Err = UnknownProtocol;

    fn from_str(name: &str) -> Result<Self, UnknownProtocol> {
        Self::ALL
            .into_iter()
            .find(|protocol| protocol.name() == name)
            .ok_or_else(|| UnknownProtocol { name: name.to_owned() })
    }
}

impl TryFrom<String> for Protocol {
    type Error = UnknownProtocol;

    fn try_from(name: String) -> Result<Self, UnknownProtocol> {
        name.parse()
    }
}

impl From<Protocol> for &'static str {
    fn from(protocol: Protocol) -> Self {
        protocol.name()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for protocol in Protocol::ALL {
            assert_eq!(protocol.name().parse(), Ok(protocol));
            let written = serde_json::to_string(&protocol).unwrap();
            assert_eq!(serde_json::from_str::<Protocol>(&written).unwrap(), protocol);
        }
    }

    #[test]
    fn an_unknown_name_lists_all() {
        let message = serde_json::from_str::<Protocol>("\"mpii\"").unwrap_err().to_string();
        assert!(message.contains("no protocol is called `mpii`"), "{message}");
        assert!(Protocol::ALL.iter().all(|protocol| message.contains(&format!("`{protocol}`"))), "{message}");
    }
}
