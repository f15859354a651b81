"""Models of families without a way of their own are run by their own forward, and do all that others do."""

from types import SimpleNamespace

import pytest
import torch
import transformers
from PIL import Image
from transformers import AutoModelForImageTextToText

from photopal.lab import model_families
from photopal.lab.model_families import SIZES, draw_square, try_model
from photopal.tuning.batching import PrefixStore, example_loss, pack_example
from photopal.tuning.examples import Example, Exchange
from photopal.vlm import ChatPrompt, ConceptEmbeddings, load_model, name_placeholder, token_placeholder
from photopal.vlm.batch_decoder import GenerationRequest, answer_batch
from photopal.vlm.families import generic
from photopal.vlm.families.places import Sources
from photopal.vlm.load import limit_tokens
from photopal.vlm.tokenizer import strip_thought
from tests.conftest import tiny_tokenizer
from tests.marks import slow

KINDS = ("tiny_gemma3", "tiny_llava_next", "tiny_qwen3_vl", "tiny_qwen3_5")
_MODELS = {}


@pytest.fixture
def model(request):
    """The model of a folder fixture, loaded once."""
    if request.param not in _MODELS:
        _MODELS[request.param] = load_model(request.getfixturevalue(request.param), device="cpu")
    return _MODELS[request.param]


@pytest.fixture
def features(model):
    return model.encode_photos([draw_square(SIZES[0], 1)[0]])[0]


@pytest.mark.parametrize("kind", slow(*KINDS))
def test_a_model_says_and_learns_and_finds_what_it_should(kind, request):
    trial = try_model(request.getfixturevalue(kind))
    assert not trial.refusal
    assert trial.difference <= 1e-4
    assert trial.has_same_text
    assert trial.losses[1] < trial.losses[0]
    assert trial.found >= 14


@pytest.mark.parametrize(
    ("model", "route"),
    [
        ("tiny_gemma3", (True, False, False)),
        ("tiny_llava_next", (True, True, True)),
        ("tiny_qwen3_vl", (True, True, False)),
        ("tiny_qwen3_5", (False, False, False)),
    ],
    indirect=["model"],
)
def test_only_ways_that_were_found_equal_are_taken(model, route):
    assert (model.extends_prefixes, model.supports_prefix, model.supports_batches) == route


