"""What a question or a search says: which photos are meant, and what is wanted of them; reads no text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from photopal.assistant.query.dates import When, is_daytime
from photopal.assistant.query.entities import Entity, UnknownName
from photopal.assistant.query.intents import Intent, Kind
from photopal.errors import UsageError
from photopal.library import ConceptKind

Attribute = Literal["caption", "date", "time", "place", "camera", "rating"]


@dataclass(frozen=True)
class Criteria:
    """What photos are meant; everything given must hold.

    Attributes:
        names: Concepts that are all on the photos.
        any_names: Groups of concepts; of each group at least one is.
        without_names: Concepts that are not.
        is_alone: Whether no concept but `names` is; without `names`, whether exactly one is.
        with_others: Whether some concept beside `names` is.
        other_kinds: Kinds of concepts, of each of which at least one beside `names` is on the photos.
        kinds: Kinds of concepts, of each of which at least one beside `names` is on the photos.
        without_kinds: Kinds of which none is.
        dates: Groups of dates; of each group one holds.
        without_dates: Dates of which none holds.
        places: Names of places as the library has them; one holds.
        without_places: Places of which none holds.
        cameras: Cameras, or parts of their names; one holds.
        without_cameras: Cameras of which none holds.
        ratings: Numbers of stars, of which the photo has one.
        without_ratings: Numbers of stars of which it has none; it may have no rating.
        has: What a photo has or lacks: a caption, a date, a time of day, a place, a camera, a rating.
        words: What else a caption, a place or a file name must hold; of each group one word.
        phrases: What it must hold word for word.
        without_words: Words and phrases that it must not hold.
    """

    names: tuple[str, ...] = ()
    any_names: tuple[tuple[str, ...], ...] = ()
    without_names: tuple[str, ...] = ()
    is_alone: bool = False
    with_others: bool = False
    other_kinds: tuple[ConceptKind, ...] = ()
    kinds: tuple[ConceptKind, ...] = ()
    without_kinds: tuple[ConceptKind, ...] = ()
    dates: tuple[tuple[When, ...], ...] = ()
    without_dates: tuple[When, ...] = ()
    places: tuple[str, ...] = ()
    without_places: tuple[str, ...] = ()
    cameras: tuple[str, ...] = ()
    without_cameras: tuple[str, ...] = ()
    ratings: tuple[int, ...] = ()
    without_ratings: tuple[int, ...] = ()
    has: tuple[tuple[Attribute, bool], ...] = ()
    words: tuple[tuple[str, ...], ...] = ()
    phrases: tuple[str, ...] = ()
    without_words: tuple[str, ...] = ()

    def is_of_content(self) -> bool:
        """Whether only photos that somebody has looked at can be known to fit."""
        return bool(
            self.names or self.any_names or self.without_names or self.is_alone or self.with_others
            or self.other_kinds or self.kinds or self.without_kinds or self.words or self.phrases
            or self.without_words
        )  # fmt: skip

    def without_content(self) -> Criteria:
        """The criteria that nobody has to look at a photo for: its date, its place, its camera."""
        return replace(
            self, names=(), any_names=(), without_names=(), is_alone=False, with_others=False,
            other_kinds=(), kinds=(), without_kinds=(), words=(), phrases=(), without_words=(),
        )  # fmt: skip

    def given(self, attribute: Attribute) -> bool | None:
        """Whether photos must have something, must lack it, or may do as they like."""
        return dict(self.has).get(attribute)


@dataclass(frozen=True)
class Comparison:
    """Which of several has more photos, fewer, earlier or later ones.

    Attributes:
        by: What is compared.
        sides: What is compared with what, each complete in itself.
        labels: How each is called.
        is_yes_no: Whether the question asks if the first side has it.
        is_difference: Whether the question asks by how many.
    """

    by: Literal["more", "fewer", "equal", "first", "last"]
    sides: tuple[Criteria, ...]
    labels: tuple[str, ...]
    is_yes_no: bool = False
    is_difference: bool = False


@dataclass(frozen=True)
class Threshold:
    """How many photos there must be: "more than 10", "at least 5"."""

    relation: Literal["more than", "at least", "fewer than", "at most", "exactly"]
    number: int

    def holds(self, number: int) -> bool:
        """Tell whether a number of photos is as many."""
        return {
            "more than": number > self.number,
            "at least": number >= self.number,
            "fewer than": number < self.number,
            "at most": number <= self.number,
            "exactly": number == self.number,
        }[self.relation]


@dataclass(frozen=True)
class Ranked:
    """Photos that stand first or last: "the last three photos from Rome".

    Attributes:
        end: At which end.
        number: How many.
        of: Of which photos.
        is_number: Whether it is asked how many of them fit.
    """

    end: Literal["first", "last"]
    number: int
    of: Criteria
    is_number: bool = False


@dataclass(frozen=True)
class Question:
    """What a question asks.

    Attributes:
        text: The question without its dates, as a model may be asked it about one photo.
        intent: What is wanted.
        criteria: Which photos are meant.
        comparison: What is compared, of a comparison.
        all_of: Of "are all photos of Mia from Berlin?" those that are asked of; `criteria` has both.
        ranked: Of "is Mia in the last photo from Berlin?" the last photo from Berlin; `criteria` has both.
        share_of: Of "what percentage of photos of Mia show Ben?" the photos of Mia; `criteria` has both.
        threshold: How many photos there must be for a yes; or of each of those asked for.
        end: Whether the first or the last photo is wanted.
        number: How many photos are wanted.
        is_negated: Whether a question for yes or no has a "not" in its verb, as in "isn't Anna there?".
        but_names: Concepts that "who besides Anna" does not ask for.
        elsewhere: Of "who was in Lisbon but not in Paris?" the photos that those asked for are not on.
        unknown_names: Words that may be names nobody has registered.
        not_understood: Words that no reader has taken and that change what is asked.
        notes: What words with several meanings were taken for.
        group: The kind of concepts that is asked for, as in "which pets".
        doers: Of "did Anna ride a bike?" Anna, none of "who rode a bike?"; None where it is not asked whether
            somebody does, wears or holds what the words say.
        is_translated: Whether the question was in another language than English.
    """

    text: str
    intent: Intent
    criteria: Criteria
    comparison: Comparison | None = None
    all_of: Criteria | None = None
    ranked: Ranked | None = None
    share_of: Criteria | None = None
    threshold: Threshold | None = None
    end: Literal["first", "last"] | None = None
    number: int | None = None
    is_negated: bool = False
    but_names: tuple[str, ...] = ()
    elsewhere: Criteria | None = None
    unknown_names: tuple[UnknownName, ...] = ()
    not_understood: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    group: ConceptKind | None = None
    doers: tuple[str, ...] | None = None
    is_translated: bool = False

    @property
    def kind(self) -> Kind:
        """What kind of answer is wanted."""
        return self.intent.kind


def with_entities(
    criteria: Criteria, entities: Sequence[Entity], *, is_wanted: bool, is_either: bool = False
) -> Criteria:
    """Add entities to criteria; of the dates, one is enough or all must hold."""

    def values(kind: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(entity.value for entity in entities if entity.kind == kind))

    dates = tuple(entity.when for entity in entities if entity.kind == "date" and entity.when)
    rated = [entity for entity in entities if entity.kind == "rating"]
    if not is_wanted:
        return replace(
            criteria,
            without_names=joined(criteria.without_names, values("name")),
            without_kinds=joined(criteria.without_kinds, values("group")),  # type: ignore[arg-type]
            without_dates=(*criteria.without_dates, *dates),
            without_places=joined(criteria.without_places, values("place")),
            without_cameras=joined(criteria.without_cameras, values("camera")),
            without_ratings=(*criteria.without_ratings, *(n for entity in rated for n in entity.stars)),
            without_words=joined(criteria.without_words, values("phrase")),
        )
    if is_either and len({is_daytime(when) for when in dates}) > 1:
        raise UsageError(
            'not understood: "or" between a date and a time of day', hint="Ask for each of them by itself."
        )
    ratings = criteria.ratings
    for entity in rated:
        ratings = tuple(number for number in entity.stars if not ratings or number in ratings)
    groups = (dates,) if is_either and dates else tuple((when,) for when in dates)
    return replace(
        criteria,
        names=joined(criteria.names, values("name")),
        kinds=joined(criteria.kinds, values("group")),  # type: ignore[arg-type]
        dates=(*criteria.dates, *groups),
        places=joined(criteria.places, values("place")),
        cameras=joined(criteria.cameras, values("camera")),
        ratings=ratings,
        phrases=joined(criteria.phrases, values("phrase")),
    )


def instead(criteria: Criteria, entities: Sequence[Entity]) -> Criteria:
    """Criteria with other dates, places or cameras in place of those they have."""
    kinds = {entity.kind for entity in entities}
    freed = {field: () for kind, field in _FIELDS_OF.items() if kind in kinds}
    return with_entities(replace(criteria, **freed), entities, is_wanted=True, is_either=True)  # type: ignore[arg-type]


_FIELDS_OF: dict[str, str] = {"date": "dates", "place": "places", "camera": "cameras"}


def joined(one: tuple[str, ...], two: tuple[str, ...]) -> tuple[str, ...]:
    """Return what is in one or the other, each once."""
    return tuple(dict.fromkeys([*one, *two]))


def both_of(base: Criteria, side: Criteria) -> Criteria:
    """What fits both criteria."""
    changes: dict[str, object] = {}
    for name in Criteria.__dataclass_fields__:
        one, two = getattr(base, name), getattr(side, name)
        changes[name] = one or two if isinstance(one, bool) else (*one, *(v for v in two if v not in one))
    if base.places and side.places:
        changes["places"] = side.places
    return replace(base, **changes)  # type: ignore[arg-type]
