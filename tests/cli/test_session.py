"""What a run of the command line says of the photos it meets."""

from __future__ import annotations

from photopal.cli.context import OOD_WARNING, OODCounter, Session
from photopal.config import BUNDLED_MODEL


def said(capsys) -> int:
    return " ".join(capsys.readouterr().err.split()).count(OOD_WARNING.format(model=BUNDLED_MODEL))


def test_it_is_said_once_that_photos_do_not_look_drawn(capsys):
    counter = OODCounter(Session(has_color=False))
    for _ in range(30):
        counter.add(False)
    assert said(capsys) == 1


def test_a_drawn_photo_among_many_may_look_strange_without_a_word(capsys):
    counter = OODCounter(Session(has_color=False))
    for number in range(60):
        counter.add(number not in {20, 45})
    assert said(capsys) == 0


def test_camera_photos_that_come_later_are_told_too(capsys):
    counter = OODCounter(Session(has_color=False))
    for _ in range(50):
        counter.add(True)
    for _ in range(50):
        counter.add(False)
    assert said(capsys) == 1


def test_the_model_that_refuses_them_is_named(capsys):
    Session(has_color=False, model="plain").ood_counter.add(False)
    assert "The plain model only understands drawn photos" in " ".join(capsys.readouterr().err.split())
