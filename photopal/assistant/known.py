"""Tells what is known of a photo without looking at it: who by whose word, where, when, what its file says.

It stands in for a model that does not understand the photo, and says nothing that nobody knows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

from PIL import Image

from photopal.assistant.analysis import KnownFacts, PhotoAnalysis, Seen, Sighting, corrected
from photopal.assistant.assistant import Assistant
from photopal.assistant.evidence import LookedAt
from photopal.assistant.file_names import FileNames
from photopal.assistant.occasions import Trips, birthdays, find_trips, holiday, trip_words
from photopal.assistant.query.daytimes import part_of_day
from photopal.assistant.query.entities import DATE, ENTITY, Known, mark_entities
from photopal.assistant.query.intents import Intent, read_intent
from photopal.assistant.query.languages import to_english
from photopal.assistant.query.lexicon import content_words
from photopal.assistant.query.phrasing import day, moment_words, month
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
    if seen.is_understood and not assistant.model.sees_all:
        # It knows photos of its own kind better, also than what was found beside another model.
        return weigh(library, photo, seen, LookedAt(PhotoFindings(), None))
    record, metadata = (photo, None) if photo is not None else read_record(path)
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
    if analysis.is_understood:
        return corrected(analysis, words)
    concepts = {concept.id: concept for concept in library.concepts.all()}
    sightings = [_sighting(concepts[i], word) for i, word in words.items() if i in concepts]
    sightings.sort(key=lambda sighting: not sighting.is_present)
    if photo is None:
        return replace(analysis, sightings=tuple(sightings), known=KnownFacts(text=""))
    known = KnownFacts(
        text=describe_known(library, photo, found, metadata=metadata, trips=trips),
        when=moment_words(photo.taken_at) if photo.taken_at else None,
        place=photo.place,
        camera=photo.camera,
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
    day_taken = _day_taken(photo)
    if day_taken is None or photo.place is None:
        return []
    trip = (trips or find_trips(library)).of(day_taken, photo.place)
    return [] if trip is None else [trip_words(trip)]


def _day_taken(photo: PhotoRecord) -> date | None:
    """The day on which a photo was taken, where it is known."""
    try:
        return date.fromisoformat((photo.taken_at or "")[:10])
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
    on_day = _day_taken(photo)
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


# Whether it was is left to the reader.
_ASKS_WHETHER_THEN = re.compile(
    r"(?:is|was)(?:n't)? (?:this|it|that)(?: photo| picture| image)?"
    rf"(?: taken| made| shot)? {DATE}[\s?.!]*$",
    re.IGNORECASE,
)
_DATES = frozenset({"when", "years", "months", "days"})


def _asks_when(text: str, intent: Intent) -> bool:
    """Whether the date of the photo is asked for; "what year was Anna born?" asks for another."""
    if _ASKS_WHETHER_THEN.match(text):
        return True
    rest = re.sub(ENTITY, " ", intent.without_own_words(intent.rest))
    return intent.kind in _DATES and not intent.is_number and not content_words(rest)


def _known_answer(
    analysis: PhotoAnalysis, known: KnownFacts, english: str, names: Sequence[str]
) -> list[str]:
    """The sentences that answer a question from facts alone; nothing where they do not."""
    try:
        marked = mark_entities(english, Known(names), today=date.today())
        intent = read_intent(marked.text)
    except PhotopalError:
        return []
    if intent.is_seen:
        return []
    if intent.kind == "who":
        group = marked.at(intent.group).value if intent.group else None
        return _who_answer(analysis, known, is_number=intent.is_number, group=group)
    value, words, unknown = {
        "where": (known.place, "in {}", "where"),
        "cameras": (known.camera, "with {}", "with which camera"),
    }.get(intent.kind, (None, None, None))
    if _asks_when(marked.text, intent):
        value, words, unknown = known.when, "{}", "when"
    if words is None:
        return []
    if value is None:
        return [f"It is not known {unknown} it was taken."]
    return [f"It was taken {words.format(value)}."]


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
