"""When, where and how drawn photos are taken."""

import random
from datetime import date

import pytest
from PIL import Image

from photopal.lab.synthetic.camera import (
    CAMERAS,
    MONTHS,
    POSITIONS,
    hours_of_light,
    name_file,
    plan_shot,
    sun_hours,
    utc_offset,
    write_photo,
)
from photopal.lab.synthetic.identity import draw_identity
from photopal.lab.synthetic.painting.places import PLACES
from photopal.lab.synthetic.scene import plan_scene
from photopal.photos import open_photo, read_exif

FREIBURG = (47.995, 7.85)


def shots(count):
    for seed in range(count):
        rng = random.Random(seed)
        scene = plan_scene([draw_identity(rng)], rng)
        yield scene, plan_shot(scene, rng, year=2023)


@pytest.mark.parametrize(
    ("day", "sunrise", "sunset"),
    [
        (date(2024, 6, 21), 5 + 27 / 60, 21 + 33 / 60),
        (date(2024, 12, 21), 8 + 14 / 60, 16 + 38 / 60),
        (date(2024, 3, 20), 6 + 32 / 60, 18 + 40 / 60),
    ],
)
def test_the_sun_rises_and_sets_in_freiburg_when_it_does(day, sunrise, sunset):
    assert sun_hours(day, FREIBURG) == pytest.approx((sunrise, sunset), abs=0.2)


def test_summer_time_begins_and_ends_on_the_last_sundays_of_march_and_october():
    days = {(3, 30): 1, (3, 31): 2, (7, 1): 2, (10, 26): 2, (10, 27): 1, (12, 31): 1}
    assert {day: utc_offset(date(2024, *day)) for day in days} == days


def test_the_time_of_a_photo_fits_its_light_and_its_place():
    for scene, shot in shots(400):
        hour = shot.taken.hour + shot.taken.minute / 60
        day = shot.taken.date()
        assert utc_offset(day) * 3600 == shot.taken.utcoffset().total_seconds()
        assert day.month in MONTHS.get(scene.place, range(1, 13))
        if scene.light == "night":
            assert hour >= 17.5
        elif scene.light == "sunset":
            assert 15.5 <= hour <= 22.5
        else:
            assert 7 <= hour <= 20.5


def test_every_light_has_its_hours_on_every_day_at_every_position():
    for position in {one for positions in POSITIONS.values() for one in positions}:
        for month in range(1, 13):
            for light in ("day", "cloudy", "sunset", "night"):
                earliest, latest = hours_of_light(light, date(2023, month, 21), position)
                assert 0 < earliest < latest < 24


def test_every_place_is_somewhere_real():
    assert set(POSITIONS) == set(PLACES)
    assert len({one for positions in POSITIONS.values() for one in positions}) >= 12
    assert set(MONTHS) <= set(PLACES)


def test_phones_know_more_than_cameras():
    for _, shot in shots(100):
        assert (shot.position is not None) == shot.camera.is_phone
        assert shot.camera.is_phone or shot.orientation == 1
        assert len(shot.taken_at) == (25 if shot.camera.is_phone else 19)


def test_files_are_named_as_their_cameras_name_them():
    named = {}
    for _, shot in shots(60):
        named.setdefault(shot.camera.model, (shot, name_file(shot, 411)))
    assert len(named) == len(CAMERAS)
    assert named["Canon EOS 250D"][1] == "IMG_0412.JPG"
    shot, name = named["FP5"]
    assert name == f"IMG_{shot.taken:%Y%m%d}_{shot.taken:%H%M%S}.jpg"


def test_whatever_the_flag_the_photo_opens_upright(tmp_path):
    upright = Image.new("RGB", (64, 64), "white")
    upright.paste("red", (0, 0, 32, 32))
    upright.paste("blue", (32, 0, 64, 32))
    held = {shot.orientation: shot for _, shot in shots(200)}
    assert set(held) == {1, 3, 6, 8}
    for orientation, shot in held.items():
        path = tmp_path / f"{orientation}.jpg"
        write_photo(path, upright, shot)
        opened = open_photo(path)
        assert opened.getpixel((8, 8))[0] > 200 > 60 > opened.getpixel((8, 8))[2]
        assert opened.getpixel((56, 8))[2] > 200 > 60 > opened.getpixel((56, 8))[0]
        assert read_exif(path).orientation == orientation
        assert path.stat().st_mtime == shot.taken.timestamp()
