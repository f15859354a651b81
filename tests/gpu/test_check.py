"""The check for a GPU runs; the same on the CPU with a tiny model, so that it is ready when a GPU is there.

With a GPU: `pytest -m gpu -s tests/gpu`. It prints what was measured.
"""

from __future__ import annotations

import pytest
import torch

from tests.devices.readme_path import Album
from tests.gpu.check import Trial, compare_with_cpu, run_trial
from tests.gpu.shapes import LLAVA_7B, TINY

on_a_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")


@pytest.fixture(scope="module")
def album(drawn_family) -> Album:
    """Anna with masks, Ben without, and photos of both and of others."""
    return Album.of(drawn_family)


@pytest.mark.gpu
@on_a_gpu
def test_a_gpu_agrees_with_the_cpu(album, tmp_path):
    agreement = compare_with_cpu("cuda", tmp_path, album, print)
    assert agreement.equal_captions == agreement.captions
    assert agreement.largest_difference <= 1e-3


@pytest.mark.gpu
@on_a_gpu
def test_a_model_of_a_real_size_goes_the_whole_way_on_a_gpu(album, tmp_path):
    run_trial(Trial(LLAVA_7B, "cuda", torch.bfloat16, photos=64), tmp_path, album, print)


@pytest.mark.slow
def test_the_comparison_runs_on_the_cpu(album, tmp_path):
    agreement = compare_with_cpu("cpu", tmp_path, album, lambda _: None)
    assert agreement.equal_captions == agreement.captions
    assert agreement.largest_difference == 0.0
    assert not agreement.elsewhere


@pytest.mark.slow
def test_a_tiny_model_goes_the_whole_way_on_the_cpu(album, tmp_path):
    said = []
    assert run_trial(Trial(TINY, "cpu", torch.float32, photos=3), tmp_path, album, said.append) == 3
    told = "\n".join(said)
    for figure in (
        "made in",
        "photopal tune:",
        "s an epoch",
        "captions a second",
        "equal text",
        "most memory",
    ):
        assert figure in told
