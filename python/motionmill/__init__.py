"""Raw human-motion data to Arrow tables: stages, readers and evaluators at Rust speed.

Stages take and return Arrow tables of declared schemas. Pixel centres are at integers, the origin is top left,
coordinates are 0-based px, x then y; visibility is 0 not annotated, 1 occluded, 2 visible; images are RGB ``[H, W, 3]``
``uint8``.

>>> import motionmill
>>> from motionmill import stages
>>> crop = stages.Crop(size=[256, 256], frame={"person": {"height": 200}})
"""

from __future__ import annotations

from . import _native, _runtime, errors, read, stages, synthetic, write
from .errors import (
    ConfigError,
    DataError,
    FileError,
    InferenceError,
    InternalError,
    MotionmillError,
    NoteWarning,
    RejectedRowsWarning,
    SchemaError,
)
from .evaluate import evaluate_pose, evaluate_verification
from .plans import Summary, check_plan, recipes, run_plan
from .readers import Source, read_people, read_predictions, read_readings, read_table
from .skeletons import Skeleton, skeleton, skeleton_of, skeletons

_runtime.announce()

__version__: str = _native.__version__

__all__ = [
    "ConfigError",
    "DataError",
    "FileError",
    "InferenceError",
    "InternalError",
    "MotionmillError",
    "NoteWarning",
    "RejectedRowsWarning",
    "SchemaError",
    "Skeleton",
    "Source",
    "Summary",
    "__version__",
    "check_plan",
    "errors",
    "evaluate_pose",
    "evaluate_verification",
    "read",
    "read_people",
    "read_predictions",
    "read_readings",
    "read_table",
    "recipes",
    "run_plan",
    "skeleton",
    "skeleton_of",
    "skeletons",
    "stages",
    "synthetic",
    "write",
]
