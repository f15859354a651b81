"""Training examples say what is true, take names from other photos, and are worded as in use."""

from __future__ import annotations

import json
import math
import random
import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from photopal.lab.pretrain.architecture import (
    END,
    build_model,
    build_processor,
    lean_attention,
    save_model,
    train_tokenizer,
)
from photopal.lab.pretrain.groups import SUBJECT_ATTRIBUTES, Group, draw_group
from photopal.lab.pretrain.loop import StageRun
from photopal.lab.pretrain.optimizers import Optimizers, schedule
from photopal.lab.pretrain.train_language import (
    LanguageParts,
    Probes,
    assemble,
    example_rows,
    examples_loss,
    learn_placeholders,
    probe_options,
    train_language,
)
from photopal.lab.pretrain.train_vision import (
    AttributeHeads,
    collate,
    doing_loss,
    make_vision_tower,
    patch_features,
    train_vision,
    vision_loss,
)
from photopal.lab.pretrain.training_examples import (
    IGNORED,
    MOST_NAMES,
    ExampleBatch,
    ExampleMaker,
    member_patches,
)
from photopal.lab.synthetic.dialogue.talk import PROPS
from photopal.lab.synthetic.identity import is_held_out
from photopal.prompts import PromptConcept, build_prompt
from photopal.vlm import load_model
from photopal.vlm.placeholders import name_placeholder


@pytest.fixture(scope="module")
def groups() -> list[Group]:
    rng = random.Random(5)
    return [draw_group(rng) for _ in range(2)]


@pytest.fixture(scope="module")
def tokenizer():
    return learn_placeholders(train_tokenizer(0, groups=20))


@pytest.fixture(scope="module")
def batch(groups, tokenizer) -> ExampleBatch:
    return ExampleMaker(tokenizer, seed=0)(groups)


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return build_model(train_tokenizer(0, groups=20), make_vision_tower())


def test_nobody_held_out_is_ever_drawn_for_training():
    rng = random.Random(0)
    for _ in range(40):
        group = draw_group(rng, size_px=40)
        shown = [subject.identity for photo in group.photos for subject in photo.scene.subjects]
        assert not any(is_held_out(identity) for identity in [*group.cast, *shown])


def test_the_same_seed_draws_the_same_groups():
    first, second = (draw_group(random.Random(9)) for _ in range(2))
    assert first.members == second.members
    assert all(
        a.image.tobytes() == b.image.tobytes() for a, b in zip(first.photos, second.photos, strict=True)
    )


def test_supervised_tokens_spell_the_answers(batch, tokenizer):
    for example in batch.examples:
        for number in range(1, max(example.blocks) + 1):
            labels = [
                label
                for label, block in zip(example.labels, example.blocks, strict=True)
                if block == number and label != IGNORED
            ]
            text = tokenizer.decode(labels)
            assert text.endswith(END)
            assert text.count(END) == 1
            assert len(text) > len(END)


def test_rows_of_a_name_never_come_from_the_photo_itself(batch):
    for example in batch.examples:
        assert all(row != example.row for pairs in example.references for row, _ in pairs)
        assert len(example.references) == len(example.token_counts)


def test_reference_patches_show_the_member(groups):
    patches = member_patches(groups[0])
    for (row, member), covered in patches.items():
        subject = groups[0].members[row].index(member)
        assert all(groups[0].patch_owners[row][patch] == subject for patch in covered)


def test_patches_of_things_are_those_of_who_has_them(groups):
    shown = 0
    for group in groups:
        for row, photo in enumerate(group.photos):
            whose = {int(number) for number in group.patch_things[row] if number >= 0}
            shown += len(whose)
            assert all(photo.scene.subjects[number].activity in PROPS for number in whose)
    assert shown


def test_what_owners_of_things_do_is_asked_of_the_patches_of_things(groups):
    batch = collate(groups)
    sizes = [len(classes) for classes in SUBJECT_ATTRIBUTES.values()]
    column = list(SUBJECT_ATTRIBUTES).index("activity")
    subjects = batch.subjects[batch.things[batch.things >= 0]]
    logits = torch.zeros(len(subjects), sum(sizes))
    blind = doing_loss(logits, subjects)
    assert float(blind) == pytest.approx(math.log(sizes[column]))
    logits[torch.arange(len(subjects)), sum(sizes[:column]) + subjects[:, column]] = 20.0
    assert float(doing_loss(logits, subjects)) < 1e-4
    assert float(doing_loss(logits[:0], subjects[:0])) == 0


