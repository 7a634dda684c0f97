"""Predictions and trials scored by named protocols, as rows of the table ``metrics``.

A row is one number: ``protocol``, ``dataset``, ``split``, ``metric``, ``joint`` or ``group``, ``threshold``, ``value``,
``count``, the 95 % interval ``ci_low`` to ``ci_high``, ``model``. The numbers are those of
``motionmill evaluate``, bit for bit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from . import stages
from .errors import tell

__all__ = ["evaluate_pose", "evaluate_verification"]

#: Bootstrap resamples behind the 95 % intervals where nothing else is said.
DEFAULT_RESAMPLES = 1000


def evaluate_pose(
    truth: Any,
    predictions: Any,
    *,
    protocol: str | list[str] | tuple[str, ...],
    split: str | None = None,
    resamples: int = DEFAULT_RESAMPLES,
    sigmas: Mapping[str, float] | None = None,
) -> pa.Table:
    """Score ``predictions``, a table ``keypoints``, against ``truth``, a table ``people``, by one or more protocols.

    ``coco-oks`` and ``crowdpose`` compare all predictions of a picture with all its people: a prediction belongs to the
    picture of its ``image_path``, else to that of the person whose ``sample_id`` it has. Numbers are percent: 100 times
    those of pycocotools.

    :param split: only the people of this split.
    :param resamples: bootstrap resamples behind the 95 % intervals; 0 for none.
    :param sigmas: for ``coco-oks``, spreads of joints by name instead of the skeleton's own.
    """
    protocols: Any = [protocol] if isinstance(protocol, str) else list(protocol)
    stage = stages.Evaluate(protocols=protocols, split=split, resamples=resamples, sigmas=sigmas)
    outcome = stage.run(truth, predictions)
    tell(outcome.rejects, outcome.notes, stage.name)
    return outcome.rows


def evaluate_verification(
    trials: Any,
    validation: Any = None,
    *,
    split: str = "test",
    validation_split: str = "validation",
    eer: str = "linear",
    resamples: int = DEFAULT_RESAMPLES,
) -> pa.Table:
    """Score ``trials``: equal error rate, half total error rate at the threshold of the validation people, curves.

    :param validation: a table ``trials`` for the threshold; by default ``validation_split`` of ``trials``.
    :param eer: how the equal error rate is computed from the curve: ``linear``, ``rocch`` or ``midpoint``.
    :param resamples: bootstrap resamples behind the 95 % intervals; 0 for none.
    """
    method: Any = eer
    stage = stages.Verify(
        split=split,
        validation=validation_split,
        validation_apart=validation is not None,
        eer=method,
        resamples=resamples,
    )
    outcome = stage.run(trials) if validation is None else stage.run(trials, validation)
    tell(outcome.rejects, outcome.notes, stage.name)
    return outcome.rows
