//! Trials of two runs, with the interval of the difference of their equal error rates.

use std::collections::BTreeSet;

use schemas::tables::trials::Trial;

use super::super::super::words::{count, number, signed, signed_interval};
use super::super::content::{Block, Cell, Table};
use super::VerificationInput;
use stages::evaluate::verification::{VerificationOptions, compare_trials};

/// Equal error rates against those of another run, for each system that both have; a lone system on each side is
/// compared whatever it is called.
pub(super) fn blocks(input: &VerificationInput, options: &VerificationOptions) -> Vec<Block> {
    let Some((name, theirs)) = &input.against else { return Vec::new() };
    let test = |trials: &[Trial]| -> Vec<Trial> {
        trials.iter().filter(|t| t.split == input.split && t.client_split == input.split).cloned().collect()
    };
    let (ours, theirs) = (test(&input.trials), test(theirs));
    let system = |trial: &Trial| (trial.model.clone(), trial.normalisation.clone());
    let systems = |trials: &[Trial]| -> BTreeSet<(String, String)> { trials.iter().map(system).collect() };
    let (mine, other) = (systems(&ours), systems(&theirs));
    let mut notes = Vec::new();
    let mut rows = Vec::new();
    for key in &mine {
        let twin = if mine.len() == 1 && other.len() == 1 { other.first() } else { other.get(key) };
        let Some(twin) = twin else {
            notes.push(format!("{} with normalisation {} is not in {name}; not compared", key.0, key.1));
            continue;
        };
        let one: Vec<&Trial> = ours.iter().filter(|trial| system(trial) == *key).collect();
        let two: Vec<&Trial> = theirs.iter().filter(|trial| system(trial) == *twin).collect();
        let Some(compared) = compare_trials(&one, &two, options) else {
            notes.push(format!("{}: the clients that both runs have lack genuine or impostor trials", key.0));
            continue;
        };
        if compared.left_out > 0 {
            notes
                .push(format!("{}: {} clients are of one run alone; not compared", key.0, compared.left_out));
        }
        let clear = compared.ends.is_some_and(|[low, high]| low > 0.0 || high < 0.0);
        let ends = signed_interval(compared.ends);
        rows.push(vec![
            Cell::from(format!("EER of {}, normalisation {}", key.0, key.1)),
            number(compared.one).into(),
            number(compared.other).into(),
            Cell::strong(signed(compared.difference), clear),
            ends.into(),
            count(compared.clients as i64).into(),
        ]);
    }
    let head = ["figure", "this", "other", "difference", "95 % interval", "clients"];
    let caption = "Both runs, in percent, each client drawn for both at once; below zero, this one is better";
    let mut blocks = vec![Block::heading(format!("Against {name}"))];
    if !rows.is_empty() {
        blocks.push(Block::table(Table::new(caption, head, rows)));
    }
    blocks.push(Block::Notes { notes });
    blocks
}
