"""Names in texts, and counts and lists in words."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photopal.text import (
    LIKE_A_NAME,
    count,
    fold,
    join_words,
    name_key,
    name_spans,
    names_in,
    nearest,
    plural,
    replace_name,
    suggest,
    write_over,
)

NAMES = [
    "Anna",
    "Anna Maria",
    "राम",
    "Straße",
    "李雷",
    "José",
    "O'Neil",
    "👩",
    "👍",
    "ส้ม",
    "C++",
    "佐々木",
    "민수",
    "지현",
    "수",
]


def found(text, names=NAMES, **more):
    return [text[start:end] for start, end, _ in name_spans(text, names, **more)]


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("O'Neil", "O’NEIL"),
        ("José", "Jose\u0301"),
        ("Straße", "STRASSE"),
        ("Anna Maria", " anna\tMARIA"),
        ("❤", "❤️"),
    ],
)
def test_names_that_are_found_as_one_have_one_key(name, other):
    assert name_key(name) == name_key(other)
    assert found(other.strip(), [name]) == [other.strip()]
    assert name_key(name) != name_key(f"{name}a")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Anna, anna's and (ANNA)", ["Anna", "anna", "ANNA"]),
        ("Annabel, Hanna, Anna_1, Anna2", []),
        ("Anna  Maria\nand Anna", ["Anna  Maria", "Anna"]),
        ("Anna-Lena", ["Anna"]),
        ("राम", ["राम"]),
        ("रामा रामः", []),
        ("in der STRASSE, Straßen, straße!", ["STRASSE", "straße"]),
        ("我和李雷去公园", ["李雷"]),
        ("我和Anna去公园", ["Anna"]),
        ("佐々木さん", ["佐々木"]),
        ("กินส้มตำ", ["ส้ม"]),
        ("민수가 지현이랑 바다에, 민수의 개; 지현은 민수씨와", ["민수", "지현", "민수", "지현", "민수"]),
        ("민수진이, 민수은, 김민수가, 민수가방, 수가", []),
        ("Jose\u0301 and JOSÉ, not Jose", ["Jose\u0301", "JOSÉ"]),
        ("O’Neil's hat", ["O’Neil"]),
        ("a 👩, no 👩\u200d👧, no 👩🏽, no 👍🏿, 👍\ufe0f", ["👩", "👍\ufe0f"]),
        ("C++ and C+++", ["C++", "C++"]),
        ("Anna\u0301", []),
        ("", []),
    ],
)
def test_names_are_found_as_whole_words_at_their_places(text, names):
    assert found(text) == names


def test_a_known_name_with_a_hyphen_is_not_the_shorter_one():
    assert found("Anna-Lena and Anna", ["Anna", "Anna-Lena"]) == ["Anna-Lena", "Anna"]


def test_a_name_is_not_found_in_half_a_letter():
    assert found("ß and ŉ", ["s", "ss", "n"]) == ["ß"]
    assert found("한 하", ["하"]) == ["하"]


def test_case_counts_where_it_is_asked_to():
    assert found("anna Anna", ["Anna"], ignore_case=False) == ["Anna"]
    assert found("STRASSE Straße", ["Straße"], ignore_case=False) == ["Straße"]


def test_names_are_told_in_their_own_order_each_once():
    assert names_in("Anna Maria, José and anna maria", ["José", "Anna", "Anna Maria"]) == [
        "José",
        "Anna Maria",
    ]
    assert names_in("nobody", []) == []
    assert names_in("nobody", ["", " "]) == []


TEXTS = st.lists(
    st.one_of(st.sampled_from([*NAMES, " ", "'s", "\u0301", "\u200d"]), st.text(max_size=4))
).map("".join)


@given(text=TEXTS, names=st.lists(st.one_of(st.sampled_from(NAMES), st.text(max_size=4)), max_size=4))
def test_spans_hold_their_names_and_never_overlap(text, names):
    end = 0
    for start, stop, index in name_spans(text, names):
        assert end <= start < stop <= len(text)
        end = stop
        same = name_spans(text[start:stop], names)
        assert [(0, stop - start, index)] == same
        plain = [
            fold(word.replace("’", "'").replace("\ufe0f", "")) for word in (text[start:stop], names[index])
        ]
        if plain[0].isascii():
            assert plain[0] == plain[1]


@given(
    name=st.sampled_from(NAMES),
    before=st.sampled_from(["", "(", "我", ". "]),
    after=st.sampled_from(["", "'s", ", "]),
)
def test_however_a_name_is_encoded_it_is_found(name, before, after):
    for form in ("NFC", "NFD"):
        for cased in (name, name.upper(), name.lower()):
            written = unicodedata.normalize(form, cased)
            assert found(f"{before}{written}{after}", [name]) == [written]


def test_a_replaced_name_leaves_others_alone():
    text = "Anna, Anna Maria and anna"
    assert replace_name(text, "Anna", "Eva", others=["Anna Maria"]) == "Eva, Anna Maria and anna"
    assert write_over("abc", [(0, 1, "x"), (2, 3, "")]) == "xb"


def test_the_nearest_name_is_suggested():
    assert suggest("ana", ["Rex", "Anna"]) == 'Did you mean "Anna"?'
    assert suggest("Zzz", ["Rex", "Anna"]) is None
    assert nearest("STRASE", ["Straße"]) == "Straße"
    assert nearest("Anja", ["Anna"], cutoff=0.9) is None


@pytest.mark.parametrize(
    ("word", "name"), [("bne", "Ben"), ("reks", "Rex"), ("loe", "Leo"), ("mya", "Mia"), ("Fil", "Phil")]
)
def test_a_short_name_is_meant_with_letters_swapped_or_as_it_sounds(word, name):
    assert nearest(word, ["Anna", name], cutoff=LIKE_A_NAME) == name


@pytest.mark.parametrize("word", ["bed", "pen", "neb", "red", "x"])
def test_another_short_word_is_no_name(word):
    assert nearest(word, ["Ben", "Rex"], cutoff=LIKE_A_NAME) is None


@pytest.mark.parametrize(
    ("noun", "plurals"),
    [
        ("photo", "photos"),
        ("lens", "lenses"),
        ("city", "cities"),
        ("day", "days"),
        ("box", "boxes"),
        ("match", "matches"),
        ("person", "people"),
        ("more file", "more files"),
    ],
)
def test_nouns_have_their_plural(noun, plurals):
    assert plural(noun) == plurals
    assert [count(number, noun) for number in (0, 1, 2000)] == [
        f"0 {plurals}",
        f"1 {noun}",
        f"2,000 {plurals}",
    ]


def test_words_are_joined_as_in_a_sentence():
    assert [join_words("abc"[:length]) for length in range(4)] == ["", "a", "a and b", "a, b and c"]
    assert join_words(["a", "b"], last="or") == "a or b"
    assert join_words(["a", "b", "c"], most=2) == "a, b and others"
