"""Rows made from photos without training."""

import pytest
import torch

from photopal.concepts import Bank, Reference, RegisterOptions
from photopal.concepts.initialize import (
    align_embeddings,
    cluster,
    find_subjects,
    register_concept,
)
from photopal.concepts.registration import FeatureStore, read_references, register_concepts
from photopal.errors import ConceptError
from photopal.vlm import load_model


def registered(library, model, **options):
    store = FeatureStore(model)
    references = read_references(store, library.concepts.references(library.concepts.get("Anna").id))
    found = find_subjects(references, [])
    return register_concept(
        model, 1, found, name="Anna", references_key="k", options=RegisterOptions(**options)
    )


@pytest.mark.parametrize("tokens", [1, 4, 16])
def test_soft_tokens_have_the_norm_of_words_and_the_identifier_is_their_mean(named_library, model, tokens):
    concept = registered(named_library, model, tokens=tokens)
    norms = concept.inputs[1:].norm(dim=-1)
    assert concept.token_count == tokens
    assert torch.allclose(norms, torch.full_like(norms, model.embedding_norm), rtol=1e-4)
    assert torch.allclose(concept.inputs[0], concept.inputs[1:].mean(dim=0), atol=1e-6)


def test_tied_layers_give_the_identifier_one_row_for_both(named_library, model, tiny_llava_untied):
    tied = registered(named_library, model)
    assert torch.equal(tied.outputs, tied.inputs[0])
    untied_model = load_model(tiny_llava_untied, device="cpu")
    untied = registered(named_library, untied_model)
    assert not torch.equal(untied.outputs, untied.inputs[0])


def test_fewer_patches_than_tokens_give_fewer_tokens():
    points = torch.randn(3, 8, generator=torch.Generator().manual_seed(0))
    rows = cluster(points, 16, generator=torch.Generator().manual_seed(0))
    assert align_embeddings(rows, 2.0).shape == (4, 8)


def test_clusters_are_the_means_of_what_lies_together():
    centres = torch.tensor([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])
    noise = torch.randn(3, 40, 2, generator=torch.Generator().manual_seed(1)) * 0.1
    points = (centres[:, None] + noise).flatten(0, 1)
    found = cluster(points, 3, generator=torch.Generator().manual_seed(2))
    assert torch.cdist(centres, found).amin(dim=1).max() < 0.1


def test_a_concept_without_photos_is_refused():
    with pytest.raises(ConceptError, match="at least one"):
        find_subjects([], [])


def test_a_photo_may_serve_two_concepts(named_library, model, drawn_family):
    photo = named_library.concepts.references(named_library.concepts.get("Anna").id)[0].photo
    named_library.concepts.add_reference(named_library.concepts.get("Ben").id, photo.id, box=(0, 0, 30, 30))
    bank = register_concepts(named_library, FeatureStore(model), Bank(model.fingerprint, "")).bank
    assert len(bank.concepts) == 2
    assert isinstance(Reference(photo.content_hash, FeatureStore(model).of(photo)), Reference)
