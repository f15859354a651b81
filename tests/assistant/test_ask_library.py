"""Questions about a library: exact answers from its rows, a look only where pixels are needed."""

import os
import subprocess
import sys
import time
from datetime import date

import pytest
from PIL import Image

from photopal.assistant.ask import AskOptions, ask_library
from photopal.assistant.find import search_photos
from photopal.assistant.query.entities import Known
from photopal.assistant.query.lexicon import places_in, word_forms
from photopal.assistant.query.parser import read_question
from photopal.errors import ConceptError, PhotoChangedError, PhotoError, UsageError
from photopal.files import stamp_of
from photopal.library import Appearance, Library
from photopal.photos import Exif, Photo

PHOTOS = {
    # path: (taken at, camera, place, caption, who)
    "2023/beach.jpg": (
        "2023-07-03T18:22:01+02:00", "Canon EOS R5", "Nice, Provence, France",
        "Anna throws a ball to Rex on the beach.", ("Anna", "Rex"),
    ),
    "2023/xmas.jpg": (
        "2023-12-24T20:00:00", "Canon EOS R5", "Barcelona, Catalonia, Spain",
        "Anna Maria cuts a cake in the kitchen.", ("Anna Maria",),
    ),
    "2024/lake.jpg": (
        "2024-05-01T09:00:00", "Google Pixel 8", None, "Anna sits by the lake in a red dress.", ("Anna",),
    ),
    "2024/swim.jpg": (
        "2024-05-01T09:30:00", "Google Pixel 8", None, "Rex swims in the lake next to a blue boat.", ("Rex",),
    ),
    "2025/sofa.jpg": ("2025-05-09T10:00:00", "Google Pixel 8", None, "May sleeps on the sofa.", ("May",)),
    "2025/garden.jpg": (
        "2025-08-01T10:00:00", "Google Pixel 8", "Nîmes, Occitanie, France",
        "Anna and Anna Maria wave in the garden.", ("Anna", "Anna Maria"),
    ),
    "old/car.jpg": (None, None, None, "A red car in the street.", ()),
    "2026/new.jpg": ("2026-09-09T10:00:00", "Google Pixel 8", None, None, ()),
}  # fmt: skip
KINDS = {"Anna": "person", "Anna Maria": "person", "May": "person", "Bob Marley": "person", "Rex": "pet"}
OPTIONS = AskOptions(today=date(2026, 10, 14))


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """Seven captioned photos and one without a caption; no file is there."""
    with Library(tmp_path_factory.mktemp("library") / "library.db") as library:
        fill(library, "/p")
        yield library


def fill(library, folder):
    from pathlib import Path

    ids = {name: library.concepts.add(name, kind=kind).id for name, kind in KINDS.items()}
    for number, (path, (taken_at, camera, place, caption, who)) in enumerate(PHOTOS.items(), start=1):
        exif = Exif(taken_at=taken_at, camera=camera)
        photo = Photo(Path(folder) / path, f"{number:032x}", 1, 1, 64, 48, "JPEG", exif, b"jpeg")
        photo_id = library.photos.add(photo, place=place)
        if caption:
            found = [
                Appearance(concept_id=ids[name], score=0.9, is_present=True, point=(0.5, 0.5), box=None)
                for name in who
            ]
            library.captions.put(
                photo_id, caption, model="m", bank=None, prompt_version="1", appearances=found
            )


def no_assistant():
    raise AssertionError("no model was needed")


def ask(library, question, **options):
    return ask_library(
        library, question, open_assistant=no_assistant, options=AskOptions(today=OPTIONS.today, **options)
    )


def cited(answer):
    return [photo.path.stem for photo in answer.photos]


