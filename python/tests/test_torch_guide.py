"""docs/guides/training.md does what it says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="motionmill.torch needs PyTorch")

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guides" / "training.md"


def test_the_guide_on_training(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(1)
    # So small a network gains nothing from threads, and loses much where others use the machine.
    torch.set_num_threads(1)
    names: dict = {}
    for language, text in re.findall(r"^```(\w+)\n(.*?)^```$", GUIDE.read_text(), re.MULTILINE | re.DOTALL):
        if language == "toml":
            Path("training.toml").write_text(text)
        elif language == "sh":
            for line in text.splitlines():
                program, *arguments = line.split()
                assert program == "motionmill"
                environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
                command = [sys.executable, "-m", "motionmill", *arguments]
                subprocess.run(command, check=True, capture_output=True, env=environment)
        else:
            assert language == "python"
            exec(compile(text, str(GUIDE), "exec"), names)
    assert names["losses"][-1] < 0.8 * names["losses"][0], "the network has learnt something"
