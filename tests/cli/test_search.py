"""`photopal search` as a user sees it."""

import json
import os
import re

from huggingface_hub import constants

from photopal.library import Library
from photopal.vlm.hub import cache_folder
from tests.cli.conftest import put


def test_a_hit_is_one_line_with_tabs_when_piped(run, family):
    result = run("search", "rex", "beach")
    assert result.exit_code == 0
    assert (
        result.stdout
        == "/p/beach.jpg\t2023-07-03\tAnna, Rex\tAnna throws a [red]ball[/red] to Rex on the beach.\n"
    )
    assert result.stderr == ""


def test_json_holds_what_is_known(run, family):
    [hit] = json.loads(run("search", "beach", "--json").stdout)
    assert hit["path"] == "/p/beach.jpg"
    assert hit["names"] == ["Anna", "Rex"]
    assert hit["taken_at"] == "2023-07-03T18:22:01+02:00"
    assert hit["camera"] == "Canon R5"


def test_a_caption_reads_in_search_as_in_info(run, family):
    text = "Großvater MEETS Zoë in 北京, Größe 🎉!"
    run("edit-caption", "/p/lake.jpg", text)
    assert run("search", "grossvater").stdout.endswith(f"\t{text}\n")
    [hit] = json.loads(run("search", "北京", "--json").stdout)
    assert hit["caption"] == text
    assert text in run("info", "/p/lake.jpg").stdout


def test_paths_are_bytes_as_the_disk_has_them(run, family):
    result = run("search", "hostile", "--paths")
    assert result.stdout_bytes == os.fsencode("/p/\x1b[31m[bold]hostile\udcff.jpg\n")


def test_a_path_that_would_be_read_as_two_is_left_out_of_paths_and_said(run, family):
    with Library(family) as library:
        put(library, "/p/lake one\nbeach.jpg")
        put(library, "/p/lake two\r.jpg")
    result = run("search", "lake", "--paths")
    assert result.stdout == "/p/lake.jpg\n"
    said = "2 paths have a line break and cannot be printed on one line; use --json.\n"
    assert (result.exit_code, result.stderr) == (0, said)
    assert len(json.loads(run("search", "lake", "--json").stdout)) == 3


def test_a_hostile_file_name_reaches_no_terminal(run, family):
    result = run("search", "hostile")
    assert result.stdout.startswith("/p/\\x1b[31m[bold]hostile\\xff.jpg\t")


def test_a_hostile_file_name_survives_json(run, family):
    [hit] = json.loads(run("search", "hostile", "--json").stdout)
    assert hit["path"] == "/p/\x1b[31m[bold]hostile\udcff.jpg"


def test_filters_narrow_the_search(run, family):
    assert "beach" in run("search", "--concept", "anna", "--concept", "rex").stdout
    assert "lake" in run("search", "--since", "2024").stdout
    assert "beach" in run("search", "--camera", "canon", "--until", "2023-07-03").stdout
    assert run("search", "--limit", "1", "--paths").stdout.count("\n") == 1


def test_nothing_found_is_code_4_and_an_empty_result(run, family):
    result = run("search", "zebra", "--json")
    assert (result.exit_code, json.loads(result.stdout)) == (4, [])
    assert result.stderr == "no photo found for 'zebra'\n"


def test_a_wrong_date_or_name_is_code_2(run, family):
    assert run("search", "--since", "yesterday").exit_code == 2
    result = run("search", "--concept", "Ana")
    assert result.exit_code == 2
    assert "Anna" in result.stderr
    assert run("search", "--json", "--paths").exit_code == 2
    assert run("search", "--limit", "0").exit_code == 2
    # In the words of typer, which its versions choose, and of nothing below it.
    for command in (("search", "--limit", "0"), ("duplicates", "--kind", "foo")):
        refused = run(*command).stderr
        assert f"Invalid value for '{command[1]}': " in refused
        assert not re.search("Input should be|Value error", refused)
    assert "no such month" in run("search", "--since", "2024-13").stderr
    assert "no such month" in run("search", "--since", "2024-13-40").stderr
    assert "no such day" in run("search", "--until", "2024-02-30").stderr