@pytest.mark.parametrize("model", KINDS, indirect=True)
def test_a_concept_is_to_the_model_what_a_word_with_its_embedding_would_be(model, features):
    prompt = ChatPrompt(f"{name_placeholder(0)} is {token_placeholder(0, 0)}. What is this?")
    encoded = model.encode_prompt(prompt, features)
    words = [int(model.answer_ids(word)[0]) for word in ("red", "dog")]
    embedded = model.embed_ids(torch.tensor(words))  # as the input layer gives them, scaled or not
    rows = ConceptEmbeddings(embedded[None].float(), model.output_embeddings[words[:1]].float(), ("Rex",))
    logits = model.run(encoded.ids, encoded.positions, features, rows)
    plain_ids = encoded.ids.clone()
    plain_ids[encoded.ids >= model.vocab_size] = torch.tensor(words)
    expected = model.run(plain_ids, encoded.positions, features)
    torch.testing.assert_close(logits[:, : model.vocab_size], expected, atol=1e-4, rtol=1e-4)
    # The column of a name is scaled and capped as those of words are.
    torch.testing.assert_close(logits[:, -1], expected[:, words[0]], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("model", ["tiny_gemma3"], indirect=True)
def test_learning_behind_what_was_computed_of_a_photo_is_learning_with_the_photo(model, features):
    question = ChatPrompt(f"Is {name_placeholder(0)} here?")
    exchanges = tuple(Exchange("recognition", question, answer) for answer in ("Yes", "No"))
    packed = pack_example(model, Example(None, features, (0,), exchanges))
    gradients = []
    for store in (PrefixStore(model), None):
        rows = ConceptEmbeddings(
            torch.ones(1, 1, model.hidden_size, requires_grad=True),
            torch.zeros(1, model.hidden_size),
            ("Rex",),
        )
        loss = example_loss(model, packed, rows, store)
        loss.total.backward()
        gradients.append((loss.total.detach(), rows.inputs.grad))
    torch.testing.assert_close(gradients[0], gradients[1], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("model", KINDS, indirect=True)
def test_scores_do_not_depend_on_the_order_of_answers(model, features):
    encoded = model.encode_prompt(ChatPrompt("Is this red?"), features)
    answers = ["A red dog", "A red car", "No"]
    scores = model.score_answers(encoded, features, answers=answers)
    turned = model.score_answers(encoded, features, answers=answers[::-1])
    assert torch.equal(scores, turned.flip(0))


@pytest.mark.parametrize("model", ["tiny_gemma3"], indirect=True)
def test_scaled_embeddings_are_told_by_what_the_input_layer_gives(model):
    given = model.embed_ids(torch.arange(model.vocab_size)).norm(dim=-1).mean()
    assert model.embedding_scale == pytest.approx(32**0.5, rel=1e-3)
    assert model.embedding_norm == pytest.approx(float(given), rel=1e-3)


@pytest.mark.parametrize("model", ["tiny_qwen3_vl"], indirect=True)
def test_a_model_that_thinks_is_asked_behind_its_thought(model, features):
    text = model.decode(model.encode_prompt(ChatPrompt("Is this red?"), features).ids)
    assert text.endswith("assistant\n<think>\n\n</think>\n\n")
    assert model.decode(model.answer_ids("Yes")) == "Yes"
    assert int(model.answer_ids("Yes")[-1]) in model.end_ids


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("<think>\nA dog, I think.\n</think>\n\nA dog.", "A dog."),
        ("I think so.</think>Yes", "Yes"),
        ("<think>Well", ""),
        ("◁think▷Hm◁/think▷Rex", "Rex"),
        ("<answer>Rex</answer>", "Rex"),
        ("I think it is Rex.", "I think it is Rex."),
    ],
)
def test_a_thought_is_no_part_of_an_answer(said, kept):
    assert strip_thought(said).strip() == kept


