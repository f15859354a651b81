"""The ways in which people ask of a photo whether somebody is there, and nothing else; knows no names.

What is decided about somebody answers such a question, and no other one: "Is {name} asleep here?" and "Is
{name} not here?" do not ask for it, so a wording that is not known for certain is none.
"""

from __future__ import annotations

import re

from photopal.vocabulary import OURS

_PHOTO = (
    r"(?:(?:this|that|the|these|those|my|our) )?"
    r"(?:photo|photograph|picture|image|pic|snap|snapshot|shot|portrait|frame|scene)s?"
)
# Of a photo at hand it may be said what kind it is; "is this a selfie of him?" asks for that.
_THIS_PHOTO = (
    r"(?:(?:this|that|the|these|those|my|our) (?:selfie|(?:(?:group|family|class|team|school|wedding|birthday"
    rf"|holiday|vacation|christmas|old|new) )(?:selfie|photo|picture|image|pic|shot|portrait))s?|{_PHOTO})"
)
_ONE = r"(?:this|that) one"
_HERE = (
    r"(?:(?:anywhere |somewhere |over |right )?(?:here|there)|(?:in|on) (?:here|there)|anywhere|somewhere"
    r"|around|about|present|in (?:view|shot|frame)|with (?:us|me|them)|along"
    r"|among(?:st)? (?:them|us|these|those)(?: people)?|one of (?:them|us|these|those)(?: people)?"
    rf"|(?:anywhere |somewhere )?(?:in|on|within|among|part of) (?:it|this|{_THIS_PHOTO}|{_ONE}))"
)
_SEEN = (
    r"(?:visible|shown|seen|pictured|depicted|captured|photographed|spotted|featured|included|found"
    r"|to be (?:seen|found|spotted)|recogni[sz]able)"
)
_ADVERB = (
    r"(?:also|too|as well|really|actually|perhaps|maybe|possibly|by any chance|at all|that day|that time"
    r"|anywhere|somewhere|then|today|again|when (?:i|we) took (?:it|this)|when (?:it|this) was taken)"
)
_BE = r"(?:is|are|was|were)"
_MAY = r"(?:is|are|can|could|may|might|would|will)"
_SPOT = r"(?:see|spot|find|notice|recogni[sz]e|detect|identify|make out)"
# "Can I photograph {name}?" asks for leave, or of another day.
_SEE = (
    rf"(?:{_SPOT}|get|catch|capture|photograph|picture"
    r"|have(?: got)?|got|caught|captured|photographed|seen|spotted|found)"
)
_COME = (
    r"(?:appear(?:s|ed)?(?: {here})?|feature(?:s|d)?(?: {here})?|(?:show|turn)(?:s|ed|n)? up(?: {here})?"
    r"|c[oa]mes?(?: along)?|c[oa]me with (?:us|me)|join(?:s|ed)? (?:us|me|them)"
    r"|(?:make|made|makes) it (?:in|on)(?:to)? {photo}|(?:get|got|gets) (?:in|on)to {photo})"
).format(here=_HERE, photo=rf"(?:it|this|{_PHOTO}|{_ONE})")
_SHOW = r"(?:shows?|features?|includes?|contains?|depicts?|ha(?:ve|s))"
_SOMEBODY = r"(?:person|man|woman|guy|lady|boy|girl|kid|child|baby|dog|cat|puppy|kitten|pet|animal|face)"
_THIS = rf"(?:(?:this|that)(?: {_SOMEBODY})?|it|he|she|{_PHOTO}|one of (?:them|these|those)(?: people)?)"
_OF = r"(?:of|with|showing)"
_SIGN = r"(?:sign|trace|glimpse|sight)s?"
_NAME = r"\{name\}"
_OURS = re.compile(rf"(?:{OURS}|\bthe )(?=\{{name\}})")
# One name or several: "{name}, {name} and {name}", "both {name} and {name}".
_LIST = re.compile(r"(?:\bboth\s+)?\{name\}(?:(?:\s*(?:,|&|\band\b))+\s*\{name\})*")
_WHO = rf"(?:(?:a |the )?{_PHOTO} {_OF} )?{_NAME}(?:'s face)?"

_IS_THERE = rf"(?:{_ADVERB} )?(?:{_HERE}|{_SEEN}(?: {_HERE})?)"

