"""Where ONNX Runtime is: first in the environment that this package is installed in."""

from __future__ import annotations

from importlib.util import find_spec

from . import _native


def announce() -> None:
    """Tell the Rust side where the ``onnxruntime`` package of this interpreter is, without importing it."""
    spec = find_spec("onnxruntime")
    if spec is not None and spec.submodule_search_locations:
        _native.use_runtime_of(next(iter(spec.submodule_search_locations)))
