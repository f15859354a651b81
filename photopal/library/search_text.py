"""The form in which words are indexed and looked for, whatever their script and spelling; knows no table."""

from __future__ import annotations

import re
import unicodedata

_UMLAUTS = (("ae", "ä"), ("oe", "ö"), ("ue", "ü"))
_SAINT = re.compile(r"\b(?:st|saint|sankt|ste|sainte)\b\.?", re.IGNORECASE)
_MOST_SPELLINGS = 8


def spellings(words: str) -> list[str]:
    """Return words as typed and as they may be spelled elsewhere: "Müller", "Mueller"."""
    forms = [words]
    folded = unicodedata.normalize("NFC", words).casefold()
    if any(umlaut in folded for _, umlaut in _UMLAUTS):
        changed = folded
        for pair, umlaut in _UMLAUTS:
            changed = changed.replace(umlaut, pair)
        forms.append(changed)
    elif any(pair in folded for pair, _ in _UMLAUTS):
        changed = folded
        for pair, umlaut in _UMLAUTS:
            changed = changed.replace(pair, umlaut)
        forms.append(changed)
    if " " in words.strip() and _SAINT.search(words):
        forms += [_SAINT.sub(saint, form) for form in list(forms) for saint in ("st", "saint", "sankt")]
    return forms[:_MOST_SPELLINGS]


# Scripts whose words are not set apart, or are joined freely: Thai to Khmer, kana, Han, Hangul.
_RUNS = (
    (0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x3005, 0x3007), (0x3040, 0x30FF),
    (0x31F0, 0x31FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xAC00, 0xD7A3), (0xF900, 0xFAFF),
    (0x20000, 0x3FFFF),
)  # fmt: skip
_UNSPACED = re.compile("[" + "".join(f"{chr(first)}-{chr(last)}" for first, last in _RUNS) + "]")
_PLAIN_LETTERS = str.maketrans(
    {"ø": "o", "đ": "d", "ð": "d", "ł": "l", "æ": "ae", "œ": "oe", "þ": "th", "ı": "i", "ħ": "h", "\x00": " "}
)
_ACCENTS = re.compile("[\u0300-\u036f]")


def index_text(text: str | None) -> str | None:
    """Return the form of a text that is indexed, and that what is typed is brought into.

    Case and accents are folded, ß is ss, wide letters are plain ones. Letters of scripts that are written
    without spaces stand alone, so that 北京 is found in 2021北京旅行 as two that follow each other; an emoji
    becomes a word.
    """
    if text is None or text.isascii():
        return text
    plain = unicodedata.normalize("NFKD", text.casefold()).translate(_PLAIN_LETTERS)
    plain = unicodedata.normalize("NFC", _ACCENTS.sub("", plain))
    if not (_UNSPACED.search(plain) or any(map(_is_symbol, plain))):
        return plain
    pieces: list[str] = []
    for letter in plain:
        if _is_symbol(letter):
            pieces.append(f" emoji{ord(letter):x} ")
        elif _UNSPACED.match(letter):
            # A vowel sign belongs to the letter before it.
            is_mark = unicodedata.category(letter)[0] == "M"
            if is_mark and pieces and pieces[-1] == " ":
                pieces.pop()
            pieces += [letter, " "] if is_mark else [" ", letter, " "]
        else:
            pieces.append(letter)
    return " ".join("".join(pieces).split())


def _is_symbol(letter: str) -> bool:
    """Whether a letter is a picture, such as an emoji."""
    return letter > "\u2100" and unicodedata.category(letter) == "So"


def has_letters(text: str) -> bool:
    """Tell whether a text has a letter, a digit or an emoji, which an index of words needs to find it."""
    return any(letter.isalnum() or _is_symbol(letter) for letter in text)
