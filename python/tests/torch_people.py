"""Small synthetic people for the tests of loaders, and the commands that make tables of them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np

#: Where the joints of a standing person are, as shares of the picture, in the order of LSP.
_STANDING = [
    (0.42, 0.90), (0.43, 0.72), (0.44, 0.55), (0.56, 0.55), (0.57, 0.72), (0.58, 0.90), (0.30, 0.55),
    (0.33, 0.42), (0.40, 0.30), (0.60, 0.30), (0.67, 0.42), (0.70, 0.55), (0.50, 0.27), (0.50, 0.12),
]  # fmt: skip


def motionmill(*arguments: object) -> None:
    """Run the command, which must succeed."""
    command = [sys.executable, "-m", "motionmill", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"


def write_people(folder: Path, count: int = 11, side: int = 96) -> Path:
    """``count`` people as LSP extended has them, read into a table; gives its folder."""
    from scipy.io import savemat

    rng = np.random.default_rng(5)
    images = folder / "raw" / "images"
    images.mkdir(parents=True)
    joints = np.zeros((14, 3, count))
    for at in range(count):
        picture = rng.integers(0, 256, (side, side, 3), dtype=np.uint8)
        # A picture is known by its first bytes, whatever its name.
        (images / f"im{at + 1:05d}.jpg").write_bytes(b"P6\n%d %d\n255\n" % (side, side) + picture.tobytes())
        joints[:, :2, at] = np.array(_STANDING) * side + rng.normal(0, 2, (14, 2))
        joints[:, 2, at] = 1
    savemat(folder / "raw" / "joints.mat", {"joints": joints})
    people = folder / "people"
    motionmill("ingest", "lspet", "--annotations", folder / "raw" / "joints.mat", "--images", images, "--out", people)
    return people


#: Changes that make the samples of each recipe small.
SMALL = {
    "cpm-lsp": {"stages.crop.run.crop": {"size": [48, 48], "frame": {"person": {"height": 30}}}},
    "hourglass-mpii": {
        "stages.crop.run.crop": {"size": [64, 64], "frame": {"person": {"height": 50, "shift_down": 0.075}}}
    },
    "repose-lsp": {"stages.crop.run.crop": {"size": [32, 32], "frame": {"person": {"height": 20}}}},
}


def write_shards(recipe: str, people: Path, out: Path, copies: int) -> Path:
    """The samples of a small recipe, each ``copies`` times, as ``motionmill run`` writes them."""
    from motionmill.torch.arguments import overrides

    before = {"cpm-lsp": "parts"}.get(recipe, "persons")
    changes = SMALL[recipe] | {
        "sources.people.read.table.path": people,
        "stages.copies": {"inputs": [before], "run": {"repeat": {"copies": copies}}},
        "stages.crop.inputs": ["copies"],
        "sinks.samples.write.parquet.path": out,
    }
    sets = [argument for change in overrides(changes) for argument in ("--set", change)]
    motionmill("run", f"recipe:{recipe}", *sets)
    return out
