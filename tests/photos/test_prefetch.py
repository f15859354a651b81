"""Photos decoded ahead come in order, and few at a time."""

from contextlib import closing

from PIL import Image

from photopal.errors import PhotoError
from photopal.photos.prefetch import open_ahead


def write_photos(folder, count):
    paths = [folder / f"{number}.png" for number in range(count)]
    for number, path in enumerate(paths):
        Image.new("RGB", (4 + number, 4)).save(path)
    return paths


def test_photos_come_in_order_with_their_errors_and_what_has_no_path(tmp_path):
    paths = [*write_photos(tmp_path, 3), tmp_path / "gone.png", None]
    opened = list(open_ahead(paths, lambda path: path, ahead=2))
    assert [one for one, _ in opened] == paths
    assert [image.width for _, image in opened[:3]] == [4, 5, 6]
    assert isinstance(opened[3][1], PhotoError)
    assert opened[4][1] is None


def test_only_a_few_are_taken_ahead_however_many_there_are(tmp_path):
    [path] = write_photos(tmp_path, 1)
    taken = []

    def endless():
        while True:
            taken.append(path)
            yield path

    with closing(open_ahead(endless(), lambda path: path, ahead=3)) as opened:
        for _ in range(5):
            next(opened)
    assert len(taken) == 8


def test_leaving_early_ends_the_threads(tmp_path):
    import threading

    paths = write_photos(tmp_path, 6)
    with closing(open_ahead(paths, lambda path: path)) as opened:
        next(opened)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("photopal-decode")]
