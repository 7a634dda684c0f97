//! Cards of well-known families of networks, as templates that are filled in from the network itself.
//!
//! What a template says of normalisation, crop and the meaning of numbers comes from the family's own code or document, as its
//! first lines say; names, sides, types and strides are those of the network.

mod found;

use std::path::Path;

use super::model_card::ModelCard;
use crate::StageError;
use crate::network::runtime::Runtime;
use found::Found;

/// A family of networks.
#[derive(Debug, Clone, Copy)]
pub struct Family {
    /// Its name.
    pub name: &'static str,
    /// The template of its card.
    template: &'static str,
    /// The skeleton that most of its networks have.
    skeleton: &'static str,
    /// Width and height that its networks are made for, where they leave them free.
    size: Option<[u32; 2]>,
}

macro_rules! families {
    ($($name:literal: $skeleton:literal $($side:literal)?,)*) => {
        /// Every family, in the order in which messages list them.
        pub const ALL: &[Family] = &[
            $(Family {
                name: $name,
                template: include_str!(concat!($name, ".toml")),
                skeleton: $skeleton,
                size: [$(Some([$side; 2]),)? None][0],
            },)*
        ];
    };
}

families! {
    "rtmpose": "coco17",
    "vitpose": "coco17",
    "hrnet": "coco17",
    "regression": "coco17",
    "movenet": "coco17",
    "movenet-multipose": "coco17" 256,
    "blazepose": "coco17",
    "yolo-pose": "coco17" 640,
    "yolo-pose-end-to-end": "coco17" 640,
    "rtmo": "coco17" 640,
}

/// Why no card could be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what its fields are")]
pub enum FamilyError {
    #[error("no family is called `{name}`; there are {}", ALL.iter().map(|family| format!("`{}`", family.name)).collect::<Vec<_>>().join(", "))]
    Unknown { name: String },
    #[error(
        "the network is not of the family `{family}`: it has no {wanted}; its inputs are {inputs}, its outputs {outputs}"
    )]
    Absent { family: &'static str, wanted: String, inputs: String, outputs: String },
}

impl schemas::Hinted for FamilyError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Unknown { .. } => None,
            Self::Absent { wanted, .. } if wanted.contains("sides") => {
                Some("say the sides of the crops, such as `--size 256,256`".into())
            }
            Self::Absent { .. } => {
                Some("name another family, or write the card by hand: docs/guides/models.md".into())
            }
        }
    }

    fn fault(&self) -> schemas::Fault {
        schemas::Fault::Config
    }
}

/// What a user may say of a network besides its family.
#[derive(Debug, Clone, Default)]
pub struct Said<'a> {
    /// The skeleton, where it is not the family's usual one: a name, or a file relative to the card.
    pub skeleton: Option<&'a str>,
    /// Width and height, where the network leaves them free.
    pub size: Option<[u32; 2]>,
}

impl Family {
    /// The family called `name`.
    ///
    /// # Errors
    /// When there is none; the message lists all.
    pub fn named(name: &str) -> Result<Self, StageError> {
        let found = ALL.iter().find(|family| family.name == name).copied();
        found.ok_or_else(|| StageError::step(FamilyError::Unknown { name: name.to_owned() }))
    }

    /// The card of the network `model`, filled in and held against the network.
    ///
    /// # Errors
    /// When the network cannot be opened, or is not of this family.
    pub fn card(self, model: &Path, said: &Said<'_>, card: &Path) -> Result<String, StageError> {
        let found = Found::of(Runtime::load(None)?, model, said.size.or(self.size))?;
        let skeleton = said.skeleton.unwrap_or(self.skeleton);
        let name = model.file_stem().unwrap_or_default().to_string_lossy();
        let mut text = String::new();
        let mut rest = self.template;
        while let Some((before, after)) = rest.split_once('{') {
            text.push_str(before);
            // Inline tables have blanks behind their brackets, placeholders have none.
            match after.split_once('}') {
                Some((key, behind)) if !key.is_empty() && !key.starts_with(' ') => {
                    text.push_str(&match key {
                        "name" => name.to_string(),
                        "skeleton" => skeleton.to_owned(),
                        key => found.value(key).map_err(|wanted| self.absent(wanted, &found))?,
                    });
                    rest = behind;
                }
                _ => {
                    text.push('{');
                    rest = after;
                }
            }
        }
        text.push_str(rest);
        ModelCard::parse(&text, card)?.check(&found.inputs, &found.outputs, &found.shapes)?;
        Ok(text)
    }

    fn absent(self, wanted: String, found: &Found) -> StageError {
        let listed = |ports: &[crate::network::ports::Port]| {
            let one = |port: &crate::network::ports::Port| format!("`{}` {port}", port.name);
            ports.iter().map(one).collect::<Vec<_>>().join(", ")
        };
        StageError::step(FamilyError::Absent {
            family: self.name,
            wanted,
            inputs: listed(&found.inputs),
            outputs: listed(&found.outputs),
        })
    }
}
