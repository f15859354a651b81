"""The twin learns from examples without names, reads marks, resumes, and loads as other models do."""

from __future__ import annotations

import json
import random
import re

import numpy as np
import pytest
import torch
from transformers import AutoModelForImageTextToText, AutoProcessor

from photopal.lab.pretrain.groups import GRID, SUBJECT_ATTRIBUTES, draw_group
from photopal.lab.pretrain.loop import StageRun
from photopal.lab.pretrain.optimizers import Muon, autocast, has_fast_bfloat16, orthogonalize
from photopal.lab.pretrain.train_language import Probes, number_of, probe_pointing
from photopal.lab.pretrain.train_plain import (
    HEADS_FILE,
    PLAIN_FILE,
    PROBES_FILE,
    PlainHeads,
    begin_plain,
    fit_probes,
    mark_loss,
    marked_looks_loss,
    own_mark_loss,
    plain_loss,
    seeing_loss,
    train_plain,
    write_plain,
)
from photopal.lab.pretrain.training_examples import (
    IGNORED,
    UnnamedExampleMaker,
    draw_group_marks,
    make_marked_batch,
    numbers_on_patches,
    show_marks,
)
from photopal.lab.synthetic.dialogue.descriptions import HIGHEST_MARK
from photopal.prompts import Mark
from photopal.vlm import load_model
from photopal.vlm.placeholders import all_placeholders


@pytest.fixture(scope="module")
def groups():
    rng = random.Random(5)
    return [draw_group(rng) for _ in range(2)]


@pytest.fixture(scope="module")
def begun():
    return begin_plain(0)


@pytest.fixture(scope="module")
def batch(groups, begun):
    return UnnamedExampleMaker(begun[1], seed=0)(groups)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plain")
    train_plain(run_of(4), run_of(4), folder)
    write_plain(folder / PLAIN_FILE, folder / "weights", run_of(4))
    return folder


def run_of(photos):
    return StageRun(seconds=1e9, photos=photos, groups_per_batch=1)


def test_lessons_hold_no_name_no_placeholder_and_no_reference(batch, begun):
    model, tokenizer = begun
    vocabulary = model.get_input_embeddings().num_embeddings
    placeholders = set(all_placeholders())
    for example in batch.examples:
        assert max(example.ids) < vocabulary
        assert [example.references, example.token_counts, example.sides, example.neighbors] == [[]] * 4
        text = tokenizer.decode([id_ for id_ in example.ids if id_ != model.config.image_token_index])
        assert not any(placeholder in text for placeholder in placeholders)
        assert not re.search(r"<\|name|<sks>|\bis located at 'Mark Number \d'\.", text)


def test_answers_are_supervised_and_nothing_else(batch, begun):
    for example in batch.examples:
        for number in range(1, max(example.blocks) + 1):
            pairs = zip(example.labels, example.blocks, strict=True)
            answer = begun[1].decode([label for label, b in pairs if b == number and label != IGNORED])
            assert answer.endswith("</s>")
            assert answer.count("</s>") == 1


def test_words_for_somebody_end_where_they_are_asked_who_that_is(groups, batch, begun):
    seen = 0
    subjects = [subject for group in groups for photo in group.photos for subject in photo.scene.subjects]
    for example in batch.examples:
        for place, side, row in example.mentions:
            seen += 1
            assert example.blocks[place] > 0
            assert example.labels[place] == IGNORED
            assert (side == 0) == (row == -1)
            if row >= 0:
                assert side == 1 + min(2, int(3 * subjects[row].x))
                assert batch.vision.identities.shape[0] == len(subjects)
        starts = [example.blocks.index(n) for n in range(1, max(example.blocks) + 1)]
        for place, _, row in example.mentions:
            start = max(start for start in starts if start <= place)
            words = begun[1].decode(example.ids[start : place + 1])
            number = re.search(r"[Mm]ark (?:[Nn]umber )?(\d)'?$", words)
            if number and row >= 0 and not re.search(r"\ba (?!mark)", words):
                assert int(number[1]) in [mark.number for mark in example.marks]
    assert seen > len(batch.examples)


def test_some_photos_are_shown_with_their_marks(groups, batch):
    plain = torch.from_numpy(np.stack([np.asarray(p.image) for g in groups for p in g.photos]))
    plain = plain.permute(0, 3, 1, 2).float() / 127.5 - 1
    marked = [bool(example.marks) for example in batch.examples]
    assert [bool((a != b).any()) for a, b in zip(plain, batch.vision.pixels, strict=True)] == marked
    assert any(marked)
    assert not all(marked)
    for example in batch.examples:
        numbers = [mark.number for mark in example.marks]
        assert len(set(numbers)) == len(numbers)
        assert all(1 <= number <= HIGHEST_MARK for number in numbers)


