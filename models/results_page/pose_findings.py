"""What the scores of the pose systems say, in words made from the numbers."""

from collections.abc import Mapping

from .markdown import listed, percent
from .pose_outputs import BASELINE, CASCADES, SYSTEMS, THRESHOLD, Output

#: PCK@0.2 that RePose was to reach, percent.
MARK = 60.0
#: Where outputs are compared once more: refinement shows where errors are small.
FINE_THRESHOLD = 0.1


def findings(heads: Mapping[str, list[Output]]) -> list[str]:
    """A list."""
    return [*against_baseline(heads), *later_against_first(heads), *against_mark(heads)]


def against_baseline(heads: Mapping[str, list[Output]]) -> list[str]:
    """Last outputs beside the mean pose."""
    trained = {name: found[-1].pck() for name, found in heads.items() if name != BASELINE}
    if BASELINE not in heads or not trained:
        return []
    mean = heads[BASELINE][-1].pck()
    above = [SYSTEMS[name] for name, total in trained.items() if total.low > mean.high]
    words = f"- Better than the mean pose, intervals apart: {len(above)} of {len(trained)}"
    rest = [SYSTEMS[name] for name in trained if SYSTEMS[name] not in above]
    return [words + (f"; not {listed(rest)}." if rest else ".")]


def later_against_first(heads: Mapping[str, list[Output]]) -> list[str]:
    """The last output of a system beside its first, or its second network beside the first."""
    pairs = [(found[0], found[-1]) for found in heads.values() if len(found) > 1]
    pairs += [(heads[first][-1], heads[last][-1]) for first, last in CASCADES if first in heads and last in heads]
    if not pairs:
        return ["- No system with a first and a later output has been run."]
    better = sum(last.pck().value > first.pck().value for first, last in pairs)
    lines = [f"- A later output is better than the first in {better} of {len(pairs)} systems:"]
    return lines + [f"  - {compared(first, last)}" for first, last in pairs]


def compared(first: Output, last: Output) -> str:
    """Two outputs, and whether their intervals are apart; of the same people, so overlapping ones may differ surely."""
    before, after = first.pck(), last.pck()
    apart = after.low > before.high or before.low > after.high
    change = f"{after.value - before.value:+.1f} points".replace("-", "−")
    intervals = "intervals apart" if apart else "intervals overlap"
    fine = [percent(output.pck(FINE_THRESHOLD).value) for output in (first, last)]
    values = f"{percent(before.value)} to {percent(after.value)}, {change}, {intervals}"
    return f"{last.title}: {values}; at {FINE_THRESHOLD} of the torso {fine[0]} to {fine[1]}"


def against_mark(heads: Mapping[str, list[Output]]) -> list[str]:
    """RePose beside what was aimed at."""
    aim = f"The mark for RePose, {MARK:.0f} % PCK@{THRESHOLD}"
    if "repose" not in heads:
        return [f"- {aim}: not run."]
    found = heads["repose"][-1].pck().value
    verdict = "reached" if found >= MARK else "missed"
    return [f"- {aim}, is {verdict} by the slim network: {percent(found)} %."]
