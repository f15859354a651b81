"""`photopal people` lists, draws and corrects groups of faces; `add-concept --group` names one."""

import json

import pytest
from PIL import Image

from photopal.faces import DETECTOR, scan_library
from photopal.ingest.indexer import index_folders
from photopal.library import Library
from photopal.library.models import FaceGroup
from tests.faces.made_up import Crowd, PretendDetector


@pytest.fixture
def party(home, tmp_path):
    """Anna on photos 0 to 3, Ben on 3 to 5; every photo has been searched."""
    folder, crowd = tmp_path / "photos", Crowd()
    folder.mkdir()
    for number in range(6):
        Image.new("RGB", (400, 300), (number * 30, 60, 90)).save(folder / f"{number}.png")
    faces = {f"{number}.png": [crowd.face("anna", x=0.1)] for number in range(4)}
    for number in range(3, 6):
        faces.setdefault(f"{number}.png", []).append(crowd.face("ben", x=0.7))
    with Library(home / "library.db") as library:
        index_folders(library, [folder])
        scan_library(library, detector=PretendDetector(faces))
    return folder


def test_groups_are_listed_largest_first_and_drawn(run, party, tmp_path):
    listed = run("people")
    assert listed.exit_code == 0
    assert [line.split("\t")[:3] for line in listed.stdout.splitlines()] == [["1", "4", "4"], ["2", "3", "3"]]
    facts = json.loads(run("people", "--json", "--limit", "1", "--sheet", str(tmp_path / "p.jpg")).stdout)
    [group] = facts["groups"]
    assert (group["group"], group["photos"], len(group["faces"]), facts["total"]) == (1, 4, 4, 2)
    assert group["faces"][0]["box"] == [40, 90, 40, 30]
    with Image.open(tmp_path / "p.jpg") as drawn:
        assert drawn.height == 2 * 24 + 176
    again = run("people", "--sheet", str(tmp_path / "p.jpg"))
    assert (again.exit_code, "--force" in again.stderr) == (2, True)
    assert run("people", "--sheet", str(party / "0.png"), "--force").exit_code == 2


def test_only_the_options_that_list_the_rest_are_named(run, home, tmp_path, party):
    assert "Not listed: 1 more group. Use --limit." in run("people", "--limit", "1").stderr
    Image.new("RGB", (400, 300), (9, 9, 9)).save(party / "9.png")
    with Library(home / "library.db") as library:
        index_folders(library, [party])
        scan_library(library, detector=PretendDetector({"9.png": [Crowd(seed=9).face("carla", x=0.4)]}))
    assert "Not listed: 1 face seen on a single photo. Use --all." in run("people").stderr


def test_groups_are_merged_split_and_ignored_only_with_yes_and_undone(run, party):
    def groups():
        found = json.loads(run("people", "--json").stdout)["groups"]
        return [(group["group"], len(group["faces"])) for group in found]

    assert "Would merge group 2 (3 faces) into group 1 (4)." in run("people", "--merge", "1", "2").stdout
    assert groups() == [(1, 4), (2, 3)]
    assert run("people", "--merge", "1", "2", "--yes").exit_code == 0
    assert groups() == [(1, 7)]
    assert run("people", "--split", "1", "--yes").exit_code == 0
    assert groups() == [(1, 4), (2, 3)]
    run("undo")
    assert groups() == [(1, 7)]
    run("undo")
    assert run("people", "--ignore", "1", "--yes").exit_code == 0
    assert groups() == [(2, 3)]
    facts = json.loads(run("people", "--split", "2", "--yes", "--json").stdout)
    assert (facts["into"], facts["is_done"]) == ([2, 3], True)
    run("undo")
    run("undo")
    assert groups() == [(1, 4), (2, 3)]
    wrong = run("people", "--merge", "1", "9", "--yes")
    assert (wrong.exit_code, "no group of faces with number 9" in wrong.stderr) == (2, True)


