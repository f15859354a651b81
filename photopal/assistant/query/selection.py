"""The photos of a library that a question is about: counts and lists them, and says what cannot be known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

from photopal.assistant.query.criteria import Attribute, Criteria
from photopal.assistant.query.dates import Period, When, is_daytime, outside, resolve
from photopal.assistant.query.daytimes import Daytime
from photopal.assistant.query.lexicon import ANIMALS, word_forms
from photopal.assistant.query.phrasing import describe_criteria, period_phrase, quoted_list, sentence
from photopal.library import Library, Order, PhotoRecord, SearchHit, SearchQuery
from photopal.text import LIKE_A_NAME, count, join_words, plural, suggest


@dataclass(frozen=True)
class LibraryAnswer:
    """An answer with the photos it is based on.

    Attributes:
        text: The answer.
        photos: The photos cited, at most as many as the options allow; the newest or the best first.
        total: How many photos the answer is based on, cited or not; for a question about names alone, how
            many names. 0 says that nothing was found: a command prints the text and ends with the exit code
            of `NothingFoundError`.
        is_from_model: Whether a model looked at photos for it.
    """

    text: str
    photos: tuple[PhotoRecord, ...]
    total: int
    is_from_model: bool = False


@dataclass(frozen=True)
class Selection:
    """The photos of a library that fit some criteria.

    Attributes:
        library: The library.
        criteria: What must hold for the photos.
        most_cited: How many photos to cite at most.
    """

    library: Library
    criteria: Criteria
    most_cited: int

    def where(self, **changes: object) -> Selection:
        """Return the photos for which something else holds too; fields of `Criteria` are given."""
        return replace(self, criteria=replace(self.criteria, **changes))  # type: ignore[arg-type]

    def having(self, attribute: Attribute, *, is_known: bool = True) -> Selection:
        """Return those of the photos that have something, or those that lack it."""
        has = {**dict(self.criteria.has), attribute: is_known}
        return self.where(has=tuple(has.items()))

    @property
    def what(self) -> str:
        """What the photos have in common, to stand after "photos"."""
        return describe_criteria(self.criteria)

    def query(self) -> SearchQuery:
        """Return the criteria as the library takes them."""
        criteria = self.criteria
        concepts = self.library.concepts.all()
        others = tuple(c.name for c in concepts if c.name not in criteria.names)
        groups = [*criteria.any_names]
        # "Anna with people" is with other people.
        groups += [
            tuple(c.name for c in concepts if c.kind == kind and c.name not in criteria.names)
            for kind in (*criteria.kinds, *criteria.other_kinds)
        ]
        if criteria.with_others:
            groups.append(others)
        without = [*criteria.without_names]
        without += [c.name for c in concepts if c.kind in criteria.without_kinds]
        one_of = None
        if criteria.is_alone and criteria.names:
            without += others
        elif criteria.is_alone:
            one_of = others
        return SearchQuery(
            phrases=criteria.phrases,
            any_words=tuple(
                tuple(form for word in group for form in word_forms(word)) for group in criteria.words
            ),
            without=tuple(form for words in criteria.without_words for form in _forms(words)),
            concepts=criteria.names,
            any_concepts=tuple(groups),
            without_concepts=tuple(dict.fromkeys(without)),
            one_of=one_of,
            places=criteria.places,
            without_places=criteria.without_places,
            has_caption=criteria.given("caption"),
            has_date=criteria.given("date"),
            has_time=criteria.given("time"),
            hours=self._hours(),
            ratings=criteria.ratings,
            without_ratings=criteria.without_ratings,
            has_rating=criteria.given("rating"),
            has_place=criteria.given("place"),
            has_camera=criteria.given("camera"),
            periods=self._periods(),
            cameras=criteria.cameras,
            without_cameras=criteria.without_cameras,
        )

    def _periods(self) -> tuple[tuple[date | None, date | None], ...] | None:
        dates = [group for group in self.criteria.dates if not all(map(is_daytime, group))]
        without = [when for when in self.criteria.without_dates if not is_daytime(when)]
        if not (dates or without):
            return None
        taken = self.library.search.date_range(SearchQuery())
        years = range(int(taken[0][:4]), int(taken[1][:4]) + 1) if taken else range(0)
        periods: tuple[Period, ...] = resolve(dates, years)
        if without:
            free = outside(resolve((without,), years))
            periods = resolve((periods, free), years)
        return tuple((period.since, period.until) for period in periods)

    def _hours(self) -> tuple[int, ...] | None:
        """The hours of the day in which all the times of day lie; None where none is given."""
        hours: set[int] | None = None
        free = set(range(24)) - _hours_of(self.criteria.without_dates)
        for group in self.criteria.dates:
            if all(map(is_daytime, group)):
                hours = (free if hours is None else hours) & _hours_of(group)
        if hours is None and len(free) < 24:
            hours = free
        return None if hours is None else tuple(sorted(hours))

    def count(self) -> int:
        """Count the photos."""
        return self.library.search.count(self.query())

    def hits(self, order: Order = "newest", *, most: int | None = None, offset: int = 0) -> list[SearchHit]:
        """Return photos to cite with their captions and names."""
        limit = self.most_cited if most is None else most
        return self.library.search.find(replace(self.query(), order=order, limit=limit, offset=offset))

    def photos(self, order: Order = "newest", *, most: int | None = None) -> tuple[PhotoRecord, ...]:
        """Return photos to cite, at most so many."""
        limit = self.most_cited if most is None else min(most, self.most_cited)
        return tuple(hit.photo for hit in self.hits(order, most=limit))


def _hours_of(dates: Iterable[When]) -> set[int]:
    return {hour for when in dates if isinstance(when, Daytime) for hour in when.hours}


def _forms(words: str) -> tuple[str, ...]:
    return (words,) if " " in words else word_forms(words)


_NOUNS = {"date": "date", "time": "known time of day"}


def nothing_found(selection: Selection, *, is_yes_no: bool = False) -> LibraryAnswer:
    """Say that no photo fits, and which word is to blame."""
    library, criteria = selection.library, selection.criteria
    if not library.search.count(SearchQuery()):
        return LibraryAnswer("There are no photos in the library yet.", (), 0)
    words = [word for group in criteria.words for word in group]
    pets = _pets_meant(selection, words)
    parts = [f"{'No, there' if is_yes_no and not pets else 'There'} are no photos{selection.what}."]
    unknown = unknown_words(library, words)
    if unknown and (len(words) > 1 or replace(criteria, words=()) != Criteria()):
        parts.append(f"No photo has {quoted_list(unknown, last='or')} in its caption, place or file name.")
    if pets:
        a_pet = "a pet" if len(pets) == 1 else plural("pet")
        parts.append(f"You registered {a_pet} ({join_words(pets)}), of whom captions speak by name.")
    names = [concept.name for concept in library.concepts.all()]
    names += sorted({part.strip() for place in library.search.places() for part in place.split(",")} - {""})
    if hint := next(filter(None, (suggest(word, names, cutoff=LIKE_A_NAME) for word in unknown)), None):
        parts.append(sentence(hint))
    return LibraryAnswer(" ".join(parts), (), 0)


def _pets_meant(selection: Selection, words: list[str]) -> list[str]:
    """Return the registered pets where words such as "my dog" may mean one of them."""
    folded = {word.casefold() for word in words}
    # A hot dog is none.
    is_meant = "hot" not in folded and any(form in ANIMALS for word in words for form in word_forms(word))
    pets = [concept.name for concept in selection.library.concepts.all() if concept.kind == "pet"]
    return pets if is_meant else []


def unknown_words(library: Library, words: list[str]) -> list[str]:
    """Return the words that no caption, place or file name has, in whichever form."""
    return [word for word in words if not library.search.count(SearchQuery(any_words=(word_forms(word),)))]


def _likenesses(selection: Selection) -> list[str]:
    """Say of how many photos it is only known that somebody named looks like that."""
    query = selection.query()
    asked = dict.fromkeys([*query.concepts, *(n for group in query.any_concepts for n in group)])
    numbers = dict(selection.library.search.count_by_likeness(query)) if asked else {}
    return [
        f"On {count(numbers[name])} it is only known to look like {name}."
        for name in asked
        if name in numbers
    ]


def reservations(
    selection: Selection, total: int, *, asks_who: bool = False, asks_when: bool = False
) -> list[str]:
    """Say what an answer cannot know: names and words without a caption, periods without a date, places."""
    criteria = selection.criteria
    notes = _likenesses(selection) if total else []
    if criteria.given("caption") is None and (criteria.is_of_content() or asks_who):
        scope = Selection(selection.library, Criteria(), 0).where(
            dates=criteria.dates,
            without_dates=criteria.without_dates,
            places=criteria.places,
            cameras=criteria.cameras,
            has=(*criteria.has, ("caption", False)),
        )
        known = selection.having("caption", is_known=False).count() if total and not asks_who else 0
        is_negative = criteria.without_names or criteria.without_kinds or criteria.without_words
        blind = scope.count() - (0 if is_negative else known)
        if blind > 0:
            phrase = period_phrase(criteria)
            when = f" {phrase}" if phrase else ""
            has = "has" if blind == 1 else "have"
            notes.append(
                f"{count(blind)}{when} {has} no caption yet, so it is not known who or what is on"
                f" {'it' if blind == 1 else 'them'}."
            )
    if total and criteria.without_places and not criteria.places:
        unplaced = selection.having("place", is_known=False).count()
        if unplaced:
            notes.append(f"The location of {unplaced:,} of them is not known.")
    if criteria.dates or criteria.without_dates:
        every = [*criteria.without_dates, *(when for group in criteria.dates for when in group)]
        lacked: Attribute = "time" if any(map(is_daytime, every)) else "date"
        days = tuple(
            group for group in criteria.dates if lacked == "time" and not any(map(is_daytime, group))
        )
        whole = selection.where(dates=days, without_dates=())
        undated = whole.having(lacked, is_known=False).count()
        if undated and (lacked == "time" or not asks_when):
            has = "has" if undated == 1 else "have"
            notes.append(f"{count(undated)}{whole.what} {has} no {_NOUNS[lacked]}.")
    return notes
