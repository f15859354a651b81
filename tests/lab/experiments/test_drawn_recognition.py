"""Scenarios hold what they say, and the measures count what they claim."""

from __future__ import annotations

import pytest

from photopal.concepts import RegisterOptions
from photopal.lab.datasets.drawn_scenarios import ScenarioOptions, make_scenario
from photopal.lab.experiments.album_captions import names_in, score_captions
from photopal.lab.experiments.drawn_recognition import Tally, measure_bank, register_scenario
from photopal.lab.synthetic.album import AlbumOptions, write_album
from photopal.lab.synthetic.identity import is_held_out
from photopal.library import Library
from photopal.photos import record_photo
from photopal.vlm import load_model

SMALL = ScenarioOptions(concepts=2, photos=2, tests=6, size_px=128)


@pytest.fixture(scope="module")
def scenario():
    return make_scenario(3, SMALL)


def test_a_scenario_shows_identities_that_training_never_saw(scenario):
    assert all(is_held_out(identity) for identity in scenario.cast)
    for test in scenario.tests:
        assert all(is_held_out(subject.identity) for subject in test.photo.scene.subjects)


def test_the_same_seed_draws_the_same_scenario(scenario):
    again = make_scenario(3, SMALL)
    assert again.cast == scenario.cast
    assert [t.photo.image.tobytes() for t in again.tests] == [t.photo.image.tobytes() for t in scenario.tests]


def test_the_truth_of_a_test_photo_is_who_its_scene_shows(scenario):
    for test in scenario.tests:
        shown = {subject.identity for subject in test.photo.scene.subjects}
        assert {scenario.cast[place] for place in test.present} == shown & set(scenario.cast)
        assert set(test.boxes) == set(test.present)


def test_a_lookalike_scenario_has_two_who_differ_in_little():
    cast = make_scenario(1, ScenarioOptions(photos=1, tests=1, has_lookalikes=True, size_px=64)).cast
    first, second = vars(cast[0]), vars(cast[1])
    assert first.keys() == second.keys()
    assert 1 <= sum(first[name] != second[name] for name in first) <= 2


def test_weighted_recognition_is_the_mean_of_both_recalls():
    tally = Tally(yes_hits=9, yes=10, no_hits=1, no=2) + Tally(yes_hits=1, yes=10, no_hits=2, no=2)
    assert tally.recognition == pytest.approx((0.5 + 0.75) / 2)


def test_answering_always_yes_scores_one_half():
    assert Tally(yes_hits=7, yes=7, no_hits=0, no=50).recognition == 0.5


def test_measuring_asks_about_everyone_on_every_photo(scenario, tiny_llava):
    model = load_model(tiny_llava)
    bank = register_scenario(model, scenario, RegisterOptions(tokens=4))
    tally = measure_bank(model, scenario, bank, has_captions=False)
    assert tally.yes + tally.no == len(scenario.tests) * len(scenario.cast)
    assert tally.yes == sum(len(test.present) for test in scenario.tests)
    assert tally.captions == 0


def test_captions_of_an_album_are_compared_with_the_truth(tmp_path):
    album = write_album(tmp_path / "album", options=AlbumOptions(references=1, photos=6, size_px=64))
    named = [photo for photo in album.photos if any(photo.names)]
    with Library(tmp_path / "library.db") as library:
        for number, photo in enumerate(album.photos):
            photo_id = library.photos.add(record_photo(photo.path))
            words = photo.caption if number else "Nobody is here."
            library.captions.put(photo_id, words, model="m", bank=None, prompt_version="1", appearances=[])
        score = score_captions(library, album)
    first_is_named = album.photos[0] in named
    assert score.captioned == score.photos == 6
    assert score.exact == 6 - first_is_named
    assert score.missing == int(first_is_named)
    assert score.wrong == 0


def test_names_are_found_whole():
    assert names_in("Alex and Anna's dog", ["A", "Anna", "Alex"]) == {"Anna", "Alex"}
