"""`photopal eval report` as a user runs it."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.slow


def test_an_unknown_experiment_is_refused_with_those_there_are(run, tmp_path, tiny_llava):
    told = run("--model", str(tiny_llava), "eval", "report", str(tmp_path), "--only", "singing")
    assert told.exit_code == 2
    assert "singing: no such experiment" in told.stderr
    assert "claims, joint, initialization" in " ".join(told.stderr.split())


def test_without_matplotlib_it_says_what_to_install_before_anything_runs(run, tmp_path, monkeypatch):
    monkeypatch.setattr("photopal.lab.experiments.tables.find_spec", lambda name: None)
    told = run("eval", "report", str(tmp_path / "out"))
    assert told.exit_code == 2
    assert "pip install 'photopal[report]'" in " ".join(told.stderr.split())
    assert not (tmp_path / "out").exists()


def test_with_a_folder_the_page_of_one_experiment_is_written_and_says_how(run, tmp_path, monkeypatch):
    monkeypatch.setattr(
        "photopal.lab.experiments.runner.compute_runs", lambda *_, **__: {"initialization": []}
    )
    told = run("eval", "report", str(tmp_path / "out"), "--only", "initialization", "--budget", "2")
    assert told.exit_code == 0
    page = (tmp_path / "out" / "results.md").read_text()
    assert "Written by `photopal eval report --only initialization --budget 2`" in page
    assert "## Initialization" in page
    assert "## Is anything learned?" not in page
