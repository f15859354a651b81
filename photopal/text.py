"""Names and words as people write them: finds, compares and replaces names, and says counts and lists."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache

from photopal.errors import ConceptError

_NAME_LIMIT = 80

# Thai, Lao, Myanmar, Khmer, kana and Han are written without spaces: a word may begin and end anywhere.
_UNSPACED = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    r"\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff]"
)
# What Korean writes behind a noun, for subject, object, "and" and so on; some depends on its last sound.
_PARTICLES = (
    "의|도|만|에게|에게서|한테|한테서|께|께서|하고|보다|처럼|까지|부터|마저|조차|밖에"
    "|씨[가는를와의도]?|님[이은을과의도]?"
)
_AFTER_CONSONANT = re.compile(f"(?:은|이|을|과|으로|이랑|이가|이는|이를|이와|{_PARTICLES})(?![가-힣])")
_AFTER_VOWEL = re.compile(f"(?:는|가|를|와|로|랑|{_PARTICLES})(?![가-힣])")
_JOINERS = "\u200c\u200d"
# A heart is the same heart whether it asks to be drawn in color or not.
_VARIATIONS = "\ufe0e\ufe0f"
_SKIN_TONES = "\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff"
_APOSTROPHES = str.maketrans(dict.fromkeys("‘’ʼ", "'"))

LIKE_A_NAME = 0.72
"""How alike a name must be to be meant by any word of a query, of which most are no names."""

IRREGULAR_PLURALS: dict[str, str] = dict(
    map(
        str.split,
        """
        bus buses, calf calves, child children, foot feet, goose geese, hero heroes, knife knives,
        leaf leaves, lens lenses, loaf loaves, man men, mouse mice, person people, potato potatoes,
        scarf scarves, shelf shelves, tomato tomatoes, tooth teeth, wolf wolves, woman women
        """.split(","),  # noqa: SIM905 - a list literal would take a page
    )
)
"""Nouns whose plural no rule gives, or whose singular cannot be told from it."""


def fold(name: str) -> str:
    """Return the form of a name in which two that differ only in case or accents' encoding are one."""
    return fold_letters(" ".join(name.split()))


def fold_letters(text: str) -> str:
    """Return a text in which case and how accents are encoded make no difference, but blanks do."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


# Whoever weighs what is known of photos asks it of every concept for each photo.
@lru_cache(maxsize=1 << 13)
def name_key(name: str) -> str:
    """Return the form in which names are one that `name_spans` takes for the same: O'Neil and O’NEIL."""
    folded, _ = _fold_with_starts(" ".join(name.split()), ignore_case=True)
    return unicodedata.normalize("NFC", folded)


def usable_name(name: str) -> str:
    """Return a name as it is kept.

    Raises:
        ConceptError: It is empty, too long or has control characters.
    """
    usable = unicodedata.normalize("NFC", " ".join(name.split()))
    if not usable:
        raise ConceptError("a name cannot be empty")
    if len(usable) > _NAME_LIMIT:
        raise ConceptError(f"a name has at most {_NAME_LIMIT} letters, this one has {len(usable)}")
    # A lone surrogate is half a letter; joiners are what emoji and some scripts are written with.
    if any(unicodedata.category(letter) in ("Cc", "Cs", "Co", "Cn") for letter in usable):
        raise ConceptError("a name cannot hold control characters")
    return usable


def name_spans(text: str, names: Sequence[str], *, ignore_case: bool = True) -> list[tuple[int, int, int]]:
    """Find whole names in a text.

    A longer name wins over a shorter one in it: "Anna Maria" is not Anna. How accents are encoded, which
    apostrophe is typed and how wide a blank is makes no difference.

    Args:
        text: Such as a caption or a question.
        names: What to look for.
        ignore_case: Whether "anna" is Anna, and "STRASSE" is Straße.

    Returns:
        Start, end and the name's index for each, in the order of the text; no two overlap.
    """
    folded, starts = _fold_with_starts(text, ignore_case=ignore_case)
    wanted = [_fold_with_starts(" ".join(name.split()), ignore_case=ignore_case)[0] for name in names]
    spans: list[tuple[int, int, int]] = []
    is_taken = bytearray(len(text))
    for index in sorted(range(len(names)), key=lambda index: -len(wanted[index])):
        name, at = wanted[index], -1
        while name and (at := folded.find(name, at + 1)) >= 0:
            start, end = starts[at], starts[at + len(name)]
            # A match that begins or ends within what one letter became, as the "s" of "ß" does, is none.
            is_cut = (at > 0 and starts[at - 1] == start) or starts[at + len(name) - 1] == end
            is_part = _goes_on(text, start) or (_goes_on(text, end) and not _has_particle(text, start, end))
            if is_cut or is_part or any(is_taken[start:end]):
                continue
            spans.append((start, end, index))
            is_taken[start:end] = b"\1" * (end - start)
    return sorted(spans)


def names_in(text: str, names: Sequence[str]) -> list[str]:
    """Return those of the names that a text has, whatever their case, in their own order."""
    found = {index for _, _, index in name_spans(text, names)}
    return [name for index, name in enumerate(names) if index in found]


def write_over(text: str, spans: Iterable[tuple[int, int, str]]) -> str:
    """Write other words over spans of a text, given in its order."""
    parts, end = [], 0
    for start, stop, words in spans:
        parts += [text[end:start], words]
        end = stop
    return "".join([*parts, text[end:]])


