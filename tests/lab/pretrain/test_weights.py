"""The bundled weights are small, load without photopal, and know what the card says they know."""

from __future__ import annotations

import json
import random

import pytest
from transformers import AutoModelForImageTextToText, AutoProcessor

from photopal.config import bundled_model_path
from photopal.lab.synthetic.drawing import draw_photo
from photopal.lab.synthetic.identity import draw_identity
from photopal.lab.synthetic.painting.places import PLACES
from photopal.lab.synthetic.scene import plan_scene

pytestmark = pytest.mark.slow

WEIGHTS = bundled_model_path()
MB = 10**6


@pytest.fixture(scope="module")
def plain():
    """Model and processor as anybody loads them."""
    return AutoModelForImageTextToText.from_pretrained(WEIGHTS), AutoProcessor.from_pretrained(WEIGHTS)


def scenes(count):
    rng = random.Random(4321)
    for _ in range(count):
        yield plan_scene([draw_identity(rng, held_out=True) for _ in range(rng.choice((1, 2)))], rng)


def test_no_shard_is_large_and_all_together_are_small():
    files = [path for path in WEIGHTS.rglob("*") if path.is_file()]
    assert max(path.stat().st_size for path in files) <= 15 * MB
    assert sum(path.stat().st_size for path in files) <= 40 * MB


def test_transformers_alone_loads_the_model_and_asks_it(plain, ask):
    right = [
        PLACES[scene.place] in ask(plain, draw_photo(scene).image, "Where was this photo taken?").lower()
        for scene in scenes(12)
    ]
    assert sum(right) >= 11


def test_photos_of_any_size_are_understood(plain, ask):
    scene = next(scenes(1))
    for side_px in (160, 320, 512):
        image = draw_photo(scene, size_px=side_px).image
        assert PLACES[scene.place] in ask(plain, image, "Where is this?").lower()


def test_how_it_was_trained_is_written_beside_it():
    settings = json.loads((WEIGHTS / "training.json").read_text())
    assert settings["vision"]["seed"] == settings["language"]["seed"] == 0
    assert settings["language"]["seconds"] > 600
