"""Search: names, dates and words in one query, over a real library."""

import subprocess
import sys
from pathlib import Path

import pytest

from photopal.assistant.find import SearchOptions, meaningful_words, read_date, search_photos
from photopal.assistant.query.entities import Known
from photopal.assistant.query.search_query import read_query
from photopal.errors import ConceptError, UsageError
from photopal.library import Appearance, Library
from photopal.photos import Exif, Photo


def a_photo(path: str, *, taken_at: str | None = None, camera: str | None = None) -> Photo:
    exif = Exif(taken_at=taken_at, camera=camera)
    return Photo(Path(path), f"{abs(hash(path)):032x}"[:32], 1, 1, 64, 48, "JPEG", exif, b"jpeg")


@pytest.fixture
def library(tmp_path):
    """Anna and Rex on the beach in 2023, Anna alone at the lake in 2024, Anna Maria, and an undated car."""
    with Library(tmp_path / "library.db") as library:
        beach = library.photos.add(
            a_photo("/p/beach.jpg", taken_at="2023-07-03T18:22:01+02:00", camera="Canon R5")
        )
        lake = library.photos.add(a_photo("/p/lake.jpg", taken_at="2024-05-01T09:00:00", camera="Pixel 8"))
        cake = library.photos.add(a_photo("/p/IMG_2024.jpg", taken_at="2022-12-31T23:59:59"))
        car = library.photos.add(a_photo("/p/car.jpg"))
        anna = library.concepts.add("Anna").id
        rex = library.concepts.add("Rex", kind="pet").id
        maria = library.concepts.add("Anna Maria").id
        words = {
            beach: ("Anna throws a ball to Rex on the beach.", {anna: True, rex: True}),
            lake: ("Anna sits by the lake. Rex is not in this photo.", {anna: True, rex: False}),
            cake: ("Anna Maria cuts a cake.", {maria: True}),
            car: ("A red car in a street.", {}),
        }
        for photo, (caption, who) in words.items():
            found = [
                Appearance(concept_id=concept, score=0.9, is_present=is_there, point=(0.5, 0.5), box=None)
                for concept, is_there in who.items()
            ]
            library.captions.put(photo, caption, model="m", bank=None, prompt_version="1", appearances=found)
        yield library


def found(library: Library, query: str, **options) -> list[str]:
    return [hit.photo.path.name for hit in search_photos(library, query, SearchOptions(**options))]


def test_a_name_in_the_query_means_that_concept_and_not_the_word(library):
    assert found(library, "rex") == ["beach.jpg"]


def test_what_somebody_is_called_beside_the_name_is_no_word(library):
    assert found(library, "our dog rex on the beach") == ["beach.jpg"]
    assert found(library, "Anna with her dog Rex") == ["beach.jpg"]


def test_the_last_selfie_is_the_newest_photo_that_says_so(library):
    [hit] = search_photos(library, "lake", SearchOptions())
    library.captions.put(
        hit.photo.id, "A selfie at the lake.", model="m", bank=None, prompt_version="1", appearances=[]
    )
    assert found(library, "last selfie") == ["lake.jpg"]
    assert found(library, "oldest selfies") == ["lake.jpg"]


def test_names_and_words_must_all_hold(library):
    assert found(library, "Rex and Anna on the beach") == ["beach.jpg"]
    assert found(library, "Rex at the lake") == []


@pytest.mark.parametrize(
    "query", ["anna, rex", "anna & rex", "Anna; Rex", "(anna) rex!", '"beach". rex', "rex, 2023!"]
)
def test_a_punctuation_mark_beside_names_is_no_word(library, query):
    assert found(library, query) == ["beach.jpg"]


def test_a_punctuation_mark_alone_finds_nothing(library):
    assert found(library, "*") == found(library, ", !") == []


def test_a_longer_name_is_not_read_as_the_shorter_one_in_it(library):
    assert found(library, "ANNA  MARIA") == ["IMG_2024.jpg"]
    assert sorted(found(library, "Anna")) == ["beach.jpg", "lake.jpg"]


def test_a_possessive_is_still_the_name(library):
    assert found(library, "Anna's lake") == ["lake.jpg"]
    assert found(library, "Anna Maria’s cake") == ["IMG_2024.jpg"]


def test_a_concept_given_as_an_option_is_looked_up_whatever_its_case(library):
    assert found(library, "beach", concepts=("ANNA", "rex")) == ["beach.jpg"]
    with pytest.raises(ConceptError):
        search_photos(library, "", SearchOptions(concepts=("Ana",)))


