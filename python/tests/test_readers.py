"""Annotations, logs, tables and scores, as the command reads and scores them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import motionmill
from alike import same
from motionmill import ConfigError, FileError, Source, stages, synthetic


@pytest.mark.parametrize("format", ["mpii", "lsp", "lspet", "flic"])
def test_every_format_is_read(format: str, tmp_path: Path) -> None:
    drawn = synthetic.write_people(format, tmp_path, images=4, size=(200, 160), seed=1)
    people = motionmill.read_people(format, annotations=drawn.annotations, images=drawn.images)
    assert people.num_rows >= 4
    assert people.schema.metadata[b"motionmill.table"] == b"people"
    skeleton = motionmill.skeleton(people.schema.metadata[b"motionmill.skeleton"].decode())
    assert people.schema.field("visibility").type.list_size == len(skeleton.joints)


def test_readings_come_by_whole_sessions(logs: Path) -> None:
    source = Source("hmog", path=logs)
    batches = list(source.batches())
    table, rejects, notes = source.read()
    assert pa.Table.from_batches(batches).equals(table) and len(batches) == 6
    assert table.schema.equals(source.schema, check_metadata=True)
    assert isinstance(notes, list) and rejects.schema.names[0] == "stage"
    assert motionmill.read_readings("hmog", path=logs).equals(table)


def test_a_table_is_read_by_split_and_in_batches(people_folder: Path) -> None:
    everyone = motionmill.read_table(people_folder)
    train = motionmill.read_table(people_folder, split="train")
    assert set(train.column("split").to_pylist()) == {"train"} and 0 < train.num_rows < everyone.num_rows
    batches = list(Source("table", path=people_folder).batches(5))
    assert max(batch.num_rows for batch in batches) <= 5
    assert same(pa.Table.from_batches(batches), everyone)


def test_wrong_files_and_formats_are_named(tmp_path: Path, logs: Path) -> None:
    with pytest.raises(FileError, match=r"nothing\.mat"):
        motionmill.read_people("mpii", annotations=tmp_path / "nothing.mat", images=tmp_path)
    (tmp_path / "bad.mat").write_bytes(b"no annotations")
    with pytest.raises(FileError, match=r"bad\.mat"):
        motionmill.read_people("mpii", annotations=tmp_path / "bad.mat", images=tmp_path)
    with pytest.raises(ConfigError, match="unknown variant `mpi`, expected one of `table`, `mpii`"):
        motionmill.read_people("mpi", annotations="a", images="b")
    with pytest.raises(ConfigError, match="missing field `images`"):
        motionmill.read_people("lsp", annotations="a")
    with pytest.raises(ConfigError, match="unknown field `annotation`"):
        motionmill.read_people("lsp", annotation="a", images="b")
    with pytest.raises(ConfigError, match="holds readings"):
        motionmill.read_people("hmog", path=logs)
    with pytest.raises(ConfigError, match="holds no readings"):
        motionmill.read_readings("mpii", annotations="a", images="b")
    with pytest.raises(ConfigError, match="no people are drawn as `coco`"):
        synthetic.write_people("coco", tmp_path, images=1)


def predictions_of(people: pa.Table) -> pa.Table:
    """The truth as a prediction, every joint 3 px to the right."""
    rows = []
    for person in people.to_pylist():
        points = [[x + 3.0, y] for x, y in person["keypoints"]]
        rows.append({"sample_id": person["sample_id"], "head": 1, "keypoints": points, "model": "shifted"})
    joints = people.schema.field("keypoints").type.list_size
    point = pa.list_(pa.float64(), 2)
    fields = [
        pa.field("sample_id", pa.string(), nullable=False),
        pa.field("head", pa.int32(), nullable=False),
        pa.field("keypoints", pa.list_(point, joints), nullable=False),
        pa.field("model", pa.string(), nullable=False),
    ]
    metadata = {**people.schema.metadata, b"motionmill.table": b"keypoints"}
    return pa.Table.from_pylist(rows, schema=pa.schema(fields, metadata=metadata))


def test_a_prediction_array_is_read_by_row_of_the_people(people: pa.Table, tmp_path: Path) -> None:
    from scipy.io import savemat

    points = np.array(people.column("keypoints").to_pylist()) + 1.0
    savemat(tmp_path / "preds.mat", {"preds": points})
    read = motionmill.read_predictions(tmp_path / "preds.mat", people=people, array="preds", first_pixel=1)
    assert read.column("sample_id").to_pylist() == people.column("sample_id").to_pylist()
    assert set(read.column("model").to_pylist()) == {"preds.mat"}
    np.testing.assert_allclose(np.array(read.column("keypoints").to_pylist()), points - 1.0)
    with pytest.raises(motionmill.MotionmillError, match=r"preds\.mat"):
        motionmill.read_predictions(tmp_path / "preds.mat", people=people.slice(1), array="preds", first_pixel=1)
    with pytest.raises(FileError, match="`guesses`"):
        motionmill.read_predictions(tmp_path / "preds.mat", people=people, array="guesses", first_pixel=1)


def test_poses_are_scored(people: pa.Table) -> None:
    predictions = predictions_of(people)
    metrics = motionmill.evaluate_pose(people, predictions, protocol="mpii-official", resamples=50)
    rows = metrics.to_pylist()
    assert metrics.schema.metadata[b"motionmill.table"] == b"metrics"
    assert {row["protocol"] for row in rows} == {"mpii-official"} and {row["model"] for row in rows} == {"shifted"}
    totals = [row for row in rows if row["group"] == "total" and row["threshold"] == 0.5]
    assert len(totals) == 1 and 0 <= totals[0]["ci_low"] <= totals[0]["value"] <= totals[0]["ci_high"] <= 100
    both = motionmill.evaluate_pose(people, predictions, protocol=["mpii-official", "mpii-hrnet"], resamples=0)
    assert {row["protocol"] for row in both.to_pylist()} == {"mpii-official", "mpii-hrnet"}
    with pytest.raises(motionmill.DataError, match="twice"):
        motionmill.evaluate_pose(people, pa.concat_tables([predictions, predictions]), protocol="mpii-official")
    with pytest.raises(motionmill.SchemaError, match="`keypoints` is missing"):
        motionmill.evaluate_pose(people, predictions.drop_columns(["keypoints"]), protocol="mpii-official")
    with pytest.raises(ConfigError, match="no protocol is called `oks`"):
        motionmill.evaluate_pose(people, predictions, protocol="oks")


def test_trials_are_scored_as_by_the_command(tmp_path: Path, command: list[str]) -> None:
    logs = synthetic.write_logs(tmp_path / "raw", subjects=8, sessions=4, seconds=12.0, seed=11)
    changes = {
        "sources.readings.read.table.path": tmp_path / "readings",
        "stages.background.run.fit_background.components": 8,
        "stages.projection.run.fit_projection.components": 10,
        "sinks.trials.write.parquet.path": tmp_path / "trials",
        "sinks.metrics.write.parquet.path": tmp_path / "metrics",
    }
    ingest = {
        "sources": {"logs": {"read": {"hmog": {"path": logs}}}},
        "sinks": {"readings": {"inputs": ["logs"], "write": {"parquet": {"path": tmp_path / "readings"}}}},
    }
    motionmill.run_plan(ingest)
    motionmill.run_plan("recipe:raw-features", changes)
    trials = motionmill.read_table(tmp_path / "trials")
    scored = motionmill.evaluate_verification(trials, resamples=100)
    words = [*command, "evaluate", "verification", "--trials", tmp_path / "trials", "--resamples", "100", "--format", "json"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    told = json.loads(done.stdout)
    ours = scored.to_pylist()
    assert len(told) == len(ours) > 3
    for row, expected in zip(ours, told):
        same = {key for key in expected if key != "run"}
        assert {key: row[key] for key in same} == pytest.approx({key: expected[key] for key in same}, nan_ok=True)
    with pytest.raises(ConfigError, match="unknown variant `median`, expected one of `linear`"):
        motionmill.evaluate_verification(trials, eer="median")


def test_skeletons_know_their_limbs_and_pairs() -> None:
    mpii = motionmill.skeleton("mpii16")
    assert len(mpii.joints) == 16 and mpii.flip_pairs == ((0, 5), (1, 4), (2, 3), (10, 15), (11, 14), (12, 13))
    assert {skeleton.name for skeleton in motionmill.skeletons()} >= {"mpii16", "lsp14", "flic11", "cpm14", "coco17"}
    for skeleton in motionmill.skeletons():
        assert max(max(limb) for limb in skeleton.limbs) < len(skeleton.joints)
        assert stages.MapSkeleton(to=skeleton.name).config == {"to": skeleton.name}
