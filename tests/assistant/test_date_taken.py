"""A date is taken as exactly as it is written."""

from datetime import date

import pytest

from photopal.assistant.date_taken import read_date_taken
from photopal.errors import UsageError


@pytest.mark.parametrize(
    ("words", "taken_at"),
    [
        ("1974", "1974"),
        ("about 1974", "1974"),
        ("ca. 1974", "1974"),
        ("1974-07", "1974-07"),
        ("July 1974", "1974-07"),
        ("around July 1974", "1974-07"),
        ("1974-07-03", "1974-07-03"),
        ("3 July 1974", "1974-07-03"),
        ("on 3.7.1974", "1974-07-03"),
        ("1974-07-03 18:22", "1974-07-03T18:22:00"),
        ("1974-07-03T18:22:01+02:00", "1974-07-03T18:22:01+02:00"),
        ("yesterday", "2024-07-02"),
        ("Christmas Eve 1974", "1974-12-24"),
    ],
)
def test_a_date_is_as_exact_as_it_is_written(words, taken_at):
    assert read_date_taken(words, today=date(2024, 7, 3)) == taken_at


@pytest.mark.parametrize(
    "words", ["summer 1974", "the 70s", "1974-1976", "soon", "", "1974-02-30", "1974-13", "3/7/1974"]
)
def test_what_is_neither_year_nor_month_nor_day_is_refused_with_what_to_write(words):
    with pytest.raises(UsageError) as caught:
        read_date_taken(words)
    assert caught.value.hint
