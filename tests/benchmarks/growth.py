"""Times how the cost grows with concepts and questions, on the bundled model; compares with nobody else.

Run it with `python tests/benchmarks/growth.py`. An epoch of tuning for 2, 8, 32 … concepts with as many
photos each; beside it an epoch for one of them that joins the others, which stay as they are, and for one
with the same photos and no others. Then 1, 5, 20 questions about one photo.
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

from photopal.tuning.dataset import photos_for_newcomers


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
    """Epochs of tuning for more and more concepts, and for one that joins so many others."""
    print(f"\n{'':>38}{'all together':>16}{'one joins the others':>24}{'as if alone':>14}")
    head = f"{'concepts':>10}{'photos':>10}{'questions':>12}{'s an epoch':>16}"
    print(f"{head}{'questions':>14}{'s an epoch':>12}{'s an epoch':>14}")
    for count in asked.concepts:
        lessons = prepare(DEFAULT_MODEL_FOLDER, family(concepts=count, photos=asked.photos))
        joining, alone = newcomer(lessons)
        sides = [Ours(some) for some in (lessons, joining, alone)]
        all_s, joining_s, alone_s = (seconds(side.epoch, rounds=asked.rounds) for side in sides)
        told = f"{count:10}{len(sides[0].lessons):10}{sides[0].questions():12}{all_s:16.2f}"
        print(f"{told}{sides[1].questions():14}{joining_s:12.2f}{alone_s:14.2f}", flush=True)


def newcomer(lessons: Lessons) -> tuple[Lessons, Lessons]:
    """What one concept learns from that joins the others, and if there were no others at all."""
    newest = max(lessons.concepts)
    frozen = {i: replace(one, is_frozen=i != newest) for i, one in lessons.concepts.items()}
    photos = photos_for_newcomers(lessons.photos, lessons.bank, frozen)
    joining = replace(lessons, concepts=frozen, photos=photos)
    return joining, replace(joining, concepts={newest: lessons.concepts[newest]})


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