@pytest.mark.slow
def test_lessons_are_encoded_as_questions_are_in_use(tmp_path: Path, batch, groups, tokenizer, model):
    save_model(tmp_path / "mini", model, build_processor(train_tokenizer(0, groups=20)))
    loaded = load_model(tmp_path / "mini")
    checked = 0
    for example, photo in zip(batch.examples, (p for g in groups for p in g.photos), strict=True):
        if example.marks or not example.token_counts:
            continue
        first = [i for i, block in enumerate(example.blocks) if block in {0, 1}]
        ids = [example.ids[i] for i in first]
        labels = [example.labels[i] for i in first]
        start = next(i for i, label in enumerate(labels) if label != IGNORED)
        asked = [id_ for id_, block in zip(ids[: start + 1], example.blocks, strict=False) if block == 1]
        question = tokenizer.decode(asked).removesuffix(" ASSISTANT:").strip()
        prompt = build_prompt(question, [PromptConcept(count) for count in example.token_counts])
        features = loaded.encode_photos([photo.image])[0]
        encoded = loaded.encode_prompt(prompt, features)
        assert encoded.ids.tolist() == ids[: start + 1]
        checked += 1
    assert checked >= 3


@pytest.mark.slow
def test_packed_lessons_give_the_hidden_states_of_separate_sequences(batch, model):
    with torch.no_grad():
        features = patch_features(model.model.vision_tower, batch.vision.pixels)
        tokens = model.model.multi_modal_projector(features)
        rows = example_rows(model, batch, tokens)
        embed = model.get_input_embeddings()
        embeddings, mask, positions, _, _ = assemble(batch, rows, tokens, embed)
        packed = model.model.language_model(
            inputs_embeds=embeddings, attention_mask=mask, position_ids=positions, use_cache=False
        ).last_hidden_state
        blocks = torch.tensor(batch.examples[0].blocks)
        for number in (1, 3):
            kept = torch.nonzero((blocks == 0) | (blocks == number))[:, 0]
            alone = model.model.language_model(
                inputs_embeds=embeddings[:1, kept], use_cache=False
            ).last_hidden_state
            assert torch.allclose(packed[0, kept], alone[0], atol=1e-4)


def test_the_probed_tokens_of_options_end_them_and_say_which_is_right(batch, tokenizer):
    seen = 0
    for example in batch.examples:
        for place, letter, is_right in example.options:
            seen += 1
            block = example.blocks[place]
            before = [i for i, b in zip(example.ids[:place], example.blocks, strict=False) if b == block]
            text = tokenizer.decode([*before, example.ids[place]])
            option = text[text.rindex(f" {'ABCD'[letter]}.") + 3 :]
            rest = tokenizer.decode(
                [i for i, b in zip(example.ids, example.blocks, strict=True) if b == block][len(before) + 1 :]
            )
            assert option
            assert not re.search(r" [A-D]\.", option)
            assert rest.startswith((f" {'ABCDE'[letter + 1]}.", " Answer", " Choose", " Which"))
            answers = [
                label
                for label, b in zip(example.labels, example.blocks, strict=True)
                if b == block and label != IGNORED
            ]
            assert (tokenizer.decode(answers[:1]).strip() == "ABCD"[letter]) == bool(is_right)
    assert seen >= 6


def test_asking_options_is_learned_from_states_that_tell(batch):
    probes = Probes(192)
    states = torch.zeros(len(batch.examples), max(len(one.ids) for one in batch.examples), 192)
    for row, example in enumerate(batch.examples):
        for place, letter, is_right in example.options:
            states[row, place, letter] = states[row, place, 8 + is_right] = 1.0
    optimizer = torch.optim.AdamW(probes.parameters(), lr=0.05)
    for _ in range(60):
        loss, report = probe_options(probes, batch, states)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert report["find-option"] == 1.0
    assert loss.item() < 0.1
    nothing = replace(batch, examples=[replace(one, options=[]) for one in batch.examples])
    assert probe_options(probes, nothing, states) == (0.0, {})


