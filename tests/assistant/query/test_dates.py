"""Dates in questions: written, relative, seasons, holidays, ranges; and words that only look like dates."""

from datetime import date

import pytest

from photopal.assistant.query.dates import Period, Recurring, easter, find_dates, outside, resolve
from photopal.errors import UsageError

TODAY = date(2026, 10, 14)  # a Wednesday
YEARS = range(2020, 2026)


def period(text, **options):
    """The one stretch of time a text speaks of, as two ISO dates."""
    spans = find_dates(text, TODAY, **options)
    if not spans:
        return None
    [found] = resolve([[span.when for span in spans]], YEARS)
    return tuple(str(day) if day else "" for day in (found.since, found.until))


def recurring(text, year=2024):
    [span] = find_dates(text, TODAY)
    assert isinstance(span.when, Recurring)
    return [(str(found.since), str(found.until)) for found in span.when.in_year(year)], span.when.label


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
        ("2024/02", "2024-02-01", "2024-02-29"),
        ("2024/12/24", "2024-12-24", "2024-12-24"),
        ("from 2024.12.24", "2024-12-24", "2024-12-24"),
        ("in the winter of 2023/2024", "2023-12-01", "2024-02-29"),
        ("from Q2 2024", "2024-04-01", "2024-06-30"),
        ("in 2024 Q3", "2024-07-01", "2024-09-30"),
        ("H1 2024", "2024-01-01", "2024-06-30"),
        ("the 1st quarter 2024", "2024-01-01", "2024-03-31"),
        ("in the week of 5 August 2024", "2024-08-05", "2024-08-11"),
        ("in the week of August 7, 2024", "2024-08-05", "2024-08-11"),
        ("24.12.2023", "2023-12-24", "2023-12-24"),
        ("24/12/2023", "2023-12-24", "2023-12-24"),
        ("12/24/2023", "2023-12-24", "2023-12-24"),
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
        ("on the Monday", "2026-10-12", "2026-10-12"),
        ("since Monday", "2026-10-12", ""),
        ("since Wednesday", "2026-10-07", ""),
        ("until Friday", "", "2026-10-09"),
        ("since the weekend", "2026-10-10", ""),
        ("early 2023", "2023-01-01", "2023-04-30"),
        ("in mid-2023", "2023-05-01", "2023-08-31"),
        ("late in 2023", "2023-09-01", "2023-12-31"),
        ("from the beginning of 2022", "2022-01-01", "2022-04-30"),
        ("from the middle of the year 2022", "2022-05-01", "2022-08-31"),
        ("from the end of 2022", "2022-09-01", "2022-12-31"),
        ("early last year", "2025-01-01", "2025-04-30"),
        ("early July 2023", "2023-07-01", "2023-07-10"),
        ("mid February 2024", "2024-02-11", "2024-02-20"),
        ("at the end of February 2024", "2024-02-21", "2024-02-29"),
        ("late winter 2022", "2023-02-01", "2023-02-28"),
        ("since the beginning of 2022", "2022-01-01", ""),
        ("until the end of 2022", "", "2022-12-31"),
        ("after late July 2023", "2023-08-01", ""),
        ("from early 2022 to mid 2023", "2022-01-01", "2023-08-31"),
        ("towards the end of 2022", "2022-09-01", "2022-12-31"),
        ("in the early 2010s", "2010-01-01", "2013-04-30"),
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
        ("from 24 to 26 December 2021", "2021-12-24", "2021-12-26"),
        ("between the 24th and the 26th of December 2021", "2021-12-24", "2021-12-26"),
        ("1-20 July 2019", "2019-07-01", "2019-07-20"),
        ("on 3. July 2024", "2024-07-03", "2024-07-03"),
        ("from 24. to 26. December 2021", "2021-12-24", "2021-12-26"),
        ("from 24.12. to 26.12.2021", "2021-12-24", "2021-12-26"),
        ("since 24.12.", "2025-12-24", ""),
        ("July 1–20, 2019", "2019-07-01", "2019-07-20"),
        ("between July 1 and 20, 2019", "2019-07-01", "2019-07-20"),
        ("from December 26 to 3 January 2022", "2021-12-26", "2022-01-03"),
        ("from December 20 to 24 January 2022", "2021-12-20", "2022-01-24"),
        ("from July 3 to 5 August 2024", "2024-07-03", "2024-08-05"),
        ("in 2022 and 2023", "2022-01-01", "2023-12-31"),
        ("the first half of 2022", "2022-01-01", "2022-06-30"),
        ("the last quarter of 2022", "2022-10-01", "2022-12-31"),
        ("in July and August 2023", "2023-07-01", "2023-08-31"),
        ("2020 or earlier", "", "2020-12-31"),
        ("since July", "2026-07-01", ""),
        ("before Easter", "", "2026-04-02"),
        ("on Saturday 3 October 2026", "2026-10-03", "2026-10-03"),
        ("Friday, 31 October 2025", "2025-10-31", "2025-10-31"),
        ("Fri, October 31, 2025", "2025-10-31", "2025-10-31"),
        ("on Friday the 31st of October 2025", "2025-10-31", "2025-10-31"),
        ("since Friday 2025-10-31", "2025-10-31", ""),
        ("since Saturday 3 October", "2026-10-03", ""),
        ("since Friday 3 October", "2025-10-03", ""),
        ("from Friday 2 October to Sunday 4 October 2026", "2026-10-02", "2026-10-04"),
        ("in the last twelve months", "2025-10-14", "2026-10-14"),
        ("eleven days ago", "2026-10-03", "2026-10-03"),
        ("one year ago today", "2025-10-14", "2025-10-14"),
        ("this day two weeks ago", "2026-09-30", "2026-09-30"),
        ("prior to 2023", "", "2022-12-31"),
        ("in winter 2023/24", "2023-12-01", "2024-02-29"),
        ("10/2025", "2025-10-01", "2025-10-31"),
        ("from 2024 to now", "2024-01-01", "2026-10-14"),
        ("between July 2024 and now", "2024-07-01", "2026-10-14"),
        ("2024 - present", "2024-01-01", "2026-10-14"),
        ("until now", "", "2026-10-14"),
        ("since 2022 until 2024", "2022-01-01", "2024-12-31"),
        ("since 2024-02 until 2024-07", "2024-02-01", "2024-07-31"),
        ("since May until July 2024", "2024-05-01", "2024-07-31"),
        ("after 2022 until 2024", "2023-01-01", "2024-12-31"),
        ("after May until July 2024", "2024-06-01", "2024-07-31"),
    ],
)
def test_a_period_is_read(text, since, until):
    assert period(text) == (since, until)


