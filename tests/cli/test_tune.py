"""`photopal tune`."""

import json

import pytest


@pytest.fixture
def photopal(run, tiny_llava, drawn_family):
    def call(*words):
        return run(*words, PHOTOPAL_MODEL=str(tiny_llava))

    for name, photos in drawn_family.photos.items():
        masks = str(drawn_family.masks[name])
        assert (
            call("add-concept", name, str(photos[0].parent), "--mask", masks, "--about", "x").exit_code == 0
        )
    return call


def bank_bytes(home):
    [path] = (home / "banks").iterdir()
    return path.read_bytes()


def test_epochs_are_told_on_stderr_and_the_result_on_stdout(photopal):
    result = photopal("tune", "--epochs", "2", "--lr", "0.02", "--tokens", "4")
    assert result.exit_code == 0
    lines = dict(line.split("\t") for line in result.stdout.splitlines())
    assert lines["names"] == "Anna, Ben"
    assert lines["photos to learn from"] == "4"
    assert lines["photos held out"] == "2"
    assert lines["accuracy before tuning"].endswith("%")
    assert lines["best epoch"].endswith("of 2")
    assert [line.split()[0] for line in result.stderr.splitlines() if "/2" in line] == ["0/2", "1/2", "2/2"]


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bank(photopal, home):
    banks = []
    for _ in range(2):
        json.loads(photopal("tune", "--epochs", "1", "--lr", "0.02", "--seed", "7", "--json").stdout)
        banks.append(bank_bytes(home))
    assert banks[0] == banks[1]


@pytest.mark.slow
def test_ctrl_c_while_photos_are_read_leaves_everything_as_it_was(photopal, home, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    before = bank_bytes(home)
    monkeypatch.setattr("photopal.tuning.library_tuning.gather_photos", interrupt)
    assert photopal("tune").exit_code == 130
    assert bank_bytes(home) == before


@pytest.mark.slow
@pytest.mark.usefixtures("each_epoch_helps")
def test_ctrl_c_while_it_trains_keeps_the_best_so_far(photopal, home, monkeypatch):
    from photopal.tuning.trainer import TuningRun

    run_epoch, calls = TuningRun.run_epoch, []

    def interrupted(self, *rest):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return run_epoch(self, *rest)

    monkeypatch.setattr(TuningRun, "run_epoch", interrupted)
    result = photopal("tune", "--epochs", "50", "--lr", "0.02", "--json")
    report = json.loads(result.stdout)
    assert result.exit_code == 130
    assert report["was_interrupted"]
    assert report["best_epoch"] == 1
    assert report["is_saved"]


@pytest.mark.slow
@pytest.mark.usefixtures("each_epoch_helps")
def test_memory_that_runs_out_ends_tuning_with_the_best_so_far(photopal, home, monkeypatch, words):
    import torch

    from photopal.tuning.trainer import TuningRun

    run_epoch, calls = TuningRun.run_epoch, []

    def short_of_memory(self, *rest):
        calls.append(1)
        if len(calls) == 2:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return run_epoch(self, *rest)

    monkeypatch.setattr(TuningRun, "run_epoch", short_of_memory)
    result = photopal("tune", "--epochs", "50", "--lr", "0.02", "--json")
    report = json.loads(result.stdout)
    assert result.exit_code == 1
    assert "Error: memory ran out in epoch 2" in words(result.stderr)
    assert report["ran_out_of_memory"]
    assert report["best_epoch"] == 1
    assert report["is_saved"]


@pytest.mark.slow
def test_unknown_names_and_wrong_numbers_are_code_2(photopal):
    assert photopal("tune", "Bob").exit_code == 2
    assert photopal("tune", "--epochs", "0").exit_code == 2
    assert photopal("tune", "--tokens", "33").exit_code == 2


@pytest.mark.slow
def test_a_library_without_names_says_how_to_add_one(run, family, tiny_llava):
    for name in ("Anna", "Rex"):
        run("remove-concept", name, "--yes")
    result = run("tune", PHOTOPAL_MODEL=str(tiny_llava))
    assert result.exit_code == 2
    assert "photopal add-concept" in result.stderr
