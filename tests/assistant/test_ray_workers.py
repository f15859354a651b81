"""Captions on workers: the same as alone, each once, whatever is lost; Ray itself is played by `FakeRay`."""

import os
import pickle
import re
import signal
import sys
from contextlib import nullcontext
from threading import Lock
from types import SimpleNamespace

import pytest

from photopal.assistant import ray_workers
from photopal.assistant.assistant import Assistant
from photopal.assistant.caption import CaptionOptions, caption_photos, is_current, made_with, parts_of
from photopal.assistant.evidence import EvidenceFinder
from photopal.assistant.ray_workers import RayCaptioner, RayCrew, connect, share_resources
from photopal.concepts.registration import refresh_bank
from photopal.errors import PhotopalError, UsageError
from photopal.library import Library
from photopal.vlm import load_model
from tests.marks import slow


class RayError(Exception):
    pass


class ActorUnavailableError(RayError):
    pass


class RayTaskError(RayError):
    cause = None


class Ref:
    """A copy of a value, as it arrives elsewhere."""

    def __init__(self, value):
        self.content = pickle.dumps(value)


class FakeRay:
    """Calls actors in this process, with copies of what they are given; loses them when told.

    Args:
        losses: Calls by which an actor dies, such as `("look", 2)` for the second; None: it never comes back.
    """

    def __init__(self, *losses, stays_lost=False):
        self.exceptions = SimpleNamespace(
            RayError=RayError,
            RayTaskError=RayTaskError,
            ActorUnavailableError=ActorUnavailableError,
            GetTimeoutError=type("GetTimeoutError", (RayError,), {}),
        )
        self.losses, self.stays_lost = set(losses), stays_lost
        self.calls = {"start": 0, "look": 0, "write": 0}
        self.killed = 0
        self.loading = Lock()

    def nodes(self):
        return [{"Alive": True, "Resources": {"CPU": 2.0}}]

    def remote(self, kind):
        return SimpleNamespace(
            options=lambda **options: SimpleNamespace(remote=lambda: FakeActor(self, kind))
        )

    def put(self, value):
        return Ref(value)

    def get(self, answer, timeout=None):
        if isinstance(answer, Ref):
            return pickle.loads(answer.content)
        return answer()

    def kill(self, actor):
        self.killed += 1


class FakeActor:
    def __init__(self, ray, kind):
        self._ray, self._kind, self._inside, self._is_gone = ray, kind, kind(), False
        self._is_coming = False
        for name in ray.calls:
            setattr(
                self, name, SimpleNamespace(remote=lambda *words, name=name: lambda: self._call(name, words))
            )

    def _call(self, name, words):
        ray = self._ray
        ray.calls[name] += 1
        if self._is_gone:
            raise RayError("The actor is gone.\nlong words")
        if self._is_coming:
            self._is_coming = False
            raise ActorUnavailableError("The actor is restarting.")
        if (name, ray.calls[name]) in ray.losses:
            self._is_coming = not ray.stays_lost
            self._inside, self._is_gone = self._kind(), ray.stays_lost  # as Ray starts it again
            raise RayError("The actor died.\nlong words")
        given = [pickle.loads(one.content) if isinstance(one, Ref) else one for one in words]
        # In a process of its own each would load the model; here transformers loads one at a time.
        with ray.loading if name == "start" else nullcontext():
            return pickle.loads(pickle.dumps(getattr(self._inside, name)(*given)))


@pytest.fixture(scope="module")
def house(tmp_path_factory, drawn_family, tiny_llava):
    """A library that knows Anna and Ben, an assistant, and the photos that have no names."""
    from photopal.ingest.indexer import index_folders
    from photopal.ingest.references import add_references, list_reference_files

    root = tmp_path_factory.mktemp("workers")
    model = load_model(tiny_llava, device="cpu")
    with Library(root / "library.db") as library:
        for name, paths in drawn_family.photos.items():
            add_references(library, name, list_reference_files(paths, masks=[drawn_family.masks[name]]))
        index_folders(library, [drawn_family.folder])
        bank = refresh_bank(library, model, root / "bank").bank
        finder = EvidenceFinder(library)
        assistant = Assistant(model, bank, library.concepts.all(), finder=finder)
        photos = list(library.photos.all())
        caption_photos(library, assistant, photos)
        alone = {photo.id: library.captions.get(photo.id) for photo in photos}
        yield SimpleNamespace(
            library=library,
            assistant=assistant,
            photos=photos,
            alone=alone,
            model=(str(tiny_llava), "cpu", "auto"),
        )


