# Written by `make reference` from the plan's keys; the tests compare it.
"""Every source of a plan as a function: what a plan has as ``read.lsp = { annotations = .., images = .. }`` is
``read.lsp(annotations=..., images=...)``.

Each gives a table. Records that could not be read are a :class:`~motionmill.errors.RejectedRowsWarning`;
:class:`motionmill.Source` gives them, and rows batch by batch.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import pyarrow as pa

from .readers import read_source

__all__ = [
    "boxes",
    "coco",
    "coco_results",
    "flic",
    "hmog",
    "jhmdb",
    "logs",
    "lsp",
    "lspet",
    "mpii",
    "penn_action",
    "posetrack",
    "predictions",
    "table",
    "trials",
    "yolo",
]


def table(*, path: str | os.PathLike[str], split: str | None = None, like: str | os.PathLike[str] | None = None) -> pa.Table:
    """A table folder that motionmill wrote, or one Parquet file, or a folder of files that another program wrote again.

    Types that other programs choose for the same values are brought back; what a file no longer says is told by its
    columns, or by `like`.

    - ``path``: The folder or file.
    - ``split``: One split of the folder; all if not given.
    - ``like``: The table that the file was made of, where another program has written it again and no longer says what it holds: a table folder, or one Parquet file.
    """
    return read_source("table", path=path, split=split, like=like)


def mpii(*, annotations: str | os.PathLike[str], images: str | os.PathLike[str], subset: str | os.PathLike[str] | None = None) -> pa.Table:
    """MPII Human Pose: the `RELEASE` `.mat`, the JSON of `HRNet`, pytorch-pose or the pose machine, the hourglass `.h5`, or `gt_valid.mat`.

    - ``annotations``: The annotation file; which of the five it is, is recognised from its content.
    - ``images``: Folder of the images; they may be missing: only stages that need pixels read them.
    - ``subset``: A `valid.h5` of the stacked hourglass: only its people are kept, in its order, as the split `validation`, so that prediction arrays line up.
    """
    return read_source("mpii", annotations=annotations, images=images, subset=subset)


def lsp(*, annotations: str | os.PathLike[str], images: str | os.PathLike[str]) -> pa.Table:
    """Leeds Sports Pose, `joints.mat` of 3 x 14 x N.

    - ``annotations``: The annotation file.
    - ``images``: Folder of the images; they may be missing: only stages that need pixels read them.
    """
    return read_source("lsp", annotations=annotations, images=images)


def lspet(*, annotations: str | os.PathLike[str], images: str | os.PathLike[str]) -> pa.Table:
    """Leeds Sports Pose extended training, `joints.mat` of 14 x 3 x N.

    - ``annotations``: The annotation file.
    - ``images``: Folder of the images; they may be missing: only stages that need pixels read them.
    """
    return read_source("lspet", annotations=annotations, images=images)


def flic(*, annotations: str | os.PathLike[str], images: str | os.PathLike[str], labels: Literal["person-centric", "observer-centric"] = "person-centric", plus: str | os.PathLike[str] | None = None) -> pa.Table:
    """FLIC, `examples.mat`.

    - ``annotations``: The annotation file.
    - ``images``: Folder of the images; they may be missing: only stages that need pixels read them.
    - ``labels``: Whose left and right the joints are named for.
    - ``plus``: `tr_plus_indices.mat`, the training list of FLIC-plus: numbers of examples of FLIC-full, from 1.
    """
    return read_source("flic", annotations=annotations, images=images, labels=labels, plus=plus)


def coco(*, annotations: str | os.PathLike[str], images: str | os.PathLike[str], category: str | None = None, skeleton: str | os.PathLike[str] | None = None, dataset: str | None = None, split: str | None = None) -> pa.Table:
    """COCO keypoints, or another data set in its format.

    - ``annotations``: The annotation file.
    - ``images``: Folder of the images; they may be missing: only stages that need pixels read them.
    - ``category``: Name of the category, where several have keypoints.
    - ``skeleton``: The skeleton whose order the keypoints have: its name, or a file of one's own. By default the known one with the joints of the category, else the one that the file itself states.
    - ``dataset``: Name of the data set, if it is not COCO itself.
    - ``split``: The split of all people; by default told by a word of the file's name (`train`, `val`, `test`), else `unassigned`.
    """
    return read_source("coco", annotations=annotations, images=images, category=category, skeleton=skeleton, dataset=dataset, split=split)


def yolo(*, annotations: str | os.PathLike[str], skeleton: str | os.PathLike[str] | None = None, category: str | None = None, dataset: str | None = None) -> pa.Table:
    """YOLO-pose: the `data.yaml` of a data set, with its label files and pictures.

    - ``annotations``: The `data.yaml`; it says where pictures are, relative to its own folder.
    - ``skeleton``: The skeleton whose order the keypoints have: its name, or a file of one's own. By default the known one of the file's `kpt_names` or `flip_idx`, else the one that the file itself states there.
    - ``category``: Name of the category (YOLO's class) to read, where the file has several.
    - ``dataset``: Name of the data set; `yolo` if not given.
    """
    return read_source("yolo", annotations=annotations, skeleton=skeleton, category=category, dataset=dataset)


def penn_action(*, annotations: str | os.PathLike[str], images: str | os.PathLike[str]) -> pa.Table:
    """Penn Action: the folder `labels` of `.mat` files, one for each video.

    - ``annotations``: The folder `labels`, or one of its files.
    - ``images``: The folder `frames`; it may be missing: only stages that need pixels read it.
    """
    return read_source("penn_action", annotations=annotations, images=images)


def jhmdb(*, annotations: str | os.PathLike[str], images: str | os.PathLike[str], splits: str | os.PathLike[str] | None = None, division: int = 1) -> pa.Table:
    """JHMDB: the folder `joint_positions` of `.mat` files, one for each video.

    - ``annotations``: The folder `joint_positions`, or one of its files.
    - ``images``: The folder `Rename_Images`; it may be missing: only stages that need pixels read it.
    - ``splits``: The folder `splits`; without it, people are of the split `unassigned`.
    - ``division``: Number of the division into splits, 1 to 3.
    """
    return read_source("jhmdb", annotations=annotations, images=images, splits=splits, division=division)


def posetrack(*, annotations: str | os.PathLike[str], images: str | os.PathLike[str], split: str | None = None) -> pa.Table:
    """`PoseTrack` 2018 and 2021: a folder of JSON files, one for each video.

    - ``annotations``: The folder of the annotations, or one file.
    - ``images``: The folder that holds `images`; it may be missing: only stages that need pixels read it.
    - ``split``: The split of all people; by default told by the folders of pictures and annotations, else `unassigned`.
    """
    return read_source("posetrack", annotations=annotations, images=images, split=split)


def hmog(*, path: str | os.PathLike[str], clock: Literal["system", "event"] = "system", event_unit: Literal["s", "ms", "us", "ns"] = "ns") -> pa.Table:
    """HMOG: accelerometer and gyroscope logs, one zip or folder per subject, or the zip of all subjects.

    - ``path``: The outer archive, a folder of subjects' archives, one such archive, or a folder with unpacked ones.
    - ``clock``: Which of the two clocks the stamps are from.
    - ``event_unit``: The unit of the event clock. Nanoseconds, as Android's `SensorEvent.timestamp`, are inferred: no description of the files that we have states it.
    """
    return read_source("hmog", path=path, clock=clock, event_unit=event_unit)


def logs(*, path: str | os.PathLike[str], layout: str | os.PathLike[str] | None = None, dataset: str | None = None, preset: Literal["sp-sw-har", "hhar-phone", "wisdm", "wisdm-phone-watch", "pamap2", "motion-sense", "realworld-har", "sensor-logger", "phyphox"] | None = None, files: Sequence[Mapping[str, Any]] | None = None, sessions: Mapping[str, Any] | None = None) -> pa.Table:
    """Accelerometer and gyroscope logs in CSV files.



    Published data sets and the exports of some apps need no declaration: `preset = "pamap2"`.

    Files that agree in subject, device and session make one session, even if each sensor has its own file. The rows
    of a file whose subject, device or session comes from a column are grouped by value, in order of first appearance.

    - ``path``: A folder, or one file.
    - ``layout``: A TOML file with the keys `files`, `dataset` and `sessions`, instead of giving them here.
    - ``dataset``: Name of the data set; a preset has its own.
    - ``preset``: A data set whose files are known.
    - ``files``: Groups of files; a file belongs to the first group whose pattern matches, and to all others of the same pattern.
    - ``sessions``: How to cut long logs; without it they are not cut. It overrides the preset's.
    """
    return read_source("logs", path=path, layout=layout, dataset=dataset, preset=preset, files=files, sessions=sessions)


def trials(*, path: str | os.PathLike[str], client: str | None = None, subject: str | None = None, session: str | None = None, genuine: str | None = None, score: str | None = None, distance: bool = False, split: str | None = None, dataset: str | None = None, model: str | None = None) -> pa.Table:
    """Verification scores of another system: a CSV file with a header and a line a trial.

    The separator is told by the header. Rejects are lines without a client, a subject or a finite score, and lines whose
    `genuine` is no yes or no.

    - ``path``: The file.
    - ``client``: Column of the subject whose model is tried; `client` if not given.
    - ``subject``: Column of the subject whose session is scored; `subject` if not given.
    - ``session``: Column of the session; `session` if not given. Without such a column each line is a session of its own.
    - ``genuine``: Column that says whether client and subject are the same person; `genuine` if not given. Without such a column they are where their names are.
    - ``score``: Column of the score; `score` if not given.
    - ``distance``: The score is a distance: lower favours the client. It is stored with the other sign.
    - ``split``: Column of the split; `split` if not given. Without such a column all trials are of `test`.
    - ``dataset``: Name of the data set; `scores` if not given.
    - ``model``: Name of the system; the name of the file if not given.
    """
    return read_source("trials", path=path, client=client, subject=subject, session=session, genuine=genuine, score=score, distance=distance, split=split, dataset=dataset, model=model)


def predictions(people: Any, *, file: str | os.PathLike[str], array: str | None = None, axes: str = "njc", skeleton: str | os.PathLike[str] = "mpii16", first_pixel: float, model: str | None = None) -> pa.Table:
    """A published prediction array (.npy, .npz, .mat, HDF5 or JSON), joined to people row by row, or MPII's submission.

    - ``file``: The file.
    - ``array``: Name of the array in the file, where there are several.
    - ``axes``: The array's axes: n people, j joints, c coordinates (x, y and maybe a score). Joints and coordinates may share one.
    - ``skeleton``: The skeleton whose order the joints have: its name, or a file of one's own.
    - ``first_pixel``: Number of the first pixel: 1 for MATLAB's coordinates, else 0.
    - ``model``: What made the predictions; the file's name if not given.
    """
    return read_source("predictions", people, file=file, array=array, axes=axes, skeleton=skeleton, first_pixel=first_pixel, model=model)


def coco_results(people: Any, *, file: str | os.PathLike[str], category_id: int | None = None, model: str | None = None, unmatched: Literal["reject", "keep"] | None = None) -> pa.Table:
    """COCO results JSON, of `AlphaPose` or mmpose too: detections, matched to the people they belong to.

    - ``file``: The file, or a folder of such files.
    - ``category_id``: Number of the category, where the file has several.
    - ``model``: What made the predictions; the file's name if not given.
    - ``unmatched``: What is done with detections that belong to nobody. `coco-oks` and `crowdpose` count them as false people, so keep them for these.
    """
    return read_source("coco_results", people, file=file, category_id=category_id, model=model, unmatched=unmatched)


def boxes(people: Any, *, file: str | os.PathLike[str], category_id: int = 1, minimum_score: float = 0) -> pa.Table:
    """Boxes of people that a detector saw (COCO results with `bbox`), joined to the pictures of people.

    - ``file``: The file: a JSON list of `{image_id, category_id, bbox: [x, y, width, height], score}`, maybe packed by gzip.
    - ``category_id``: Number of the category of people.
    - ``minimum_score``: Boxes with a lower score are left out.
    """
    return read_source("boxes", people, file=file, category_id=category_id, minimum_score=minimum_score)
