"""What a run of the command line says of the photos it meets."""

from __future__ import annotations

from photopal.cli.context import STRANGE, Kinds, Session


def said(capsys) -> int:
    return " ".join(capsys.readouterr().err.split()).count(STRANGE)


def test_it_is_said_once_that_photos_do_not_look_drawn(capsys):
    kinds = Kinds(Session(has_color=False))
    for _ in range(30):
        kinds.add(False)
    assert said(capsys) == 1


def test_a_drawn_photo_among_many_may_look_strange_without_a_word(capsys):
    kinds = Kinds(Session(has_color=False))
    for number in range(60):
        kinds.add(number not in {20, 45})
    assert said(capsys) == 0


def test_camera_photos_that_come_later_are_told_too(capsys):
    kinds = Kinds(Session(has_color=False))
    for _ in range(50):
        kinds.add(True)
    for _ in range(50):
        kinds.add(False)
    assert said(capsys) == 1