def test_words_that_say_nothing_are_not_asked_of_captions(library):
    assert found(library, "show me all the photos of a car") == ["car.jpg"]


@pytest.mark.parametrize(
    "query",
    [
        "some photos of Rex",
        "any photos of rex?",
        "please show me rex",
        "Can you show me Rex?",
        "could you please find all the pictures of rex",
        "I want to see rex",
        "I'd like to see some snapshots of Rex",
        "looking for rex",
        "photos showing rex",
        "do you have any photos of rex",
        "rex has a ball",
        "rex along the beach",
    ],
)
def test_words_that_only_ask_are_not_asked_of_captions(library, query):
    assert found(library, query) == ["beach.jpg"]


@pytest.mark.parametrize(
    ("query", "photos"),
    [
        ("balls", ["beach.jpg"]),
        ("throwing balls", ["beach.jpg"]),
        ("anna threw a ball", ["beach.jpg"]),
        ("sitting", ["lake.jpg"]),
        ("Anna Maria's cakes", ["IMG_2024.jpg"]),
        ("cars or cakes", ["IMG_2024.jpg", "car.jpg"]),
        ("balls 2023", ["beach.jpg"]),
        ("cars -street", []),
        ("zebras", []),
    ],
)
def test_other_forms_of_words_count_where_no_photo_has_them_as_typed(library, query, photos):
    assert found(library, query) == photos


def test_words_as_typed_are_enough_and_those_in_quotes_stay_as_they_are(library):
    library.captions.edit(4, "A red car beside other cars.")
    library.captions.edit(3, "A car.")
    assert found(library, "cars") == ["car.jpg"]
    assert found(library, '"balls"') == found(library, 'anna "balls"') == []


def test_other_forms_of_a_word_that_is_a_name_too_are_the_word(library):
    rose = library.concepts.add("Rose").id
    shown = Appearance(concept_id=rose, score=0.9, is_present=True, point=(0.5, 0.5), box=None)
    library.captions.put(
        3, "Rose cuts a cake.", model="m", bank=None, prompt_version="1", appearances=[shown]
    )
    library.captions.edit(4, "A rose in a red car.")
    assert found(library, "roses") == ["car.jpg"]
    assert found(library, "rose") == ["IMG_2024.jpg"]


@pytest.mark.parametrize("query", ["well", "can", "near", "some zebra"])
def test_words_that_hold_a_sentence_together_do_not_find_everything(library, query):
    assert found(library, query) == []


@pytest.mark.parametrize(
    ("query", "photos"),
    [
        ("latest photos of anna", ["lake.jpg", "beach.jpg"]),
        ("recent pictures of Anna", ["lake.jpg", "beach.jpg"]),
        ("best photos of anna", ["lake.jpg", "beach.jpg"]),
        ("newest anna", ["lake.jpg", "beach.jpg"]),
        ("anna, newest first", ["lake.jpg", "beach.jpg"]),
        ("first photos of anna", ["beach.jpg", "lake.jpg"]),
        ("oldest anna pictures", ["beach.jpg", "lake.jpg"]),
        ("last photo of anna", ["lake.jpg"]),
        ("the first photo of Anna", ["beach.jpg"]),
        ("the last two photos", ["lake.jpg", "beach.jpg"]),
        ("2 oldest photos", ["IMG_2024.jpg", "beach.jpg"]),
        ("last photo of anna in 2023", ["beach.jpg"]),
        ("latest beach photos", ["beach.jpg"]),
        ("newest", ["lake.jpg", "beach.jpg", "IMG_2024.jpg", "car.jpg"]),
        ("oldest", ["IMG_2024.jpg", "beach.jpg", "lake.jpg", "car.jpg"]),
    ],
)
def test_which_photos_come_first_and_how_many_are_wanted_is_read(library, query, photos):
    assert found(library, query) == photos


def test_so_many_photos_are_all_pages_together(library):
    assert found(library, "last two photos", offset=1) == ["beach.jpg"]
    assert found(library, "last photo of anna", offset=1) == []


def test_first_and_last_are_words_where_they_are_no_order(library):
    library.captions.edit(4, "The first day of school.")
    library.captions.edit(3, "The oldest tree.")
    assert found(library, "first day") == ["car.jpg"]
    assert found(library, "oldest tree") == ["IMG_2024.jpg"]


def test_a_number_of_people_is_no_beginning_of_a_word(library):
    assert found(library, "2 people") == found(library, "two people") == []
    library.captions.edit(4, "Two people in a red car.")
    assert found(library, "2 people") == found(library, "two people") == ["car.jpg"]