@pytest.mark.parametrize("is_search", [False, True])
@pytest.mark.parametrize(
    ("text", "since", "until"),
    [
        ("since the end of 2022", "2022-12-31", ""),
        ("since the beginning of last year", "2025-01-01", ""),
        ("before the end of 2022", "", "2022-12-30"),
        ("after the beginning of 2023", "2023-01-02", ""),
        ("until the middle of 2023", "", "2023-07-01"),
        ("until the middle of March", "", "2026-03-15"),
        ("in 2024 until the middle of March", "2024-01-01", "2024-03-15"),
        ("after the middle of June 2023", "2023-06-16", ""),
        ("before the middle of the summer of 2023", "", "2023-07-14"),
        ("since the end of last week", "2026-10-11", ""),
        ("by the end of 2023", "", "2023-12-31"),
        ("the day after the beginning of May 2023", "2023-05-02", "2023-05-02"),
        ("between the middle of 2022 and the end of 2023", "2022-07-01", "2023-12-31"),
        ("from the middle of May to the end of June 2023", "2023-05-15", "2023-06-30"),
    ],
)
def test_the_edge_of_a_time_that_bounds_others_is_one_day(text, since, until, is_search):
    assert period(text, is_search=is_search) == (since, until)


def test_a_range_from_edge_to_edge_is_every_years():
    found = recurring("from the middle of June to the end of August")
    assert found == ([("2024-06-15", "2024-08-31")], "from the middle of June to the end of August")


def test_the_end_of_a_year_that_may_be_its_last_days_is_refused_with_both_ways_to_say_it():
    for text in ("at the end of 2022", "at the start of last year"):
        for is_search in (False, True):
            with pytest.raises(UsageError, match="days or months") as refused:
                find_dates(text, TODAY, is_search=is_search)
            assert "for a third of it, or name the month" in refused.value.hint


@pytest.mark.parametrize(
    "text",
    [
        "now and then",
        "who is present",
        "may I see Anna",
        "did Anna fall",
        "a winter coat",
        "the christmas tree",
        "IMG_2024.jpg",
        "12 photos",
        "from 12.5 km",
        "version 2.5 of it",
        "1.2.jpg",
    ],
)
def test_words_that_only_look_like_dates_are_left_alone(text):
    assert find_dates(text, TODAY) == []


