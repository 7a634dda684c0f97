"""One exception a kind; nothing aborts the interpreter."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

import motionmill
from motionmill import ConfigError, FileError, MotionmillError, SchemaError, errors


def test_kinds_are_what_python_expects_too() -> None:
    bases = {
        "ConfigError": ValueError,
        "SchemaError": TypeError,
        "DataError": ValueError,
        "FileError": OSError,
        "InferenceError": RuntimeError,
        "InternalError": RuntimeError,
    }
    for name, base in bases.items():
        kind = getattr(errors, name)
        assert issubclass(kind, MotionmillError) and issubclass(kind, base) and getattr(motionmill, name) is kind
        error = kind("a message", "a hint")
        assert (error.message, error.hint, str(error)) == ("a message", "a hint", "a message\n\nhint: a hint")
        assert str(kind("alone")) == "alone"
        twin = pickle.loads(pickle.dumps(error))
        assert (type(twin), twin.message, twin.hint) == (kind, "a message", "a hint")


def test_the_hint_stands_apart(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        motionmill.check_plan({"sources": {}, "sinks": {}})
    assert refused.value.message == "the plan has no sinks"
    assert refused.value.hint is not None and "write.parquet" in refused.value.hint
    with pytest.raises(FileError, match=r"manifest\.json") as missing:
        motionmill.read_table(tmp_path)
    assert missing.value.hint is not None


def test_unknown_names_list_the_known() -> None:
    with pytest.raises(ConfigError, match="no skeleton is called `mpii17`; there are `mpii16`"):
        motionmill.skeleton("mpii17")
    with pytest.raises(ConfigError, match="no recipe is called `cpm`; there are `deeppose-lsp`"):
        motionmill.run_plan("recipe:cpm")


def test_a_panic_is_an_exception() -> None:
    # Arrow's own checks panic where a buffer that it is handed is not aligned for its numbers.
    import pyarrow as pa

    odd = pa.py_buffer(b"\0" * 17).slice(1)
    column = pa.Array.from_buffers(pa.float64(), 2, [None, odd])
    rows = pa.record_batch({"scale": column})
    try:
        motionmill.stages.Select(columns=["scale"]).run(rows)
    except SchemaError:
        pytest.fail("a column that is there is not missing")
    except BaseException as error:
        assert "align" in str(error).lower() or isinstance(error, MotionmillError)
