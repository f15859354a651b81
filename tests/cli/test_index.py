"""`photopal index`, `problems` and `status` on a folder of real files."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(3):
        Image.new("RGB", (32, 24), (number * 40, 90, 90)).save(folder / f"lake {number}.jpg")
    return folder


def test_index_counts_on_stdout_and_ends_with_0(run, folder):
    first, second = run("index", str(folder)), run("index", str(folder))
    assert first.exit_code == second.exit_code == 0
    assert "added\t3\n" in first.stdout
    assert "unchanged\t3\n" in second.stdout
    assert first.stderr == ""


def test_a_broken_file_is_named_and_ends_with_3(run, folder):
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no photo")
    result = run("index", str(folder), "--json")
    report = json.loads(result.stdout)
    assert result.exit_code == 3
    assert report["added"] == 3
    assert [Path(skipped["path"]).name for skipped in report["skipped"]] == ["broken.jpg"]
    assert "broken.jpg" in result.stderr
    assert "broken.jpg" in run("problems").stdout
    [problem] = json.loads(run("problems", "--json").stdout)
    assert problem["reason"]


def test_a_sidecar_that_cannot_be_read_is_named_each_time_with_what_to_do_and_its_photo_is_there(run, folder):
    sidecar = folder / "lake 1.jpg.xmp"
    sidecar.write_text("<x:xmpmeta")
    for _ in range(2):
        result = run("index", str(folder), "--json")
        assert result.exit_code == 0
        report = json.loads(result.stdout)
        assert (report["added"] + report["unchanged"], report["skipped"]) == (3, [])
        assert report["unread_sidecars"] == [
            {"path": str(sidecar), "reason": "sidecar not read: no valid XMP"}
        ]
        assert f"{sidecar}: sidecar not read: no valid XMP" in result.stderr
        assert "Save such a sidecar again in the program that wrote it" in result.stderr
    result = run("problems")
    assert f"{sidecar}\tsidecar not read: no valid XMP\t" in result.stdout
    assert "Save such a sidecar again in the program that wrote it" in result.stderr
    assert run("info", str(folder / "lake 1.jpg")).exit_code == 0


def test_photos_that_are_marked_as_missing_are_told_of(run, folder):
    run("index", str(folder))
    for command in ("status", "verify"):
        assert "missing" not in run(command).stderr
    (folder / "lake 0.jpg").unlink()
    run("index", str(folder), "--accept-loss")
    for command in ("status", "verify"):
        result = run(command)
        assert result.exit_code == 0
        assert "1 photo marked as missing; its captions, names and dates are kept." in result.stderr
    assert json.loads(run("verify", "--json").stdout)["missing"] == 1


@pytest.mark.slow
def test_a_folder_that_went_away_is_offline_and_loses_nothing(run, folder):
    run("index", str(folder))
    folder.rename(folder.with_name("elsewhere"))
    result = run("index", str(folder), "--json")
    assert result.exit_code == 3
    assert json.loads(result.stdout)["offline"] == [str(folder)]
    assert json.loads(run("status", "--json").stdout)["photos"] == 3
    run("index", str(folder), "--accept-loss")
    assert json.loads(run("status", "--json").stdout)["missing"] == 3


def test_status_says_how_much_there_is(run, folder, words):
    run("index", str(folder))
    result = run("status")
    assert "photos\t3\n" in result.stdout
    assert json.loads(run("status", "--json").stdout)["banks"] == 0


def test_index_without_a_folder_is_a_usage_error(run):
    assert run("index").exit_code == 2


@pytest.mark.slow
def test_ctrl_c_ends_with_130_and_the_next_run_completes(run, tmp_path, home):
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(300):
        Image.new("RGB", (320, 240), (number % 256, number // 256, 90)).save(folder / f"{number}.png")
    # A shell that starts jobs in the background has them ignore Ctrl-C; this process must not.
    code = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from photopal.cli import main; main()"
    )
    command = [sys.executable, "-c", code, "--home", str(home), "index", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        while not (home / "library.db").exists() and process.poll() is None:
            time.sleep(0.01)
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        _, talk = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Interrupted" in talk
    assert "Traceback" not in talk
    assert run("index", str(folder)).exit_code == 0
    assert json.loads(run("status", "--json").stdout)["photos"] == 300


def test_a_path_that_never_was_is_a_usage_error_and_makes_no_library(run, tmp_path, home, folder):
    result = run("index", str(tmp_path / "typo"))
    assert result.exit_code == 2
    assert f"{tmp_path / 'typo'}: does not exist" in result.stderr.replace("\n", "")
    assert not home.exists()
    run("index", str(folder))
    assert run("index", str(tmp_path / "typo"), str(folder)).exit_code == 2


def test_verify_says_when_all_is_well_and_names_what_is_gone(run, folder):
    run("index", str(folder))
    result = run("verify")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "3 photos with 3 files: no problems found." in result.stderr
    (folder / "lake 1.jpg").unlink()
    result = run("verify", "--json")
    assert result.exit_code == 3
    facts = json.loads(result.stdout)
    assert facts["findings"] == [{"path": str(folder / "lake 1.jpg"), "reason": "file not found"}]


@pytest.mark.slow
def test_duplicates_are_listed_by_group(run, folder):
    (folder / "copy.jpg").write_bytes((folder / "lake 1.jpg").read_bytes())
    run("index", str(folder))
    result = run("duplicates")
    assert result.exit_code == 0
    assert result.stdout == f"1\tcopies\t{folder / 'copy.jpg'}\n1\tcopies\t{folder / 'lake 1.jpg'}\n"
    [group] = json.loads(run("duplicates", "--json").stdout)
    assert group["kind"] == "copies"
    assert run("duplicates", "--kind", "burst").stdout == ""
    assert run("duplicates", "--kind", "other").exit_code == 2