def test_marks_stand_at_the_foot_of_those_they_are_of(groups):
    rng = random.Random(1)
    for group in groups:
        for row, marks in enumerate(draw_group_marks(group, rng, share=1.0)):
            for index, mark in marks.items():
                covered = np.flatnonzero(group.patch_owners[row] == index)
                columns = covered % GRID
                assert columns.min() / GRID - 0.05 <= mark.x <= (columns.max() + 1) / GRID + 0.05
                assert abs(mark.y - (covered.max() // GRID + 1) / GRID) <= 0.06


def test_a_group_without_marks_is_shown_as_it_is(groups):
    shown = show_marks(groups[0], [{}] * len(groups[0].photos))
    assert all(
        a.image.tobytes() == b.image.tobytes() for a, b in zip(shown.photos, groups[0].photos, strict=True)
    )


def test_patches_are_asked_for_the_number_drawn_on_them():
    logits = torch.zeros(1, GRID**2, HIGHEST_MARK + 1)
    mark = Mark(7, 0.55, 0.35)  # the middle of the sixth patch of the fourth line
    at = 3 * GRID + 5
    logits[0, :, 0] = 20.0
    blind, found = mark_loss(logits, [[mark]])
    assert found["mark"] == 0.0
    logits[0, at, 0], logits[0, at, 7] = 0.0, 20.0
    loss, found = mark_loss(logits, [[mark]])
    assert found["mark"] == 1.0
    assert loss < 1e-4 < blind
    nothing, found = mark_loss(logits, [[]])
    assert found == {}
    assert nothing > 0.01


def test_patches_of_somebody_are_asked_for_the_number_at_that_one(groups):
    batch = make_marked_batch(groups)
    owners, at = (
        batch.vision.owners,
        dict(
            zip(
                (row for of in batch.marked_subjects for row in of),
                (mark.number for of in batch.marks for mark in of),
                strict=True,
            )
        ),
    )
    subjects = [subject for group in groups for photo in group.photos for subject in photo.scene.subjects]
    assert len(at) > len(subjects) / 2
    for photo, (marks, rows) in enumerate(zip(batch.marks, batch.marked_subjects, strict=True)):
        for mark, row in zip(marks, rows, strict=True):
            columns = torch.nonzero(owners[photo] == row)[:, 0] % GRID
            assert columns.min() / GRID - 0.05 <= mark.x <= (columns.max() + 1) / GRID + 0.05
    logits = torch.zeros(*owners.shape, HIGHEST_MARK + 1)
    blind, _ = own_mark_loss(logits, batch.vision, batch.marks, batch.marked_subjects)
    for photo, patch in torch.nonzero(owners >= 0).tolist():
        logits[photo, patch, at.get(int(owners[photo, patch]), 0)] = 20.0
    loss, found = own_mark_loss(logits, batch.vision, batch.marks, batch.marked_subjects)
    assert found == {"own-mark": 1.0}
    assert loss < 1e-4 < blind
    # The number at somebody else is wrong, and nobody's patches are not asked.
    logits[owners >= 0] = logits[owners >= 0].roll(1, dims=-1)
    wrong, found = own_mark_loss(logits, batch.vision, batch.marks, batch.marked_subjects)
    assert found == {"own-mark": 0.0}
    assert wrong > 10
    logits[owners < 0] = 99.0
    again, _ = own_mark_loss(logits, batch.vision, batch.marks, batch.marked_subjects)
    assert again == wrong


def test_patches_of_a_mark_are_asked_for_the_attributes_of_whom_it_is_at(groups):
    batch = make_marked_batch(groups)
    sizes = [len(classes) for classes in SUBJECT_ATTRIBUTES.values()]
    starts = [sum(sizes[:column]) for column in range(len(sizes))]
    logits = torch.zeros(*batch.vision.owners.shape, sum(sizes))
    blind, _ = marked_looks_loss(logits, batch.vision, batch.marks, batch.marked_subjects)
    asked, elsewhere = torch.zeros_like(batch.vision.owners, dtype=torch.bool), 0
    for photo, (marks, rows) in enumerate(zip(batch.marks, batch.marked_subjects, strict=True)):
        at = {mark.number: row for mark, row in zip(marks, rows, strict=True)}
        for patch, number in enumerate(numbers_on_patches(marks)):
            if not number:
                continue
            asked[photo, patch] = True
            elsewhere += int(batch.vision.owners[photo, patch]) != at[number]
            for start, value in zip(starts, batch.vision.subjects[at[number]].tolist(), strict=True):
                if value != IGNORED:
                    logits[photo, patch, start + value] = 20.0
    # Many marks are drawn beside whom they are at, where the photo itself shows something else.
    assert elsewhere > asked.sum() / 4
    loss, found = marked_looks_loss(logits, batch.vision, batch.marks, batch.marked_subjects)
    assert found == {"marked-looks": 1.0}
    assert loss < 1e-4 < blind
    # Other patches are not asked, and photos without marks are not either.
    logits[~asked] = 99.0 * torch.rand(sum(sizes))
    again, _ = marked_looks_loss(logits, batch.vision, batch.marks, batch.marked_subjects)
    assert again == loss
    nothing, found = marked_looks_loss(
        logits, batch.vision, [() for _ in batch.marks], [[] for _ in batch.marks]
    )
    assert nothing == 0
    assert found == {}


def test_words_for_somebody_are_asked_for_the_patches_of_that_one_and_of_its_mark(batch, begun):
    image_id = begun[0].config.image_token_index
    places = [
        (row, place, subject)
        for row, example in enumerate(batch.examples)
        for place, _, subject in example.mentions
        if subject >= 0
    ]
    marked = [number_of(batch.examples[row], subject) for row, _, subject in places]
    assert any(marked)
    assert not all(marked)
    length = max(len(example.ids) for example in batch.examples)
    probes, width = Probes(192), 192
    by_chance, _ = probe_pointing(probes, batch, torch.randn(len(batch.examples), length, width), image_id)
    # Each subject and each number has a feature of its own, by which its patches and its words are known.
    hidden = torch.zeros(len(batch.examples), length, width)
    for row, example in enumerate(batch.examples):
        start = example.ids.index(image_id)
        own = sorted({int(owner) for owner in batch.vision.owners[row] if owner >= 0})
        drawn = numbers_on_patches(example.marks)
        for patch, owner in enumerate(batch.vision.owners[row].tolist()):
            hidden[row, start + patch, own.index(owner) if owner >= 0 else 20] = 1.0
            hidden[row, start + patch, 30 + drawn[patch]] = 1.0
    for row, place, subject in places:
        own = sorted({int(owner) for owner in batch.vision.owners[row] if owner >= 0})
        hidden[row, place, own.index(subject) if subject in own else 25] = 1.0
        number = number_of(batch.examples[row], subject)
        hidden[row, place, 30 + number if number else 25] = 1.0
    with torch.no_grad():
        for pointer, features in ((probes.meant, range(20)), (probes.marked, range(31, 40))):
            # Pointers that look at these features alone.
            torch.nn.init.eye_(pointer.query.weight)
            pointer.key.weight.zero_()
            pointer.key.weight[list(features), list(features)] = 40.0
            pointer.key.bias.zero_()
            pointer.query.bias.zero_()
    loss, right = probe_pointing(probes, batch, hidden, image_id)
    assert right == {"point": 1.0, "point-mark": 1.0}
    assert loss < 0.05 < by_chance


@pytest.mark.slow
def test_both_losses_fall_on_the_same_photos(groups, batch, begun):
    model, _ = begun
    tower = model.model.vision_tower
    heads, probes = PlainHeads(192), Probes(192)
    marked = make_marked_batch(groups)
    for loss_of, parameters in (
        (lambda: seeing_loss(tower, heads, marked), [*tower.parameters(), *heads.parameters()]),
        (
            lambda: plain_loss(model, heads, probes, batch),
            [*model.parameters(), *heads.parameters(), *probes.parameters()],
        ),
    ):
        optimizer = torch.optim.AdamW(parameters, lr=2e-3)
        losses = []
        for _ in range(4):
            loss, report = loss_of()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        assert losses[-1] < 0.95 * losses[0]
    assert {"say-caption", "say-described", "say-mark"} <= set(report)
    assert "say-name" not in report


@pytest.mark.slow
def test_a_killed_training_goes_on_from_its_checkpoint(trained):
    before = torch.load(trained / PLAIN_FILE, weights_only=True)
    tower_before = (trained / "tower.pt").read_bytes()
    train_plain(run_of(4), run_of(before["photos"] + 4), trained)
    after = torch.load(trained / PLAIN_FILE, weights_only=True)
    assert after["photos"] > before["photos"]
    assert (trained / "tower.pt").read_bytes() == tower_before
    for name, value in before["modules"]["model"].items():
        is_unused = "post_layernorm" in name  # the features are those before it
        assert torch.equal(value, after["modules"]["model"][name]) == is_unused, name


@pytest.mark.slow
def test_training_can_start_from_weights_and_says_so(trained, tmp_path):
    weights = trained / "weights"
    train_plain(run_of(4), run_of(4), tmp_path, start=weights)
    assert not (tmp_path / "tower.pt").exists()
    fitted = [torch.load(tmp_path / name, weights_only=True)["photos"] for name in (HEADS_FILE, PROBES_FILE)]
    assert min(fitted) > 0
    kept = torch.load(tmp_path / PLAIN_FILE, weights_only=True)
    after = kept["modules"]["model"]
    before = AutoModelForImageTextToText.from_pretrained(weights, dtype=torch.float32).state_dict()
    largest = max(float((after[name] - value).abs().max()) for name, value in before.items())
    assert 0 < largest < 0.1
    write_plain(tmp_path / PLAIN_FILE, tmp_path / "weights", run_of(4), start=weights)
    told = json.loads((tmp_path / "weights" / "training.json").read_text())
    assert told["before"] == json.loads((weights / "training.json").read_text())
    assert told["photos"] == kept["photos"] + told["before"]["photos"]


@pytest.mark.slow
def test_probes_are_fitted_to_a_model_that_stays_as_it_is(begun, tmp_path):
    model, tokenizer = begun
    heads, probes = PlainHeads(192), Probes(192)
    modules = {"model": model, "heads": heads, "probes": probes}
    before = {name: [p.clone() for p in module.parameters()] for name, module in modules.items()}
    maker = UnnamedExampleMaker(tokenizer, seed=0)
    fit_probes(run_of(8), model, heads, probes, maker, tmp_path / PROBES_FILE)
    for name, module in modules.items():
        moved = [not torch.equal(*pair) for pair in zip(before[name], module.parameters(), strict=True)]
        assert any(moved) == (name == "probes")
        assert all(parameter.requires_grad for parameter in module.parameters())


@pytest.mark.slow
def test_a_share_of_the_weights_that_training_started_from_can_be_kept(trained, tmp_path):
    start = trained / "weights"
    train_plain(run_of(4), run_of(4), tmp_path, start=start)

    def written(kept):
        write_plain(tmp_path / PLAIN_FILE, tmp_path / "weights", run_of(4), start=start, kept=kept)
        model = AutoModelForImageTextToText.from_pretrained(tmp_path / "weights", dtype=torch.float32)
        return model.state_dict()

    before = AutoModelForImageTextToText.from_pretrained(start, dtype=torch.float32).state_dict()
    after, mean = written(0.0), written(0.75)
    for name, value in before.items():
        # Weights are written in float16.
        assert torch.allclose(mean[name], 0.75 * value + 0.25 * after[name], atol=1e-3), name
    told = json.loads((tmp_path / "weights" / "training.json").read_text())
    assert told["kept"] == 0.75
    assert any(not torch.equal(mean[name], after[name]) for name in before)


@pytest.mark.slow
def test_of_the_model_only_the_tower_comes_from_the_bundled_one():
    one, other = (begin_plain(seed)[0].state_dict() for seed in (0, 1))
    for name, value in one.items():
        if value.ndim > 1:
            assert torch.equal(value, other[name]) == name.startswith("model.vision_tower."), name


@pytest.mark.slow
def test_the_weights_are_small_and_load_as_other_models_do(trained, groups):
    weights = trained / "weights"
    assert sum(path.stat().st_size for path in weights.glob("*.safetensors")) <= 12 * 10**6
    assert AutoProcessor.from_pretrained(weights).image_token == "<image>"
    model = AutoModelForImageTextToText.from_pretrained(weights)
    assert model.dtype in (torch.float16, torch.float32)
    loaded = load_model(weights)
    features = loaded.encode_photos([groups[0].photos[0].image])
    assert len(features) == 1


def test_muon_steps_as_that_of_pytorch_does():
    torch.manual_seed(0)
    for shape in ((48, 32), (32, 48)):
        start, gradients = torch.randn(shape), torch.randn(3, *shape)
        ours, theirs = (torch.nn.Parameter(start.clone()) for _ in range(2))
        pair = (
            (ours, Muon([{"params": [ours]}], rate=0.01, decay=0.1)),
            (
                theirs,
                torch.optim.Muon([theirs], lr=0.01, weight_decay=0.1, adjust_lr_fn="match_rms_adamw"),
            ),
        )
        for parameter, optimizer in pair:
            for gradient in gradients:
                parameter.grad = gradient.clone()
                optimizer.step()
        assert torch.allclose(ours, theirs, atol=1e-3)
        assert not torch.allclose(ours, start, atol=1e-2)
    values = torch.linalg.svdvals(orthogonalize(torch.randn(24, 60)))
    assert 0.3 < values.min() < values.max() < 1.4


def test_bfloat16_is_used_where_it_is_fast():
    assert has_fast_bfloat16(torch.device("cuda"))
    cpu = torch.device("cpu")
    with autocast(cpu):
        product = torch.ones(2, 2) @ torch.ones(2, 2)
    assert product.dtype == (torch.bfloat16 if has_fast_bfloat16(cpu) else torch.float32)
