"""Skeletons: joint order, limbs, left/right pairs, spreads and groups of joints."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any, NamedTuple

import pyarrow as pa

from . import _native
from .errors import SchemaError

__all__ = ["Skeleton", "skeleton", "skeleton_of", "skeletons"]


class Skeleton(NamedTuple):
    """The joints of one data set or network, in the order in which its arrays hold them."""

    name: str
    #: K names.
    joints: tuple[str, ...]
    #: Pairs of joint numbers to draw as bones.
    limbs: tuple[tuple[int, int], ...]
    #: Pairs of joint numbers that swap when a picture is mirrored.
    flip_pairs: tuple[tuple[int, int], ...]
    #: K spreads of annotations, as object keypoint similarity is measured in; None where nobody has published any.
    sigmas: tuple[float, ...] | None
    #: Numbers of joints that belong together, by name of the group.
    groups: Mapping[str, tuple[int, ...]]

    @property
    def definition(self) -> dict[str, Any]:
        """The keys of a file that describes it, with joints by number."""
        made: dict[str, Any] = {
            "name": self.name,
            "joints": list(self.joints),
            "limbs": [list(pair) for pair in self.limbs],
            "flip_pairs": [list(pair) for pair in self.flip_pairs],
        }
        if self.sigmas is not None:
            made["sigmas"] = list(self.sigmas)
        if self.groups:
            made["groups"] = {name: list(joints) for name, joints in self.groups.items()}
        return made

    @property
    def reference(self) -> str | dict[str, Any]:
        """What :func:`skeleton` makes it of again: its name if it is built in, else its definition."""
        return self.name if any(known.name == self.name for known in skeletons()) else self.definition


def skeleton(of: str | os.PathLike[str] | Mapping[str, Any]) -> Skeleton:
    """The skeleton of this name, such as ``mpii16``, of a file of one's own, which ends in ``.toml``, or of a definition.

    :func:`skeletons` has all that are built in.

    :param of: the name, the path, or the keys of such a file.
    """
    if isinstance(of, Mapping):
        return _made(_native.skeletons(str(of["name"]), json.dumps(of))[0])
    return _made(_native.skeletons(os.fspath(of))[0])


def skeleton_of(schema: pa.Schema) -> Skeleton:
    """The skeleton whose order the keypoints of a table have, whether it is built in or not.

    :raises SchemaError: the schema names none.
    """
    metadata = schema.metadata or {}
    name, definition = metadata.get(b"motionmill.skeleton"), metadata.get(b"motionmill.skeleton_definition")
    if name is None:
        raise SchemaError("the schema metadata has no `motionmill.skeleton`")
    return _made(_native.skeletons(name.decode(), None if definition is None else definition.decode())[0])


def skeletons() -> tuple[Skeleton, ...]:
    """Every skeleton that is built in."""
    return tuple(_made(told) for told in _native.skeletons(None))


def _made(
    told: tuple[
        str,
        list[str],
        list[tuple[int, int]],
        list[tuple[int, int]],
        list[float] | None,
        list[tuple[str, list[int]]],
    ],
) -> Skeleton:
    name, joints, limbs, flip_pairs, sigmas, groups = told
    return Skeleton(
        name,
        tuple(joints),
        tuple(limbs),
        tuple(flip_pairs),
        None if sigmas is None else tuple(sigmas),
        {group: tuple(of) for group, of in groups},
    )
