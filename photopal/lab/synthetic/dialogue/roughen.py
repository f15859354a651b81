"""Roughens questions as people type them: chatty, hasty, a word too few or too many; keeps what is asked."""

from __future__ import annotations

import random

_OPENINGS = (
    *(
        "So,",
        "Hey,",
        "Please:",
        "Hm,",
        "Now,",
        "One more thing:",
        "Tell me:",
        "Just curious:",
        "Do you know:",
    ),
    *("By the way,", "Sorry,", "Listen,", "And", "Well,", "I would like to know:", "Say,", "Look:", "OK,"),
    *(
        "Quickly:",
        "My question:",
        "I wonder:",
        "Help me:",
        "Be honest:",
        "Next:",
        "I cannot see well:",
        "Ah,",
    ),
    *(
        "Can you help me with this:",
        "Let me ask:",
        "Go on:",
        "If you can:",
        "For my album:",
        "My friend asks:",
    ),
)
_ENDINGS = (
    *(
        "please",
        "exactly",
        "then",
        "now",
        "again",
        "by the way",
        "roughly",
        "would you say",
        "in your opinion",
    ),
    *("right now", "actually", "really", "my friend", "if I may ask", "as far as you can see", "at a guess"),
    *("for me", "once more", "this time", "after all", "as a rule", "as it were", "thanks"),
)
_EXTRA = (
    *(
        "quite",
        "rather",
        "just",
        "even",
        "still",
        "perhaps",
        "maybe",
        "really",
        "simply",
        "probably",
        "clearly",
    ),
    *(
        "somehow",
        "also",
        "ever",
        "once",
        "today",
        "so",
        "then",
        "well",
        "very",
        "much",
        "own",
        "little",
        "new",
    ),
    *("good", "nice", "great", "same", "other", "next", "last", "such", "some", "any", "way", "thing", "bit"),
    *(
        "lot",
        "part",
        "point",
        "moment",
        "word",
        "answer",
        "question",
        "guess",
        "think",
        "know",
        "mean",
        "want",
    ),
    *(
        "need",
        "let",
        "make",
        "take",
        "give",
        "get",
        "got",
        "go",
        "come",
        "keep",
        "put",
        "seem",
        "turn",
        "work",
    ),
    *("call", "try", "ask", "tell", "say", "feel", "love", "happen", "matter", "my", "your", "our", "their"),
    *("that", "these", "those", "about", "around", "through", "along", "over", "whole", "actual"),
)
_SMALL = frozenset(
    (
        "is",
        "the",
        "in",
        "this",
        "are",
        "you",
        "do",
        "can",
        "a",
        "an",
        "of",
        "there",
        "to",
        "here",
        "does",
        "it",
    )
)


def roughen(question: str, rng: random.Random) -> str:
    """Write a question as somebody in a hurry, or in the mood for a chat, might have typed it.

    Small words go missing, needless ones come in; names, and every word that bears the meaning, stay.
    """
    words = question.split(" ")
    if rng.random() < 0.3:
        small = [place for place, word in enumerate(words) if word.lower() in _SMALL]
        if len(words) > 3 and small:
            del words[rng.choice(small)]
    for _ in range(rng.choice((0, 0, 1, 1, 2))):
        words.insert(rng.randrange(len(words)), rng.choice(_EXTRA))
    text = " ".join(words)
    if rng.random() < 0.3:
        stem, mark = (text[:-1], text[-1]) if text[-1] in "?." else (text, "")
        text = f"{stem}{rng.choice((' ', ', '))}{rng.choice(_ENDINGS)}{mark}"
    if rng.random() < 0.35:
        text = f"{rng.choice(_OPENINGS)} {text[:1].lower()}{text[1:]}"
    if rng.random() < 0.25:
        text = text.lower().rstrip("?.") if "<" in text else text.rstrip("?.")
    return text
