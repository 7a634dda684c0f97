"""Every notebook runs on demo data, and what is committed is what it gives."""

from __future__ import annotations

import fcntl
import importlib.util
import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest

for needed in ["matplotlib", "nbclient", "ipykernel", "polars"]:
    pytest.importorskip(needed, reason="notebooks need motionmill[notebooks]")

FOLDER = Path(__file__).resolve().parents[2] / "notebooks"
#: Most bytes of a notebook: it is read on a forge, over slow lines too.
MOST_BYTES = 300_000
#: Cells whose numbers hang on a network's arithmetic, which differs by processor: their words are compared.
APPROXIMATE = "approximate"


def _module() -> Any:
    spec = importlib.util.spec_from_file_location("execute", FOLDER / "execute.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["execute"] = module
    spec.loader.exec_module(module)
    return module


execute = _module()
NOTEBOOKS = execute.notebooks()


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that ``MOTIONMILL_DEMO`` names, or one made once for all processes of this test run."""
    if given := os.environ.get("MOTIONMILL_DEMO"):
        return Path(given).resolve()
    base = tmp_path_factory.getbasetemp()
    # With pytest-xdist each process has a folder of its own in one that they share.
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    with (shared / "demo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ready = shared / "demo.ready"
        if not ready.exists():
            execute.make_demo(shared / "demo")
            ready.touch()
    return shared / "demo"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_gives_what_is_committed(path: Path, demo: Path) -> None:
    if package := execute.lacks(path):
        pytest.skip(f"it needs {package}")
    committed = execute.nbformat.read(path, as_version=4)
    assert differences(committed, execute.execute(path, demo)) == [], "`make notebooks` writes them anew"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_committed_notebook_is_small_and_says_nothing_of_a_machine(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    notebook = execute.nbformat.reads(text, as_version=4)
    execute.nbformat.validate(notebook)
    assert len(text) < MOST_BYTES
    assert notebook == execute.clean(execute.nbformat.reads(text, as_version=4)), "it is clean"
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            assert output.output_type != "error"
            assert output.get("name") != "stderr", words(output)
            assert not re.search(r"(^|[\s'\"])/\w+/|[A-Z]:\\\\|0x[0-9a-f]{8}", words(output)), words(output)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert any("image/png" in output.get("data", {}) for cell in code for output in cell.outputs)


def test_all_notebooks_are_here_and_listed() -> None:
    listed = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert [path.name[:2] for path in NOTEBOOKS] == [f"{number:02}" for number in range(1, 8)]
    assert all(f"({path.name})" in listed for path in NOTEBOOKS)


def test_stale_outputs_are_found() -> None:
    def notebook(text: str, tags: list[str], pictures: int = 1) -> Any:
        data = {"output_type": "display_data", "metadata": {}, "data": {"image/png": "", "text/plain": "<Figure>"}}
        outputs = [{"output_type": "stream", "name": "stdout", "text": text}, *[data] * pictures]
        cell = {"cell_type": "code", "metadata": {"tags": tags}, "outputs": outputs, "source": ""}
        return execute.nbformat.from_dict({"cells": [cell], "metadata": {}})

    assert differences(notebook("a 1.5", []), notebook("a 1.5", [])) == []
    assert differences(notebook("a 1.5", []), notebook("a 1.6", [])) == ["cell 1, output 1: 'a 1.5' is now 'a 1.6'"]
    assert differences(notebook("a 1.5", [APPROXIMATE]), notebook("a -11.6e-3", [APPROXIMATE])) == []
    assert differences(notebook("a 1.5", [APPROXIMATE]), notebook("b 1.5", [APPROXIMATE])) != []
    found = differences(notebook("a", [], pictures=1), notebook("a", [], pictures=2))
    assert found == ["cell 1: 2 outputs are now 3"]


def differences(committed: Any, executed: Any) -> list[str]:
    """What of `committed` is no longer so: kinds and numbers of outputs, and their words; pictures are not compared."""
    found = []
    for number, (before, now) in enumerate(zip(committed.cells, executed.cells, strict=True), start=1):
        old, new = before.get("outputs", []), now.get("outputs", [])
        if len(old) != len(new):
            found.append(f"cell {number}: {len(old)} outputs are now {len(new)}")
            continue
        hide = APPROXIMATE in before.metadata.get("tags", [])
        for place, (one, other) in enumerate(zip(old, new, strict=True), start=1):
            if kinds(one) != kinds(other):
                found.append(f"cell {number}, output {place}: {kinds(one)} is now {kinds(other)}")
            elif comparable(words(one), hide) != comparable(words(other), hide):
                found.append(f"cell {number}, output {place}: {words(one)!r} is now {words(other)!r}")
    return found


def kinds(output: Any) -> list[str]:
    """What an output is."""
    return [output.output_type, output.get("name", ""), *sorted(output.get("data", {}))]


def words(output: Any) -> str:
    """What an output says, apart from pictures."""
    data = output.get("data", {})
    return output.get("text", "") if output.output_type == "stream" else data.get("text/plain", "")


def comparable(text: str, hide_numbers: bool) -> str:
    """`text` without its numbers, if they may differ; tables are drawn as wide as their numbers."""
    if not hide_numbers:
        return text
    text = re.sub(r"-?\d+(\.\d+)?(e[+-]?\d+)?", "#", text)
    return re.sub(r"[\s─═┄╌]+", " ", text)
