//! A chain gives what the runner writes, whatever is asked for together.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, RecordBatch};
use arrow::compute::concat_batches;
use datasets::shards::TableReader;
use datasets::synthetic::{Options, write_lspet};
use schemas::columns::{integers, strings};

use super::*;
use crate::graph::Graph;
use crate::plan::{Override, Plan};
use crate::runner::{self, RunOptions};

const PLAN: &str = "
    seed = 5
    [sources.people]
    read.lspet = { annotations = 'FOLDER/joints.mat', images = 'FOLDER/images' }
    [stages.known]
    inputs = ['people']
    run.filter = { where = 'annotated_joints > 0' }
    [stages.copies]
    inputs = ['known']
    run.repeat = { copies = 3 }
    [stages.crop]
    inputs = ['copies']
    run.crop = { size = [32, 32], frame = { person = { height = 24 } } }
    [stages.rotate]
    inputs = ['crop']
    run.rotate.uniform = { max_degrees = 40 }
    [stages.flip]
    inputs = ['rotate']
    run.flip = { probability = 0.5 }
    [stages.warp]
    inputs = ['flip']
    run.warp = {}
    [stages.targets]
    inputs = ['warp']
    run.encode_heatmaps = { stride = 4, style = { gaussian = { sigma = 4 } } }
    [stages.picture]
    inputs = ['targets']
    run.encode_image = 'png'
    [sinks.samples]
    inputs = ['picture']
    write.parquet = { path = 'FOLDER/samples' }";

/// Six people in a folder, and the plan that makes samples of them.
fn people(set: &[&str]) -> (tempfile::TempDir, Plan) {
    let folder = tempfile::tempdir().unwrap();
    write_lspet(folder.path(), &Options { images: 6, seed: 3, width: 90, height: 90 }).unwrap();
    let plan = plan(folder.path(), set);
    (folder, plan)
}

fn plan(folder: &Path, set: &[&str]) -> Plan {
    let overrides: Vec<Override> = set.iter().map(|set| set.parse().unwrap()).collect();
    Plan::parse(&PLAN.replace("FOLDER", &folder.display().to_string()), "test", &overrides).unwrap()
}

fn chain(plan: &Plan) -> Arc<Chain> {
    Arc::new(Chain::open(plan.clone(), ChainOptions::default()).unwrap())
}

/// What the runner writes, with the pictures decoded.
fn written(folder: &Path, plan: Plan) -> RecordBatch {
    let graph = Graph::build(plan, 1).unwrap();
    runner::run(&graph, &RunOptions::quiet(2, false)).unwrap();
    let table = TableReader::open(&folder.join("samples"), None).unwrap();
    let all = concat_batches(table.schema(), &table.read_all().unwrap()).unwrap();
    pictures::decode(&all, [32, 32]).unwrap()
}

fn refusal(plan: &Plan) -> String {
    Chain::open(plan.clone(), ChainOptions::default()).err().unwrap().to_string()
}

/// The row of `table` that has the id and copy of row `row` of `rows`.
fn twin(table: &RecordBatch, rows: &RecordBatch, row: usize) -> RecordBatch {
    let key = |batch: &RecordBatch, row: usize| {
        let id = strings(batch, "sample_id").unwrap().value(row).to_owned();
        (id, integers(batch, "copy").unwrap().value(row))
    };
    let wanted = key(rows, row);
    let at = (0..table.num_rows()).find(|&at| key(table, at) == wanted).unwrap();
    table.slice(at, 1)
}

