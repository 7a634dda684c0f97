"""What the Rust side says about its configurations: one source for docstrings, signatures, stubs and the reference.

A configuration comes as JSON schema. It is a table of keys, or a choice between forms, each of which is a word
(``png``) or a key with its own table (``uniform = { max_degrees = 40 }``).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from . import _native

_FENCED = re.compile(r"```.*?```", re.DOTALL)
_LINK = re.compile(r"\[(`[^`]+`)\](?!\()")


@dataclass(frozen=True)
class Key:
    """A key of a plan."""

    name: str
    schema: dict[str, Any] = field(repr=False)
    required: bool

    @property
    def doc(self) -> str:
        """What it means."""
        return plain(self.schema.get("description", ""))

    @property
    def has_default(self) -> bool:
        """Whether it has a default value."""
        return self.schema.get("default") is not None

    @property
    def default(self) -> Any:
        """The default value; numbers without a decimal point where they are whole."""
        return whole(self.schema.get("default"))


@dataclass(frozen=True)
class Config:
    """The configuration of one stage, source or sink."""

    kind: str
    about: str
    #: Its keys; for a choice, the keys of which one is given.
    keys: tuple[Key, ...]
    #: Words that stand in the place of keys.
    words: tuple[tuple[str, str], ...]
    #: Whether one of several forms is chosen.
    choice: bool


@cache
def stages() -> dict[str, Config]:
    """The configurations of all stages, in dataflow order."""
    return _configs("stages")


@cache
def sources() -> dict[str, Config]:
    """The configurations of all sources."""
    return _configs("sources")


@cache
def sinks() -> dict[str, Config]:
    """The configurations of all sinks."""
    return _configs("sinks")


def inputs(which: str) -> dict[str, list[str]]:
    """By kind: the tables that it takes; of ``source_inputs`` or ``sink_inputs``."""
    found: dict[str, list[str]] = _schemas()[which]
    return found


@cache
def _schemas() -> dict[str, Any]:
    schemas: dict[str, Any] = json.loads(_native.plan_schemas())
    return schemas


def _configs(which: str) -> dict[str, Config]:
    variants = _schemas()[which]["oneOf"]
    configs = (_config(variant) for variant in variants)
    return {config.kind: config for config in configs}


def _config(variant: dict[str, Any]) -> Config:
    ((kind, schema),) = variant["properties"].items()
    about = plain(variant.get("description", ""))
    found = forms(schema)
    if found is None:
        return Config(kind, about, keys(schema), (), choice=False)
    words = tuple((form["const"], plain(form.get("description", ""))) for form in found if "const" in form)
    return Config(kind, about, tuple(_form_key(form) for form in found if "const" not in form), words, choice=True)


def keys(schema: dict[str, Any]) -> tuple[Key, ...]:
    """The keys of a table."""
    required = schema.get("required", [])
    return tuple(Key(name, settled(below), name in required) for name, below in schema.get("properties", {}).items())


def settled(schema: dict[str, Any]) -> dict[str, Any]:
    """``schema`` without the detour of a value that may be null: it says so itself."""
    values = [form for form in schema.get("anyOf", []) if form.get("type") != "null"]
    if len(values) != 1:
        return schema
    outer = {key: value for key, value in schema.items() if key != "anyOf"}
    return {**values[0], **outer, "nullable": True}


def forms(schema: dict[str, Any]) -> list[dict[str, Any]] | None:
    """The forms of a choice, words among them; ``None`` for anything else."""
    return schema.get("oneOf")


def _form_key(form: dict[str, Any]) -> Key:
    ((name, below),) = form["properties"].items()
    # The form says what it is; what it holds may repeat that.
    return Key(name, {**below, "description": form.get("description", below.get("description", ""))}, required=False)


def form_key(form: dict[str, Any]) -> Key | None:
    """The key of a form that is not a word."""
    return None if "const" in form else _form_key(form)


def plain(text: str) -> str:
    """A Rust doc as plain text: without examples and links."""
    return _LINK.sub(r"\1", _FENCED.sub("", text)).strip()


def whole(value: Any) -> Any:
    """``value`` with its numbers as a plan would have them: without a decimal point where they are whole."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [whole(item) for item in value]
    if isinstance(value, dict):
        return {key: whole(item) for key, item in value.items()}
    return value


def type_name(schema: dict[str, Any]) -> str:
    """The Python type of a value, as a type checker reads it."""
    if schema.get("nullable"):
        return type_name({**schema, "nullable": False}) + " | None"
    found = forms(schema)
    if found is not None:
        words = ", ".join(f'"{form["const"]}"' for form in found if "const" in form)
        names = [f"Literal[{words}]"] if words else []
        return " | ".join(names + ["Mapping[str, Any]"] * any("const" not in form for form in found))
    if "anyOf" in schema:
        return " | ".join(type_name(below) for below in schema["anyOf"])
    if "enum" in schema:
        return "Literal[" + ", ".join(f'"{word}"' for word in schema["enum"] if word is not None) + "]"
    kinds = schema.get("type", "object")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    return " | ".join(_one_type(kind, schema) for kind in kinds)


def _one_type(kind: str, schema: dict[str, Any]) -> str:
    if kind == "string" and schema.get("format") in ("path", "skeleton"):
        return "str | os.PathLike[str]"
    if kind == "array":
        return f"Sequence[{type_name(schema['items'])}]"
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"Mapping[str, {type_name(schema['additionalProperties'])}]"
    names = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
    return names.get(kind, "Mapping[str, Any]")
