"""Questions from what the manual promises and people ask, written without a look at how they are answered."""

from __future__ import annotations

from tests.assistant.questions.album import CANON, IPHONE, PEOPLE, PETS, PLACES, shows
from tests.assistant.questions.expect import (
    UNREAD,
    Either,
    Expected,
    Names,
    Photos,
    Places,
    Question,
    Refusal,
    Words,
    count,
    day,
    first,
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
    year,
    yes,
)

_GERMANY = ("Berlin", "Düsseldorf")
_REGIONS = "(?:different |other )*(?:cit(?:y|ies)|places?|countr(?:y|ies)|towns?)"
_DOGS = numbers(lambda p: "Rex" in p.names or p.says("dog"))


def _ask(kind: str, *pairs: tuple[str, Expected], may_refuse: bool = False) -> list[Question]:
    return [
        Question(text=text, kind=kind, expected=expected, may_refuse=may_refuse) for text, expected in pairs
    ]


def _search(kind: str, *pairs: tuple[str, Expected]) -> list[Question]:
    return [Question(text=text, kind=kind, expected=expected, command="search") for text, expected in pairs]


QUESTIONS: list[Question] = [
    *_ask(
        "count",
        ("How many photos do I have?", count(lambda p: True)),
        ("How many photos of Anna are there?", count(shows("Anna"))),
        ("How many pictures of Ben from 2020?", count(lambda p: "Ben" in p.names and p.year == 2020)),
        ("How many photos did I take in 2022?", count(lambda p: p.year == 2022)),
        ("How many photos are from Lisbon?", count(lambda p: p.place == "Lisbon")),
        ("How many photos were taken in Germany?", count(lambda p: p.place in _GERMANY)),
        ("How many photos show both Anna and Mia?", count(shows("Anna", "Mia"))),
        (
            "How many photos of Rex were taken in August 2022?",
            count(lambda p: "Rex" in p.names and p.year == 2022),
        ),
        ("Number of photos with a birthday cake", count(lambda p: p.says("birthday cake"))),
        ("How many photos of Zoë are there?", count(shows("Zoë"))),
        ("How many photos of Zoe are there?", count(shows("Zoë"))),
        ("How many photos are there between 2020 and 2021?", count(lambda p: p.year in (2020, 2021))),
        ("How many photos were taken before 2020?", count(lambda p: p.year == 2019)),
        ("How many photos since 2024?", count(lambda p: p.year == 2024)),
        ("How many people do I know by name?", number(len(PEOPLE), "(?:people|persons|names)")),
    ),
    *_ask(
        "count",
        ("How many photos are there of Napoleon?", number(0)),
        ("How many photos of Ben in Nara in 2020?", number(0)),
        may_refuse=True,
    ),
    *_ask(
        "count places",
        ("How many different cities have I taken photos in?", number(len(PLACES), _REGIONS)),
        ("How many countries are my photos from?", number(5, _REGIONS)),
        ("In how many places was Anna photographed?", number(3, _REGIONS)),
    ),
    *_ask(
        "when",
        ("When did I last see Anna?", last(shows("Anna"))),
        ("When did I last see Anna with Rex?", last(shows("Anna", "Rex"))),
        ("When was the first photo of Rex taken?", first(shows("Rex"))),
        (
            "When were Anna and Zoë last in Lisbon?",
            last(lambda p: shows("Anna", "Zoë")(p) and p.place == "Lisbon"),
        ),
        ("When did Ben read a newspaper?", day(lambda p: p.says("newspaper"))),
        ("When did Mia ride a horse?", day(lambda p: p.says("horse"))),
        ("Which year was Ben in Nara?", year(lambda p: "Ben" in p.names and p.place == "Nara")),
        ("In what year did Mia have a birthday cake?", year(lambda p: p.says("birthday cake"))),
        ("When was the most recent photo from Paris?", last(lambda p: p.place == "Paris")),
        ("When did Ben first ride a bike?", first(lambda p: "Ben" in p.names and p.says("bike"))),
        ("What is the date of the oldest photo?", first(lambda p: True)),
        (
            "When was Luna last photographed in Berlin?",
            last(lambda p: "Luna" in p.names and p.place == "Berlin"),
        ),
    ),
    *_ask("when", ("When was Ben in St. Moritz with Anna?", none()), may_refuse=True),
    *_ask(
        "where",
        ("Where was Zoë photographed?", where(shows("Zoë"))),
        ("Where is Rose swimming in the sea?", Places(frozenset({"Lisbon"}))),
        ("Where did Ben ski?", Places(frozenset({"St. Moritz"}))),
        ("Where was Anna in 2024?", where(lambda p: "Anna" in p.names and p.year == 2024)),
        ("Where were Anna and Ben on Christmas 2019?", Places(frozenset({"Berlin"}))),
        ("Where did May and Will drink coffee?", Places(frozenset({"Paris"}))),
        ("In which city did Paris play the guitar?", Places(frozenset({"Düsseldorf"}))),
        ("Where was the last photo of Anna taken?", Places(frozenset({"Berlin"}))),
    ),
    *_ask(
        "who",
        ("Who is in the photos from Nara?", who(lambda p: p.place == "Nara")),
        ("Who was in St. Moritz?", who(lambda p: p.place == "St. Moritz")),
        (
            "Who was with Anna in December 2022?",
            Names(frozenset({"Ben", "Mia", "Will"}), frozenset({"Anna"})),
        ),
        ("Who cut the birthday cake?", Names(frozenset({"Anna", "Mia"}))),
        ("Who rides a horse?", Names(frozenset({"Mia"}))),
        ("Who played volleyball?", Names(frozenset({"Ben", "Zoë"}))),
        ("Who was in Düsseldorf in June 2022?", Names(frozenset({"Paris", "Summer"}))),
        ("Who appears in photos with Rex?", Names(frozenset({"Anna", "Mia"}), frozenset({"Rex"}))),
    ),
    *_ask(
        "show",
        ("Show me Anna", listed(shows("Anna"))),
        ("Show me photos of Luna", listed(shows("Luna"))),
        ("List all photos from 2021 in Nara", listed(lambda p: p.place == "Nara" and p.year == 2021)),
        ("Show pictures of Ben at the beach", listed(lambda p: "Ben" in p.names and p.says("beach"))),
        (
            "Find photos of Mia with a birthday cake",
            listed(lambda p: "Mia" in p.names and p.says("birthday cake")),
        ),
        ("Show me all photos taken in Switzerland", listed(lambda p: p.place == "St. Moritz")),
        ("Which photos show fireworks?", listed(lambda p: p.says("fireworks"))),
        ("Pictures of Rex in Berlin please", listed(lambda p: "Rex" in p.names and p.place == "Berlin")),
        ("Give me the photos of 24 December 2021", listed(lambda p: str(p.day) == "2021-12-24")),
        ("Show me the Eiffel Tower", listed(lambda p: p.says("Eiffel Tower"))),
    ),
    *_search(
        "search",
        ("anna beach", listed(lambda p: "Anna" in p.names and p.says("beach"))),
        ("rex lake", listed(lambda p: "Rex" in p.names and p.says("lake"))),
        ('"birthday cake"', listed(lambda p: p.says("birthday cake"))),
        ("berlin 2023", listed(lambda p: p.place == "Berlin" and p.year == 2023)),
        ("anna christmas", listed(lambda p: "Anna" in p.names and p.month == 12 and p.number != 44)),
        ("beach -anna", listed(lambda p: p.says("beach") and "Anna" not in p.names)),
        ("before 2020", listed(lambda p: p.year == 2019)),
        ("elephant", none()),
    ),
    *_ask(
        "yes or no",
        ("Is there a photo of Anna in Paris?", yes(lambda p: "Anna" in p.names and p.place == "Paris")),
        ("Is there a photo of Rex in Lisbon?", no(lambda p: "Rex" in p.names and p.place == "Lisbon")),
        ("Was Ben ever in Japan?", yes(lambda p: "Ben" in p.names and p.place == "Nara")),
        ("Have Anna and Luna ever been photographed together?", yes(shows("Anna", "Luna"))),
        ("Are there any photos from 2018?", no(lambda p: p.year == 2018)),
        ("Do I have photos of fireworks?", yes(lambda p: p.says("fireworks"))),
        (
            "Did Zoë visit Berlin in 2024?",
            yes(lambda p: "Zoë" in p.names and p.place == "Berlin" and p.year == 2024),
        ),
        ("Was Mia in Lisbon?", no(lambda p: "Mia" in p.names and p.place == "Lisbon")),
    ),
    *_ask(
        "negation",
        ("How many photos are there with no Ben?", count(lambda p: "Ben" not in p.names, maybe=UNREAD)),
        ("Show me photos of Anna without Ben", listed(lambda p: "Anna" in p.names and "Ben" not in p.names)),
        ("Show photos with Ben but no Anna", listed(lambda p: "Ben" in p.names and "Anna" not in p.names)),
        (
            "Which photos of Mia are not in Berlin?",
            listed(lambda p: "Mia" in p.names and p.place != "Berlin", maybe={59}),
        ),
        (
            "How many photos from Berlin do not show Anna?",
            count(lambda p: p.place == "Berlin" and "Anna" not in p.names, maybe={56}),
        ),
        (
            "Show photos from 2021 with neither Anna nor Ben",
            listed(lambda p: p.year == 2021 and not p.names & {"Anna", "Ben"}),
        ),
        (
            "Show all photos of Ben except those from Berlin",
            listed(lambda p: "Ben" in p.names and p.place != "Berlin", maybe={52}),
        ),
        ("Which photos have no date?", listed(lambda p: p.taken is None)),
        ("How many photos have no location?", count(lambda p: p.place is None)),
        (
            "Show me photos from Lisbon with no one in them",
            listed(lambda p: p.place == "Lisbon" and not p.names, maybe={60}),
        ),
        ("How many photos from Paris show nobody?", count(lambda p: p.place == "Paris" and not p.names)),
        ("When did I last see Anna without Mia?", last(lambda p: "Anna" in p.names and "Mia" not in p.names)),
        ("Did Ben ever ski without Anna?", yes(lambda p: p.says("skis") and "Anna" not in p.names)),
        ("Who has never been in Berlin?", Names(frozenset({"May", "小明", "Paris"}), frozenset({"Bobo"}))),
        (
            "How many photos of Rex don't show Anna?",
            count(lambda p: "Rex" in p.names and "Anna" not in p.names),
        ),
    ),
    *_search(
        "negation",
        ("anna without ben", listed(lambda p: "Anna" in p.names and "Ben" not in p.names)),
        ("ben but not anna", listed(lambda p: "Ben" in p.names and "Anna" not in p.names)),
        ("lisbon with no ben", listed(lambda p: p.place == "Lisbon" and "Ben" not in p.names)),
    ),
    *_ask(
        "comparison",
        (
            "Are there more photos in 2022 or 2023?",
            more({"2022": lambda p: p.year == 2022, "2023": lambda p: p.year == 2023}),
        ),
        ("Is Ben in more photos than Anna?", plainly(False, shows("Anna"), shows("Ben"))),
        ("Is Anna in more photos than Ben?", plainly(True, shows("Anna"), shows("Ben"))),
        ("Who is in the most photos?", most(lambda p: p.names)),
        ("Which pet is in more photos, Rex or Luna?", more({"Rex": shows("Rex"), "Luna": shows("Luna")})),
        (
            "In which year did I take the most photos?",
            most(lambda p: [p.year] if p.year else []),
        ),
        ("Where did I take the most photos?", most(lambda p: [p.place] if p.place else [])),
    ),
    *_ask(
        "month, season, holiday",
        ("How many photos were taken in July?", count(lambda p: p.month == 7)),
        ("Show me photos from summer 2020", listed(lambda p: p.year == 2020 and p.month in (6, 7, 8))),
        ("How many photos do I have from autumn?", count(lambda p: p.month in (9, 10, 11))),
        ("Show me Christmas photos of Mia", listed(lambda p: "Mia" in p.names and p.month == 12)),
        ("Who was there at Christmas 2024?", Names(frozenset({"Anna", "Ben", "Mia", "Zoë"}))),
        (
            "Show me Halloween photos",
            listed(lambda p: p.month == 10 and p.day is not None and p.day.day == 31),
        ),
        ("How many photos of Mia in December?", count(lambda p: "Mia" in p.names and p.month == 12)),
        ("Was Anna in Paris on Valentine's Day 2022?", yes(lambda p: p.number == 26)),
    ),
    *_ask(
        "kinds",
        ("How many photos of pets are there?", count(lambda p: bool(p.names & PETS), maybe={58})),
        ("Show me photos of dogs", Photos(_DOGS)),
        (
            "Show photos with people in Düsseldorf",
            listed(lambda p: p.place == "Düsseldorf" and bool(p.names & PEOPLE)),
        ),
        ("Which pets do I have?", Names(PETS)),
    ),
    *_ask(
        "cameras",
        ("How many photos were taken with the iPhone?", count(lambda p: p.camera == IPHONE)),
        (
            "Show photos of Anna taken with the Canon",
            listed(lambda p: "Anna" in p.names and p.camera == CANON),
        ),
        ("Which camera took the photo of Ben skiing?", Words("Canon", frozenset({"iPhone"}))),
        (
            "How many photos were not taken with the Canon?",
            count(lambda p: p.camera == IPHONE, maybe=numbers(lambda p: p.camera is None)),
        ),
    ),
    *_search(
        "cameras",
        ("iphone paris 2022", listed(lambda p: p.number == 26)),
        ("canon nara", listed(lambda p: p.camera == CANON and p.place == "Nara")),
    ),
    *_ask(
        "names that are words",
        ("How many photos were taken in May?", count(lambda p: p.month == 5)),
        ("Where was Paris photographed?", Places(frozenset({"Düsseldorf"}))),
        ("Is Will in a photo with May?", yes(shows("May", "Will"))),
        ("When did Summer build a snowman?", day(lambda p: p.says("snowman"))),
        ("How many photos show Will?", count(shows("Will"))),
        ("Show me photos taken in Paris", listed(lambda p: p.place == "Paris")),
    ),
    Question(
        text="How many photos of May are there?",
        kind="names that are words",
        expected=Either((count(shows("May")), count(lambda p: p.month == 5))),
        mentions=("month", "in may", "person", "with may"),
    ),
    Question(
        text="Show me photos of Summer",
        kind="names that are words",
        expected=Either((listed(shows("Summer")), listed(lambda p: p.month in (6, 7, 8)))),
        mentions=("season", "in summer", "person", "with summer"),
    ),
    *_search(
        "scripts",
        ("北京", listed(lambda p: p.says("北京"))),
        ("민국", listed(lambda p: p.says("민국"))),
        ("strasse", listed(lambda p: p.says("straße"))),
        ("Gruesse", listed(lambda p: p.says("Grüße"))),
        ("st moritz", listed(lambda p: p.place == "St. Moritz")),
        ("🎉", listed(lambda p: p.says("🎉"))),
    ),
    *_ask(
        "scripts",
        ("How many photos of 小明 are there?", count(shows("小明"))),
        ("How many photos were taken in Dusseldorf?", count(lambda p: p.place == "Düsseldorf")),
    ),
    *_ask(
        "together and alone",
        ("Show me Anna alone", listed(lambda p: p.names == {"Anna"})),
        ("How many photos show only Ben?", count(lambda p: p.names == {"Ben"})),
        ("How many photos of Anna or Ben are there?", count(lambda p: bool(p.names & {"Anna", "Ben"}))),
        (
            "Show Anna and Ben together in Paris",
            listed(lambda p: shows("Anna", "Ben")(p) and p.place == "Paris"),
        ),
        ("How many photos show just Anna and Ben?", count(lambda p: p.names == {"Anna", "Ben"})),
    ),
    *_ask(
        "beyond knowledge",
        ("How old is Ben?", Refusal()),
        ("What is Anna's phone number?", Refusal()),
        ("Who took the photo of Anna by the river?", Refusal()),
        ("Is Ben married to Anna?", Refusal()),
        ("What will the weather be in Berlin tomorrow?", Refusal()),
        ("How much did the croissants cost?", Refusal()),
    ),
    *_ask("nonsense", ("asdf qwer zxcv", Refusal()), ("How many green ideas sleep furiously?", Refusal())),
    *_ask(
        "other languages",
        ("Wie viele Fotos von Anna gibt es?", count(shows("Anna"))),
        ("Wann war Ben zuletzt in Lissabon?", last(lambda p: "Ben" in p.names and p.place == "Lisbon")),
        ("Wo wurde Zoë 2022 fotografiert?", Places(frozenset({"Lisbon"}))),
        ("Combien de photos de Ben en 2020 ?", count(lambda p: "Ben" in p.names and p.year == 2020)),
        ("Montre-moi les photos de Luna", listed(shows("Luna"))),
        ("¿Cuándo vi a Rex por última vez?", last(shows("Rex"))),
        ("¿Quién está en las fotos de Nara?", who(lambda p: p.place == "Nara")),
        ("Quante foto di Mia ci sono nel 2021?", count(lambda p: "Mia" in p.names and p.year == 2021)),
        ("安娜有多少张照片？", count(shows("Anna"))),
        ("Annaの写真は何枚ありますか？", count(shows("Anna"))),
        ("2021年小明的照片有多少张？", count(shows("小明"))),
        may_refuse=True,
    ),
]
