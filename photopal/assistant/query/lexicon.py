"""Knows which English words say something of a photo, their forms, and which are places; knows no photo."""

from __future__ import annotations

import re

from photopal.assistant.query.patterns import LazyPattern
from photopal.text import IRREGULAR_PLURALS, plural
from photopal.vocabulary import FUNCTION_WORDS, PHOTO_WORDS

NUMBER_WORDS = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16,
    "seventeen": 17, "eighteen": 18, "nineteen": 19, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50,
    "a couple of": 2, "couple of": 2,
}  # fmt: skip

DIGITS = {word: str(number) for word, number in NUMBER_WORDS.items() if " " not in word}
"""Numbers in digits, by their words."""
_LETTERS = {digits: word for word, digits in DIGITS.items()}

PEOPLE_WORDS = r"(?:people|persons?|humans?|somebody|someone|anybody|anyone)"
PET_WORDS = r"(?:pets?|animals?)"
THING_WORDS = r"(?:things?|objects?)"

ANIMALS = frozenset(
    "bird bunny cat dog hamster horse kitten kitty parrot pony puppy rabbit".split()  # noqa: SIM905
)
"""What a pet may be, which captions call by its name."""

DOING = LazyPattern(
    r"\b(?!(?:evening|morning|wedding|building|king|spring|thing|something|anything|nothing|everything"
    r"|ring|string|wing|ceiling|during|being|swing|painting|clothing|according|doing|going|having|showing"
    r"|containing|missing|looking for)\b)\w{2,}ing\b"
)
"""A verb such as "wearing", which asks for what is seen rather than for who, when or where."""

_PASTS = {
    verb: tuple(pasts)
    for verb, *pasts in map(
        str.split,
        """
        blow blew blown, break broke broken, bring brought, build built, buy bought, catch caught, cut cut,
        dig dug, draw drew drawn, drink drank drunk, drive drove driven, eat ate eaten, fall fell fallen,
        feed fed, fly flew flown, hang hung, hide hid hidden, hit hit, hold held, kneel knelt, leave left,
        lie lay lain, make made, read read, ride rode ridden, ring rang, run ran, see saw seen, shine shone,
        sing sang sung, sit sat, ski skied, sleep slept asleep, stand stood, sweep swept, swim swam,
        swing swung, take took taken, throw threw thrown, wear wore worn, win won, write wrote written
        """.split(","),  # noqa: SIM905 - a list literal would take a page
    )
}
_SAME = {
    one: other
    for pair in map(
        str.split,
        """
        airplane aeroplane, bicycle bike, bunny rabbit, color colour, couch sofa, gray grey, mom mum,
        ocean sea, pajamas pyjamas
        """.split(","),  # noqa: SIM905
    )
    for one, other in (pair, reversed(pair))
} | {"kid": "child"}
"""Words for the same; a caption may have either."""
# Words that look like a form of another word and are none.
_PLAIN = frozenset(
    """
    atlas bed building canvas ceiling christmas clothing during evening gas hundred king lens morning
    painting pajamas pyjamas red ring sing spring string swing thing wedding wing
    """.split()  # noqa: SIM905
)
_NO_VERB = re.compile(r"(?:a|ity|ness|tion|..ie)$")
_ENDING_IN_IE = frozenset("brownie cookie die hoodie lie movie pie selfie tie zombie".split())  # noqa: SIM905
# Verbs in which "e" is not told by the letters before it, as in "change" beside "hang".
_ENDING_IN_E = frozenset(
    """
    arrange change combine create exchange examine explore imagine paste range receive taste
    """.split()  # noqa: SIM905
)

PLACE_WORDS = frozenset(
    """
    airport aquarium backyard balcony bar barn bathroom bay beach bedroom boat bridge cafe café campsite
    castle cathedral cave church cinema city classroom cliff coast countryside court desert dock farm field
    fields fjord forest fountain garage garden gym hall harbor harbour hill hills home hospital hotel house
    island jungle kindergarten kitchen lake library market meadow mosque mountain mountains museum office
    park pier playground pond pool port porch pub restaurant river road roof room sauna school sea shop
    shore slope snow square stable stadium station street supermarket temple tent terrace theatre tower town
    train university valley vineyard village waterfall wood woods yard zoo
    """.split()  # noqa: SIM905
)
_PLACE_PHRASE = LazyPattern(
    r"\b(?:in|at|on|by|near|beside|inside|outside)\s+(?:the|a|an|his|her|their|its)\s+(?:[^\W\d_]+\s+){0,2}?"
    rf"(?:{'|'.join(sorted(PLACE_WORDS, key=len, reverse=True))})\b"
)
_WORD = re.compile(r"\w+(?:['-]\w+)*|[\u2190-\u2bff\u3030\U0001f000-\U0001faff]")


