"""Without concepts photopal says what the plain transformers model says, to the bit."""

import pytest
import torch

from photopal.vlm import ChatPrompt

KINDS = ("tiny_llava", "tiny_llava_untied", "tiny_smolvlm", "tiny_qwen")
BOTH = [(kind, kind) for kind in KINDS]
QUESTION = "Can you see the dog in this photo?"


def our_logits(model, encoded, features):
    embeddings = model.embed_prompt(encoded, features)
    hidden = model.forward(embeddings[None], positions=encoded.positions.unsqueeze(-2))
    return model.logits(hidden)


@pytest.mark.parametrize(("loaded", "plain"), BOTH, indirect=True)
def test_a_question_about_a_photo_gets_the_plain_logits(loaded, plain, picture):
    features = loaded.encode_photos([picture])[0]
    encoded = loaded.encode_prompt(ChatPrompt(QUESTION), features)
    inputs = plain.inputs(QUESTION, picture)
    assert torch.equal(encoded.ids, inputs["input_ids"][0])
    with torch.no_grad():
        expected = plain.model(**inputs).logits
    assert torch.equal(our_logits(loaded, encoded, features), expected)


@pytest.mark.parametrize(("loaded", "plain"), [BOTH[2], BOTH[3]], indirect=True)
def test_a_photo_that_is_no_square_gets_the_plain_logits(loaded, plain, tools):
    picture = tools.picture(200, 120)
    features = loaded.encode_photos([picture])[0]
    encoded = loaded.encode_prompt(ChatPrompt(QUESTION), features)
    with torch.no_grad():
        expected = plain.model(**plain.inputs(QUESTION, picture)).logits
    assert torch.equal(our_logits(loaded, encoded, features), expected)


@pytest.mark.parametrize(("loaded", "plain"), BOTH, indirect=True)
def test_a_question_without_a_photo_gets_the_plain_logits(loaded, plain):
    encoded = loaded.encode_prompt(ChatPrompt("What is this?", has_image=False))
    with torch.no_grad():
        expected = plain.model(**plain.inputs("What is this?", None)).logits
    assert torch.equal(our_logits(loaded, encoded, None), expected)


@pytest.mark.parametrize(("loaded", "plain"), BOTH, indirect=True)
def test_answers_are_those_of_the_plain_model(loaded, plain, tools):
    for seed in (1, 2, 3):
        picture = tools.picture(seed=seed)
        features = loaded.encode_photos([picture])[0]
        encoded = loaded.encode_prompt(ChatPrompt(QUESTION), features)
        inputs = plain.inputs(QUESTION, picture)
        made = plain.model.generate(**inputs, do_sample=False, max_new_tokens=12)
        ids = made[0, inputs["input_ids"].shape[1] :]
        expected = plain.tokenizer.decode(ids[ids < len(plain.tokenizer)], skip_special_tokens=True)
        assert loaded.generate(encoded, features, max_new_tokens=12) == expected.strip()


@pytest.mark.parametrize("loaded", KINDS, indirect=True)
def test_logits_at_chosen_positions_are_those_of_all_positions(loaded, picture):
    features = loaded.encode_photos([picture])[0]
    encoded = loaded.encode_prompt(ChatPrompt(QUESTION), features, answer="Yes")
    embeddings = loaded.embed_prompt(encoded, features)
    hidden = loaded.forward(embeddings[None], positions=encoded.positions.unsqueeze(-2))[0]
    chosen = loaded.logits(hidden[encoded.answer_start - 1 : -1])
    torch.testing.assert_close(chosen, loaded.logits(hidden)[encoded.answer_start - 1 : -1])


@pytest.mark.parametrize("loaded", KINDS, indirect=True)
def test_many_photos_at_once_are_the_photos_one_by_one(loaded, tools):
    pictures = [tools.picture(seed=seed, width=96 + 16 * seed) for seed in range(3)]
    for together, alone in zip(
        loaded.encode_photos(pictures), (loaded.encode_photos([one])[0] for one in pictures), strict=True
    ):
        torch.testing.assert_close(together.tokens, alone.tokens, atol=1e-5, rtol=1e-5)
        assert together.frame == alone.frame
