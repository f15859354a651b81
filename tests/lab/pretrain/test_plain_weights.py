"""The weights of the plain model are small, load without photopal, and tell who is meant by a description."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from transformers import AutoModelForImageTextToText, AutoProcessor

from photopal.config import load_settings
from photopal.lab.synthetic.dialogue.descriptions import describe_only
from photopal.lab.synthetic.drawing import draw_photo
from photopal.lab.synthetic.identity import draw_identity
from photopal.lab.synthetic.painting.places import PLACES
from photopal.lab.synthetic.scene import plan_scene

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    settings = load_settings(home=tmp_path_factory.mktemp("home"), model="plain", environ={})
    return Path(settings.model_name_or_path)


@pytest.fixture(scope="module")
def plain(weights):
    """Model and processor as anybody loads them."""
    return AutoModelForImageTextToText.from_pretrained(weights), AutoProcessor.from_pretrained(weights)


def test_the_weights_are_small_and_say_how_they_were_trained(weights):
    assert (weights / "model.safetensors").stat().st_size <= 12 * 10**6
    assert json.loads((weights / "training.json").read_text(encoding="utf-8"))["photos"] >= 70_000


def test_places_and_whoever_is_described_are_told(plain, ask):
    rng = random.Random(77)
    places, does = [], []
    for _ in range(16):
        scene = plan_scene([draw_identity(rng, held_out=True) for _ in range(2)], rng)
        image = draw_photo(scene).image
        places.append(PLACES[scene.place] in ask(plain, image, "Where was this photo taken?").lower())
        subject = scene.subjects[0]
        description = describe_only(subject, scene.subjects, rng)
        if description is not None:
            said = ask(plain, image, f"What is the {description.words} doing?")
            does.append(subject.activity in said)
    assert sum(places) >= len(places) - 1
    assert sum(does) >= 0.6 * len(does)