def test_an_empty_query_lists_photos(library):
    assert len(found(library, "")) == 4
    assert len(found(library, "", limit=3)) == 3


def test_since_and_until_take_in_the_whole_period(library):
    assert found(library, "", since="2023", until="2023") == ["beach.jpg"]
    assert found(library, "", since="2023-07", until="2023-07-03") == ["beach.jpg"]
    assert found(library, "", until="2022") == ["IMG_2024.jpg"]
    assert found(library, "", since="2023-07-04") == ["lake.jpg"]


def test_a_date_in_the_query_is_a_period(library):
    assert found(library, "anna 2024") == ["lake.jpg"]
    assert found(library, "2023-07") == ["beach.jpg"]


def test_a_number_that_no_photo_was_taken_in_is_a_word(library):
    assert found(library, "cake 2024") == ["IMG_2024.jpg"]


def test_dates_in_options_leave_numbers_in_the_query_alone(library):
    assert found(library, "2024", since="2022") == ["IMG_2024.jpg"]


def test_part_of_the_camera_is_enough(library):
    assert found(library, "", camera="canon") == ["beach.jpg"]


def test_a_camera_in_the_words_narrows_what_the_option_leaves(library):
    library.photos.add(a_photo("/p/sea.jpg", taken_at="2024-06-01T09:00:00", camera="Canon G7"))
    assert found(library, "canon", camera="r5") == found(library, "r5", camera="canon") == ["beach.jpg"]
    assert found(library, "pixel or r5", camera="CANON") == ["beach.jpg"]
    assert found(library, "pixel", camera="canon") == []
    assert found(library, "-r5", camera="canon") == ["sea.jpg"]
    library.captions.edit(1, "A pixel on the beach.")
    assert found(library, "pixel", camera="canon") == ["beach.jpg"]


def test_every_option_holds_beside_what_the_words_say(library):
    assert found(library, "rex", concepts=("Anna",)) == ["beach.jpg"]
    assert found(library, "without rex", concepts=("Anna",)) == ["lake.jpg"]
    assert found(library, "nobody", concepts=("Anna",)) == []
    assert found(library, "Anna or Rex", concepts=("Anna Maria",)) == []
    assert found(library, "july", since="2024") == found(library, "before 2023", since="2023") == []


@pytest.mark.parametrize(
    "query", ['"', "a AND", "NEAR(", "*", "caption:", "-", "'; DROP TABLE photos", "\x00", "(("]
)
def test_no_query_is_syntax(library, query):
    search_photos(library, query)


@pytest.mark.parametrize(
    ("words", "beginning"),
    [("2024", "2024"), ("2024-07", "2024-07"), ("2024-7-3", "2024-07-03"), (" 2024-02-29 ", "2024-02-29")],
)
def test_years_months_and_days_are_dates(words, beginning):
    assert read_date(words) == beginning


@pytest.mark.parametrize(
    "words", ["", "July", "24", "2024-13", "2023-02-29", "1500", "0000", "2024-07-03T10:00"]
)
def test_anything_else_is_no_date(words):
    with pytest.raises(UsageError) as caught:
        read_date(words)
    assert caught.value.hint


def split_names(query: str, names: list[str]) -> tuple[list[str], str]:
    reading = read_query(query, Known(names)).plain
    return list(reading.criteria.names), reading.words


def test_names_are_found_whole_and_in_order():
    assert split_names("Rexona beats rex, Rex", ["Rex"]) == (["Rex"], "Rexona beats ,")
    assert split_names("Tom with Anna", ["Anna", "Tom"]) == (["Tom", "Anna"], "with")


@pytest.mark.parametrize(
    ("query", "name", "rest"),
    [
        ("STRASSE am See", "Straße", "am See"),
        ("Zoe\u0308 am See", "Zo\u00eb", "am See"),
        ("C-3PO beach", "c-3po", "beach"),
        ("the 🐶 runs", "🐶", "the runs"),
        ("O'Neil's hat", "O'Neil", "hat"),
    ],
)
def test_names_of_every_writing_are_found(query, name, rest):
    assert split_names(query, [name]) == ([name], rest)


@pytest.mark.parametrize(("query", "name"), [("रामा", "राम"), ("Rex_2", "Rex"), ("Annabel", "Anna")])
def test_a_part_of_a_word_is_no_name(query, name):
    assert split_names(query, [name]) == ([], query)


def test_meaningful_words_keep_what_a_caption_could_hold():
    assert meaningful_words("Photos of the old boat?") == ["old", "boat?"]


def test_searching_needs_no_torch():
    code = "import sys, photopal.assistant.find as _; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