_QUESTIONS = (
    rf"{_BE} {_NAME} {_IS_THERE}",
    rf"(?:can|could|may|might) {_NAME} be {_IS_THERE}",
    rf"(?:do|does|did|has|have|had) {_NAME} {_COME}",
    rf"(?:do|does|did|have) (?:you|i|we|one) (?:{_ADVERB} )?{_SEE} {_NAME}(?: {_HERE})?",
    rf"(?:can|could|would) (?:you|i|we|one) (?:{_ADVERB} )?{_SPOT} {_NAME}(?: {_HERE})?",
    rf"{_MAY} {_THIS} (?:be )?{_WHO}(?: {_HERE})?",
    rf"(?:is|are|was|were)n't {_THIS} {_WHO}",
    rf"(?:do|does) (?:it|this|{_THIS_PHOTO}|{_ONE}) {_SHOW} {_NAME}",
    rf"(?:(?:{_BE} there|do you see) )?(?:any |a |some )?(?:{_SIGN}|{_PHOTO}) of {_NAME}(?: {_HERE})?",
)
"""Questions as they stand."""

_STATEMENTS = (
    rf"{_NAME} {_BE} {_IS_THERE}",
    rf"{_NAME} (?:can|could|may|might) be {_IS_THERE}",
    rf"{_NAME} {_COME}",
    rf"(?:you|i|we|one) (?:can |could |did )?{_SEE} {_NAME}(?: {_HERE})?",
    rf"{_THIS} {_BE} {_WHO}(?: {_HERE})?",
    rf"(?:it|this|{_THIS_PHOTO}|{_ONE}) {_SHOW} {_NAME}",
)
"""What is asked behind "tell me whether"."""

# Where somebody is, or what they do, must not be said in it: "on the left, is that {name}?".
_CALL = (
    r"(?:hi|hello|hey|hm|oh|dear|there|photopal|sorry|excuse me|one|last|first|another|quick|question|tell me"
    r"|be|honest|honestly|look|looking|have|take|a|at|closely|carefully|again|more|close|closer|if|you|i|we|it|this"
    rf"|that|now|then|in your opinion|by the way|{_PHOTO}|in {_PHOTO})"
)
_OPENING = (
    rf"(?:{_CALL}(?: {_CALL}){{0,8}}[,:;] )?"
    r"(?:(?:please|so|and|but|well|now|ok|okay|hey|hm|tell me|say|just curious|quick question)\W+)*"
)
_WHETHER = (
    r"(?:(?:please |can you |could you |do you |would you )*(?:tell me|say|know|check|see|let me know|think"
    r"|confirm)|i wonder|i would like to know|i want to know|am i right(?: in thinking)?"
    r"|is it (?:true|possible|likely)|(?:is there )?(?:any|a) chance|could it be|any idea)"
    r"(?: that| if| whether)?"
)
_SEARCH = (
    rf"(?:i am|we are) (?:looking|searching) for {_NAME}\W+"
    rf"(?:{_BE} (?:this|that|it|he|she|they) (?:{_IS_THERE}|him|her|them|a hit|a match|the one|the right one"
    rf"|(?:the right|a) {_PHOTO})|do(?:es)? (?:this|it) (?:help|match|fit))"
)
_YES_OR_NO = (
    r"(?:(?:please |just |only |simply )*(?:answer|reply|respond|say)(?: only| just| simply)?"
    r"(?: with| by| using)?(?: only| just| either)? )?(?:a )?(?:simple )?yes(?: or |/)no(?: only)?"
)
_END = (
    rf"(?:\W+(?:{_ADVERB}|please|or not|{_YES_OR_NO}|thanks|thank you|would you say|do you think|right"
    r"|correct))*"
)
_ASKS = re.compile(
    rf"{_OPENING}(?:{'|'.join(_QUESTIONS)}|{_WHETHER} (?:{'|'.join(_STATEMENTS)})|{_SEARCH}){_END}"
)
_BY_TONE = re.compile(rf"{_OPENING}{_NAME} (?:{_BE} )?(?:{_ADVERB} )?{_HERE}{_END}")
_LONGEST = 300  # letters beside names; what is longer asks for more
_CONTRACTED = {"i'm": "i am", "we're": "we are", "i'd like": "i would like", "i've": "i have", "'d": " would"}


def asks_presence(question: str) -> bool:
    """Whether nothing is asked but whether those named are there.

    Args:
        question: The question with `{name}` for each name.
    """
    words = question.casefold().replace("’", "'")
    for short, long in _CONTRACTED.items():
        words = words.replace(short, long)
    words = " ".join(words.partition(" answer the question")[0].split())
    words = _LIST.sub("{name}", _OURS.sub("", words))
    plain = words.rstrip(" ?.!,)")
    if len(plain) > _LONGEST:
        return False
    is_tone = "?" in words[len(plain) :] and _BY_TONE.fullmatch(plain) is not None
    return is_tone or _ASKS.fullmatch(plain) is not None
