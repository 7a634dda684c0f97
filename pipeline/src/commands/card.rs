//! `motionmill card`: writes the model card of a network of a well-known family.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::absolute;

use anyhow::{Context, bail};
use stages::infer::families::{ALL, Family, Said};

use super::terminal::print;
use crate::cli::CardArgs;

/// Writes the card beside the network, or where `args` say.
pub(super) fn run(args: &CardArgs) -> anyhow::Result<()> {
    let Some(model) = &args.model else {
        ALL.iter().try_for_each(|family| print(family.name))?;
        return Ok(());
    };
    let Some(family) = &args.family else { bail!("which family of networks is it? Name it with `--family`") };
    let card = args.out.clone().unwrap_or_else(|| model.with_extension("toml"));
    let said = Said { skeleton: args.skeleton.as_deref(), size: args.size };
    let text = Family::named(family)?.card(&absolute(model)?, &said, &card)?;
    // A card is written by hand often enough: it is never replaced unasked.
    let mut options = OpenOptions::new();
    let opened = if args.force {
        options.write(true).create(true).truncate(true).open(&card)
    } else {
        options.write(true).create_new(true).open(&card)
    };
    let mut file = match opened {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            bail!("`{}` is there already; replace it with `--force`", card.display())
        }
        opened => opened.with_context(|| format!("cannot write `{}`", card.display()))?,
    };
    file.write_all(text.as_bytes()).with_context(|| format!("cannot write `{}`", card.display()))?;
    print(&format!("{}: written, and held against the network", card.display()))?;
    Ok(())
}
