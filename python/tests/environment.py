"""How the tests start commands: with this interpreter, and with the packages where the tests have found them."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path

#: This interpreter's `motionmill`.
COMMAND = [sys.executable, "-m", "motionmill"]

#: The folders that hold the packages.
_FOUND = [spec.origin for name in ("motionmill", "motionmill_networks") if (spec := find_spec(name)) and spec.origin]
_FOLDERS = [str(Path(origin).resolve().parents[1]) for origin in _FOUND]
os.environ["PYTHONPATH"] = os.pathsep.join([*_FOLDERS, *filter(None, [os.environ.get("PYTHONPATH")])])
