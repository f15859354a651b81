"""`photopal eval`: its commands explain themselves, and the bundled model's table is printed."""

from __future__ import annotations

import json
from functools import partial

import pytest

from photopal.cli.commands.eval import COMMANDS, _line
from photopal.cli.help import name_of
from photopal.lab.experiments import bundled_model
from photopal.lab.experiments.bundled_model import GOALS, REFUSALS
from photopal.lab.experiments.tallies import Goal, Tallies
from photopal.tuning import TuneOptions

pytestmark = pytest.mark.slow

TUNING = TuneOptions(epochs=1, variants=1, batch_photos=24, tokens=3)


@pytest.mark.parametrize("name", [name_of(command) for command in COMMANDS])
def test_every_way_to_measure_explains_itself_with_an_example(run, words, name):
    result = run("eval", name, "--help")
    assert result.exit_code == 0
    assert f"Examples: photopal eval {name}" in words(result.stdout)
    assert "<bool>" not in result.stdout


def test_eval_alone_names_its_commands(run, words):
    printed = words(run("eval", "--help").stdout)
    assert all(f" {name_of(command)} " in printed for command in COMMANDS)


@pytest.fixture
def small(monkeypatch):
    """As few families and photos as there can be; everything is still measured."""
    few = partial(bundled_model.BundledOptions, families=1, tuned=1, size_px=48, tuning=TUNING)
    monkeypatch.setattr(bundled_model, "BundledOptions", few)


def test_the_table_of_the_bundled_model_is_printed_from_end_to_end(run, small, tiny_llava):
    result = run("--model", str(tiny_llava), "eval", "bundled", "--questions", "3", "--seed", "5", "--json")
    assert result.exit_code == 0, result.stderr
    facts = json.loads(result.stdout)
    assert [row["key"] for row in facts["rows"]] == [goal.key for goal in GOALS]
    assert [row["key"] for row in facts["refusals"]] == [goal.key for goal in REFUSALS]
    assert facts["options"]["seed"] == 5
    assert next(row for row in facts["rows"] if row["key"] == "registered")["questions"] == 9


def test_a_line_says_by_how_much_its_target_is_met_or_missed():
    tallies = Tallies()
    tallies.add("x", "a", 9, 10)
    assert _line(tallies.measure(Goal("x", "things", 0.95)))[2:] == (
        "0.900–0.900",
        "0.95",
        "missed by 0.050",
        "10",
        "1 family",
    )
    assert _line(tallies.measure(Goal("x", "things", 0.85)))[4] == "met by 0.050"
    assert _line(tallies.measure(Goal("x", "things")))[3:5] == ("", "")
    assert _line(tallies.measure(Goal("y", "things", 0.5)))[1] == "not asked"