@pytest.mark.parametrize(
    ("question", "total", "words"),
    [
        # how many
        ("How many photos do I have?", 8, "8 photos"),
        ("How many photos of Anna?", 3, "3 photos of Anna"),
        ("how many pictures of anna and rex are there", 1, "1 photo of Anna and Rex"),
        ("HOW MANY PHOTOS OF ANNA MARIA?", 2, "2 photos of Anna Maria"),
        ("How many photos of Anna or Rex?", 4, "Anna or Rex"),
        ("How many photos of Anna without Rex?", 2, "of Anna without Rex"),
        ("how many photos are not of Anna?", 5, "without Anna"),
        ("How many photos of Anna alone?", 1, "without anybody else you registered"),
        ("How many photos were taken in 2024?", 2, "in 2024"),
        ("how many photos of Anna in July 2023", 1, "in July 2023"),
        ("photos from late 2023", 1, "1 photo from 1 September to 31 December 2023"),
        ("photos from the beginning of 2024", 0, "no photos from 1 January to 30 April 2024"),
        ("photos from early July", 1, "1 photo from 1 to 10 July of any year"),
        ("any selfies", 0, 'mentioning "selfies"'),
        ("who is taking a photo", 0, 'mentioning "taking" and "photo" or "picture"'),
        ("show me Anna taking pictures", 0, 'of Anna mentioning "taking" and "pictures"'),
        ("did Rex take a photo", 0, 'of Rex mentioning "take" and "photo"'),
        ("when did Anna take a photo", 0, 'of Anna mentioning "take" and "photo"'),
        ("how many days did we spend in Nice", 1, "1 day"),
        ("how long was Anna in Nice", 1, "1 day"),
        ("how long did we stay in Nice", 1, "1 day"),
        ("photos from the weekend", 1, "1 photo at weekends"),
        ("who takes pictures", 0, 'mentioning "takes" and "pictures" or "photo"'),
        ("did Anna ever take a picture", 0, 'of Anna mentioning "take" and "picture"'),
        (
            "was the last photo of Rex taken in Nice",
            1,
            "It is not known, as the last photo of Rex, from 1 May",
        ),
        ("are there any selfies", 0, 'No, there are no photos mentioning "selfies"'),
        ("where did we spend Christmas", 1, "Barcelona"),
        ("photos from mid-July", 0, "from 11 to 20 July of any year"),
        ("photos from our holiday in Nice", 1, '1 photo in Nice. No such photo mentions "holiday".'),
        ("photos from our holiday", 0, 'mentioning "holiday"'),
        ("our dog Rex at the lake", 1, '1 photo of Rex mentioning "lake"'),
        ("our good dog Rex at the lake", 1, '1 photo of Rex mentioning "lake"'),
        ("our little Rex at the lake", 1, '1 photo of Rex mentioning "lake"'),
        ("photos of Anna with her sister Anna Maria", 1, "1 photo of Anna and Anna Maria"),
        (
            "Anna alone in her red dress",
            1,
            'without anybody else you registered mentioning "red" and "dress"',
        ),
        (
            "Anna alone with a red dress",
            1,
            'without anybody else you registered mentioning "red" and "dress"',
        ),
        ("photos where neither Anna nor Rex is", 4, "4 photos without Anna or Rex"),
        ("can you recognise Rex?", 2, "Rex is a pet you registered"),
        ("photos from monday", 1, "1 photo on Mondays"),
        ("How many photos of Anna from last summer?", 0, "from 1 June to 31 August 2026"),
        ("How many photos from christmas 2023?", 1, "from 24 to 26 December 2023"),
        ("How many photos from 23 to 25 December 2023?", 1, "from 23 to 25 December 2023"),
        ("How many photos in Nîmes, France?", 1, "1 photo in Nîmes."),
        ("How many photos are not from Nîmes, Occitanie, France?", 7, "7 photos"),
        ("What percentage of photos of Anna show Rex?", 1, "33.3 %: 1 of 3 photos of Anna is"),
        ("What percentage of my photos of Anna were taken in France?", 2, "66.7 %: 2 of 3 photos of Anna"),
        ("What percentage of photos in 2024 show Anna?", 1, "50.0 %: 1 of 2 photos in 2024"),
        ("Combien de photos avec une personne ?", 5, "5 photos"),
        ("Combien de photos sans personne ?", 3, "3 photos without people"),
        ("How many photos between July 2023 and May 2024?", 4, "4 photos"),
        ("How many photos have I taken since 2024?", 5, "since 1 January 2024"),
        ("How many photos before 2024?", 2, "until 31 December 2023"),
        ("how many photos of May in May 2025", 1, "of May in May 2025"),
        ("How many times did we go to the lake?", 2, "on 1 day"),
        ("How often is Anna with Anna Maria?", 1, "1 photo of Anna and Anna Maria"),
        ("What is the number of photos of Rex?", 2, "2 photos of Rex"),
        ("How many photos did I take with my Canon?", 2, "taken with Canon"),
        ("How many photos with a red dress?", 1, '"red" and "dress"'),
        ("how many photos of Anna are from France?", 2, "in France"),
        ("How many photos show Anna's garden?", 1, "garden"),
        # when
        ("When was Anna first seen?", 3, "3 July 2023 at 18:22"),
        ("When was Rex last seen?", 2, "1 May 2024"),
        ("When did I first meet Rex?", 2, "3 July 2023"),
        ("When was Rex last at the lake?", 1, "1 May 2024"),
        ("When were Anna and Rex last at the lake?", 0, "no photos of Anna and Rex"),
        ("When was the beach photo taken?", 1, "On 3 July 2023"),
        ("Since when do I have photos of Rex?", 2, "The first photo of Rex was taken on 3 July 2023"),
        ("What is the date of the newest photo?", 8, "9 September 2026"),
        ("When did we go to Barcelona?", 1, "24 December 2023"),
        ("Which year was Anna first seen?", 3, "2023"),
        ("Which day did I take the most photos?", 8, "1 May 2024, with 2 photos"),
        ("give me the date of the first photo of May", 1, "9 May 2025"),
        ("On which days was Anna at the lake?", 1, "1 May 2024"),
        ("Which years have photos of Anna?", 3, "2023 (1), 2024 (1) and 2025 (1)"),
        ("How many photos per year?", 8, "2023 (2), 2024 (2), 2025 (2) and 2026 (1)"),
        ("Which month has the most photos?", 8, "May 2024, with 2 photos"),
        # where
        ("Where was Rex in 2023?", 1, "Nice, Provence, France"),
        ("Where is Rex?", 2, "in the lake (1) and on the beach (1)"),
        ("Where did we go in 2023?", 2, "Barcelona, Catalonia, Spain (1)"),
        ("Which places did we visit?", 8, "Nîmes, Occitanie, France (1)"),
        ("which countries have I been to?", 8, "France (2) and Spain (1)"),
        ("When and where was Anna last seen?", 3, "from 1 August 2025, was taken in Nîmes"),
        ("Where was Anna last?", 3, "Nîmes"),
        ("Where was the oldest photo taken?", 8, "Nice"),
        # who
        ("Who is with Anna?", 3, "Anna Maria (1) and Rex (1)"),
        ("Who else is on photos with Anna?", 3, "Rex (1)"),
        ("Which pets are in photos of Anna?", 3, "Rex (1) on"),
        ("who is in photos of the lake", 2, "Anna (1) and Rex (1)"),
        ("Who was in Nice?", 1, "Anna (1) and Rex (1)"),
        ("Who appears most often?", 8, "Anna, with 3 photos"),
        ("With whom was Rex on the beach?", 1, "Anna (1)"),
        ("Who is on photos with Bob Marley?", 0, "no photos of Bob Marley"),
        ("Who is on the newest photo of Anna?", 3, "from 1 August 2025, shows Anna and Anna Maria"),
        ("How many different people appear in 2025?", 2, "Anna (1), Anna Maria (1) and May (1)"),
        ("How many people do you know?", 4, "4 people"),
        ("Who do you know?", 5, "1 pet (Rex)"),
        ("Who is Rex?", 2, "Rex is a pet"),
        ("Do you know Bob Marley?", 1, "on no photo"),
        # cameras
        ("Which cameras did I use?", 8, "Google Pixel 8 (5) and Canon EOS R5 (2)"),
        ("With which camera were the photos of Anna taken?", 3, "Google Pixel 8 (2)"),
        ("Which camera took the first photo of Rex?", 2, "Canon EOS R5"),
        ("Which lens did I use?", 8, "The lens of the 8 photos is not known"),
        # which photos
        ("Which photos show Rex?", 2, "2 photos of Rex"),
        ("Show me Anna in the garden", 1, "garden"),
        ("Find the 2 newest photos of Anna", 3, "The newest 2 are listed"),
        ("show me the oldest photo", 8, "The oldest is listed"),
        ("Can you show me photos with a cake, please?", 1, "cake"),
        ("Which photo is the oldest?", 8, "The oldest is listed"),
        ("Which of my photos have no caption?", 1, "1 photo without a caption"),
        ("How many photos are not captioned yet?", 1, "1 photo without a caption"),
        ("In which photos is May?", 1, "of May"),
        ("Photos in nimes", 1, "in Nîmes"),
        ("photos in Oslo", 0, "Oslo"),
        ("anna", 3, "of Anna"),
        ("2024", 2, "in 2024"),
        # yes or no
        (
            "Is Anna in the last photo?",
            1,
            "It is not known, as the last photo, from 9 September 2026, has no",
        ),
        ("Is Anna in the last 2 photos?", 2, "Yes, on 1 of the last 2 photos."),
        ("Is Bob Marley in the 3 newest photos?", 3, "It is not known, as 1 of the last 3 photos has no"),
        ("Was Rex in the newest photo of Anna?", 1, "No, not on the last photo of Anna, from 1 August 2025."),
        ("Is Rex in the oldest photo of Anna?", 1, "Yes, on the first photo of Anna, from 3 July 2023."),
        ("Are there pets in the first two photos of Anna Maria?", 2, "No, not on any of the first 2 photos"),
        ("Did Anna ever go to the beach?", 1, "Yes, 1 photo"),
        ("Is there a photo of Rex and May?", 0, "No, there are no photos of Rex and May"),
        ("Was Rex at the lake in 2024?", 1, "Yes"),
        ("Were we in Spain in December 2023?", 1, "Yes"),
        ("Is Anna with Rex?", 1, "Yes"),
        ("Has Rex ever been in Spain?", 0, "No"),
        ("Did Anna wear a red dress?", 1, "Yes"),
        ("Are there any photos from 2020?", 0, "No"),
        ("do you have photos of the beach?", 1, "Yes"),
        # what captions tell
        ("What did Anna do in 2023?", 1, "Anna throws a ball"),
        ("What happened on Christmas 2023?", 1, "cuts a cake"),
        ("What colour is the boat?", 1, "Blue."),
        ("what color is the car", 1, "Red."),
        ("What colour is the submarine?", 0, "submarine"),
        ("What did we do yesterday?", 0, "13 October 2026"),
    ],
)
def test_what_the_library_knows_is_answered_without_a_model(library, question, total, words):
    answer = ask(library, question)
    assert answer.total == total, answer.text
    assert words in answer.text
    assert not answer.is_from_model
    assert bool(answer.photos) == bool(total) or "know" in question


