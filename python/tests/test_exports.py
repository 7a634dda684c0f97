"""Every export is read back by the programs that it is made for.

The command is `$MOTIONMILL_BIN`, else `target/debug/motionmill`. The data are a few drawn people, made here.
"""

import io
import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet as parquet
import pytest
from PIL import Image

from motionmill import write as motionmill_write
from motionmill.errors import FileError

WORKSPACE = Path(__file__).resolve().parents[2]
COMMAND = os.environ.get("MOTIONMILL_BIN", str(WORKSPACE / "target/debug/motionmill"))
WIDTH, HEIGHT = 320, 240
MPII_JOINTS, COCO_JOINTS = 16, 17
# The reference evaluator's own: pycocotools/cocoeval.py, `kpt_oks_sigmas`; it has none for other skeletons.
OTHER_SIGMA = 0.05


def motionmill(*arguments, fails=False):
    """Runs the command; gives what it says on stderr."""
    done = subprocess.run([COMMAND, *map(str, arguments)], capture_output=True, text=True, check=False)
    assert (done.returncode != 0) == fails, done.stderr
    return done.stderr


def rows(table):
    """All rows of a table folder, in its order."""
    manifest = json.loads((Path(table) / "manifest.json").read_text())
    shards = [parquet.read_table(Path(table) / shard["file"]) for shard in manifest["shards"]]
    return [row for shard in shards for row in shard.to_pylist()]


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("exports")