def content_words(text: str) -> list[str]:
    """The words of a text that a caption, a place or a file name could hold, in order, each once."""
    words = [re.sub(r"'s?$", "", word) for word in _WORD.findall(text)]
    kept = [word for word in words if not is_empty(word)]
    return list({word.casefold(): word for word in kept}.values())


def is_empty(word: str) -> bool:
    """Whether a word says nothing about what is on a photo."""
    return word.casefold() in FUNCTION_WORDS or word.casefold() in PHOTO_WORDS or len(word.strip("'-_")) == 0


def in_letters_and_digits(word: str) -> tuple[str, ...]:
    """A word; a number in letters and in digits, as captions may have either."""
    other = DIGITS.get(word.casefold()) or _LETTERS.get(word)
    return (word, other) if other else (word,)


def word_forms(word: str) -> tuple[str, ...]:
    """A word with its other numbers and tenses; first as it is.

    Whether it is a noun or a verb is not known, so "garden" is also looked for as "gardening".
    """
    plain = word.casefold()
    if not plain.isalpha() or not plain.isascii() or len(plain) < 3:
        return (plain,)
    base = _base_of(plain)
    forms = [plain]
    for stem in filter(None, (base, _SAME.get(base))):
        forms += [stem, plural(stem)]
        if stem in _PASTS or not (stem in IRREGULAR_PLURALS or stem in _PLAIN or _NO_VERB.search(stem)):
            short = _before_ending(stem)
            past = f"{stem[:-1]}ied" if re.search(r"[^aeiou]y$", stem) else f"{short.removesuffix('e')}ed"
            forms += [
                f"{short[:-2]}ying" if short.endswith("ie") else f"{short}ing",
                *_PASTS.get(stem, (past,)),
            ]
    return tuple(dict.fromkeys(forms))


def _base_of(word: str) -> str:
    """The singular or the infinitive of a word, by the rules of regular English spelling."""
    if word in _BASES:
        return _BASES[word]
    if word in _PLAIN or word in _PASTS:
        return word
    if word.endswith("ying") and (base := f"{word[:-4]}ie") in _ENDING_IN_IE:
        return base
    for ending in ("ing", "ed"):
        stem = word.removesuffix(ending)
        # A stem has a vowel: "red" and "spring" are no forms.
        if stem != word and len(stem) > 1 and re.search("[aeiouy]", stem) and not word.endswith("eed"):
            return f"{stem[:-1]}y" if ending == "ed" and stem.endswith("i") else _infinitive(stem)
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        single = word[:-1]
        if word.endswith("ies") and single not in _ENDING_IN_IE:
            return f"{word[:-3]}y"
        return single[:-1] if re.search(r"(?:ss|x|zz|ch|sh)e$", single) else single
    return word


def _infinitive(stem: str) -> str:
    """Give back what a verb has lost or doubled before "ing" and "ed"."""
    if f"{stem}e" in _ENDING_IN_E or f"{stem}e" in _PASTS:
        return f"{stem}e"
    if stem in _PASTS:
        return stem
    if re.search(r"([bdgmnprt])\1$", stem):
        return stem[:-1]
    is_short = re.fullmatch(r"[^aeiou]*[aeiou][^aeiouwxy]", stem) is not None
    lost = r"(?:c|v|z|u|[^aeiou]l|[^s]s|[dr]g|[^aeiou]ag|[^aeou]at)$"
    has_lost = is_short or (re.search(lost, stem) and not re.search(r"(?:[rw]l|ll)$", stem))
    return f"{stem}e" if has_lost else stem


def _before_ending(stem: str) -> str:
    """A verb as it stands before "ing": "smil", "runn", "walk"."""
    if stem.endswith("e") and not stem.endswith(("ee", "oe", "ye", "ie")):
        return stem[:-1]
    is_doubled = re.fullmatch(r"(?:[^aeiou]|qu)*[aeiou][bdgmnprt]", stem) is not None
    return stem + stem[-1] if is_doubled else stem


_BASES = {form: base for base, form in IRREGULAR_PLURALS.items()} | {
    form: base for base, forms in _PASTS.items() for form in forms
}


def places_in(caption: str) -> list[str]:
    """What a caption says of the place, as inside a sentence: "at the Café", "in the living room"."""
    found = [" ".join(match[0].split()) for match in _PLACE_PHRASE.finditer(caption)]
    return list({place.casefold(): f"{place[0].lower()}{place[1:]}" for place in found}.values())