@pytest.mark.parametrize(
    ("question", "photos"),
    [
        ("How many photos of Anna?", ["garden", "lake", "beach"]),
        ("When was Anna first seen?", ["beach"]),
        ("When was Anna last seen?", ["garden"]),
        ("Show me the oldest photo of Rex", ["beach"]),
        ("Find the two newest photos of Anna", ["garden", "lake"]),
        ("Which photos are from 2023?", ["xmas", "beach"]),
        ("Did Anna ever meet Rex?", ["beach"]),
    ],
)
def test_the_photos_an_answer_rests_on_are_cited(library, question, photos):
    assert cited(ask(library, question)) == photos


def test_at_most_so_many_photos_are_cited_as_the_options_allow(library):
    answer = ask(library, "How many photos do I have?", most_cited=3)
    assert cited(answer) == ["new", "garden", "sofa"]
    assert answer.total == 8


@pytest.mark.parametrize(
    ("question", "note"),
    [
        ("How many photos of Anna?", "1 photo has no caption yet"),
        ("Who appears most?", "1 photo has no caption yet"),
        ("How many photos of Anna in 2026?", "1 photo in 2026 has no caption yet"),
        ("How many photos in 2024?", "1 photo has no date"),
        ("Where did we go?", "The location of 5 photos is not known"),
    ],
)
def test_an_answer_says_what_it_cannot_know(library, question, note):
    assert note in ask(library, question).text


