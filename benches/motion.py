"""CSV logs to 50 Hz windows: ours beside pandas + numpy, taken in turns on the same files in one run.

    python benches/motion.py path/to/window_bench [--rounds 5] [--sessions 24] [--seconds 600]

The work: read files of `stamp (ms), accelerometer xyz, gyroscope xyz` at 100 Hz with jitter, repeated stamps and gaps; keep
the last reading of a stamp; resample all six channels to 50 Hz by straight lines; cut windows of 10 s, half overlapped, as
float32. The low-pass that ours puts first by default is left out on both sides, then put in on both (scipy's zero-phase
Butterworth beside our FIR).

pandas runs in one process, and in two. Seconds are wall time of the work without start-up; CPU seconds are of the whole
process. Prints a Markdown table.
"""

import argparse
import json
import multiprocessing
import resource
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.signal import butter, sosfiltfilt

CHANNELS = ["ax", "ay", "az", "gx", "gy", "gz"]
RATE_HZ = 50
WINDOW = 500
LAYOUT = """
dataset = "bench"

[[files]]
pattern = "{subject}/{session}.csv"
clock = "ms"
stamp = "stamp"
sensors = { accelerometer = ["ax", "ay", "az"], gyroscope = ["gx", "gy", "gz"] }
"""


def make_logs(folder: Path, sessions: int, seconds: int) -> None:
    """Logs at 100 Hz as phones write them: 2 ms of jitter, 2 % of the stamps repeated, all gaps below 200 ms."""
    rng = np.random.default_rng(7)
    for session in range(sessions):
        count = seconds * 100
        stamps = 1_400_000_000_000 + np.arange(count) * 10 + rng.integers(0, 3, count)
        repeated = np.flatnonzero(rng.random(count) < 0.02)
        repeated = repeated[repeated > 0]
        stamps[repeated] = stamps[repeated - 1]
        stamps = np.maximum.accumulate(stamps)
        step = np.arange(count)[:, None] / 100 * rng.uniform(1.5, 2.2)
        waves = np.sin(2 * np.pi * step * np.arange(1, 7)) * rng.uniform(0.5, 3, 6)
        values = waves + rng.normal(0, 0.3, (count, 6)) + [0, 0, 9.8, 0, 0, 0]
        table = pd.DataFrame(values.astype(np.float32), columns=CHANNELS)
        table.insert(0, "stamp", stamps)
        path = folder / f"s{session % 6}" / f"{session:03}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        table.to_csv(path, index=False)


