"""Knows which English words say something of a photo, their forms, and which are places; knows no photo."""

from __future__ import annotations

import re

FUNCTION_WORDS = frozenset(
    """
    a about again ago all along also always am an and any anybody anyone anything anywhere are around as
    at away back be because been before being between both but by can can't could did didn't do does
    doesn't doing don't done during each either else ever every everybody everyone everything few for
    from further get gets give go goes going gone got had has hasn't have haven't having he her here
    hers him his how i i'd i'll i'm i've if in inside into is isn't it its just kind let list lots many
    may me might mine more most much must my myself near neither no nobody none nor not nothing now of
    off often on once one only or other our ours ourselves out outside over own per please same several
    shall she should since so some somebody someone something somewhere sort still such than that that's
    the their theirs them then there there's these they this those through till times to together too
    under until up upon us very was wasn't we well went were weren't what what's whatever when when's
    where where's which while who who's whom whose why will with within without won't would yes yet you
    your yours
    """.split()  # noqa: SIM905 - a list literal would take a page
)
"""Words of grammar; no caption is asked to hold them."""

_PHOTO_WORDS = frozenset(
    """
    album albums appear appeared appearing appears app archive ask bring called camera cameras captured
    caption captions captioned collection contain contained containing contains count counts date dated
    dates day days depict depicts depicted different display earliest exist exists fetch file files
    filename find first follow folder folders found frequently gallery happen happened happens image
    images know known last lately latest lens lenses library located location locations look looked
    looking looks made make meet met month months name named names newest number old oldest open overall
    people's person's phone photo photo's photograph photographed photographs photography photopal
    photos pic pics picture pictured pictures place places present print question recent recently
    recognise recognised recognize recorded registered run search see seen shoot shot shots show showed
    showing shown shows own owned snap snapped use used using snaps snapshot snapshots spotted stay
    stayed take taken takes taking tell time total totally took travel travelled trip visible visit
    visited visits want week weeks weekend year years word words altogether roughly exactly ones able least
    """.split()  # noqa: SIM905
)

DOING = re.compile(
    r"\b(?!(?:evening|morning|wedding|building|king|spring|thing|something|anything|nothing|everything"
    r"|ring|string|wing|ceiling|during|being|swing|painting|clothing|according|doing|going|having|showing"
    r"|containing|looking for)\b)\w{2,}ing\b"
)
"""A verb such as "wearing", which asks for what is seen rather than for who, when or where."""

_IRREGULAR = (
    ("child", "children"), ("person", "people"), ("man", "men"), ("woman", "women"), ("foot", "feet"),
    ("mouse", "mice"), ("goose", "geese"), ("leaf", "leaves"), ("knife", "knives"), ("wolf", "wolves"),
    ("run", "ran", "running"), ("swim", "swam", "swimming"), ("sit", "sat", "sitting"),
    ("eat", "ate", "eating"), ("ride", "rode", "riding"), ("wear", "wore", "wearing"),
    ("hold", "held", "holding"), ("drink", "drank", "drinking"), ("sleep", "slept", "asleep"),
    ("stand", "stood", "standing"), ("catch", "caught", "catching"), ("throw", "threw", "throwing"),
    ("fly", "flew", "flying", "flies"), ("colour", "color"), ("grey", "gray"), ("tree", "trees"),
)  # fmt: skip

PLACE_WORDS = frozenset(
    """
    airport aquarium backyard balcony bar barn bathroom bay beach bedroom boat bridge cafe café campsite
    castle cathedral cave church cinema city classroom cliff coast countryside court desert dock farm
    field fields fjord forest fountain garage garden gym hall harbor harbour hill hills home hospital
    hotel house island jungle kindergarten kitchen lake library market meadow mosque mountain mountains
    museum office park pier playground pond pool port porch pub restaurant river road roof room sauna
    school sea shop shore slope snow square stable stadium station street supermarket temple tent
    terrace theatre tower town train university valley vineyard village waterfall wood woods yard zoo
    """.split()  # noqa: SIM905
)
_PLACE_PHRASE = re.compile(
    r"\b(?:in|at|on|by|near|beside|inside|outside)\s+(?:the|a|an|his|her|their|its)\s+(?:[a-zà-ÿ]+\s+){0,2}?"
    rf"(?:{'|'.join(sorted(PLACE_WORDS, key=len, reverse=True))})\b"
)
_WORD = re.compile(r"\w+(?:['-]\w+)*")


def content_words(text: str) -> list[str]:
    """The words of a text that a caption, a place or a file name could hold, in order, each once."""
    words = [re.sub(r"'s?$", "", word) for word in _WORD.findall(text)]
    kept = [word for word in words if not is_empty(word)]
    return list({word.casefold(): word for word in kept}.values())


def is_empty(word: str) -> bool:
    """Whether a word says nothing about what is on a photo."""
    return word.casefold() in FUNCTION_WORDS or word.casefold() in _PHOTO_WORDS or len(word.strip("'-_")) == 0


def word_forms(word: str) -> tuple[str, ...]:
    """A word with its other numbers and tenses, also some that do not exist; first as it is."""
    plain = word.casefold()
    forms = [plain]
    for group in _IRREGULAR:
        forms += group if plain in group else ()
    if not plain.isalpha() or not plain.isascii() or len(plain) < 3:
        return tuple(dict.fromkeys(forms))
    stems = {plain}
    for ending, instead in (
        ("ies", "y"),
        ("es", ""),
        ("s", ""),
        ("ing", ""),
        ("ing", "e"),
        ("ed", ""),
        ("ed", "e"),
    ):
        # "ss", as in dress, is no plural.
        if plain.endswith(ending) and len(plain) - len(ending) >= 3 and not plain.endswith("ss"):
            stems.add(plain.removesuffix(ending) + instead)
    for stem in sorted(stems):
        short = stem.removesuffix("e")
        forms += [stem, f"{stem}s", f"{stem}es", f"{short}ing", f"{short}ed"]
        forms += [f"{stem[:-1]}ies", f"{stem[:-1]}ied"] if stem.endswith("y") else []
        forms += [f"{stem}{stem[-1]}ing", f"{stem}{stem[-1]}ed"] if stem[-1] in "bdgmnprt" else []
        # "Running" and "stopped" have doubled the last letter of their stem.
        if len(stem) > 3 and stem != plain and stem[-1] == stem[-2]:
            forms.append(stem[:-1])
    return tuple(dict.fromkeys(forms))


def places_in(caption: str) -> list[str]:
    """What a caption says of the place: "at the beach", "in the living room"."""
    found = [" ".join(match[0].split()) for match in _PLACE_PHRASE.finditer(caption)]
    return list(dict.fromkeys(found))