@pytest.mark.parametrize("question", ["How many photos do I have?", "How many photos with my Canon?"])
def test_an_answer_that_rests_on_no_caption_does_not_speak_of_captions(library, question):
    assert "caption" not in ask(library, question).text


def test_photos_of_anna_in_2024_do_not_mind_a_photo_of_2026_without_a_caption(library):
    assert "caption" not in ask(library, "How many photos of Anna in 2024?").text


@pytest.mark.parametrize(
    ("question", "hint"),
    [
        ("How many photos of Bob?", "Known names: Anna, Anna Maria, Bob Marley, May and Rex."),
        ("photos of Ana", 'Did you mean "Anna"?'),
        ("When was Charlie Brown last at the lake?", "Known names"),
        ("Is Rex with Charlie?", "Known names"),
    ],
)
def test_a_name_nobody_has_is_said_with_those_who_are_registered(library, question, hint):
    with pytest.raises(ConceptError, match="no concept named") as failure:
        ask(library, question)
    assert hint in str(failure.value.hint)


def test_a_misspelt_name_in_small_letters_is_said_too(library):
    assert 'Did you mean "Anna"?' in ask(library, "photos of anne").text


@pytest.mark.parametrize(
    ("question", "photos"),
    [
        ("Anna in her red dress", ["lake"]),
        ("When did Anna last wear her dress?", ["lake"]),
        ("Find Anna Maria with her cake", ["xmas"]),
        ("How often did Rex swim in his lake?", ["swim"]),
        ("Photos of Anna without her dress", ["garden", "beach"]),
    ],
)
def test_what_is_hers_is_looked_for_as_such(library, question, photos):
    assert cited(ask(library, question)) == photos


