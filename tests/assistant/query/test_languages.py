"""The tables by which questions in other languages are read."""

from photopal.assistant.query import languages


def test_every_language_with_an_alphabet_can_be_recognized():
    assert set(languages._TELLING) == set(languages._TABLES) - {"zh", "ja"}
