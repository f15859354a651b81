"""`photopal gallery` and `search --open` write a page and open it."""

import json
import shutil
import sys

import pytest


@pytest.fixture
def opened(tmp_path, monkeypatch):
    """What the user's browser is asked to open, in order: a program that writes it down."""
    log = tmp_path / "opened.txt"
    program = tmp_path / "browse"
    program.write_text(f'#!{shutil.which("sh")}\necho "$1" >> {log}\n')
    program.chmod(0o755)
    monkeypatch.setattr("webbrowser._tryorder", None)
    monkeypatch.setattr("webbrowser._browsers", {})
    monkeypatch.setenv("BROWSER", str(program))
    return lambda: log.read_text().splitlines() if log.exists() else []


def test_a_page_of_the_photos_found_is_written_and_its_path_printed(run, family, tmp_path):
    result = run("gallery", "rex", "--into", str(tmp_path / "g"), "--title", "Rex & co")
    page = tmp_path / "g" / "index.html"
    assert (result.exit_code, result.stdout) == (0, f"{page}\n")
    assert "Saved a gallery of 1 photo" in result.stderr
    assert "<h1>Rex &amp; co</h1>" in page.read_text(encoding="utf-8")
    facts = json.loads(run("gallery", "--into", str(tmp_path / "g"), "--json").stdout)
    assert (facts["page"], facts["photos"], facts["not_copied"]) == (str(page), 3, [])


def test_nothing_found_and_a_folder_in_use_leave_everything_as_it_was(run, family, tmp_path):
    none = run("gallery", "zebra", "--into", str(tmp_path / "g"))
    assert (none.exit_code, none.stderr) == (4, "no photo found for 'zebra'\n")
    assert not (tmp_path / "g").exists()
    (tmp_path / "g").mkdir()
    (tmp_path / "g" / "index.html").write_text("mine")
    used = run("gallery", "--into", str(tmp_path / "g"))
    assert (used.exit_code, "not empty and not a gallery" in used.stderr) == (2, True)
    assert (tmp_path / "g" / "index.html").read_text() == "mine"
    assert run("gallery").exit_code == 2


def test_photos_that_cannot_be_copied_are_named_with_code_3(run, family, tmp_path):
    result = run("gallery", "beach", "--into", str(tmp_path / "g"), "--copy")
    assert result.exit_code == 3
    assert "Not copied: /p/beach.jpg: No such file or directory" in result.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="the browser is a shell script")
def test_search_shows_what_it_lists_in_the_browser(run, family, opened, home):
    result = run("search", "beach", "--open")
    assert result.exit_code == 0
    assert result.stdout.startswith("/p/beach.jpg\t")
    page = home / "page" / "index.html"
    assert opened() == [page.as_uri()]
    assert "<h1>beach</h1>" in page.read_text(encoding="utf-8")
    assert run("search", "zebra", "--open").exit_code == 4
    assert len(opened()) == 1
    assert run("gallery", "--into", str(home / "mine"), "--open").exit_code == 0
    assert opened()[1:] == [(home / "mine" / "index.html").as_uri()]
