"""`photopal concepts` and what renames, removes and restores them."""

import json


def test_concepts_are_listed_with_kind_and_photos(run, family):
    assert run("concepts").stdout == "Anna\tperson\t0\t\t\nRex\tpet\t1\ta brown dog\t\n"
    listed = json.loads(run("concepts", "--json").stdout)
    facts = {"name": "Rex", "kind": "pet", "about": "a brown dog", "photos": ["/p/beach.jpg"]}
    assert listed[1] == {**facts, "merged": [], "not_registered": None}


def test_a_renamed_concept_keeps_its_photos_and_is_found_by_the_new_name(run, family):
    result = run("rename-concept", "rex", "King Rex")
    assert result.exit_code == 0
    assert "photopal undo" in result.stderr
    assert run("search", "king rex", "--paths").stdout == "/p/beach.jpg\n"


def test_a_removal_only_says_what_it_would_do_until_told_yes(run, family):
    preview = run("remove-concept", "rex")
    assert preview.exit_code == 0
    assert "/p/beach.jpg" in preview.stdout
    assert "--yes" in preview.stderr
    assert "Rex" in run("concepts").stdout
    assert run("remove-concept", "rex", "--yes").exit_code == 0
    assert "Rex" not in run("concepts").stdout


def test_a_removal_can_be_taken_back(run, family):
    run("remove-concept", "Rex", "--yes")
    assert run("restore-concept", "rex").exit_code == 0
    assert run("search", "Rex", "--paths").stdout == "/p/beach.jpg\n"


def test_an_unknown_name_is_code_2_with_the_nearest_one(run, family):
    for command in (
        ("remove-concept", "Rax"),
        ("remove-concept", "Rax", "--yes"),
        ("rename-concept", "Rax", "Tom"),
    ):
        result = run(*command)
        assert result.exit_code == 2
        assert "Rex" in result.stderr
