"""Rows across the border: no copy, no lock, the same rows as the command writes."""

from __future__ import annotations

import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

import motionmill
from alike import same, same_values
from motionmill import ConfigError, RejectedRowsWarning, SchemaError, stages

CROP = {"size": [64, 64], "frame": {"person": {"height": 50}}}
GAUSSIAN = {"stride": 4, "style": {"gaussian": {"sigma": 4}}}


def chain(seed: int) -> list[stages.Stage]:
    return [
        stages.Crop(**CROP, seed=seed),
        stages.Rotate(uniform={"max_degrees": 30}, seed=seed),
        stages.Flip(seed=seed),
        stages.Warp(seed=seed),
        stages.EncodeHeatmaps(**GAUSSIAN, seed=seed),
    ]


def through(steps: list[stages.Stage], rows: Any) -> Any:
    for step in steps:
        rows = step.run(rows).rows
    return rows


def flat(array: pa.Array) -> np.ndarray:
    while hasattr(array, "flatten") and pa.types.is_fixed_size_list(array.type):
        array = array.flatten()
    return array.to_numpy(zero_copy_only=True)


def addresses(array: pa.Array) -> list[int]:
    return [buffer.address for buffer in array.buffers() if buffer is not None and buffer.size]


def test_a_batch_gives_a_batch_and_a_table_a_table(people: pa.Table, batch: pa.RecordBatch) -> None:
    crop = stages.Crop(**CROP)
    assert isinstance(crop(batch), pa.RecordBatch)
    made = crop(people)
    assert isinstance(made, pa.Table)
    assert made.schema.equals(crop.output_schema(people.schema), check_metadata=True)
    assert same(made, crop(batch))
    assert crop.output_schema(people).equals(crop.output_schema(batch), check_metadata=True)
    empty = crop(people.slice(0, 0))
    assert empty.num_rows == 0 and empty.schema.equals(made.schema)


def test_columns_are_taken_and_given_without_a_copy(batch: pa.RecordBatch) -> None:
    made = stages.Crop(**CROP)(batch)
    for name in ("keypoints", "visibility", "sample_id", "image_path", "scale"):
        assert addresses(made.column(name)) == addresses(batch.column(name)), name
    slice_of = batch.slice(2, 3)
    made = stages.Crop(**CROP)(slice_of)
    ours, theirs = flat(made.column("keypoints")), flat(slice_of.column("keypoints"))
    assert ours.ctypes.data == theirs.ctypes.data
    # Maps that Rust has made are read where they lie.
    maps = through(chain(1), batch).column("heatmaps")
    assert flat(maps).ctypes.data in range(addresses(maps)[-1], addresses(maps)[-1] + 1)


def test_rows_outlive_the_batch_they_came_from(batch: pa.RecordBatch) -> None:
    copied = pa.RecordBatch.from_pylist(batch.to_pylist(), schema=batch.schema)
    made = stages.Crop(**CROP)(copied)
    expected = batch.column("keypoints").to_pylist()
    del copied
    assert same_values(made.column("keypoints"), pa.array(expected, made.schema.field("keypoints").type))


@pytest.mark.parametrize("seed", [0, 7])
def test_the_rows_are_those_that_the_command_writes(people_folder: Path, tmp_path: Path, seed: int) -> None:
    condition = "split = 'train' AND annotated_joints >= 8 AND scale > 0"
    order = ["kept", "crop", "rotate", "flip", "warp", "encode_heatmaps"]
    run = {
        "kept": {"filter": {"where": condition}},
        "crop": {"crop": CROP},
        "rotate": {"rotate": {"uniform": {"max_degrees": 30}}},
        "flip": {"flip": {}},
        "warp": {"warp": {}},
        "encode_heatmaps": {"encode_heatmaps": GAUSSIAN},
    }
    plan = {
        "seed": seed,
        "sources": {"people": {"read": {"table": {"path": people_folder}}}},
        "stages": {name: {"inputs": [before], "run": run[name]} for before, name in zip(["people", *order], order)},
        "sinks": {"out": {"inputs": [order[-1]], "write": {"parquet": {"path": tmp_path / "out"}}}},
    }
    motionmill.run_plan(plan)
    written = motionmill.read_table(tmp_path / "out")
    steps = [stages.Filter(where=condition, name="kept", seed=seed), *chain(seed)]
    made = through(steps, motionmill.read_table(people_folder))
    assert written.num_rows == made.num_rows > 10
    for name in written.column_names:
        ours, theirs = made.column(name).combine_chunks(), written.column(name).combine_chunks()
        assert same_values(ours, theirs), name
    other = through([steps[0], *chain(seed + 1)], motionmill.read_table(people_folder))
    assert not same_values(other.column("heatmaps").combine_chunks(), made.column("heatmaps").combine_chunks())


def test_batches_of_any_size_give_the_same_rows(people: pa.Table) -> None:
    whole = through(chain(5), people)
    pieces = pa.concat_tables([through(chain(5), people.slice(at, 3)) for at in range(0, people.num_rows, 3)])
    assert same(whole, pieces)


def test_a_polars_frame_is_taken(people: pa.Table, batch: pa.RecordBatch) -> None:
    frame = pl.from_arrow(people)
    assert isinstance(frame, pl.DataFrame)
    kept = stages.Filter(where="scale > 1")
    assert kept.run(frame).rows.num_rows == kept.run(batch).rows.num_rows
    crop = stages.Crop(**CROP)
    ours, theirs = crop(frame), crop(batch)
    for name in ("crop_from_image", "keypoints", "visibility"):
        np.testing.assert_array_equal(flat(ours.column(name).combine_chunks()), flat(theirs.column(name)))
    assert ours.column("sample_id").to_pylist() == theirs.column("sample_id").to_pylist()
    assert pl.from_arrow(ours).height == batch.num_rows


