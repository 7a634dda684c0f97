//! The arguments of `motionmill ingest` and `motionmill export`: one subcommand per source or sink of the lists
//! in [`datasets::registry`], with the keys of its configuration.

use std::path::PathBuf;

use clap::{Arg, ArgMatches, Args, Command, Error, FromArgMatches, Subcommand};

use super::RejectsArgs;
use crate::plan::{SinkConfig, SourceConfig};

/// `motionmill ingest`: a source, the tables that it joins its file to, and where the table goes.
#[derive(Debug)]
pub struct Ingest {
    /// What is read.
    pub read: SourceConfig,
    /// The table folders of the source's inputs, in their order.
    pub inputs: Vec<PathBuf>,
    /// Only the rows of this split of the inputs.
    pub split: Option<String>,
    /// Where it goes; nothing is written of logs that are guessed at.
    pub out: Option<OutArgs>,
}

/// Where a table goes.
#[derive(Debug, Args)]
pub struct OutArgs {
    /// The table folder to write
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Replace what other work has put there
    #[arg(long)]
    pub force: bool,
    /// What may be rejected
    #[command(flatten)]
    pub rejects: RejectsArgs,
}

/// `motionmill export`: the tables to write, and a sink.
#[derive(Debug)]
pub struct Export {
    /// What is written, and where to.
    pub write: SinkConfig,
    /// The table folders or files of the sink's inputs, in their order.
    pub inputs: Vec<PathBuf>,
    /// How.
    pub args: ExportArgs,
}

/// How tables are written.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// Only this split
    #[arg(long, value_name = "NAME")]
    pub split: Option<String>,
    /// Replace what other work has put there; `--overwrite`, its earlier name, is taken too
    #[arg(long, alias = "overwrite")]
    pub force: bool,
    /// What may be rejected
    #[command(flatten)]
    pub rejects: RejectsArgs,
}

/// The option of a table that is an input.
fn input(name: &'static str) -> Arg {
    let parser = clap::value_parser!(PathBuf);
    let help = format!("The table `{name}`: a table folder or one Parquet file");
    Arg::new(name).long(name).value_name("TABLE").required(true).value_parser(parser).help(help)
}

fn inputs_of(kinds: &[(&str, &'static [&'static str])], command: &Command) -> &'static [&'static str] {
    let name = command.get_name().replace('-', "_");
    kinds.iter().find(|(kind, _)| *kind == name).map_or(&[], |(_, inputs)| *inputs)
}

/// `format` with the arguments `A`; what it says of itself stays, but for examples, which are of plans.
fn with<A: Args>(format: Command) -> Command {
    let about = format.get_about().cloned().unwrap_or_default();
    A::augment_args(format).about(about).long_about(None)
}

fn taken(matches: &ArgMatches, names: &[&str]) -> Vec<PathBuf> {
    names.iter().filter_map(|name| matches.get_one::<PathBuf>(name).cloned()).collect()
}

fn chosen(matches: &ArgMatches) -> &ArgMatches {
    matches.subcommand().map_or(matches, |(_, chosen)| chosen)
}

/// The flag of a format that prints a layout instead of writing a table.
const GUESS: &str = "guess";

impl FromArgMatches for Ingest {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let (read, chosen) = (SourceConfig::from_arg_matches(matches)?, chosen(matches));
        let names = read.inputs();
        let split = if names.is_empty() { None } else { chosen.get_one("split").cloned() };
        let guess = matches!(&read, SourceConfig::Logs(logs) if logs.guess);
        let out = if guess { None } else { Some(OutArgs::from_arg_matches(chosen)?) };
        Ok(Self { inputs: taken(chosen, names), split, out, read })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Subcommand for Ingest {
    fn augment_subcommands(command: Command) -> Command {
        SourceConfig::augment_subcommands(command).mut_subcommands(|format| {
            let inputs = inputs_of(SourceConfig::KINDS, &format);
            let split =
                Arg::new("split").long("split").value_name("NAME").help("Only the rows of this split of it");
            let format = format.args(inputs.iter().map(|name| input(name)));
            let format = with::<OutArgs>(if inputs.is_empty() { format } else { format.arg(split) });
            if format.get_arguments().any(|arg| arg.get_id() == GUESS) {
                return format.mut_arg("out", |out| out.required(false).required_unless_present(GUESS));
            }
            format
        })
    }

    fn augment_subcommands_for_update(command: Command) -> Command {
        Self::augment_subcommands(command)
    }

    fn has_subcommand(name: &str) -> bool {
        SourceConfig::has_subcommand(name)
    }
}

impl FromArgMatches for Export {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let (write, chosen) = (SinkConfig::from_arg_matches(matches)?, chosen(matches));
        let mut names = vec![TABLE];
        names.extend(&write.inputs()[1..]);
        Ok(Self { inputs: taken(chosen, &names), args: ExportArgs::from_arg_matches(chosen)?, write })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// The argument of the first input of a sink.
const TABLE: &str = "table";

impl Subcommand for Export {
    fn augment_subcommands(command: Command) -> Command {
        SinkConfig::augment_subcommands(command).mut_subcommands(|format| {
            let others = inputs_of(SinkConfig::KINDS, &format).iter().skip(1);
            let parser = clap::value_parser!(PathBuf);
            let table = Arg::new(TABLE).required(true).value_name("TABLE").value_parser(parser);
            let table = table.help("A table folder or one Parquet file");
            with::<ExportArgs>(format.arg(table).args(others.map(|name| input(name))))
        })
    }

    fn augment_subcommands_for_update(command: Command) -> Command {
        Self::augment_subcommands(command)
    }

    fn has_subcommand(name: &str) -> bool {
        SinkConfig::has_subcommand(name)
    }
}
