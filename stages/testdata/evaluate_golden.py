#!/usr/bin/env python3
"""Recomputes pose metrics in plain Python, apart from the Rust code, and writes `evaluate_golden.json`.

Only the standard library is used; Python 3.9 or newer gives the same bytes (`random.Random` is pinned by Python).
Run it in this folder: `python3 evaluate_golden.py`.
"""

import json
import math
import random

MPII = (
    "right_ankle right_knee right_hip left_hip left_knee left_ankle pelvis thorax upper_neck head_top "
    "right_wrist right_elbow right_shoulder left_shoulder left_elbow left_wrist"
).split()
LSP = (
    "right_ankle right_knee right_hip left_hip left_knee left_ankle right_wrist right_elbow right_shoulder "
    "left_shoulder left_elbow left_wrist neck head_top"
).split()
FLIC = (
    "left_shoulder left_elbow left_wrist right_shoulder right_elbow right_wrist left_hip right_hip left_eye "
    "right_eye nose"
).split()

STICKS = {
    "right_lower_leg": (["right_ankle"], ["right_knee"]),
    "right_upper_leg": (["right_knee"], ["right_hip"]),
    "left_upper_leg": (["left_hip"], ["left_knee"]),
    "left_lower_leg": (["left_knee"], ["left_ankle"]),
    "right_lower_arm": (["right_wrist"], ["right_elbow"]),
    "right_upper_arm": (["right_elbow"], ["right_shoulder"]),
    "left_upper_arm": (["left_shoulder"], ["left_elbow"]),
    "left_lower_arm": (["left_elbow"], ["left_wrist"]),
    "head": (["neck"], ["head_top"]),
    "torso": (["left_hip", "right_hip"], ["left_shoulder", "right_shoulder"]),
}


def people(rng, joints, count):
    """Truth with gaps, and predictions with errors, gaps and absent people."""
    rows = []
    for index in range(count):
        base = [rng.uniform(0, 200), rng.uniform(0, 200)]
        truth, visibility, predicted = [], [], []
        for joint in joints:
            point = [round(base[0] + rng.gauss(0, 60), 3), round(base[1] + rng.gauss(0, 60), 3)]
            torso = joint.endswith("shoulder") or joint.endswith("hip")
            code = rng.choice([0, 1, 2, 2, 2]) if not torso else rng.choice([1, 2, 2])
            truth.append(point if code else None)
            visibility.append(code)
            spread = rng.choice([1, 4, 10, 30])
            guess = [round(point[0] + rng.gauss(0, spread), 3), round(point[1] + rng.gauss(0, spread), 3)]
            predicted.append(None if rng.random() < 0.05 else guess)
        corner = [round(rng.uniform(0, 100), 3), round(rng.uniform(0, 100), 3)]
        box = corner + [round(corner[0] + rng.uniform(20, 60), 3), round(corner[1] + rng.uniform(20, 60), 3)]
        rows.append(
            {
                "sample_id": f"p{index:02}",
                "keypoints": truth,
                "visibility": visibility,
                "head_box": box,
                "prediction": None if index == count - 1 else predicted,
            }
        )
    return rows


def apart(a, b):
    return math.hypot(a[0] - b[0], a[1] - b[1])


def error(a, b, length):
    """Normalised error; infinite where nothing was predicted."""
    return math.inf if b is None or length is None else apart(a, b) / length


def swap_sides(joints, values):
    def other(name):
        if name.startswith("left_"):
            return "right_" + name[5:]
        return "left_" + name[6:] if name.startswith("right_") else name

    return [values[joints.index(other(name))] for name in joints]


def joint_errors(rows, joints, length_of, observer=False):
    """For each joint, the errors of those people who have it."""
    errors = {name: [] for name in joints}
    for row in rows:
        truth = row["keypoints"]
        if observer and truth[joints.index("right_shoulder")][0] > truth[joints.index("left_shoulder")][0]:
            truth = swap_sides(joints, truth)
        guess = row["prediction"] or [None] * len(joints)
        length = length_of(row, truth, guess)
        for name, point, predicted in zip(joints, truth, guess):
            if point is not None:
                errors[name].append(error(point, predicted, length))
    return errors


def stick_errors(rows, joints, combine):
    errors = {name: [] for name in STICKS}
    for row in rows:
        guess = row["prediction"] or [None] * len(joints)

        def middle(points, names):
            chosen = [points[joints.index(name)] for name in names]
            if any(point is None for point in chosen):
                return None
            return [sum(point[axis] for point in chosen) / len(chosen) for axis in (0, 1)]

        for name, (start, end) in STICKS.items():
            a, b = middle(row["keypoints"], start), middle(row["keypoints"], end)
            if a is None or b is None:
                continue
            length = apart(a, b)
            ends = [error(a, middle(guess, start), length), error(b, middle(guess, end), length)]
            errors[name].append(combine(ends))
    return errors


