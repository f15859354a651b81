"""The lines of the bundled model's table and what each should reach; measures nothing."""

from __future__ import annotations

from photopal.lab.bundled.ledger import Goal

REFERENCE_PHOTOS = 5
TUNING_PHOTOS = 8
NAMES = 3


def _captions(key: str, when: str) -> tuple[Goal, ...]:
    return (
        Goal(f"{key} names", f"captions, {when}: names, F1", 0.95, "f1"),
        Goal(f"{key} exact names", f"captions, {when}: exactly the right names"),
        Goal(f"{key} place", f"captions, {when}: place right", 0.95),
        Goal(f"{key} activity", f"captions, {when}: every activity right", 0.95),
        Goal(f"{key} all", f"captions, {when}: names, place and activities right"),
    )


def _where(key: str, when: str) -> tuple[Goal, ...]:
    return (
        Goal(f"{key} side", f"where is <name>, {when}: left, middle, right", 0.95),
        Goal(f"{key} beside", f"where is <name>, {when}: beside whom", 0.95),
        Goal(f"{key} where", f"where is <name>, {when}: all", 0.95),
    )


_REGISTERED = f"registered from {REFERENCE_PHOTOS} photos"
_TUNED = "tuned"

GOALS = (
    Goal("place", "no names: place", 0.95, is_by_photo=True),
    Goal("activity", "no names: activity", 0.95, is_by_photo=True),
    Goal("clothes", "no names: clothes", 0.95, is_by_photo=True),
    Goal("outfit", "of these: the whole outfit", is_by_photo=True),
    Goal("top", "of these: colour of the top", is_by_photo=True),
    Goal("trousers", "of these: colour of the trousers", is_by_photo=True),
    Goal("hat", "of these: hat or none", is_by_photo=True),
    Goal("count", "no names: counts", 0.95, is_by_photo=True),
    Goal("plain", "no names: all four", 0.95, is_by_photo=True),
    Goal("registered", f"recognition, {_REGISTERED}: model alone", 0.90, "weighted"),
    Goal("registered assistant", f"recognition, {_REGISTERED}: assistant", 0.90, "weighted"),
    Goal("tuned", "recognition, tuned, 3 names: model alone", 0.96, "weighted"),
    Goal("tuned assistant", "recognition, tuned, 3 names: assistant", 0.96, "weighted"),
    Goal("twins tuned", "recognition, tuned, with a lookalike: model alone", 0.90, "weighted"),
    Goal("twins tuned assistant", "recognition, tuned, with a lookalike: assistant", 0.90, "weighted"),
    *_where("registered", "registered"),
    *_where("tuned", _TUNED),
    *_captions("registered", "registered"),
    *_captions("tuned", _TUNED),
    Goal("free", "free questions, registered", 0.85),
    Goal("tuning seconds", f"seconds to tune {NAMES} names × {TUNING_PHOTOS} photos", 60.0, "mean", True),
    Goal("caption seconds", "seconds to caption a photo", 1.0, "mean", True, True),
)
"""What the design asks for, in its order."""

REFUSALS = (
    Goal("absent", "not fooled: <name> is not in this photo"),
    Goal("twins registered sibling", "not fooled: No to a lookalike, registered: model alone"),
    Goal("twins registered assistant sibling", "not fooled: No to a lookalike, registered: assistant"),
    Goal("twins tuned sibling", "not fooled: No to a lookalike, tuned: model alone"),
    Goal("twins tuned assistant sibling", "not fooled: No to a lookalike, tuned: assistant"),
    Goal("empty", "not fooled: nobody is there"),
    Goal("strangers", "not fooled: strangers get no name"),
    Goal("missing", "not fooled: No to things that are not there", is_by_photo=True),
    Goal("found", "to compare: Yes to things that are there", is_by_photo=True),
)
"""What nobody should be fooled by. A model that always refuses is betrayed by the last line."""
