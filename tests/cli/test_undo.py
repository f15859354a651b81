"""`photopal undo` and `edit-caption` as a user sees them."""

import json

import pytest

from photopal.library import Library


def names(run):
    return [concept["name"] for concept in json.loads(run("concepts", "--json").stdout)]


@pytest.mark.slow
def test_a_rename_is_undone_and_done_again(run, family):
    assert run("rename-concept", "Rex", "Bruno").exit_code == 0
    assert names(run) == ["Anna", "Bruno"]
    assert "to Bruno on the beach" in run("search", "bruno").stdout
    undone = run("undo")
    assert (undone.exit_code, undone.stdout) == (0, "")
    assert 'Undid: renamed "Rex" to "Bruno"' in undone.stderr
    assert names(run) == ["Anna", "Rex"]
    entry = json.loads(run("undo", "--list", "--json").stdout)[0]["id"]
    assert str(entry) in undone.stderr
    run("undo", str(entry))
    assert names(run) == ["Anna", "Bruno"]


@pytest.mark.slow
def test_the_journal_is_listed_the_latest_first(run, family):
    run("rename-concept", "Rex", "Bruno")
    run("edit-caption", "/p/lake.jpg", "The lake at dawn")
    run("undo")
    lines = run("undo", "--list").stdout.splitlines()
    assert len(lines[0].split("\t")) == 4
    assert "undid: edited the caption of /p/lake.jpg" in lines[0]
    assert "undone by" in lines[1]
    assert 'renamed "Rex" to "Bruno"' in lines[2]
    assert len(run("undo", "--list", "--limit", "1").stdout.splitlines()) == 1


def test_a_removal_is_undone(run, family):
    run("remove-concept", "Rex", "--yes")
    assert names(run) == ["Anna"]
    made = json.loads(run("undo", "--json").stdout)
    assert made["what"] == 'undid: removed "Rex"'
    assert names(run) == ["Anna", "Rex"]


def test_nothing_to_undo_and_no_such_entry_are_said(run, family, home):
    (home / "library.db").unlink()
    Library(home / "library.db").close()
    assert run("undo").exit_code == 4
    assert run("undo", "99").exit_code == 2
    assert run("undo", "--list").stderr == "No changes yet.\n"
    assert run("undo", "3", "--list").exit_code == 2


@pytest.mark.parametrize("limit", [2**63 - 1, 2**63, 10**30])
def test_as_many_changes_are_listed_as_there_are(run, family, limit):
    listed = run("undo", "--list", "--limit", str(limit))
    assert (listed.exit_code, listed.stdout) == (0, run("undo", "--list").stdout)


def test_a_caption_is_edited_found_and_given_back(run, family):
    result = run("edit-caption", "/p/lake.jpg", "Anna's\x1b\t first\nswim", "--json")
    assert json.loads(result.stdout)["caption"] == "Anna's first swim"
    assert "lake" in run("search", "first swim").stdout
    assert "lake" in run("search", "anna").stdout
    assert run("edit-caption", "/p/../p/lake.jpg", "x").stderr.startswith(
        "Caption of /p/../p/lake.jpg updated."
    )
    run("undo")
    run("undo")
    assert run("search", "first swim").exit_code == 4


def test_a_caption_of_an_unknown_photo_or_without_words_is_refused(run, family):
    assert run("edit-caption", "/p/none.jpg", "x").exit_code == 4
    assert run("edit-caption", "/p/lake.jpg", "  ").exit_code == 2


def test_a_caption_with_an_earlier_name_says_whom_it_counts_for(run, family):
    run("rename-concept", "Rex", "Bruno")
    assert "counts as a photo of Bruno;" in run("edit-caption", "/p/lake.jpg", "rex and a ball").stderr
    assert "lake" in run("search", "bruno", "--paths").stdout