@pytest.mark.parametrize("has_projector", [True, *slow(False)], ids=["by the projector", "by stripes"])
@pytest.mark.parametrize("size", [(160, 120), *slow((120, 160), (240, 60))])
@pytest.mark.parametrize("model", ["tiny_llava_next"], indirect=True)
def test_each_token_of_tiles_lies_where_a_change_moves_it(model, size, has_projector, monkeypatch):
    """The places of tiles, measured without knowing them, against a single change."""
    model._checkpoint.layouts.clear()
    if not has_projector:
        monkeypatch.setattr(generic, "_places_of_projected", lambda *_: None)
    picture, box = draw_square(size, 2)
    plain, changed = (
        model.encode_photos([one])[0] for one in (draw_square(size, 2, is_grey=True)[0], picture)
    )
    moved = (changed.tokens - plain.tokens).norm(dim=1)
    cell = int(changed.token_cells[int(moved.argmax())])
    rows, cols = changed.patches.shape[:2]
    assert cell >= 0
    x, y = (cell % cols + 0.5) / cols, (cell // cols + 0.5) / rows
    assert box.x - 1 / cols <= x <= box.x + box.width + 1 / cols
    assert box.y - 1 / rows <= y <= box.y + box.height + 1 / rows


@pytest.mark.parametrize("size", [(640, 480), (240, 960)])
@pytest.mark.parametrize("model", ["tiny_qwen3_vl"], indirect=True)
def test_patches_in_any_order_are_placed_by_what_goes_in(model, size):
    """Qwen lays its patches out in blocks; the places are the same without what it says of its grid."""
    known = model.encode_photos([draw_square(size, 2)[0]])[0]
    checkpoint = model._checkpoint
    inputs, _ = generic.prepare(checkpoint, draw_square(size, 2)[0])
    layout = generic._layout(checkpoint, size, {"pixel_values": inputs["pixel_values"]}, known.tokens, None)
    assert layout.tokens.grid == known.token_grid
    assert layout.tokens.is_row_by_row


def test_a_photo_is_seen_as_no_more_tokens_than_are_wanted(tiny_qwen3_vl):
    picture = draw_square((640, 480), 1)[0]
    counts = []
    for most in (0, 20, 100):
        model = load_model(tiny_qwen3_vl, device="cpu", image_tokens=most)
        counts.append((len(model.encode_photos([picture])[0].tokens), model.variant))
    assert counts[0] == counts[2] == (48, "")
    assert counts[1] == (15, "-20")


def test_a_photo_is_cut_into_no_more_tiles_than_are_wanted(tiny_llava_next):
    picture = draw_square((640, 480), 1)[0]
    loaded = [load_model(tiny_llava_next, device="cpu", image_tokens=most) for most in (0, 60, 1000)]
    counts = [(len(model.encode_photos([picture])[0].tokens), model.variant) for model in loaded]
    assert counts[0] == counts[2]
    assert counts[1][0] <= 60 < counts[0][0]
    assert counts[1][1] == "-60"


@pytest.mark.parametrize(
    ("images", "config", "kept"),
    [
        (
            transformers.LlavaNextImageProcessorPil(size={"shortest_edge": 336}),
            transformers.LlavaNextConfig(),
            [[336, 672], [672, 336]],
        ),
        (
            transformers.LlavaOnevisionImageProcessorPil(),
            transformers.LlavaOnevisionConfig(),
            [[384, 384], [384, 768], [768, 384]],
        ),
    ],
)
def test_photos_upright_and_lying_keep_tiles_that_show_more_than_the_overview(images, config, kept):
    assert limit_tokens(SimpleNamespace(image_processor=images, config=config, processor=None), 1024)
    assert images.image_grid_pinpoints == kept
    assert config.image_grid_pinpoints == kept


@pytest.mark.parametrize(
    ("images", "processor", "tiles"),
    [
        # As Aya Vision, Command A Vision and PerceptionLM have them: 169, 256 and 256 tokens a tile.
        ({"crop_to_patches": True, "max_patches": 12}, {"img_size": 364, "patch_size": 28}, 5),
        ({"crop_to_patches": True, "max_patches": 12}, {"patch_size": 16}, 3),
        ({"tile_size": 448, "max_num_tiles": 36}, {"patch_size": 14, "pooling_ratio": 2}, 3),
        ({"crop_to_patches": True, "max_patches": 12}, {"image_seq_length": 256}, 3),
    ],
)
def test_tiles_beside_an_overview_are_no_more_than_are_wanted(images, processor, tiles):
    parts = SimpleNamespace(
        image_processor=SimpleNamespace(**images), processor=SimpleNamespace(**processor), config=None
    )
    name = "max_num_tiles" if "tile_size" in images else "max_patches"
    assert not limit_tokens(parts, 10_000)
    assert getattr(parts.image_processor, name) == images[name]
    assert limit_tokens(parts, 1024)
    assert getattr(parts.image_processor, name) == tiles


def test_aya_vision_sees_a_photo_as_no_more_tokens_than_are_wanted():
    named = ["<|START_OF_IMG|>", "<|END_OF_IMG|>", "<|IMG_PATCH|>", "<|IMG_LINE_BREAK|>"]
    tokenizer = tiny_tokenizer(["<pad>", "<eos>", "<image>", *named, "TILE", "TILE_GLOBAL"], eos="<eos>")
    images = transformers.GotOcr2ImageProcessorPil(size={"height": 56, "width": 56}, crop_to_patches=True)
    processor = transformers.AyaVisionProcessor(images, tokenizer, patch_size=28, img_size=56)

    def count(size):
        ids = processor(text=["<image>"], images=[draw_square(size, 1)[0]], return_tensors="pt")["input_ids"]
        return int((ids == tokenizer.convert_tokens_to_ids("<|IMG_PATCH|>")).sum())

    sizes = ((640, 480), (120, 900), (900, 900))
    assert max(map(count, sizes)) > 16
    assert limit_tokens(SimpleNamespace(image_processor=images, processor=processor, config=None), 16)
    assert all(count(size) <= 16 for size in sizes)


@pytest.mark.parametrize("model", ["tiny_llava_next"], indirect=True)
def test_words_are_repeated_as_seldom_as_the_model_says(model, features, monkeypatch):
    plain = AutoModelForImageTextToText.from_pretrained(model._checkpoint.folder).eval()
    encoded = model.encode_prompt(ChatPrompt("What is this?"), features)
    inputs, _ = generic.prepare(model._checkpoint, draw_square(SIZES[0], 1)[0])
    made = plain.generate(
        encoded.ids[None], **inputs, do_sample=False, max_new_tokens=12, repetition_penalty=1.6
    )
    expected = model.decode(made[0, len(encoded.ids) :]).strip()
    unpenalized = model.generate(encoded, features, max_new_tokens=12)
    monkeypatch.setattr(model._checkpoint.model.generation_config, "repetition_penalty", 1.6)
    assert model.generate(encoded, features, max_new_tokens=12) == expected != unpenalized
    asked = [GenerationRequest(encoded, features, None, 12)] * 3
    assert answer_batch(model, asked) == [expected] * 3


class Tower:
    """A model whose outer method hands on what only the inner one names, as Video-LLaMA 3 has it."""

    def __init__(self):
        self.model = self
        self.given = None

    def get_image_features(self, pixel_values, counts=None, merge_sizes=None, **kwargs):
        self.given = (pixel_values.dtype, counts, merge_sizes)
        return SimpleNamespace(pooler_output=pixel_values)


class Outer:
    def __init__(self):
        self.model = Tower()

    def get_image_features(self, pixel_values, **kwargs):
        return self.model.get_image_features(pixel_values, **kwargs)


def test_a_tower_gets_all_that_it_takes_as_tensors_and_as_lists():
    model = Outer()
    checkpoint = SimpleNamespace(model=model, dtype=torch.bfloat16, device=torch.device("cpu"))
    sizes = torch.tensor([2])
    inputs = {"pixel_values": torch.zeros(1, 2), "counts": [4], "merge_sizes": sizes, "rows": [[1]]}
    generic._image_outputs(checkpoint, inputs)
    assert model.model.given == (torch.bfloat16, [4], sizes)


def test_outputs_of_a_tower_that_no_answer_needs_are_not_kept():
    outputs = {
        "pooler_output": torch.zeros(1), "high_res_vision_attentions": ((None, None),),
        "high_res_vision_hidden_states": (torch.zeros(1),), "deepstack_features": [torch.ones(1)],
    }  # fmt: skip
    assert list(generic._extra_inputs(outputs)) == ["vision.deepstack_features.0"]


def test_an_output_that_the_tower_did_not_give_is_none_to_the_model():
    checkpoint = SimpleNamespace(
        model=SimpleNamespace(forward=lambda pixel_values: None), dtype=torch.float32,
        device=torch.device("cpu"),
    )  # fmt: skip
    features = SimpleNamespace(tokens=torch.zeros(2, 3), model_inputs={})
    outputs = generic.forward_inputs(checkpoint, features, is_list=False)["mm_encoder_outputs"]["image"]
    assert outputs.router_logits is None
    assert outputs.pooler_output is features.tokens


def test_fewer_tokens_than_tiles_lie_nowhere_that_can_be_told():
    xs = torch.rand(3, 2, 8, 8)  # [tiles, channels, height, width]
    assert Sources(xs, xs).places(0) is None
    assert Sources(xs, xs).places(2) is None


class Counter:
    """A processor that gives a token for each cell of 32 pixels, and no size of its own to change."""

    def __init__(self, *, least=1):
        self.least = least

    def replace_image_token(self, *_):
        raise NotImplementedError

    def __call__(self, text, images, **_):
        width, height = images[0].size
        count = max(self.least, (width // 32) * (height // 32))
        return {"text_replacement_offsets": [[{"replacement": "<image>" * count}]]}


def count_tokens(texts, add_special_tokens):
    return {"input_ids": [[7] * text.count("<image>") for text in texts]}


def unknown_checkpoint(processor, size):
    return SimpleNamespace(
        processor=processor, image_processor=SimpleNamespace(size=size, patch_size=14, merge_size=2),
        config=SimpleNamespace(), tokenizer=count_tokens, image_token="<image>", image_token_id=7,
        longest_side_px=0,
    )  # fmt: skip


@pytest.mark.parametrize("size", [None, {"max_height": 512, "max_width": 512}])
def test_photos_are_shrunk_for_a_processor_whose_sizes_are_not_known(size):
    checkpoint = unknown_checkpoint(Counter(), size)
    assert limit_tokens(checkpoint, 1024)
    photo = Image.new("RGB", (1600, 1200))
    assert generic.prepare(checkpoint, photo)[1].count("<image>") <= 1024
    assert checkpoint.longest_side_px >= 768  # and not smaller than they must be
    small = Image.new("RGB", (320, 320))
    assert generic.prepare(checkpoint, small)[1].count("<image>") == 100


def test_photos_are_left_alone_where_a_smaller_one_has_as_many_tokens():
    checkpoint = unknown_checkpoint(Counter(least=5000), None)
    assert not limit_tokens(checkpoint, 1024)
    assert checkpoint.longest_side_px == 0
    fitting = unknown_checkpoint(Counter(), None)
    assert not limit_tokens(fitting, 5000)
    assert fitting.longest_side_px == 0


class Choosy(Counter):
    """A processor that takes a photo only between the tokens of the chat template, as HunYuan-VL's does."""

    def __call__(self, text, images, **_):
        if "<start><image><end>" not in text[0]:
            raise ValueError("image placeholders must be formatted as <start><image><end>")
        return super().__call__(text, images)


def test_a_processor_that_takes_a_photo_only_as_the_template_writes_it_gets_it_so():
    checkpoint = unknown_checkpoint(Choosy(), None)
    checkpoint.chat_template = "{% for part in messages[0].content %}{{ part }}{% endfor %}"
    checkpoint.tokenizer = SimpleNamespace(
        apply_chat_template=lambda *_, **__: "user: <start><image><end>A", bos_token_id=None
    )
    assert generic.prepare(checkpoint, Image.new("RGB", (64, 64)))[1] == "<image>" * 4


def test_positions_are_counted_on_as_many_axes_as_the_model_has():
    def get_rope_index(ids, image_grid_thw, attention_mask):
        return torch.zeros(4, *ids.shape).long(), attention_mask

    def checkpoint(section):
        text = SimpleNamespace(rope_parameters={"mrope_section": section})
        return SimpleNamespace(
            model=SimpleNamespace(model=SimpleNamespace(get_rope_index=get_rope_index)),
            config=SimpleNamespace(get_text_config=lambda: text), image_token_id=7,
        )  # fmt: skip

    ids = torch.tensor([1, 7])
    assert generic.positions(checkpoint([1, 1, 1, 1]), ids, None).shape == (4, 2)
    assert generic.positions(checkpoint(None), ids, None).shape == (3, 2)
    features = SimpleNamespace(model_inputs={"image_grid_thw": torch.ones(1, 3)})
    assert generic.positions(checkpoint([1, 1, 1, 1]), ids, features).shape == (4, 2)


def test_a_model_with_fewer_output_rows_is_compared_by_those_that_it_has(tiny_qwen3_vl, monkeypatch):
    model = load_model(tiny_qwen3_vl, device="cpu")
    whole = model_families._plain

    def cut(*given):
        plain, inputs = whole(*given)
        assert "mm_token_type_ids" in inputs
        head = plain.lm_head
        head.register_forward_hook(lambda _module, _given, logits: logits[..., :-8])
        return plain, inputs

    monkeypatch.setattr(model_families, "_plain", cut)
    assert model_families._compare(model, tiny_qwen3_vl)[0] == 0
