"""Data sets and loaders for PyTorch, from people and images or from shards that ``motionmill run`` wrote.

=================  ===============================  =========================================================
class              reads                            use it
=================  ===============================  =========================================================
`SampleLoader`     people + pictures, on the fly    in a ``for`` loop: batches of tensors, threads in Rust
`SampleDataset`    people + pictures, on the fly    in a ``torch.utils.data.DataLoader``, any sampler, workers
`ShardLoader`      a table of samples or windows    in a ``for`` loop: batches of tensors, threads in Rust
`ShardDataset`     a table of samples or windows    in a ``torch.utils.data.DataLoader``
=================  ===============================  =========================================================

A sample depends only on (seed, stage name, sample id, copy), and on the fly the copy is the **epoch**. So the sample of
epoch c is, bit for bit, the copy c that ``motionmill run`` writes with ``repeat.copies`` = n, whatever the batch size,
the order, the threads, ranks or workers.

Letters: N samples, H x W px of the image, K joints, C maps of h x w, T blocks of B samples of D channels.
"""

from __future__ import annotations

try:
    import torch as _torch
except ImportError as error:
    raise ImportError("motionmill.torch needs PyTorch: pip install 'motionmill[torch]'") from error

from .rejected import RejectedError
from .samples import SampleDataset, SampleLoader
from .shards import ShardDataset, ShardLoader
from .tensors import SAMPLE_COLUMNS, WINDOW_COLUMNS, collate, to_tensors

__all__ = [
    "SAMPLE_COLUMNS",
    "WINDOW_COLUMNS",
    "RejectedError",
    "SampleDataset",
    "SampleLoader",
    "ShardDataset",
    "ShardLoader",
    "collate",
    "to_tensors",
]

del _torch
