"""Runs the notebooks on demo data and writes them back with outputs: `python notebooks/execute.py [NOTEBOOK ...]`.

What would differ from one run or machine to the next is taken out: times, versions of the interpreter, what pictures say
of the program that drew them, what libraries log.
"""

from __future__ import annotations

import argparse
import base64
import io
import os
import shlex
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode
from PIL import Image
from traitlets.config import Config

FOLDER = Path(__file__).resolve().parent
#: Seconds that one cell may take.
CELL_SECONDS = 120
#: Colours of a committed picture: 256 look alike and take a third of the room.
COLOURS = 256
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def notebooks() -> list[Path]:
    """All notebooks, in dataflow order."""
    return sorted(FOLDER.glob("[0-9][0-9]_*.ipynb"))


def lacks(path: Path) -> str | None:
    """The package that the notebook at `path` cannot do without and that is not here."""
    return "torch" if "train" in path.stem and not find_spec("torch") else None


def make_demo(folder: Path) -> Path:
    """Write the demo data to `folder`, by the command of ``MOTIONMILL_BIN`` or that of this interpreter."""
    words = shlex.split(os.environ.get("MOTIONMILL_BIN", "")) or [sys.executable, "-m", "motionmill"]
    command = [*words, "demo", "--out", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment())
    if done.returncode != 0:
        raise RuntimeError(f"`{shlex.join(command)}` gave {done.returncode}: {done.stderr[-2000:]}")
    return folder


def environment() -> dict[str, str]:
    """The variables of this process, with which others import the package that this one would."""
    package = find_spec("motionmill")
    if package is None or package.origin is None:
        raise RuntimeError("the package motionmill is not here: pip install '.[notebooks]'")
    paths = [str(Path(package.origin).parents[1]), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in paths if path)}


def execute(path: Path, demo: Path) -> NotebookNode:
    """The notebook at `path` run from its first cell on the data in `demo`, clean; the file stays as it is."""
    notebook = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        settings = Config()
        # Sockets in a folder of its own, no ports: several may run at once.
        settings.KernelManager.transport = "ipc"
        settings.KernelManager.ip = f"{folder}/kernel"
        client = NotebookClient(
            notebook,
            timeout=CELL_SECONDS,
            kernel_name=KERNEL["name"],
            resources={"metadata": {"path": str(FOLDER)}},
            config=settings,
        )
        client.execute(env={**environment(), "MOTIONMILL_DEMO": str(demo)})
    return clean(notebook)


def clean(notebook: NotebookNode) -> NotebookNode:
    """`notebook` without what differs from run to run."""
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNEL, "language_info": {"name": "python"}})
    number = 0
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict({"tags": cell.metadata.tags} if cell.metadata.get("tags") else {})
        if cell.cell_type != "code":
            continue
        number += 1
        cell.execution_count = number
        # What is logged there depends on what else is installed.
        cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
        for output in cell.outputs:
            output.pop("metadata", None) if output.output_type == "stream" else output.update(metadata={})
            if output.output_type == "execute_result":
                output.execution_count = number
            data = output.get("data", {})
            if "image/png" in data:
                data["image/png"] = small_picture(data["image/png"])
    return notebook


def small_picture(png: str) -> str:
    """The picture with few colours and without words of its maker, in base64 as `png` is; a small one as it is."""
    picture = Image.open(io.BytesIO(base64.b64decode(png)))
    if picture.mode == "P":
        return png
    picture = picture.convert("RGB").quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    out = io.BytesIO()
    picture.save(out, "PNG", optimize=True)
    return base64.b64encode(out.getvalue()).decode()


def main() -> None:
    """Run the notebooks named on the command line, or all, and write them back."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="*", type=Path, help="all of them where none is named")
    parser.add_argument("--demo", type=Path, help="data that `motionmill demo` wrote; made anew where not given")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        demo = given.demo.resolve() if given.demo else make_demo(Path(folder) / "demo")
        for path in given.notebooks or notebooks():
            if package := lacks(path):
                print(f"{path.name}: left as it is, {package} is not installed")
                continue
            executed = execute(path, demo)
            nbformat.write(executed, path)
            print(f"{path.name}: {path.stat().st_size // 1024} KiB")


if __name__ == "__main__":
    main()
