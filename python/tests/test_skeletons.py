"""Skeletons of one's own, from Python."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest

import motionmill
from motionmill import ConfigError, stages

ROBOT = """
name = "robot"
joints = ["base", "left_arm", "right_arm"]
limbs = [["base", "left_arm"], [0, 2]]
sigmas = [0.1, 0.2, 0.2]
groups = { arms = [1, 2] }
"""


@pytest.fixture
def robot(tmp_path: Path) -> Path:
    path = tmp_path / "robot.toml"
    path.write_text(ROBOT)
    return path


def annotations(folder: Path) -> dict[str, Path]:
    document = {
        "images": [{"id": 1, "file_name": "a.jpg", "width": 40, "height": 40}],
        "categories": [{"id": 1, "name": "robot", "keypoints": ["base", "left arm", "right arm"], "skeleton": [[1, 2]]}],
        "annotations": [
            {"id": 1, "image_id": 1, "category_id": 1, "bbox": [0, 0, 30, 30], "keypoints": [5, 6, 2, 10, 11, 2, 20, 21, 1]}
        ],
    }
    path = folder / "robots.json"
    path.write_text(json.dumps(document))
    return {"annotations": path, "images": folder}


def test_a_file_a_definition_and_a_table_say_the_same(robot: Path, tmp_path: Path) -> None:
    made = motionmill.skeleton(robot)
    assert made.joints == ("base", "left_arm", "right_arm") and made.flip_pairs == ((1, 2),)
    assert made.sigmas == (0.1, 0.2, 0.2) and made.groups == {"arms": (1, 2)}
    assert made == motionmill.skeleton(made.definition) == pickle.loads(pickle.dumps(made))
    assert made.reference == made.definition and motionmill.skeleton("coco17").reference == "coco17"
    people = motionmill.read.coco(**annotations(tmp_path), skeleton=robot)
    robot.unlink()
    assert motionmill.skeleton_of(people.schema) == made
    assert motionmill.skeleton_of(stages.Filter(where="scale > 0")(people).schema) == made


def test_a_file_states_its_own(tmp_path: Path) -> None:
    people = motionmill.read.coco(**annotations(tmp_path))
    assert motionmill.skeleton_of(people.schema).name == "robot3"
    target = tmp_path / "target.toml"
    target.write_text('name = "target"\njoints = ["base", "middle"]')
    mapped = stages.MapSkeleton(to=target, derived={"middle": ["left_arm", "right arm"]})(people)
    assert mapped["keypoints"].to_pylist() == [[[5.0, 6.0], [15.0, 16.0]]]
    assert mapped["visibility"].to_pylist() == [[2, 1]]


def test_what_is_none_is_refused(robot: Path, tmp_path: Path) -> None:
    robot.write_text(ROBOT.replace('"right_arm"', '"base"'))
    with pytest.raises(ConfigError, match="`joints` must differ, found `base` at 0 and `base` at 2"):
        motionmill.skeleton(robot)
    robot.write_text(ROBOT.replace('"robot"', '"coco17"'))
    with pytest.raises(ConfigError, match="`coco17` is a built-in skeleton with other joints"):
        stages.MapSkeleton(to=robot)
    with pytest.raises(motionmill.FileError, match="absent.toml"):
        motionmill.skeleton(tmp_path / "absent.toml")
