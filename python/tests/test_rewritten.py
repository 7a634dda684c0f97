"""Tables that data frames wrote again come back row by row."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas
import polars
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import motionmill
from motionmill import FileError, read


def by_polars(source: Path, target: Path) -> None:
    polars.read_parquet(source).write_parquet(target)


def by_pandas(source: Path, target: Path) -> None:
    pandas.read_parquet(source).to_parquet(target)


def by_pyarrow(source: Path, target: Path) -> None:
    table = pq.read_table(source).replace_schema_metadata(None)
    pq.write_table(table, target, store_schema=False, row_group_size=3)


def text(table: pa.Table) -> list[str]:
    """Rows as text, in which ``NaN`` equals ``NaN``."""
    return [str(row) for row in table.to_pylist()]


@pytest.mark.parametrize("rewrite", [by_polars, by_pandas, by_pyarrow])
def test_people_come_back(people_folder: Path, tmp_path: Path, rewrite: Callable[[Path, Path], None]) -> None:
    original = read.table(path=people_folder)
    target = tmp_path / "again"
    target.mkdir()
    for shard in sorted(people_folder.glob("*.parquet")):
        rewrite(shard, target / f"part-{shard.name.split('-')[0]}.parquet")
    again = read.table(path=target, like=people_folder)
    assert again.schema.field("keypoints").type == original.schema.field("keypoints").type
    assert text(again) == text(original)


def test_what_is_not_said_is_not_guessed(people_folder: Path, tmp_path: Path) -> None:
    by_pyarrow(next(people_folder.glob("*.parquet")), tmp_path / "again.parquet")
    with pytest.raises(FileError, match="which skeleton") as raised:
        read.table(path=tmp_path / "again.parquet")
    assert raised.value.hint is not None and "--like" in raised.value.hint


def test_nulls_are_no_numbers(people_folder: Path, tmp_path: Path) -> None:
    table = pq.read_table(next(people_folder.glob("*.parquet")))
    ids = table["sample_id"].to_pylist()
    broken = table.set_column(0, "sample_id", pa.array([None, *ids[1:]]))
    pq.write_table(broken, tmp_path / "broken.parquet")
    with pytest.raises(motionmill.MotionmillError, match="column `sample_id` is null in row 0"):
        read.table(path=tmp_path / "broken.parquet")
