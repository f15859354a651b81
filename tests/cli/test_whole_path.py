"""A name from its photos to captions, search, answers and places, on checkpoints of three families."""

import json

import pytest

from tests.marks import slow


@pytest.mark.parametrize("kind", ["tiny_llava", *slow("tiny_smolvlm", "tiny_qwen")])
def test_add_concept_tune_caption_search_ask_and_locate(kind, request, run, drawn_family, tmp_path):
    model = str(request.getfixturevalue(kind))

    def photopal(*words, code=0):
        result = run(*words, PHOTOPAL_MODEL=model)
        assert result.exit_code == code, result.output
        return result.stdout

    for name, photos in drawn_family.photos.items():
        folder, masks = str(photos[0].parent), str(drawn_family.masks[name])
        added = photopal("add-concept", name, folder, "--mask", masks, "--about", "tall", "--json")
        assert json.loads(added)["added"] == 3
    tuned = json.loads(photopal("tune", "--epochs", "1", "--tokens", "4", "--lr", "0.01", "--json"))
    assert tuned["names"] == ["Anna", "Ben"]
    assert tuned["after"]["questions"] > 0
    lines = photopal("caption", str(drawn_family.both), "--jsonl").splitlines()
    [made] = [json.loads(line) for line in lines]
    assert {sighting["name"] for sighting in made["sightings"]} == {"Anna", "Ben"}
    found = photopal("search", "Anna", "--paths").splitlines()
    assert {str(path) for path in drawn_family.photos["Anna"]} <= set(found)
    assert photopal("ask", "What is Anna doing?", str(drawn_family.both)).endswith("\n")
    assert "4 photos" in photopal("ask", "How many photos of Anna are there?") or "Anna" not in made["names"]
    located = photopal("locate", str(drawn_family.both), "--out", str(tmp_path / "marked.png"))
    assert {line.split("\t")[0] for line in located.splitlines()} == {"Anna", "Ben"}
    assert (tmp_path / "marked.png").exists()
