"""Every stage as a class: built from the plan's keys, refused in the plan's words."""

from __future__ import annotations

import copy
import pickle
import re
from typing import Any

import numpy as np
import pytest

import motionmill
from motionmill import ConfigError, FileError, stages

#: One set of keys that each stage takes; a string is the value itself.
EXAMPLES: dict[str, Any] = {
    "filter": {"where": "scale > 1"},
    "split": {"hold_out": {"split": "validation", "share": 0.1, "from": "train", "by": "image"}},
    "split_subjects": {"shares": {"train": 0.5, "test": 0.5}},
    "map_skeleton": {"to": "lsp14"},
    "select": {"columns": ["sample_id"]},
    "repeat": {"copies": 3},
    "crop": {"size": [64, 48], "frame": {"person": {"height": 40}}},
    "search_scales": {"factors": [0.8, 1.0, 1.2]},
    "scale": {"uniform": {"min": 0.7, "max": 1.3}},
    "rotate": {"normal": {"sigma_degrees": 20}},
    "shift": {"max": 4},
    "flip": {"probability": 0.25},
    "colour": {"gain": {"min": 0.6, "max": 1.4}},
    "warp": {"border": 128},
    "encode_heatmaps": {"stride": 4, "style": {"gaussian": {"sigma": 3}}},
    "encode_simcc": {"label": {"gaussian": {"sigma": [4.9, 5.66]}}},
    "encode_coordinates": {"origin": "middle"},
    "encode_image": "png",
    "encode_loss_mask": {"stride": 4},
    "as_people": {"minimum_joint_score": 0.3},
    "match_people": {"by": {"box": {"minimum": 0.5}}},
    "quality": {"max_gap_ms": 100},
    "resample": {"rate_hz": 50},
    "normalise": {"per": "session"},
    "fit_normaliser": {"per": "device"},
    "apply_normaliser": {},
    "features": {"channels": ["raw"]},
    "gain_offset": {"offset": 0.01},
    "rotate_frame": {"axis_angle": {"max_degrees": 10}},
    "window": {"blocks": 4, "block_samples": 10, "block_hop_samples": 5},
    "frames": {"of": "block"},
    "balance": {"per_subject": 10},
    "assign_roles": {"enrolment": {"share": 0.5}},
    "fit_spatial_model": {"stride": 4},
    "spatial_model": {"form": "energy"},
    "decode": {"rule": "plain"},
    "merge_scales": {},
    "fit_projection": {"components": 4},
    "project": {},
    "fit_background": {"components": 4},
    "adapt": {"relevance": 4},
    "score": {"pool": "session"},
    "normalise_scores": {"kind": "zt"},
    "check": {},
    "evaluate": {"protocols": ["mpii-official"]},
    "verify": {"eer": "rocch"},
    "identify": {"share": 0.1},
}
#: Stages that need a network on disk.
NETWORKS = {"infer", "embed", "refine"}


def class_of(kind: str) -> type[stages.Stage]:
    return getattr(stages, "".join(word.capitalize() for word in kind.split("_")))


def made(kind: str) -> stages.Stage:
    example = EXAMPLES[kind]
    return class_of(kind)(example) if isinstance(example, str) else class_of(kind)(**example)


def test_every_stage_of_a_plan_is_a_class() -> None:
    classes = {made.kind for made in vars(stages).values() if isinstance(made, type) and issubclass(made, stages.Stage)}
    assert classes - {""} == set(EXAMPLES) | NETWORKS
    assert set(stages.__all__) >= {class_of(kind).__name__ for kind in EXAMPLES}


@pytest.mark.parametrize("kind", EXAMPLES)
def test_it_is_built_copied_and_told(kind: str) -> None:
    stage = made(kind)
    assert stage.kind == stage.name == kind and stage.seed == 0
    example = EXAMPLES[kind]
    # What was given is in the configuration, what was not has its default.
    assert stage.config == example if isinstance(example, str) else example.items() >= {}.items()
    if isinstance(example, dict) and kind != "crop":
        assert example.keys() <= stage.config.keys()
    for twin in (pickle.loads(pickle.dumps(stage)), copy.deepcopy(stage), class_of(kind).of(stage.config)):
        assert twin == stage and hash(twin) == hash(stage)
    assert eval(repr(stage), vars(stages) | {"true": True}) == stage
    assert class_of(kind).__doc__ and (stage.inputs is None or stage.inputs)


