from __future__ import annotations

from photopal.cache import LRUCache


def keys(cache, among="abcdef"):
    """What is there, without using it."""
    return "".join(key for key in among if key in cache._items)


def filled(limit, sizes):
    cache = LRUCache(limit, len)
    for key, size in sizes.items():
        cache.put(key, key * size)
    return cache


def test_what_was_put_comes_back_and_nothing_else():
    cache = filled(10, {"a": 2})
    assert cache.get("a") == "aa"
    assert cache.get("b") is None
    assert len(cache) == 1


def test_the_least_recently_used_goes_first():
    cache = filled(3, {"a": 1, "b": 1, "c": 1})
    cache.get("a")
    cache.put("d", "d")
    assert keys(cache) == "acd"
    cache.put("e", "e")
    assert keys(cache) == "ade"


def test_sizes_count_up_to_the_limit_and_several_make_room_for_one():
    cache = filled(10, {"a": 4, "b": 4, "c": 2})
    assert keys(cache) == "abc"
    cache.put("d", "d" * 5)
    assert keys(cache) == "cd"
    cache.put("e", "e" * 3)
    assert keys(cache) == "cde"


def test_a_key_put_again_counts_once_and_is_the_newest():
    cache = filled(10, {"a": 4, "b": 4})
    cache.put("a", "a" * 6)
    assert keys(cache) == "ab"
    cache.put("c", "c")
    assert keys(cache) == "ac"


def test_a_value_over_the_limit_is_kept_alone_until_the_next_comes():
    cache = filled(3, {"a": 1, "b": 9})
    assert keys(cache) == "b"
    assert cache.get("b") == "b" * 9
    cache.put("c", "c")
    assert keys(cache) == "c"
    assert filled(0, {"a": 1, "b": 1}).get("b") == "b"


def test_a_value_that_grows_later_is_counted_as_it_came():
    cache = LRUCache(4, len)
    value = [1]
    cache.put("a", value)
    value.extend(range(9))
    cache.put("b", [1, 2, 3])
    assert keys(cache) == "ab"
    cache.put("c", [1])
    assert keys(cache) == "bc"