@pytest.mark.parametrize(
    "question", ["photos of Anna with her", "Did Anna see her?", "her dress", "Anna and her smiling"]
)
def test_her_is_nobody_where_nothing_is_hers(library, question):
    with pytest.raises((ConceptError, UsageError), match="her"):
        ask(library, question)


@pytest.mark.parametrize(
    "question", ["Show me my dog", "Where is my dog?", "Is there a photo of a dog?", "Did my cat sleep?"]
)
def test_where_no_caption_has_the_animal_the_pets_are_named(library, question):
    answer = ask(library, question)
    assert answer.total == 0
    assert answer.text.startswith("There are no photos mentioning")
    assert "You registered a pet (Rex), of whom captions speak by name." in answer.text


def test_a_hot_dog_is_no_pet(library):
    assert "You registered" not in ask(library, "are there photos of a hot dog?").text


@pytest.mark.parametrize(
    "question",
    [
        "photos of me",
        "How many photos of her in 2024?",
        "how many photos of us are there",
        "photos of us celebrating Easter",
        "who spent Christmas with us",
        "how many people visited us",
        "did Anna visit me in 2024",
        "photos that show us at the lake",
        "photos near me",
    ],
)
def test_pronouns_are_nobodys_name(library, question):
    with pytest.raises(ConceptError, match="I do not know who"):
        ask(library, question)


@pytest.mark.parametrize("question", ["", "   ", "?!", "\x00", "a" * 501, "\u202e ..."])
def test_an_empty_or_endless_question_is_refused(library, question):
    with pytest.raises(UsageError):
        ask(library, question)


@pytest.mark.parametrize(
    "question",
    [
        "What is this?",
        "What does it look like?",
        "How many videos of Anna?",
        "who took these photos?",
        "How many photos do I have of half of them?",
        "Photos from 24, 25 and 26 December 2023",
        "Have you seen Anna in the first photo?",
        "Is the last photo of Anna from Nîmes?",
    ],
)
def test_a_question_that_does_not_say_which_photos_is_refused(library, question):
    with pytest.raises(UsageError):
        ask(library, question)