def peer(path: Path, low_pass: bool) -> tuple[int, int]:
    """One file, as an expert with pandas and numpy would do it; gives rows and windows."""
    table = pd.read_csv(path)
    rows = len(table)
    table = table.drop_duplicates("stamp", keep="last")
    seconds = table["stamp"].to_numpy() / 1000.0
    seconds = seconds - seconds[0]
    signals = table[CHANNELS].to_numpy()
    if low_pass:
        even = np.arange(0, seconds[-1], 0.01)
        signals = np.stack([np.interp(even, seconds, signals[:, at]) for at in range(6)], axis=1)
        signals = sosfiltfilt(butter(8, 20, fs=100, output="sos"), signals, axis=0)
        seconds = even
    grid = np.arange(0, seconds[-1], 1 / RATE_HZ)
    signal = np.stack([np.interp(grid, seconds, signals[:, at]) for at in range(6)], axis=1).astype(np.float32)
    views = np.lib.stride_tricks.sliding_window_view(signal, WINDOW, axis=0)[:: WINDOW // 2]
    windows = np.ascontiguousarray(views.transpose(0, 2, 1))
    return rows, len(windows)


def timed(work) -> tuple[float, float]:
    """Wall and CPU seconds of `work`, children included."""
    def cpu():
        uses = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return sum(use.ru_utime + use.ru_stime for use in uses)
    wall, busy = time.perf_counter(), cpu()
    work()
    return time.perf_counter() - wall, cpu() - busy


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sessions", type=int, default=24)
    parser.add_argument("--seconds", type=int, default=600)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        make_logs(folder, arguments.sessions, arguments.seconds)
        layout = folder / "layout.toml"
        layout.write_text(f"path = {json.dumps(str(folder))}\n{LAYOUT}")
        paths = sorted(folder.glob("*/*.csv"))
        megabytes = sum(path.stat().st_size for path in paths) / 1e6
        lines = {}
        for low_pass in (False, True):
            results: dict[str, list[tuple[float, float]]] = {}
            counts = {}

            def ours(threads: int) -> tuple[float, float]:
                command = [arguments.program, str(layout), str(threads), "on" if low_pass else "off"]
                said = []
                _, busy = timed(lambda: said.append(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout))
                told = json.loads(said[0])
                counts["motionmill"] = (told["rows"], told["windows"])
                return told["seconds"], busy

            def theirs(processes: int) -> tuple[float, float]:
                if processes == 1:
                    return timed(lambda: counts.__setitem__("pandas", totals(peer(path, low_pass) for path in paths)))
                with multiprocessing.Pool(processes) as pool:
                    start = time.perf_counter()
                    counts["pandas"] = totals(pool.starmap(peer, [(path, low_pass) for path in paths], chunksize=1))
                    wall = time.perf_counter() - start
                return wall, float("nan")

            for _ in range(arguments.rounds):
                results.setdefault("motionmill, 1 thread", []).append(ours(1))
                results.setdefault("pandas + numpy, 1 process", []).append(theirs(1))
                results.setdefault("motionmill, 2 threads", []).append(ours(2))
                results.setdefault("pandas + numpy, 2 processes", []).append(theirs(2))
            assert counts["motionmill"][0] == counts["pandas"][0], counts
            assert abs(counts["motionmill"][1] - counts["pandas"][1]) <= len(paths), counts
            lines[low_pass] = report(results, counts["pandas"][0])
        print(f"{len(paths)} files, {megabytes:.0f} MB, medians of {arguments.rounds} rounds.\n")
        print("| work | million rows a second, wall | spread | million rows a CPU second |\n|---|---|---|---|")
        for low_pass, (table, _) in lines.items():
            print(table.replace("WORK", "with low-pass" if low_pass else "straight lines"))
        for low_pass, (_, verdict) in lines.items():
            print(f"\n{'With low-pass' if low_pass else 'Straight lines'}: {verdict}")


def totals(pairs) -> tuple[int, int]:
    pairs = list(pairs)
    return sum(rows for rows, _ in pairs), sum(windows for _, windows in pairs)


def report(results: dict[str, list[tuple[float, float]]], rows: int) -> tuple[str, str]:
    text, medians = [], {}
    for name, times in results.items():
        walls, busy = [wall for wall, _ in times], [cpu for _, cpu in times]
        wall, cpu = statistics.median(walls), statistics.median(busy)
        medians[name] = (wall, cpu)
        spread = f"{rows / max(walls) / 1e6:.1f} to {rows / min(walls) / 1e6:.1f}"
        per_cpu = "" if cpu != cpu else f"{rows / cpu / 1e6:.1f}"
        text.append(f"| {name}, WORK | {rows / wall / 1e6:.1f} | {spread} | {per_cpu} |")
    ours, alone = medians["motionmill, 2 threads"], medians["pandas + numpy, 1 process"]
    pair = medians["pandas + numpy, 2 processes"]
    verdict = (
        f"wall time on two cores {alone[0] / ours[0]:.1f} x pandas in one process, {pair[0] / ours[0]:.1f} x in two; "
        f"per CPU second {alone[1] / medians['motionmill, 1 thread'][1]:.1f} x."
    )
    return "\n".join(text), verdict


if __name__ == "__main__":
    main()
