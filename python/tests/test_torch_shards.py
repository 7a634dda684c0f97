"""Tables that ``motionmill run`` wrote, read back in any order."""

from __future__ import annotations

import pickle

import pytest

torch = pytest.importorskip("torch", reason="motionmill.torch needs PyTorch")

import pyarrow.parquet as pq

from motionmill import ConfigError, FileError, SchemaError, run_plan
from motionmill import torch as mt
from torch_people import write_people, write_shards

COPIES = 7


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shards")
    return write_shards("repose-lsp", write_people(folder), folder / "samples", COPIES)


def keys_of(batches):
    return [key for batch in batches for key in zip(batch["sample_id"], batch["copy"].tolist())]


def test_a_row_is_that_of_the_file(shards):
    table = pq.read_table(next(shards.glob("*.parquet")))
    dataset = mt.ShardDataset(shards)
    assert len(dataset) == table.num_rows == 11 * COPIES
    row = dataset[-1]
    assert row["sample_id"] == table["sample_id"][-1].as_py()
    assert row["heatmaps"].tolist() == table["heatmaps"][-1].as_py()
    assert row["image"].shape == (32, 32, 3) and row["heatmap_weight"].shape == (14,)
    with pytest.raises(IndexError, match="there is no row 77"):
        dataset[77]


def test_an_epoch_has_every_row_once_in_its_own_order(shards):
    loader = mt.ShardLoader(shards, batch_size=8, seed=3)
    assert len(loader) == 10
    first, second = keys_of(loader), keys_of(loader)
    assert sorted(first) == sorted(second) and len(set(first)) == 77 and first != second
    loader.set_epoch(0)
    assert keys_of(loader) == first
    assert keys_of(mt.ShardLoader(shards, batch_size=3, seed=3, threads=1)) == first
    plain = keys_of(mt.ShardLoader(shards, batch_size=8, shuffle=False))
    assert plain == keys_of([mt.collate(mt.ShardDataset(shards).__getitems__(range(77)))])


@pytest.mark.parametrize(("world_size", "workers"), [(2, 0), (3, 2)])
def test_ranks_and_workers_part_an_epoch_exactly(shards, world_size, workers):
    keys, lengths = [], []
    for rank in range(world_size):
        loader = mt.ShardLoader(shards, batch_size=5, rank=rank, world_size=world_size)
        mine = keys_of(torch.utils.data.DataLoader(loader, batch_size=None, num_workers=workers))
        keys += mine
        lengths.append(len(mine))
    assert len(keys) == len(set(keys)) == 77 and max(lengths) - min(lengths) <= 1


def test_a_loaded_state_goes_on_bit_for_bit(shards):
    whole = list(mt.ShardLoader(shards, batch_size=10, epoch=2))
    first = mt.ShardLoader(shards, batch_size=10, epoch=2)
    iterator = iter(first)
    given = [next(iterator) for _ in range(3)]
    state = pickle.loads(pickle.dumps(first.state_dict()))
    second = mt.ShardLoader(shards, batch_size=10)
    second.load_state_dict(state)
    given += list(second)
    assert keys_of(given) == keys_of(whole)
    assert all(torch.equal(a["image"], b["image"]) for a, b in zip(given, whole))
    with pytest.raises(ConfigError, match="`buffer` is 256 there and 5 here"):
        mt.ShardLoader(shards, batch_size=10, buffer=5).load_state_dict(state)


def test_only_what_is_asked_for_is_read(shards):
    dataset = mt.ShardDataset(shards, columns=["keypoints", "flipped"])
    assert dataset.schema.names == ["sample_id", "keypoints", "flipped"] or "image" not in dataset.schema.names
    assert set(dataset[0]) == {"keypoints", "flipped"}
    floats = mt.ShardDataset(shards, to_float=True)[5]["image"]
    assert torch.equal(floats, mt.ShardDataset(shards)[5]["image"].permute(2, 0, 1).float() / 255)
    with pytest.raises(SchemaError, match="column `pixels` is missing"):
        mt.ShardDataset(shards, columns=["pixels"])
    with pytest.raises(FileError, match="there is no split `test`"):
        mt.ShardDataset(shards, split="test")
    with pytest.raises(FileError, match="not a table folder"):
        mt.ShardLoader(shards.parent)


def test_a_damaged_picture_names_its_sample(shards, tmp_path):
    import pyarrow as pa

    table = pq.read_table(next(shards.glob("*.parquet"))).slice(0, 4)
    bytes_ = [row["bytes"] for row in table["image"].to_pylist()]
    bytes_[2] = bytes_[2][:40]
    image = pa.StructArray.from_arrays([pa.array(bytes_), pa.array([""] * 4)], ["bytes", "path"])
    table = table.set_column(table.schema.get_field_index("image"), table.schema.field("image"), image)
    pq.write_table(table, tmp_path / "damaged.parquet")
    dataset = mt.ShardDataset(tmp_path / "damaged.parquet")
    assert dataset[1]["image"].shape == (32, 32, 3)
    with pytest.raises(ValueError, match=f"the picture of sample `{table['sample_id'][2].as_py()}`"):
        dataset[2]


WINDOWS = """
seed = 1
[sources.logs.read.logs]
path = "{logs}"
dataset = "walks"
[[sources.logs.read.logs.files]]
pattern = "{{subject}}/{{session}}.csv"
clock = "ms"
stamp = "time"
sensors = {{ accelerometer = ["ax", "ay", "az"], gyroscope = ["gx", "gy", "gz"] }}
[stages.signals]
inputs = ["logs"]
run.resample = {{ rate_hz = 50 }}
[stages.windows]
inputs = ["signals"]
run.window = {{ blocks = 4, block_samples = 10, block_hop_samples = 5 }}
[sinks.windows]
inputs = ["windows"]
write.parquet = {{ path = "{out}" }}
"""


def test_windows_of_sensors(tmp_path):
    for subject in ("ann", "bob"):
        (tmp_path / "logs" / subject).mkdir(parents=True)
        lines = "".join(f"{at * 20},{at % 7},{at % 5},{at % 3},1,2,3\n" for at in range(200))
        (tmp_path / "logs" / subject / "walk.csv").write_text("time,ax,ay,az,gx,gy,gz\n" + lines)
    plan = tmp_path / "windows.toml"
    plan.write_text(WINDOWS.format(logs=tmp_path / "logs", out=tmp_path / "windows"))
    run_plan(plan)
    dataset = mt.ShardDataset(tmp_path / "windows")
    first = dataset[0]
    assert first["window"].dtype == torch.float32 and first["window"].shape == (4, 10, 6)
    assert first["subject"] == "ann"
    batches = list(mt.ShardLoader(tmp_path / "windows", batch_size=2))
    assert sum(len(batch["window"]) for batch in batches) == len(dataset) > 2
    assert {subject for batch in batches for subject in batch["subject"]} == {"ann", "bob"}
    with pytest.raises(ConfigError, match="reads logs|needs all rows|does not make one row of one"):
        mt.SampleDataset(plan)
