"""On a model that was never taught names, tuning starts from words and learns what registration cannot."""

from dataclasses import replace

import pytest

from photopal.config import load_settings
from photopal.lab.datasets.drawn_dataset import DrawnOptions
from photopal.lab.experiments.conditions import ExperimentContext
from photopal.lab.experiments.plan import QUICK
from photopal.lab.metrics.yes_no import auroc
from photopal.vlm import load_model

pytestmark = pytest.mark.slow

PLAN = replace(
    QUICK,
    drawn=DrawnOptions(scenarios=1, lookalikes=0, train=5, test=2, multi=2, negatives=8, near_duplicates=1),
    word_epochs=8,
    variants=4,
)


def test_words_are_chosen_and_tuned_names_are_recognized(tmp_path):
    settings = load_settings(home=tmp_path, model="plain", environ={})
    context = ExperimentContext(load_model(settings.model_name_or_path, device="cpu"), PLAN, tmp_path)
    dataset = context.dataset(0)
    learned = context.register(dataset, dataset.scenarios[0], 0)
    photos = context.tuning_photos(dataset, learned, 0)
    options = replace(PLAN.tune(0), patience=PLAN.word_epochs)
    start = context.start(learned, photos, options)
    assert start.way == "words"
    tuned, report = context.tune(learned, photos, options)
    assert report.best_epoch > 0

    def area(bank):
        rows = context.evaluate(dataset, learned, bank, ("recognition",), 0)["recognition: AUROC of p(yes)"]
        return auroc([is_there > 0.5 for is_there, _ in rows], [share for _, share in rows])

    assert area(tuned) > area(learned.registered) + 0.15
    assert area(tuned) > 0.75

    figures = context.evaluate(dataset, learned, tuned, ("caption", "grounding"), 0)
    hits, wrong, missing = (
        sum(column) for column in zip(*figures["caption: F1 of names, none offered"], strict=True)
    )
    assert hits > 4 * (wrong + missing)
    told = figures["grounding: accuracy without letters"]
    assert sum(is_right for [is_right] in told) / len(told) > 0.6
