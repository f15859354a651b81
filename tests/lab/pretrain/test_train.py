"""The bundled model's training goes on from weights, and says so."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest
import torch
from transformers import AutoModelForImageTextToText, LlavaForConditionalGeneration

from photopal.config import bundled_model_path
from photopal.lab.pretrain import train as training_command
from photopal.lab.pretrain.loop import StageRun
from photopal.lab.pretrain.train import (
    HEADS_FILE,
    PROBES_FILE,
    Training,
    average_with,
    settings_of,
    train_mini,
)
from photopal.lab.pretrain.train_language import Probes

WEIGHTS = bundled_model_path()


def tensors_of(folder):
    return AutoModelForImageTextToText.from_pretrained(folder, dtype=torch.float32).state_dict()


def tensors_with(file):
    return torch.load(file, weights_only=True)["modules"]["probes"]


@pytest.fixture
def quick_beginning(monkeypatch):
    """Heads and probes that learn from four photos, and no detector."""
    monkeypatch.setattr(training_command, "HEAD_PHOTOS", 4)
    monkeypatch.setattr(training_command, "PROBE_PHOTOS", 4)
    monkeypatch.setattr(training_command, "fit_ood_detector_to_folder", lambda folder: None)


@pytest.mark.slow
def test_probes_learn_to_read_weights_before_these_go_on(tmp_path, monkeypatch):
    monkeypatch.setattr(training_command, "HEAD_PHOTOS", 4)
    monkeypatch.setattr(training_command, "PROBE_PHOTOS", 8)
    monkeypatch.setattr(training_command, "fit_ood_detector_to_folder", lambda folder: None)
    begun = []
    monkeypatch.setattr(training_command, "train_language", lambda run, parts, *_, **__: begun.append(parts))
    run = StageRun(seconds=math.inf, photos=4, groups_per_batch=1, learning_rate=1e-4, seed=5)
    train_mini(Training(tmp_path, StageRun(), run, WEIGHTS))
    torch.manual_seed(5)
    [parts] = begun
    for name, value in parts.probes.state_dict().items():
        assert torch.equal(value, tensors_with(tmp_path / PROBES_FILE)[name])
    at_first = Probes(192).state_dict()
    assert not torch.equal(parts.probes.looks.weight, at_first["looks.weight"])
    assert all(parameter.requires_grad for parameter in parts.model.parameters())
    before, after = tensors_of(WEIGHTS), tensors_of(tmp_path / "weights")
    assert max(float((after[name] - value).abs().max()) for name, value in before.items()) < 1e-3


@pytest.mark.slow
def test_training_goes_on_from_weights_whose_tower_new_heads_learn_to_read_first(tmp_path, quick_beginning):
    run = StageRun(seconds=math.inf, photos=4, groups_per_batch=1, learning_rate=1e-4, seed=5)
    train_mini(Training(tmp_path, StageRun(), run, WEIGHTS))
    assert not (tmp_path / "vision.pt").exists()
    heads = torch.load(tmp_path / HEADS_FILE, weights_only=True)["modules"]
    assert set(heads) == {"heads"}
    before, after = tensors_of(WEIGHTS), tensors_of(tmp_path / "weights")
    moved = {name: float((after[name] - value).abs().max()) for name, value in before.items()}
    assert 0 < max(moved.values()) < 0.01
    assert any(size > 0 for name, size in moved.items() if "vision_tower" in name)


@pytest.mark.slow
def test_what_is_written_can_keep_a_share_of_the_weights_it_started_from(tmp_path, quick_beginning):
    run = StageRun(seconds=math.inf, photos=4, groups_per_batch=1, learning_rate=1e-2, seed=5)
    training = Training(tmp_path, StageRun(), run, WEIGHTS)
    before, written = tensors_of(WEIGHTS), []
    for kept in (0.0, 0.75, 1.0):  # the run itself is over after the first
        train_mini(replace(training, kept=kept))
        written.append(tensors_of(tmp_path / "weights"))
    after, mean, same = written
    for name, value in before.items():
        # As exact as the 16 bits that are written.
        assert torch.allclose(mean[name], 0.75 * value + 0.25 * after[name], rtol=2e-3, atol=1e-4)
        assert torch.equal(same[name], value)
    assert max(float((after[name] - value).abs().max()) for name, value in before.items()) > 1e-4
    assert json.loads((tmp_path / "weights" / "training.json").read_text())["continued"][-1]["kept"] == 1.0


def test_a_mean_of_weights_moves_tied_ones_once():
    model = LlavaForConditionalGeneration.from_pretrained(WEIGHTS, dtype=torch.float32)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with torch.no_grad():
        for weight in model.parameters():
            weight += 1.0
    average_with(model, WEIGHTS, share=0.75)
    for name, value in model.state_dict().items():
        if value.is_floating_point() and name in dict(model.named_parameters(remove_duplicate=False)):
            assert torch.allclose(value, before[name] + 0.25, atol=1e-5), name


def test_what_weights_were_trained_with_before_stays_written_beside_them(tmp_path):
    run = StageRun(seconds=60.0, seed=5)
    once = settings_of(Training(tmp_path, StageRun(), run, WEIGHTS))
    known = json.loads((WEIGHTS / "training.json").read_text())
    assert once.items() >= known.items()
    (tmp_path / "training.json").write_text(json.dumps(once))
    twice = settings_of(Training(tmp_path, StageRun(), StageRun(seconds=30.0), tmp_path))
    assert [one["language"]["seconds"] for one in twice["continued"]][-2:] == [60.0, 30.0]
