"""Questions packed behind one photo lose exactly what they lose one by one, in all families."""

import random

import pytest
import torch

from photopal.concepts import Bank, RegisterOptions
from photopal.concepts.registration import FeatureStore, register_concepts
from photopal.prompts import PromptConcept
from photopal.tuning.batching import PrefixStore, example_loss, pack_example
from photopal.tuning.dataset import gather_photos
from photopal.tuning.examples import TuningConcept, make_example
from photopal.vlm import load_model


@pytest.mark.parametrize("kind", ["tiny_llava", "tiny_smolvlm", "tiny_qwen"])
def test_packed_loss_and_gradients_equal_those_of_separate_sequences(kind, request, named_library):
    model = load_model(request.getfixturevalue(kind), device="cpu")
    store = FeatureStore(model)
    bank = register_concepts(
        named_library, store, Bank(model.fingerprint, ""), options=RegisterOptions(tokens=3)
    ).bank
    concepts = {i: TuningConcept(i, "person", ("a tall one",)) for i in bank.concepts}
    photo = next(photo for photo in gather_photos(named_library, store, bank) if photo.present)
    example = make_example(photo, concepts, dict.fromkeys(concepts, PromptConcept(3)), random.Random(0))
    packed = pack_example(model, example)
    results = []
    for prefixes in (None, PrefixStore(model)):
        rows = bank.embeddings(example.slots, ["A", "B"][: len(example.slots)])
        inputs, outputs = rows.inputs.requires_grad_(), rows.outputs.requires_grad_()
        result = example_loss(model, packed, rows, prefixes)
        (result.total / result.tokens).backward()
        results.append((float(result.total.detach() / result.tokens), inputs.grad, outputs.grad, result))
    separate, together = results
    assert model.supports_prefix
    assert separate[0] == pytest.approx(together[0], abs=1e-5)
    assert torch.allclose(separate[1], together[1], atol=1e-5)
    assert torch.allclose(separate[2], together[2], atol=1e-5)
    assert separate[3].yes_margins == pytest.approx(together[3].yes_margins, abs=1e-4)
    assert separate[3].no_margins == pytest.approx(together[3].no_margins, abs=1e-4)
    assert len(separate[3].yes_margins) + len(separate[3].no_margins) == sum(packed.is_recognition)
