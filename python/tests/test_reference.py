"""What is generated is what is committed, and what is declared is what is there."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import os
from pathlib import Path

import pytest

import motionmill
from motionmill import _keys, _native, read, stages, write

FOLDER = Path(__file__).resolve().parents[1]


def generator() -> object:
    spec = importlib.util.spec_from_file_location("reference", FOLDER / "reference.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("path", list(generator().FILES), ids=lambda path: path.name)
def test_generated_files_are_up_to_date(path: Path) -> None:
    text = generator().FILES[path]()
    if os.environ.get("MOTIONMILL_WRITE_REFERENCE"):
        path.write_text(text)
    assert path.read_text() == text, f"`make reference` writes {path.name} anew"


def members(node: ast.Module | ast.ClassDef) -> dict[str, ast.stmt]:
    """What a stub declares."""
    found: dict[str, ast.stmt] = {}
    for item in node.body:
        if isinstance(item, ast.FunctionDef | ast.ClassDef):
            found[item.name] = item
        elif isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
            found[item.target.id] = item
    return found


def test_the_stub_of_the_native_module_has_its_names_and_no_others() -> None:
    declared = members(ast.parse((FOLDER / "motionmill" / "_native.pyi").read_text()))
    public = {name for name in vars(_native) if not name.startswith("_")} | {"__version__"}
    assert set(declared) == public
    for name, node in declared.items():
        if isinstance(node, ast.ClassDef):
            made = {member for member in vars(getattr(_native, name)) if not member.startswith("_")}
            assert {member for member in members(node) if not member.startswith("_")} == made, name


def test_generated_classes_and_functions_take_the_keys_of_a_plan() -> None:
    for kind, config in _keys.stages().items():
        made = getattr(stages, generator().class_name(kind))
        assert issubclass(made, stages.Stage) and made.kind == kind
        taken = set(inspect.signature(made).parameters)
        assert taken == {key.name for key in config.keys} | {"name", "seed"} | ({"value"} if config.words else set()), kind
    for module, configs, which in ((read, _keys.sources(), "source"), (write, _keys.sinks(), "sink")):
        assert sorted(configs) == module.__all__
        for kind, config in configs.items():
            taken = set(inspect.signature(getattr(module, kind)).parameters)
            inputs = set(_keys.inputs(f"{which}_inputs")[kind])
            assert taken == {key.name for key in config.keys} | inputs | ({"force"} if module is write else set()), kind


def test_what_is_exported_is_there_and_documented() -> None:
    for name in motionmill.__all__:
        item = getattr(motionmill, name)
        assert name == "__version__" or inspect.getdoc(item), name
