#!/usr/bin/env python3
"""Writes `docs/results.md` from what `models/prove.py` left under `docs/results`.

    python models/results.py            # writes the page and its picture
    python models/results.py --check    # fails where the page is not what the tables give

Numbers come from the metrics tables, the training logs and the definitions of the networks; what was not run is said to
be so. Written by hand are those of how motion's training was chosen: the deals of that choice are not kept.
"""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "models"))

from results_page import counts, motion, pose
from results_page.pose_outputs import outputs, read_all

RESULTS = ROOT / "docs" / "results"
PAGE = ROOT / "docs" / "results.md"
PICTURE = "lspet-pck.png"

HEAD = """# Results

Every network of the papers: how large it is, and what a slim version of it reaches that was trained from our shards,
exported to ONNX, run by a recipe and scored. `models/results.py` writes this page from the tables under
[results](results).
"""

AGAIN = """## Make it again

```sh
pip install '.[torch]' ./networks matplotlib
python models/prove.py lspet --data LSPET --work WORK/lspet             # joints.mat and images/
python models/prove.py sp-sw-har --data SP_SW_HAR --work WORK/sp-sw-har   # s01/ to s15/
python models/results.py
```

`prove.py` prepares, trains, exports, infers and scores, and leaves metrics and training logs under `docs/results`; what
its working folder holds already is not made again. `--only cpm repose` takes some systems alone. The same seed gives
the same weights on the same kind of processor with as many threads.
"""


def page(results: Path = RESULTS) -> str:
    """The text of the page, from the tables under `results`."""
    sections = [counts.section(), pose.section(results, f"{RESULTS.name}/{PICTURE}"), motion.section(results)]
    lines = [*HEAD.splitlines(), "", *(line for section in sections for line in section), *AGAIN.splitlines()]
    return "\n".join(lines) + "\n"


def draw(results: Path = RESULTS) -> Path | None:
    """Draw the picture beside the tables; none where no pose network was scored."""
    heads = outputs(read_all(results))
    if not heads:
        return None
    # Only who draws needs matplotlib.
    from results_page import curves

    curves.draw(heads, results / PICTURE)
    return results / PICTURE


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 where the page would change")
    text = page()
    if parser.parse_args().check:
        if PAGE.exists() and PAGE.read_text() == text:
            return 0
        print("error: docs/results.md is not what the tables give\n\nhint: python models/results.py", file=sys.stderr)
        return 1
    PAGE.write_text(text)
    draw()
    return 0


if __name__ == "__main__":
    sys.exit(main())
