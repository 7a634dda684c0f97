"""Threads, worker processes, and what goes wrong in them."""

from __future__ import annotations

import gc
import os
import re
import shutil
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="motionmill.torch needs PyTorch")

from motionmill import ConfigError
from motionmill import torch as mt
from torch_people import SMALL, write_people

RECIPE = "recipe:repose-lsp"
KEYS = {"overrides": SMALL["repose-lsp"]}


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    return write_people(tmp_path_factory.mktemp("people"))


@pytest.fixture
def gap(tmp_path):
    """People one of whom has no picture, the id of that one, and the picture's place."""
    people = write_people(tmp_path)
    picture = tmp_path / "raw" / "images" / "im00004.jpg"
    picture.unlink()
    rows = mt.SampleDataset(RECIPE, people, **KEYS).people.to_pylist()
    return people, next(row["sample_id"] for row in rows if Path(row["image_path"]).name == picture.name), picture


def run_python(program, *arguments):
    """Run a program as its own process, with the package that is tested here."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment)


def threads():
    return len(os.listdir("/proc/self/task"))


def settled(expected):
    """Whether this process has so many threads, given a moment for the system to take leave of them."""
    for _ in range(100):
        if threads() <= expected:
            return True
        time.sleep(0.01)
    return False


@pytest.mark.parametrize("context", ["fork", "spawn"])
def test_a_data_set_works_in_worker_processes(people, context):
    dataset = mt.SampleDataset(RECIPE, people, **KEYS)
    expected = {epoch: [] for epoch in range(2)}
    for epoch in expected:
        dataset.set_epoch(epoch)
        expected[epoch] = [sample["image"].clone() for sample in dataset]
    feed = torch.utils.data.DataLoader(
        dataset,
        batch_size=4,
        num_workers=2,
        multiprocessing_context=context,
        persistent_workers=True,
        collate_fn=mt.collate,
    )
    for epoch, images in expected.items():
        # The workers live on from epoch to epoch and still hear of it.
        dataset.set_epoch(epoch)
        assert torch.equal(torch.cat([batch["image"] for batch in feed]), torch.stack(images))


def test_the_default_collation_gives_the_same(people):
    dataset = mt.SampleDataset(RECIPE, people, **KEYS)
    ours = torch.utils.data.DataLoader(dataset, batch_size=4, collate_fn=mt.collate)
    plain = torch.utils.data.DataLoader(dataset, batch_size=4)
    for a, b in zip(ours, plain):
        assert a["sample_id"] == b["sample_id"] and torch.equal(a["heatmaps"], b["heatmaps"])


def test_an_absent_picture_is_an_exception_that_names_the_sample(gap):
    people, sample_id, picture = gap
    message = f"(?s)cannot make sample `{sample_id}`: image missing.*{picture.name}"
    dataset = mt.SampleDataset(RECIPE, people, **KEYS)
    with pytest.raises(mt.RejectedError, match=message) as caught:
        dataset.__getitems__(range(11))
    assert [reject["reason"] for reject in caught.value.rejects] == ["image missing"]
    for workers in (0, 2):
        with pytest.raises(mt.RejectedError, match=message):
            list(torch.utils.data.DataLoader(dataset, batch_size=4, num_workers=workers))
    loader = mt.SampleLoader(RECIPE, people, batch_size=3, **KEYS)
    with pytest.raises(mt.RejectedError, match=message):
        list(loader)


def test_rejects_are_skipped_only_where_that_is_asked_for(gap):
    people, sample_id, _ = gap
    loader = mt.SampleLoader(RECIPE, people, batch_size=1, on_reject="skip", **KEYS)
    ids = [batch["sample_id"][0] for batch in loader]
    assert len(ids) == 10 and sample_id not in ids
    assert [reject["sample_id"] for reject in loader.skipped] == [sample_id]
    with pytest.raises(ConfigError, match="`on_reject` must be"):
        mt.SampleLoader(RECIPE, people, on_reject="ignore", **KEYS)


def test_a_worker_that_dies_is_an_exception(people):
    # In a process of its own: PyTorch tells of a dead worker from a signal handler, whatever runs at that moment.
    program = textwrap.dedent(f"""
        import os, signal, torch
        from motionmill import torch as mt

        class Deadly(mt.SampleDataset):
            def __getitems__(self, indices):
                if torch.utils.data.get_worker_info() is not None and 5 in indices:
                    os.kill(os.getpid(), signal.SIGKILL)
                return super().__getitems__(indices)

        keys = {{"overrides": {KEYS["overrides"]!r}}}
        deadly = Deadly("{RECIPE}", {str(people)!r}, **keys)
        work = [
            lambda: list(torch.utils.data.DataLoader(deadly, batch_size=2, num_workers=2)),
            lambda: print(len(list(mt.SampleLoader("{RECIPE}", {str(people)!r}, batch_size=4, **keys))), "batches"),
        ]
        while work:
            try:
                work[0]()
                work.pop(0)
            except RuntimeError as error:
                print(error)
                if len(work) == 2:
                    work.pop(0)
    """)
    done = run_python(program)
    assert done.returncode == 0, done.stderr
    first, *_, last = done.stdout.strip().splitlines()
    assert re.search("worker .*(exited unexpectedly|is killed by signal)", first), done.stdout
    assert last == "3 batches", "the process goes on as if nothing had been"


def test_no_threads_are_left_behind(people):
    loader = mt.SampleLoader(RECIPE, people, batch_size=1, threads=3, **KEYS)
    list(loader)
    gc.collect()
    before = threads()
    for _ in range(3):
        list(loader)
    assert settled(before)
    iterator = iter(loader)
    next(iterator)
    assert threads() == before + 3
    iterator.close()
    assert threads() <= before, "closing waits for the threads"
    for batch in loader:  # noqa: B007 the loop is left while it holds a batch
        break
    del batch
    gc.collect()
    assert settled(before)


def test_a_fork_in_mid_epoch_harms_neither_process(people):
    loader = mt.SampleLoader(RECIPE, people, batch_size=2, **KEYS)
    iterator = iter(loader)
    next(iterator)
    dataset = mt.SampleDataset(RECIPE, people, **KEYS)
    feed = torch.utils.data.DataLoader(dataset, batch_size=4, num_workers=1, multiprocessing_context="fork")
    assert len(list(feed)) == 3
    assert len(list(iterator)) == 5


def test_a_condition_after_repeat_is_refused_in_a_fork(people):
    late = KEYS["overrides"] | {
        "stages.late": {"inputs": ["crop"], "run": {"filter": {"where": "copy >= 0"}}},
        "stages.scale.inputs": ["late"],
    }
    dataset = mt.SampleDataset(RECIPE, people, overrides=late)
    assert len(dataset[0]["image"]) == 32
    feed = torch.utils.data.DataLoader(dataset, batch_size=4, num_workers=1, multiprocessing_context="fork")
    with pytest.raises(ConfigError, match="`late` uses threads that a forked process does not have"):
        list(feed)
    feed = torch.utils.data.DataLoader(dataset, batch_size=4, num_workers=1, multiprocessing_context="spawn")
    assert len(list(feed)) == 3


def test_an_interrupt_ends_the_wait(people):
    # One thread, and one batch that takes it far longer than the signal takes to come.
    program = textwrap.dedent(f"""
        import os, signal, threading, time
        from motionmill import torch as mt
        large = {{"stages.crop.run.crop.size": [512, 512], "stages.targets.run.encode_heatmaps.style.gaussian.sigma": 100}}
        loader = mt.SampleLoader("{RECIPE}", {str(people)!r}, overrides=large, batch_size=11, threads=1)
        threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()
        try:
            next(iter(loader))
            print("not interrupted")
        except KeyboardInterrupt:
            print("interrupted")
    """)
    done = run_python(program)
    assert done.stdout.strip() == "interrupted", done.stderr


def test_ranks_are_those_of_torch_distributed(people, tmp_path):
    world_size = 2
    program = textwrap.dedent(f"""
        import sys, torch.distributed as dist
        from motionmill import torch as mt
        rank = int(sys.argv[1])
        dist.init_process_group("gloo", init_method="file://{tmp_path}/meet", rank=rank, world_size={world_size})
        loader = mt.SampleLoader("{RECIPE}", {str(people)!r}, overrides={KEYS["overrides"]!r}, batch_size=4)
        print(*[name for batch in loader for name in batch["sample_id"]])
    """)
    with ThreadPoolExecutor() as pool:
        ranks = list(pool.map(lambda rank: run_python(program, str(rank)), range(world_size)))
    assert all(rank.returncode == 0 for rank in ranks), [rank.stderr for rank in ranks]
    ids = [name for rank in ranks for name in rank.stdout.split()]
    assert len(ids) == len(set(ids)) == 11


def test_shards_of_a_folder_that_is_gone(tmp_path, people):
    shutil.copytree(people, tmp_path / "people")
    dataset = mt.ShardDataset(tmp_path / "people", columns=["sample_id", "keypoints"])
    shutil.rmtree(tmp_path / "people")
    with pytest.raises(OSError, match="people"):
        dataset[0]
