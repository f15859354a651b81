"""Reads what photos must not show or lack, and who is alone on them: "without Anna", "no date", "nobody"."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from photopal.assistant.query.criteria import Attribute, Criteria
from photopal.assistant.query.entities import CAMERA, DATE, ENTITY, GROUP, NAME, PLACE, Entity
from photopal.assistant.query.intents import PHOTO
from photopal.assistant.query.lexicon import DOING, is_empty
from photopal.assistant.query.patterns import LazyPattern
from photopal.assistant.query.reader import CONTENT, FILLER, LINK, Reader
from photopal.library import ConceptKind

_LIST = rf"{ENTITY}(?:{LINK}{FILLER}{ENTITY})*"

_ITEM = LazyPattern(rf"(?P<link>{LINK})?(?P<words>{FILLER})(?P<entity>{ENTITY})")

_CONDITION = LazyPattern(
    r"\b(?:of|with|in|on|at|from|by|during|near|for|taken|shot|made|show(?:s|ing)?|includ(?:e|es|ing)"
    r"|contain(?:s|ing)?|featur(?:e|es|ing)|having|has|mention(?:s|ing)?|wearing|holding|is|are|was|were|that|which)\b"
)

_AUX = r"(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should)"

_NO = (
    rf"(?:(?:all|every)(?: (?:the|my|our))* {PHOTO} but(?! (?:not|no)\b)|"
    "without|w/o|with no|with neither|with none of|(?:and|but|or|yet|,) (?:not|no|none|nothing|without"
    "|never|neither)|but without|"
    "and without|no|not|never|neither|nor|none of|except(?: for| with)?|excepting|excluding|exclude|minus"
    "|sans"
    r"|other than|apart from|aside from|besides|lacking|lack|lacks|missing|leaving out|free of|empty of"
    rf"|(?:(?:that|which|who|and|but)\s+)?(?:{_AUX}n't|{_AUX} not|{_AUX} never|cannot)"
    r"|(?:all|everyone|everybody|anyone|anybody|anywhere|everywhere|anything|everything|any) but)"
)

_NEGATED = LazyPattern(rf"(?<![\w'-])(?P<no>{_NO})\s+(?P<words>{FILLER})(?P<list>{_LIST})")

# What "not" denies may be a whole "in Berlin or with Anna"; "without" stands before names only.
_DENIES_CONDITIONS = LazyPattern(rf"(?:\b(?:not|never|cannot|neither|nor)|n't)$|\bno\s+{PHOTO}\b")

_ABSENT = LazyPattern(
    rf"\b(?:(?:where|in which|on which|that|when|while)\s+(?P<list>{_LIST})\s+(?:{_AUX}(?:n't|\s+not"
    r"|\s+never)"
    rf"|(?:is|are|was|were)\s+(?:absent|missing)|absent|missing)|with\s+(?P<list2>{_LIST})\s+(?:absent"
    "|missing))"
    r"(?:\s+(?:there|in|on|at|them|it|the|photos?|pictures?|present|visible|appear|seen|included|shown"
    r"|around|home)\b)*"
    rf"(?!\s*(?:(?:in|at|from|on|with|taken|by|going|been|to)\s+)*{ENTITY})(?!\s+(?:taken|shot|from|in"
    r"|at)\b)"
)

_NOBODY = LazyPattern(
    r"(?<![\w'-])(?:(?:with|of|showing|show|shows|containing|where|that (?:have|show)|there is|there are"
    "|has|have|and|"
    r"but)\s+)*(?:nobody|no one|no-one|noone|not anyone|not anybody|none of (?:us|them))(?:\s+at all)?"
    r"(?:\s+(?:(?:that )?(?:i|we) (?:have )?)?(?:registered|enrolled))?"
    r"(?:\s+(?:is|was|are|were))?(?:\s+(?:there|in (?:it|them)|on (?:it|them)|visible|present|shown|to be"
    r" seen)\b)*"
    r"(?!\s+(?:else|but|except|other)\b)"
)

_OUTSIDE = LazyPattern(
    rf"\b(?P<no>outside(?: of)?|away from|anywhere (?:but|except)(?: in)?)\s+(?P<words>{FILLER})"
    rf"(?P<list>{_LIST})"
)

_ASKS_FOR_SOMEBODY = LazyPattern(rf"\W*{_AUX}\b(?!.*\b{PHOTO}\b).*{GROUP}")

_COMPARES = LazyPattern(r"\b(?:more|fewer|less|most|fewest|often)\b.*\b(?:than|or)\b")

_NEGATED_WORDS = LazyPattern(
    r"(?<![\w'-])(?:without|w/o|with no|(?:and|but) (?:no|not)|no|not|except(?: for)?|excluding"
    rf"|minus)\s+(?P<filler>{FILLER})"
    rf"(?P<words>{CONTENT}(?:\s+{CONTENT}){{0,2}}(?:{LINK}{FILLER}{CONTENT}(?:\s+{CONTENT}){{0,2}})*)"
)

_WORD_ITEM = LazyPattern(rf"(?P<link>{LINK})?(?P<filler>{FILLER})(?P<words>{CONTENT}(?:\s+{CONTENT}){{0,2}})")

# "Without Anna and dogs" and "without dogs and Anna": whether what follows is denied too cannot be told.
_GOES_ON = LazyPattern(
    rf"\s*,?\s*(?P<link>\b(?:and|or|nor)\b|&)\s*(?:(?:an?|any|the|my|our)\s+)*(?:(?P<word>{CONTENT})|{ENTITY})"
)

_ALONE = LazyPattern(
    r"(?:\b(?:all |completely |quite )?alone\b(?:(?! (?:in|with)\b(?! (?:the|an?)\b))"
    rf"|(?= with {NAME}(?!\s*(?:,|or\b))))"
    r"|\bby (?:her|him|it|them)sel(?:f"
    r"|ves)\b"
    r"|\bon (?:her|his|its|their) own\b"
    r"|\b(?:just|only|exclusively|solely|nobody but|no one but|no-one but|nobody except|no one except"
    "|noone but|nobody other than"
    rf"|no one other than|nothing but)(?=(?:\s+(?:of|with|by|shows?|showing|containing))*\s+{NAME})"
    r"|\b(?:with |and |but )*(?:without |with )?(?:nobody|no one|no-one|noone|no other people|no other person"
    r"|(?:any(?:one|body)|someone|somebody|others?) else|no others?|any others?|other people|anyone else)"
    r"(?: else)?(?= *(?:[?.!,]|$|in\b|at\b|on\b|from\b|there\b))"
    rf"|\bsolo\b|(?<={NAME}) only\b)"
)

_WHO_ALONE = LazyPattern(
    rf"(?<=\bwho )(?:(?:is|was|are|were) )?(?:all )?alone\b|(?<={GROUP} )(?:(?:is|was|are|were) )?(?:all"
    r" )?alone\b"
)

_WITH_OTHERS = LazyPattern(
    r"(?<!not )(?<!n't )\b(?:with|and|together with)\s+(?:(?:(?:any|some)(?:one|body) else|others)\b"
    rf"|(?:(?:some |any )?other|another)\s+(?P<group>{GROUP}))"
    r"|(?:\b(?:is|are|was|were)\s*)?(?:\b(?:not|never)|n't)\s+(?:all |completely |quite )?alone\b"
)

_EVERYONE = LazyPattern(
    r"(?:\b(?:with|of|show(?:s|ing)?)\s+|^)(?:everyone|everybody|all of us)\b(?! (?:but|except))"
)

_ATTRIBUTES: tuple[tuple[Attribute, str], ...] = (
    ("caption", r"(?:captions?|descriptions?)"),
    ("date", r"(?:dates?|time ?stamps?|date taken|time|date or time|dates? (?:and|or) times?)"),
    ("place", r"(?:(?:gps )?(?:locations?|positions?|coordinates|gps(?: data)?)|places?|geotags?|geo ?data)"),
    ("camera", r"(?:cameras?(?: (?:name|model|make))?|camera information|camera data)"),
    ("rating", r"(?:ratings?|stars?)"),
)

_LACKING = (
    rf"(?:(?:that |which |and |but |who )*(?:{_AUX}n't|{_AUX} not|{_AUX})?\s*(?:have |has |having |had"
    " )?(?:got )?"
    "(?:without|w/o|with no|with neither|neither|no|not|lacking|lack|lacks|missing|with missing|with"
    " unknown|unknown|n't|never)"
    r"|(?:that |which |and |but |who )*(?:do|does|did)(?:n't| not) (?:have|carry|contain))"
)

# "That do not date from 2021".
_NO_VERB = r"(?!(?:(?:that|which|and|but) )*(?:do|does|did)(?:n't| not) (?:date|time|rate)\b)"

_ADJECTIVES = r"(?:(?:an?|any|the|known|recorded|exact|yet|stored|valid|capture|creation|taken)\s+)*"

_UN: tuple[tuple[Attribute, str], ...] = (
    ("caption", r"uncaptioned|not (?:yet )?captioned(?: yet)?|not (?:yet )?described|captionless"),
    ("date", r"undated|not dated|dateless"),
    ("place", r"not geo-?tagged|unlocated|not located|not geocoded"),
    ("rating", r"unrated|not (?:yet )?rated(?: yet)?"),
)

_NEGATED_VERB = LazyPattern(
    rf"^(?P<aux>is|are|was|were|do|does|did|has|have|had)(?:n't|(?P<subject>\s+(?:{NAME}(?:{LINK}{NAME})*"
    r"|i|we|there|you))\s+(?:not|never))\b"
    rf"|^(?P<aux2>is|are|was|were|do|does|did|has|have|had) not\b(?=\s+(?:{NAME}|i|we|there|you)\b)"
)

# "Who was neither in Berlin nor in Rome?" asks like "who was not in Berlin or in Rome?".
_WHO_NEITHER = LazyPattern(
    rf"^(?P<who>(?:who|(?:which|what) {GROUP}) {_AUX}) neither\b"
    rf"(?P<one>(?:(?!\bnor\b)[^{NAME[1:-1]}])*)\bnor\b(?P<two>[^,{NAME[1:-1]}]*)$"
)

_NOT_ONLY = LazyPattern(
    r"(?:\bnot|n't) (?:only|just|exclusively|solely)\b|\bno longer\b|\bany ?more\b(?! than)"
)

# "Where nobody sleeps", "without Anna smiling", "not riding a bike": which word is denied cannot be told.
_VERB_FOLLOWS = LazyPattern(rf"\s+(?=\w+ing\b){CONTENT}")
_ANY_FOLLOWS = LazyPattern(rf"\s+{CONTENT}")
_OBJECT_FOLLOWS = LazyPattern(
    rf"\s+(?:(?:on|in|at|with|to|an?|the|any|his|her|their|its|my|our)\s+)+{CONTENT}"
)
_ENTITY_FOLLOWS = LazyPattern(rf"\s+(?:(?:from|in|on|at|to|of|by|with|the)\s+)*(?:{PLACE}|{DATE}|{CAMERA})")

# What the readers below look for has one of these words; without one, nothing need be compiled.
_OF_ATTRIBUTES = LazyPattern(
    r"caption|descri|date|time|location|located|position|coordinates|gps|place|geo|camera|rat(?:ing|ed)|star"
)

_OF_COMPANY = LazyPattern(
    r"\b(?:alone|\w*sel(?:f|ves)|own|only|just|exclusively|solely|nobody|no[ -]?one|nothing|else|others?"
    r"|another|solo|every\w+|all of us)\b"
)

_OF_NEGATIONS = LazyPattern(
    r"n't\b|\b(?:no|not|without|w/o|never|neither|nor|none|nobody|no[ -]?one|except\w*|exclud\w*|minus|sans"
    r"|other|apart|aside|besides|lack\w*|missing|leaving|free|empty|cannot|absent|outside|away|anywhere|but)\b"
)


def read_attributes(reader: Reader) -> None:
    """Photos with or without a caption, a date, a place or a camera."""
    if not _OF_ATTRIBUTES.search(reader.text):
        return
    has: dict[Attribute, bool] = {}

    def noting(attribute: Attribute, *, is_known: bool) -> Callable[[re.Match[str]], str]:
        def use(match: re.Match[str]) -> str:
            has[attribute] = is_known
            if other := match.groupdict().get("other"):
                has[next(n for n, p in _ATTRIBUTES if re.fullmatch(p, other, re.IGNORECASE))] = False
            return ""

        return use

    for name, pattern in _UN:
        reader.take(
            re.compile(rf"\b(?:that |which )?(?:(?:are|is|were) )?(?:{pattern})\b", re.I),
            noting(name, is_known=False),
        )
    for name, pattern in _ATTRIBUTES:
        other = "|".join(p for n, p in _ATTRIBUTES if n != name)
        negative = (
            rf"(?<![\w'-]){_NO_VERB}{_LACKING}\s+{_ADJECTIVES}{pattern}(?: (?:is|was) known)?(?: yet| at"
            rf" all)?\b(?!\s+(?:of|{NAME}))"
        )
        again = rf"(?:\s*(?:,|and|or|nor)\s+{_ADJECTIVES}(?:no\s+)?(?P<other>{other})\b)?"
        reader.take(re.compile(negative + again, re.I), noting(name, is_known=False))
        reader.take(
            re.compile(
                rf"\b(?:where|whose)\s+(?:the\s+)?{pattern}\s+(?:is|are|was)(?:n't| not) known\b"
                rf"|\b(?:whose|with)\s+(?:the\s+|an?\s+)?(?:unknown\s+{pattern}"
                rf"|{pattern}\s+(?:is\s+)?(?:unknown|missing))\b",
                re.I,
            ),
            noting(name, is_known=False),
        )
        reader.take(
            re.compile(
                r"\b(?:with|(?:that |which )?ha(?:ve|s)(?: got)?)\s+(?:an?\s+|the\s+)?(?:known\s+"
                rf"|recorded\s+)?{pattern}\b"
                rf"(?!\s*(?:of|called|{NAME}|{CAMERA}|{DATE}|with|were|did|was|took|that))(?=\s*(?:$"
                r"|[?.!,]|and\b|in\b|but\b|from\b|do\b|are\b))",
                re.I,
            ),
            noting(name, is_known=True),
        )
    reader.take(
        re.compile(rf"\b(?:that |which )?(?:are |is )?dated\b(?!\s*{DATE})", re.I),
        noting("date", is_known=True),
    )
    reader.take(
        re.compile(r"\b(?:that |which )?(?:are |is )?(?:geo-?tagged)\b", re.I), noting("place", is_known=True)
    )
    reader.take(
        re.compile(r"\b(?:that |which )?(?:are |is )captioned\b", re.I), noting("caption", is_known=True)
    )
    reader.take(
        re.compile(r"\b(?:that |which )?(?:(?:are|is|were|have been) )?rated\b", re.I),
        noting("rating", is_known=True),
    )
    reader.criteria = replace(reader.criteria, has=tuple(has.items()))


def read_alone(reader: Reader, *, of: Criteria | None = None) -> None:
    """Somebody alone, with others, or all people together.

    Args:
        reader: The text.
        of: The photos that a share is asked of; whom they show may be alone too.
    """
    if not _OF_COMPANY.search(reader.text):
        return

    def only_kind(match: re.Match[str]) -> str:
        kind = reader.marked.at(match["group"]).value
        other: ConceptKind = "pet" if kind == "person" else "person"
        without = tuple(dict.fromkeys([*reader.criteria.without_kinds, other]))
        reader.criteria = replace(reader.criteria, without_kinds=without)
        return match["group"]

    reader.take(
        re.compile(rf"\b(?:only|just|exclusively)\s+(?:of\s+|with\s+)?(?P<group>{GROUP})", re.I),
        only_kind,
    )

    def with_others(match: re.Match[str]) -> str | None:
        # Of "Anna or Ben with others" it is not known who the others are.
        if re.search(rf"{NAME}\s*,?\s*\bor\b\s*{NAME}", reader.text, re.IGNORECASE):
            return None
        # "Is Rex never alone?" is answered by the photos where he is.
        if re.search(r"\bnever\b", match[0], re.I) and re.match(r"(?:is|are|was|were)\b", reader.text, re.I):
            return None
        if match["group"]:
            kinds = (*reader.criteria.other_kinds, reader.marked.at(match["group"]).value)
            reader.criteria = replace(reader.criteria, other_kinds=tuple(dict.fromkeys(kinds)))  # type: ignore[arg-type]
        else:
            reader.criteria = replace(reader.criteria, with_others=True)
        return ""

    def alone(match: re.Match[str]) -> str | None:
        is_question = re.match(
            r"^(?:any|some)|^others?|^other people",
            re.sub(r"^(?:with|and|but) ", "", match[0].strip(), flags=re.I),
            re.I,
        )
        if is_question and not re.match(r"without", match[0].strip(), re.IGNORECASE):
            return None
        reader.criteria = replace(reader.criteria, is_alone=True)
        return ""

    if not (re.search(NAME, reader.text) or (of and (of.names or of.any_names))):
        reader.take(_WHO_ALONE, alone)
        _read_everyone(reader)
        return
    reader.take(_WITH_OTHERS, with_others)
    reader.take(_ALONE, alone)
    _read_everyone(reader)


def _read_everyone(reader: Reader) -> None:
    def everyone(_match: re.Match[str]) -> str | None:
        if not reader.known.people:
            return None
        reader.criteria = replace(reader.criteria, names=tuple(reader.known.people))
        return ""

    reader.take(_EVERYONE, everyone)


def read_negations(reader: Reader) -> None:
    """What must not be on the photos, or not hold for them."""
    if not _OF_NEGATIONS.search(reader.text):
        return

    reader.text = _WHO_NEITHER.sub(r"\g<who> not\g<one>or\g<two>", reader.text)

    def absent(match: re.Match[str]) -> str | None:
        reader.has_negation = True
        if not re.search(r"\b(?:absent|missing)\b", match[0], re.IGNORECASE) and _ANY_FOLLOWS.match(
            reader.text, match.end()
        ):
            reader.unclear.append("not")
        reader.exclude(reader.marked_in(match["list"] or match["list2"]))
        return ""

    def outside(match: re.Match[str]) -> str | None:
        reader.has_negation = True
        entities, rest = _denied(reader, match)
        reader.exclude(entities)
        return rest

    def nobody(match: re.Match[str]) -> str | None:
        start = match[0].casefold()
        rest = reader.text[match.end() :]
        before = reader.text[: match.start()].strip()
        is_subject = re.fullmatch(rf"(?:{_AUX}|why|when|where)(?: there| {_AUX})?", before, re.IGNORECASE)
        is_statement = not before and re.search(rf"\b{_AUX}\s*$", match[0], re.IGNORECASE)
        asks_for_none = re.search(rf"\b{_AUX}$", before, re.IGNORECASE) and start.startswith("no")
        is_perfect = not before and re.match(r"(?:has|have)\b", start)
        if is_subject or asks_for_none or is_perfect or (is_statement and rest.strip(" ?.!")):
            return None
        is_where = re.match(r"where\b", start)
        if _ANY_FOLLOWS.match(reader.text, match.end()) if is_where else _verb_follows(reader, match):
            reader.unclear.append("nobody")
        reader.has_negation = True
        kinds = (*reader.criteria.without_kinds, "person")
        reader.criteria = replace(reader.criteria, without_kinds=tuple(dict.fromkeys(kinds)))
        return ""

    if not_only := _NOT_ONLY.search(reader.marked.text):
        reader.unclear.append(not_only[0])
    reader.take(_ABSENT, absent)
    reader.take(_OUTSIDE, outside)
    reader.take(_NEGATED, lambda m: None if _asks_who_is_missing(reader, m) else _negated(reader, m))
    reader.take(_NOBODY, nobody)
    reader.take(_NEGATED_WORDS, lambda match: _negated_words(reader, match))


def _denied(reader: Reader, match: re.Match[str]) -> tuple[list[Entity], str]:
    """What of the list behind a "without" or "not" is denied, and the rest, a condition of its own.

    "Without Anna, in Berlin" has such a rest; "not in Berlin, in Lisbon or in Nara" and "without Anna, Ben"
    go on with the list. What can be read both ways is noted as unclear, and denied.
    """
    preposition = _condition_of(match["words"])
    denies_conditions = _DENIES_CONDITIONS.search(f"{match['no']} {match['words']}".strip())
    denied: list[Entity] = []
    for item in _ITEM.finditer(match["list"]):
        [entity] = reader.marked_in(item["entity"])
        own = _condition_of(item["words"])
        is_alike = not denied or (_topic(entity) == _topic(denied[-1]) and own in ("", preposition))
        if not is_alike:
            link = item["link"].casefold()
            if re.search(r"\bor\b", link):
                if not denies_conditions:
                    reader.unclear.append("or")
            elif "nor" not in link:
                # The mark of "in Berlin" has the "in" in it.
                if own or _topic(entity) != "seen" or link.strip() == ",":
                    return denied, match["list"][item.start("words") :]
                reader.unclear.append("and")
        denied.append(entity)
    if denied and _topic(denied[-1]) == "seen" and _verb_follows(reader, match):
        reader.unclear.append(match["no"])
    after = _GOES_ON.match(reader.text, match.end())
    word = after["word"] if after else None
    if after and word and not (is_empty(word) or _CONDITION.search(word) or DOING.search(word.casefold())):
        reader.unclear.append(after["link"])
    return denied, ""


def _condition_of(words: str) -> str:
    """The last word of some that begins a condition: "in" of "taken in the"; empty where none does."""
    found = [match[0].casefold() for match in _CONDITION.finditer(words)]
    return found[-1] if found else ""


def _verb_follows(reader: Reader, match: re.Match[str]) -> bool:
    """Whether what was found is followed by a verb such as "smiling"."""
    word = _VERB_FOLLOWS.match(reader.text, match.end())
    return word is not None and DOING.search(word[0]) is not None


def _topic(entity: Entity) -> str:
    """What can stand in one list: places, dates, cameras, or whatever is seen on photos."""
    return entity.kind if entity.kind in ("place", "date", "camera", "rating") else "seen"


def _asks_who_is_missing(reader: Reader, match: re.Match[str]) -> bool:
    """Whether "missing" in "who is missing in Berlin?" is what is asked; "not missing" is not understood."""
    before = reader.text[: match.start()].strip()
    if not re.match(r"missing\b", match[0], re.IGNORECASE):
        return False
    if re.search(r"(?:\bnot|n't)$", before, re.IGNORECASE):
        reader.unclear.append("not")
    return _IS_WHO_THERE.fullmatch(before) is not None


_IS_WHO_THERE = LazyPattern(rf"(?:who|(?:which|what) {GROUP}) (?:has|have|had|is|are|was|were)")


def _negated(reader: Reader, match: re.Match[str]) -> str | None:
    """Use "without Anna"; but "isn't Anna there?" and "no photos of Anna?" ask for yes or no."""
    start = match[0].casefold()
    is_order = re.match(r"(?:do not|don't|never) (?:show|list|find|give|display|include|want)\b", start)
    if (
        not is_order
        and match.start() == 0
        and re.match(rf"(?:(?:who|which)\s+)?{_AUX}(?:n't| not| never)", start)
    ):
        return None
    if re.match(r"(?:who|which|what)\b.*$", reader.text[: match.start()].casefold() or "-") and re.match(
        rf"(?:{_AUX}(?:n't| not| never)|never|not)\b", start
    ):
        head = reader.text[: match.start()].strip().casefold()
        if re.fullmatch(rf"(?:who|which {GROUP}|what {GROUP}|who {_AUX})", head):
            return None
    if re.match(
        rf"^(?:is|are|was|were|did|does|do|has|have|had)\s+(?:{NAME}|i|we)(?:{LINK}{NAME})*\s*$",
        reader.text[: match.start()],
        re.I,
    ) and re.match(r"(?:not|never)\b", start):
        return None
    before = reader.text[: match.start()].casefold()
    is_of_verb = re.match(
        r"(?:are|is|were|was) there $|(?:do|did|have|has) (?:i|we|you) (?:have |take |got )?$", before
    )
    has_no = is_of_verb or _IS_WHO_THERE.fullmatch(before.strip())
    if has_no and start.startswith("no "):
        return None
    entities, rest = _denied(reader, match)
    others = f"{reader.text[: match.start()]} {rest} {reader.text[match.end() :]}"
    if _is_of_who(reader, match, entities, others):
        return rest
    listed = {(e.kind, e.value) for e in entities}
    if _COMPARES.search(reader.text) and any((e.kind, e.value) in listed for e in reader.marked_in(others)):
        return None
    if start.startswith("or without ") and re.search(
        r"\b(?:more|fewer|less|most|often)\b", reader.text, re.I
    ):
        return None
    reader.has_negation = True
    reader.exclude(entities)
    return rest


def _is_of_who(reader: Reader, match: re.Match[str], entities: list[Entity], others: str) -> bool:
    """Note what a question for names leaves out of its answer, not out of its photos: "who besides Anna"."""
    start, kinds = match["no"].casefold(), {entity.kind for entity in entities}
    asks_who = _asks_who(others)
    if kinds <= {"name", "group"} and re.match(
        r"(?:besides|except|other than|apart from|aside from|excluding)\b", start
    ):
        # Photos of others may show Anna too: "was anybody there besides Anna?", "who was there but pets?".
        if "group" in kinds if asks_who else _ASKS_FOR_SOMEBODY.match(others):
            reader.unclear.append(match["no"])
        if asks_who:
            reader.but_names += [entity.value for entity in entities]
        return asks_who
    if (
        asks_who
        and re.match(r"(?:and|but|yet|,) (?:not|never)\b", start)
        and kinds <= {"date", "place", "camera"}
    ):
        reader.elsewhere += entities
        return True
    return False


def _asks_who(text: str) -> bool:
    """Whether a question asks for names; "besides Anna" and "in Berlin" may stand first."""
    front = rf"(?:\s|,|\b(?:in|on|at|from|the)\b|{DATE}|{PLACE}|{CAMERA})*"
    who = rf"(?:who|whom|(?:which|what) {GROUP}|how many {GROUP})"
    return re.match(front + who, text, re.IGNORECASE) is not None


def _negated_words(reader: Reader, match: re.Match[str]) -> str | None:
    words = match["words"]
    before = reader.text[: match.start()].strip().casefold()
    if re.search(ENTITY, words) or (
        re.match(r"(?:who|why|how)\b", before) and DOING.search(match[0].casefold())
    ):
        return None
    if re.search(rf"\b{PHOTO}\b", words) or re.fullmatch(r"(?:are|is|were|was) there", before):
        return None
    if (
        re.match(r"not\b", match[0], re.I)
        and re.match(r"(?:is|are|was|were|did|does|do|has|have|who|which|where|when|why)\b", before)
        and not re.search(PHOTO, before)
    ):
        return None
    preposition, rest = _condition_of(match["filler"]), ""
    denies_conditions = _DENIES_CONDITIONS.search(match[0][: match.start("filler") - match.start()].strip())
    unclear: list[str] = []
    parts: list[str] = []
    for item in _WORD_ITEM.finditer(words):
        own = _condition_of(item["filler"])
        if parts and own not in ("", preposition) and not denies_conditions:
            if not re.search(r"\bn?or\b", item["link"], re.IGNORECASE):
                rest = words[item.start("filler") :]
                break
            unclear.append("or")
        part = " ".join(word for word in item["words"].split() if not is_empty(word))
        parts += [part] if part else []
    after = _GOES_ON.match(reader.text, match.end())
    if after and not after["word"]:
        unclear.append(after["link"])
    is_doing = bool(parts) and DOING.search(parts[-1].casefold())
    # "Not hailing from Paris" denies Paris, "not smiling in Paris" may not.
    is_joined = _OBJECT_FOLLOWS.match(reader.text, match.end()) or _ENTITY_FOLLOWS.match(
        reader.text, match.end()
    )
    if is_doing and is_joined:
        unclear.append(re.split(r"\s", match[0])[0])
    if not parts:
        return None
    reader.has_negation = True
    reader.unclear += unclear
    reader.criteria = replace(
        reader.criteria, without_words=tuple(dict.fromkeys([*reader.criteria.without_words, *parts]))
    )
    return rest


def read_negated_verb(reader: Reader) -> bool:
    """Whether the verb of a question for yes or no is negated; such a question is answered with facts."""
    match = _NEGATED_VERB.match(reader.text)
    if match:
        aux = match["aux"] or match["aux2"]
        subject = match["subject"] or ""
        reader.text = f"{aux}{subject} {reader.text[match.end() :]}".strip()
        reader.text = " ".join(reader.text.split())
        return True
    match = re.match(r"^(?P<aux>are|is|were|was) there no\b", reader.text, re.IGNORECASE)
    if match:
        reader.text = f"{match['aux']} there any{reader.text[match.end() :]}"
        return True
    match = re.match(
        rf"^(?P<aux>do|did|have|has) (?P<who>i|we|you) (?P<verb>have |take |got )?no (?={PHOTO})",
        reader.text,
        re.I,
    )
    if match:
        reader.text = f"{match['aux']} {match['who']} {match['verb'] or ''}any {reader.text[match.end() :]}"
        return True
    return False