def rate(errors, threshold):
    return 100.0 * sum(1 for e in errors if e <= threshold) / len(errors)


def pooled(errors, names, threshold):
    return rate([e for name in names for e in errors[name]], threshold)


def both(errors, names, threshold):
    return sum(rate(errors[name], threshold) for name in names) / len(names)


def area(values):
    return sum((a + b) / 2 for a, b in zip(values, values[1:])) / (len(values) - 1)


def result(errors, groups, total, upper_body, last):
    thresholds = [i / 100 for i in range(last + 1)]
    out = {"joints": {}, "groups": {}, "auc": {}}
    for name, values in errors.items():
        out["joints"][name] = [rate(values, t) for t in thresholds]
    for name, members in groups.items():
        out["groups"][name] = [both(errors, members, t) for t in thresholds]
    if upper_body:
        out["groups"]["upper_body"] = [pooled(errors, upper_body, t) for t in thresholds]
    out["groups"]["total"] = [pooled(errors, total, t) for t in thresholds]
    out["auc"] = {name: area(curve) for name, curve in out["groups"].items()}
    return out


def sides(part):
    return ["left_" + part, "right_" + part]


def body_groups(neck):
    groups = {"head": [neck, "head_top"]}
    for part in ["shoulder", "elbow", "wrist", "hip", "knee", "ankle"]:
        groups[part] = sides(part)
    return groups


UPPER = sides("wrist") + sides("elbow") + sides("shoulder")


def case(seed):
    rng = random.Random(seed)
    mpii, lsp, flic = people(rng, MPII, 12), people(rng, LSP, 12), people(rng, FLIC, 12)

    def head(row, _truth, _guess):
        x1, y1, x2, y2 = row["head_box"]
        return 0.6 * math.hypot(x2 - x1, y2 - y1)

    def segment(joints, a, b):
        return lambda _row, truth, _guess: apart(truth[joints.index(a)], truth[joints.index(b)])

    def predicted_segment(_row, _truth, guess):
        a, b = guess[FLIC.index("left_shoulder")], guess[FLIC.index("right_hip")]
        return None if a is None or b is None else apart(a, b)

    def box(_row, truth, _guess):
        points = [point for point in truth if point is not None]
        return max(max(p[axis] for p in points) - min(p[axis] for p in points) for axis in (0, 1))

    scored = [name for name in MPII if name not in ("pelvis", "thorax")]
    official = {n: e for n, e in joint_errors(mpii, MPII, head).items() if n in scored}
    lsp_torso = joint_errors(lsp, LSP, segment(LSP, "left_shoulder", "right_hip"))
    lsp_box = joint_errors(lsp, LSP, box)
    arms = ["shoulder", "elbow", "wrist"]
    arm_groups = {part: sides(part) for part in arms}
    arm_total = sides("elbow") + sides("wrist")
    limbs = {
        "torso": ["torso"],
        "upper_leg": sides("upper_leg"),
        "lower_leg": sides("lower_leg"),
        "upper_arm": sides("upper_arm"),
        "lower_arm": sides("lower_arm"),
        "head": ["head"],
    }

    def arms_of(length):
        errors = joint_errors(flic, FLIC, length, observer=True)
        return {name: errors[name] for part in arms for name in sides(part)}

    tompson = arms_of(segment(FLIC, "right_shoulder", "left_hip"))
    expected = {
        "mpii-official": result(official, body_groups("upper_neck"), scored, UPPER, 50),
        "lsp-pck": result(lsp_torso, body_groups("neck"), LSP, UPPER, 20),
        "lsp-pck-bbox": result(lsp_box, body_groups("neck"), LSP, UPPER, 20),
        "lsp-pcp-strict": result(stick_errors(lsp, LSP, max), limbs, list(STICKS), None, 50),
        "lsp-pcp-loose": result(
            stick_errors(lsp, LSP, lambda ends: sum(ends) / 2), limbs, list(STICKS), None, 50
        ),
        "flic-pck": result(
            arms_of(segment(FLIC, "left_shoulder", "right_hip")), arm_groups, arm_total, None, 20
        ),
        "flic-pck-tompson": result(tompson, arm_groups, arm_total, None, 20),
        "flic-pck-predicted-torso": result(arms_of(predicted_segment), arm_groups, arm_total, None, 20),
    }
    return {"seed": seed, "people": {"mpii16": mpii, "lsp14": lsp, "flic11": flic}, "expected": expected}


if __name__ == "__main__":
    with open("evaluate_golden.json", "w", encoding="utf-8") as file:
        json.dump([case(seed) for seed in (1, 2, 3)], file, separators=(",", ":"))
        file.write("\n")
