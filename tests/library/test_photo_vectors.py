"""Vectors outlive whatever interrupts their writing, and the nearest are found exactly."""

import re

import numpy as np
import pytest

from photopal.errors import LibraryError
from photopal.library.photo_vectors import VectorFile


def key(number):
    return f"{number:032x}"


def some(count, seed=0, width=24):
    return np.random.default_rng(seed).normal(size=(count, width)).astype(np.float32)


def test_the_nearest_are_those_of_a_plain_computation_in_its_order(tmp_path):
    vectors = some(20_000)
    file = VectorFile(tmp_path / "vectors", "f")
    file.add([key(number) for number in range(20_000)], vectors)
    units = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16).astype(np.float32)
    for number in (0, 8191, 8192, 19_999):
        cosines = units @ units[number]
        cosines[number] = -2
        expected = np.argsort(-cosines, kind="stable")[:10]
        nearest = VectorFile(tmp_path / "vectors", "f").nearest(key(number), 10)
        assert [found for found, _ in nearest] == [key(place) for place in expected]
        assert [score for _, score in nearest] == pytest.approx(cosines[expected].tolist())


def test_every_model_has_its_own_vectors(tmp_path):
    VectorFile(tmp_path, "one").add([key(1)], some(1))
    assert key(1) in VectorFile(tmp_path, "one")
    assert key(1) not in VectorFile(tmp_path, "other")
    with pytest.raises(LibraryError, match=f"^{re.escape(str(tmp_path))}: no vector"):
        VectorFile(tmp_path, "other").nearest(key(1), 5)


def test_contents_that_have_a_vector_keep_it(tmp_path):
    file = VectorFile(tmp_path, "f")
    file.add([key(1), key(2)], some(2))
    before = (tmp_path / "f-24.f16").read_bytes()
    file.add([key(2), key(1)], some(2, seed=5))
    assert (tmp_path / "f-24.f16").read_bytes() == before
    assert len(file) == 2


def test_another_width_is_refused(tmp_path):
    VectorFile(tmp_path, "f").add([key(1)], some(1))
    with pytest.raises(LibraryError, match="do not have width"):
        VectorFile(tmp_path, "f").add([key(2)], some(1, width=8))


def test_a_file_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "f.keys").mkdir()
    with pytest.raises(LibraryError, match=f"^{re.escape(str(tmp_path / 'f.keys'))}: cannot be written: "):
        VectorFile(tmp_path, "f").add([key(1)], some(1))


@pytest.mark.parametrize(
    ("lost_keys", "lost_vectors"), [(0, 48), (16, 0), (3, 5), (16, 48), (32, 200), (48, 0)]
)
def test_an_interrupted_write_costs_only_what_it_was_writing(tmp_path, lost_keys, lost_vectors):
    file = VectorFile(tmp_path, "f")
    file.add([key(1), key(2), key(3)], some(3))
    for name, lost in (("f.keys", lost_keys), ("f-24.f16", lost_vectors)):
        content = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(content[: len(content) - lost])
    again = VectorFile(tmp_path, "f")
    kept = len(again)
    assert kept >= 3 - max(-(-lost_keys // 16), -(-lost_vectors // 48))
    again.add([key(number) for number in (1, 2, 3, 4)], some(4))
    assert len(VectorFile(tmp_path, "f")) == 4
    nearest = dict(VectorFile(tmp_path, "f").nearest(key(4), 9))
    units = some(4) / np.linalg.norm(some(4), axis=1, keepdims=True)
    assert nearest[key(3)] == pytest.approx(float(units[3] @ units[2]), abs=1e-2) or kept == 3


def test_two_programs_add_to_one_file(tmp_path):
    one, other = VectorFile(tmp_path, "f"), VectorFile(tmp_path, "f")
    one.add([key(1)], some(1))
    other.add([key(2)], some(1, seed=2))
    one.add([key(3), key(2)], some(2, seed=3))
    assert len(one) == len(other) == 3
    assert {found for found, _ in one.nearest(key(1), 9)} == {key(2), key(3)}


def test_a_vector_of_nothing_is_no_reason_to_fail(tmp_path):
    file = VectorFile(tmp_path, "f")
    file.add([key(1), key(2)], np.zeros((2, 4), dtype=np.float32))
    assert file.nearest(key(1), 5) == [(key(2), 0.0)]


def test_damaged_vectors_are_like_nothing(tmp_path):
    VectorFile(tmp_path, "f").add([key(number) for number in range(4)], some(4))
    path = tmp_path / "f-24.f16"
    damaged = bytearray(path.read_bytes())
    damaged[2 * 48 : 3 * 48] = b"\xff" * 48
    path.write_bytes(damaged)
    found = VectorFile(tmp_path, "f").nearest(key(0), 3)
    assert found[-1] == (key(2), -1.0)
    with pytest.raises(LibraryError, match="f16: damaged"):
        VectorFile(tmp_path, "f").nearest(key(2), 3)


def test_a_vectors_file_that_is_none_is_passed_over_or_named(tmp_path):
    (tmp_path / "f-odd.f16").write_bytes(b"what")
    VectorFile(tmp_path, "f").add([key(1), key(2)], some(2))
    assert len(VectorFile(tmp_path, "f").nearest(key(1), 3)) == 1
    (tmp_path / "f.keys").unlink()
    (tmp_path / "f.keys").mkdir()
    with pytest.raises(LibraryError, match=r"f\.keys: cannot be read"):
        len(VectorFile(tmp_path, "f"))