@pytest.fixture(autouse=True)
def quick_tries(monkeypatch):
    monkeypatch.setattr(ray_workers, "_RETRY_S", 0.01)


def caption_with(house, ray, *, count=2, photos=None, **options):
    """Caption everything anew with workers; returns the report, what was told, and the photos made."""
    notices, made = [], []
    sys.modules["ray"] = ray
    crew = RayCrew(ray, count, on_notice=notices.append)
    try:
        assistant = crew.employ(parts_of(house.assistant), model=house.model)
        report = caption_photos(
            house.library,
            assistant,
            photos or house.photos,
            options=CaptionOptions(is_forced=True, **options),
            on_caption=made.append,
        )
    finally:
        crew.close()
        del sys.modules["ray"]
    return report, notices, [one.photo.id for one in made]


def assert_all_once_and_as_alone(house, report, made):
    assert (report.captioned, report.skipped) == (len(house.photos), ())
    assert sorted(made) == sorted(photo.id for photo in house.photos)
    for photo in house.photos:
        stored, alone = house.library.captions.get(photo.id), house.alone[photo.id]
        assert (stored.text, stored.source) == (alone.text, alone.source)
        assert [s.is_present for s in stored.appearances] == [s.is_present for s in alone.appearances]
        assert [s.score for s in stored.appearances] == pytest.approx(
            [s.score for s in alone.appearances], abs=1e-5
        )
        assert is_current(house.library, photo, made_with(house.library, house.assistant))


@pytest.mark.slow
def test_workers_caption_every_photo_once_and_as_one_process_does(house):
    ray = FakeRay()
    report, notices, made = caption_with(house, ray)
    assert_all_once_and_as_alone(house, report, made)
    assert (notices, ray.killed) == ([], 2)


@pytest.mark.parametrize("loss", [("look", 2), *slow(("write", 1))])
def test_the_photos_of_a_lost_worker_are_captioned_once_by_another(house, loss):
    report, notices, made = caption_with(house, FakeRay(loss))
    assert_all_once_and_as_alone(house, report, made)
    assert len(notices) == 1
    # Which call notices it first is a matter of threads.
    assert re.search(r"was lost \((The actor died|it does not answer)\); others do its photos", notices[0])


@pytest.mark.slow
def test_a_worker_that_stays_lost_is_told_of_and_the_others_go_on(house):
    report, notices, made = caption_with(house, FakeRay(("look", 2), stays_lost=True))
    assert_all_once_and_as_alone(house, report, made)
    assert "is not used any more: The actor is gone" in notices[-1]


@pytest.mark.slow
def test_when_no_worker_is_left_the_run_ends_with_the_reason(house):
    with pytest.raises(PhotopalError, match="all workers were lost: The actor is gone"):
        caption_with(house, FakeRay(("look", 1), stays_lost=True), count=1)


@pytest.mark.slow
def test_a_photo_by_which_every_worker_is_lost_is_skipped_and_all_others_are_captioned(house, monkeypatch):
    culprit, look = house.photos[3], RayCaptioner.look

    def lose(self, photos):
        if any(photo.key == culprit.content_hash for photo in photos):
            raise RayError("The actor died.")
        return look(self, photos)

    monkeypatch.setattr(RayCaptioner, "look", lose)
    monkeypatch.setattr("photopal.assistant.caption.BatchSizer.is_full", lambda self, count: count == 5)
    report, _, made = caption_with(house, FakeRay())
    [skipped] = report.skipped
    assert (skipped.path, report.captioned) == (culprit.path, len(house.photos) - 1)
    assert "workers were lost 3 times" in skipped.reason
    assert len(made) == len(set(made)) == report.captioned


def test_a_call_that_waits_while_the_worker_is_started_anew_uses_what_is_loaded_then():
    class Loaded:
        most_photos = 1

        def __init__(self):
            self.kept = set()

        def look(self, keys, images):
            self.kept.update(keys)
            return []

        def knows(self, key):
            return key in self.kept

        def write(self, keys, weighed):
            assert self.kept.issuperset(keys)
            return ["written"] * len(keys)

    worker = RayCaptioner()

    class StartedMeanwhile(nullcontext):
        def __enter__(self):
            worker._captioner = Loaded()

    def look(photos):
        worker._captioner.look(photos, photos)

    worker._captioner, worker._lock, worker.look = Loaded(), StartedMeanwhile(), look
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "ray", SimpleNamespace(get=lambda photos: photos))
        assert worker.write([["a"]], ["a"], ["sightings"])[0] == ["written"]