@pytest.mark.slow
def test_every_name_of_questions_and_answers_is_asked_where_it_is_and_how_it_looks(batch, tokenizer):
    names = tokenizer.convert_tokens_to_ids([name_placeholder(slot) for slot in range(MOST_NAMES)])
    answered = absent = 0
    for example in batch.examples:
        standing = {place: names.index(id_) for place, id_ in enumerate(example.ids) if id_ in names}
        facts = {place: (example.sides[slot], example.subjects[slot]) for place, slot in standing.items()}
        assert {place: (side, row) for place, side, row in example.mentions} == facts
        assert len(example.mentions) == len(facts)
        answered += sum(example.labels[place - 1] != IGNORED for place in facts)
        absent += sum(row < 0 for _, row in facts.values())
    assert answered > 10
    assert absent > 10


def test_both_losses_fall_on_the_same_photos(batch, model):
    heads, probes = AttributeHeads(192), Probes(192)
    parameters = [*model.parameters(), *heads.parameters(), *probes.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=2e-3)
    losses = []
    for _ in range(8):
        loss, report = examples_loss(model, heads, probes, batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.8 * losses[0]
    assert "say-name" in report


def test_identity_contrast_is_lower_for_features_that_tell_identities_apart(groups):
    batch = collate(groups)
    heads = AttributeHeads(64)
    codes = torch.nn.functional.normalize(torch.randn(1000, 64), dim=-1)
    owners = batch.owners
    identity = torch.where(owners >= 0, batch.identities[owners.clamp(min=0)], -1)
    telling = codes[identity % 1000]
    blind = torch.randn(*owners.shape, 64)
    good, bad = (vision_loss(features, heads, batch)[1]["contrast"] for features in (telling, blind))
    assert good < 0.5 * bad


@pytest.mark.slow
def test_training_goes_on_from_its_checkpoint(tmp_path: Path, tokenizer):
    said: list[str] = []
    checkpoint = tmp_path / "vision.pt"
    train_vision(StageRun(seconds=600, photos=8, groups_per_batch=1), checkpoint, on_report=said.append)
    first = torch.load(checkpoint, weights_only=True)["photos"]
    run = StageRun(seconds=600, photos=first + 4, groups_per_batch=1)
    train_vision(run, checkpoint, on_report=said.append)
    assert torch.load(checkpoint, weights_only=True)["photos"] > first
    model = build_model(train_tokenizer(0, groups=20), make_vision_tower())
    parts = LanguageParts(model, AttributeHeads(192), Probes(192), tokenizer, tokens=200)
    language = StageRun(seconds=600, photos=4, groups_per_batch=1)
    train_language(language, parts, tmp_path / "language.pt", on_report=said.append)
    assert torch.load(tmp_path / "language.pt", weights_only=True)["photos"] >= 4
    assert len(said) >= 3
    curve = (tmp_path / "language.curve.jsonl").read_text().splitlines()
    assert "say-recognition" in json.loads(curve[-1])


@pytest.mark.slow
def test_a_finished_training_is_left_as_it_is(tmp_path: Path):
    checkpoint = tmp_path / "vision.pt"
    run = StageRun(seconds=600, photos=4, groups_per_batch=1)
    train_vision(run, checkpoint, on_report=lambda _: None)
    before = checkpoint.read_bytes()
    train_vision(run, checkpoint, on_report=lambda _: None)
    assert checkpoint.read_bytes() == before


def test_lean_attention_attends_as_sdpa_does():
    torch.manual_seed(0)
    query, key, value = torch.randn(3, 2, 4, 9, 16)
    mask = torch.ones(9, 9, dtype=torch.bool).tril().expand(2, 1, 9, 9)
    lean, _ = lean_attention(torch.nn.Identity(), query, key, value, mask)
    plain = torch.nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
    assert torch.allclose(lean.float(), plain.transpose(1, 2), atol=0.03)
    with pytest.raises(TypeError, match="bool"):
        lean_attention(torch.nn.Identity(), query, key, value, mask.float())


def test_the_learning_rate_warms_up_stays_and_falls():
    rates = [schedule(share) for share in (0.0, 0.01, 0.02, 0.4, 0.75, 1.0)]
    assert rates == pytest.approx([0.01, 0.51, 1.0, 1.0, 0.5, 0.01])


def test_every_parameter_is_trained_once(model):
    heads = AttributeHeads(192)
    parts = [(model.model.vision_tower, 0.4), (heads, 0.4), (model, 1.0)]
    optimizers = Optimizers(parts, rate=1e-3, decay=0.0)
    trained = [id(parameter) for parameter in optimizers.parameters]
    known = {id(parameter) for module in (model, heads) for parameter in module.parameters()}
    assert len(trained) == len(set(trained))
    assert set(trained) == known
