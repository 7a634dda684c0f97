"""Samples on the fly are those of the shards, whatever is asked for together."""

from __future__ import annotations

import pickle

import pytest

torch = pytest.importorskip("torch", reason="motionmill.torch needs PyTorch")

import pyarrow as pa
import pyarrow.parquet as pq

from motionmill import ConfigError, SchemaError
from motionmill import torch as mt
from torch_people import SMALL, write_people, write_shards

COPIES = 3


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    return write_people(tmp_path_factory.mktemp("people"))


@pytest.fixture(scope="module", params=sorted(SMALL))
def recipe(request, people, tmp_path_factory):
    """A small recipe and the shards that ``motionmill run`` wrote of it."""
    out = tmp_path_factory.mktemp(request.param) / "samples"
    return request.param, write_shards(request.param, people, out, COPIES)


def loader(people, **keys):
    keys = {"batch_size": 4, "threads": 2} | keys
    return mt.SampleLoader("recipe:hourglass-mpii", people, overrides=SMALL["hourglass-mpii"], **keys)


def same(a, b):
    """Bit for bit: a joint that is not annotated lies at NaN, which equals nothing."""
    if isinstance(a, torch.Tensor):
        return a.dtype == b.dtype and a.shape == b.shape and a.numpy().tobytes() == b.numpy().tobytes()
    return a == b


def rows_of(batches):
    """Every sample of some batches by its id."""
    rows = {}
    for batch in batches:
        for at, sample_id in enumerate(batch["sample_id"]):
            assert sample_id not in rows, "no sample comes twice"
            rows[sample_id] = {name: values[at] for name, values in batch.items()}
    return rows


def assert_same_rows(found, expected):
    assert found.keys() == expected.keys()
    for sample_id, row in found.items():
        for name, value in row.items():
            assert same(value, expected[sample_id][name]), f"{name} of {sample_id}"


def test_an_epoch_on_the_fly_is_a_copy_of_the_shards_bit_for_bit(recipe, people):
    name, shards = recipe
    table = mt.ShardDataset(shards)
    online = mt.SampleDataset(f"recipe:{name}", people, overrides=SMALL[name], columns=table.columns)
    assert len(table) == COPIES * len(online)
    written = {(row["sample_id"], int(row["copy"])): row for row in table}
    for epoch in range(COPIES):
        online.set_epoch(epoch)
        for sample in online:
            row = written[sample["sample_id"], epoch]
            for column, value in sample.items():
                assert same(value, row[column]), f"{column} of {sample['sample_id']} in epoch {epoch}"
    batch = next(iter(mt.SampleLoader(f"recipe:{name}", people, overrides=SMALL[name], batch_size=5)))
    for at, sample_id in enumerate(batch["sample_id"]):
        assert same(batch["image"][at], written[sample_id, 0]["image"])


def test_a_batch_has_the_documented_shapes(people):
    batch = next(iter(loader(people)))
    shapes = {name: (values.dtype, tuple(values.shape)) for name, values in batch.items() if name != "sample_id"}
    assert shapes == {
        "copy": (torch.int32, (4,)),
        "image": (torch.uint8, (4, 64, 64, 3)),
        "heatmaps": (torch.float32, (4, 14, 16, 16)),
        "keypoints": (torch.float32, (4, 14, 2)),
        "visibility": (torch.uint8, (4, 14)),
        "crop_from_image": (torch.float64, (4, 2, 3)),
    }


