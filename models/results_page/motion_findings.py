"""What the scores of the motion systems say, in words made from the numbers."""

from collections.abc import Mapping

from .markdown import listed, percent, relative
from .motion_rows import EER, HTER, RAW, Row, common
from .published import TALK

#: By how many percent the EER of trained features was to be lower than that of raw ones.
MARK = 25.0


def findings(rows: Mapping[str, Row]) -> list[str]:
    """A list."""
    raw = rows[RAW]
    trained = {model: row for model, row in rows.items() if model != RAW and common(row, raw)}
    if not trained:
        return ["- Raw and trained features have not been run on the same people: nothing to compare."]
    before = {model: row.before for model, row in trained.items() if common(row.before, raw)}
    return [
        verdict(trained, raw),
        mark(trained, raw),
        single_deals(trained, raw),
        *([training(trained, before, raw)] if before else []),
    ]


def lower(trained: Mapping[str, Row], raw: Row, metric: str) -> list[str]:
    """The models whose mean is below that of raw features on the same deals."""
    deals = {model: common(row, raw) for model, row in trained.items()}
    return [model for model, row in trained.items() if row.mean(metric, deals[model]) < raw.mean(metric, deals[model])]


def verdict(trained: Mapping[str, Row], raw: Row) -> str:
    """Whether trained features beat raw ones, by the means."""
    by_eer, by_hter = (lower(trained, raw, metric) for metric in (EER, HTER))
    words = "beat" if len(by_eer) == len(trained) else "do not beat" if not by_eer else "of some networks beat"
    best = min(trained, key=lambda model: trained[model].mean(EER, common(trained[model], raw)))
    deals = common(trained[best], raw)
    values = trained[best].mean(EER, deals), raw.mean(EER, deals)
    return (
        f"- **Trained features {words} raw ones here.** The mean EER is lower in {len(by_eer)} of {len(trained)} "
        f"models, the mean HTER in {len(by_hter)}. The best, {TALK[best].model}, has a mean EER of "
        f"{percent(values[0])} %, raw features {percent(values[1])} %: {relative(*values)}."
    )


def mark(trained: Mapping[str, Row], raw: Row) -> str:
    """Who reaches what was aimed at."""
    reached = []
    for model, row in trained.items():
        deals = common(row, raw)
        if row.mean(EER, deals) <= (1 - MARK / 100) * raw.mean(EER, deals):
            reached.append(TALK[model].model)
    return f"- The mark, an EER lower by {MARK:.0f} %, is reached by {listed(reached)}."


def single_deals(trained: Mapping[str, Row], raw: Row) -> str:
    """The same deal by deal: how often lower, and how often so that intervals are apart."""
    theirs, pairs = raw.figures(EER), []
    for row in trained.values():
        pairs += [(row.figures(EER)[deal], theirs[deal]) for deal in common(row, raw)]
    below = sum(one.value < other.value for one, other in pairs)
    apart = sum(one.high < other.low for one, other in pairs)
    above = sum(one.low > other.high for one, other in pairs)
    return (
        f"- Deal by deal, the EER of trained features is lower in {below} of {len(pairs)} cases; the intervals are "
        f"apart in their favour in {apart}, in favour of raw features in {above}."
    )


def training(trained: Mapping[str, Row], before: Mapping[str, Row], raw: Row) -> str:
    """What training gave, beside the networks as they were before."""
    better = lower(before, raw, EER)
    pairs = {model: sorted(trained[model].deals.keys() & row.deals.keys()) for model, row in before.items()}
    gained = [
        model
        for model, deals in pairs.items()
        if deals and trained[model].mean(EER, deals) < before[model].mean(EER, deals)
    ]
    best = min(before, key=lambda model: before[model].mean(EER, common(before[model], raw)))
    deals = common(before[best], raw)
    values = before[best].mean(EER, deals), raw.mean(EER, deals)
    return (
        f"- **Untrained networks**, their weights as they were drawn, have a lower mean EER than raw features in "
        f"{len(better)} of {len(before)}; the best, {TALK[best].model}, {percent(values[0])} %, {relative(*values)}. Training on "
        f"the 8 people lowers the mean EER of {len(gained)} of {len(before)}."
    )
