"""Pieces of a markdown page, and how its numbers are written."""

from collections.abc import Sequence

#: What stands where there is no number.
NONE = "–"
NOT_RUN = "not run"


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A table, and an empty line behind it. A column whose title begins with `>` is aligned to the right."""
    titles = [column.removeprefix(">") for column in columns]
    rules = ["--:" if column.startswith(">") else "---" for column in columns]
    for row in rows:
        if len(row) != len(columns):
            raise ValueError(f"expected {len(columns)} cells, found {len(row)}: {row}")
    return [*(line(cells) for cells in (titles, rules, *rows)), ""]


def line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def percent(value: float) -> str:
    """One decimal: a person more or less of some hundred moves it by some tenths."""
    return f"{value:.1f}"


def about(number: float) -> str:
    """To two digits."""
    return f"{float(f'{number:.2g}'):,.0f}"


def relative(value: float, reference: float) -> str:
    """By how many percent `value` is lower or higher."""
    if reference == 0:
        return NONE
    change = 100 * (value / reference - 1)
    if round(abs(change)) == 0:
        return "as high"
    return f"{abs(change):.0f} % {'lower' if change < 0 else 'higher'}"


def listed(names: Sequence[str]) -> str:
    """`a, b and c`; `none` of no names."""
    if len(names) < 2:
        return names[0] if names else "none"
    return f"{', '.join(names[:-1])} and {names[-1]}"
