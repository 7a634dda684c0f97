//! Runs one fuzz target under libFuzzer: `fuzz TARGET FOLDER [FLAG ...] [INPUT ...]`.
//!
//! Seeds, the words of the format and what is found lie in FOLDER. With inputs, those alone are run.

mod engine;

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use fuzz::memory::Counting;
use fuzz::{ALL, Target};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The longest that one input may take, s.
const MOST_SECONDS: u32 = 10;
/// The most memory of the process, MiB: for what is not counted, and for what is never given back.
const MOST_PROCESS_MIB: u32 = 2048;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let names: Vec<&str> = ALL.iter().map(|target| target.name).collect();
    match &arguments[..] {
        [_, only] if only == "list" => told(writeln!(io::stdout(), "{}", names.join("\n"))),
        [program, name, folder, rest @ ..] => {
            let Some(target) = fuzz::named(name) else {
                return told(Err(io::Error::other(format!("the targets are {}", names.join(", ")))));
            };
            let (flags, inputs) = match prepared(target, Path::new(folder)) {
                Ok(prepared) => prepared,
                Err(error) => return told(Err(error)),
            };
            let has_inputs = rest.iter().any(|argument| !argument.starts_with('-'));
            let corpus = (!has_inputs).then(|| format!("{folder}/{name}"));
            let all =
                std::iter::once(program).chain(&flags).chain(rest).cloned().chain(corpus).collect::<Vec<_>>();
            ExitCode::from(u8::try_from(engine::run(target, inputs, &all)).unwrap_or(1))
        }
        _ => told(Err(io::Error::other("usage: fuzz list | fuzz TARGET FOLDER [FLAG ...] [INPUT ...]"))),
    }
}

/// Ends the program: a failure is told on stderr.
fn told(done: io::Result<()>) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        // Where stderr is closed, the exit code says it.
        Err(error) => writeln!(io::stderr(), "{error}").map_or(ExitCode::FAILURE, |()| ExitCode::FAILURE),
    }
}

/// Writes seeds and words of `target` below `folder`; gives libFuzzer's flags, and the corpus that is there.
fn prepared(target: &Target, folder: &Path) -> io::Result<(Vec<String>, Vec<Vec<u8>>)> {
    let name = target.name;
    let corpus = folder.join(name);
    fs::create_dir_all(&corpus)?;
    for (number, seed) in (target.seeds)().iter().enumerate() {
        fs::write(corpus.join(format!("seed-{number}")), seed)?;
    }
    let words = folder.join(format!("{name}.words"));
    fs::write(&words, target.words.iter().map(|word| quoted(word) + "\n").collect::<String>())?;
    let inputs = fs::read_dir(&corpus)?.map(|entry| fs::read(entry?.path())).collect::<io::Result<_>>()?;
    let flags = vec![
        format!("-dict={}", words.display()),
        format!("-artifact_prefix={}/{name}-", folder.display()),
        format!("-timeout={MOST_SECONDS}"),
        format!("-rss_limit_mb={MOST_PROCESS_MIB}"),
        // Inputs need not be short before they may be long.
        "-len_control=0".to_owned(),
        "-print_final_stats=1".to_owned(),
    ];
    Ok((flags, inputs))
}

/// `word` as libFuzzer's dictionaries write it. A character up to `\u{ff}` stands for the byte of its number.
fn quoted(word: &str) -> String {
    let byte = |character: char| match character {
        '"' | '\\' => format!("\\{character}"),
        ' '..='~' => character.to_string(),
        other => format!("\\x{:02X}", u32::from(other)),
    };
    format!("\"{}\"", word.chars().map(byte).collect::<String>())
}
