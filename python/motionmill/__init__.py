"""Raw human-motion data to Arrow tables: stages, readers and evaluators at Rust speed.

What flows are Arrow tables of declared schemas. Pixel centres are at integers, the origin is top left, coordinates are
0-based px, x then y; visibility is 0 not annotated, 1 occluded, 2 visible; images are RGB ``[H, W, 3]`` ``uint8``.

>>> import motionmill
>>> from motionmill import stages
>>> crop = stages.Crop(size=[256, 256], frame={"person": {"height": 200}})
"""

from __future__ import annotations

from . import _native, _runtime, errors, stages
from .errors import (
    ConfigError,
    DataError,
    FileError,
    InferenceError,
    InternalError,
    MotionmillError,
    RejectedRowsWarning,
    SchemaError,
)

_runtime.announce()

__version__: str = _native.__version__

__all__ = [
    "ConfigError",
    "DataError",
    "FileError",
    "InferenceError",
    "InternalError",
    "MotionmillError",
    "RejectedRowsWarning",
    "SchemaError",
    "__version__",
    "errors",
    "stages",
]
