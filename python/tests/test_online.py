"""Samples on the fly are those of the shards: the promise that all loaders rest on, without PyTorch."""

from __future__ import annotations

import pytest

from motionmill import _native
from torch_people import SMALL, write_people, write_shards

COPIES = 2


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    return write_people(tmp_path_factory.mktemp("people"), count=6)


def chain(recipe, people, **keys):
    return _native.NativeChain(f"recipe:{recipe}", SMALL[recipe], people={None: people}, **keys)


def same(a, b):
    """Bit for bit: numbers print with all their digits, and a joint that is not annotated, at NaN, equals itself."""
    return repr(a.to_pylist()) == repr(b.to_pylist())


@pytest.mark.parametrize("encoding", ["png", {"jpeg": {"quality": 50}}])
@pytest.mark.parametrize("recipe", sorted(SMALL))
def test_the_sample_of_an_epoch_is_the_copy_of_the_shard(recipe, encoding, people, tmp_path):
    more = {"stages.picture.run.encode_image": encoding}
    shards = _native.NativeShards(write_shards(recipe, people, tmp_path / "samples", COPIES, **more))
    online = _native.NativeChain(f"recipe:{recipe}", SMALL[recipe] | more, people={None: people})
    written = shards.rows(list(range(len(shards))))
    keys = list(zip(written["sample_id"].to_pylist(), written["copy"].to_pylist()))
    assert len(keys) == COPIES * len(online) == COPIES * 6
    for epoch in range(COPIES):
        samples, rejects = online.samples([5, 2, 0, 1, 3, 4], epoch)
        assert rejects.num_rows == 0
        rows = written.take([keys.index((name, epoch)) for name in samples["sample_id"].to_pylist()])
        assert set(samples.schema.names) == set(rows.schema.names)
        for name in samples.schema.names:
            assert same(samples[name], rows[name]), f"`{name}` in epoch {epoch}"


def test_a_stream_gives_the_same_for_any_number_of_threads(people):
    online = chain("repose-lsp", people)
    keys = {"shuffle": 1, "epoch": 3, "batch_size": 4}
    order = online.order(**keys)
    assert sorted(row for batch in order for row in batch) == list(range(6))
    for threads in (1, 3):
        stream = online.epoch(**keys, threads=threads)
        for number, indices in enumerate(order):
            at, rows, _ = stream.next()
            assert at == number and same(rows, online.samples(indices, 3)[0])
        assert stream.next() is None
        stream.stop()
        assert stream.next() is None


def test_unknown_keys_are_named(people):
    with pytest.raises(ValueError, match="unknown key `batchsize`"):
        chain("repose-lsp", people).epoch(batchsize=3)
    with pytest.raises(ValueError, match="`start` must be at most the 2 batches"):
        chain("repose-lsp", people).epoch(batch_size=3, start=3)
