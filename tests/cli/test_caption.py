"""`photopal caption`, with and without `--watch`."""

import json
import shutil

import pytest
from PIL import Image

from photopal.library import Library


@pytest.fixture
def album(tmp_path, drawn_family):
    """A folder of two strangers and a photo of both."""
    folder = tmp_path / "album"
    folder.mkdir()
    for path in (*drawn_family.strangers[:2], drawn_family.both):
        shutil.copy(path, folder)
    return folder


@pytest.fixture
def caption(run, tiny_llava):
    return lambda *words, **more: run("caption", *map(str, words), PHOTOPAL_MODEL=str(tiny_llava), **more)


def test_a_folder_is_indexed_and_captioned_and_the_second_time_left_alone(caption, album, home):
    first = caption(album)
    assert first.exit_code == 0
    lines = [line.split("\t") for line in first.stdout.splitlines()]
    assert [line[0] for line in lines] == sorted(str(path) for path in album.iterdir())
    assert all(len(line) == 3 and line[2] for line in lines)
    second = caption()
    assert (second.exit_code, second.stdout) == (0, "")
    assert "3 photos already up to date" in second.stderr
    with Library(home / "library.db") as library:
        assert library.counts()["captioned"] == 3


def test_of_a_folder_that_lost_most_of_its_photos_the_rest_is_captioned(run, caption, album):
    lost = [album / f"{number}.png" for number in range(5)]
    for number, path in enumerate(lost):
        Image.new("RGB", (64, 48), (number * 40, 60, 90)).save(path)
    run("index", str(album))
    for path in lost:
        path.unlink()
    result = caption(album)
    assert (result.exit_code, result.stdout.count("\n")) == (3, 3)
    assert "or most of its photos have disappeared" in result.stderr.replace("\n", " ")
    assert "Skipped" not in result.stderr


@pytest.mark.slow
def test_force_and_limit(caption, album):
    assert caption(album, "--limit", "1").stdout.count("\n") == 1
    assert caption("--limit", "1").stdout.count("\n") == 1
    assert caption(album, "--force").stdout.count("\n") == 3


@pytest.mark.slow
def test_json_is_one_list_and_jsonl_a_line_each(caption, album):
    listed = json.loads(caption(album, "--json").stdout)
    lines = [json.loads(line) for line in caption(album, "--jsonl", "--force").stdout.splitlines()]
    assert [entry["path"] for entry in listed] == [entry["path"] for entry in lines]
    assert set(listed[0]) == {"path", "names", "caption", "source", "sightings"}
    assert caption(album, "--json", "--jsonl").exit_code == 2


@pytest.mark.slow
def test_some_failures_end_with_3_and_the_others_are_captioned(caption, album, tmp_path):
    (album / "broken\x1b.jpg").write_bytes(b"no photo")
    result = caption(album, tmp_path / "nowhere")
    assert result.exit_code == 3
    assert result.stdout.count("\n") == 3
    assert "broken\\x1b.jpg" in result.stderr
    assert "nowhere" in result.stderr


@pytest.mark.slow
def test_a_photo_that_broke_since_it_was_indexed_is_named_once(run, caption, album):
    run("index", str(album))
    broken = album / "both.png"
    broken.write_bytes(b"no photo")
    result = caption()
    assert result.exit_code == 3
    assert result.stderr.count(str(broken)) == 1


@pytest.mark.slow
def test_paths_come_from_stdin(tiny_llava, album, home):
    import os

    from typer.testing import CliRunner

    from photopal.cli.app import app

    odd = album / os.fsdecode(b"odd\xff.png")
    shutil.copy(album / "both.png", odd)
    (album / "both.png").unlink()
    environ = {"PHOTOPAL_HOME": str(home), "PHOTOPAL_MODEL": str(tiny_llava)}
    lines = os.fsencode(odd) + b"\n"
    result = CliRunner().invoke(app, ["caption", "-"], input=lines, env=environ)
    assert result.exit_code == 0
    assert "odd\\xff.png\t" in result.stdout
    assert CliRunner().invoke(app, ["caption", "-"], input=b"", env=environ).exit_code == 2


@pytest.mark.slow
def test_ctrl_c_keeps_what_is_done(caption, album, home, monkeypatch):
    from photopal.assistant import caption as library_room
    from photopal.assistant import captioner as room

    monkeypatch.setattr(library_room, "_SMALL_BYTES", 0)  # a photo a batch at first, as with a large model
    write, calls = room.write_captions, []

    def interrupted(*words, **more):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return write(*words, **more)

    monkeypatch.setattr(room, "write_captions", interrupted)
    result = caption(album, "--json")
    assert result.exit_code == 130
    assert len(json.loads(result.stdout)) == 1
    monkeypatch.undo()
    assert caption().stdout.count("\n") == 2


@pytest.mark.slow
def test_a_watch_with_once_captions_what_is_there_and_ends(caption, album):
    result = caption("--watch", "--once", album)
    assert result.exit_code == 0, result.output
    assert result.stdout.count("\n") == 3
    again = caption("--watch", "--once", album)
    assert (again.exit_code, again.stdout) == (0, "")


@pytest.mark.slow
def test_a_watch_names_a_bad_file_and_ends_with_3(caption, album):
    (album / "broken.jpg").write_bytes(b"no photo")
    result = caption("--watch", "--once", album)
    assert result.exit_code == 3
    assert result.stdout.count("\n") == 3


@pytest.mark.parametrize("words", [("--once",), ("--watch", "--force"), ("--watch",), ("--watch", "--json")])
def test_options_that_do_not_fit_are_a_usage_error(caption, words):
    assert caption(*words).exit_code == 2


def test_ray_that_is_not_there_and_workers_without_it_are_errors_in_words(caption, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "ray", None)
    result = caption("--ray", "auto")
    assert result.exit_code == 2
    assert 'pip install "photopal[ray]"' in result.stderr
    result = caption("--workers", "2")
    assert (result.exit_code, result.stderr.splitlines()[0]) == (2, "Error: --workers requires --ray")


@pytest.mark.slow
def test_captions_of_ray_workers_are_printed_and_nothing_else_is(caption, album, monkeypatch):
    import sys

    from tests.assistant.test_ray_workers import FakeRay

    class LoudRay(FakeRay):
        def init(self, **options):
            self.options = options

        def get(self, *words, **more):
            print("(raylet) A worker died")
            return super().get(*words, **more)

        def shutdown(self):
            self.is_shut = True

    ray = LoudRay()
    monkeypatch.setitem(sys.modules, "ray", ray)
    for words in (("--watch", "--once", album, "--workers", "1"), (album, "--force")):
        result = caption("--ray", "auto", *words)
        assert result.exit_code == 0, result.output
        assert result.stdout.count("\n") == 3
        assert "(raylet)" not in result.stdout
    assert (ray.options["address"], ray.is_shut) == ("auto", True)
