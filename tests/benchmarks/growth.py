"""Times how the cost grows with concepts and questions, on the bundled model; compares with nobody else.

Run it with `python tests/benchmarks/growth.py`. An epoch of tuning for 2, 4, 8 … concepts with as many photos
each; an epoch for one concept that is added to a bank of others, which stay as they are; 1, 5, 20 questions
about one photo. What each adds is beside it.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from ask import QUESTIONS
from ask import Ours as Asking
from models import DEFAULT_MODEL_FOLDER, make_photos
from sides import peak_mb, print_machine
from tune import Lessons, Ours, family, prepare


def seconds(work: Callable[[], object], *, rounds: int) -> float:
    """The median of some runs, after one that is not counted."""
    work()
    took_s = []
    for _ in range(rounds):
        started = time.perf_counter()
        work()
        took_s.append(time.perf_counter() - started)
    return statistics.median(took_s)


def tell_tuning(asked: argparse.Namespace) -> None:
    """Epochs of tuning for more and more concepts."""
    print(f"\n{'concepts':>10}{'photos':>10}{'questions':>12}{'s an epoch':>14}{'ms a concept':>16}")
    lessons = None
    for count in asked.concepts:
        lessons = prepare(DEFAULT_MODEL_FOLDER, family(concepts=count, photos=asked.photos))
        ours = Ours(lessons)
        took_s = seconds(ours.epoch, rounds=asked.rounds)
        told = f"{count:10}{len(ours.lessons):10}{ours.questions():12}{took_s:14.2f}"
        print(f"{told}{1000 * took_s / count:16.0f}", flush=True)
    if lessons is not None:
        tell_one_more(lessons, asked)


def tell_one_more(lessons: Lessons, asked: argparse.Namespace) -> None:
    """One concept with its photos and the strangers, the others' rows frozen or not there at all."""
    newest = max(lessons.concepts)
    own = [photo for photo in lessons.photos if photo.present == {newest}]
    strangers = [photo for photo in lessons.photos if not photo.present][: asked.photos]
    frozen = {i: replace(one, is_frozen=i != newest) for i, one in lessons.concepts.items()}
    among = replace(lessons, concepts=frozen, photos=own + strangers)
    alone = replace(among, concepts={newest: lessons.concepts[newest]})
    for words, some in ((f"one more in a bank of {len(frozen) - 1}", among), ("one concept alone", alone)):
        ours = Ours(some)
        took_s = seconds(ours.epoch, rounds=asked.rounds) / ours.questions()
        print(f"{words:32}{ours.questions():6} questions{1000 * took_s:10.2f} ms a question", flush=True)


def tell_questions(root: Path, asked: argparse.Namespace) -> None:
    """More and more questions about one photo."""
    ours = Asking(DEFAULT_MODEL_FOLDER)
    [photo] = make_photos(root / "photos", 1, side_px=1080)
    print(f"\n{'questions':>10}{'s one by one':>16}{'s together':>14}")
    for count in asked.questions:
        some = QUESTIONS[:count]
        singly = seconds(lambda s=some: ours.ask_singly(photo, s), rounds=asked.rounds)
        together = seconds(lambda s=some: ours.ask_together(photo, s), rounds=asked.rounds)
        print(f"{count:10}{singly:16.3f}{together:14.3f}", flush=True)


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--concepts", type=int, nargs="*", default=[2, 8, 32, 65])
    parser.add_argument("--photos", type=int, default=4, help="reference photos of each concept")
    parser.add_argument("--questions", type=int, nargs="*", default=[1, 5, 20])
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    print_machine()
    tell_tuning(asked)
    with tempfile.TemporaryDirectory() as folder:
        tell_questions(Path(folder), asked)
    print(f"{peak_mb():.0f} MB at most")


if __name__ == "__main__":
    main()
