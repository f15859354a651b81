"""Ways to tune the same scenario: jointly, each concept apart, one name a prompt, a bank with one more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from photopal.concepts import Bank
from photopal.lab.experiments.bench import Bench
from photopal.lab.runs.learning import Learned, told_concepts
from photopal.tuning import TuneOptions, TuningPhoto


@dataclass(frozen=True, eq=False)
class Tuned:
    """A bank, the updates each of its concepts was given, and the seconds it took."""

    bank: Bank
    steps: int
    seconds: float


def tune_jointly(
    bench: Bench, learned: Learned, photos: Sequence[TuningPhoto], options: TuneOptions
) -> Tuned:
    """All concepts together, as the product does (MC-LLaVA, section 3.2)."""
    bank, report = bench.tune(learned, photos, options)
    return Tuned(bank, report.steps, report.seconds)


def tune_apart(
    bench: Bench,
    learned: Learned,
    photos: Sequence[TuningPhoto],
    options: TuneOptions,
    *,
    has_others: bool = True,
) -> Tuned:
    """Each concept in a run of its own, alone in its prompts; the rows are put together afterwards.

    Args:
        bench: Has the model.
        learned: Registered concepts.
        photos: What the joint run learns from.
        options: Those of the joint run; each concept gets as many updates as there.
        has_others: Whether the other concepts' photos are negatives, as in the joint run; else only those of
            nobody, as Yo'LLaVA learns each concept.
    """
    bank, seconds, steps = learned.registered, 0.0, 0
    told = told_concepts(learned.concepts)
    updates = -(-len(photos) // options.batch_photos)
    for concept_id in told:
        mine = [photo for photo in photos if has_others or photo.present <= {concept_id}]
        batch = max(1, round(len(mine) / updates))
        alone, report = bench.tune(
            learned,
            mine,
            replace(options, batch_photos=batch),
            concepts={concept_id: told[concept_id]},
        )
        bank = bank.with_concepts([alone.concepts[concept_id]])
        seconds, steps = seconds + report.seconds, max(steps, report.steps)
    return Tuned(bank, steps, seconds)


def one_name_each(photos: Sequence[TuningPhoto], concept_ids: Sequence[int]) -> list[TuningPhoto]:
    """Photos whose prompts hold one name only: of who is there, and again with one who is not.

    Twice as many photos; with twice as many a batch the updates are as many as before.
    """
    single: list[TuningPhoto] = []
    for number, photo in enumerate(photos):
        absent = [i for i in concept_ids if i not in photo.present | photo.likely]
        if photo.present:
            single.append(replace(photo, likely=frozenset(concept_ids) - photo.present))
        if absent:
            asked = absent[number % len(absent)]
            others = frozenset(concept_ids) - {asked}
            key = f"{photo.key} without"
            single.append(replace(photo, key=key, present=frozenset(), likely=others))
    return single