@pytest.mark.parametrize("kind", sorted(set(EXAMPLES) - {"encode_image"}))
def test_an_unknown_key_is_refused_with_the_known_ones(kind: str) -> None:
    with pytest.raises(ConfigError, match="no_such_key") as refused:
        class_of(kind)(no_such_key=1)
    assert "unknown" in str(refused.value) and f"`{kind}`" in str(refused.value)


#: Keys that a stage refuses, and the key that the message names.
REFUSED = [
    ("crop", {"size": [64, 2.5], "frame": "whole_image"}, "size[1]"),
    ("crop", {"size": [64, 64], "frame": {"person": {"height": -1}}}, "frame.person.height"),
    ("crop", {"size": [64, 64], "frame": {"persn": {"height": 1}}}, "frame"),
    ("flip", {"probability": 1.5}, "probability"),
    ("flip", {"probability": "often"}, "probability"),
    ("rotate", {"uniform": {"max_degrees": 270}}, "uniform.max_degrees"),
    ("repeat", {"copies": 0}, "copies"),
    ("colour", {"gain": {"min": 2, "max": 1}}, "gain"),
    ("warp", {"border": 256}, "border"),
    ("evaluate", {"protocols": ["pckh"]}, "protocols[0]"),
    ("resample", {"rate_hz": 0}, "rate_hz"),
    ("window", {"blocks": True}, "blocks"),
]


@pytest.mark.parametrize(("kind", "keys", "key"), REFUSED)
def test_a_bad_value_is_refused_in_the_words_of_the_plan(kind: str, keys: dict[str, Any], key: str) -> None:
    with pytest.raises(ConfigError) as refused:
        class_of(kind)(**keys)
    message = refused.value.message
    assert message.startswith(f"`{kind}`: `{key}`: ")
    words = message.removeprefix(f"`{kind}`: `{key}`: ")
    plan = {"sources": {}, "stages": {"s": {"inputs": ["x"], "run": {kind: keys}}}, "sinks": {}}
    with pytest.raises(ConfigError) as refused_plan:
        motionmill.check_plan(plan)
    assert words in refused_plan.value.message


def test_what_is_missing_is_named() -> None:
    with pytest.raises(ConfigError, match="neither the plan nor a card says `size`"):
        stages.Crop(frame="whole_image")
    with pytest.raises(ConfigError, match="nothing is given") as refused:
        stages.Rotate()
    assert refused.value.hint == "give one of `uniform`, `normal`"
    with pytest.raises(ConfigError, match="exactly 1 element"):
        stages.Rotate(uniform={"max_degrees": 1}, normal={})
    with pytest.raises(TypeError, match="one value or keys"):
        stages.EncodeImage("png", jpeg={})
    with pytest.raises(FileError, match=re.escape("/no/such.onnx")):
        stages.Infer(model="/no/such.onnx")


def test_values_of_python_are_values_of_a_plan(tmp_path: Any) -> None:
    size = np.array([64, 48])
    crop = stages.Crop(size=size, frame={"person": {"height": np.float32(40)}}, images=tmp_path)
    frame = {"person": {"height": 40, "shift_down": 0}}
    assert crop.config == {"size": [64, 48], "frame": frame, "images": str(tmp_path), "orientation": "stated"}
    assert stages.Flip(probability=None) == stages.Flip()
    with pytest.raises(ConfigError, match=r"`warp\.border` must be text, a number"):
        stages.Warp(border=object())
    with pytest.raises(ConfigError, match="within 64 bits"):
        stages.Repeat(copies=1 << 80)


def test_the_seed_and_the_name_are_part_of_a_stage() -> None:
    assert stages.Flip(seed=1) != stages.Flip() != stages.Flip(name="mirror")
    assert "name='mirror', seed=7" in repr(stages.Flip(name="mirror", seed=7))
    with pytest.raises((TypeError, OverflowError)):
        stages.Flip(seed=-1)
