"""The motion systems on sp-sw-har, beside the table of the talk."""

from collections.abc import Mapping
from pathlib import Path

from prove import SEEDS

from .markdown import NONE, NOT_RUN, about, listed, percent, relative, table
from .motion_findings import findings
from .motion_rows import EER, HTER, RAW, Row, common, read_all
from .published import PER_CLIENT, PER_SESSION, SECOND_ROW, TALK, Talk
from .training import recipe

#: The model whose thresholds the talk sets for each device and session too.
BEST = "conv-dcwrnn"

HEAD = """## Motion: sp-sw-har

Fifteen people, 6 to 11 executions each of 8 to 15 s, acceleration with gravity and angular velocity. The seed deals
people out, {deals} times: 8 to learn features and the background model from, 3 to set the threshold, 4 to test; half of a
person's sessions enrol, half probe. All models share windows, projection (32 directions), background model (32
Gaussians), adaptation and scores ([network.toml](../models/sp-sw-har/network.toml),
[raw.toml](../models/sp-sw-har/raw.toml)). Numbers are means of the deals, and their range, in percent:

- EER: of the test people. The talk does not say of whom its is. HTER: of the test people, at the threshold of the
  validation people. Where each device or session has its threshold, so have the raw features that ours are set against.
- Accuracy: the share of windows, of sessions that were held back of the 8 people, whose person is within the 5 % most
  probable classes, which of 8 is the first, of the talk's 587 about the first 29.

What they do not say:

- **The talk's numbers and ours cannot be compared**: months of 587 devices there, a minute or two of 8 people here.
- **Four test people a deal are few**, and deals share people: intervals are wide, and the deals are not independent.
- **How to train was chosen** by Conv-DCWRNN on six other deals of the same fifteen people: of seven settings, with and
  without turned training copies, 1 to 8 epochs, the one of the lowest EER. Trained features had 7.6 to 22.2 % EER there,
  raw ones 10.1 %, untrained ones 6.1 %. By HTER 4 epochs at a rate of 0.005 would have been taken (10.7 against 13.6 %);
  with them, scored earlier, Conv-DCWRNN has an EER of 10.2 % on the deals below, more than raw features.
- **One epoch at a small rate moves weights little.** Networks that are trained until they know the 8 people get worse with
  new ones; what is gained here is gained by the network's shape, as its untrained weights show.
"""


def section(results: Path) -> list[str]:
    """The lines of the section."""
    rows = read_all(results)
    columns = [
        ">talk: accuracy",
        ">parameters",
        ">EER",
        ">HTER",
        ">ours: accuracy",
        ">parameters",
        ">EER",
        ">HTER",
        ">EER against raw",
        ">EER, untrained",
    ]
    deals = [f">deal {deal}" for deal in SEEDS]
    trained = [row for row in rows.values() if row.model != RAW]
    return [
        *HEAD.format(deals=len(SEEDS)).splitlines(),
        "",
        *table(["features", *columns], main_rows(rows)),
        *findings(rows),
        "",
        "EER of each deal, percent, with its 95 % interval over people:",
        "",
        *table(["features", *deals], [deal_cells(row) for row in rows.values()]),
        *(f"- Deal {deal}: {trials(rows, deal)}" for deal in SEEDS),
        "",
        "How the networks were trained, once a deal:",
        "",
        *table(
            ["network", "size", ">epochs", ">samples", ">seconds", ">seed", "on", "by"],
            [training_cells(row) for row in trained],
        ),
    ]


def main_rows(rows: Mapping[str, Row]) -> list[list[str]]:
    """Talk and ours side by side, in the order of the talk."""
    cells = [[*talk_cells(TALK[model]), *our_cells(row, rows[RAW])] for model, row in rows.items()]
    cells.append([*talk_cells(SECOND_ROW), NOT_RUN, *[NONE] * 5])
    for talk, ending in ((PER_CLIENT, "_per_client"), (PER_SESSION, "_per_session")):
        cells.append([*talk_cells(talk), *our_cells(rows[BEST], rows[RAW], ending)])
    return cells


def talk_cells(talk: Talk) -> list[str]:
    accuracy = NONE if talk.accuracy is None else f"{talk.accuracy:.2f}"
    size = NONE if talk.parameters is None else f"{talk.parameters:,}"
    return [talk.model, accuracy, size, f"{talk.eer:.2f}", f"{talk.hter:.2f}"]


def our_cells(row: Row, raw: Row, ending: str = "") -> list[str]:
    """Of a model; the `ending` of the metrics' names says whose thresholds they are, of raw features too."""
    if not row.deals:
        return [NOT_RUN, *[NONE] * 5]
    deals, metric = common(row, raw), EER + ending
    change = NONE if row is raw or not deals else relative(row.mean(metric, deals), raw.mean(metric, deals))
    before = row.before.spread(metric) if row.untrained else NONE
    return [row.accuracy, row.size, row.spread(metric), row.spread(HTER + ending), change, before]


def deal_cells(row: Row) -> list[str]:
    """EER of each deal."""
    found = [row.figures(EER).get(deal) for deal in SEEDS]
    cells = [NOT_RUN if one is None else f"{percent(one.value)} ({one.interval})" for one in found]
    return [TALK[row.model].model, *cells]


def trials(rows: Mapping[str, Row], deal: int) -> str:
    """What the test of a deal rests on, the same for all models.

    :raises ValueError: it is not the same: the models were not scored on the same people and sessions.
    """
    found = set()
    for row in rows.values():
        if deal in row.deals:
            metrics = row.deals[deal].metrics
            clients = [group for group in metrics.distinct("group") if group.startswith("client:")]
            counts = [metrics.figure(f"{kind}_trials").count for kind in ("genuine", "impostor")]
            found.add((listed([client.removeprefix("client:") for client in clients]), *counts))
    if len(found) > 1:
        raise ValueError(f"deal {deal}: expected the same people and trials for all models, found {sorted(found)}")
    return (
        "; ".join(f"{people}, {genuine} genuine and {impostor} impostor trials" for people, genuine, impostor in found)
        or NOT_RUN
    )


def training_cells(row: Row) -> list[str]:
    """Of one model: what was trained, and how; a cell holds what the deals have in common, or their range."""
    logs = row.trainings
    if not logs:
        return [TALK[row.model].model, NOT_RUN, *[NONE] * 6]
    size = listed(sorted({f"`{log.run['size']}`" for log in logs}))
    samples, seconds = [log.samples for log in logs], [log.seconds for log in logs]
    span = " to ".join(dict.fromkeys(f"{value:,.0f}" for value in (min(seconds), max(seconds))))
    said = [{log.length for log in logs}, {str(log.run["seed"]) for log in logs}, {log.device for log in logs}]
    epochs, seeds, devices = (listed(sorted(one)) for one in said)
    by = listed(sorted({recipe(log.run) for log in logs}))
    return [TALK[row.model].model, size, epochs, f"≈ {about(sum(samples) / len(samples))}", span, seeds, devices, by]
