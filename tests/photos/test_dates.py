"""Dates are read as far as they are known, believed as far as they can be, and not found in numbers."""

from datetime import UTC, datetime

import pytest

from photopal.photos.dates import DateTaken, date_in_folder, date_in_name, judged, read_date

NOW = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "at", "certainty"),
    [
        ("2024:07:03 18:22:01", "2024-07-03T18:22:01", "exact"),
        ("2024-07-03T18:22:01.50+02:00", "2024-07-03T18:22:01+02:00", "exact"),
        ("2024-07-03T18:22Z", "2024-07-03T18:22:00+00:00", "exact"),
        ("2024-07-03 18:22:01 +0200", "2024-07-03T18:22:01+02:00", "exact"),
        ("2024-07-03", "2024-07-03", "day"),
        ("2024-07", "2024-07", "month"),
        ("1974", "1974", "year"),
        ("1974:00:00 00:00:00", "1974", "year"),
        ("1974-07-00", "1974-07", "month"),
        ("0000:00:00 00:00:00", "0000", "unsure"),
    ],
)
def test_a_date_is_read_as_far_as_it_is_known(text, at, certainty):
    assert read_date(text, "EXIF") == DateTaken(at, certainty, "EXIF")


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2023:02:30 10:00:00", "2024:07:03 24:61:00", "    :  :  ", "20245", "2024-13"]
)
def test_what_is_no_date_is_none(text):
    assert read_date(text, "EXIF") is None


@pytest.mark.parametrize(
    ("at", "certainty"),
    [
        ("1970-01-01T00:00:00", "unsure"),
        ("1970-01-01T01:00:00+01:00", "unsure"),
        ("1904-01-01T00:00:00", "unsure"),
        ("1980-01-01T00:12:40", "unsure"),
        ("2000-01-01T00:00:00", "unsure"),
        ("2000-01-01T00:03:12", "unsure"),
        ("2008-01-01T00:00:07", "unsure"),
        ("0001-01-01T00:00:00", "unsure"),
        ("2031-07-01T12:00:00", "unsure"),
        ("2026-05-03T12:00:00", "unsure"),
        ("2026-05-01T09:00:00", "exact"),
        ("2008-01-01T00:01:30", "exact"),
        ("2008-01-01T14:00:00", "exact"),
        ("1999-12-31T23:59:59", "exact"),
    ],
)
def test_what_a_clock_says_that_was_never_set_is_unsure(at, certainty):
    assert judged(read_date(at, "EXIF"), now=NOW) == DateTaken(at, certainty, "EXIF")


@pytest.mark.parametrize(
    ("written", "at", "certainty"),
    [
        ("1974:01:01 00:00:00", "1974", "year"),
        ("1974:07:01 00:00:00", "1974-07", "month"),
        ("1974:07:03 00:00:00", "1974-07-03T00:00:00", "exact"),
        ("1974:01:01 15:00:00", "1974-01-01T15:00:00", "exact"),
        ("1750:01:01 00:00:00", "1750-01-01T00:00:00", "unsure"),
    ],
)
def test_midnight_on_the_first_is_how_scans_are_dated_by_year_or_month(written, at, certainty):
    date = judged(read_date(written, "EXIF"), now=NOW)
    assert (date.at, date.certainty) == (at, certainty)


@pytest.mark.parametrize(
    ("name", "at"),
    [
        ("IMG-20190812-WA0001", "2019-08-12"),
        ("VID-20190812-WA0012", "2019-08-12"),
        ("WhatsApp Image 2019-08-12 at 12.34.56", "2019-08-12T12:34:56"),
        ("WhatsApp Image 2019-08-12 at 3.04.05 PM", "2019-08-12T15:04:05"),
        ("WhatsApp Image 2019-08-12 at 12.04.05 AM (1)", "2019-08-12T00:04:05"),
        ("signal-2019-08-12-123456", "2019-08-12T12:34:56"),
        ("signal-2019-08-12-12-34-56-789", "2019-08-12T12:34:56"),
        ("Screenshot_20190812-123456_WhatsApp", "2019-08-12T12:34:56"),
        ("Screenshot_2019-08-12-12-34-56-789_com.example", "2019-08-12T12:34:56"),
        ("Screenshot 2019-08-12 at 12.34.56", "2019-08-12T12:34:56"),
        ("Bildschirmfoto 2019-08-12 um 12.34.56", "2019-08-12T12:34:56"),
        ("PXL_20201012_123456789", "2020-10-12T12:34:56+00:00"),
        ("PXL_20201012_123456789.PORTRAIT", "2020-10-12T12:34:56+00:00"),
        ("IMG_20190812_123456", "2019-08-12T12:34:56"),
        ("IMG_20190812_123456_1", "2019-08-12T12:34:56"),
        ("IMG20190812123456", "2019-08-12T12:34:56"),
        ("20190812_123456", "2019-08-12T12:34:56"),
        ("20190812_123456(0)", "2019-08-12T12:34:56"),
        ("20190812", "2019-08-12"),
        ("2011-07-19 11.36.39", "2011-07-19T11:36:39"),
        ("2011-07-19 11.36.39-1", "2011-07-19T11:36:39"),
        ("photo_2019-08-12_12-34-56", "2019-08-12T12:34:56"),
        ("Photo 19.07.2011", "2011-07-19"),
        ("1974-07-03 Grandma", "1974-07-03"),
        ("WIN_20190812_12_34_56_Pro", "2019-08-12T12:34:56"),
        ("00100lPORTRAIT_00100_BURST20190812123456789_COVER", "2019-08-12T12:34:56"),
        ("DJI_20190812123456_0001_D", "2019-08-12T12:34:56"),
        ("0001_20190812_123456", "2019-08-12T12:34:56"),
        ("image_2019_08_12T10_20_30_123Z", "2019-08-12T10:20:30"),
    ],
)
def test_a_date_in_a_files_name_is_read(name, at):
    date = date_in_name(name)
    assert date is not None
    assert (date.at, date.certainty) == (at, "exact" if "T" in at else "day")


@pytest.mark.parametrize(
    "name",
    [
        "IMG_1974", "IMG_2019", "DSC_0812", "DSCN2008", "P1010203", "IMG_20191301", "IMG_20190230",
        "+49 171 20120412", "0171-20120412", "+4920190812345", "0049-2012-04-1234567", "555-2012-04-12",
        "FB_IMG_1565634567890", "received_1015720190812345", "10157_20190812_1234567_n", "1565634567890",
        "120190812", "201908121", "3f20190812ab", "a20190812b", "6f9619ff-8b86-d011-b42d-20120412aa00",
        "20120412-8b86-d011-b42d-00cf4fc964ff", "version 2.2019.08.12", "IMG_18991231", "20991231_101010",
        "invoice 4711-20050123-0099", "20190812-20190813123", "Snapchat-2019081234", "holiday", "",
    ],
)  # fmt: skip
def test_numbers_that_are_no_dates_are_passed_over(name):
    assert date_in_name(name) is None


@pytest.mark.parametrize(
    ("name", "at"),
    [("2011-07-19 Holiday", "2011-07-19"), ("2011_07 Italy", "2011-07"), ("Photos from 2019", "2019")],
)
def test_a_date_in_a_folders_name_is_no_more_than_a_hint(name, at):
    assert date_in_folder(name) == DateTaken(at, "unsure", "folder name")


def test_a_folder_without_a_year_gives_no_hint():
    assert date_in_folder("100CANON") is None
    assert date_in_folder("IMG20190") is None
