"""Every command of the README does on another device what it does on the CPU, and mixes no devices."""

from __future__ import annotations

import math

import pytest
from torch.nn.attention import SDPBackend, sdpa_kernel

from photopal.vlm import load_model
from tests.devices.readme_path import Walk, differences
from tests.marks import slow

RANDOM = ("tiny_llava", "tiny_smolvlm", "tiny_qwen")
OTHERS = ("tiny_gemma3", "tiny_llava_next", "tiny_qwen3_vl")
LARGEST_DIFFERENCE = 1e-4


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "tiny_llava",
        *slow("bundled", "tiny_smolvlm", "tiny_qwen", *OTHERS),
    ],
)
def test_all_commands_say_on_a_device_what_they_say_on_the_cpu(name, brief, album, pretend, tmp_path):
    told = {}
    # The CPU has a kernel of its own for attention. Its rounding grows in tuning, so neither side uses it.
    with sdpa_kernel(SDPBackend.MATH):
        for device in ("cpu", pretend):
            model = load_model(brief(name), device=device, dtype="float32")
            told[device] = Walk(model, tmp_path / device, album).walk()
    largest, elsewhere = differences(told["cpu"], told[pretend])
    assert not elsewhere
    assert largest <= LARGEST_DIFFERENCE


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
@pytest.mark.parametrize("name", ["bundled", *RANDOM])
def test_all_commands_run_on_a_device_in_half_the_bits(name, dtype, brief, album, pretend, tmp_path):
    model = load_model(brief(name), device=pretend, dtype=dtype)
    told = Walk(model, tmp_path / dtype, album).walk()
    assert {sighting["name"] for sighting in told["located"]} == {"Anna", "Ben"}
    assert all(math.isfinite(sighting["score"]) for sighting in told["located"])
    assert math.isfinite(told["tuned"]["after"]["loss"])
    assert len(told["captions"]) == 2
