"""Tells from the wording of a question what is wanted; knows no photo and reads no names or dates."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

from photopal.assistant.query.entities import CAMERA, DATE, ENTITY, GROUP, NAME, PLACE
from photopal.assistant.query.lexicon import DOING, content_words
from photopal.assistant.query.patterns import LazyPattern
from photopal.vocabulary import PHOTO_WORDS

Kind = Literal[
    "concepts", "about", "count", "share", "compare", "when", "where", "who", "cameras", "lenses", "years",
    "months", "days", "exists", "find", "describe", "pixels",
]  # fmt: skip
"""What is wanted: "pixels" is whatever only a look at photos can tell."""

KINDS_OF_GROUPS: frozenset[Kind] = frozenset({"who", "where", "cameras", "lenses", "years", "months", "days"})
"""Kinds of answers that put photos into groups, of which one may have the most."""

PHOTO = r"(?:photo(?:graph)?|picture|image|pic|snapshot|snap|shot)s?"
SHOT = rf"(?:{PHOTO}|selfies?)"
"""A photo of any kind; "selfie" is also a word that captions are asked for."""

_MOST = (
    "(?:(?:different|distinct|of|my|our|the|all|other|new|old|newest|oldest|latest|first|last|recent|most"
    r"|fewest|\d+"
    r"|unique|various)\s+)*"
)
_SOMEBODY = rf"(?:{GROUP}|friends?|family members?|names?|concepts?|faces?)"
_REGION = r"(?:places?|cit(?:y|ies)|towns?|countr(?:y|ies)|locations?|villages?|regions?|destinations?)"
_END = r"(?:last|latest|newest|most recent|first|earliest|oldest)"
_CAMERA_NOUN = r"(?:cameras?|phones?|smartphones?|devices?)"
_UNIT = r"(?:year|month|day|date|season)s?"
_TOP = (
    "(?:most|least)[ -](?:often |frequently )?(?:photographed|visited|used|common|frequent|popular"
    "|pictured|seen)"
)
_EACH = r"\b(?:per|by|for each|for every|of each|in each|in every|each|every)\s+"
_LEAD = r"^(?:(?:so|and|please|hey|hi|hello|ok|well)[ ,]+)*"
_ASK = (
    rf"{_LEAD}(?:(?:can|could|would|will) you (?:please )?(?:tell me )?|(?:please )?tell me |do you know |i"
    " (?:want|would like|'d"
    r" like|wanna|need) to (?:see|know|find) |let me |(?:(?:can|could) you |please )?help me (?:to )?)?"
    "(?:please )?"
)
_COURTESY = LazyPattern(
    rf"{_LEAD}(?:(?:(?:can|could|would|will) you )?(?:please )?(?:tell|remind) (?:me|us)"
    "|do you (?:happen to )?(?:know|remember)|(?:do you have )?any idea"
    "|(?:can|could|may) (?:i|we) (?:see|know)|(?:i|we)(?: want| need| would like|'d like) to know|i wonder)"
    "(?: please)?,? "
    "(?=(?:(?:in|on|at|from|with|since) )?(?:who|whom|whose|what|when|where|which|how)\\b)"
)
_NAMES = rf"{NAME}(?:\s*(?:,|and|&)+\s*{NAME})*"
# "Was it raining when Anna came?" does not ask when.
_NOT_BESIDE = r"(?!(?:is|are|was|were|did|does|has|have|had|will)\b|do (?!you\b))"
_KINDS: tuple[tuple[Kind, str], ...] = (
    ("when", r"^how many (?:days|weeks|months|years) ago\b"),
    ("when", rf"^how old (?:is|are) (?=(?:the|my|our) {_END} {PHOTO}\b)"),
    ("months", rf"^when\b(?=.*\b(?<!at )(?:most|fewest|least) (?:of (?:the|my|our) )?{PHOTO}\b)"),
    ("days",
        (rf"^how long (?:was|were)(?= (?:{_NAMES}|{GROUP}|we|i)\s*"
        rf"(?:{PLACE}|\b(?:at|in|on|near|by|with)\b))")),
    ("days", rf"^how long did(?= (?:{_NAMES}|{GROUP}|we|i) (?:stay|spend)\b)"),
    ("where", r"\bwhen and where\b|\bwhere and when\b"),
    ("about", rf"{_ASK}(?:who|what)(?:'s| is| are| was| were) (?={_NAMES}[\s?.!,]*$)"),
    ("about", rf"^(?:who|what) (?={_NAMES} (?:is|are|was|were)[\s?.!,]*$)"),
    ("about", rf"\b(?:do|can) you (?:know|recogni[sz]e) (?={NAME})"),
    ("about",
        (rf"{_ASK}(?:tell me (?:something |more |all |everything )?|what (?:do|can) you (?:know|tell me) "
        rf"|do you know (?:anything|something) )about (?={_NAMES}[\s?.!,]*$)")),
    ("concepts",
        (r"(?:\bwho(?:m)? )?\b(?:do|can) you (?:already )?(?:know|recogni[sz]e)\b"
        r"(?=(?: already| by name| so far| (?:my|our) \w+)?[\s?.!,]*$)"
        rf"|^(?!.*\b{PHOTO}\b).*?\b(?:are |is |have i |did i )*(?:registered|enrolled)\b")),
    ("concepts",
        (f"^(?:how many|which|what) (?:{GROUP}|concepts|names) (?:do|have|did) (?:i|we|you) (?:have|own"
        r"|named|know|registered|got)\b(?: by name)?(?=[\s?.!,]*$)")),
    (
        "concepts",
        r"^(?:how many|list|show|which|what|who)(?: me)?(?: are)?(?: all| the| my)* (?:concepts|names)\b",
    ),
    (
        "concepts",
        rf"^(?:list|show|name|what are|who are)(?: me)?(?: all| of| the| my)* (?={GROUP}[\s?.!,]*$)",
    ),
    ("share",
        (r"\b(?:what|which|how (?:big|large|much|high)(?: is| a)?(?: the)?|how"
        r" many)?\s*(?:the\s+)?(?:percentage|percent|per cent|share|proportion|fraction|part)\b(?: of)?"
        "|what %(?: of)?")),
    ("cameras", rf"\b(?:which|what|how many) {_MOST}{_CAMERA_NOUN}\b(?! (?:is|are|was|were) (?:on|in)\b)"),
    ("cameras", rf"\bwhat (?:is|was|are) (?:the|my|our) {_TOP} {_CAMERA_NOUN}\b"),
    ("cameras", rf"{_EACH}(?:camera|phone)\b"),
    ("cameras", rf"^(?:list|show|name)(?: me)?(?: all| the| my)* {_CAMERA_NOUN}\b"),
    ("cameras", r"^(?:what|which one) (?=.*\b(?:taken|shot|made|photographed) with[\s?.!,]*$)"),
    ("lenses", rf"\b(?:which|what|how many) {_MOST}lens(?:es)?\b|{_EACH}lens\b"),
    ("who", rf"{_EACH}(?:{GROUP}|concept|name|one|of them)(?!\w)"),
    ("when",
        (r"\b(?:what|which) (?:year|month|day|date)\b(?=.*\b(?:first|last|oldest|newest|latest"
        r"|earliest)\b)")),
    ("years",
        (rf"\b(?:in |on )?(?:which|what|how many) {_MOST}years?\b(?! old)|{_EACH}year\b|\b(?:what|which)"
        r" (?:is|was) (?:the|my) (?:busiest|quietest) year\b")),
    ("months",
        (rf"\b(?:in |on )?(?:which|what|how many) {_MOST}months?\b(?! old)|{_EACH}month\b|\b(?:what"
        r"|which) (?:is|was) (?:the|my) (?:busiest|quietest) month\b")),
    ("days",
        (rf"\b(?:on )?(?:what|which) {_MOST}(?:day|date)s?\b(?=.*\b(?:most|fewest|least|more|busiest)\b)"
        r"|\b(?:what|which) (?:is|was) (?:the|my) (?:busiest|quietest) day\b")),
    ("days",
        (rf"\bhow many {_MOST}(?:days|dates)\b|\b(?:on )?(?:which|what) {_MOST}(?:days|dates)\b"
        rf"|{_EACH}day\b")),
    ("where", rf"\b(?:in |to |at )?(?:which|what|how many) {_MOST}(?:{_TOP} )?{_REGION}\b"),
    ("where",
        (rf"\b(?:what|which) (?:is|was|are|were) (?:the|my|our|\s)*{_TOP} {_REGION}\b|^(?:the |my"
        rf" )?{_TOP} {_REGION}\b")),
    ("where", rf"^(?:what|which)(?:'s| is| was) (?:the|my|our) (?={_END} {_REGION}\b)"),
    ("where", rf"{_EACH}(?:place|city|country|location|town)\b"),
    ("where", rf"^(?:list|show|name|give)(?: me)?(?: a list of)?(?: all| the| my)* {_REGION}\b"),
    ("who",
        (rf"\b(?:what|which|who) (?:is|was|are|were) (?:the|my|our|\s)*{_TOP} {_SOMEBODY}(?!\w)|^(?:the "
        rf"|my )?{_TOP} {_SOMEBODY}(?!\w)")),
    ("count",
        (rf"\bhow (?:many|much) {_MOST}{PHOTO}\b|\bhow (?:often|many times|frequently)\b|^count\b(?:"
        f" (?:the|my|all))*(?: {PHOTO})?")),
    ("count",
        (r"\b(?:what is |what's |give me |tell me )?(?:the )?(?:total )?(?:number|count|amount|total) of"
        rf" {_MOST}{PHOTO}\b|\b{PHOTO} count\b")),
    ("who",
        (rf"^how many {_MOST}{_SOMEBODY}(?!\w)(?=.*\b(?:appear|are|were|did|have|show|visible|was|is|seen"
        r"|know)\b|[\s?.!,]*$)")),
    # "How many people played the guitar?" is not how many photos, unlike "how many people pictures".
    ("who", rf"^how many {_MOST}{GROUP}(?!\w)(?!(?:'s)? {PHOTO}\b)"),
    ("count",
        (r"^how many\b(?: (?:of (?:them|these|those|it)|are there(?=[\s?.!,]*$)|do (?:i|we) have|have"
        r" (?:i|we)|show)\b)?")),
    ("when",
        # "Who was there when Mia came?" does not ask when.
        (rf"^{_NOT_BESIDE}(?!(?:who|whom|where)\b)(?:\w+ ){{0,3}}?"
        r"(?:when|(?:at |on )?(?:what|which) (?:day|date|time(?! of)))\b")),
    ("when", r"\bhow long ago\b"),
    ("when", r"\b(?:what (?:is|was) )?the (?:date|day) of\b|^(?:give|tell) me the date\b"),
    ("when", r"\b(?:date|day) of\b"),
    ("when", r"\bsince when\b"),
    ("when", r"^(?:what|which) (?:is|was|were) the (?:date|day|(?=first time|last time))"),
    ("when", r"\bwhen (?:was|were|did|is)\b"),
    ("where",
        (rf"^{_NOT_BESIDE}(?!(?:\w+ )?{PHOTO} where {NAME})(?:\w+ ){{0,2}}?where\b"
        r"|\bwhere (?:was|were|did|is|are|have|has)\b"
        r"|\b(?:at|in) what place\b")),
    ("who",
        (rf"^{_NOT_BESIDE}(?:\w+ ){{0,3}}?(?:who|whom|who's)\b(?: else\b)?"
        r"|\bwho (?:is|are|was|were|else|all|appears?)\b|\bwith whom\b")),
    ("who", rf"\b(?:which|what) (?:of (?:my|the|our) )?{_MOST}{_SOMEBODY}(?!\w)"),
    ("who",
        (r"^(?:list|show|name)(?: me)?(?: all| the| my)* (?:people|persons|pets|friends)\b|\b(?:everyone"
        r"|everybody) (?:who|in|on)\b")),
    ("describe", r"\bwhat(?:'s| is| was| were| are| did| does| do| have)\b(?=.*\b(?:do|doing|done|up to)\b)"),
    ("describe", r"\bwhat (?:has |is |was |else )*happen(?:ed|s|ing)\b"),
    ("describe", r"\bwhat(?:'s| is| was) going on\b"),
    ("describe", r"\bcaptions?\b"),
    ("describe", rf"{_ASK}describe\b(?=.*{PHOTO})"),
    ("describe", rf"\bwhat(?:'s| is| was| can be seen) (?:in|on)\b(?=.*{PHOTO})"),
    ("describe", rf"\bwhat do(?:es)?\b(?=.*{PHOTO} show\b)"),
    ("exists", rf"^(?:is|are|was|were) there\b(?: any(?!\w))?(?=.*(?:{SHOT}|{GROUP}|{ENTITY}))"),
    ("exists", r"^(?:is|was) there (?=(?:any|some)thing (?:with|of|from|showing)\b)"),
    ("exists", rf"^any {_MOST}{PHOTO}\b"),
    ("exists", rf"\bin any (?:of )?{_MOST}{PHOTO}\b|\b(?:in|on) (?:one|some) of (?:the|my) {PHOTO}\b"),
    (
        "exists",
        rf"^(?:do|did|have|has) (?:i|we|you) (?:ever )?(?:have|got|take|taken)\b(?: any\b)?(?=.*{PHOTO})",
    ),
    ("exists", r"\bever\b"),
    ("exists", r"^(?:did|has|have|had|does)\b|^do (?=.*\b(?:appear|show|exist)\b)|^do (?:i|we|you) have\b"),
    ("find", rf"^(?:which|what) {_MOST}{PHOTO}\b|^(?:in|on) (?:which|what) {_MOST}{PHOTO}\b"),
    ("find",
        (f"{_ASK}(?:show|find|list|give|display|search(?: for)?|get|open|bring(?: up)?|fetch|print|see"
        rf"|look for)\b(?: me)?(?: some\b)?(?: more(?= {PHOTO}))?(?:(?: all| every| each)\b)?(?:"
        r" of\b)?(?:(?: the| my)\b)*")),
    ("find",
        (rf"^(?:what|which)(?: one)?(?: (?:is|was|are|were)|'s) (?:the|my|our) (?={_MOST}{PHOTO}\b)"
        r"(?!.*\b(?:about|showing|shows?|like)[\s?.!]*$)")),
    ("find",
        (rf"{_LEAD}(?:(?:(?:i am|i'm|we are|we're) )?(?:looking|searching) for"
        r"|(?:can|could|may) (?:i|we) (?:please )?(?:see|have))\b(?: (?:all|more|some|the|my|our)\b)*")),
    ("find", rf"^i(?:'d| would| want| need)\b(?: like)?(?: to (?:see|find))?(?=.*{PHOTO})"),
    ("find", rf"^(?:all|every|each)(?: of)?(?: the| my)* (?={PHOTO}\b|{ENTITY})"),
)  # fmt: skip
_PATTERNS = [(kind, LazyPattern(pattern)) for kind, pattern in _KINDS]

_OWN_WORDS: dict[Kind, str] = {
    "where": rf"\b(?:{_REGION}|where|when|at all)\b",
    "who": rf"{_SOMEBODY}(?!\w)|\b(?:one|everyone|everybody|who|whom|else|all|other|others|altogether|in"
    r" total|people|recogni[sz]e)\b",
    "when": r"\b(?:how long ago|when|exactly|time|day|date)\b",
    "cameras": r"\b(?:smart)?(?:phones?|cameras?)\b|\bdevices?\b|\b(?:used|use|using|i)\b",
    "lenses": r"\b(?:lens(?:es)?|used|use|using)\b",
    "concepts": rf"{_SOMEBODY}(?!\w)|\b(?:all|who|whom|what|which|how|many|altogether|in total)\b",
    "count": r"\b(?:in total|total|altogether|overall|at all|all|how|times?|each)\b",
    "share": r"\b(?:all|total|percent)\b",
    "years": r"\b(?:year|years|all|total|how many)\b",
    "months": r"\b(?:month|months|all|total)\b",
    "days": r"\b(?:day|days|date|dates|all|total)\b",
    "find": r"\b(?:(?:every|any|some)thing|all|every|each|of them|please|what|whatever|where|when|whose?)\b",
    # "Did Anna do anything?" does not ask for any photo.
    "exists": r"^\W*(?:(?:i|we|you) )?(?:got )?(?:any|some)thing\b|\b(?:any|ever|at all|once|all|one|where"
    r"|when|who)\b",
    "describe": r"\b(?:all|what|how|who|where|when|there|do|did|doing|done|happened|happening)\b",
    "about": r"\b(?:who|what|all|more)\b",
}
"""Words that name what is wanted, or say nothing beside it."""

# "At least two" and "at most two" are no superlatives.
_EXTREMES = LazyPattern(
    r"(?<!\bat )\b(?:(?P<most>(?:the )?most(?! recent)(?: of(?: the| my)*)?"
    r"(?: (?:often|frequently|times))?|busiest"
    r"|biggest number of|more often than any(?:one|body)? else"
    r"|highest number of|more than any other|largest number of)"
    r"|(?P<fewest>(?:the )?(?:least|fewest)(?: (?:often|frequently|times))?|quietest|rarest|lowest"
    r" number of|smallest number of))\b"
)

# Asked for by words that stand for what is seen, not for where or with whom.
_BESIDE = LazyPattern(
    r"\b(?:next to|beside|behind|in front of|(?:on|to) the (?:left|right)|in the middle"
    r"|wears?|wore|holds?|held|carr(?:y|ies|ied)|youngest|tallest|oldest (?!photo|pic|image|shot))\b"
)
_IS = LazyPattern(r"^(?:is|are|was|were)\b")
# "Did Anna ride a bike?" and "is Anna in a red dress?"; but not "was Anna at the party?".
_DOES = LazyPattern(
    rf"^(?:(?:is|are|was|were|do|does|did|has|have|had)\s+(?:both\s+)?(?P<names>{NAME}(?:(?:\s*(?:,|and|or|&))+\s*{NAME})*)"
    rf"|(?P<who>who|(?:which|what|how many)\s+{_MOST}{GROUP}))\s+"
    r"(?:(?:(?:is|are|was|were|do|does|did|has|have|had)(?:n't)?|been|ever|also|both|all|else|once|already"
    r"|not|never)\s+)*"
    rf"(?:(?:with|in|on)\s+(?=an?\b)|(?P<word>(?!(?:with|in|on|at|by|near|from|to|there|here)\b)[^\W_][\w'-]*))"
)
_PHRASE = LazyPattern(
    r"\b(?:in|at|on|near|by|from|to|inside|outside|around|into|along)\s+(?:(?:the|an?|my|our|his|her"
    r"|their)\s+)?"
    r"[\w'-]+(?:\s+(?!in\b|at\b|on\b|with\b)[\w'-]+)?"
)
_BEGINS = LazyPattern(
    "^(?:what|which|who|whom|whose|when|where|why|how|is|are|was|were|do|does|did|has|have|had|can|could"
    "|will|would"
    r"|should|describe|tell|explain|does)\b"
)


@dataclass(frozen=True)
class Intent:
    """What a question wants.

    Attributes:
        kind: What kind of answer.
        rest: The question without the words that say so.
        is_number: Whether a number is wanted: "how many cities".
        extreme: Whether only the group with the most or the fewest photos is wanted.
        is_times: Whether the question is how often something happened.
        is_country: Whether the places are countries.
        is_absent: Whether the question is who is not there.
        group: The mark of the kind of concepts that is wanted.
        is_ago: Whether it is wanted how long ago something was.
        is_since: Whether it is wanted since when something is so.
        is_seen: Whether a verb asks for what is seen: only captions or a look can tell.
    """

    kind: Kind
    rest: str
    is_number: bool = False
    extreme: Literal["most", "fewest"] | None = None
    is_times: bool = False
    is_country: bool = False
    is_absent: bool = False
    group: str | None = None
    is_ago: bool = False
    is_since: bool = False
    is_seen: bool = False

    def without_own_words(self, text: str) -> str:
        """Take out of a text the words that belong to what is wanted."""
        own = _OWN_WORDS.get(self.kind)
        text = re.sub(own, " ", text, flags=re.IGNORECASE) if own else text
        if self.kind in KINDS_OF_GROUPS:
            text = re.sub(r"\b(?:how (?:many|much)|number of)\b", " ", text, flags=re.IGNORECASE)
        if self.extreme or self.is_times:
            text = re.sub(
                r"\b(?:most|least|fewest|often|frequently|times|total|number)\b", " ", text, flags=re.I
            )
        return text


_ABSENT = LazyPattern(
    rf"^(?:who|(?:which|what) (?P<group>{GROUP}))\s+(?:(?:is|are|was|were|has|have|did|does|do)(?:n't| not"
    r"| never)|never)\b"
    f"|^(?:who|(?:which|what) (?P<group2>{GROUP})) (?:has|have|had|is|are|was|were|appears? (?:in|on)) (?:no"
    f"|without(?: any)?|missing|absent) (?={PHOTO}|from|in|on|at|the|{DATE}|{PLACE})"
)


# "Photos where Anna is with Ben" says which, "photos: where was Anna?" asks.
_WHICH_PHOTOS = LazyPattern(
    rf"\b(?P<photos>{PHOTO}(?: of (?:me|us)| (?:are|is) there| there (?:are|is)| do (?:i|we|you) have)?)"
    r"(?: from)? (?:where|when)\b"
    r"(?=\s+(?!(?:is|are|was|were|do|did|does|has|have|had|will)\b(?!\W*$))[^\s?.!,])"
)


def without_courtesy(text: str) -> str:
    """Take what only asks politely from before a question: "do you know", "can you tell me"."""
    return _COURTESY.sub("", text)


def read_intent(text: str) -> Intent:
    """Read what a question wants.

    Args:
        text: The question with marks for its entities, without what was understood before.
    """
    text = _WHICH_PHOTOS.sub(lambda match: match["photos"], _move_front(text))
    folded = text.casefold()
    # What is seen on photos that the question describes cannot be told from what describes them.
    if (match := _ABSENT.match(text)) and not (DOING.search(folded) and read_doers(text) is None):
        group = match["group"] or match["group2"]
        return Intent("who", text[match.end() :], is_absent=True, group=group)
    is_seen = _is_seen(folded)
    for kind, pattern in _PATTERNS:
        if match := pattern.search(text):
            if is_seen and kind == "exists" and _IS.search(folded) and not re.search(PHOTO, folded):
                return Intent("pixels", text)
            rest = f"{text[: match.start()]} {text[match.end() :]}"
            return _detailed(Intent(kind, " ".join(rest.split())), text, match[0], is_seen=is_seen)
    if _IS.search(folded):
        is_named = re.search(rf"{NAME}|{CAMERA}|\b(?:we|i)\b", folded) is not None
        return Intent("exists" if is_named and not needs_look(text) else "pixels", text)
    return Intent("pixels" if _BEGINS.search(folded) else "find", text)


def needs_look(text: str) -> bool:
    """Whether a text says more of somebody than where and when: only captions or a look can tell."""
    folded = text.casefold()
    return _is_seen(folded) or bool(content_words(_PHRASE.sub(" ", re.sub(ENTITY, " ", folded))))


def read_doers(text: str) -> str | None:
    """The names of whom it is asked whether they do, wear or hold something; empty for "who", else None.

    "Was Anna at the beach?" and "is there a photo of Anna with a cake?" do not ask that.
    """
    match = _DOES.match(text)
    on_photos = rf"\b(?:{PHOTO}|(?:in|on) (?:(?:the|my|our|any) )?selfies?)\b"
    if match is None or re.search(on_photos, text, re.IGNORECASE):
        return None
    if match["word"] and match["word"].casefold() in PHOTO_WORDS:
        return None
    # What stands behind "when" is said of others: "did Rex sleep when Ben was there?".
    if re.search(r"\b(?:when|while|where|whenever)\b", text[match.end() :], re.IGNORECASE):
        return None
    return match["names"] or ""


def _is_seen(folded: str) -> bool:
    return DOING.search(folded) is not None or _BESIDE.search(folded) is not None


def _move_front(text: str) -> str:
    """Put "In 2023, where were we?" in the usual order, so that the question word stands first."""
    match = re.match(
        rf"^(?:(?:{DATE}|{PLACE}|{CAMERA})[\s,]*)+(?=(?:who|what|when|where|which|how|did|is|was|are"
        r"|were|do|has|have)\b)",
        text,
        re.I,
    )
    return f"{text[match.end() :].rstrip(' ?.!')} {match[0]}".replace(",", " ").strip() if match else text


def _detailed(intent: Intent, text: str, cue: str, *, is_seen: bool) -> Intent:
    kind, folded = intent.kind, text.casefold()
    extreme = _EXTREMES.search(text)
    found: Literal["most", "fewest"] | None = None
    if extreme and kind in KINDS_OF_GROUPS:
        found = "most" if extreme["most"] else "fewest"
    group = re.search(GROUP, cue) if kind in {"who", "concepts"} else None
    if kind in {"who", "concepts"} and group is None and kind == "concepts":
        group = re.search(GROUP, text)
    rest = _EXTREMES.sub(" ", intent.rest) if found else intent.rest
    return replace(
        intent,
        rest=" ".join(rest.split()),
        is_number=re.search(r"\bhow many\b|^how long\b(?! ago)", cue, re.IGNORECASE) is not None,
        extreme=found,
        is_times=kind == "count" and re.search(r"\b(?:often|times|frequently)\b", folded) is not None,
        is_country=kind == "where" and re.search(r"\bcountr(?:y|ies)\b", folded) is not None,
        group=group[0] if group else None,
        is_seen=is_seen,
        is_ago=re.search(r" ago *$|^how old", cue, re.IGNORECASE) is not None,
        is_since="since when" in cue.casefold(),
    )
