"""Which part of an epoch this process reads."""

from __future__ import annotations

import torch.distributed
import torch.utils.data


def rank_and_world_size(rank: int | None, world_size: int | None) -> tuple[int, int]:
    """As given; else as ``torch.distributed`` says, where it is initialised; else the only one."""
    if rank is not None and world_size is not None:
        return rank, world_size
    if rank is not None or world_size is not None:
        raise ValueError("`rank` and `world_size` belong together: give both or none")
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        return torch.distributed.get_rank(), torch.distributed.get_world_size()
    return 0, 1


def worker_and_workers() -> tuple[int, int]:
    """Number of this worker process of a ``DataLoader`` and how many there are; ``(0, 1)`` outside of one."""
    info = torch.utils.data.get_worker_info()
    return (0, 1) if info is None else (info.id, info.num_workers)
