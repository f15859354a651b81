"""Tells what is known of a photo without looking at it: who by whose word, where, when, what its file says.

It stands in for a model that does not understand the photo, and says nothing that nobody knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime

from photopal.assistant.analysis import PhotoAnalysis, Sighting, corrected
from photopal.assistant.assistant import Assistant
from photopal.assistant.query.daytimes import part_of_day
from photopal.assistant.query.phrasing import day, month
from photopal.box import WHOLE_PHOTO, Box
from photopal.library import ConceptRecord, Evidence, Library, PhotoRecord
from photopal.text import join_words, name_key

_TROPIC = 23.5  # between the tropics there is no summer or winter
_SEASONS = ("winter", "spring", "summer", "fall")
_MOST_KEYWORDS = 12


def weigh(
    library: Library, photo: PhotoRecord | None, assistant: Assistant, analysis: PhotoAnalysis
) -> PhotoAnalysis:
    """Put what counts in the place of what the model found; all of it where it does not understand the photo.

    Args:
        library: Knows the user's words.
        photo: The photo, if the library knows it.
        assistant: Whose model looked.
        analysis: The photo as the model sees it.

    Returns:
        An analysis whose `known` is None where the model understands the photo.
    """
    words = {} if photo is None else library.corrections.known(photo.id)
    if assistant.model.is_in_distribution(analysis.features):
        return corrected(analysis, words)
    concepts = {concept.id: concept for concept in library.concepts.all()}
    sightings = [_sighting(concepts[i], word) for i, word in words.items() if i in concepts]
    sightings.sort(key=lambda sighting: not sighting.is_present)
    known = "" if photo is None else describe_known(library, photo)
    return replace(analysis, sightings=tuple(sightings), known=known)


def describe_known(library: Library, photo: PhotoRecord) -> str:
    """Write what is known of a photo without a model, as a caption.

    Args:
        library: The library.
        photo: A photo of it.
    """
    evidence = library.corrections.evidence(photo.id)
    concepts = {concept.id: concept for concept in library.concepts.all()}
    words = [e for e in evidence.concepts if e.source != "model" and e.concept_id in concepts]
    shown = [(concepts[e.concept_id], e) for e in words if e.is_present]
    shown.sort(key=lambda pair: pair[1].verdict == "looks like")
    subjects = [c.name if e.verdict == "yes" else f"what looks like {c.name}" for c, e in shown]
    found = library.findings.get(photo.id)
    if found is not None and found.species and not any(concept.kind == "pet" for concept, _ in shown):
        subjects.append(f"what looks like a {found.species}")
    subject = join_words(subjects) or "A photo"
    when = _when(photo)
    where = f" in {_place(photo.place)}" if photo.place else ""
    taken = " taken" if not subjects and (where or when) else ""
    first = f"{subject[:1].upper()}{subject[1:]}{taken}{where}{f', {when}' if where and when else ''}"
    if when and not where:
        first += f" {when}"
    absent = {name_key(name) for name in evidence.taken_off}
    said = {name_key(concept.name) for concept, _ in shown}
    return " ".join([f"{first}.", *_of_file(library, photo, hidden=absent | said)])


def _of_file(library: Library, photo: PhotoRecord, *, hidden: set[str]) -> list[str]:
    """What the file says: title, description, keywords, and persons, without the folded names in `hidden`."""
    facts = library.facts.get(photo.id)
    if facts is None:
        return []
    sentences = []
    texts = dict.fromkeys(filter(None, (facts.value("title"), facts.value("description"))))
    if texts:
        sentences.append(f"Its file says {join_words([_quoted(text) for text in texts])}.")
    keywords = [word for word in facts.all("keyword") if name_key(word) not in hidden]
    persons = [name for name in facts.names() if name_key(name) not in hidden]
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


def _when(photo: PhotoRecord) -> str:
    """When a photo was taken, as far as that is known: "on a summer evening, 3 July 2019"."""
    taken = photo.taken_at or ""
    if len(taken) < 10:
        return f"in {month(taken) if len(taken) == 7 else taken}" if taken else ""
    try:
        moment = datetime.fromisoformat(taken[:19])
    except ValueError:
        return ""
    part = part_of_day(moment.hour) if len(taken) >= 13 else ""
    season = season_at(moment.date(), photo.latitude)
    occasion = _occasion(moment.date())
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


def _occasion(taken: date) -> str:
    if taken.month == 12 and 24 <= taken.day <= 26:
        return " at Christmas"
    return " on New Year's Eve" if (taken.month, taken.day) == (12, 31) else ""


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


def answer_from_known(analysis: PhotoAnalysis, asked: Iterable[ConceptRecord]) -> str:
    """Answer a question about a photo that the model does not understand, without letting it guess.

    Args:
        analysis: An analysis whose `known` is not None.
        asked: Whom the question names.
    """
    sentences = []
    for concept in asked:
        sighting = analysis.of(concept.id)
        sentences.append(_ANSWERS[sighting.verdict if sighting else None].format(name=concept.name))
    sentences.append("The model in use does not understand camera photos, so it was not asked what it shows.")
    if analysis.known:
        sentences.append(f"What is known of it: {analysis.known}")
    return " ".join(sentences)
