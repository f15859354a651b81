"""`photopal eval make`, `dataset` and `faults` as a user runs them, on a tiny model."""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture
def scenes(run, tmp_path):
    """A written dataset, cut down to what a test needs."""
    from photopal.lab.datasets.drawn_dataset import DrawnOptions, write_drawn

    folder = tmp_path / "scenes"
    options = DrawnOptions(scenarios=2, train=2, test=1, multi=1, negatives=3, siblings=0, size_px=64)
    write_drawn(folder, options)
    return folder


def test_make_refuses_what_is_no_world_and_what_is_nothing(run, tmp_path):
    told = run("eval", "make", "real", str(tmp_path / "x"))
    assert told.exit_code == 2
    assert "unknown kind of scenarios 'real'" in told.stderr
    told = run("eval", "make", "drawn", str(tmp_path / "x"), "--scenarios", "0")
    assert told.exit_code == 2
    assert not (tmp_path / "x").exists()


def test_make_writes_a_dataset_and_says_where(run, tmp_path):
    folder = tmp_path / "x"
    told = run("eval", "make", "drawn", str(folder), "--scenarios", "1", "--size", "64")
    assert told.exit_code == 0, told.stderr
    assert told.stdout == f"{folder}\n"
    assert len(json.loads((folder / "scenarios.json").read_text(encoding="utf-8"))) == 1


def test_a_dataset_is_measured_as_rows_and_as_json(run, scenes, tiny_llava):
    words = ["--model", str(tiny_llava), "eval", "dataset", str(scenes), "--no-tuning"]
    told = run(*words, "--task", "grounding", "--task", "vqa")
    assert told.exit_code == 0, told.stderr
    rows = [line.split("\t") for line in told.stdout.splitlines()]
    assert {row[0] for row in rows} == {"grounding", "places", "vqa"}
    assert all(len(row) == 11 for row in rows)
    assert "2 scenarios of scenes (mc-llava), seed 0; not tuned." in " ".join(told.stderr.split())
    told = run(*words, "--task", "grounding", "--json", "--scenarios", "1")
    facts = json.loads(told.stdout)
    assert {row["task"] for row in facts["rows"]} == {"grounding", "places"}
    assert [scenario["name"] for scenario in facts["scenarios"]] == ["Al_Alex"]


def test_an_unknown_task_and_a_missing_folder_are_said_in_words(run, scenes, tmp_path):
    told = run("eval", "dataset", str(scenes), "--task", "singing")
    assert told.exit_code == 2
    assert "singing: unknown task" in told.stderr
    told = run("eval", "dataset", str(tmp_path / "nowhere"))
    assert told.exit_code == 2
    assert "nowhere: the folder is missing" in " ".join(told.stderr.split())
    assert f"Hint: photopal eval make drawn {tmp_path / 'nowhere'}\n" in told.stderr


@pytest.mark.parametrize("command", ["dataset", "faults"])
def test_what_cannot_be_a_folder_is_no_dataset(run, tmp_path, command):
    (tmp_path / "file").touch()
    for path, said in (
        (str(tmp_path / "file"), "is not a folder"),
        ("x" * 300, "the folder is missing"),
        ("~nobody-of-this-name/scenes", "unknown home folder"),
    ):
        told = run("eval", command, path)
        assert (told.exit_code, said in told.stderr) == (2, True)


def test_faults_are_listed_with_what_they_do_to_the_figures(run, scenes, tiny_llava):
    told = run("--model", str(tiny_llava), "eval", "faults", str(scenes), "--no-tuning", "--json")
    assert told.exit_code == 0, told.stderr
    listed = json.loads(told.stdout)
    assert {one["fault"] for one in listed} == {
        "masks ignored",
        "labels shifted",
        "marks at random",
        "wrong rows",
    }
    assert all(isinstance(one["is_caught"], bool) for one in listed)