def test_what_polars_forgets_is_named_with_a_way_out(people: pa.Table) -> None:
    frame = pl.from_arrow(people)
    with pytest.raises(SchemaError, match=r"motionmill\.skeleton") as refused:
        stages.MapSkeleton(to="lsp14")(frame)
    assert refused.value.hint is not None and "replace_schema_metadata" in refused.value.hint
    back = frame.to_arrow().replace_schema_metadata(people.schema.metadata)
    assert stages.MapSkeleton(to="lsp14")(back).schema.metadata[b"motionmill.skeleton"] == b"lsp14"


def test_other_speakers_of_the_interface_are_taken(batch: pa.RecordBatch, people: pa.Table) -> None:
    class Speaker:
        def __init__(self, inner: Any) -> None:
            self.inner = inner

    class OneBatch(Speaker):
        def __arrow_c_array__(self, requested_schema: Any = None) -> Any:
            return self.inner.__arrow_c_array__(requested_schema)

    class Stream(Speaker):
        def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
            return self.inner.__arrow_c_stream__(requested_schema)

    crop = stages.Crop(**CROP)
    expected = crop(batch)
    assert same(crop(OneBatch(batch)), expected)
    assert same(crop(Stream(people)), expected)
    reader = pa.RecordBatchReader.from_batches(people.schema, people.to_batches(max_chunksize=4))
    assert crop(reader).num_rows == batch.num_rows


def test_wrong_rows_are_refused_with_the_column(people: pa.Table, batch: pa.RecordBatch) -> None:
    crop = stages.Crop(**CROP)
    for wrong in ([], {}, None, 3, "people", people.column("scale")):
        with pytest.raises(SchemaError, match="rows must be"):
            crop(wrong)
    with pytest.raises(SchemaError, match="column `center` is missing; the columns are "):
        crop(batch.drop_columns(["center"]))
    text = batch.set_column(batch.schema.get_field_index("scale"), "scale", pa.array(["x"] * batch.num_rows))
    with pytest.raises(SchemaError, match="column `scale` must be Float64, found Utf8"):
        crop(text)
    with pytest.raises(SchemaError, match="column `center` is missing"):
        crop.output_schema(batch.drop_columns(["center"]).schema)
    with pytest.raises(ConfigError, match="takes one batch or table, found 2"):
        crop.run(batch, batch)
    with pytest.raises(ConfigError, match=r"takes 2 \(truth, predictions\), found 1"):
        stages.Evaluate(protocols=["mpii-official"]).run(batch)
    # It is not broken by what it refused.
    assert crop(batch).num_rows == batch.num_rows


def test_rejected_rows_are_handed_over_or_warned_of(batch: pa.RecordBatch) -> None:
    nowhere = batch.set_column(
        batch.schema.get_field_index("scale"),
        batch.schema.field("scale"),
        pa.array([None, *batch.column("scale").to_pylist()[1:]], pa.float64()),
    )
    crop = stages.Crop(**CROP)
    outcome = crop.run(nowhere)
    assert outcome.rows.num_rows + sum(outcome.rejects.column("rows").to_pylist()) == batch.num_rows
    reject = outcome.rejects.to_pylist()[0]
    assert (reject["stage"], reject["reason"], reject["sample_id"]) == ("crop", "no scale", batch["sample_id"][0].as_py())
    with pytest.warns(RejectedRowsWarning, match="`crop` rejected 1 row, the first .*: no scale") as warned:
        crop(nowhere)
    assert warned[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        crop(batch)


def test_one_stage_serves_many_threads(batch: pa.RecordBatch) -> None:
    steps = chain(3)
    expected = through(steps, batch)
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: through(steps, batch), range(24)))
    assert all(same(rows, expected) for rows in made)


def test_the_interpreter_goes_on_while_a_stage_works(batch: pa.RecordBatch) -> None:
    many = stages.Repeat(copies=40)(stages.Crop(**CROP)(batch))
    warp = stages.Warp()
    ticks: list[float] = []
    done = threading.Event()

    def tick() -> None:
        while not done.is_set():
            ticks.append(time.perf_counter())
            time.sleep(0.001)

    ticker = threading.Thread(target=tick)
    ticker.start()
    started = time.perf_counter()
    warp(many)
    ended = time.perf_counter()
    done.set()
    ticker.join()
    during = [at for at in ticks if started < at < ended]
    assert ended - started > 0.02, "too short to tell"
    assert len(during) > 5, f"{len(during)} ticks in {ended - started:.3f} s"


def test_aggregates_take_whole_tables(logs: Path) -> None:
    readings = motionmill.read_readings("hmog", path=logs)
    signals = stages.Resample(rate_hz=50).run(readings).rows
    fit = stages.FitNormaliser(per="all", split="*")
    assert fit.inputs == ["signals"]
    fitted = fit.run(signals)
    assert fitted.rows.num_rows == 1
    applied = stages.ApplyNormaliser().run(signals, fitted.rows)
    assert applied.rows.num_rows == signals.num_rows > 0
    # Not how the rows are batched counts, but which there are.
    batched = pa.Table.from_batches(signals.combine_chunks().to_batches(max_chunksize=2))
    assert same(fit.run(batched).rows, fitted.rows)


def test_sessions_stay_whole_however_a_table_is_cut(logs: Path) -> None:
    readings = motionmill.read_readings("hmog", path=logs)
    resample = stages.Resample(rate_hz=50)
    cut = pa.Table.from_batches(readings.combine_chunks().to_batches(max_chunksize=777))
    assert same(resample.run(cut).rows, resample.run(readings).rows)
