"""Writes what follows from the plan's keys: the type stubs of the stages and the reference of stages and sources.

    python python/reference.py           # writes all files; `make reference` does it
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from motionmill import _keys

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "python" / "motionmill"
REFERENCE = ROOT / "docs" / "reference" / "stages.md"

WRITTEN = "# Written by `make reference` from the plan's keys; the tests compare it.\n"

STAGES_HEAD = '''\
"""Every stage of a plan as a class.

The keyword arguments are the plan's keys. Where a plan has a word instead of keys, as in ``run.encode_image = "png"``, it
is the one positional argument::

    Crop(size=[256, 256], frame={"person": {"height": 200}})     # run.crop = { size = [256, 256], frame = ... }
    Rotate(uniform={"max_degrees": 40})                          # run.rotate.uniform = { max_degrees = 40 }
    EncodeImage("png")                                           # run.encode_image = "png"

The rules of a plan hold: a key that is ``None`` is not given, a path is taken from the current folder, and an unknown key
or a value out of range is a :class:`~motionmill.errors.ConfigError` in the plan's words.

Two keywords are not keys but what a plan says around the stage: ``name``, the stage's name in the plan, and ``seed``. Both
are part of the key of every random draw, together with the sample's id and copy. So the same name and seed give the same
bytes as ``motionmill run``, in whatever order and from whatever thread.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from ._stage import Outcome, Stage
'''

READ_HEAD = '''\
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
'''

WRITE_HEAD = '''\
"""Every sink of a plan as a function: what a plan has as ``write.coco = { path = .. }`` is ``write.coco(people, path=...)``.

Each writes whole tables and gives the number of rows that stand in the target. Rows that the format cannot hold are a
:class:`~motionmill.errors.RejectedRowsWarning`. A target that is there is replaced only with ``force``.
"""

from __future__ import annotations

import os
from typing import Any, Literal

