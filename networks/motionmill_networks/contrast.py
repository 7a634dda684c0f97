"""The input of the banks of Efficient Object Localization: a Gaussian pyramid, levels normalised by local contrast.

The paper names both but states no kernel; sizes and formulae here are **inferred**. N samples, H x W px of a level.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

KERNEL_SIZE = 9
"""Px of the side of the contrast kernel. Recalled as usual with Torch, not stated in the paper."""
KERNEL_SPREAD = 0.25
"""Standard deviation of the contrast kernel as a share of its side, Torch's default for a Gaussian."""
LEAST_DEVIATION = 1e-4
"""Below it a picture is flat: levels 0 to 1. Torch's threshold, recalled."""
HALVING = (1.0, 3.0, 3.0, 1.0)
"""The binomial kernel of a pyramid: even, so that px i of a level lies between px 2i and 2i + 1 of the one before."""


def gaussian(size: int, spread: float) -> Tensor:
    """A Gaussian `[size, size]` that sums to 1; `spread` in px."""
    places = torch.arange(size, dtype=torch.float64) - (size - 1) / 2
    line = torch.exp(-places.square() / (2 * spread**2))
    plane = line[:, None] * line[None, :]
    return (plane / plane.sum()).float()


class GaussianPyramid(nn.Module):
    """A picture `[N, C, H, W]` to `levels` pictures, the first unchanged, each of the others half the one before.

    Odd sides are rounded up. Px i of level l lies at px 2^l i + (2^l - 1) / 2 of the picture.
    """

    def __init__(self, levels: int, channels: int = 3) -> None:
        super().__init__()
        self.levels = levels
        line = torch.tensor(HALVING)
        plane = line[:, None] * line[None, :]
        self.register_buffer("kernel", (plane / plane.sum()).expand(channels, 1, 4, 4).clone(), persistent=False)

    def forward(self, image: Tensor) -> list[Tensor]:
        found = [image]
        for _ in range(self.levels - 1):
            wide = functional.pad(found[-1], (1, 2, 1, 2), mode="replicate")
            found.append(functional.conv2d(wide, self.kernel, stride=2, groups=self.kernel.shape[0]))
        return found


class LocalContrastNormalisation(nn.Module):
    """(v - m) / max(s, mean of s), m and s the Gaussian-weighted mean and deviation around a px, of all channels.

    At a border only the weights of the px inside count. The mean of s is taken over the picture.
    """

    def __init__(self, size: int = KERNEL_SIZE) -> None:
        super().__init__()
        self.register_buffer("kernel", gaussian(size, KERNEL_SPREAD * size)[None, None], persistent=False)

    def forward(self, image: Tensor) -> Tensor:
        mass = self._weighed(torch.ones_like(image[:1, :1]))
        centred = image - self._weighed(image.mean(1, keepdim=True)) / mass
        deviation = torch.sqrt(self._weighed(centred.square().mean(1, keepdim=True)) / mass)
        usual = deviation.mean((2, 3), keepdim=True).clamp(min=LEAST_DEVIATION)
        return centred / torch.maximum(deviation, usual)

    def _weighed(self, plane: Tensor) -> Tensor:
        return functional.conv2d(plane, self.kernel, padding=self.kernel.shape[-1] // 2)
