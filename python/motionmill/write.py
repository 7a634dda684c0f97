# Written by `make reference` from the plan's keys; the tests compare it.
"""Every sink of a plan as a function: what a plan has as ``write.coco = { path = .. }`` is ``write.coco(people, path=...)``.

Each writes whole tables and gives the number of rows that stand in the target. Rows that the format cannot hold are a
:class:`~motionmill.errors.RejectedRowsWarning`. A target that is there is replaced only with ``force``.
"""

from __future__ import annotations

import os
from typing import Any, Literal

from .readers import write_sink

__all__ = [
    "arrow",
    "coco",
    "coco_results",
    "hrnet",
    "parquet",
    "preds",
    "webdataset",
    "yolo",
]


def parquet(rows: Any, *, path: str | os.PathLike[str], shard_mib: int = 512, force: bool = False) -> int:
    """A table folder of Parquet shards with a manifest.

    - ``path``: The folder; it must either not exist or hold the result of the same plan.
    - ``shard_mib``: Size in memory, MiB, at which a unit of the run begins its next shard.
    """
    return write_sink("parquet", [rows], force=force, path=path, shard_mib=shard_mib)


def arrow(rows: Any, *, path: str | os.PathLike[str], force: bool = False) -> int:
    """One Arrow IPC file, of any table; pyarrow, polars and pandas (as Feather) read it.

    - ``path``: The file.
    """
    return write_sink("arrow", [rows], force=force, path=path)


def coco(rows: Any, *, path: str | os.PathLike[str], images: str | os.PathLike[str] | None = None, bbox: Literal["keypoints", "scale"] = "keypoints", orientation: Literal["stated", "apply", "ignore", "refuse"] = "stated", force: bool = False) -> int:
    """COCO keypoints JSON, of a table of people.

    Rejects are people for whom no box can be made, and rows whose picture is missing and whose size is not
    stated.

    - ``path``: The file.
    - ``images``: Folder that image names are made relative to; bare file names if not given.
    - ``bbox``: How a person's box is made, if the source states none.
    - ``orientation``: What is done with a picture whose EXIF orientation turns it.
    """
    return write_sink("coco", [rows], force=force, path=path, images=images, bbox=bbox, orientation=orientation)


def coco_results(keypoints: Any, people: Any, *, path: str | os.PathLike[str], head: int | None = None, force: bool = False) -> int:
    """COCO results JSON, of a table of keypoints.

    The people determine the order, the joints and the image numbers. A person's score is that of the detection, else
    the mean of the joints' scores, else 1. Rejects are predictions without a person, second predictions of a person and
    those of other heads.

    - ``path``: The file.
    - ``head``: The output head, from 1; each person's last if not given.
    """
    return write_sink("coco_results", [keypoints, people], force=force, path=path, head=head)


def hrnet(rows: Any, *, path: str | os.PathLike[str], images: str | os.PathLike[str] | None = None, force: bool = False) -> int:
    """MPII JSON of `HRNet` and mmpose, of a table of people (mpii16).

    Rejects are people without centre or scale, which every reader of the format needs, and images without
    people.

    - ``path``: The file.
    - ``images``: Folder that image names are made relative to; bare file names if not given.
    """
    return write_sink("hrnet", [rows], force=force, path=path, images=images)


def preds(keypoints: Any, people: Any, *, path: str | os.PathLike[str], head: int | None = None, form: Literal["array", "submission"] | None = None, force: bool = False) -> int:
    """The array `preds` of N x K x 2 in a .mat, as MPII evaluators read it, or MPII's submission, from a table of keypoints.

    The people determine order and joints. Rejects are predictions without a person, second predictions of a
    person and those of other heads.

    - ``path``: The file.
    - ``head``: The output head, from 1; each person's last if not given.
    - ``form``: The array that evaluators read, or the structure that is submitted.
    """
    return write_sink("preds", [keypoints, people], force=force, path=path, head=head, form=form)


def yolo(rows: Any, *, path: str | os.PathLike[str], images: str | os.PathLike[str] | None = None, bbox: Literal["keypoints", "scale"] = "keypoints", orientation: Literal["stated", "apply", "ignore", "refuse"] = "stated", link: bool = False, force: bool = False) -> int:
    """A folder of pictures, labels and data.yaml for trainers of YOLO-pose, of a table of people.

    Rejects are rows whose picture is missing or unreadable, and people for whom no box can be made. A picture
    without people has an empty label file, which tells trainers that nobody is there; so a picture of which only a crowd,
    or people without a box, are known is left out. Labels stand where trainers look: the last folder `images` of the
    picture's path exchanged for `labels`.

    - ``path``: The folder.
    - ``images``: Folder that image names are made relative to; bare file names if not given.
    - ``bbox``: How a person's box is made, if the source states none.
    - ``orientation``: What is done with a picture whose EXIF orientation turns it.
    - ``link``: Link to the pictures instead of copying them.
    """
    return write_sink("yolo", [rows], force=force, path=path, images=images, bbox=bbox, orientation=orientation, link=link)


def webdataset(rows: Any, *, path: str | os.PathLike[str], shard_mib: int = 512, force: bool = False) -> int:
    """`WebDataset` shards, of a table of samples with encoded pictures.

    The bytes depend only on the rows: members have no owner and time 0. Rejects are samples without an image, of an
    unknown image format, with an id that is not a valid key, or with the key of another sample.

    - ``path``: The folder.
    - ``shard_mib``: Largest size of a shard, MiB, unless one sample alone is larger.
    """
    return write_sink("webdataset", [rows], force=force, path=path, shard_mib=shard_mib)
