"""A command that fails leaves nothing half done, and a name that cannot be registered stops no other."""

import json
import os
import shutil
from pathlib import Path

import pytest

from photopal.concepts import registration
from photopal.library import Library


@pytest.fixture
def go(run, tiny_llava):
    return lambda *words: run(*map(str, words), PHOTOPAL_MODEL=str(tiny_llava))


@pytest.fixture
def break_names(monkeypatch):
    """Make the registration of some names fail; with none, all work again."""

    def set_broken(*names, error=RuntimeError):
        def register(model, concept_id, found, *, name, **rest):
            if name in names:
                raise error("the device is lost")
            return original(model, concept_id, found, name=name, **rest)

        monkeypatch.setattr(registration, "register_concept", register)

    original = registration.register_concept
    return set_broken


def state(home):
    """Everything a user would find in the library, and the bytes of the banks."""
    with Library(home / "library.db") as library:
        concepts = {
            c.name: [(r.photo.path, r.box) for r in library.concepts.references(c.id)]
            for c in library.concepts.all()
        }
        rows = [concepts, library.history.entries(), library.counts()["photos"]]
    return [*rows, {path.name: path.read_bytes() for path in (home / "banks").glob("*")}]


def not_registered(go):
    return {row["name"]: row["not_registered"] for row in json.loads(go("concepts", "--json").stdout)}


@pytest.mark.slow
@pytest.mark.parametrize("error", [RuntimeError, MemoryError, KeyboardInterrupt, OSError])
def test_a_new_name_that_cannot_be_registered_is_not_kept(go, home, drawn_family, break_names, error):
    go("add-concept", "Anna", *drawn_family.photos["Anna"])
    before = state(home)
    break_names("Ben", error=error)
    result = go("add-concept", "Ben", *drawn_family.photos["Ben"])
    assert result.exit_code == (130 if error is KeyboardInterrupt else 1)
    assert "Traceback" not in result.output
    assert state(home) == before
    assert go("locate", drawn_family.both).exit_code == 0
    break_names()
    assert go("add-concept", "Ben", *drawn_family.photos["Ben"]).exit_code == 0
    assert not_registered(go) == {"Anna": None, "Ben": None}


def test_it_is_said_that_nothing_was_added(go, drawn_family, break_names, words):
    break_names("Anna")
    result = go("add-concept", "Anna", *drawn_family.photos["Anna"])
    assert "RuntimeError: the device is lost. Nothing was added to the library." in words(result.stderr)


@pytest.mark.slow
def test_further_photos_that_cannot_be_registered_are_not_kept(go, home, drawn_family, break_names):
    first, *rest = drawn_family.photos["Anna"]
    go("add-concept", "Anna", first, "--box", "10,20,50,60")
    before = state(home)
    break_names("Anna")
    assert go("add-concept", "Anna", *rest, "--about", "tall").exit_code == 1
    assert state(home) == before


def test_a_name_is_not_kept_when_the_bank_cannot_be_written(go, home, drawn_family, monkeypatch):
    go("add-concept", "Anna", *drawn_family.photos["Anna"])
    before = state(home)

    def fill(tensors, path, **rest):
        path.write_bytes(b"half")
        raise OSError(28, os.strerror(28))

    with monkeypatch.context() as patch:
        patch.setattr("photopal.concepts.bank.save_file", fill)
        result = go("add-concept", "Ben", *drawn_family.photos["Ben"])
    assert result.exit_code == 1
    assert "cannot be written: No space left on device" in result.stderr
    assert state(home) == before


@pytest.mark.slow
def test_an_old_name_that_cannot_be_registered_stops_no_command(go, home, drawn_family, break_names, words):
    """As in the library of a photopal that stored a name and then failed to register it."""
    go("add-concept", "Anna", *drawn_family.photos["Anna"])
    go("add-concept", "Ben", *drawn_family.photos["Ben"])
    shutil.rmtree(home / "banks")
    break_names("Ben")
    for command in (
        ("locate", drawn_family.both),
        ("caption", drawn_family.both, "--force"),
        ("ask", "Who is this?", drawn_family.both),
        ("tune", "--epochs", "1"),
        ("add-concept", "Anna", drawn_family.both, "--box", "0,0,40,80"),
    ):
        result = go(*command)
        assert result.exit_code == 0, (command, result.stderr)
        said = words(result.stderr)
        assert (
            said.count("Ben is not recognized, because it could not be registered: RuntimeError: the device")
            == 1
        )
        assert "Traceback" not in said
        assert not_registered(go) == {"Anna": None, "Ben": "RuntimeError: the device is lost"}
    reports = list((home / "crashes").glob("*.txt"))
    assert "the device is lost" in reports[0].read_text(encoding="utf-8")
    assert "Traceback" in reports[0].read_text(encoding="utf-8")
    result = go("tune", "Ben", "--epochs", "1")
    assert result.exit_code == 2
    assert "Ben cannot be registered: RuntimeError: the device is lost" in words(result.stderr)


