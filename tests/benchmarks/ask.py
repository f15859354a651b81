"""Times twenty questions on one photo against a plain transformers loop, with equal answers.

Run it with `python tests/benchmarks/ask.py`. The plain loop opens the photo, encodes it and generates anew
for each question. photopal opens and encodes it once and computes its keys and values once: `one by one` as
a person asks, each answer before the next question; `together` with all questions known. Nobody has a name,
so that both sides read the same prompt. All sides take turns in one process.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from models import MODELS, make_photos, model_folder
from plain import PlainModel
from sides import Comparison, common_options, peak_mb, print_table, run_comparison, take_turns

PLAIN, SINGLY, TOGETHER = "plain loop", "photopal, one by one", "photopal, together"
QUESTIONS = tuple(
    question.format(thing)
    for thing in ("the person", "the house", "the sky", "the ground")
    for question in (
        "What colour is {}?",
        "Is {} in this photo? Answer the question using a single word Yes or No.",
        "Where is {} in this photo?",
        "What is next to {}?",
        "Describe {}.",
    )
)


class Ours:
    """Asks as `photopal ask` does."""

    def __init__(self, folder: Path) -> None:
        from photopal.assistant.assistant import Assistant
        from photopal.concepts import Bank
        from photopal.vlm import load_model

        model = load_model(folder)
        self.assistant = Assistant(model, Bank(model.fingerprint, ""), [])

    def ask_singly(self, path: Path, questions: tuple[str, ...]) -> list[str]:
        """One question after another about one photo."""
        from photopal.assistant.ask import ask_photo
        from photopal.photos import MODEL_SIDE_PX, open_photo

        analysis = self.assistant.analyze(open_photo(path, max_side_px=MODEL_SIDE_PX))
        return [ask_photo(self.assistant, analysis, question).text for question in questions]

    def ask_together(self, path: Path, questions: tuple[str, ...]) -> list[str]:
        """All questions side by side."""
        from photopal.assistant.ask import ask_each
        from photopal.photos import MODEL_SIDE_PX, open_photo

        analysis = self.assistant.analyze(open_photo(path, max_side_px=MODEL_SIDE_PX))
        return [answer.text for answer in ask_each(self.assistant, analysis, questions)]


def compare(name: str, root: Path, asked: argparse.Namespace) -> None:
    """All sides in turn on one model."""
    folder = model_folder(name, root, is_small=asked.quick)
    [photo] = make_photos(root / "photos", 1, side_px=asked.side)
    questions = QUESTIONS[:: 5 if asked.quick else 1]
    plain, ours = PlainModel(folder), Ours(folder)
    expected = [plain.ask(photo, question) for question in questions]
    told = {SINGLY: ours.ask_singly(photo, questions), TOGETHER: ours.ask_together(photo, questions)}
    sides = {
        PLAIN: lambda: [plain.ask(photo, question) for question in questions],
        SINGLY: lambda: ours.ask_singly(photo, questions),
        TOGETHER: lambda: ours.ask_together(photo, questions),
    }
    taken = take_turns(sides, rounds=asked.rounds)
    words = sum(len(text.split()) for text in expected) / len(questions)
    title = f"{name}: {len(questions)} questions on a photo of {asked.side} pixels, {words:.0f} words each"
    print_table(title, taken, plain=PLAIN, units=dict.fromkeys(sides, len(questions)), unit="answer")
    for side, texts in told.items():
        equal = sum(a == b for a, b in zip(texts, expected, strict=True))
        print(f"equal text, {side}: {equal} of {len(questions)}", flush=True)
    if any(texts != expected for texts in told.values()):
        raise SystemExit(1)


def run_one(name: str, root: Path, asked: argparse.Namespace) -> None:
    """One side alone; prints the most memory it held."""
    folder = model_folder(name, root)
    [photo] = make_photos(root / "photos", 1, side_px=asked.side)
    if asked.only == PLAIN:
        plain = PlainModel(folder)
        for question in QUESTIONS:
            plain.ask(photo, question)
    elif asked.only == SINGLY:
        Ours(folder).ask_singly(photo, QUESTIONS)
    else:
        Ours(folder).ask_together(photo, QUESTIONS)
    print(peak_mb())


def main() -> None:
    """Read the command line and run."""
    parser = common_options(__doc__, MODELS, quick="a few questions, once, no memory")
    parser.add_argument("--side", type=int, default=1080, help="pixels a side")
    asked = parser.parse_args()
    if asked.quick:
        asked.side, asked.rounds = 200, 1
    comparison = Comparison(__file__, [PLAIN, SINGLY, TOGETHER], compare, run_one, ["side"])
    with tempfile.TemporaryDirectory() as folder:
        run_comparison(asked, comparison, Path(folder))


if __name__ == "__main__":
    main()