from .readers import write_sink
'''

REFERENCE_HEAD = """\
# Stages, sources and sinks

Written by `make reference`. The keys of a plan and the keyword arguments of the Python classes are the same: what a plan has
as `run.crop = { size = [256, 256], .. }` is `motionmill.stages.Crop(size=[256, 256], ..)` in Python. A key without default
must be given, unless it may be left out. Sources and sinks are functions of `motionmill.read` and `motionmill.write`.
"""


def stages() -> str:
    """`motionmill.stages`."""
    configs = _keys.stages().values()
    names = sorted(["Outcome", "Stage", *(class_name(config.kind) for config in configs)])
    return _module(STAGES_HEAD, names, map(_class, configs))


def read() -> str:
    """`motionmill.read`."""
    configs = _keys.sources()
    return _module(READ_HEAD, sorted(configs), map(_reader, configs.values()))


def write() -> str:
    """`motionmill.write`."""
    configs = _keys.sinks()
    return _module(WRITE_HEAD, sorted(configs), map(_writer, configs.values()))


def _module(head: str, names: list[str], parts: Iterator[str]) -> str:
    listed = "".join(f'    "{name}",\n' for name in names)
    return f"{WRITTEN}{head}\n__all__ = [\n{listed}]\n" + "".join(f"\n\n{part}" for part in parts)


def class_name(kind: str) -> str:
    """The class of the stage `kind`."""
    return "".join(word.capitalize() for word in kind.split("_"))


def _docstring(config: _keys.Config) -> str:
    lines = [config.about, ""]
    if config.choice:
        lines += ["One of these is given:", ""]
    lines += [f"- ``{word!r}``: {doc}" for word, doc in config.words]
    lines += [f"- ``{key.name}``: {' '.join(key.doc.split())}" for key in config.keys]
    text = textwrap.indent(f'"""{chr(10).join(lines).strip()}\n"""', "    ")
    # A backslash in a doc is meant as it is.
    return text.replace('"""', 'r"""', 1) if "\\" in text else text


def _class(config: _keys.Config) -> str:
    value, passed = "", ""
    if config.words:
        words = f"Literal[{', '.join(f'{word!r}' for word, _ in config.words)}]".replace("'", '"')
        value = f"value: {words} | None = None, /, " if config.keys else f"value: {words}, /, "
        passed = "value, "
    parameters = "".join(map(_parameter, config.keys))
    given = "".join(f"{key.name}={key.name}, " for key in config.keys)
    return (
        f"class {class_name(config.kind)}(Stage):\n{_docstring(config)}\n\n"
        f'    kind = "{config.kind}"\n\n'
        f'    def __init__(self, {value}*, {parameters}name: str = "{config.kind}", seed: int = 0) -> None:\n'
        f"        super().__init__({passed}{given}name=name, seed=seed)\n"
    )


def _reader(config: _keys.Config) -> str:
    inputs = _keys.inputs("source_inputs")[config.kind]
    tables = "".join(f"{name}: Any, " for name in inputs)
    parameters = "".join(map(_parameter, config.keys)).removesuffix(", ")
    given = "".join(f", {key.name}={key.name}" for key in config.keys)
    taken = "".join(f", {name}" for name in inputs)
    return (
        f"def {config.kind}({tables}*, {parameters}) -> pa.Table:\n{_docstring(config)}\n"
        f'    return read_source("{config.kind}"{taken}{given})\n'
    )


def _writer(config: _keys.Config) -> str:
    inputs = _keys.inputs("sink_inputs")[config.kind]
    tables = "".join(f"{name}: Any, " for name in inputs)
    parameters = "".join(map(_parameter, config.keys))
    given = "".join(f", {key.name}={key.name}" for key in config.keys)
    return (
        f"def {config.kind}({tables}*, {parameters}force: bool = False) -> int:\n{_docstring(config)}\n"
        f'    return write_sink("{config.kind}", [{", ".join(inputs)}], force=force{given})\n'
    )


def _parameter(key: _keys.Key) -> str:
    kind = _keys.type_name(key.schema)
    if key.required:
        return f"{key.name}: {kind}, "
    if key.has_default and isinstance(key.default, bool | int | float | str):
        default = f'"{key.default}"' if isinstance(key.default, str) else repr(key.default)
        return f"{key.name}: {kind} = {default}, "
    return f"{key.name}: {kind.removesuffix(' | None')} | None = None, "


def reference() -> str:
    """The reference of plan keys, in Markdown."""
    parts = [REFERENCE_HEAD, "\n# Stages\n"]
    for config in _keys.stages().values():
        parts.append(_section(config, f"run.{config.kind}", f"In Python: `motionmill.stages.{class_name(config.kind)}`.\n"))
    parts.append("\n# Sources\n")
    for config in _keys.sources().values():
        parts.append(_section(config, f"read.{config.kind}", _example(config, "source")))
    parts.append("\n# Sinks\n")
    for config in _keys.sinks().values():
        parts.append(_section(config, f"write.{config.kind}", _example(config, "sink")))
    return "".join(parts)


#: Values of the keys that must be given, for examples.
EXAMPLE_VALUES = {
    "annotations": "annotations.mat",
    "images": "images",
    "file": "predictions.h5",
    "array": "preds",
    "first_pixel": 1,
    "path": "people",
}

#: Those of one source or sink, where they are others.
OTHER_VALUES = {
    ("coco", "annotations"): "person_keypoints_val2017.json",
    ("yolo", "annotations"): "data.yaml",
    ("penn_action", "annotations"): "labels",
    ("jhmdb", "annotations"): "joint_positions",
    ("posetrack", "annotations"): "annotations/val",
    ("coco_results", "file"): "results.json",
    ("trials", "path"): "scores.csv",
}


def _example(config: _keys.Config, side: str) -> str:
    """A source or sink in a plan, and the same in Python."""
    inputs = _keys.inputs(f"{side}_inputs")[config.kind]
    verb = "read" if side == "source" else "write"
    required = [key.name for key in config.keys if key.required]
    values = {key: OTHER_VALUES.get((config.kind, key)) or EXAMPLE_VALUES[key] for key in required}
    named = inputs if verb == "read" else ["people"] if inputs == ["rows"] else inputs
    lines = [f"[{side}s.{'found' if verb == 'read' else 'written'}]"]
    lines += [f"inputs = {_toml(named)}"] * bool(named)
    lines.append(f"{verb}.{config.kind} = {_toml(values)}")
    arguments = ", ".join([*named, *(f"{key}={value!r}" for key, value in values.items())])
    call = f"motionmill.{verb}.{config.kind}({arguments})".replace("'", '"')
    return "```toml\n" + "\n".join(lines) + f"\n```\n\nIn Python: `{call}`.\n"


def _section(config: _keys.Config, title: str, more: str) -> str:
    lines = [f"\n## `{title}`\n", f"{config.about}\n", more]
    rows = [("`" + f'"{word}"' + "`", "", "", doc) for word, doc in config.words]
    for key in config.keys:
        rows += _rows(key.name, key, may_be_left_out=not config.choice)
    if not rows:
        return "\n".join([*lines, "It has no keys.\n"])
    if config.choice:
        lines.append("One of these is given.\n")
    lines += ["| key | value | default | meaning |", "|---|---|---|---|"]
    lines += ["| " + " | ".join(_cell(text) for text in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def _rows(path: str, key: _keys.Key, may_be_left_out: bool = True) -> Iterator[tuple[str, str, str, str]]:
    """The row of `key` and the rows of what stands below it."""
    schema = key.schema
    default = f"`{_toml(key.default)}`" if key.has_default else ""
    if not key.required and not default and may_be_left_out:
        default = "may be left out"
    forms = _keys.forms(schema)
    words = [form for form in forms or [] if "const" in form]
    below = [_keys.form_key(form) for form in forms or [] if "const" not in form]
    yield f"`{path}`", _value(schema, words, below), default, key.doc
    for word in words:
        if word.get("description"):
            yield "", f'`"{word["const"]}"`', "", _keys.plain(word["description"])
    item = schema.get("items", {})
    inner = _keys.keys(schema) or _keys.keys(item)
    if _keys.keys(item):
        path += "[]"
    for form in below:
        yield from _rows(f"{path}.{form.name}", form, may_be_left_out=False)
    for next_key in inner:
        yield from _rows(f"{path}.{next_key.name}", next_key)


def _value(schema: dict[str, Any], words: list[dict[str, Any]], below: list[_keys.Key]) -> str:
    if words or below:
        return "one of the following" if below or any(word.get("description") for word in words) else _words(words)
    if "enum" in schema:
        return ", ".join(f'`"{word}"`' for word in schema["enum"] if word is not None)
    if "anyOf" in schema:
        return " or ".join(_value(form, [], []) for form in schema["anyOf"])
    kinds = schema.get("type", "object")
    kind = next(kind for kind in (kinds if isinstance(kinds, list) else [kinds]) if kind != "null")
    if kind == "array":
        item = schema["items"]
        inner = [form for form in _keys.forms(item) or [] if "const" in form]
        of = _words(inner) if inner else _value(item, [], [])
        count = schema.get("minItems") if schema.get("minItems") == schema.get("maxItems") else None
        return f"list of {of}" if count is None else f"list of {count}, each {of}"
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"table of {_value(schema['additionalProperties'], [], [])}"
    name = {"string": "text", "integer": "integer", "number": "number", "boolean": "true or false", "object": "table"}[kind]
    if schema.get("format") == "path":
        name = "path"
    if schema.get("format") == "skeleton":
        name = "name or path of a skeleton"
    rule = schema.get("rule")
    return f"{name}, {rule}" if rule and kind == "number" else (rule or name)


def _words(words: list[dict[str, Any]]) -> str:
    return ", ".join(f'`"{word["const"]}"`' for word in words)


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(below)}" for key, below in value.items()) + " }"
    return str(value)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


FILES = {
    PACKAGE / "stages.py": stages,
    PACKAGE / "read.py": read,
    PACKAGE / "write.py": write,
    REFERENCE: reference,
}


def main() -> None:
    """Write all files."""
    for path, make in FILES.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(make())
        print(f"wrote {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
