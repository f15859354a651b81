"""Tells what is known of a photo without looking at it: who by whose word, where, when, what its file says.

It stands in for a model that does not understand the photo, and says nothing that nobody knows.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from PIL import Image

from photopal.assistant.analysis import KnownFacts, PhotoAnalysis, Seen, Sighting, TakenFacts, corrected
from photopal.assistant.assistant import Assistant
from photopal.assistant.evidence import LookedAt
from photopal.assistant.file_names import FileNames
from photopal.assistant.occasions import Trips, birthdays, find_trips, holiday, trip_words
from photopal.assistant.query.dates import HOLIDAYS, Recurring, is_daytime
from photopal.assistant.query.daytimes import part_of_day
from photopal.assistant.query.entities import CAMERA, DATE, ENTITY, Known, MarkedText, mark_entities
from photopal.assistant.query.intents import PHOTO, Intent, read_intent
from photopal.assistant.query.languages import to_english
from photopal.assistant.query.lexicon import content_words
from photopal.assistant.query.phrasing import ago, day, moment_words, month
from photopal.box import WHOLE_PHOTO, Box
from photopal.errors import PhotopalError
from photopal.library import ConceptRecord, Evidence, Library, PhotoRecord
from photopal.library.models import PhotoFindings
from photopal.library.originals import photo_at
from photopal.photos import MODEL_SIDE_PX, open_photo, record_photo
from photopal.photos.geocode import PlaceNames
from photopal.photos.metadata import Metadata
from photopal.prompts.templates import is_recognition_question
from photopal.text import count, join_words, name_key
from photopal.vocabulary import MONTHS, OPERATORS, SEASONS, WEEKDAYS

_TROPIC = 23.5  # between the tropics there is no summer or winter
_SEASONS = ("winter", "spring", "summer", "fall")
_MOST_KEYWORDS = 12


def look_at(
    library: Library,
    assistant: Assistant,
    path: Path,
    *,
    photo: PhotoRecord | None = None,
    image: Image.Image | None = None,
) -> PhotoAnalysis:
    """Look at a photo that is asked about: with the model, and with faces and looks where these count.

    Nothing is stored.

    Args:
        library: Knows the user's words, and perhaps the photo.
        assistant: Looks.
        path: The photo's file.
        photo: What the library knows of it, if that is at hand.
        image: The photo, upright, if it is open.

    Raises:
        PhotoError: The photo cannot be read.
    """
    seen = assistant.analyze(image or open_photo(path, max_side_px=MODEL_SIDE_PX))
    photo = photo or photo_at(library, path)
    record, metadata = (photo, None) if photo is not None else read_record(path)
    if seen.is_understood and not assistant.model.sees_all:
        # It knows photos of its own kind better, also than what was found beside another model.
        return weigh(library, record, seen, LookedAt(PhotoFindings(), None))
    looked: LookedAt | None = None
    if assistant.finder is not None:
        separations = {i: concept.separation for i, concept in assistant.bank.concepts.items()}
        looked = assistant.finder.look_at(record, seen, separations=separations)
    return weigh(library, record, seen, looked, metadata=metadata)


def read_record(path: Path) -> tuple[PhotoRecord, Metadata]:
    """Read a photo that the library does not have, as a record with the number 0, and what its file says.

    Raises:
        PhotoError: The photo cannot be read.
    """
    photo = record_photo(path)
    facts = photo.facts
    latitude, longitude = facts.value("position") or (None, None)
    record = PhotoRecord(
        id=0,
        path=path,
        content_hash=photo.content_hash,
        width_px=photo.width_px,
        height_px=photo.height_px,
        taken_at=None if facts.taken is None else facts.taken.at,
        camera=facts.value("camera"),
        lens=facts.value("lens"),
        latitude=latitude,
        longitude=longitude,
        format=photo.format,
        size_bytes=photo.size_bytes,
        place=PlaceNames().name(latitude, longitude),
        stamp=photo.stamp,
        file_hash=photo.file_hash,
        picture_hash=photo.picture_hash,
        orientation=photo.orientation,
    )
    return record, facts


def weigh(
    library: Library,
    photo: PhotoRecord | None,
    analysis: Seen,
    looked: LookedAt | None = None,
    *,
    metadata: Metadata | None = None,
    trips: Trips | None = None,
) -> Seen:
    """Put what counts in the place of what the model found; all of it where it does not understand the photo.

    Args:
        library: Knows the user's words.
        photo: The photo, if the library knows it.
        analysis: The photo as the model sees it.
        looked: What faces and looks say, if not what the library has stored of them.
        metadata: What the file says, if the library does not have it.
        trips: Of the library, if they are at hand.

    Returns:
        An analysis whose `known` is None where the model understands the photo.
    """
    found = None if looked is None else looked.found
    words = {} if photo is None else library.corrections.known(photo.id, found)
    if photo is not None:
        taken = TakenFacts(at=photo.taken_at, place=photo.place, camera=photo.camera, lens=photo.lens)
        analysis = replace(analysis, taken=taken)
    if analysis.is_understood:
        return corrected(analysis, words)
    concepts = {concept.id: concept for concept in library.concepts.all()}
    sightings = [_sighting(concepts[i], word) for i, word in words.items() if i in concepts]
    sightings.sort(key=lambda sighting: not sighting.is_present)
    if photo is None:
        return replace(analysis, sightings=tuple(sightings), known=KnownFacts(text=""))
    known = KnownFacts(
        text=describe_known(library, photo, found, metadata=metadata, trips=trips),
        faces=None if looked is None else looked.faces,
    )
    return replace(analysis, sightings=tuple(sightings), known=known)


def describe_known(
    library: Library,
    photo: PhotoRecord,
    found: PhotoFindings | None = None,
    *,
    metadata: Metadata | None = None,
    trips: Trips | None = None,
) -> str:
    """Write what is known of a photo without a model, as a caption.

    Args:
        library: The library.
        photo: A photo.
        found: What faces and looks say, if not what the library has stored of them.
        metadata: What the file says, if the library does not have it.
        trips: Of the library; found when left out.
    """
    evidence = library.corrections.evidence(photo.id, found)
    found = found or library.findings.get(photo.id)
    concepts = {concept.id: concept for concept in library.concepts.all()}
    words = [e for e in evidence.concepts if e.source != "model" and e.concept_id in concepts]
    shown = [(concepts[e.concept_id], e) for e in words if e.is_present]
    shown.sort(key=lambda pair: pair[1].verdict == "looks like")
    subjects = [c.name if e.verdict == "yes" else f"what looks like {c.name}" for c, e in shown]
    if found is not None and found.species and not any(concept.kind == "pet" for concept, _ in shown):
        subjects.append(f"what looks like a {found.species}")
    subject = join_words(subjects) or "A photo"
    when = _when(photo, [concept for concept, word in shown if word.verdict == "yes"])
    where = f" in {_place(photo.place)}" if photo.place else ""
    taken = " taken" if not subjects and (where or when) else ""
    first = f"{subject[:1].upper()}{subject[1:]}{taken}{where}{f', {when}' if where and when else ''}"
    if when and not where:
        first += f" {when}"
    absent = {name_key(name) for name in evidence.taken_off}
    said = {name_key(concept.name) for concept, _ in shown}
    metadata = metadata or library.facts.get(photo.id)
    persons = list(FileNames(library).others(photo, metadata))
    of_file = _of_file(metadata, persons, hidden=absent | said)
    return " ".join([f"{first}.", *_trip(library, photo, trips), *of_file])


def _trip(library: Library, photo: PhotoRecord, trips: Trips | None) -> list[str]:
    """The sentence about the trip on which a photo was taken, if it was."""
    day_taken = _day_taken(photo.taken_at)
    if day_taken is None or photo.place is None:
        return []
    trip = (trips or find_trips(library)).of(day_taken, photo.place)
    return [] if trip is None else [trip_words(trip)]


def _day_taken(taken_at: str | None) -> date | None:
    """The day on which a photo was taken, where it is known."""
    try:
        return date.fromisoformat((taken_at or "")[:10])
    except ValueError:
        return None


def _of_file(facts: Metadata | None, persons: Sequence[str], *, hidden: set[str]) -> list[str]:
    """What the file says: title, description, keywords but for the names in `hidden`, and other persons."""
    if facts is None:
        return []
    sentences = []
    texts = dict.fromkeys(filter(None, (facts.value("title"), facts.value("description"))))
    if texts:
        sentences.append(f"Its file says {join_words([_quoted(text) for text in texts])}.")
    keywords = [word for word in facts.all("keyword") if name_key(word) not in hidden]
    keywords = [word for word in keywords if word not in persons]
    if persons:
        sentences.append(f"According to its file, {join_words(persons)} {_verb(persons)} in it.")
    if keywords:
        sentences.append(f"Keywords: {', '.join(keywords[:_MOST_KEYWORDS])}.")
    return sentences


def _verb(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _quoted(text: str) -> str:
    return f'"{" ".join(str(text).split())}"'


def _place(place: str) -> str:
    """The nearest place and the country, without what lies between."""
    names = [name.strip() for name in place.split(",")]
    return ", ".join(dict.fromkeys((names[0], names[-1])))


def _when(photo: PhotoRecord, people: Sequence[ConceptRecord]) -> str:
    """When a photo was taken, as far as that is known: "on a summer evening, 3 July 2019".

    Args:
        photo: The photo.
        people: Those in it, of whom it may be the birthday.
    """
    taken = photo.taken_at or ""
    if len(taken) < 10:
        return f"in {month(taken) if len(taken) == 7 else taken}" if taken else ""
    on_day = _day_taken(photo.taken_at)
    if on_day is None:
        return ""
    part = part_of_day(int(taken[11:13])) if taken[11:13].isdigit() else ""
    season = season_at(on_day, photo.latitude)
    kept = [f"on {join_words(names)}" for names in [birthdays(on_day, people)] if names]
    occasion = "".join(f" {words}" for words in [*kept, holiday(on_day)] if words)
    if part and season:
        return f"on a {season} {part}{occasion}, {day(taken)}"
    if part:
        on = "at night on" if part == "night" else f"on the {part} of"
        return f"{on} {day(taken)}{occasion}"
    return f"on {day(taken)}{f', in {season}' if season else ''}{occasion}"


def season_at(taken: date, latitude: float | None) -> str | None:
    """Return the season by three whole months, on either half of the earth; None where it is not known."""
    if latitude is None or abs(latitude) < _TROPIC:
        return None
    return _SEASONS[(taken.month % 12 // 3 + (2 if latitude < 0 else 0)) % 4]


def _sighting(concept: ConceptRecord, word: Evidence) -> Sighting:
    box = WHOLE_PHOTO if word.box is None else Box(*word.box)
    return Sighting(
        concept=concept,
        score=word.score or 0.0,
        is_present=word.is_present,
        probability=word.probability,
        point=(box.x + box.width / 2, box.y + box.height / 2),
        box=box,
        source=word.source,
        verdict=word.verdict,
    )


_ANSWERS = {
    "yes": "{name} is in this photo.",
    "looks like": "What looks like {name} is in this photo.",
    "no": "{name} is not in this photo.",
    "unsure": "It is not sure whether {name} is in this photo.",
    None: "It is not known whether {name} is in this photo.",
}


_NOT_ASKED = "The model in use does not understand camera photos, so it was not asked what it shows."


def answer_from_known(analysis: PhotoAnalysis, question: str, asked: Sequence[ConceptRecord]) -> str:
    """Answer a question about a photo that the model does not understand, without letting it guess.

    Who, how many, where, when, with which camera, and whether somebody is there is answered from what is
    known. To all else the answer says what cannot be seen, and what is known. Yes or No is said only where
    nothing is asked but whether those named are there: what is known of them decides no other question.

    Args:
        analysis: An analysis whose `known` is not None.
        question: In the user's words.
        asked: Whom it names.
    """
    known = analysis.known
    assert known is not None, "asked of a photo that the model understands"
    sentences = []
    verdicts = []
    for concept in asked:
        sighting = analysis.of(concept.id)
        verdicts.append(sighting.verdict if sighting else None)
        is_compared = sighting is None and concept.kind == "person" and known.faces is not None
        answer = "{name} was not found in this photo." if is_compared else _ANSWERS[verdicts[-1]]
        sentences.append(answer.format(name=concept.name))
    names = [concept.name for concept in asked]
    english = to_english(question, names, [])
    if is_recognition_question(english, names):
        [verdict, *others] = {*verdicts}
        yes_no = [f"{verdict.capitalize()}."] if verdict in ("yes", "no") and not others else []
        return " ".join([*yes_no, *sentences])
    if answered := _known_answer(analysis, known, english, names):
        return " ".join([*sentences, *answered])
    sentences.append(_NOT_ASKED)
    if known.text:
        sentences.append(f"What is known of it: {known.text}")
    return " ".join(sentences)


def answer_from_record(analysis: PhotoAnalysis, question: str, names: Sequence[str]) -> str | None:
    """Answer what no look at a photo can tell, such as its date or its camera, from its record.

    Args:
        analysis: The photo; one that the model may understand.
        question: In the user's words.
        names: Whom it names.

    Returns:
        None where something else is asked, or the model may see it: "Where was this taken?" has an answer
        without a position too.
    """
    if analysis.taken is None:
        return None
    asked = _read(to_english(question, names, []), names)
    return None if asked is None else " ".join(_taken_answer(analysis.taken, asked, is_seen=True)) or None


_THIS = r"(?:(?:this|that|the) (?:photo|picture|image|shot|snap)|this|it|that)"
# Other ways to ask what `read_intent` reads.
_PLAINER = [
    (re.compile(pattern, re.IGNORECASE), plain)
    for pattern, plain in (
        (r"^(?:can you |could you )?(?:tell me|do you know) (?=(?:\w+ )?wh(?:en|ere|ich|at)\b)", ""),
        (r"^(?:tell|give) me the (?=date|day|year|month|time)", "what is the "),
        (r"\b(what|when|where)['’]s\b", r"\1 is"),
        (r"\b(what|which) (?:is|was) the (date|day|year|month|time)\b", r"\1 \2 was"),
        (r"\b(?:week ?day|day of the week)\b", "day"),
        (r"\b(?:kind|type|sort|make|brand|model) of (?=camera|phone|smartphone|device|lens)", ""),
        (r"\b(camera|phone|smartphone|lens) (?:make|brand|model)\b", r"\1"),
        (r"^how old (?=(?:is|was) (?:this|that|the|my) (?:photo|picture|image|shot)\b)", "how long ago "),
        (rf"^has ({_THIS}) been taken\b", r"was \1 taken"),
        (rf"^did (?:i|we) (?:take|shoot) ({_THIS})(?= )", r"was \1 taken"),
        (rf"^((?:is|was)(?:n't)? {_THIS}) (?:older|earlier) than ", r"\1 from before "),
        (rf"^((?:is|was)(?:n't)? {_THIS}) (?:newer|later|more recent) than ", r"\1 from after "),
        (rf"^((?:is|was)(?:n't)? {_THIS}) (?:the )?(?=(?:{'|'.join(WEEKDAYS)}|weekend)\b)", r"\1 on a "),
        (rf"^((?:is|was)(?:n't)? {_THIS}) (?=(?:{'|'.join(MONTHS)})\b)", r"\1 in "),
        # Of one photo the record tells it, whichever days are meant.
        (r"\bat (?=the (?:beginning|start|middle|end) of\b)", "from "),
    )
]
# "Is it in German?" and "was this taken in RAW?" ask for no place.
_NO_PLACE = (
    r"arabic|chinese|czech|danish|dutch|english|finnish|french|german|greek|hebrew|hindi|hungarian|italian"
    r"|japanese|korean|latin|norwegian|polish|portuguese|russian|spanish|swedish|thai|turkish|ukrainian"
    r"|black|b&w|colou?r|sepia|monochrome|focus|hdr|hd|4k|raw|jpe?g|heic|png|portrait|landscape|panorama|motion"
)
# "A Fairphone" is a camera whose maker is not known, but "my Mum" is none.
_WITH = (
    rf"(?:{CAMERA}|(?i:with|using) (?:(?i:an?) (?=[A-Z])"
    r"|(?i:(?:an?|my|the|our) (?:camera|(?:smart|cell|mobile ?)?phone)\b)))"
    # Each word as a whole: a name cut in pieces could be read in too many ways to try them all.
    r"(?: ?(?<![\w-])(?=[A-Z]|[\w-]*\d|(?i:mark|pro|max|plus|ultra|mini|camera|phone)(?![\w-]))"
    r"[\w-]+(?![\w-]))*"
)
_THERE = rf"(?i:in|near) (?!(?i:{_NO_PLACE})\b)[A-Z][\w'’-]*(?: (?!(?i:in|near)\b)[\w'’-]+)*"
# Whether it was is left to the reader.
_ASKS_WHETHER = re.compile(
    rf"(?i:(?:is|was)(?:n't)? {_THIS}(?: an? {PHOTO})?(?: taken| made| shot| from)?)"
    rf"(?:,? (?:(?P<when>{DATE}(?: or {DATE})*)|(?P<with>{_WITH})|(?P<where>{_THERE})))+[\s?.!]*$"
)
_DATES = frozenset({"when", "years", "months", "days"})
_DAYS = re.compile(
    r"\b(?:(?:mon|tues|wednes|thurs|fri|satur|sun|week ?)days?|week ?ends?|(?:what|which) day)\b",
    re.IGNORECASE,
)
_SEEN_SEASONS = re.compile(rf"\b(?:{'|'.join([*SEASONS, *HOLIDAYS])})\b", re.IGNORECASE)
_ON_MAPS = re.compile(r"\b(?:cit(?:y|ies)|towns?|villages?|regions?|countr(?:y|ies))\b", re.IGNORECASE)
_TAKING = re.compile(r"\b(?:taken?|took|made|photographed)\b", re.IGNORECASE)
_SCENE = re.compile(rf"\b(?:this|that|it|we|i|here|{PHOTO})\b", re.IGNORECASE)
# "What camera is that?" and "what is it made with?" may be asked of a thing on the photo.
_SHOWN = re.compile(r"\b(?:shown|visible|seen|pictured|depicted)\b", re.IGNORECASE)
_IS_IT = re.compile(r"\b(?:is|are|made with)\b", re.IGNORECASE)
_WITH_IT = re.compile(
    rf"\b(?:taken?|took|used?|shot|photographed|captured|snapped|(?<!made )with|{PHOTO})\b", re.IGNORECASE
)
# What happens to a thing: "when does it open?", "where is this going?". No photo was taken in the future.
_OF_A_THING = re.compile(
    r"\b(?:do|does|can|could|should|may|might|must|will|would)\b|\b(?:is|are)\b.*\b(?:arriving|coming|found"
    r"|going|happening|known|open|staying|stored|used|visiting)\b",
    re.IGNORECASE,
)
_WHO_TOOK_IT = re.compile(
    r"who(?:m)? (?:(?:took|shot|snapped|photographed) (?:it|this|that)"
    rf"|(?:took|made|shot|snapped|photographed) (?:this|that|the) {PHOTO})[\s?.!]*$",
    re.IGNORECASE,
)
_PHOTO_WORD = re.compile(rf"\b{PHOTO}\b", re.IGNORECASE)
_LONGEST = 500  # letters; what is longer asks for more than a date
# "Where are they?" asks for a spot on the photo, "when was the last time?" for another photo.
_OF_OTHERS = (OPERATORS - {"exactly", "what", "when", "where", "which", "who"}) | {"they", "you"}


@dataclass(frozen=True)
class _Asked:
    """A question in English: with marks for its entities, and what it wants."""

    text: str
    marked: MarkedText
    intent: Intent

    @property
    def rest(self) -> str:
        """What it says beside its entities and the words for what it wants."""
        return re.sub(ENTITY, " ", self.intent.without_own_words(self.intent.rest))

    @property
    def is_when_and_where(self) -> bool:
        """Whether both are asked, which reads as a question for where."""
        return self.intent.kind == "where" and re.search(r"\bwhen\b", self.text, re.IGNORECASE) is not None

    @property
    def whether(self) -> re.Match[str] | None:
        """What it asks of whether the photo was taken then, with that or there, if it does."""
        return _ASKS_WHETHER.match(self.marked.text)


def _read(english: str, names: Sequence[str]) -> _Asked | None:
    """Read a question; None where it cannot be, or asks for what is seen."""
    text = english = " ".join(english.split())
    if len(text) > _LONGEST:
        return None
    for pattern, plain in _PLAINER:
        text = pattern.sub(plain, text)
    try:
        marked = mark_entities(text, Known(names), today=date.today())
        intent = read_intent(marked.text)
    except PhotopalError:
        return None
    return None if intent.is_seen else _Asked(english, marked, intent)


def _asks_when(asked: _Asked) -> bool:
    """Whether the date of the photo is asked for; "what year was Anna born?" asks for another."""
    intent = asked.intent
    if asked.whether:
        return asked.whether["when"] is not None
    is_number = intent.is_number and not intent.is_ago
    return intent.kind in _DATES and not is_number and not content_words(asked.rest)


def _asks_with_what(asked: _Asked) -> bool:
    """Whether the camera or the lens is asked for, and not how many there are to be seen."""
    if asked.whether:
        # "Is this an iPhone?" may be asked of a thing.
        return (
            asked.whether["with"] is not None
            and re.search(rf"\b(?:taken|shot|made|with|{PHOTO})\b", asked.text, re.IGNORECASE) is not None
        )
    return asked.intent.kind in {"cameras", "lenses"} and not asked.intent.is_number


def _is_seen_rather(asked: _Asked, taken: TakenFacts) -> bool:
    """Whether a model that sees the photo is to be asked: of what it shows, or where only it can tell."""
    marked, intent = asked.marked, asked.intent
    when = [entity.when for entity in marked.entities if entity.when is not None]
    if whether := asked.whether:
        # Night can be seen, and winter too where no date tells of it, and a tower where no position does.
        is_season = _SEEN_SEASONS.search(asked.text) and any(isinstance(each, Recurring) for each in when)
        is_place_alone = not (whether["when"] or whether["with"])
        return bool(
            any(map(is_daytime, when))
            or (taken.at is None and is_season)
            or (taken.place is None and is_place_alone)
        )
    rest = asked.rest
    if content_words(rest) or _OF_OTHERS.intersection(re.findall(r"[\w']+", rest.casefold())):
        return True
    if _OF_A_THING.search(rest) and not _PHOTO_WORD.search(rest):
        return True
    if intent.kind in {"cameras", "lenses"} and _is_of_a_camera_shown(asked.text):
        return True
    if intent.kind in _DATES or asked.is_when_and_where:
        return False
    is_of_taking = _TAKING.search(marked.text) is not None
    if marked.found(marked.text, "name") and not is_of_taking:
        return True
    if intent.kind != "where":
        return False
    is_of_scene = is_of_taking or not rest.strip(" ?.!") or _SCENE.search(rest) is not None
    return not is_of_scene or (taken.place is None and _ON_MAPS.search(asked.text) is None)


def _is_of_a_camera_shown(text: str) -> bool:
    """Whether a question for a camera may be one for a camera that is on the photo."""
    return bool(_SHOWN.search(text) or (_IS_IT.search(text) and not _WITH_IT.search(text)))


def _taken_answer(taken: TakenFacts, asked: _Asked, *, is_seen: bool) -> list[str]:
    """The sentences that say when, where and with what a photo was taken, as far as that is asked.

    Args:
        taken: What is known.
        asked: The question.
        is_seen: Whether a model sees the photo, which answers what can be seen.
    """
    if _WHO_TOOK_IT.match(asked.text):
        return ["It is not known who took it."]
    wanted: list[tuple[str | None, str]] = []
    whether = asked.whether
    is_where = whether["where"] if whether else asked.intent.kind == "where" and not asked.intent.is_number
    if _asks_when(asked) or asked.is_when_and_where:
        wanted.append((_moment(taken, asked), "when"))
    if is_where:
        wanted.append((taken.place and f"in {taken.place}", "where"))
    if _asks_with_what(asked):
        kind = "lens" if asked.intent.kind == "lenses" else "camera"
        value = taken.lens if kind == "lens" else taken.camera
        wanted.append((value and f"with {value}", f"with which {kind}"))
    if not wanted or (is_seen and _is_seen_rather(asked, taken)):
        return []
    known = " ".join(words for words, _ in wanted if words)
    unknown = join_words([question for words, question in wanted if not words])
    return [
        *([f"It was taken {known}."] if known else []),
        *([f"It is not known {unknown} it was taken."] if unknown else []),
    ]


def _moment(taken: TakenFacts, asked: _Asked) -> str | None:
    """When a photo was taken, with the day of the week or how long ago that is where it is asked for."""
    if not taken.at:
        return None
    words = moment_words(taken.at)
    on_day = _day_taken(taken.at)
    if on_day is not None and _DAYS.search(asked.text):
        words = words.replace("on ", f"on {calendar.day_name[on_day.weekday()]}, ", 1)
    return f"{words}, {ago(taken.at, date.today())}" if on_day and asked.intent.is_ago else words


def _known_answer(
    analysis: PhotoAnalysis, known: KnownFacts, english: str, names: Sequence[str]
) -> list[str]:
    """The sentences that answer a question from facts alone; nothing where they do not."""
    asked = _read(english, names)
    if asked is None:
        return []
    if answered := _taken_answer(analysis.taken or TakenFacts(), asked, is_seen=False):
        return answered
    intent = asked.intent
    if intent.kind == "who":
        group = asked.marked.at(intent.group).value if intent.group else None
        return _who_answer(analysis, known, is_number=intent.is_number, group=group)
    return []


def _who_answer(
    analysis: PhotoAnalysis, known: KnownFacts, *, is_number: bool, group: str | None
) -> list[str]:
    """Who of a kind is on a photo, or of any, and how many faces are nobody's that is known."""
    present = [s for s in analysis.present if group is None or s.concept.kind == group]
    named = [s.concept.name for s in present if s.verdict == "yes"]
    alike = [s.concept.name for s in present if s.verdict == "looks like"]
    sentences = []
    if named:
        number = f"{len(named)} with a name: " if is_number else ""
        sentences.append(f"{number}{join_words(named)} {_verb(named)} in this photo.")
    if alike:
        sentences.append(f"What looks like {join_words(alike)} is in this photo.")
    if not present:
        whom = "Nobody whom" if group in {None, "person"} else f"No {group} that"
        sentences.append(f"{whom} you have named was found in this photo.")
    if group not in {None, "person"}:
        return sentences
    if known.faces is None:
        sentences.append("It was not searched for faces.")
        return sentences
    by_face = sum(s.source == "face" for s in present)
    others = max(0, known.faces - max(by_face, sum(s.concept.kind == "person" for s in present)))
    if others:
        sentences.append(
            f"{count(others, 'more face' if present else 'face')} {'is' if others == 1 else 'are'} in it."
        )
    sentences.append("People whose face does not show are not counted.")
    return sentences
