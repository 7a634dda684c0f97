"""Which sessions are held out for validation: whole ones, so that no window shares readings with a training window."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence

from motionmill.errors import DataError
from motionmill.torch import ShardLoader

Session = tuple[str, str, str]
"""Subject, device, session."""

#: Columns that say whose window it is.
KEYS = ("subject", "device", "session")


def count_windows(path: str, split: str | None) -> dict[Session, int]:
    """How many windows each session of a table has, in order of name.

    :raises DataError: a window has no subject.
    """
    counts: Counter[Session] = Counter()
    for batch in ShardLoader(path, split=split, columns=KEYS, batch_size=4096, shuffle=False):
        counts.update(zip(*(batch[key] for key in KEYS), strict=True))
    for session in counts:
        if session[0] is None:
            raise DataError(f"expected a subject for each window, found none in session `{session[2]}`: `{path}`")
    return {session: counts[session] for session in sorted(counts, key=str)}


def hold_back(counts: Mapping[Session, int], by: str, share: float, seed: int) -> set[Session]:
    """The sessions to validate on: for each subject `share` of its sessions, or as many as hold `share` of its windows.

    At least one and never all; a subject of one session is only trained on. Which ones depends only on `seed` and names.

    :param by: `session` or `window`, what `share` counts; sessions stay whole either way.
    """
    held: set[Session] = set()
    for subject in {session[0] for session in counts}:
        sessions = sorted((session for session in counts if session[0] == subject), key=lambda one: _draw(one, seed))
        if len(sessions) < 2 or share <= 0:
            continue
        sizes = [counts[session] if by == "window" else 1 for session in sessions]
        taken, wanted = 0, share * sum(sizes)
        for session, size in zip(sessions[:-1], sizes):
            # The one that would overshoot by more than it would fall short stays.
            if held.intersection(sessions) and taken + size / 2 > wanted:
                break
            held.add(session)
            taken += size
    return held


def most_probable(classes: int, share: float = 0.05) -> int:
    """How many classes are the `share` most probable: to the nearest whole (the paper does not say), at least one."""
    return max(1, int(share * classes + 0.5))


def rows_of(keys: Sequence[Session], held: set[Session], inside: bool) -> list[int]:
    """Numbers of the rows whose session is, or is not, among `held`."""
    return [number for number, key in enumerate(keys) if (key in held) == inside]


def _draw(session: Session, seed: int) -> bytes:
    return hashlib.blake2b("\0".join(map(str, (seed, *session))).encode(), digest_size=8).digest()
