"""docs/guides/networks.md does what it says."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="motionmill_networks needs PyTorch")
pytest.importorskip("onnx", reason="the export needs onnx")

from environment import COMMAND
from network_runs import as_before, rows_of, train

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guides" / "networks.md"


@pytest.fixture(autouse=True)
def settings_of_torch():
    with as_before():
        yield


def test_the_guide_on_networks(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text, names = GUIDE.read_text(), {}
    for block in re.finditer(r"^```(\w+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        language, words = block.groups()
        if language == "toml":
            Path(re.findall(r"`(\w+\.toml)`", text[: block.start()])[-1]).write_text(words)
        elif language == "sh":
            for line in words.replace("\\\n", " ").splitlines():
                program, *arguments = shlex.split(line)
                if program == "motionmill":
                    subprocess.run([*COMMAND, *arguments], check=True, capture_output=True)
                else:
                    assert [program, *arguments[:2]] == ["python", "-m", "motionmill_networks"]
                    train(*arguments[2:])
        else:
            exec(compile(words, str(GUIDE), "exec"), names)
    assert {row["head"] for row in names["scores"]} == {1, 2}
    assert {row["metric"] for row in rows_of(tmp_path / "verification")} >= {"eer"}