def test_without_a_library_the_error_names_the_command_that_makes_one(run):
    for command in ("search", "status", "concepts", "problems"):
        result = run(command)
        assert result.exit_code == 1
        assert "photopal index" in result.stderr


def test_words_that_are_not_wanted_may_stand_anywhere_on_the_line(run, family):
    assert run("search", "rex", "-beach").exit_code == 4
    assert "beach" in run("search", "-lake", "rex", "--limit", "1").stdout
    assert run("search", "--paths", "-Rex", "-hostile").stdout == "/p/lake.jpg\n"
    assert run("search", "rex", "--", "-lake", "--paths").exit_code in (0, 4)


def test_what_is_not_wanted_may_be_a_year_a_camera_or_any_other_word(run, family):
    assert run("search", "-hostile", "-2024", "--paths").stdout == "/p/beach.jpg\n"
    assert run("search", "--paths", "-hostile", "-2023-07").stdout == "/p/lake.jpg\n"
    assert run("search", "-hostile", "-canon", "--paths").stdout == "/p/lake.jpg\n"
    for word in ("-7", "-猫", '-"on the beach"', "-★★"):
        assert "/p/lake.jpg" in run("search", word, "--paths").stdout
    assert run("search", "-x").exit_code == 2


def test_the_value_of_an_option_may_begin_with_a_minus(run, family):
    assert "'−" not in run("search", "--concept", "-beach").stderr
    assert 'no concept named "-beach"' in run("search", "--concept", "-beach").stderr
    assert "-1" in run("search", "--since", "-1").stderr


def test_phrases_stand_side_by_side(run, family):
    assert "beach" in run("search", '"on the beach"').stdout
    assert run("search", '"the on beach"').exit_code == 4
    assert run("search", 'rex -"on the beach"').exit_code == 4


def test_dates_may_be_words(run, family):
    assert run("search", "july", "2023", "--paths").stdout == "/p/beach.jpg\n"
    assert run("search", "rex summer", "--paths").stdout == "/p/beach.jpg\n"
    assert run("search", "before", "2024", "--paths").stdout == "/p/beach.jpg\n"
    assert run("search", "rex yesterday").exit_code == 4


def test_pages_follow_each_other_and_more_is_said(run, family):
    first = run("search", "--limit", "1", "--paths")
    assert first.stdout == "/p/lake.jpg\n"
    assert "--offset 1" in first.stderr
    second = run("search", "--limit", "1", "--offset", "1", "--paths")
    assert second.stdout == "/p/beach.jpg\n"
    assert run("search", "--offset", "9").exit_code == 4
    assert run("search", "--offset", "-1").exit_code == 2


def test_a_name_that_is_nearly_right_is_asked_about(run, family):
    result = run("search", "Annna", "mountain")
    assert result.exit_code == 4
    assert 'Did you mean "Anna"?' in result.stderr


def test_a_date_that_cannot_be_read_is_said_where_nothing_is_found(run, family):
    result = run("search", "mountain 1/2/2024")
    assert result.exit_code == 4
    assert "two days" in result.stderr


def test_a_query_is_echoed_as_it_was_typed(run, family):
    assert "'mountain -garden'" in run("search", "mountain", "-garden").stderr
    assert run("search", "-lake", "--paths").stdout == run("search", "−lake", "--paths").stdout


def test_every_folder_is_listed(run, home, monkeypatch):
    listed = dict(line.split("\t")[:2] for line in run("where").stdout.splitlines())
    assert listed["vectors"] == str(home / "vectors")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", "/elsewhere/hub")
    assert "models\t/elsewhere/hub\t" in run("where").stdout
    assert json.loads(run("where", "--json").stdout)["models"] == str(cache_folder())
