"""`photopal model` and `doctor --model`: models are got, chosen, tried and removed; nothing else goes out."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from io import StringIO
from pathlib import Path

import huggingface_hub
import pytest
from rich.console import Console

import photopal
from photopal.cli.context import Session
from photopal.vlm.hub import download, find_cached, plan_download

ID = "someone/tiny"


@pytest.fixture
def tiny(hub, tiny_llava):
    hub.add(ID, tiny_llava)
    hub.cards[ID] = {"license": "apache-2.0"}
    return hub


def test_a_model_is_described_and_not_downloaded_until_somebody_agrees(run, tiny, words):
    asked = run("model", "get", ID)
    assert asked.exit_code == 0
    said = words(asked.stderr)
    assert "MB in" in said
    assert "License: apache-2.0" in said
    assert "Folder: " in said
    assert "Use --yes to download it." in said
    assert tiny.weights_asked_for() == []
    done = run("model", "get", ID, "--yes")
    assert done.stdout == f"{find_cached(ID)}\n"


@pytest.mark.slow
def test_the_program_itself_downloads_from_the_hub_that_the_environment_names(tiny, tiny_llava, tmp_path):
    tiny.broken["model.safetensors"] = (40_000, 1)
    environ = os.environ | {
        "HF_ENDPOINT": huggingface_hub.constants.ENDPOINT,
        "HF_HUB_CACHE": str(tmp_path / "elsewhere"),
        "HF_HUB_OFFLINE": "",
    }
    line = [sys.executable, "-m", "photopal", "--home", str(tmp_path / "home"), "model", "get", ID, "--yes"]
    done = subprocess.run(line, env=environ, capture_output=True, text=True, check=True)
    folder = Path(done.stdout.strip())
    assert (folder / "model.safetensors").read_bytes() == (tiny_llava / "model.safetensors").read_bytes()
    assert done.stderr.count("\n") == 4  # what it is, its license, the folder, how to use it


@pytest.mark.parametrize(("typed", "is_wanted"), [("y\n", True), ("\n", False), ("", False)])
def test_somebody_at_a_terminal_is_asked(monkeypatch, typed, is_wanted):
    class Terminal(StringIO):
        def isatty(self):
            return True

    session = Session()
    session.talk = Console(file=StringIO(), force_terminal=True)
    monkeypatch.setattr("sys.stdin", Terminal(typed))
    assert session.confirm("Download it?") is is_wanted
    assert "Download it?" in session.talk.file.getvalue()
    monkeypatch.setattr("sys.stdin", StringIO(typed))
    assert not session.confirm("Download it?")


def test_a_refusal_has_its_hint(run, tiny, words):
    result = run("model", "get", "someone/else", "--yes")
    assert result.exit_code == 1
    assert "no such model" in words(result.stderr)
    assert "Hint: " in result.stderr


def test_a_model_is_chosen_listed_given_up_and_removed(run, tiny, home, words):
    assert "photopal model get" in words(run("model", "use", ID).stderr)
    download(plan_download(ID))
    home.mkdir()
    config = home / "config.toml"
    config.write_text('# mine\r\ndevice = "cpu"\r\n', encoding="utf-8", newline="")
    assert run("model", "use", ID).exit_code == 0
    assert config.read_bytes() == b'# mine\r\ndevice = "cpu"\r\nmodel = "someone/tiny"\r\n'
    listed = {model["name"]: model for model in json.loads(run("model", "list", "--json").stdout)}
    assert listed[ID]["in_use"]
    assert not listed["bundled"]["in_use"]
    assert listed[ID]["size_bytes"] > 10_000
    refused = run("model", "remove", ID, "--yes")
    assert refused.exit_code == 1
    assert "in use" in refused.stderr
    assert run("model", "use", "bundled").exit_code == 0
    assert 'model = "bundled"' in config.read_text(encoding="utf-8")
    assert "Would remove" in run("model", "remove", ID).stdout
    assert find_cached(ID) is not None
    assert run("model", "remove", ID, "--yes").exit_code == 0
    assert find_cached(ID) is None
    assert "bundled" in run("model", "list").stdout
    assert run("model", "remove", "bundled").exit_code == 2


def test_the_home_folder_of_nobody_is_no_model(run):
    for command in ("use", "remove"):
        result = run("model", command, "~nobody-of-this-name/model")
        assert (result.exit_code, "unknown home folder" in result.stderr) == (2, True)


def test_a_folder_is_chosen_by_its_whole_path_and_only_if_it_is_a_model(
    run, home, tiny_llava, tmp_path, words
):
    assert run("model", "use", str(tmp_path)).exit_code == 1
    assert run("model", "use", "./nowhere").exit_code == 1
    assert not (home / "config.toml").exists()
    result = run("model", "use", str(tiny_llava), PHOTOPAL_MODEL="some/model")
    assert result.exit_code == 0
    assert "PHOTOPAL_MODEL takes precedence" in words(result.stderr)
    assert run("where").stdout.count(f"model\t{tiny_llava}\tconfig file\n") == 1


def test_a_model_that_takes_no_photos_is_not_chosen(run, home, tiny_llava, tmp_path, words):
    folder = shutil.copytree(tiny_llava, tmp_path / "text")
    (folder / "config.json").write_text('{"model_type": "llama"}', encoding="utf-8")
    result = run("model", "use", str(folder))
    assert result.exit_code == 1
    assert "text: the model takes no photos: it is of type 'llama'" in words(result.stderr)
    assert not (home / "config.toml").exists()


@pytest.fixture
def checks(run):
    def look(*words: str, **environ: str) -> dict[str, dict[str, str]]:
        return {
            check["what"]: check for check in json.loads(run("doctor", "--json", *words, **environ).stdout)
        }

    return look


@pytest.mark.slow
def test_doctor_loads_a_model_that_is_named_and_asks_it(checks, tiny_llava):
    found = checks("--model", str(tiny_llava), "--device", "cpu")
    assert found["model"]["state"] == "ok"
    assert "on cpu in float32" in found["answer"]["words"]
    assert "What is in this photo?" in found["answer"]["words"]
    assert "answer" not in checks(PHOTOPAL_MODEL=str(tiny_llava))


def test_doctor_says_why_a_model_does_not_load_and_what_to_do(checks, tiny_llava, tmp_path):
    for path in tiny_llava.iterdir():
        if path.name != "chat_template.jinja":
            (tmp_path / path.name).write_bytes(path.read_bytes())
    found = checks("--model", str(tmp_path), "--device", "cpu")
    assert found["answer"]["state"] == "fault"
    assert "no chat template. Base models have none" in found["answer"]["words"]


@pytest.mark.slow
def test_nothing_but_getting_a_model_opens_a_connection(run, tiny, family, monkeypatch, save_photo, tmp_path):
    download(plan_download(ID))
    # A connection that is kept open would need no new one.
    huggingface_hub.close_session()
    tiny.requests.clear()
    opened: list[object] = []
    monkeypatch.setattr(socket.socket, "connect", lambda self, address: opened.append(address))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *where, **how: opened.append(where) or [])
    photo = save_photo(tmp_path / "photos" / "a.png")
    for line in (
        ("doctor", "--model", ID, "--device", "cpu"),
        ("index", str(photo.parent)),
        ("caption", str(photo), "--model", ID, "--device", "cpu"),
        ("ask", "Who is this?", str(photo), "--model", ID, "--device", "cpu"),
        ("search", "Rex"),
        ("status",),
        ("model", "list"),
        ("model", "use", ID),
        ("model", "use", "someone/else"),
        ("model", "remove", ID),
    ):
        run(*line)
        assert opened == tiny.requests == [], line
    run("model", "get", ID)
    assert opened


def test_only_getting_a_model_and_reaching_a_cluster_can_open_a_connection():
    root = Path(photopal.__file__).parent
    clients = (
        "get_session",
        "snapshot_download",
        "hf_hub_download",
        "HfApi",
        "urllib.request",
        "http.client",
    )
    clients += ("import requests", "import httpx", "socket.create_connection", "aiohttp")
    users = {
        path.relative_to(root).as_posix()
        for path in root.rglob("*.py")
        if any(client in path.read_text(encoding="utf-8") for client in clients)
    }
    assert users == {"vlm/hub.py", "assistant/ray_workers.py"}
