"""Mixtures of Gaussians: ours beside scikit-learn, from the same start on the same frames, taken in turns in one run.

    python benches/mixture.py path/to/mixture_bench [--rounds 5] [--frames 100000] [--dimensions 100] [--components 256]

One round is ITERATIONS of EM with diagonal covariance, then the log-likelihood of every frame. scikit-learn adds 1e-6 to
every variance; ours does the same here. Prints a Markdown table of medians and how far the two log-likelihoods lie apart.
"""

import argparse
import json
import statistics
import subprocess
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
from sklearn.mixture import GaussianMixture

ITERATIONS = 5


def make_frames(rng: np.random.Generator, frames: int, dimensions: int, components: int) -> np.ndarray:
    """Frames of as many clusters as there are components, overlapping as features of people do."""
    centres = rng.normal(0, 1, (components, dimensions))
    spread = rng.uniform(0.5, 1.5, (components, dimensions))
    which = rng.integers(0, components, frames)
    return centres[which] + spread[which] * rng.normal(0, 1, (frames, dimensions))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--frames", type=int, default=100_000)
    parser.add_argument("--dimensions", type=int, default=100)
    parser.add_argument("--components", type=int, default=256)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    rng = np.random.default_rng(7)
    frames = make_frames(rng, arguments.frames, arguments.dimensions, arguments.components)
    means = frames[rng.choice(len(frames), arguments.components, replace=False)]
    variances = np.tile(frames.var(axis=0), (arguments.components, 1))
    weights = np.full(arguments.components, 1 / arguments.components)
    ours, theirs, ours_score, theirs_score = [], [], [], []
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for name, array in [("frames", frames), ("means", means), ("variances", variances), ("weights", weights)]:
            path = Path(folder) / f"{name}.f64"
            array.astype("<f8").tofile(path)
            files.append(str(path))
        options = [str(ITERATIONS), "1e-6", str(arguments.threads)]
        for _ in range(arguments.rounds):
            said = json.loads(subprocess.run([arguments.program, *files, *options], check=True, stdout=subprocess.PIPE).stdout)
            ours.append(said["seconds_per_iteration"])
            ours_score.append(said["seconds_per_scoring_pass"])
            mixture = GaussianMixture(
                arguments.components, covariance_type="diag", max_iter=ITERATIONS, tol=0, reg_covar=1e-6,
                weights_init=weights, means_init=means, precisions_init=1 / variances,
                # Given means and precisions, only the shape of what this computes is used.
                init_params="random_from_data",
            )
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                # The fit's own time holds its start; one iteration is the difference between two lengths.
                times = []
                for iterations in (1, 1 + ITERATIONS):
                    mixture.set_params(max_iter=iterations)
                    start = time.perf_counter()
                    mixture.fit(frames)
                    times.append(time.perf_counter() - start)
                theirs.append((times[1] - times[0]) / ITERATIONS)
                mixture.set_params(max_iter=ITERATIONS)
                mixture.fit(frames)
            passes = []
            for _ in range(3):  # the fastest of three counts, as in ours
                start = time.perf_counter()
                scores = mixture.score_samples(frames)
                passes.append(time.perf_counter() - start)
            theirs_score.append(min(passes))
    apart = abs(said["mean_log_likelihood"] - scores.mean()) / abs(scores.mean())
    median = statistics.median
    print(
        f"{arguments.frames:,} frames of {arguments.dimensions}, {arguments.components} components, "
        f"{arguments.threads} threads on both sides, medians of {arguments.rounds} rounds.\n"
    )
    print("| work | motionmill, seconds | spread | scikit-learn, seconds | spread | times |\n|---|---|---|---|---|---|")
    for work, a, b in [("one iteration of EM", ours, theirs), ("scoring all frames", ours_score, theirs_score)]:
        spreads = [f"{min(times):.3f} to {max(times):.3f}" for times in (a, b)]
        print(
            f"| {work} | {median(a):.3f} | {spreads[0]} | {median(b):.3f} | {spreads[1]} | {median(b) / median(a):.1f} |"
        )
    print(f"\nMean log-likelihood after {ITERATIONS} iterations: {apart:.1e} relative apart.")


if __name__ == "__main__":
    main()