@pytest.mark.slow
def test_a_photo_that_is_broken_since_it_was_indexed_is_skipped_with_the_reason(house, tmp_path):
    from dataclasses import replace

    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no photo")
    photos = [house.photos[0], replace(house.photos[1], path=broken), house.photos[2]]
    report, _, made = caption_with(house, FakeRay(), photos=photos, limit=2)
    assert [(skipped.path, skipped.reason) for skipped in report.skipped] == [
        (broken, "not a photo that photopal can read")
    ]
    assert len(made) == report.captioned == 2


@pytest.mark.slow
def test_another_version_or_model_on_a_worker_is_an_error_in_words(house, monkeypatch):
    other = RayCaptioner().start("0.0.1", b"which this version cannot read")
    assert "but this computer has 0.0.1" in other.problem
    parts = parts_of(house.assistant)
    for model, words in (("/nowhere/at/all", "no such model folder"), (None, "not those on this computer")):
        crew = RayCrew(FakeRay(), 1, on_notice=print)
        if model is None:
            from dataclasses import replace

            parts = replace(parts, model=replace(parts.model, fingerprint="other"))
        with pytest.raises(PhotopalError, match=words):
            crew.employ(parts, model=(model or house.model[0], "cpu", "auto"))


def test_machines_are_divided_among_workers():
    gpus, cores = {"GPU": 2.0, "CPU": 16.0}, {"CPU": 10.0}
    assert share_resources([gpus, gpus, cores], None) == (4, {"num_cpus": 8, "num_gpus": 1.0})
    assert share_resources([gpus], 4) == (4, {"num_cpus": 4, "num_gpus": 0.5})
    assert share_resources([cores, cores], None) == (6, {"num_cpus": 3})
    assert share_resources([{"CPU": 2.0}], 2) == (2, {"num_cpus": 1})
    with pytest.raises(UsageError, match="2 CPU cores for 3 workers"):
        share_resources([{"CPU": 2.0}], 3)


def test_an_address_that_is_none_and_a_cluster_that_is_not_there_are_errors_in_words(monkeypatch):
    monkeypatch.setitem(ray_workers.__dict__, "_CONNECT_S", 0.5)
    monkeypatch.setitem(sys.modules, "ray", SimpleNamespace())
    with pytest.raises(UsageError, match="invalid Ray address 'server'"), connect("server", on_notice=print):
        pass
    with pytest.raises(PhotopalError, match=r"at 127\.0\.0\.1:1: "), connect("127.0.0.1:1", on_notice=print):
        pass


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # Ray's own
def test_a_killed_process_of_a_real_cluster_costs_no_caption_and_makes_none_twice(house, monkeypatch):
    pytest.importorskip("ray", reason="Ray is not installed (260 MB): pip install 'photopal[ray]'")
    monkeypatch.setattr("photopal.assistant.caption.BatchSizer.is_full", lambda self, count: count == 2)
    notices, made = [], []
    with connect("auto", count=2, on_notice=notices.append) as crew:
        assistant = crew.employ(parts_of(house.assistant), model=house.model)

        def note(captioned):
            if not made:
                os.kill(crew.workers[0].process, signal.SIGKILL)
            made.append(captioned.photo.id)

        report = caption_photos(
            house.library,
            assistant,
            house.photos,
            options=CaptionOptions(is_forced=True),
            on_caption=note,
        )
    assert_all_once_and_as_alone(house, report, made)


def test_auto_starts_a_cluster_where_the_one_that_ran_is_gone(monkeypatch):
    ray, addresses = FakeRay(), []
    ray._private = SimpleNamespace(utils=SimpleNamespace(read_ray_address=lambda: "127.0.0.1:1"))
    ray.init = lambda **options: addresses.append((options["address"], options.get("include_dashboard")))
    ray.shutdown = lambda: None
    monkeypatch.setitem(sys.modules, "ray", ray)
    with connect("auto", on_notice=print) as crew:
        assert crew.count == 1
    assert addresses == [("local", False)]
    assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"
