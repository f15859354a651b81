"""A file that is gone is told of after a while, unless it is there again."""

from photopal.ingest.watch.debounce import MissingFiles


def test_a_file_is_missing_only_after_the_wait(tmp_path):
    missing = MissingFiles(wait_s=4.0)
    missing.add(str(tmp_path / "a.jpg"), now_s=10.0)
    missing.add(str(tmp_path / "a.jpg"), now_s=13.0)
    assert missing.take_due(now_s=13.9) == []
    assert missing.take_due(now_s=14.0) == [str(tmp_path / "a.jpg")]
    assert missing.take_due(now_s=20.0) == []


def test_a_file_that_is_back_is_not_missing(tmp_path):
    missing = MissingFiles(wait_s=1.0)
    for name in ("a.jpg", "b.jpg"):
        missing.add(str(tmp_path / name), now_s=0.0)
    (tmp_path / "a.jpg").touch()
    assert missing.take_due(now_s=5.0) == [str(tmp_path / "b.jpg")]
