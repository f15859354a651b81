"""Questions aimed at what a reader of questions may drop, turn round or read as something else."""

from __future__ import annotations

from collections.abc import Iterable

from tests.assistant.questions.album import ALBUM, CANON, CONCEPTS, GERMANY, IPHONE, PEOPLE, PETS, shows
from tests.assistant.questions.expect import (
    REGIONS,
    Either,
    Fits,
    Names,
    Photos,
    Question,
    Refusal,
    Words,
    count,
    day,
    first,
    group,
    last,
    listed,
    more,
    most,
    no,
    none,
    number,
    numbers,
    plainly,
    where,
    who,
    yes,
)

_UNDATED = numbers(lambda p: p.taken is None)
_PLACELESS = numbers(lambda p: p.place is None)
_SUMMER = (6, 7, 8)
_WITH_ANNA = frozenset[str]().union(*(photo.names for photo in ALBUM if "Anna" in photo.names))


_NEGATION = group(
    "negation",
    ("Show me photos of Anna minus Ben", listed(lambda p: "Anna" in p.names and "Ben" not in p.names)),
    (
        "Photos of Anna with neither Ben nor Mia",
        listed(lambda p: "Anna" in p.names and not p.names & {"Ben", "Mia"}),
    ),
    (
        "Show me photos of Anna or Mia but not Ben",
        listed(lambda p: bool(p.names & {"Anna", "Mia"}) and "Ben" not in p.names),
    ),
    ("How many photos were not taken in 2021?", count(lambda p: p.year != 2021, maybe=_UNDATED)),
    (
        "How many photos of Anna aren't from Berlin?",
        count(lambda p: "Anna" in p.names and p.place != "Berlin", maybe={49, 55}),
    ),
    ("Show photos of Ben without a bike", listed(lambda p: "Ben" in p.names and not p.says("bike"))),
    (
        "Show photos from Lisbon that do not show a beach",
        listed(lambda p: p.place == "Lisbon" and not p.says("beach")),
    ),
    ("Show me undated photos", listed(lambda p: p.taken is None)),
    ("Which photos have no camera?", listed(lambda p: p.camera is None)),
    ("How many photos of Anna have no date?", count(lambda p: "Anna" in p.names and p.taken is None)),
    ("How many photos of Rex have no location?", count(lambda p: "Rex" in p.names and p.place is None)),
    ("How many photos have a location?", count(lambda p: p.place is not None)),
    (
        "Photos from Berlin in 2023 without pets",
        listed(lambda p: p.place == "Berlin" and p.year == 2023 and not p.names & PETS, maybe={56}),
    ),
    (
        "Who was never photographed with Anna?",
        Names(frozenset(CONCEPTS) - _WITH_ANNA - {"Bobo"}, frozenset({"Bobo"})),
    ),
    (
        "Who was not there at Christmas 2024?",
        Names(PEOPLE - {"Anna", "Ben", "Mia", "Zoë"}, frozenset({"Rex", "Luna", "Bobo"})),
    ),
    ("Where was Ben photographed without Anna?", where(lambda p: "Ben" in p.names and "Anna" not in p.names)),
    (
        "When was Mia last photographed without Anna?",
        last(lambda p: "Mia" in p.names and "Anna" not in p.names),
    ),
    (
        "Is there a photo of Rex without Anna in Berlin?",
        yes(lambda p: "Rex" in p.names and "Anna" not in p.names and p.place == "Berlin"),
    ),
    (
        "Show me everything except Berlin from 2024",
        listed(lambda p: p.year == 2024 and p.place != "Berlin", maybe={49, 59}),
    ),
    ("Pictures of Zoë anywhere but Lisbon", listed(lambda p: "Zoë" in p.names and p.place != "Lisbon")),
    (
        "Photos of Mia other than those with Anna",
        listed(lambda p: "Mia" in p.names and "Anna" not in p.names),
    ),
)
_NEGATED_SEARCHES = group(
    "negation",
    ("christmas -anna", listed(lambda p: p.number == 4)),
    ("rex -dog", none()),
    ("anna -berlin 2024", listed(lambda p: "Anna" in p.names and p.year == 2024 and p.place != "Berlin")),
    ("mia except berlin", listed(lambda p: "Mia" in p.names and p.place != "Berlin")),
    ('lisbon -"riding a bike"', listed(lambda p: p.place == "Lisbon" and p.number != 11)),
    command="search",
)
_COMPARISONS = group(
    "comparison",
    ("Which year has the fewest photos?", most(lambda p: [p.year] if p.year else [], fewest=True)),
    ("Is Rex in more photos than Luna?", plainly(True, shows("Rex"), shows("Luna"))),
    (
        "Are there fewer photos from 2019 than from 2021?",
        plainly(True, lambda p: p.year == 2019, lambda p: p.year == 2021),
    ),
    (
        "Did I take more photos with the Canon or with the iPhone?",
        more({"Canon": lambda p: p.camera == CANON, "iPhone": lambda p: p.camera == IPHONE}),
    ),
    (
        "Which has more photos, Berlin or Lisbon?",
        more({"Berlin": lambda p: p.place == "Berlin", "Lisbon": lambda p: p.place == "Lisbon"}),
    ),
    (
        "Is Anna more often with Ben or with Mia?",
        more({"Ben": shows("Anna", "Ben"), "Mia": shows("Anna", "Mia")}),
    ),
    ("Who is in more photos, Mia or Zoë?", more({"Mia": shows("Mia"), "Zoë": shows("Zoë")})),
    (
        "Were more photos taken in July or in December?",
        more({"July": lambda p: p.month == 7, "December": lambda p: p.month == 12}),
    ),
    ("Are there more than 10 photos of Ben?", plainly(True, shows("Ben"))),
    ("Do I have at least 5 photos of Luna?", plainly(False, shows("Luna"))),
    (
        "How many more photos are there of Anna than of Ben?",
        number(len(numbers(shows("Anna"))) - len(numbers(shows("Ben"))), "more(?: photos?)?"),
    ),
    ("Which person is in the fewest photos?", most(lambda p: p.names & PEOPLE, fewest=True)),
    ("Who is with Anna most often?", Words("Ben", frozenset({"Mia", "Rex", "Zoë", "Will"}))),
    ("Does Ben appear as often as Anna?", plainly(False, shows("Anna"), shows("Ben"))),
)
_TIMES = group(
    "month, season, holiday",
    ("Show me photos from winter", listed(lambda p: p.month in (12, 1, 2))),
    ("How many photos were taken in summer?", count(lambda p: p.month in _SUMMER)),
    ("When was Anna last photographed in July?", last(lambda p: "Anna" in p.names and p.month == 7)),
    ("Where was Ben in August?", where(lambda p: "Ben" in p.names and p.month == 8)),
    (
        "Who is in the Christmas photos?",
        who(lambda p: p.month == 12 and p.day is not None and p.day.day < 27, but={"Rex"}),
    ),
    ("Was Mia photographed at Easter?", yes(lambda p: p.number == 27)),
    (
        "How many photos were taken on New Year's Eve?",
        count(lambda p: p.day is not None and (p.month, p.day.day) == (12, 31)),
    ),
    ("Show me photos from last summer", listed(lambda p: p.year == 2024 and p.month in _SUMMER)),
    ("How many photos did I take last year?", count(lambda p: p.year == 2024)),
    (
        "How many photos of Ben were taken in 2021 or 2022?",
        count(lambda p: "Ben" in p.names and p.year in (2021, 2022)),
    ),
    (
        "How many photos were taken in June or July 2022?",
        count(lambda p: p.year == 2022 and p.month in (6, 7)),
    ),
    (
        "Show me photos from the first half of 2022",
        listed(lambda p: p.year == 2022 and p.month is not None and p.month < 7),
    ),
    ("How many photos were taken at weekends?", count(lambda p: p.day is not None and p.day.weekday() > 4)),
    ("How many photos were taken on a Sunday?", count(lambda p: p.day is not None and p.day.weekday() == 6)),
    (
        "Show me photos taken after 22:00",
        listed(lambda p: p.taken is not None and p.taken.hour > 21, maybe={39}),
    ),
    (
        "How many photos of Anna since 2022 were taken in December?",
        count(lambda p: "Anna" in p.names and p.year is not None and p.year >= 2022 and p.month == 12),
    ),
    (
        "In how many years was Luna photographed?",
        number(len({p.year for p in ALBUM if "Luna" in p.names}), "years?"),
    ),
    ("Show me the two newest photos of Ben", Photos(frozenset({51, 45}), of=len(numbers(shows("Ben"))))),
    ("On what date was the first photo in Paris taken?", first(lambda p: p.place == "Paris")),
    ("When did Ben first visit Lisbon?", first(lambda p: "Ben" in p.names and p.place == "Lisbon")),
    ("When was the last Halloween photo taken?", last(lambda p: p.number in (5, 43))),
)
_DATED_SEARCHES = group(
    "month, season, holiday",
    ("halloween", listed(lambda p: p.number in (5, 43))),
    ("december", listed(lambda p: p.month == 12)),
    ("rex last summer", none()),
    ("easter mia", listed(lambda p: p.number == 27)),
    ("lisbon july 2022", listed(lambda p: p.number in (30, 31))),
    ("since 2024 paris", listed(lambda p: p.number == 46)),
    command="search",
)
_KINDS = group(
    "kinds",
    ("How many pets do I have?", number(len(PETS), "pets?")),
    ("Show me photos with pets in 2022", listed(lambda p: p.year == 2022 and bool(p.names & PETS))),
    ("Show me photos of cats", listed(shows("Luna"))),
    ("How many photos show people in Nara?", count(lambda p: p.place == "Nara" and bool(p.names & PEOPLE))),
    ("Photos with no people from 2020", listed(lambda p: p.year == 2020 and not p.names & PEOPLE)),
    ("Show me photos with nobody in them from St. Moritz", listed(lambda p: p.number == 7)),
    ("When was the last photo of a pet taken?", last(lambda p: bool(p.names & PETS))),
    ("Where were the pets photographed?", where(lambda p: bool(p.names & PETS))),
    ("How many photos show more than two people?", count(lambda p: len(p.names & PEOPLE) > 2)),
    ("Which people were in Lisbon?", who(lambda p: p.place == "Lisbon", but={"Bobo"})),
)
_CAMERAS = group(
    "cameras",
    (
        "Show me iPhone photos of Rex in Berlin",
        listed(lambda p: "Rex" in p.names and p.place == "Berlin" and p.camera == IPHONE),
    ),
    ("How many Canon photos are from Berlin?", count(lambda p: p.place == "Berlin" and p.camera == CANON)),
    ("Was the iPhone used in Nara?", yes(lambda p: p.number == 47)),
    ("How many photos of Anna were taken with a Nikon?", number(0)),
    ("How many cameras did I use?", number(2, "cameras?")),
    ("When did I first use the iPhone?", first(lambda p: p.camera == IPHONE)),
)
_CAMERA_SEARCHES = group(
    "cameras",
    ("iphone rex", listed(lambda p: "Rex" in p.names and p.camera == IPHONE)),
    ("canon eos r6 paris", listed(lambda p: p.number == 46)),
    ("iphone 13 nara", listed(lambda p: p.number == 47)),
    command="search",
)
_PLACES = group(
    "places",
    ("How many photos are from Berlin or Paris?", count(lambda p: p.place in ("Berlin", "Paris"))),
    ("Show me photos from France or Japan", listed(lambda p: p.place in ("Paris", "Nara"))),
    (
        "How many photos of Anna were taken outside Germany?",
        count(lambda p: "Anna" in p.names and p.place not in GERMANY, maybe={49, 55}),
    ),
    ("How many countries has Ben been to?", number(5, REGIONS)),
    ("How many photos did I take in Rome?", number(0)),
    (
        "Were Anna and Zoë ever in Paris together?",
        no(lambda p: shows("Anna", "Zoë")(p) and p.place == "Paris"),
    ),
    ("Which city was Ben in on 8 February 2020?", where(lambda p: p.number == 6)),
    ("Where was I on New Year's Day 2021?", where(lambda p: p.number == 14)),
)
_WORD_NAMES = group(
    "names that are words",
    ("How many photos of May were taken in May?", count(lambda p: "May" in p.names and p.month == 5)),
    ("Was Paris ever photographed in Paris?", no(lambda p: "Paris" in p.names and p.place == "Paris")),
    (
        "How many photos with Paris were taken in Düsseldorf?",
        count(lambda p: "Paris" in p.names and p.place == "Düsseldorf"),
    ),
    ("Where was Summer in winter?", where(lambda p: "Summer" in p.names and p.month in (12, 1, 2))),
    ("When was Rose last photographed?", last(shows("Rose"))),
    ("Show me a red rose", listed(lambda p: p.number == 20)),
    ("Is Will with Rose in any photo?", no(shows("Will", "Rose"))),
    (
        "Who was with Will in Paris?",
        who(lambda p: "Will" in p.names and p.place == "Paris" and len(p.names) > 1, but={"Will"}),
    ),
    ("Show me photos of May and Will", listed(shows("May", "Will"))),
    ("How many photos in Paris?", count(lambda p: p.place == "Paris")),
    ("Did Summer sing with Paris?", yes(shows("Summer", "Paris"))),
    ("Show me photos of Anna in May 2023", listed(lambda p: p.number == 38)),
    ("When was May in Nara?", day(lambda p: "May" in p.names and p.place == "Nara")),
    ("Which photos show Summer in summer?", listed(lambda p: "Summer" in p.names and p.month in _SUMMER)),
)
_WORD_NAME_SEARCHES = group(
    "names that are words",
    ("will", listed(shows("Will"))),
    (
        "may",
        Either(
            (
                listed(shows("May")),
                listed(lambda p: p.month == 5),
                listed(lambda p: "May" in p.names or p.month == 5),
            )
        ),
    ),
    (
        "paris",
        Either(
            (
                listed(shows("Paris")),
                listed(lambda p: p.place == "Paris"),
                listed(lambda p: "Paris" in p.names or p.place == "Paris"),
            )
        ),
    ),
    ("rose", Either((listed(shows("Rose")), listed(lambda p: p.says("rose"))))),
    ("paris croissants", listed(lambda p: p.number == 40)),
    command="search",
)
_SCRIPTS = group(
    "scripts",
    ("天安门", listed(lambda p: p.says("天安门"))),
    ("旅行", listed(lambda p: p.says("旅行"))),
    ("鹿", listed(lambda p: p.says("鹿"))),
    ("五重塔", listed(lambda p: p.says("五重塔"))),
    ("여행", listed(lambda p: p.says("여행"))),
    ("小明", listed(shows("小明"))),
    ("GROSSE STRASSE", listed(lambda p: p.number == 37)),
    ("düsseldorf postkarte", listed(lambda p: p.number == 48)),
    ("duesseldorf", listed(lambda p: p.place == "Düsseldorf")),
    ("cafe", listed(lambda p: p.says("café"))),
    ("zoe lisbon", listed(lambda p: "Zoë" in p.names and p.place == "Lisbon")),
    ("St. Moritz ben", listed(lambda p: p.number == 6)),
    command="search",
)
_SCRIPT_QUESTIONS = group(
    "scripts",
    ("Show me photos of 北京", listed(lambda p: p.says("北京"))),
    ("Where was 小明 photographed?", where(shows("小明"))),
    ("When did Zoe\u0308 build a sandcastle?", day(lambda p: p.says("sandcastle"))),
    ("How many photos were taken in St Moritz?", count(lambda p: p.place == "St. Moritz")),
    ("Show me photos with 🎉", listed(lambda p: p.number == 44)),
)
_TOGETHER = group(
    "together and alone",
    ("When were Anna and Ben alone together last?", last(lambda p: p.names == {"Anna", "Ben"})),
    ("How many photos show Anna with nobody else?", count(lambda p: p.names == {"Anna"})),
    (
        "Show me photos of either Rex or Luna in 2023",
        listed(lambda p: p.year == 2023 and bool(p.names & PETS)),
    ),
    ("Who is alone in a photo from Nara?", Names(frozenset({"Ben", "May", "小明"}))),
    ("Are all photos of Mia from Berlin?", plainly(False)),
    ("Is Mia in every photo from Christmas 2021?", plainly(True)),
    ("Is Anna in every photo from Lisbon?", plainly(False)),
    ("How many photos show Anna, Ben and Mia?", count(shows("Anna", "Ben", "Mia"))),
)
_BEYOND = group(
    "beyond knowledge",
    ("When is Anna's birthday?", Refusal()),
    ("Where does Ben live?", Refusal()),
    ("When was Mia born?", Refusal()),
    ("Who is Mia's mother?", Refusal()),
    ("Which photo is the most beautiful?", Refusal()),
    ("What was Ben thinking in Nara?", Refusal()),
    ("How many steps did Anna walk in Lisbon?", Refusal()),
    ("How many videos of Anna do I have?", Refusal()),
    ("Which photos are blurry?", Refusal()),
    ("What is the capital of France?", Refusal()),
)
_NONSENSE = group(
    "nonsense",
    ("Blorp zindle frumious Anna?", Refusal()),
    ("Is not the where of who Anna than?", Refusal()),
    ("?!?", Refusal()),
    ("How many flurbs of Anna?", Refusal()),
)
_LANGUAGES = group(
    "other languages",
    ("Wie viele Fotos gibt es aus Mai 2020?", count(lambda p: p.year == 2020 and p.month == 5)),
    ("Zeig mir Fotos von Anna ohne Ben", listed(lambda p: "Anna" in p.names and "Ben" not in p.names)),
    ("Wer ist auf den Fotos aus St. Moritz?", who(lambda p: p.place == "St. Moritz")),
    ("Où était Ben en 2020 ?", where(lambda p: "Ben" in p.names and p.year == 2020)),
    ("Quand Anna et Rex étaient-ils ensemble pour la dernière fois ?", last(shows("Anna", "Rex"))),
    ("¿Cuántas fotos de Anna hay en Berlín?", count(lambda p: "Anna" in p.names and p.place == "Berlin")),
    ("Muéstrame fotos de Mia en diciembre", listed(lambda p: "Mia" in p.names and p.month == 12)),
    ("Dove è stata fotografata Zoë?", where(shows("Zoë"))),
    ("Quando è stata scattata la prima foto di Rex?", first(shows("Rex"))),
    ("Ben最后一次在里斯本是什么时候？", last(lambda p: "Ben" in p.names and p.place == "Lisbon")),
    ("小明在哪里？", where(shows("小明"))),
    ("Benはどこで写真を撮られましたか？", where(shows("Ben"))),
    ("2020年のBenの写真を見せて", listed(lambda p: "Ben" in p.names and p.year == 2020)),
    may_refuse=True,
)
_FOREIGN_SEARCHES = group(
    "other languages",
    ("Regen straße", listed(lambda p: p.number == 37)),
    command="search",
)

