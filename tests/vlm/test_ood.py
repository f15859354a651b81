"""Photos of the kind a model was made for are known; others are told, and none is told for other models."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from photopal.assistant.assistant import Assistant
from photopal.concepts import Bank
from photopal.errors import ModelError
from photopal.instances import load_encoder
from photopal.lab.pretrain.ood_fit import draw_pictures, fit_ood_detector
from photopal.vlm import load_model
from photopal.vlm.ood import FILE_NAME, load_ood_detector
from photopal.vlm.protocol import PhotoFeatures


def features(patches: torch.Tensor) -> PhotoFeatures:
    return PhotoFeatures(patches.flatten(0, 1), (2, 2), patches, (0, 0, 1, 1))


def cloud(seed: int, count: int, *, scale: float = 1.0) -> list[PhotoFeatures]:
    generator = torch.Generator().manual_seed(seed)
    spread = torch.tensor([3.0, 0.1, 1.0, 0.5]) * scale
    return [features(torch.randn(2, 2, 4, generator=generator) * spread) for _ in range(count)]


@pytest.mark.slow
def test_the_distance_is_one_on_average_for_what_is_known_whatever_its_spread():
    familiar = fit_ood_detector(cloud(0, 4000), cloud(1, 500), alarm=0.01, centers=1)
    distances = [familiar.distance(photo) for photo in cloud(2, 2000)]
    assert np.mean(distances) == pytest.approx(1.0, abs=0.1)


@pytest.mark.slow
def test_the_share_of_false_alarms_is_the_one_asked_for():
    familiar = fit_ood_detector(cloud(0, 2000), cloud(1, 4000), alarm=0.05)
    strange = [not familiar.is_in_distribution(photo) for photo in cloud(2, 4000)]
    assert 0.03 < np.mean(strange) < 0.07


def test_a_small_difference_counts_where_all_else_is_alike():
    familiar = fit_ood_detector(cloud(0, 2000), cloud(1, 2000), alarm=0.01)
    moved = cloud(2, 1)[0].patches + torch.tensor([0.0, 2.0, 0.0, 0.0])
    assert not familiar.is_in_distribution(features(moved))


def test_a_photo_that_varies_otherwise_is_strange_even_if_its_mean_is_known():
    familiar = fit_ood_detector(cloud(0, 2000), cloud(1, 2000), alarm=0.01)
    assert not familiar.is_in_distribution(cloud(2, 1, scale=0.01)[0])


def test_between_two_kinds_of_known_photos_lies_what_is_strange():
    away = torch.tensor([40.0, 0.0, 0.0, 0.0])

    def both(seed: int) -> list[PhotoFeatures]:
        here, there = cloud(seed, 500), cloud(seed + 1, 500)
        return [*here, *(features(photo.patches + away) for photo in there)]

    between = features(cloud(6, 1)[0].patches + away / 2)
    assert fit_ood_detector(both(0), both(2), alarm=0.01, centers=1).is_in_distribution(between)
    familiar = fit_ood_detector(both(0), both(2), alarm=0.01, centers=2)
    assert not familiar.is_in_distribution(between)
    assert np.mean([familiar.is_in_distribution(photo) for photo in both(4)]) > 0.97


def test_too_few_photos_are_refused():
    with pytest.raises(ValueError, match="more photos"):
        fit_ood_detector(cloud(0, 4), cloud(1, 4), alarm=0.1)


def test_what_is_saved_is_what_is_read(tmp_path):
    familiar = fit_ood_detector(cloud(0, 100), cloud(1, 100), alarm=0.1)
    familiar.save(tmp_path)
    again = load_ood_detector(tmp_path)
    assert again is not None
    photo = cloud(2, 1)[0]
    assert again.distance(photo) == familiar.distance(photo)
    assert again.limit == familiar.limit


def test_with_a_second_detector_both_have_to_agree_and_the_first_is_not_as_strict(tmp_path):
    one = fit_ood_detector(cloud(0, 2000), cloud(1, 500), alarm=0.01, centers=1)
    second = fit_ood_detector(cloud(2, 2000), cloud(3, 500), alarm=0.01, centers=1, has_spread=False)
    replace(one, limit=0.5, second=second, limit_with_second=1.1 * one.limit).save(tmp_path)
    both = load_ood_detector(tmp_path)
    photo, far = cloud(4, 1)[0], cloud(5, 1, scale=9.0)[0]
    assert not both.is_in_distribution(photo)
    assert both.is_in_distribution(photo, cloud(6, 1)[0])
    assert not both.is_in_distribution(photo, far)
    assert not both.is_in_distribution(far, cloud(6, 1)[0])


def test_a_model_that_says_nothing_of_its_photos_knows_them_all(tmp_path):
    assert load_ood_detector(tmp_path) is None


def test_a_broken_file_is_a_clear_error(tmp_path):
    (tmp_path / FILE_NAME).write_bytes(b"no zip")
    with pytest.raises(ModelError, match="broken"):
        load_ood_detector(tmp_path)


@pytest.mark.slow
def test_the_bundled_model_knows_drawn_photos_and_no_others():
    model = load_model()
    known: list[bool] = []
    looking = Assistant(model, Bank(model.fingerprint, ""), [], on_ood_check=known.append)
    pictures = draw_pictures(99, held_out=True)
    looking.analyze_each([next(pictures) for _ in range(40)])
    assert len(known) == 40
    assert sum(known) >= 39
    known.clear()
    looking.analyze_each(camera_like_pictures())
    assert known == [False] * len(camera_like_pictures())
    encoder = load_encoder()
    for images, is_known in (([next(pictures) for _ in range(20)], True), (camera_like_pictures(), False)):
        for image, features in zip(images, model.encode_photos(images), strict=True):
            [glance] = encoder.glance([image])
            assert model.is_in_distribution(features, glance) == is_known
            assert model.ood_detector.second.is_in_distribution(glance) == is_known


def camera_like_pictures() -> list[Image.Image]:
    """Textures as nature has them: noise of equal strength at every scale, in one colour after another."""
    rng = np.random.default_rng(0)
    pictures = []
    for hue in ((1.0, 0.8, 0.6), (0.5, 0.9, 0.5), (0.6, 0.7, 1.0)):
        total = np.zeros((256, 256))
        for octave in range(8):
            side = 2 ** (octave + 1)
            layer = Image.fromarray(rng.normal(size=(side, side)).astype(np.float32)).resize((256, 256))
            total += np.asarray(layer) / 1.5**octave
        grey = (total - total.min()) / np.ptp(total) * 255
        pictures.append(Image.fromarray((grey[..., None] * np.array(hue)).astype(np.uint8)))
    return pictures
