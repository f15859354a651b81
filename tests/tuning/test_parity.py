"""Training a few rows is what training both whole matrices and putting them back is, to rounding."""

import random

import pytest
import torch

from photopal.concepts import Bank, RegisterOptions
from photopal.concepts.registration import FeatureStore, register_concepts
from photopal.tuning import TuneOptions, TuningConcept
from photopal.tuning.dataset import gather_photos
from photopal.tuning.trainer import TuningRun, learning_rate_factor
from photopal.vlm.concept_embeddings import concept_positions

STEPS = 50


class WholeMatrices:
    """Both matrices of the model with the concepts' rows behind their own; every base row is put back."""

    def __init__(self, model, table, options):
        self.model, self.table = model, table
        self.base = model.vocab_size
        rows = table.inputs.detach().flatten(0, 1)
        self.inputs = torch.cat([model.input_embeddings.detach(), rows]).requires_grad_()
        self.outputs = torch.cat([model.output_embeddings.detach(), table.outputs.detach()]).requires_grad_()
        self.kept = [matrix.detach()[: self.base].clone() for matrix in (self.inputs, self.outputs)]
        self.optimizer = torch.optim.AdamW(
            [self.inputs, self.outputs], lr=options.learning_rate, weight_decay=options.weight_decay
        )

    def loss(self, packed):
        """Of the exchanges one by one, over base words and the names that the example has."""
        places = torch.tensor([self.table.indices[i] for i in packed.example.slots])
        total = 0.0
        for encoded in packed.encoded:
            ids = encoded.ids.clone()
            at, slots, rows = concept_positions(ids, self.base)
            ids[at] = self.base + places[slots] * self.table.inputs.shape[1] + rows
            embeddings = torch.nn.functional.embedding(ids, self.inputs)
            photo = slice(encoded.image_start, encoded.image_end)
            embeddings = torch.cat(
                [embeddings[: photo.start], packed.example.features.tokens, embeddings[photo.stop :]]
            )
            hidden = self.model.forward(embeddings[None], positions=encoded.positions[None])
            logits = hidden[0, encoded.answer_start - 1 : -1] @ self.outputs.T
            offered = torch.cat([torch.arange(self.base), self.base + places])
            labels = encoded.ids[encoded.answer_start :]
            total = total + torch.nn.functional.cross_entropy(logits[:, offered], labels, reduction="sum")
        return total

    def step(self, batch, learning_rate):
        """Learn from examples, then put the base rows back."""
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate
        self.optimizer.zero_grad()
        tokens = sum(packed.answer_tokens for packed in batch)
        (sum(self.loss(packed) for packed in batch) / tokens).backward()
        self.optimizer.step()
        with torch.no_grad():
            for matrix, kept in zip((self.inputs, self.outputs), self.kept, strict=True):
                matrix[: self.base] = kept


@pytest.fixture
def start(named_library, model):
    store = FeatureStore(model)
    options = RegisterOptions(tokens=4)
    bank = register_concepts(named_library, store, Bank(model.fingerprint, ""), options=options).bank
    concepts = {i: TuningConcept(i, "person", ("a tall one",)) for i in bank.concepts}
    return bank, concepts, gather_photos(named_library, store, bank)


@pytest.mark.slow
def test_fifty_steps_on_rows_alone_equal_fifty_on_whole_matrices_put_back(start, model):
    bank, concepts, photos = start
    options = TuneOptions(tokens=4, batch_photos=2)
    run = TuningRun(model, bank, concepts, options)
    whole = WholeMatrices(model, run.table, options)
    lessons = run.prepare(photos, random.Random(0), variants=2, mirror_share=0.5)
    begun = run.table.inputs.detach().clone()
    choose = random.Random(1)
    for step in range(STEPS):
        batch = [choose.choice(variants) for variants in choose.sample(lessons, min(2, len(lessons)))]
        rate = options.learning_rate * learning_rate_factor(step, STEPS)
        for group in run.optimizer.param_groups:
            group["lr"] = rate
        run.step(batch)
        whole.step(batch, rate)
    rows = whole.inputs.detach()[whole.base :].view_as(begun)
    assert float((run.table.inputs.detach() - begun).abs().max()) > 1e-3
    assert float((run.table.inputs.detach() - rows).abs().max()) <= 1e-6
    assert float((run.table.outputs.detach() - whole.outputs.detach()[whole.base :]).abs().max()) <= 1e-6
    assert torch.equal(whole.inputs.detach()[: whole.base], model.input_embeddings)