_EVENING = range(17, 22)


def _at(hours: Iterable[int]) -> Fits:
    """Tell of a photo whether it was taken in one of some hours of the day."""
    return lambda photo: photo.taken is not None and photo.taken.hour in hours


_HOURS = [
    *group(
        "time of day",
        ("How many photos were taken in the morning?", count(_at(range(5, 12)))),
        ("Show me photos taken at night", listed(_at((22, 23, 0, 1, 2, 3, 4)))),
        ("Show me evening photos of Anna", listed(lambda p: "Anna" in p.names and _at(_EVENING)(p))),
        (
            "Was Mia photographed in the afternoon in 2021?",
            yes(lambda p: "Mia" in p.names and p.year == 2021 and _at(range(12, 17))(p)),
        ),
        (
            "When was Ben last photographed in the evening?",
            last(lambda p: "Ben" in p.names and _at(_EVENING)(p)),
        ),
        ("Who was photographed in the evening of 24 December 2024?", who(lambda p: p.number == 51)),
        (
            "How many photos of Ben were taken before noon?",
            count(lambda p: "Ben" in p.names and _at(range(12))(p)),
        ),
        ("Which photos were taken between 8 and 9 in the morning?", listed(_at((8,)))),
        ("Which photos were taken at 10 o'clock?", listed(_at((10,)))),
        ("Show me photos from after midnight", listed(_at(range(5)))),
        (
            "Do I take more photos in the morning or in the evening?",
            Words("morning", frozenset({"evening"})),
        ),
        (
            "Show me photos of Anna at night or in the evening",
            listed(lambda p: "Anna" in p.names and _at((*range(17, 24), *range(5)))(p)),
        ),
        (
            "How many photos of Anna were not taken in the evening?",
            count(lambda p: "Anna" in p.names and _at(set(range(24)) - set(_EVENING))(p)),
        ),
        (
            "Show me photos from Saturday mornings",
            listed(lambda p: p.day is not None and p.day.weekday() == 5 and _at(range(5, 12))(p)),
        ),
        (
            "Show me Christmas evening photos",
            listed(lambda p: p.number in (3, 25, 35, 51)),
        ),
        ("Show me a photo with the night sky", none()),
        ("Wie viele Fotos wurden abends gemacht?", count(_at(_EVENING))),
        ("Combien de photos ont été prises le matin ?", count(_at(range(5, 12)))),
        (
            "Which photos of Ben were taken on a weekday?",
            listed(lambda p: "Ben" in p.names and p.day is not None and p.day.weekday() < 5),
        ),
        ("Where was Ben the day after Christmas 2019?", none()),
        ("Who was there on the day before Christmas Day 2019?", who(lambda p: p.number == 3)),
    ),
    *group(
        "time of day",
        ("rex evening", listed(lambda p: "Rex" in p.names and _at(_EVENING)(p))),
        (
            "anna not at night",
            listed(lambda p: "Anna" in p.names and _at(set(range(5, 22)))(p)),
        ),
        (
            "anna not in july",
            listed(lambda p: "Anna" in p.names and p.month != 7 and p.taken is not None),
        ),
        ("mornings in nara", listed(lambda p: p.place == "Nara" and _at(range(5, 12))(p))),
        ("paris at night", listed(lambda p: p.number == 39)),
        command="search",
    ),
    *group(
        "negation",
        (
            "Which photos from 2024 aren't of Mia or Anna?",
            listed(lambda p: p.year == 2024 and not p.names & {"Mia", "Anna"}),
        ),
        (
            "Who was in Lisbon in the summer of 2022 but not in the summer of 2023?",
            who(lambda p: p.number == 31, but=["Zoë"]),
        ),
        (
            "Who was in Berlin but never in Lisbon?",
            Names(frozenset({"Mia", "Rex", "Will", "Luna", "Summer"})),
        ),
        ("How many photos of Ben have no rating?", count(shows("Ben"))),
        ("Which photos of Rex are not rated with 5 stars?", listed(shows("Rex"))),
        ("Do I have photos of Anna with at least 4 stars?", no(lambda p: False)),
    ),
    *group(
        "beyond knowledge",
        ("Was it raining when Anna and Ben kissed?", Refusal()),
        ("In which years was Ben not photographed?", Refusal()),
        ("Which photos were taken after 10:30 pm?", Refusal()),
        may_refuse=True,
    ),
]


QUESTIONS: list[Question] = [
    *_NEGATION, *_NEGATED_SEARCHES, *_COMPARISONS, *_TIMES, *_DATED_SEARCHES, *_KINDS, *_CAMERAS,
    *_CAMERA_SEARCHES, *_PLACES, *_WORD_NAMES, *_WORD_NAME_SEARCHES, *_SCRIPTS, *_SCRIPT_QUESTIONS,
    *_TOGETHER, *_BEYOND, *_NONSENSE, *_LANGUAGES, *_FOREIGN_SEARCHES, *_HOURS,
]  # fmt: skip