@pytest.mark.parametrize(
    "question",
    [
        'anna AND ("rex" OR *) NEAR/2',
        "' OR 1=1; DROP TABLE photos; --",
        'photos of "Anna" OR caption:*',
        "<b>[red]Anna[/red]</b>?",
        "photos of {anna} ^rex -may +car",
        "photos \ud800 of Anna",
        "photos of \U000f0000 \U000f0001",
        "show " + "x" * 490,
        "a " * 249,
        "photos of " + "Anna and " * 50 + "Rex",
        "photos with ((((((((((",
        "find C:\\photos\\*.jpg",
        "photos %s %d {0} \\1 \\g<0>",
        "写真",
    ],
)
def test_hostile_questions_do_no_harm(library, question):
    try:
        answer = ask(library, question)
    except UsageError:
        return
    assert answer.text
    assert library.counts()["photos"] == 8


def test_the_text_is_told_as_it_grows(library):
    pieces = []
    answer = ask_library(
        library, "What did Anna do?", open_assistant=no_assistant, options=OPTIONS, on_text=pieces.append
    )
    assert "".join(pieces) == answer.text
    pieces.clear()
    answer = ask_library(
        library, "How many photos?", open_assistant=no_assistant, options=OPTIONS, on_text=pieces.append
    )
    assert pieces == [answer.text]


def test_an_empty_library_says_so(tmp_path):
    with Library(tmp_path / "library.db") as library:
        for question in ("How many photos?", "Where was Anna?", "Who is on photos?", "what is Bob wearing?"):
            answer = ask(library, question)
            assert (answer.text, answer.total) == ("There are no photos in the library yet.", 0)
        assert ask(library, "Who do you know?").text == "You have not registered anybody or anything yet."


def test_photos_that_cannot_be_opened_are_an_error_before_a_model_is_loaded(library):
    with pytest.raises(PhotoError):
        ask(library, "What is Anna wearing in the garden?")


@pytest.mark.parametrize(
    ("words", "forms"),
    [
        ("run runs running ran", "run runs running ran"),
        ("smile smiles smiling smiled", "smile smiles smiling smiled"),
        ("walk walking walked", "walk walks walking walked"),
        ("stop stopping stopped", "stop stops stopping stopped"),
        ("carries carrying", "carry carries carrying carried"),
        ("change changing", "change changes changing changed"),
        ("hanging hung", "hang hangs hanging hung"),
        ("tie ties tying", "tie ties tying tied"),
        ("box boxes", "box boxes boxing boxed"),
        ("party parties", "party parties partying partied"),
        ("city cities", "city cities"),
        ("lens lenses", "lens lenses"),
        ("child children", "child children"),
        ("dress dresses", "dress dresses dressing dressed"),
        ("horses", "horse horses horsing horsed"),
        ("red", "red reds"),
        ("movies", "movie movies"),
        ("gray greys", "gray grays graying grayed grey greys greying greyed"),
        ("café", "café"),
        ("bikes", "bike bikes biking biked bicycle bicycles bicycling bicycled"),
        ("bicycle", "bike bikes biking biked bicycle bicycles bicycling bicycled"),
        ("ocean", "ocean oceans oceaning oceaned sea seas"),
        ("kid", "kid kids kidding kidded child children"),
    ],
)
def test_words_have_their_forms_and_no_others(words, forms):
    for word in words.split():
        assert word_forms(word)[0] == word
        assert {*word_forms(word)} == {*forms.split()}


def test_places_are_taken_from_captions_and_names_are_none():
    assert places_in("Anna is running on the beach with Rex in a red coat.") == ["on the beach"]
    assert places_in("Bob sits in the old living room at the left.") == ["in the old living room"]
    assert places_in("At the Café they meet, at the café!") == ["at the café"]
    assert places_in("Ana at the Łódź Market") == ["at the Łódź Market"]


