"""The `motionmill` command of the wheel."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import motionmill

ROOT = Path(__file__).resolve().parents[2]


def run(command: list[str], *arguments: object, **more: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*command, *map(str, arguments)], capture_output=True, text=True, timeout=120, **more)


def test_exit_codes_and_streams(command: list[str], tmp_path: Path) -> None:
    version = run(command, "--version")
    assert (version.returncode, version.stdout) == (0, f"motionmill {motionmill.__version__}\n")
    assert run(command, "inspect", tmp_path).returncode == 1
    unknown = run(command, "frobnicate")
    assert unknown.returncode == 2 and not unknown.stdout and "unrecognized subcommand" in unknown.stderr
    help_text = run(command, "--help")
    assert help_text.returncode == 0 and "ingest" in help_text.stdout


def test_it_is_the_command_of_the_rust_binary(command: list[str], people_folder: Path) -> None:
    binary = ROOT / "target" / "debug" / "motionmill"
    if not binary.exists():
        import pytest

        pytest.skip("the Rust binary is not built")
    ours, theirs = (run(words, "inspect", people_folder) for words in (command, [str(binary)]))
    assert (ours.returncode, ours.stdout, ours.stderr) == (theirs.returncode, theirs.stdout, theirs.stderr)


def test_the_runtime_is_that_of_this_interpreter(command: list[str]) -> None:
    environment = {key: value for key, value in os.environ.items() if key not in ("VIRTUAL_ENV", "ORT_DYLIB_PATH")}
    told = run(command, "doctor", cwd="/", env=environment | {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT / "python")})
    assert told.returncode == 0, told.stderr
    assert "it belongs to the Python that runs this" in told.stdout


def test_an_interrupt_ends_it_at_once(command: list[str], tmp_path: Path) -> None:
    words = [*command, "demo", "--out", str(tmp_path / "demo")]
    running = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    # It is at work when the folder is there, and for seconds from then on.
    while not (tmp_path / "demo" / "raw").exists() and running.poll() is None:
        time.sleep(0.01)
    asked = time.perf_counter()
    running.send_signal(signal.SIGINT)
    running.communicate(timeout=30)
    assert running.returncode == -signal.SIGINT and time.perf_counter() - asked < 5


def test_import_needs_neither_torch_nor_polars() -> None:
    others = ("torch", "polars", "numpy.random", "ray")
    words = f"import sys, motionmill; print([name for name in {others} if name in sys.modules])"
    environment = os.environ | {"PYTHONPATH": str(ROOT / "python")}
    done = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, env=environment, check=True)
    loaded = done.stdout.strip()
    assert "torch" not in loaded and "polars" not in loaded and "ray" not in loaded, loaded
