"""English words with a meaning of their own, which may be names too."""

from __future__ import annotations

import calendar

GRAMMAR = frozenset(
    """
    a about ah am an and any are around as at be been being by can could d did do does for from get gets had
    has have having hello hey hi i if in inside into is it it's its let like list lists ll m may me might
    mine my near of off oh ok okay on onto our ours out please re really s should show shows so some such
    tell thank thanks that the their there these they this those through till to together too up upon us ve
    very was we well were which while who with would you your yours within across along everywhere anywhere
    somewhere actually ever already yet kind kinds sort sorts just now then here give gives given
    """.split()  # noqa: SIM905 - a list literal would take a page
)
"""Words that only hold a sentence together; a question with and without them asks the same."""

OPERATORS = frozenset(
    """
    again ago all almost alone always average besides both but cannot different double each either else every
    everybody everyone everything except few fewer fewest first formerly half he her hers herself him
    himself his how last latest least less many mean median more most much neither never next no nobody none
    nor not nothing nowhere often oldest once only or other others over own per percent previous prior rarely
    same second seldom several she since sometimes than them themselves third twice under unless until usually
    what whatever when whenever where whether whom whose why without before after during between above below
    percentage proportion fraction ratio max maximum min minimum total sum exactly nearly roughly youngest
    newest earliest recent recently lately longest shortest nearest farthest furthest biggest largest
    smallest anyone anybody anything someone somebody something aren't can't couldn't didn't doesn't don't
    early late mid beginning tomorrow half quarter will shall hadn't hasn't haven't isn't shouldn't wasn't
    weren't won't wouldn't minus versus vs compared
    """.split()  # noqa: SIM905
)
"""Words that change what a question asks; one that no reader has taken makes it another question."""

PHOTO_WORDS = frozenset(
    """
    appear appeared appearing appears arrive arrived arrives arriving bring called came capture captured
    captures come contain contained containing contains depict depicted depicting depicts display exist
    existing exists feature featured features featuring fetch find found got gotten go goes going gone happen
    happened happens image images include included includes including know known library collection look
    looked made make meet met open owned own possess pic pics picture pictured pictures photo photo's
    photograph photographed photographs photography photopal photos print recorded search see seen shoot shot
    shots showed showing shown snap spend spending spends spent snapped snaps snapshot snapshots spotted stay
    stayed staying stored take taken takes taking taught think took travel traveled traveling travelled
    travelling trip trips visible visit visited visiting visits mention mentioned mentioning mentions want
    went need wanna said saved use used uses using tag tags tagged keyword keywords
    """.split()  # noqa: SIM905
)
"""Words about photos and going somewhere, which every question about photos may have."""

FUNCTION_WORDS = GRAMMAR | OPERATORS
"""Words that no caption is asked to hold."""

AMBIGUOUS_WORDS: dict[str, frozenset[str]] = {
    "place": frozenset(
        """
        adelaide alexandria asia austin berlin brooklyn carolina chad charlotte chelsea dallas denver diego
        florence geneva georgia houston india israel jordan kenya london lorraine lourdes madison milan
        orlando paris phoenix roma santiago savannah sofia sydney troy valencia victoria vienna virginia
        """.split()  # noqa: SIM905
    ),
    "word": frozenset(
        """
        amber art basil bear bill blossom bob brook buddy candy cat chase cherry clay cliff coco cookie coral
        crystal daisy dawn dog drew eve faith fern flora forest frank ginger glen grace grant hazel heather
        holly honey hope hunter iris ivy jack jade jasmine jay jewel joy kitty lake lily lucky mark max melody
        mercy miles moon olive opal oreo pat peanut pearl penny pepper piper poppy princess rain ray reed
        rich river rob robin rocky rose ruby sage sandy shadow sierra sky snow snowy sophie star stone storm
        sue sunny sunshine teddy tiger violet whisky willow woody nice reading bath split cork mobile orange
        sandwich turkey hull tours lens essen hamm china
        """.split()  # noqa: SIM905
    )
    - {"max", "sophie", "bob"},
    "adjective": frozenset("nice reading bath split cork mobile orange sandwich lens".split()),  # noqa: SIM905
}
"""Names and places that are also well-known places, ordinary words or adjectives, in small letters."""

MONTHS = {name.casefold(): number for number, name in enumerate(calendar.month_name) if number}
MONTHS |= {name.casefold(): number for number, name in enumerate(calendar.month_abbr) if number} | {"sept": 9}
"""The months by their names, which are in small letters, as in the tables below."""

SEASONS = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}
"""The month that each season begins with."""

WEEKDAYS = {name.casefold(): number for number, name in enumerate(calendar.day_name)}
"""The days of the week, from Monday on."""


_DATES = frozenset({*MONTHS, *SEASONS, *WEEKDAYS})
_WORDS = _DATES | FUNCTION_WORDS | PHOTO_WORDS | AMBIGUOUS_WORDS["word"]


def is_date(name: str) -> bool:
    """Whether a name is also that of a month, a season or a day of the week."""
    return name.casefold() in _DATES


def is_word(name: str) -> bool:
    """Whether a name is also an ordinary word or a date."""
    return name.casefold() in _WORDS


_CALLED = (
    "(?:dog|cat|puppy|kitten|pet|horse|rabbit|son|daughter|brother|sister|husband|wife|partner|boyfriend"
    "|girlfriend|friend|baby|boy|girl|cousin|nephew|niece|uncle|aunt|grandson|granddaughter)"
)
_DEAR = "(?:little|big|older|younger|dear|old|good|best)"
# "The old Rex" may be told from a young one, "our old Rex" is who everybody calls so.
OURS = (
    rf"\b(?:(?:my|our|his|her|their)\s+(?:{_DEAR}\s+)?(?:{_CALLED}\s+)?"
    rf"|the\s+(?:{_DEAR}\s+)?{_CALLED}\s+)"
)
"""What is said before a name by those who know who has it: "our dog Rex", "our Rex", "the dog Rex"."""