def test_targets_of_other_heads_are_handed_out_like_heatmaps(people):
    plan = {
        "sources": {"people": {"read": {"table": {"path": people}}}},
        "stages": {
            "crop": {"inputs": ["people"], "run": {"crop": {"size": [48, 64], "frame": {"person": {"height": 50}}}}},
            "warp": {"inputs": ["crop"], "run": {"warp": {}}},
            "bins": {"inputs": ["warp"], "run": {"encode_simcc": {"label": {"one_hot": {"smoothing": 0.1}}}}},
            "places": {"inputs": ["bins"], "run": {"encode_coordinates": {"origin": "corner", "ends": "centres"}}},
        },
        "sinks": {"samples": {"inputs": ["places"], "write": {"parquet": {"path": "samples"}}}},
    }
    batch = next(iter(mt.SampleLoader(plan, batch_size=4)))
    targets = {name: values for name, values in batch.items() if name.startswith(("simcc", "coord"))}
    shapes = {name: (values.dtype, tuple(values.shape)) for name, values in targets.items()}
    assert shapes == {
        "simcc_x": (torch.float32, (4, 14, 96)),
        "simcc_y": (torch.float32, (4, 14, 128)),
        "simcc_weight": (torch.float32, (4, 14)),
        "coordinates": (torch.float32, (4, 14, 2)),
        "coordinate_weight": (torch.float32, (4, 14)),
    }
    size = torch.tensor([48.0, 64.0])
    counts = (batch["simcc_weight"] == 1) & (batch["coordinate_weight"] == 1)
    assert counts.sum() > 20
    assert torch.allclose(batch["coordinates"][counts] * size, batch["keypoints"][counts], atol=1e-4)
    bins = torch.stack([batch["simcc_x"].argmax(-1), batch["simcc_y"].argmax(-1)], -1)
    assert ((bins / 2 - batch["keypoints"]).abs()[counts] <= 0.251).all()


def test_batch_size_threads_and_order_do_not_show(people):
    expected = rows_of(loader(people, epoch=6, shuffle=False))
    for keys in [{"batch_size": 1}, {"batch_size": 11, "threads": 1}, {"batch_size": 3, "threads": 4}]:
        assert_same_rows(rows_of(loader(people, epoch=6, **keys)), expected)


def test_epochs_and_seeds_differ_and_repeat(people):
    one, two = loader(people), loader(people)
    first, second = rows_of(one), rows_of(one)
    assert (one.epoch, two.epoch) == (2, 0)
    assert_same_rows(rows_of(two), first)
    assert any(not same(first[key]["image"], second[key]["image"]) for key in first)
    assert all(int(row["copy"]) == 1 for row in second.values())
    other = rows_of(loader(people, seed=99))
    assert any(not same(first[key]["image"], other[key]["image"]) for key in first)
    assert two.order() != loader(people).order(), "the order is another in each epoch"


@pytest.mark.parametrize(("world_size", "workers"), [(1, 2), (2, 1), (3, 2)])
def test_ranks_and_workers_part_an_epoch_exactly(people, world_size, workers):
    expected = rows_of(loader(people, batch_size=2, epoch=4))
    batches = []
    for rank in range(world_size):
        mine = loader(people, batch_size=2, epoch=4, rank=rank, world_size=world_size)
        feed = torch.utils.data.DataLoader(mine, batch_size=None, num_workers=workers if workers > 1 else 0)
        got = list(feed)
        assert [batch["sample_id"] for batch in got] == [
            batch["sample_id"] for batch in loader(people, batch_size=2, epoch=4, rank=rank, world_size=world_size)
        ]
        batches += got
    assert_same_rows(rows_of(batches), expected)


def test_with_drop_last_every_rank_has_as_many_full_batches(people):
    loaders = [loader(people, drop_last=True, batch_size=2, rank=rank, world_size=3) for rank in range(3)]
    lengths = {len(each) for each in loaders}
    assert lengths == {1} and all(len(list(each)) == 1 for each in loaders)


@pytest.mark.parametrize("stop", [0, 1, 2, 3])
def test_a_loaded_state_goes_on_bit_for_bit(people, stop):
    whole = list(loader(people, epoch=3)) + list(loader(people, epoch=4))
    first = loader(people, epoch=3)
    iterator = iter(first)
    given = [next(iterator) for _ in range(stop)]
    state = pickle.loads(pickle.dumps(first.state_dict()))
    iterator.close()
    second = loader(people)
    second.load_state_dict(state)
    assert second.state_dict() == state
    given += list(second)
    assert second.epoch == 4
    given += list(second)
    assert len(given) == len(whole)
    for a, b in zip(given, whole):
        assert all(same(a[name], b[name]) for name in a)


def test_a_state_of_other_settings_is_refused(people):
    state = loader(people).state_dict()
    with pytest.raises(ConfigError, match="`batch_size` is 4 there and 2 here"):
        loader(people, batch_size=2).load_state_dict(state)
    with pytest.raises(ConfigError, match="belongs to another loader: `shuffle`"):
        loader(people, seed=8).load_state_dict(state)
    with pytest.raises(ConfigError, match="the state has no `epoch`|the state has no `version`"):
        loader(people).load_state_dict({})