@pytest.fixture(scope="session")
def images(folder):
    """Four pictures."""
    random = np.random.default_rng(7)
    (folder / "images").mkdir()
    for number in range(4):
        pixels = random.integers(0, 255, (HEIGHT // 8, WIDTH // 8, 3), dtype=np.uint8)
        Image.fromarray(pixels).resize((WIDTH, HEIGHT)).save(folder / f"images/{number:03}.jpg", quality=92)
    return folder / "images"


@pytest.fixture(scope="session")
def mpii_file(folder, images):
    """Six people as HRNet's MPII JSON: pixels from 1, two joints not annotated."""
    random = np.random.default_rng(11)
    people = []
    for number in (0, 0, 1, 2, 2, 3):
        joints = (random.integers(20 * 8, 200 * 8, (MPII_JOINTS, 2)) / 8).tolist()
        visible = [1] * MPII_JOINTS
        for missing in random.choice(MPII_JOINTS, 2, replace=False):
            joints[missing], visible[missing] = [-1.0, -1.0], 0
        people.append(
            {
                "joints_vis": visible,
                "joints": joints,
                "image": f"{number:03}.jpg",
                "scale": float(random.integers(40, 90)) / 64,
                "center": (random.integers(60 * 8, 180 * 8, 2) / 8).tolist(),
            }
        )
    path = folder / "train.json"
    path.write_text(json.dumps(people))
    return path


@pytest.fixture(scope="session")
def mpii_people(folder, mpii_file, images):
    table = folder / "people/mpii"
    motionmill("ingest", "mpii", "--annotations", mpii_file, "--images", images, "--out", table)
    return table


@pytest.fixture(scope="session")
def coco_file(folder, images):
    """Five people, one of them unlabelled, a crowd, and an image without anybody, as COCO has them."""
    random = np.random.default_rng(13)
    annotations = []
    for number, image in enumerate((900, 900, 17, 42, 42, 42)):
        keypoints = np.zeros((COCO_JOINTS, 3))
        if number != 4:
            keypoints[:, :2] = random.integers(30, 200, (COCO_JOINTS, 2))
            keypoints[:, 2] = random.integers(1, 3, COCO_JOINTS)
            keypoints[number, :] = 0
        annotations.append(
            {
                "id": 1000 + number,
                "image_id": image,
                "category_id": 1,
                "iscrowd": int(number == 5),
                "bbox": [25.5, 20.25, 180.0, 190.5],
                "area": 12345.75 + number,
                "num_keypoints": int((keypoints[:, 2] > 0).sum()),
                "keypoints": keypoints.ravel().tolist(),
                "segmentation": [[1, 1, 2, 2, 3, 3]],
            }
        )
    names = (
        "nose left_eye right_eye left_ear right_ear left_shoulder right_shoulder left_elbow right_elbow left_wrist "
        "right_wrist left_hip right_hip left_knee right_knee left_ankle right_ankle"
    ).split()
    listed = [
        {"id": number, "file_name": f"{index:03}.jpg", "width": WIDTH, "height": HEIGHT}
        for index, number in enumerate((900, 17, 42, 5))
    ]
    categories = [{"id": 1, "name": "person", "keypoints": names, "skeleton": [[16, 14]]}]
    path = folder / "person_keypoints_val2017.json"
    path.write_text(json.dumps({"images": listed, "annotations": annotations, "categories": categories}))
    return path


@pytest.fixture(scope="session")
def coco_people(folder, coco_file, images):
    table = folder / "people/coco"
    motionmill("ingest", "coco", "--annotations", coco_file, "--images", images, "--out", table)
    return table


@pytest.fixture(scope="session")
def samples(folder, mpii_people):
    table = folder / "samples"
    motionmill(
        "run", "recipe:hourglass-mpii", "--threads", 2,
        "--set", f'sources.people.read.table.path="{mpii_people}"',
        "--set", f'sinks.samples.write.parquet.path="{table}"',
    )
    return table


def average_precision(truth, results, joints):
    """AP over OKS 0.50:0.95 of pycocotools."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    truth = COCO(str(truth))
    evaluation = COCOeval(truth, truth.loadRes(str(results)), "keypoints")
    if joints != COCO_JOINTS:
        evaluation.params.kpt_oks_sigmas = np.full(joints, OTHER_SIGMA)
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    return evaluation.stats[0]


def test_coco_people_go_through_unchanged(folder, coco_file, coco_people, images):
    from pycocotools.coco import COCO

    out = folder / "coco.json"
    said = motionmill("export", "coco", coco_people, "--out", out)
    assert "6 rows" in said, said
    original, written = COCO(str(coco_file)), COCO(str(out))
    assert sorted(original.getImgIds()) == sorted(written.getImgIds())
    assert written.loadCats(1)[0]["keypoints"] == original.loadCats(1)[0]["keypoints"]
    assert written.loadCats(1)[0]["skeleton"][0] == [16, 14]
    for image in original.getImgIds():
        same = ("file_name", "width", "height")
        assert [written.imgs[image][key] for key in same] == [original.imgs[image][key] for key in same]
        people = original.loadAnns(original.getAnnIds(imgIds=image, iscrowd=0))
        again = written.loadAnns(written.getAnnIds(imgIds=image, iscrowd=0))
        assert len(people) == len(again)
        crowds = [source.loadAnns(source.getAnnIds(imgIds=image, iscrowd=1)) for source in (original, written)]
        assert [one["bbox"] for one in crowds[0]] == [one["bbox"] for one in crowds[1]]
        for before, after in zip(people, again):
            for key in ("keypoints", "bbox", "area", "num_keypoints", "iscrowd", "category_id"):
                assert before[key] == after[key], key


def test_truth_as_coco_results_scores_one(folder, coco_file, coco_people):
    results = [
        {"image_id": one["image_id"], "category_id": 1, "score": 0.5 + one["id"] / 10000, "keypoints": one["keypoints"]}
        for one in json.loads(coco_file.read_text())["annotations"]
        if one["num_keypoints"] and not one["iscrowd"]
    ]
    outside = folder / "outside.json"
    outside.write_text(json.dumps(results[::-1]))
    table = folder / "keypoints/coco"
    motionmill("ingest", "coco-results", outside, "--people", coco_people, "--out", table)
    labelled = [row for row in rows(coco_people) if any(row["visibility"])]
    found = {row["sample_id"]: row for row in rows(table)}
    assert set(found) == {row["sample_id"] for row in labelled}
    for row in labelled:
        known = np.array(row["visibility"]) > 0
        assert np.array_equal(np.array(found[row["sample_id"]]["keypoints"])[known], np.array(row["keypoints"])[known])
    back = folder / "results.json"
    motionmill("export", "coco-results", table, "--people", coco_people, "--out", back)
    assert average_precision(coco_file, back, COCO_JOINTS) == 1.0
    written = json.loads(back.read_text())
    assert sorted(one["score"] for one in written) == sorted(one["score"] for one in results)


def test_truth_of_mpii_as_results_scores_one(folder, mpii_people, mpii_file):
    from scipy.io import savemat

    joints = np.array([person["joints"] for person in json.loads(mpii_file.read_text())])
    savemat(folder / "truth.mat", {"preds": joints})
    table = folder / "keypoints/mpii"
    motionmill(
        "ingest", "predictions", folder / "truth.mat", "--array", "preds", "--first-pixel", 1,
        "--people", mpii_people, "--out", table,
    )
    truth, results = folder / "mpii_coco.json", folder / "mpii_results.json"
    motionmill("export", "coco", mpii_people, "--out", truth)
    motionmill("export", "coco-results", table, "--people", mpii_people, "--out", results)
    assert average_precision(truth, results, MPII_JOINTS) == 1.0
    for image in json.loads(truth.read_text())["images"]:
        assert (image["width"], image["height"]) == (WIDTH, HEIGHT)


def test_preds_are_what_scipy_and_the_evaluators_read(folder, mpii_people, mpii_file):
    from scipy.io import loadmat, savemat

    joints = np.array([person["joints"] for person in json.loads(mpii_file.read_text())])
    savemat(folder / "any.mat", {"preds": joints + 0.25})
    table = folder / "keypoints/preds"
    motionmill(
        "ingest", "predictions", folder / "any.mat", "--array", "preds", "--first-pixel", 1,
        "--people", mpii_people, "--out", table,
    )
    out = folder / "preds.mat"
    motionmill("export", "preds", table, "--people", mpii_people, "--out", out)
    preds = loadmat(out)["preds"]
    assert (preds.shape, preds.dtype) == ((6, MPII_JOINTS, 2), np.dtype(float))
    assert np.array_equal(preds, joints + 0.25)


def test_hrnet_json_reads_as_hrnet_does(folder, mpii_people, mpii_file):
    """What lib/dataset/mpii.py of HRNet does with an entry, step by step."""
    out = folder / "hrnet.json"
    motionmill("export", "hrnet", mpii_people, "--out", out)
    entries = json.loads(out.read_text())
    assert entries == json.loads(mpii_file.read_text())
    for entry, row in zip(entries, rows(mpii_people), strict=True):
        center, scale = np.array(entry["center"], dtype=float), np.array([entry["scale"]] * 2, dtype=float)
        assert center[0] != -1
        center[1] += 15 * scale[1]
        scale *= 1.25
        center -= 1
        joints, visible = np.array(entry["joints"]), np.array(entry["joints_vis"])
        joints[:, 0:2] -= 1
        assert len(joints) == len(visible) == MPII_JOINTS
        assert np.array_equal(visible, np.array(row["visibility"]) > 0)
        assert np.array_equal(joints[visible == 1], np.array(row["keypoints"])[visible == 1])
        assert np.allclose(center, [row["center"][0], row["center"][1] + 15 * row["scale"]])
        assert (Path(folder) / "images" / entry["image"]).is_file()


def test_yolo_folder_follows_the_documented_rules(folder, mpii_people):
    """docs.ultralytics.com/datasets/pose: `class x y w h px1 py1 v1 ...`, all as shares of the picture."""
    import yaml

    out = folder / "yolo"
    said = motionmill("export", "yolo", mpii_people, "--out", out)
    assert "trainers want `train` and `val`" in said
    data = yaml.safe_load((out / "data.yaml").read_text())
    assert data["kpt_shape"] == [MPII_JOINTS, 3] and data["names"] == {0: "person"}
    assert [data["flip_idx"][index] for index in data["flip_idx"]] == list(range(MPII_JOINTS))
    assert len(data["kpt_names"][0]) == MPII_JOINTS
    people = {}
    for row in rows(mpii_people):
        people.setdefault(Path(row["image_path"]).name, []).append(row)
    pictures = sorted((out / data["train"]).iterdir())
    assert [picture.name for picture in pictures] == sorted(people)
    for picture in pictures:
        width, height = Image.open(picture).size
        # The label of images/SPLIT/NAME.jpg is labels/SPLIT/NAME.txt.
        label = Path(str(picture).replace("/images/", "/labels/")).with_suffix(".txt")
        lines = np.loadtxt(label, ndmin=2)
        assert lines.shape == (len(people[picture.name]), 5 + 3 * MPII_JOINTS)
        assert lines.min() >= 0 and lines[:, 1:5].max() <= 1
        for line, row in zip(lines, people[picture.name], strict=True):
            points = line[5:].reshape(-1, 3)
            assert np.array_equal(points[:, 2], row["visibility"])
            known = points[:, 2] > 0
            assert np.allclose(points[known, :2] * [width, height], np.array(row["keypoints"])[known], atol=1e-3)
            (x, y), (w, h) = line[1:3] * [width, height], line[3:5] * [width, height]
            inside = np.array(row["keypoints"])[known]
            assert (inside >= [x - w / 2 - 1e-3, y - h / 2 - 1e-3]).all()
            assert (inside <= [x + w / 2 + 1e-3, y + h / 2 + 1e-3]).all()


def test_webdataset_reads_pictures_numbers_and_maps(folder, samples):
    import webdataset

    out = folder / "shards"
    motionmill("export", "webdataset", samples, "--out", out, "--shard-mib", 1)
    shards = sorted(map(str, out.glob("train-*.tar")))
    assert Path(shards[0]).name == "train-000000.tar"
    assert all(Path(shard).stat().st_size <= 1 << 20 for shard in shards)
    read = list(webdataset.WebDataset(shards, shardshuffle=False).decode("rgb8"))
    expected = rows(samples)
    assert len(read) == len(expected)
    for sample, row in zip(read, expected, strict=True):
        assert sample["__key__"] == f"{row['sample_id']}-{row['copy']}"
        picture = sample["png"] if "png" in sample else sample["jpg"]
        assert np.array_equal(picture, np.array(Image.open(io.BytesIO(row["image"]["bytes"])).convert("RGB")))
        assert np.array_equal(sample["heatmap.npy"], np.array(row["heatmaps"], dtype=np.float32))
        assert sample["heatmap.npy"].dtype == np.float32
        assert sample["json"]["visibility"] == row["visibility"]
        known = np.array(row["visibility"]) > 0
        assert np.array_equal(np.array(sample["json"]["keypoints"], dtype=float)[known], np.array(row["keypoints"])[known])
    again = folder / "shards-again"
    motionmill("export", "webdataset", samples, "--out", again, "--shard-mib", 1)
    assert all((again / Path(shard).name).read_bytes() == Path(shard).read_bytes() for shard in shards)


def test_hugging_face_shows_the_pictures(samples, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    import datasets

    read = datasets.load_dataset(
        "parquet", data_files=str(samples / "train-*.parquet"), split="train", cache_dir=str(tmp_path)
    )
    expected = rows(samples)
    assert len(read) == len(expected)
    assert isinstance(read.features["image"], datasets.Image)
    for sample, row in zip(read, expected, strict=True):
        assert sample["image"].size == tuple(row["crop_size"])
        assert np.array(sample["image"]).shape[2] == 3
        assert np.array(sample["keypoints"]).shape == (MPII_JOINTS, 2)


def test_a_failure_says_what_to_change_and_leaves_nothing(folder, samples, mpii_people, coco_people):
    out = folder / "nothing.json"
    said = motionmill("export", "coco", samples, "--out", out, fails=True)
    assert "the table must be `people`, found `samples`" in said and "\n\nhint: " in said
    said = motionmill("export", "hrnet", coco_people, "--out", out, fails=True)
    assert "holds `mpii16` keypoints, found `coco17`" in said
    assert not out.exists() and not list(folder.glob("nothing*"))
    out.write_text("mine")
    said = motionmill("export", "coco", mpii_people, "--out", out, fails=True)
    assert "hint: choose another place, or replace it with `--force`" in said and out.read_text() == "mine"
    motionmill("export", "coco", mpii_people, "--out", out, "--force")
    assert json.loads(out.read_text())["annotations"]
    said = motionmill("export", "yolo", mpii_people, "--out", folder / "images", "--force", fails=True)
    assert "the target is a folder that no export made" in said and (folder / "images/000.jpg").exists()


def test_arrow_files_are_read_by_pyarrow_and_polars_with_their_schema(folder, mpii_people):
    import polars
    from pyarrow import feather, ipc, memory_map

    out = folder / "people.arrow"
    motionmill("export", "arrow", mpii_people, "--out", out)
    table = feather.read_table(out, memory_map=True)
    # A joint that is not annotated is NaN, which is unlike itself.
    assert repr(table.to_pylist()) == repr(rows(mpii_people))
    assert table.schema.metadata[b"motionmill.skeleton"] == b"mpii16"
    with memory_map(str(out)) as file:
        before = pyarrow_bytes()
        mapped = ipc.open_file(file).read_all()
        assert mapped.num_rows == 6 and pyarrow_bytes() - before < 4096, "columns lie in the file, not in memory"
    assert polars.read_ipc(out)["sample_id"].to_list() == table["sample_id"].to_pylist()


def pyarrow_bytes() -> int:
    import pyarrow

    return pyarrow.total_allocated_bytes()


def test_yolo_people_come_back(folder, coco_people):
    out, back = folder / "yolo_back", folder / "people/yolo"
    motionmill("export", "yolo", coco_people, "--out", out)
    motionmill("ingest", "yolo", "--annotations", out / "data.yaml", "--out", back)
    before = [row for row in rows(coco_people) if row["person_index"] is not None]
    after = [row for row in rows(back) if row["person_index"] is not None]
    assert len(before) == len(after)
    for one, other in zip(before, after):
        assert one["visibility"] == other["visibility"]
        known = np.array(one["visibility"]) > 0
        # Six digits of a share are half a thousandth of a pixel.
        assert np.allclose(np.array(one["keypoints"])[known], np.array(other["keypoints"])[known], atol=1e-3)


def test_a_table_from_python_is_cut_into_shards_and_never_mixed_with_another(tmp_path):
    numbers = pyarrow.table({"sample_id": [f"{n:06}" for n in range(300_000)], "value": [0.5] * 300_000})
    table = tmp_path / "table"
    assert motionmill_write.parquet(numbers, path=table, shard_mib=1) == 300_000
    manifest = json.loads((table / "manifest.json").read_text())
    assert len(manifest["shards"]) > 1 and manifest["rows"] == 300_000
    with pytest.raises(FileError) as refused:
        motionmill_write.parquet(numbers.slice(0, 5), path=table)
    assert "exists" in str(refused.value) and "force=True" in refused.value.hint
    assert motionmill_write.parquet(numbers.slice(0, 5), path=table, force=True) == 5
    assert [row["sample_id"] for row in rows(table)] == [f"{n:06}" for n in range(5)]
