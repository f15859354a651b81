"""`photopal where` and `photopal doctor`."""

import importlib.metadata
import json

import pytest

from photopal.cli.versions import required_packages


def test_where_prints_every_path_and_what_chose_it(run, home):
    result = run("where", PHOTOPAL_MODEL="some/model")
    assert f"library\t{home / 'library.db'}\tdefault\n" in result.stdout
    assert "model\tsome/model\tenvironment\n" in result.stdout
    assert json.loads(run("where", "--json").stdout)["home"] == str(home)


@pytest.fixture
def checks(run, home):
    def look(*words: str) -> dict[str, dict[str, str]]:
        return {check["what"]: check for check in json.loads(run("doctor", "--json", *words).stdout)}

    return look


def test_doctor_finds_the_packages_and_the_library(checks, family):
    found = checks()
    assert found["torch"]["state"] == found["python"]["state"] == "ok"
    assert "3 photos, 2 names" in found["library"]["words"]


def test_doctor_names_every_package_and_the_version_that_is_installed(checks):
    found = checks()
    for name in ("transformers", "pillow", "exifread", "safetensors", "packaging"):
        assert found[name]["words"].startswith(importlib.metadata.version(name))


@pytest.mark.parametrize(
    ("asked", "pinned", "state", "words"),
    [
        ("pillow>=1.0", "{installed}", "ok", "{installed}"),
        ("pillow>={installed}", "9999.0", "ok", "{installed}"),
        ("pillow>=1.0", "9999.0", "note", "not tested with photopal (tested: 1.0, 9999.0)"),
        ("pillow>=9999.0", "9999.0", "note", "photopal requires >=9999.0"),
        ("no-such-package>=1.0", "1.0", "fault", "not installed"),
    ],
)
def test_doctor_says_which_versions_were_not_tested(checks, monkeypatch, asked, pinned, state, words):
    installed = importlib.metadata.version("pillow")
    requirement, constraints = (
        asked.format(installed=installed),
        f"Pillow=={pinned}".format(installed=installed),
    )
    packages = list(required_packages([requirement, 'torch>=2; extra == "dev"'], constraints))
    monkeypatch.setattr("photopal.cli.versions.required_packages", lambda: packages)
    found = checks()
    assert found[packages[0].requirement.name]["state"] == state
    assert words.format(installed=installed) in found[packages[0].requirement.name]["words"]
    assert "torch" not in found


def test_every_package_photopal_asks_for_has_a_tested_version():
    for package in required_packages():
        assert package.tested, package.requirement
        assert package.requirement.specifier.contains(package.tested[-1])


def test_doctor_takes_a_library_that_is_none_for_a_fault(run, checks, home):
    home.mkdir()
    (home / "library.db").write_bytes(b"this is no database, whatever it is called" * 100)
    assert checks()["library"]["state"] == "fault"
    assert run("doctor").exit_code == 1


def test_doctor_looks_into_a_models_folder(run, tmp_path):
    def state_of(model):
        found = json.loads(run("doctor", "--json", PHOTOPAL_MODEL=str(model)).stdout)
        return {check["what"]: check["state"] for check in found}["model"]

    (tmp_path / "model").mkdir()
    assert state_of(tmp_path / "model") == "fault"
    (tmp_path / "model" / "config.json").write_text('{"model_type": "llava"}', encoding="utf-8")
    (tmp_path / "model" / "model.safetensors").write_bytes(b"\2\0\0\0\0\0\0\0{}")
    assert state_of(tmp_path / "model") == "ok"
    assert state_of("no/such") == "fault"
    (tmp_path / "model" / "config.json").write_text('{"model_type": "llama"}', encoding="utf-8")
    assert state_of(tmp_path / "model") == "fault"


def test_doctor_says_when_the_device_is_not_there(checks):
    assert checks("--device", "cuda:99")["device"]["state"] == "fault"
    assert checks("--device", "cpu")["device"]["state"] == "ok"


def test_doctor_says_when_the_home_folder_cannot_be_used(checks, tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert checks("--home", str(tmp_path / "file" / "home"))["home"]["state"] == "fault"