def test_people_may_be_given_as_rows(people):
    rows = mt.SampleDataset("recipe:hourglass-mpii", people, overrides=SMALL["hourglass-mpii"]).people
    table = pa.Table.from_batches([rows.slice(2, 3)])
    few = mt.SampleDataset("recipe:hourglass-mpii", table, overrides=SMALL["hourglass-mpii"])
    all_of_them = mt.SampleDataset("recipe:hourglass-mpii", {"people": people}, overrides=SMALL["hourglass-mpii"])
    assert (len(few), len(all_of_them)) == (3, 11)
    assert same(few[0]["image"], all_of_them[2]["image"])
    assert same(few[-1]["image"], all_of_them[4]["image"])
    with pytest.raises(ConfigError, match="the plan has no source `persons`; there are `people`"):
        mt.SampleDataset("recipe:hourglass-mpii", {"persons": people})


def test_pictures_as_floats(people):
    levels = rows_of(loader(people))
    for to_float, mean, std in [(True, 0.0, 255.0), (((10, 20, 30), (2, 4, 8)), (10, 20, 30), (2, 4, 8))]:
        mean, std = (torch.tensor(value).float().expand(3).view(3, 1, 1) for value in (mean, std))
        for sample_id, row in rows_of(loader(people, to_float=to_float)).items():
            expected = (levels[sample_id]["image"].permute(2, 0, 1).float() - mean) / std
            assert row["image"].dtype == torch.float32 and torch.equal(row["image"], expected)
    with pytest.raises(ConfigError, match="`to_float` must be True, False or"):
        loader(people, to_float=(1, 2, 3))
    with pytest.raises(ConfigError, match="`deviation` must be finite and not 0"):
        loader(people, to_float=(0, 0))


def test_people_that_lack_what_the_plan_needs_are_named(people):
    rows = pq.read_table(next(people.glob("*.parquet")))
    with pytest.raises(SchemaError, match="column `scale` is missing"):
        mt.SampleDataset("recipe:hourglass-mpii", rows.drop_columns("scale"))
    words = rows.set_column(rows.schema.get_field_index("scale"), "scale", pa.array(["1"] * len(rows)))
    with pytest.raises(SchemaError, match="column `scale` must be Float64, found Utf8"):
        mt.SampleDataset("recipe:hourglass-mpii", words)[0]
    with pytest.raises(SchemaError, match="`motionmill.skeleton`"):
        mt.SampleDataset("recipe:hourglass-mpii", rows.replace_schema_metadata(None))
    with pytest.raises(SchemaError, match="rows must be a pyarrow"):
        mt.SampleDataset("recipe:hourglass-mpii", 3)


def test_wrong_arguments_are_told_by_their_names(people, tmp_path):
    with pytest.raises(SchemaError, match="column `pixels` is missing"):
        loader(people, columns=["pixels"])
    with pytest.raises(ConfigError, match="`rank` must be below `world_size`"):
        loader(people, rank=2, world_size=2)
    with pytest.raises(ValueError, match="belong together"):
        loader(people, rank=2)
    with pytest.raises(ConfigError, match="`batch_size` must be at least 1"):
        loader(people, batch_size=0)
    with pytest.raises(ConfigError, match="no recipe is called `hourglas`"):
        mt.SampleDataset("recipe:hourglas", people)
    with pytest.raises(ConfigError, match="hight"):
        mt.SampleDataset("recipe:repose-lsp", people, overrides={"stages.crop.run.crop.frame.person.hight": 3})
    with pytest.raises(ConfigError, match="the plan has no sink `sample`"):
        mt.SampleDataset("recipe:repose-lsp", people, sink="sample")
    dataset = mt.SampleDataset("recipe:repose-lsp", people, overrides=SMALL["repose-lsp"])
    with pytest.raises(IndexError, match="no sample 11"):
        dataset[11]
    dataset.set_epoch(2**31)
    with pytest.raises(ConfigError, match="an epoch must be at most 2147483647"):
        dataset[0]