@pytest.mark.slow
def test_a_name_is_registered_as_soon_as_it_can_be(go, home, drawn_family, break_names):
    go("add-concept", "Anna", *drawn_family.photos["Anna"])
    go("add-concept", "Ben", *drawn_family.photos["Ben"])
    whole = state(home)
    shutil.rmtree(home / "banks")
    break_names("Anna", "Ben")
    assert go("locate", drawn_family.both).exit_code == 0
    break_names()
    result = go("locate", drawn_family.both)
    assert "registered" not in result.stderr
    assert not_registered(go) == {"Anna": None, "Ben": None}
    assert set(state(home)[3]) == set(whole[3])


@pytest.mark.slow
def test_what_cannot_be_registered_anew_stays_as_it_was_known(go, home, drawn_family, break_names, words):
    go("add-concept", "Anna", *drawn_family.photos["Anna"])
    with Library(home / "library.db") as library:
        anna = library.concepts.get("Anna").id
        library.concepts.add_reference(
            anna, library.concepts.references(anna)[0].photo.id, box=(0, 0, 40, 40)
        )
    break_names("Anna")
    result = go("locate", drawn_family.both)
    assert result.exit_code == 0
    assert result.stdout.startswith("Anna\t")
    assert "Anna is recognized by its earlier photos only" in words(result.stderr)


@pytest.mark.slow
def test_thresholds_that_cannot_be_learned_stop_no_command(go, home, drawn_family, monkeypatch):
    go("add-concept", "Anna", *drawn_family.photos["Anna"])
    with Library(home / "library.db") as library:
        anna = library.concepts.get("Anna").id
        library.concepts.add_reference(
            anna, library.concepts.references(anna)[0].photo.id, box=(0, 0, 40, 40)
        )

    def fail(*_words):
        raise ZeroDivisionError("none")

    monkeypatch.setattr(registration, "calibrate_concepts", fail)
    assert go("locate", drawn_family.both).exit_code == 0
    assert not_registered(go) == {"Anna": "ZeroDivisionError: none"}


@pytest.mark.slow
def test_names_without_photos_are_listed_with_the_reason(go, home, drawn_family, tmp_path):
    copies = [Path(shutil.copy(path, tmp_path)) for path in drawn_family.photos["Ben"]]
    go("add-concept", "Anna", *drawn_family.photos["Anna"])
    go("add-concept", "Ben", *copies)
    for copy in copies:
        copy.unlink()
    shutil.rmtree(home / "banks")
    assert go("locate", drawn_family.both).exit_code == 0
    assert not_registered(go) == {"Anna": None, "Ben": "none of its photos can be found"}
    assert "none of its photos can be found" in go("concepts").stdout


@pytest.mark.slow
def test_the_reasons_of_another_model_are_not_shown(go, run, home, drawn_family, break_names):
    go("add-concept", "Anna", *drawn_family.photos["Anna"])
    shutil.rmtree(home / "banks")
    break_names("Anna")
    go("locate", drawn_family.both)
    [anna] = json.loads(run("concepts", "--json").stdout)
    assert anna["not_registered"] is None


def test_a_restore_that_fails_leaves_the_library_and_no_copy_beside_it(
    run, home, family, monkeypatch, tmp_path
):
    run("backup", str(tmp_path / "backup.db"))
    before = family.read_bytes()

    def fail(*_words, **_rest):
        raise MemoryError

    monkeypatch.setattr("photopal.library.backup._put_back", fail)
    assert run("restore", str(tmp_path / "backup.db"), "--yes").exit_code == 1
    assert family.read_bytes() == before
    assert list(home.glob("*before-restore*")) == []
