"""The named skeletons: joint order, limbs, left/right pairs."""

from __future__ import annotations

from typing import NamedTuple

from . import _native

__all__ = ["Skeleton", "skeleton", "skeletons"]


class Skeleton(NamedTuple):
    """The joints of one data set or network, in the order in which its arrays hold them."""

    name: str
    #: K names.
    joints: tuple[str, ...]
    #: Pairs of joint numbers to draw as bones.
    limbs: tuple[tuple[int, int], ...]
    #: Pairs of joint numbers that swap when a picture is mirrored.
    flip_pairs: tuple[tuple[int, int], ...]


def skeleton(name: str) -> Skeleton:
    """The skeleton ``name``, such as ``mpii16``; :func:`skeletons` has all."""
    return _made(_native.skeletons(name)[0])


def skeletons() -> tuple[Skeleton, ...]:
    """Every skeleton."""
    return tuple(_made(told) for told in _native.skeletons(None))


def _made(told: tuple[str, list[str], list[tuple[int, int]], list[tuple[int, int]]]) -> Skeleton:
    name, joints, limbs, flip_pairs = told
    return Skeleton(name, tuple(joints), tuple(limbs), tuple(flip_pairs))
