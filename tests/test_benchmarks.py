"""The benchmarks run, and both sides of each say the same; nothing is timed here."""

import argparse
import runpy
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

BENCHMARKS = Path(__file__).parent / "benchmarks"


@pytest.fixture
def run_quickly(monkeypatch, capsys):
    """Run a benchmark as a person does, or on the smallest model; returns what it prints."""

    def run(name: str, *words: str) -> str:
        monkeypatch.syspath_prepend(str(BENCHMARKS))
        monkeypatch.setattr("sys.argv", [name, *(words or ("--quick", "--models", "llava"))])
        runpy.run_path(str(BENCHMARKS / name), run_name="__main__")
        return capsys.readouterr().out

    return run


def test_captions_of_both_sides_are_equal(run_quickly):
    assert "equal text: 3 of 3" in run_quickly("caption.py")


def test_a_model_captions_in_either_number_format(run_quickly):
    told = run_quickly("formats.py")
    assert "float32" in told
    assert "bfloat16" in told
    assert "equal text:" in told


def test_answers_of_all_sides_are_equal(run_quickly):
    told = run_quickly("ask.py")
    assert "equal text, photopal, one by one: 4 of 4" in told
    assert "equal text, photopal, together: 4 of 4" in told


def test_both_ways_of_tuning_start_from_the_same_loss(run_quickly):
    told = run_quickly("tune.py")
    assert "losses differ by" in told
    assert "moments of the optimiser" in told


def test_both_ways_of_tuning_learn(run_quickly):
    told = run_quickly("tune.py", "--quick", "--epochs", "1")
    assert "accuracy on 4 others" in told
    assert "epoch 1: authors' loop at 0.001" in told


def test_both_ways_of_tuning_learn_on_a_model_never_taught_names(run_quickly):
    told = run_quickly("tune.py", "--quick", "--seconds", "1")
    assert "photopal starts from" in told
    assert told.count("authors' loop at 0.01:") == 6


def test_the_race_of_several_families_tells_their_mean_difference(monkeypatch, capsys):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    tune = runpy.run_path(str(BENCHMARKS / "tune.py"))
    slow, quick, ours = "authors' loop at 0.001", "authors' loop at 0.01", tune["OURS"]
    curves = {3: {slow: 0.5, quick: 0.6, ours: 0.9}, 4: {slow: 0.7, quick: 0.4, ours: 0.9}}
    race = tune["race"]
    race.__globals__["race_family"] = lambda seed, asked: [curves[seed]] * tune["TURNS"]
    race(argparse.Namespace(families=2, seconds=60.0))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 + tune["TURNS"]
    assert lines[-1] == (
        f"60 s: {slow}: 0.600; {quick}: 0.500; {ours}: 0.900; difference +0.250 (+0.200 to +0.300)"
    )


def test_growth_is_told_of_concepts_and_of_questions(run_quickly):
    told = run_quickly(
        "growth.py", "--concepts", "2", "3", "--photos", "1", "--questions", "2", "--rounds", "1"
    )
    assert "one joins the others" in told
    assert "s one by one" in told


def test_maps_of_both_sides_are_equal(run_quickly):
    assert "3 concepts, 4 vectors each, maps differ by" in run_quickly("recognise.py")


def test_the_page_on_performance_has_a_place_for_every_table():
    everything = runpy.run_path(str(BENCHMARKS / "all.py"))
    page = (BENCHMARKS.parent.parent / "docs" / "performance.md").read_text(encoding="utf-8")
    for name in everything["RUNS"]:
        assert f"```text\n{name} told\n```" in everything["put"](page, name, f"{name} told")
    with pytest.raises(ValueError, match="no place"):
        everything["put"](page, "nothing", "")
