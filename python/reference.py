"""Writes what follows from the plan's keys: the type stubs of the stages and the reference of stages and sources.

    python python/reference.py           # writes both files; `make reference` does it
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from motionmill import _keys, stages

ROOT = Path(__file__).resolve().parent.parent
STUBS = ROOT / "python" / "motionmill" / "stages.pyi"
REFERENCE = ROOT / "docs" / "reference" / "stages.md"

STUB_HEAD = '''\
# Written by `make reference` from the plan's keys; the tests compare it.
import os
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, overload

import pyarrow as pa

class Outcome(NamedTuple):
    rows: Any
    rejects: pa.RecordBatch
    notes: list[str]

class Stage:
    kind: str
    name: str
    seed: int
    def __init__(self, value: Any = ..., /, *, name: str | None = ..., seed: int = ..., **keys: Any) -> None: ...
    @property
    def config(self) -> Any: ...
    @property
    def inputs(self) -> list[str] | None: ...
    @property
    def engines(self) -> dict[str, str]: ...
    def output_schema(self, *schemas: Any) -> pa.Schema: ...
    def run(self, *inputs: Any) -> Outcome: ...
    def __call__(self, *inputs: Any) -> Any: ...
'''

REFERENCE_HEAD = """\
# Stages and sources

Written by `make reference`. The keys of a plan and the keyword arguments of the Python classes are the same: what a plan has
as `run.crop = { size = [256, 256], .. }` is `motionmill.stages.Crop(size=[256, 256], ..)` in Python. A key without default
must be given, unless it may be left out.
"""


def stubs() -> str:
    """The type stubs of `motionmill.stages`."""
    return STUB_HEAD + "".join(f"\n{_class(config)}" for config in _keys.stages().values())


def _class(config: _keys.Config) -> str:
    name = stages._class_name(config.kind)
    doc = textwrap.indent(f'"""{stages._docstring(config).strip()}\n"""', "    ")
    # A backslash in a doc is meant as it is.
    raw = doc.replace('"""', 'r"""', 1) if "\\" in doc else doc
    tail = f'*, {{}}name: str = "{config.kind}", seed: int = 0'
    forms = [f"self, {tail.format(''.join(map(_parameter, config.keys)))}"]
    if config.choice:
        forms = [f"self, {tail.format(f'{key.name}: {_keys.type_name(key.schema)}, ')}" for key in config.keys]
        words = ", ".join(f'"{word}"' for word, _ in config.words)
        forms += [f"self, value: Literal[{words}], /, {tail.format('')}"] * bool(words)
    mark = "    @overload\n" * (len(forms) > 1)
    inits = "".join(f"{mark}    def __init__({form}) -> None: ...\n" for form in forms)
    return f"class {name}(Stage):\n{raw}\n\n{inits}"


def _parameter(key: _keys.Key) -> str:
    default = "" if key.required else f" = {key.default!r}" if _is_plain(key.default) else " = ..."
    return f"{key.name}: {_keys.type_name(key.schema)}{default}, "


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, bool | int | float | str)


def reference() -> str:
    """The reference of plan keys, in Markdown."""
    parts = [REFERENCE_HEAD, "\n# Stages\n"]
    for config in _keys.stages().values():
        parts.append(_section(config, f"run.{config.kind}", stages._class_name(config.kind)))
    parts.append("\n# Sources\n")
    for config in _keys.sources().values():
        parts.append(_section(config, f"read.{config.kind}", None))
    return "".join(parts)


def _section(config: _keys.Config, title: str, name: str | None) -> str:
    lines = [f"\n## `{title}`\n"]
    if name:
        lines.append(f"In Python: `motionmill.stages.{name}`.\n")
    lines.append(f"{config.about}\n")
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


FILES = {STUBS: stubs, REFERENCE: reference}


def main() -> None:
    """Write all files."""
    for path, make in FILES.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(make())
        print(f"wrote {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
