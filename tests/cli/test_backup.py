"""`photopal backup` and `restore` as a user sees them."""

import json

import pytest


def names(run):
    return [concept["name"] for concept in json.loads(run("concepts", "--json").stdout)]


def test_a_library_is_backed_up_and_restored(run, family, tmp_path):
    copy = tmp_path / "copy.db"
    assert run("backup", str(copy)).exit_code == 0
    run("remove-concept", "Rex", "--yes")
    preview = run("restore", str(copy))
    assert preview.exit_code == 0
    assert "concepts\t1\t2\t0\t1" in preview.stdout
    assert "--yes" in preview.stderr
    assert names(run) == ["Anna"]
    done = run("restore", str(copy), "--yes")
    assert done.exit_code == 0
    assert "before-restore" in done.stderr
    assert names(run) == ["Anna", "Rex"]
    assert len(list(family.parent.glob("library-before-restore-*.db"))) == 1


def test_a_folder_is_no_backup(run, family, tmp_path):
    result = run("restore", str(tmp_path), "--yes")
    assert (result.exit_code, f"{tmp_path}: is a folder" in result.stderr) == (1, True)


def test_a_backup_never_overwrites_without_force(run, family, tmp_path):
    copy = tmp_path / "copy.db"
    run("backup", str(copy))
    before = copy.read_bytes()
    run("remove-concept", "Rex", "--yes")
    result = run("backup", str(copy))
    assert result.exit_code == 2
    assert "--force" in result.stderr
    assert copy.read_bytes() == before
    assert run("backup", str(copy), "--force").exit_code == 0
    assert copy.read_bytes() != before


def test_the_former_spelling_of_force_still_works_and_is_not_shown(run, family, tmp_path):
    copy = tmp_path / "copy.db"
    for _ in range(2):
        assert run("backup", str(copy), "--yes").exit_code == 0
    assert "--yes" not in run("backup", "--help").output


def test_a_backup_never_overwrites_a_photo(run, family, tmp_path):
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(b"\xff\xd8\xff a photo")
    assert run("backup", str(photo), "--force").exit_code == 2
    assert photo.read_bytes() == b"\xff\xd8\xff a photo"


def test_a_restore_where_there_is_no_library_makes_one(run, family, tmp_path, home):
    copy = tmp_path / "copy.db"
    run("backup", str(copy))
    for path in home.glob("library.db*"):
        path.unlink()
    assert run("restore", str(copy), "--yes").exit_code == 0
    assert names(run) == ["Anna", "Rex"]


@pytest.mark.parametrize("part", [slice(0, 100), slice(8192, 40960)], ids=["header", "pages"])
def test_a_damaged_library_is_restored_too(run, family, tmp_path, part):
    copy = tmp_path / "copy.db"
    run("backup", str(copy))
    damaged = bytearray(family.read_bytes())
    damaged[part] = b"\x55" * (part.stop - part.start)
    family.write_bytes(damaged)
    preview = run("restore", str(copy))
    assert preview.exit_code == 0
    assert f"{family}: damaged: " in preview.stderr
    assert preview.stdout.splitlines() == [
        "photos\t3", "missing photos\t0", "captions\t1", "concepts\t2", "reference photos\t1",
    ]  # fmt: skip
    assert family.read_bytes() == damaged
    done = run("restore", str(copy), "--yes")
    assert done.exit_code == 0
    assert "The damaged library is kept in" in done.stderr
    assert names(run) == ["Anna", "Rex"]
    [aside] = family.parent.glob("library-before-restore-*.db")
    assert aside.read_bytes() == damaged


def test_what_is_no_backup_is_refused_in_words(run, family, tmp_path):
    for name, content in (("text", b"not a library " * 1000), ("empty", b"")):
        (tmp_path / name).write_bytes(content)
        result = run("restore", str(tmp_path / name), "--yes")
        assert result.exit_code == 1
        assert "not" in result.stderr
    for name in ("none", "."):
        result = run("restore", str(tmp_path / name))
        assert result.exit_code == 1
        assert "Hint: Give a file that `photopal backup` wrote." in result.stderr
    assert "is a folder" in result.stderr
    assert names(run) == ["Anna", "Rex"]


@pytest.mark.slow
def test_the_preview_tells_what_would_be_lost_even_where_the_numbers_are_the_same(run, family, tmp_path):
    copy = tmp_path / "copy.db"
    run("backup", str(copy))
    assert "captions\t1\t1\t0\t0" in run("restore", str(copy)).stdout
    assert run("edit-caption", "/p/beach.jpg", "Grandma at the sea").exit_code == 0
    assert "captions\t1\t1\t1\t1" in run("restore", str(copy)).stdout
    assert "photos\t3\t3\t0\t0" in run("restore", str(copy)).stdout


def test_the_preview_without_a_library_tells_what_the_backup_brings(run, family, tmp_path, home):
    copy = tmp_path / "copy.db"
    run("backup", str(copy))
    for path in home.glob("library.db*"):
        path.unlink()
    assert "photos\t0\t3\t0\t3" in run("restore", str(copy)).stdout
