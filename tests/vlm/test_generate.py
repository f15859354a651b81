"""Greedy answers stream as they grow; given answers are scored where they part."""

import pytest
import torch

from photopal.vlm import ChatPrompt
from photopal.vlm.generate import TextStream, distinguishing_lengths

KINDS = ("tiny_llava", "tiny_smolvlm", "tiny_qwen")


@pytest.mark.parametrize("loaded", KINDS, indirect=True)
def test_the_pieces_told_are_the_answer(loaded, tools):
    for seed in (1, 2, 3):
        features = loaded.encode_photos([tools.picture(seed=seed)])[0]
        encoded = loaded.encode_prompt(ChatPrompt("What is this?"), features)
        pieces = []
        text = loaded.generate(encoded, features, max_new_tokens=16, on_text=pieces.append)
        assert "".join(pieces) == text
        assert text == loaded.generate(encoded, features, max_new_tokens=16)


@pytest.mark.parametrize("loaded", KINDS, indirect=True)
def test_the_token_of_a_photo_may_be_said_like_any_word(loaded, picture):
    [features] = loaded.encode_photos([picture])
    encoded = loaded.encode_prompt(ChatPrompt("What is this?"), features)
    past = loaded.new_past()
    loaded.run(encoded.ids, encoded.positions, features, past=past)
    said = torch.tensor([loaded._checkpoint.image_token_id])
    logits = loaded.run(said, torch.tensor([encoded.next_position]), past=past)
    assert logits.isfinite().all()


def test_half_a_character_is_not_told():
    pieces = []
    stream = TextStream(pieces.append)
    for text in (" Zo", " Zo\ufffd", " Zoë ", " Zoë is"):
        stream.show(text)
    assert stream.finish(" Zoë is\n") == "Zoë is"
    assert pieces == ["Zo", "ë", " is"]


@pytest.mark.parametrize("loaded", KINDS, indirect=True)
def test_scores_are_the_log_probabilities_of_whole_sequences(loaded, picture):
    features = loaded.encode_photos([picture])[0]
    encoded = loaded.encode_prompt(ChatPrompt("What is this?"), features)
    answers = ["A red car", "A red dog", "No"]
    scores = loaded.score_answers(encoded, features, answers=answers)
    lengths = distinguishing_lengths([loaded.answer_ids(answer).tolist() for answer in answers])
    assert lengths[0] > 1
    assert lengths[2] == 1
    for answer, length, score in zip(answers, lengths, scores, strict=True):
        learned = loaded.encode_prompt(ChatPrompt("What is this?"), features, answer=answer)
        hidden = loaded.forward(
            loaded.embed_prompt(learned, features)[None], positions=learned.positions.unsqueeze(-2)
        )[0]
        start = learned.answer_start
        chances = torch.log_softmax(loaded.logits(hidden[start - 1 : -1]), dim=-1)
        expected = chances.gather(-1, learned.ids[start:, None])[:length].sum()
        torch.testing.assert_close(score, expected, atol=1e-4, rtol=1e-4)


def test_an_answer_that_begins_another_is_told_by_its_end(llava):
    ids = [llava.answer_ids(text).tolist() for text in ("Yes", "Yes, a dog")]
    assert distinguishing_lengths(ids) == [2, 2]


def test_equal_answers_and_none_are_refused(llava, picture):
    features = llava.encode_photos([picture])[0]
    encoded = llava.encode_prompt(ChatPrompt("Who?"), features)
    with pytest.raises(ValueError, match="same"):
        llava.score_answers(encoded, features, answers=["Yes", "Yes"])
    with pytest.raises(ValueError, match="no answers"):
        llava.score_answers(encoded, features, answers=[])


def test_generation_stops_at_its_limit(llava, picture, monkeypatch):
    features = llava.encode_photos([picture])[0]
    encoded = llava.encode_prompt(ChatPrompt("Who?"), features)
    calls = []
    forward = type(llava).forward

    def count(self, *args, **kwargs):
        calls.append(1)
        return forward(self, *args, **kwargs)

    monkeypatch.setattr(type(llava), "forward", count)
    llava.generate(encoded, features, max_new_tokens=3)
    assert len(calls) <= 3


def test_a_name_bonus_makes_names_said_once(tiny_llava):
    from dataclasses import replace

    import torch

    from photopal.vlm import ChatPrompt, ConceptEmbeddings, load_model, name_placeholder

    model = load_model(tiny_llava)
    outputs = torch.zeros(2, model.hidden_size)
    rows = ConceptEmbeddings(torch.zeros(2, 1, model.hidden_size), outputs, ("Anna", "Rex"))
    encoded = model.encode_prompt(ChatPrompt(name_placeholder(0) + name_placeholder(1), has_image=False))
    plain = model.generate(encoded, concepts=rows, max_new_tokens=6)
    urged = model.generate(encoded, concepts=replace(rows, name_bonus=1e4), max_new_tokens=6)
    assert urged.startswith("Anna Rex")
    assert (urged.count("Anna"), urged.count("Rex")) == (1, 1)
    assert plain != urged