def replace_name(text: str, old: str, new: str, *, others: Sequence[str] = ()) -> str:
    """Write another name wherever a text has a name as a whole, in this very case.

    Args:
        text: Such as a caption.
        old: The name to replace.
        new: What to write instead.
        others: Names that may hold the old one, as "Anna Maria" holds "Anna"; those stay as they are.
    """
    return replace_all_names(text, {**{other: other for other in others}, old: new})


def replace_all_names(text: str, names: Mapping[str, str]) -> str:
    """Write other names wherever a text has names as a whole, in this very case, all of them at once.

    Args:
        text: Such as a caption.
        names: What to write, by the name that the text has. One that stays keeps those that it holds.
    """
    pairs = list(names.items())
    spans = name_spans(text, list(names), ignore_case=False)
    changed = ((start, end, pairs[index]) for start, end, index in spans)
    return write_over(text, ((start, end, new) for start, end, (old, new) in changed if new != old))


def nearest(words: str, names: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    """Return the name that looks most like some words, if any is as alike as `cutoff` (1 is equal)."""
    from difflib import get_close_matches

    folded = {fold(name): name for name in names}
    found = get_close_matches(fold(words), folded, n=1, cutoff=cutoff)
    # In a short name two letters swapped or written as they sound make less alike than another name is.
    found = found or [name for name in folded if _is_misspelled(fold(words), name)]
    return folded[found[0]] if found else None


def _is_misspelled(word: str, name: str) -> bool:
    """Whether a word is a name with two neighboring letters swapped, or sounds the same: "bne", "reks"."""
    if len(word) < 3 or len(name) < 3:
        return False
    swapped = {f"{word[:at]}{word[at + 1]}{word[at]}{word[at + 2 :]}" for at in range(len(word) - 1)}
    return name in swapped or _sound(word) == _sound(name)


def _sound(word: str) -> str:
    """A word with one letter where there are several for a sound."""
    for letters, letter in (("ks", "x"), ("ph", "f"), ("ck", "k"), ("c", "k"), ("z", "s"), ("y", "i")):
        word = word.replace(letters, letter)
    return re.sub(r"(.)\1+", r"\1", word)


def suggest(words: str, names: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    """Ask whether the nearest name is meant: `Did you mean "Anna"?`."""
    name = nearest(words, names, cutoff=cutoff)
    return None if name is None else f'Did you mean "{name}"?'


def plural(noun: str) -> str:
    """Return the plural of an English noun, or of the last of several words: "lenses", "more files"."""
    if noun in IRREGULAR_PLURALS:
        return IRREGULAR_PLURALS[noun]
    if re.search(r"[^aeiou]y$", noun):
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith(("s", "x", "z", "ch", "sh")) else f"{noun}s"


def count(number: int, noun: str = "photo") -> str:
    """Say a number with its noun: "1 photo", "2,000 photos"."""
    return f"{number:,} {noun if number == 1 else plural(noun)}"


def join_words(words: Sequence[str], *, last: str = "and", most: int | None = None) -> str:
    """Join words as English does: "a", "a and b", "a, b and c"; after `most` of them "others" stands."""
    if most is not None and len(words) > most:
        words = [*words[:most], "others"]
    return f" {last} ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def _fold_with_starts(text: str, *, ignore_case: bool) -> tuple[str, list[int]]:
    """Return a text in the form that names are compared in, and where each of its letters comes from.

    The list has one entry more than the form has letters: the text's length.
    """
    pieces: list[str] = []
    starts: list[int] = []
    for start, letter in _letters(text):
        if letter.isspace():
            folded = " "
        else:
            folded = unicodedata.normalize("NFD", letter.strip(_VARIATIONS) or letter)
            if ignore_case:
                folded = unicodedata.normalize("NFD", folded.casefold())
            folded = folded.translate(_APOSTROPHES)
        pieces.append(folded)
        starts += [start] * len(folded)
    return "".join(pieces), [*starts, len(text)]


def _letters(text: str) -> Iterator[tuple[int, str]]:
    """Yield letters with the marks on them, and runs of blanks, each with where it starts."""
    start = 0
    for at in range(1, len(text) + 1):
        if at < len(text):
            is_mark = unicodedata.combining(text[at]) or text[at] in _VARIATIONS
            if text[at].isspace() if text[at - 1].isspace() else is_mark:
                continue
        if start < at:
            yield start, text[start:at]
        start = at


def _goes_on(text: str, at: int) -> bool:
    """Whether a word or an emoji goes on across a place in a text."""
    if not 0 < at < len(text):
        return False
    before, after = text[at - 1], text[at]
    kind = unicodedata.category(after)
    if (
        before in _JOINERS
        or after in _JOINERS
        or after in _SKIN_TONES
        or (kind[0] == "M" and _is_of_word(before))
    ):
        return True
    if not (_is_of_word(before) and _is_of_word(after)):
        return False
    # Signs that repeat or lengthen what stands before them belong to it in every script.
    return kind == "Lm" or not (_UNSPACED.match(before) or _UNSPACED.match(after))


def _has_particle(text: str, start: int, end: int) -> bool:
    """Whether a word goes on behind a name only with what Korean writes behind it, as in 민수가.

    Names of one syllable are left out: with a particle, they look like others.
    """
    if end - start < 2 or not all("가" <= letter <= "힣" for letter in text[end - 2 : end]):
        return False
    # Of each first consonant and vowel Unicode has 28 syllables, the first of them without a last consonant.
    has_consonant = (ord(text[end - 1]) - ord("가")) % 28 > 0
    particle = (_AFTER_CONSONANT if has_consonant else _AFTER_VOWEL).match(text, end)
    return particle is not None and not _goes_on(text, particle.end())


def _is_of_word(letter: str) -> bool:
    return letter == "_" or unicodedata.category(letter)[0] in "LNM"
