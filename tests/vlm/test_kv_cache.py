"""Keys and values with room hold what those without hold."""

import pytest
import torch
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

from photopal.vlm.kv_cache import PreallocatedLayer, is_usable, preallocate


def grown(layer, generator, steps):
    for _ in range(steps):
        new = torch.rand(layer.keys.shape[0], 2, 1, 4, generator=generator)
        keys, values = layer.update(new, new + 1)
    return keys, values


def test_appending_and_choosing_rows_give_the_same_as_without_room():
    start = torch.rand(3, 2, 5, 4)
    plain = DynamicLayer()
    plain.update(start, -start)
    roomy = PreallocatedLayer(plain, 4)
    given = start.clone()
    for rows in ([0, 1, 2], [2, 0], [1]):
        for layer in (plain, roomy):
            layer.keys, layer.values = layer.keys[rows], layer.values[rows]
        generators = [torch.Generator().manual_seed(len(rows)) for _ in range(2)]
        expected, held = (
            grown(layer, generator, 40) for layer, generator in zip((plain, roomy), generators, strict=True)
        )
        assert torch.equal(held[0], expected[0])
        assert torch.equal(held[1], expected[1])
        assert roomy.get_seq_length() == plain.get_seq_length()
    assert torch.equal(start, given)


def test_a_further_word_copies_nothing_before_it():
    layer = DynamicLayer()
    layer.update(torch.rand(1, 2, 5, 4), torch.rand(1, 2, 5, 4))
    roomy = PreallocatedLayer(layer, 32)
    one = torch.rand(1, 2, 1, 4)
    places = {roomy.update(one, one)[0].data_ptr() for _ in range(20)}
    assert len(places) == 1


def test_layers_with_room_are_used_with_the_installed_transformers():
    assert is_usable()
    past = DynamicCache()
    past.update(torch.rand(1, 2, 5, 4), torch.rand(1, 2, 5, 4), 0)
    preallocate(past, 8)
    assert [type(layer) for layer in past.layers] == [PreallocatedLayer]


@pytest.mark.parametrize("fault", ["raises", "differs"])
def test_layers_of_a_release_that_behaves_otherwise_stay_plain_and_the_log_says_so_once(
    monkeypatch, caplog, fault
):
    def update(self, key_states, value_states, *args, **kwargs):
        if fault == "raises":
            raise AttributeError("'DynamicLayer' object has no attribute 'dtype'")
        return key_states, value_states

    is_usable.cache_clear()
    try:
        with monkeypatch.context() as patch:
            patch.setattr(PreallocatedLayer, "update", update)
            for _ in range(2):
                past = DynamicCache()
                past.update(torch.rand(1, 2, 5, 4), torch.rand(1, 2, 5, 4), 0)
                preallocate(past, 8)
                assert [type(layer) for layer in past.layers] == [DynamicLayer]
        assert [record.levelname for record in caplog.records] == ["WARNING"]
        assert "keys and values grow by copying" in caplog.text
    finally:
        is_usable.cache_clear()


def test_whatever_attributes_a_layer_has_are_taken_over():
    layer = DynamicLayer()
    layer.update(torch.rand(1, 2, 5, 4), torch.rand(1, 2, 5, 4))
    layer.of_a_later_release = "kept"
    assert PreallocatedLayer(layer, 8).of_a_later_release == "kept"
