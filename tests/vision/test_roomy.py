"""Keys and values with room hold what those without hold."""

import torch
from transformers.cache_utils import DynamicLayer

from photopal.vision.roomy import RoomyLayer


def grown(layer, generator, steps):
    for _ in range(steps):
        new = torch.rand(layer.keys.shape[0], 2, 1, 4, generator=generator)
        keys, values = layer.update(new, new + 1)
    return keys, values


def test_appending_and_choosing_rows_give_the_same_as_without_room():
    start = torch.rand(3, 2, 5, 4)
    plain = DynamicLayer()
    plain.update(start, -start)
    roomy = RoomyLayer(plain, 4)
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
    roomy = RoomyLayer(layer, 32)
    one = torch.rand(1, 2, 1, 4)
    places = {roomy.update(one, one)[0].data_ptr() for _ in range(20)}
    assert len(places) == 1
