"""Dates in questions: written, relative, seasons, holidays, ranges; and words that only look like dates."""

from datetime import date

import pytest

from photopal.assistant.query.dates import easter
from photopal.assistant.query.periods import find_period
from photopal.errors import UsageError

TODAY = date(2026, 10, 14)  # a Wednesday


def period(text, **options):
    found, _ = find_period(text, TODAY, **options)
    return found and (str(found.since) if found.since else "", str(found.until) if found.until else "")


@pytest.mark.parametrize(
    ("text", "since", "until"),
    [
        ("photos in 2024", "2024-01-01", "2024-12-31"),
        ("in July 2024", "2024-07-01", "2024-07-31"),
        ("on 3 July 2024", "2024-07-03", "2024-07-03"),
        ("on the 3rd of July, 2024", "2024-07-03", "2024-07-03"),
        ("July 3, 2024", "2024-07-03", "2024-07-03"),
        ("2024-07-03", "2024-07-03", "2024-07-03"),
        ("2024-02", "2024-02-01", "2024-02-29"),
        ("24.12.2023", "2023-12-24", "2023-12-24"),
        ("24/12/2023", "2023-12-24", "2023-12-24"),
        ("12/24/2023", "2023-12-24", "2023-12-24"),
        ("in March", "2026-03-01", "2026-03-31"),
        ("in December", "2025-12-01", "2025-12-31"),
        ("29 February", "2024-02-29", "2024-02-29"),
        ("last summer", "2026-06-01", "2026-08-31"),
        ("last autumn", "2025-09-01", "2025-11-30"),
        ("this autumn", "2026-09-01", "2026-11-30"),
        ("in the winter of 2023", "2023-12-01", "2024-02-29"),
        ("at Christmas 2023", "2023-12-24", "2023-12-26"),
        ("on Christmas Day in 2023", "2023-12-25", "2023-12-25"),
        ("last Christmas", "2025-12-24", "2025-12-26"),
        ("New Year's Eve 2022", "2022-12-31", "2022-12-31"),
        ("Easter 2024", "2024-03-29", "2024-04-01"),
        ("Thanksgiving 2024", "2024-11-28", "2024-11-28"),
        ("today", "2026-10-14", "2026-10-14"),
        ("yesterday", "2026-10-13", "2026-10-13"),
        ("the day before yesterday", "2026-10-12", "2026-10-12"),
        ("last year", "2025-01-01", "2025-12-31"),
        ("this month", "2026-10-01", "2026-10-31"),
        ("last month", "2026-09-01", "2026-09-30"),
        ("last week", "2026-10-05", "2026-10-11"),
        ("last weekend", "2026-10-10", "2026-10-11"),
        ("last Wednesday", "2026-10-07", "2026-10-07"),
        ("on Monday", "2026-10-12", "2026-10-12"),
        ("two years ago", "2024-01-01", "2024-12-31"),
        ("3 weeks ago", "2026-09-21", "2026-09-27"),
        ("in the last 3 months", "2026-07-14", "2026-10-14"),
        ("in the 1990s", "1990-01-01", "1999-12-31"),
        ("in the '90s", "1990-01-01", "1999-12-31"),
        ("since 2024", "2024-01-01", ""),
        ("since last summer", "2026-06-01", ""),
        ("from 2020 onwards", "2020-01-01", ""),
        ("after July 2024", "2024-08-01", ""),
        ("before 2020", "", "2019-12-31"),
        ("until March 2021", "", "2021-03-31"),
        ("between 2019 and 2021", "2019-01-01", "2021-12-31"),
        ("2019-2021", "2019-01-01", "2021-12-31"),
        ("between July and September 2024", "2024-07-01", "2024-09-30"),
        ("from December to January 2024", "2023-12-01", "2024-01-31"),
        ("from May 2020 to June", "2020-05-01", "2020-06-30"),
        ("in 2022 and 2023", "2022-01-01", "2023-12-31"),
    ],
)
def test_a_period_is_read(text, since, until):
    assert period(text) == (since, until)


@pytest.mark.parametrize(
    "text",
    ["may I see Anna", "did Anna fall", "a winter coat", "the christmas tree", "IMG_2024.jpg", "12 photos"],
)
def test_words_that_only_look_like_dates_are_left_alone(text):
    assert find_period(text, TODAY) == (None, text)


def test_a_name_that_is_a_month_is_a_month_only_after_a_word_of_time():
    assert period("photos of May", names=["May"]) is None
    assert period("photos of May in May 2023", names=["May"]) == ("2023-05-01", "2023-05-31")
    assert find_period("May in May", TODAY, names=["May"])[1].split() == ["May"]


def test_the_rest_of_the_question_is_kept():
    assert find_period("where was Anna in July 2024 with Rex?", TODAY)[1].split() == [
        "where", "was", "Anna", "with", "Rex?",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "31 February 2023",
        "2023-13-01",
        "3/7/2024",
        "in 2020 or 2024",
        "between 2024 and 2022",
        "9999 years ago",
    ],
)
def test_dates_that_cannot_be_read_are_refused(text):
    with pytest.raises(UsageError):
        find_period(text, TODAY)


@pytest.mark.parametrize(
    ("year", "day"), [(2000, (4, 23)), (2024, (3, 31)), (2025, (4, 20)), (2038, (4, 25))]
)
def test_easter_is_where_the_calendar_has_it(year, day):
    assert easter(year) == date(year, *day)
