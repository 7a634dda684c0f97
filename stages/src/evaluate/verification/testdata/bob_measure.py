"""Golden figures of verification, `bob_measure.json`, from other people's code.

    pip install "bob.measure==6.1.1" "numpy<2" scikit-learn==1.9.1
    python bob_measure.py > bob_measure.json

- `threshold`, `midpoint`, `far`, `frr`: bob.measure's `eer_threshold`, `eer` and `farfrr`; `test_far`, `test_frr` and
  `hter` are `farfrr` of the next case at this case's threshold.
- `rocch`: bob.measure's `rocch2eer` on the hull that scikit-learn's isotonic regression gives, since `rocch` of 6.1.1
  raises NotImplementedError (pool adjacent violators is how that hull is defined there).
- `linear`: numpy, on the curve of scikit-learn's `roc_curve` with every threshold kept.

bob.measure sums rates step by step, so of two thresholds equally good but for rounding it may name either; cases in
which its choice is not the exact optimum with the higher threshold are refused below.
"""

import json
from fractions import Fraction

import numpy as np
from bob.measure import eer, eer_threshold, farfrr
from bob.measure._library import rocch2eer
from sklearn.isotonic import isotonic_regression
from sklearn.metrics import roc_curve


def cases():
    rng = np.random.default_rng(151103908)
    yield "normal", rng.normal(1.5, 1.0, 97), rng.normal(0.0, 1.0, 803)
    yield "tied", rng.integers(2, 9, 61) / 4.0, rng.integers(0, 7, 173) / 4.0
    yield "tiny", np.array([0.4, 1.0, 2.5]), np.array([-1.0, 0.5])
    yield "one_each", np.array([1.0]), np.array([0.0])
    yield "separable", rng.normal(9.0, 0.5, 20), rng.normal(0.0, 0.5, 30)
    yield "alike", rng.normal(0.0, 1.0, 211), rng.normal(0.0, 1.0, 307)
    yield "reversed", rng.normal(-0.7, 1.0, 53), rng.normal(0.0, 1.0, 89)
    yield "heavy", rng.standard_t(2, 149) + 1.0, rng.standard_t(2, 1201)
    yield "few_genuine", rng.normal(2.0, 1.0, 7), rng.normal(0.0, 1.0, 900)


def linear(genuine, impostor):
    labels = np.r_[np.ones(len(genuine)), np.zeros(len(impostor))]
    far, tpr, _ = roc_curve(labels, np.r_[genuine, impostor], drop_intermediate=False)
    frr = 1.0 - tpr
    difference = far - frr
    after = int(np.argmax(difference >= -1e-15))
    if after == 0:
        return far[0]
    share = difference[after - 1] / (difference[after - 1] - difference[after])
    return far[after - 1] + share * (far[after] - far[after - 1])


def hull(genuine, impostor):
    scores = np.r_[genuine, impostor]
    labels = np.r_[np.ones(len(genuine)), np.zeros(len(impostor))]
    order = np.argsort(scores, kind="stable")
    fitted = isotonic_regression(labels[order])
    ends = np.flatnonzero(np.diff(fitted) > 1e-12) + 1
    points = [(1.0, 0.0)]
    for end in [*ends, len(scores)]:
        below = labels[order][:end]
        points.append((1.0 - (1 - below).sum() / len(impostor), below.sum() / len(genuine)))
    return np.array(points).T.copy()


def exact_choice(genuine, impostor, threshold):
    """Whether `threshold` is on the step where the rates are nearest, the higher of two as near."""
    scores = np.unique(np.r_[genuine, impostor])
    steps = []
    for step in [*scores, np.nextafter(scores[-1], np.inf)]:
        far = Fraction(int((impostor >= step).sum()), len(impostor))
        frr = Fraction(int((genuine < step).sum()), len(genuine))
        steps.append((abs(far - frr), far, frr))
    best = min(step[0] for step in steps)
    wanted = [step for step in steps if step[0] == best][-1]
    found = farfrr(impostor, genuine, threshold)
    return np.allclose(found, [float(wanted[1]), float(wanted[2])], atol=1e-12)


def main():
    # Five decimals keep the file small.
    every = [(name, genuine.round(5), impostor.round(5)) for name, genuine, impostor in cases()]
    rows = []
    for at, (name, genuine, impostor) in enumerate(every):
        threshold = eer_threshold(impostor, genuine)
        assert exact_choice(genuine, impostor, threshold), name
        far, frr = farfrr(impostor, genuine, threshold)
        other = every[(at + 1) % len(every)]
        test_far, test_frr = farfrr(other[2], other[1], threshold)
        rows.append(
            {
                "name": name,
                "genuine": genuine.tolist(),
                "impostor": impostor.tolist(),
                "threshold": float(threshold),
                "far": float(far),
                "frr": float(frr),
                "midpoint": float(eer(impostor, genuine)),
                "rocch": float(rocch2eer(hull(genuine, impostor))),
                "linear": float(linear(genuine, impostor)),
                "test_far": float(test_far),
                "test_frr": float(test_frr),
                "hter": float((test_far + test_frr) / 2),
            }
        )
    print(json.dumps(rows, separators=(",", ":")).replace('{"name"', '\n{"name"'))


main()
