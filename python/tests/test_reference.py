"""What is generated is what is committed, and what is declared is what is there."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import os
from pathlib import Path

import pytest

import motionmill
from motionmill import stages

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


def stub_classes() -> dict[str, ast.ClassDef]:
    tree = ast.parse((FOLDER / "motionmill" / "stages.pyi").read_text())
    return {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}


def test_stubs_have_the_classes_methods_and_arguments_of_the_runtime() -> None:
    declared = stub_classes()
    assert set(declared) == set(stages.__all__)
    for name, node in declared.items():
        made = getattr(stages, name)
        functions = [item for item in node.body if isinstance(item, ast.FunctionDef)]
        for function in functions:
            assert hasattr(made, function.name), f"{name}.{function.name}"
        if name in ("Outcome", "Stage"):
            continue
        arguments = {argument.arg for function in functions for argument in function.args.kwonlyargs}
        positional = {argument.arg for function in functions for argument in function.args.posonlyargs} - {"self"}
        assert arguments | positional == set(inspect.signature(made).parameters), name
        assert ast.get_docstring(node) == inspect.cleandoc(made.__doc__), name


def test_stage_base_class_is_declared_in_full() -> None:
    node = stub_classes()["Stage"]
    declared = {item.name for item in node.body if isinstance(item, ast.FunctionDef)}
    declared |= {item.target.id for item in node.body if isinstance(item, ast.AnnAssign)}
    public = {name for name in vars(stages.Stage) if not name.startswith("_")} | {"name", "seed", "__init__", "__call__"}
    assert declared == public


def test_what_is_exported_is_there_and_documented() -> None:
    for name in motionmill.__all__:
        item = getattr(motionmill, name)
        assert name == "__version__" or inspect.getdoc(item), name
