from pathlib import Path

import pytest


@pytest.mark.slow
def test_a_folder_with_too_few_pets_is_refused(run, tmp_path: Path) -> None:
    (tmp_path / "photos" / "rex").mkdir(parents=True)
    result = run("eval", "camera", str(tmp_path / "photos"), "--of", "things", COLUMNS="200")
    assert result.exit_code == 2
    assert "0 folders with more than 3 photos" in result.output


def test_what_is_no_folder_is_refused(run, tmp_path: Path) -> None:
    result = run("eval", "camera", str(tmp_path / "gone"), "--of", "things")
    assert result.exit_code == 2
