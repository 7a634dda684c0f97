"""Small synthetic people for the tests of loaders, and tables of their samples."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from motionmill import run_plan, synthetic


def write_people(folder: Path, count: int = 11, side: int = 96, form: str = "lspet") -> Path:
    """``count`` pictures of people in the format ``form``, read into a table; gives its folder."""
    drawn = synthetic.write_people(form, folder / "raw", images=count, size=(side, side), seed=3)
    source = {"annotations": drawn.annotations, "images": drawn.images}
    people = folder / "people"
    run_plan(
        {
            "sources": {"annotations": {"read": {form: source}}},
            "sinks": {"people": {"inputs": ["annotations"], "write": {"parquet": {"path": people}}}},
        }
    )
    return people


#: Changes that make the samples of each recipe small.
SMALL: dict[str, dict[str, Any]] = {
    "cpm-lsp": {"stages.crop.run.crop": {"size": [48, 48], "frame": {"person": {"height": 30}}}},
    "hourglass-mpii": {
        "stages.crop.run.crop": {"size": [64, 64], "frame": {"person": {"height": 50, "shift_down": 0.075}}}
    },
    "repose-lsp": {"stages.crop.run.crop": {"size": [32, 32], "frame": {"person": {"height": 20}}}},
}


def write_shards(recipe: str, people: Path, out: Path, copies: int, **more: Any) -> Path:
    """The samples of a small recipe, each ``copies`` times, as ``motionmill run`` writes them."""
    before = {"cpm-lsp": "parts"}.get(recipe, "persons")
    changes = {
        "sources.people.read.table.path": people,
        "stages.copies": {"inputs": [before], "run": {"repeat": {"copies": copies}}},
        "stages.crop.inputs": ["copies"],
        "sinks.samples.write.parquet.path": out,
    }
    run_plan(f"recipe:{recipe}", SMALL[recipe] | changes | more, threads=2)
    return out