def test_a_dry_run_says_what_would_be_done_and_refuses_what_cannot_be(run, party):
    for more in ((), ("--yes",)):
        refused = run("people", "--merge", "1", "1", *more)
        assert (refused.exit_code, "groups 1 and 1 are one already" in refused.stderr) == (2, True)
    assert run("people", "--ignore", "1", "--ignore", "1").stdout == "Would ignore group 1 (4 faces).\n"
    run("people", "--merge", "1", "2", "--yes")
    assert run("people", "--merge", "2", "1").exit_code == 2
    assert run("people", "--ignore", "2", "--ignore", "1").stdout == "Would ignore group 1 (7 faces).\n"
    facts = json.loads(run("people", "--ignore", "2", "--ignore", "1", "--yes", "--json").stdout)
    assert (facts["ignore"], facts["faces"]) == ([1], [7])
    assert "ignored face group 1" in run("undo", "--list").stdout
    assert "Would split group 1 into the groups 1 and 2." in run("people", "--split", "2").stdout


def test_nobody_who_may_be_somebody_is_said_by_the_exit_code_too(run, party, home):
    with Library(home / "library.db") as library:
        library.concepts.add("Rex", kind="pet")
    assert run("people", "Rex").exit_code == 4
    found = run("people", "Rex", "--json")
    assert (found.exit_code, json.loads(found.stdout)) == (4, {"name": "Rex", "photos": []})


def test_of_merged_groups_the_one_they_are_in_may_lose_its_faces(run, party, home):
    run("people", "--merge", "1", "2", "--yes")
    with Library(home / "library.db") as library:
        for photo in list(library.photos.all()):
            ben = [record.face for record in library.faces.of_photo(photo.id) if record.group_id == 2]
            library.faces.put(photo.id, [], detector=DETECTOR)
            if ben:
                [face_id] = library.faces.put(photo.id, ben, detector=DETECTOR)
                group = FaceGroup(2, ben[0].vector.astype(float), 3)
                library.faces.put_groups([group], faces={face_id: 2})
    listed = [line.split("\t") for line in run("people").stdout.splitlines()]
    assert [row[:3] for row in listed] == [["1", "3", "3"]]
    assert run("people", "--ignore", "1", "--yes").exit_code == 0
    assert json.loads(run("people", "--json", "--all").stdout)["groups"][0]["is_ignored"]
    assert run("people", "--split", "2", "--yes").exit_code == 0


def test_a_group_gets_a_name_and_is_listed_no_more(run, party, tiny_llava, home):
    added = run("add-concept", "Anna", "--group", "1", PHOTOPAL_MODEL=str(tiny_llava))
    assert "Added Anna with 4 photos." in added.stderr
    assert [line.split("\t")[0] for line in run("people").stdout.splitlines()] == ["2"]
    with Library(home / "library.db") as library:
        references = library.concepts.references(library.concepts.get("Anna").id)
    # On photo 3 Ben is far enough away for the box around the whole head.
    assert {reference.box for reference in references} == {(26, 80, 68, 50)}
    for wrong in (("--group", "7"), (), ("--group", "1", "--kind", "pet")):
        assert run("add-concept", "Ben", *wrong).exit_code == 2


def test_a_group_names_only_the_faces_that_are_listed_of_it(run, party, tiny_llava, home):
    model = {"PHOTOPAL_MODEL": str(tiny_llava)}
    run("people", "--merge", "1", "2", "--yes")
    assert run("add-concept", "Ben", str(party / "4.png"), str(party / "5.png"), **model).exit_code == 0
    [group] = json.loads(run("people", "--json").stdout)["groups"]
    assert (group["group"], len(group["faces"])) == (1, 4)
    assert "Added Anna with 4 photos." in run("add-concept", "Anna", "--group", "2", **model).stderr
    with Library(home / "library.db") as library:
        references = library.concepts.references(library.concepts.get("Anna").id)
    assert {reference.photo.path.name for reference in references} == {f"{n}.png" for n in range(4)}
    assert {reference.box for reference in references} == {(26, 80, 68, 50)}
    everybody = run("add-concept", "Anna", "--group", "1", **model)
    assert (everybody.exit_code, "everybody in group 1 has a name" in everybody.stderr) == (2, True)


def test_a_group_of_faces_is_no_pet(run, party, home):
    with Library(home / "library.db") as library:
        library.concepts.add("Rex", kind="pet")
    refused = run("add-concept", "rex", "--group", "1")
    assert (refused.exit_code, "Rex is a pet" in refused.stderr) == (2, True)


def test_without_faces_the_reason_is_told(run, family):
    result = run("people", "--no-scan")
    assert (result.exit_code, "were not searched for faces" in result.stderr) == (0, True)