#[test]
fn an_epoch_is_a_copy_bit_for_bit() {
    for encoding in ["png", "{jpeg = {quality = 60}}"] {
        let (folder, plan) = people(&[&format!("stages.picture.run.encode_image={encoding}")]);
        let chain = chain(&plan);
        let table = written(folder.path(), plan);
        assert_eq!((chain.len(), table.num_rows()), (6, 18));
        for epoch in 0..3 {
            let samples = chain.samples(&[4, 0, 5, 2], epoch).unwrap();
            assert!(samples.rejects.is_empty());
            assert_eq!(samples.rows.schema(), *chain.schema());
            for row in 0..4 {
                let (found, expected) = (samples.rows.slice(row, 1), twin(&table, &samples.rows, row));
                for (field, column) in found.schema().fields().iter().zip(found.columns()) {
                    let other = expected.column_by_name(field.name()).unwrap();
                    assert_eq!(column.to_data(), other.to_data(), "{} of epoch {epoch}", field.name());
                }
                assert_eq!(found.num_columns(), expected.num_columns());
            }
        }
    }
}

#[test]
fn batches_threads_and_order_do_not_show() {
    let (_folder, plan) = people(&[]);
    let chain = chain(&plan);
    let whole = chain.samples(&[0, 1, 2, 3, 4, 5], 7).unwrap().rows;
    for (batch_size, threads) in [(1, 3), (4, 2), (6, 1)] {
        let feed = Feed { shuffle: Some(1), epoch: 7, batch_size, threads, ..Feed::default() };
        let order: Vec<usize> = feed.of_chain(&chain).unwrap().concat();
        let stream = chain_stream(Arc::clone(&chain), &feed).unwrap();
        let batches: Vec<RecordBatch> = stream.map(|batch| batch.unwrap().rows).collect();
        let all = concat_batches(chain.schema(), &batches).unwrap();
        for (row, index) in order.into_iter().enumerate() {
            assert_eq!(all.slice(row, 1), whole.slice(index, 1));
        }
    }
    assert_ne!(chain.samples(&[1], 0).unwrap().rows, chain.samples(&[1], 1).unwrap().rows);
}

#[test]
fn a_plan_without_repeat_has_copies_all_the_same() {
    let (folder, with) = people(&[]);
    let without = plan(folder.path(), &["stages.crop.inputs=[\"known\"]"]);
    let (with, without) = (chain(&with), chain(&without));
    assert_eq!(with.samples(&[3], 9).unwrap().rows, without.samples(&[3], 9).unwrap().rows);
    assert_eq!(integers(&without.samples(&[3], 9).unwrap().rows, "copy").unwrap().value(0), 9);
}

#[test]
fn an_absent_picture_is_a_reject_that_names_the_sample() {
    let (folder, plan) = people(&[]);
    let chain = chain(&plan);
    let gone = strings(chain.people(), "image_path").unwrap().value(2).to_owned();
    std::fs::remove_file(&gone).unwrap();
    let outcome = chain.samples(&[1, 2, 3], 0).unwrap();
    assert_eq!((outcome.rows.num_rows(), outcome.rejects.len()), (2, 1));
    let reject = &outcome.rejects[0];
    let id = strings(chain.people(), "sample_id").unwrap().value(2);
    assert_eq!((reject.reason.as_str(), reject.sample_id.as_deref()), ("image missing", Some(id)));
    assert!(matches!(chain.samples(&[6], 0), Err(OnlineError::Index { index: 6, length: 6 })));
    drop(folder);
}

#[test]
fn given_people_take_the_place_of_a_source() {
    let (folder, plan) = people(&[]);
    let people = chain(&plan).people().clone();
    std::fs::remove_file(folder.path().join("joints.mat")).unwrap();
    let given = vec![(None, People::Rows(vec![people.slice(1, 2), people.slice(4, 1)]))];
    let options = ChainOptions { people: given, seed: Some(8), ..ChainOptions::default() };
    let three = Chain::open(plan.clone(), options).unwrap();
    assert_eq!((three.len(), three.seed()), (3, 8));
    assert_eq!(
        strings(three.people(), "sample_id").unwrap().value(2),
        strings(&people, "sample_id").unwrap().value(4)
    );
    let given = vec![(Some("persons".to_owned()), People::Rows(vec![people]))];
    let error = Chain::open(plan, ChainOptions { people: given, ..ChainOptions::default() }).err().unwrap();
    assert_eq!(error.to_string(), "the plan has no source `persons`; there are `people`");
}