@pytest.mark.parametrize(
    ("text", "periods", "label"),
    [
        ("in March", [("2024-03-01", "2024-03-31")], "in March"),
        ("photos from every July", [("2024-07-01", "2024-07-31")], "in July"),
        ("at Christmas", [("2024-12-24", "2024-12-26")], "at Christmas"),
        ("in the summer", [("2024-06-01", "2024-08-31")], "in summer"),
        ("in winter", [("2024-12-01", "2025-02-28")], "in winter"),
        ("on 3 July", [("2024-07-03", "2024-07-03")], "on 3 July"),
        ("on 3.7.", [("2024-07-03", "2024-07-03")], "on 3 July"),
        ("3. July", [("2024-07-03", "2024-07-03")], "on 3 July"),
        ("29 February", [("2024-02-29", "2024-02-29")], "on 29 February"),
        ("Saturday 29 June", [("2024-06-29", "2024-06-29")], "on Saturday 29 June"),
        ("on Sunday 29 June", [], "on Sunday 29 June"),
        ("between June and August", [("2024-06-01", "2024-08-31")], "from June to August"),
        ("December 24-26", [("2024-12-24", "2024-12-26")], "from 24 December to 26 December"),
        ("from November to February", [("2024-11-01", "2025-02-28")], "from November to February"),
        ("photos from early July", [("2024-07-01", "2024-07-10")], "from 1 to 10 July"),
        ("from the end of May", [("2024-05-21", "2024-05-31")], "from 21 to 31 May"),
        ("in late summer", [("2024-08-01", "2024-08-31")], "in August"),
    ],
)
def test_a_month_season_holiday_or_day_without_a_year_is_every_years(text, periods, label):
    assert recurring(text) == (periods, label)


@pytest.mark.parametrize(
    ("text", "first", "label"),
    [
        ("photos from the weekend", ("2024-01-06", "2024-01-07"), "at weekends"),
        ("photos of the weekend", ("2024-01-06", "2024-01-07"), "at weekends"),
        ("on the weekend", ("2024-01-06", "2024-01-07"), "at weekends"),
        ("photos from saturday", ("2024-01-06", "2024-01-06"), "on Saturdays"),
        ("Monday photos", ("2024-01-01", "2024-01-01"), "on Mondays"),
        ("between Monday and Friday", ("2024-01-01", "2024-01-05"), "from Mondays to Fridays"),
    ],
)
def test_a_weekday_or_weekend_without_a_word_for_which_is_every_weeks(text, first, label):
    periods, found = recurring(text)
    assert (periods[0], found) == (first, label)
    assert len(periods) >= 52


def test_weekdays_behind_on_are_the_latest_of_each():
    assert [span.when for span in find_dates("on Saturday and Sunday", TODAY)] == [
        Period(date(2026, 10, 10), date(2026, 10, 10)),
        Period(date(2026, 10, 11), date(2026, 10, 11)),
    ]


def test_one_weekend_of_several_and_what_goes_with_a_noun_is_no_weekend_of_every_week():
    for text in (
        "from the first weekend in May",
        "the weekend before Easter",
        "a photo of the weekend house",
    ):
        assert all(text[span.start : span.end].find("weekend") < 0 for span in find_dates(text, TODAY))


@pytest.mark.parametrize(
    ("text", "day", "hours"),
    [
        ("this morning", date(2026, 10, 14), {5, 6, 7, 8, 9, 10, 11}),
        ("tonight", date(2026, 10, 14), {17, 18, 19, 20, 21, 22, 23}),
        ("last night", date(2026, 10, 13), {17, 18, 19, 20, 21, 22, 23}),
        ("last evening", date(2026, 10, 13), {17, 18, 19, 20, 21}),
    ],
)
def test_a_part_of_a_day_is_the_day_and_its_hours(text, day, hours):
    [when, part] = find_dates(text, TODAY)
    assert (when.when, part.when.hours) == (Period(day, day), hours)


def test_a_day_that_only_leap_years_have_is_in_no_other_year():
    assert recurring("29 February", 2023)[0] == []
    assert len(recurring("on Sundays")[0]) == 52
    assert recurring("at weekends")[0][0] == ("2024-01-06", "2024-01-07")


def test_the_last_christmas_is_a_day_and_the_last_christmas_photo_any_years():
    assert period("last Christmas") == ("2025-12-24", "2025-12-26")
    assert isinstance(find_dates("the last Christmas photo", TODAY)[0].when, Recurring)