def test_what_captions_say_of_places_is_quoted_as_it_is_written(tmp_path):
    with Library(tmp_path / "library.db") as library:
        for number, text in enumerate(("Zoë at the Café.", "At the café with Zoë.", "At the Café"), start=1):
            photo = Photo(tmp_path / f"{number}", f"{number:032x}", 1, 1, 64, 48, "JPEG", Exif(), b"jpeg")
            library.captions.edit(library.photos.add(photo), text)
        assert (
            "According to the captions: at the Café (3)." in ask(library, "where were my photos taken?").text
        )
        last = ask(library, "where was the last photo taken?").text
        assert last == "The last photo was taken at the Café, according to its caption."


def test_exact_answers_import_no_torch(library):
    code = (
        "import sys; from photopal.assistant.ask import ask_library;"
        "from photopal.library import Library;"
        f"library = Library({str(library.path)!r}, read_only=True).__enter__();"
        "print(ask_library(library, 'How many photos of Anna?', open_assistant=None).total);"
        "print('torch' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.split() == ["3", "False"]


@pytest.fixture
def seen_library(tmp_path):
    """Photos as files, of which the garden cannot be read, and Anna registered from one of them."""
    with Library(tmp_path / "library.db") as library:
        fill(library, tmp_path)
        for number, path in enumerate(PHOTOS):
            file = tmp_path / path
            file.parent.mkdir(exist_ok=True)
            Image.linear_gradient("L").rotate(20 * number).convert("RGB").save(file)
        with library.writing():
            for path in PHOTOS:
                key, stamp = os.fsencode(tmp_path / path), stamp_of(tmp_path / path)
                library.connection.execute(
                    "UPDATE paths SET size_bytes = ?, mtime_ns = ? WHERE path = ?", (*stamp, key)
                )
        (tmp_path / "2025/garden.jpg").write_bytes(b"no photo")
        lake = next(photo for photo in library.photos.all() if photo.path.stem == "lake")
        library.concepts.add_reference(library.concepts.get("Anna").id, lake.id, box=(8, 8, 32, 32))
        yield library


def test_what_the_oldest_photo_is_about_is_told_and_not_only_listed(library):
    for question in ("What's the oldest photo of Anna about?", "What's the first photo of Anna showing?"):
        with pytest.raises(PhotoError, match=r"beach\.jpg"):
            ask(library, question)


def test_which_of_two_is_seen_on_photos_that_show_both(library):
    for question in (
        "Which of Anna and Anna Maria is taller?",
        "Which of Anna and Anna Maria has a hat?",
        "Which of Anna and Anna Maria is smiling?",
        "Which of Anna and Anna Maria is closer to the camera?",
    ):
        with pytest.raises(PhotoError, match=r"garden\.jpg"):
            ask(library, question)


@pytest.mark.parametrize(
    ("question", "asked"),
    [
        ("what did Anna eat in Spain?", "What did Anna eat in Spain?"),
        ("What color is Anna's hair in 2024?", "What color is Anna's hair?"),
        ("What color is Rex' ball (near Nîmes) ?", "What color is Rex' ball (near Nîmes)?"),
        ("What is on Anna's plate from Barcelona, Spain?", "What is on Anna's plate from Barcelona, Spain?"),
    ],
)
def test_the_model_is_asked_in_the_words_of_the_question_without_its_dates(question, asked):
    known = Known(["Anna", "Rex"], ["Barcelona, Catalonia, Spain", "Nîmes, Occitanie, France"])
    assert read_question(question, known, today=OPTIONS.today).text == asked


def test_a_photo_that_another_one_replaced_is_not_looked_at(seen_library):
    newest = next(photo for photo in seen_library.photos.all() if photo.path.stem == "new")
    Image.linear_gradient("L").rotate(7).save(newest.path)
    with pytest.raises(PhotoChangedError, match=r"new\.jpg"):
        ask(seen_library, "How many people are on the newest photo?")


@pytest.mark.slow
def test_the_model_looks_at_the_few_photos_left(seen_library, tiny_llava):
    from photopal.assistant.assistant import Assistant
    from photopal.concepts import Bank
    from photopal.concepts.registration import FeatureStore, register_concepts
    from photopal.vlm import load_model

    opened = []

    def open_assistant():
        model = load_model(tiny_llava, device="cpu")
        bank = register_concepts(seen_library, FeatureStore(model), Bank(model.fingerprint, "")).bank
        opened.append(model)
        return Assistant(model, bank, seen_library.concepts.all())

    pieces = []
    answer = ask_library(
        seen_library,
        "What is Anna wearing?",
        open_assistant=open_assistant,
        options=AskOptions(most_photos=3, today=OPTIONS.today),
        on_text=pieces.append,
    )
    assert len(opened) == 1
    assert cited(answer) == ["lake", "beach"]
    assert answer.total == 3
    assert "".join(pieces) == answer.text
    assert answer.text.startswith("From looking at 2 of 3 photos of Anna:\nlake.jpg, 1 May 2024: ")
    assert "\nbeach.jpg, 3 July 2023: " in answer.text
    assert "\n1 photo could not be read.\n" in answer.text
    one = ask_library(
        seen_library,
        "How many people are on the newest photo?",
        open_assistant=open_assistant,
        options=OPTIONS,
    )
    assert cited(one) == ["new"]
    assert one.is_from_model
    beach = next(photo for photo in answer.photos if photo.path.stem == "beach")
    Image.linear_gradient("L").rotate(7).save(beach.path)
    rest = ask_library(seen_library, "What is Anna wearing?", open_assistant=open_assistant, options=OPTIONS)
    assert cited(rest) == ["lake"]
    assert "\n1 photo changed since it was indexed; run `photopal index`." in rest.text


def test_the_us_is_not_us(library):
    assert ask(library, "photos of US flags").text.startswith('There are no photos mentioning "flags"')
    for question in ("PHOTOS OF US", "HOW MANY PHOTOS OF US ARE THERE"):
        with pytest.raises(ConceptError, match="I do not know who"):
            ask(library, question)
    with pytest.raises(ConceptError) as refused:
        ask(library, "when were all of us together")
    assert refused.value.hint == "Ask with a registered name."


@pytest.mark.parametrize("words", ["in the US", "in the us", "from the USA", "from the U.S.", "in US"])
def test_the_us_is_the_country(tmp_path, make_photo, words):
    with Library(tmp_path / "us.db") as library:
        library.photos.add(make_photo(1), place="New York City, New York, United States")
        library.photos.add(make_photo(2), place="Berlin, Germany")
        answer = ask_library(library, f"How many photos {words}?", open_assistant=pytest.fail)
        assert answer.text == "1 photo in United States."
        assert [hit.photo.id for hit in search_photos(library, f"photos {words}")] == [1]


def test_a_photo_of_which_only_the_year_is_known_has_a_date_but_no_day(tmp_path, make_photo):
    with Library(tmp_path / "partial.db") as library:
        library.concepts.add("Anna")
        dates = {1: "1974", 2: "1974-07", 3: "2024-07-03T18:22:01"}
        for number, taken_at in dates.items():
            library.photos.add(make_photo(number, taken_at=taken_at))

        def answer(question):
            return ask_library(library, question, open_assistant=lambda: pytest.fail("asked")).text

        assert answer("When was the first photo taken?") == "The first photo was taken in 1974."
        assert "1 January 1974" in answer("When were the photos taken?")
        assert "1 of them with a known day" in answer("When were the photos taken?")
        assert answer("How many photos are from July 1974?").startswith("1 photo")
        assert answer("How many photos are from 1974?").startswith("2 photos")
        assert "July 1974 (1)" in answer("How many photos per month?")
        assert answer("When were the first 2 photos taken?") == "In 1974 and July 1974: the first 2 photos."
        assert answer("When were the first 3 photos taken?").startswith("In 1974, in July 1974 and on 3 July")


def test_no_photo_without_a_date_is_from_any_month(tmp_path, make_photo):
    with Library(tmp_path / "undated.db") as library:
        for _ in range(2):
            answer = ask_library(library, "photos in June", open_assistant=lambda: pytest.fail("asked"))
            assert answer.text.startswith("There are no photos")
            library.photos.add(make_photo(1, taken_at=None))


def test_many_dates_in_a_row_are_read_at_once(library):
    start = time.monotonic()
    assert ask(library, "2023 " * 90).total == 2
    assert time.monotonic() - start < 5