#[test]
fn planes_are_the_levels_normalised() {
    let (_folder, plan) = people(&[]);
    let pictures = Pictures::Planes { mean: [0.0; 3], deviation: [255.0; 3] };
    let planes = Chain::open(plan.clone(), ChainOptions { pictures, ..ChainOptions::default() }).unwrap();
    let (planes_row, levels_row) =
        (planes.samples(&[1], 0).unwrap().rows, chain(&plan).samples(&[1], 0).unwrap().rows);
    assert_eq!(planes_row.schema(), *planes.schema());
    let planes = planes_row.column_by_name("image").unwrap();
    let planes = schemas::tables::heatmaps::maps_values(planes, "image").unwrap();
    let levels =
        arrow::array::AsArray::as_binary::<i32>(levels_row.column_by_name("image").unwrap()).value(0);
    assert_eq!((planes.len(), planes[32 * 32 + 7]), (levels.len(), f32::from(levels[3 * 7 + 1]) / 255.0));
}

#[test]
fn ways_that_are_not_straight_are_refused() {
    let (_folder, plan) = people(&["stages.warp.inputs=[\"flip\", \"rotate\"]"]);
    assert_eq!(
        refusal(&plan),
        "`warp` takes rows from several places after the first stage that makes samples, so its rows cannot be made \
         one by one"
    );
    let (_folder, plan) = people(&["stages.targets.run={evaluate={protocols=[\"lsp-pck\"]}}"]);
    assert!(Chain::open(plan, ChainOptions::default()).is_err());
}

#[test]
fn shards_give_the_same_rows_as_the_chain() {
    let (folder, plan) = people(&[]);
    let chain = chain(&plan);
    written(folder.path(), plan);
    let shards = Shards::open(&folder.path().join("samples"), None, None, Pictures::Levels, 2).unwrap();
    assert_eq!(shards.len(), 18);
    let rows = shards.rows(&[17, 3, 3]).unwrap();
    let index = |row: usize| {
        let id = strings(&rows, "sample_id").unwrap().value(row);
        strings(chain.people(), "sample_id").unwrap().iter().position(|other| other == Some(id)).unwrap()
    };
    for row in 0..3 {
        let copy = integers(&rows, "copy").unwrap().value(row);
        let sample = chain.samples(&[index(row)], copy).unwrap().rows;
        for name in ["image", "heatmaps", "keypoints", "crop_from_image"] {
            let (found, expected) = (rows.slice(row, 1), &sample);
            assert_eq!(
                found.column_by_name(name).unwrap().to_data(),
                expected.column_by_name(name).unwrap().to_data()
            );
        }
    }
    let columns = Some(vec!["sample_id".to_owned(), "heatmaps".to_owned()]);
    let two = Shards::open(&folder.path().join("samples"), None, columns, Pictures::Levels, 2).unwrap();
    assert_eq!(two.rows(&[0]).unwrap().num_columns(), 2);
    let feed = Feed { shuffle: Some(1), batch_size: 5, threads: 2, ..Feed::default() };
    let ids: Vec<usize> = feed.of_shards(&two).unwrap().concat();
    assert_eq!(ids.len(), 18);
    let stream = shard_stream(Arc::new(two), &feed).unwrap();
    let lengths: Vec<usize> = stream.map(|batch| batch.unwrap().rows.num_rows()).collect();
    assert_eq!(lengths, [5, 5, 5, 3]);
    let unknown = Some(vec!["pixels".to_owned()]);
    let error =
        Shards::open(&folder.path().join("samples"), None, unknown, Pictures::Levels, 2).err().unwrap();
    assert!(error.to_string().starts_with("column `pixels` is missing"), "{error}");
}