def test_this_winter_and_this_christmas_are_those_just_over_not_those_to_come():
    for day, text, since in (
        (date(2025, 1, 15), "this winter", date(2024, 12, 1)),
        (date(2025, 1, 15), "this Christmas", date(2024, 12, 24)),
        (date(2025, 1, 15), "this summer", date(2025, 6, 1)),
        (date(2025, 3, 15), "this winter", date(2024, 12, 1)),
        (date(2025, 5, 15), "this winter", date(2025, 12, 1)),
        (date(2024, 12, 15), "this winter", date(2024, 12, 1)),
        (date(2024, 12, 28), "this Christmas", date(2024, 12, 24)),
    ):
        assert find_dates(text, day)[0].when.since == since, (day, text)


def test_dates_of_several_groups_must_all_hold():
    [christmas, year] = find_dates("at Christmas in 2023", TODAY)[:1] + find_dates("in 2023", TODAY)
    assert resolve([[christmas.when], [year.when]], YEARS) == (
        Period(date(2023, 12, 24), date(2023, 12, 26)),
    )
    assert resolve([[Period(date(2020, 1, 1), None)], [Period(None, date(2019, 1, 1))]], YEARS) == ()


def test_what_is_outside_of_periods_is_all_other_days():
    inside = [Period(date(2020, 1, 1), date(2020, 12, 31)), Period(date(2022, 1, 1), None)]
    assert outside(inside) == (Period(None, date(2019, 12, 31)), Period(date(2021, 1, 1), date(2021, 12, 31)))
    assert outside([]) == (Period(None, None),)


def test_a_name_that_is_a_month_is_a_month_only_after_a_word_of_time():
    assert find_dates("photos of May", TODAY, names=["May"]) == []
    assert period("photos of May in May 2023", names=["May"]) == ("2023-05-01", "2023-05-31")


@pytest.mark.parametrize(
    "text",
    [
        "from 2020 to 2022 before July",
        "on Tuesday 3 October 2026",
        "from 29 February to March 2023",
        "31 February 2023",
        "2023-13-01",
        "3/7/2024",
        "between 2024 and 2022",
        "9999 years ago",
    ],
)
def test_dates_that_cannot_be_read_are_refused(text):
    with pytest.raises(UsageError):
        find_dates(text, TODAY)


@pytest.mark.parametrize(
    ("year", "day"), [(2000, (4, 23)), (2024, (3, 31)), (2025, (4, 20)), (2038, (4, 25))]
)
def test_easter_is_where_the_calendar_has_it(year, day):
    assert easter(year) == date(year, *day)


def test_the_week_of_a_day_without_a_year_is_every_years():
    assert recurring("in the week of 3 August") == (
        [("2024-07-29", "2024-08-04")],
        "in the week of 3 August",
    )


@pytest.mark.parametrize("text", ["photos from H3 2024", "the last week of 2024", "the last Monday of 2024"])
def test_a_part_of_a_time_that_is_not_known_is_no_date_of_its_own(text):
    assert [found.when for found in find_dates(text, TODAY)] == [
        found.when for found in find_dates(text[text.index("2024") - 5 :], TODAY)
    ]


def test_a_year_with_a_number_that_may_be_the_next_year_is_refused():
    with pytest.raises(UsageError, match="can be read as a month or two years"):
        find_dates("photos from 2011/12", TODAY)
    assert period("winter 2023/24") == ("2023-12-01", "2024-02-29")


def test_a_part_of_the_day_may_follow_from_the():
    [evening] = find_dates("photos from the evening", TODAY)
    assert evening.when.hours == frozenset(range(17, 22))
    assert find_dates("photos from the night market", TODAY) == []


def test_a_day_in_numbers_alone_is_every_years_where_it_is_clear():
    assert recurring("from 24/12")[0] == recurring("on 12/24")[0] == [("2024-12-24", "2024-12-24")]
    assert find_dates("24/12", TODAY) == []
    with pytest.raises(UsageError, match="3/4 can be read as two days"):
        find_dates("photos from 3/4", TODAY)


def test_around_noon_and_the_middle_of_the_night_are_hours():
    [noon], [night] = (find_dates(text, TODAY) for text in ("around noon", "from the middle of the night"))
    assert noon.when.hours == frozenset({12})
    assert night.when.hours == frozenset({22, 23, 0, 1, 2, 3, 4})
