"""A model is loaded frozen from a folder or the cache, and what is wrong is said with a way out."""

import json
import shutil
import subprocess
import sys
from types import SimpleNamespace

import huggingface_hub
import pytest
import torch
import transformers
from PIL import Image
from transformers import LlavaForConditionalGeneration, ProcessorMixin

from photopal.errors import ModelError
from photopal.prompts import PromptConcept, build_prompt
from photopal.vlm import DEFAULT_MODEL_FOLDER, ChatPrompt, ConceptEmbeddings, load, load_model
from photopal.vlm.checkpoint import fingerprint_folder, fingerprint_processor, output_layer
from photopal.vlm.families import Route

KINDS = ("tiny_llava", "tiny_smolvlm", "tiny_qwen")


@pytest.fixture
def copied(tiny_llava, tmp_path):
    return shutil.copytree(tiny_llava, tmp_path / "copied")


@pytest.mark.parametrize("loaded", KINDS, indirect=True)
def test_every_weight_is_frozen(loaded):
    assert not any(weight.requires_grad for weight in loaded._checkpoint.model.parameters())
    assert not loaded._checkpoint.model.training
    assert loaded.device == torch.device("cpu")
    assert loaded.dtype == torch.float32


def test_loading_is_silent(tiny_llava, capfd):
    load_model(tiny_llava, device="cpu")
    assert capfd.readouterr() == ("", "")


def test_the_default_is_the_bundled_model():
    assert DEFAULT_MODEL_FOLDER.parts[-3:] == ("photopal", "models", "mini")


def test_half_precision_is_taken_when_asked(tiny_llava, picture):
    model = load_model(str(tiny_llava), device="cpu", dtype="bfloat16")
    assert model.dtype == torch.bfloat16
    features = model.encode_photos([picture])[0]
    encoded = model.encode_prompt(ChatPrompt("Who?"), features)
    logits = model.logits(model.forward(model.embed_prompt(encoded, features)[None]))
    assert logits.dtype == features.patches.dtype == torch.float32
    assert isinstance(model.generate(encoded, features, max_new_tokens=3), str)


@pytest.mark.parametrize(
    ("kept_in", "least_bytes", "can_multiply", "expected"),
    [
        (torch.bfloat16, 0, True, torch.bfloat16),
        (torch.float16, 0, True, torch.bfloat16),
        (torch.bfloat16, 0, False, torch.float32),
        (torch.bfloat16, 10**9, True, torch.float32),
        (torch.float32, 0, True, torch.float32),
    ],
)
def test_on_a_processor_only_a_large_model_kept_in_16_bits_computes_in_them(
    copied, monkeypatch, kept_in, least_bytes, can_multiply, expected
):
    LlavaForConditionalGeneration.from_pretrained(copied, dtype=kept_in).save_pretrained(copied)
    monkeypatch.setattr("photopal.vlm.checkpoint.LARGE_BYTES", least_bytes)
    monkeypatch.setattr("photopal.vlm.load.multiplies_bfloat16", lambda: can_multiply)
    assert load_model(copied, device="cpu").dtype == expected
    assert load_model(copied, device="cpu", dtype="float32").dtype == torch.float32


@pytest.mark.parametrize(("has_it", "expected"), [(True, torch.bfloat16), (False, torch.float16)])
def test_a_gpu_computes_in_bfloat16_only_where_it_has_it(tiny_llava, monkeypatch, has_it, expected):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: has_it)
    assert load._choose_dtype("auto", torch.device("cuda"), tiny_llava) == expected


def test_a_copy_has_the_same_fingerprint(tiny_llava, copied):
    assert load_model(copied, device="cpu").fingerprint == fingerprint_folder(tiny_llava)


def test_another_weight_or_setting_has_another_fingerprint(tiny_llava, copied):
    model = LlavaForConditionalGeneration.from_pretrained(copied)
    with torch.no_grad():
        model.lm_head.weight[0, 0] += 1e-3
    model.save_pretrained(copied)
    changed = fingerprint_folder(copied)
    config = json.loads((copied / "config.json").read_text(encoding="utf-8"))
    config["transformers_version"] = "0"
    (copied / "config.json").write_text(json.dumps(config), encoding="utf-8")
    assert fingerprint_folder(copied) == changed != fingerprint_folder(tiny_llava)
    config["vision_feature_layer"] = -2
    (copied / "config.json").write_text(json.dumps(config), encoding="utf-8")
    assert fingerprint_folder(copied) != changed


def test_another_way_to_prepare_photos_is_told_apart_though_the_fingerprint_stays(tiny_llava, copied):
    assert fingerprint_processor(copied) == fingerprint_processor(tiny_llava)
    before = fingerprint_folder(copied)
    path = copied / "preprocessor_config.json"
    path.write_text(path.read_text(encoding="utf-8").replace("0.48", "0.50"), encoding="utf-8")
    assert fingerprint_processor(copied) != fingerprint_processor(tiny_llava)
    assert fingerprint_folder(copied) == before


def test_large_files_are_fingerprinted_by_pieces(copied, monkeypatch):
    monkeypatch.setattr("photopal.vlm.checkpoint._WHOLE_BYTES", 1000)
    monkeypatch.setattr("photopal.vlm.checkpoint._PIECE_BYTES", 1000)
    before = fingerprint_folder(copied)
    assert before == fingerprint_folder(copied)
    weights = copied / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x7f")
    assert fingerprint_folder(copied) != before


def refusal(name, **options):
    with pytest.raises(ModelError) as caught:
        load_model(name, device="cpu", **options)
    assert caught.value.hint
    return caught.value


def test_a_missing_folder_is_said(tmp_path):
    assert "no such model folder" in refusal(tmp_path / "nowhere").message
    assert "no such model folder" in refusal("./nowhere").message
    assert "no such model folder" in refusal("llava").message


def test_a_folder_without_a_model_is_said(tmp_path):
    assert "config.json" in refusal(tmp_path).message


def test_weights_that_could_run_code_are_not_read(copied):
    weights = copied / "model.safetensors"
    torch.save({}, copied / "pytorch_model.bin")
    weights.unlink()
    error = refusal(copied)
    assert "no safetensors weights" in error.message


def test_a_missing_shard_is_named(copied):
    model = LlavaForConditionalGeneration.from_pretrained(copied)
    (copied / "model.safetensors").unlink()
    model.save_pretrained(copied, max_shard_size="40KB")
    shards = sorted(copied.glob("model-*.safetensors"))
    assert len(shards) > 1
    load_model(copied, device="cpu")
    shards[1].unlink()
    assert shards[1].name in refusal(copied).message


def test_a_missing_tensor_is_named(copied):
    from safetensors.torch import load_file, save_file

    tensors = load_file(copied / "model.safetensors")
    name = next(name for name in tensors if "multi_modal_projector" in name)
    del tensors[name]
    save_file(tensors, copied / "model.safetensors", metadata={"format": "pt"})
    assert "1 tensors are missing" in refusal(copied).message


def test_broken_weights_are_said(copied):
    weights = copied / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:500])
    assert "broken or incomplete" in refusal(copied).message


def test_a_large_model_that_was_cut_off_is_said_too(copied, monkeypatch):
    monkeypatch.setattr("photopal.vlm.checkpoint.LARGE_BYTES", 1000)
    weights = copied / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    assert "broken or incomplete" in refusal(copied).message
    # Weights that nothing told of in time, such as a second copy that is cut off.
    monkeypatch.setattr("photopal.vlm.causes._is_whole", lambda path: True)
    assert "broken or incomplete" in refusal(copied).message


def test_a_model_that_brings_its_own_code_is_refused(copied):
    config = json.loads((copied / "config.json").read_text(encoding="utf-8"))
    config["model_type"] = "surprise"
    config["auto_map"] = {
        "AutoConfig": "surprise.Config",
        "AutoModelForImageTextToText": "surprise.Model",
    }
    (copied / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (copied / "surprise.py").write_text("raise SystemExit('ran')", encoding="utf-8")
    assert "code of its own, which photopal never runs" in refusal(copied).message


def test_a_model_without_a_chat_template_is_refused(copied):
    (copied / "chat_template.jinja").unlink()
    assert "no chat template" in refusal(copied).message


def test_a_tokenizer_of_another_model_is_refused(copied, tiny_llava):
    config = json.loads((copied / "tokenizer.json").read_text(encoding="utf-8"))
    config["added_tokens"] += [
        {**config["added_tokens"][0], "id": 420 + extra, "content": f"<extra{extra}>"} for extra in range(60)
    ]
    (copied / "tokenizer.json").write_text(json.dumps(config), encoding="utf-8")
    assert "in the tokenizer" in refusal(copied).message


def test_a_hub_id_that_is_not_cached_is_not_fetched(tmp_path, monkeypatch):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    error = refusal("nobody/nothing-here")
    assert "not on this computer" in error.message
    assert error.hint == "photopal model get nobody/nothing-here"


def test_a_cached_model_is_found_by_its_hub_id(tiny_llava, tmp_path, monkeypatch):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    home = tmp_path / "models--someone--tiny"
    (home / "refs").mkdir(parents=True)
    (home / "refs" / "main").write_text("0" * 40, encoding="utf-8")
    shutil.copytree(tiny_llava, home / "snapshots" / ("0" * 40))
    model = load_model("someone/tiny", device="cpu")
    assert model.name == "someone/tiny"
    assert model.fingerprint == fingerprint_folder(tiny_llava)


def test_downloads_are_switched_off_while_a_model_is_loaded(tiny_llava, monkeypatch):
    offline = []

    def look(*args, **kwargs):
        offline.append(huggingface_hub.constants.HF_HUB_OFFLINE)
        raise OSError("enough")

    monkeypatch.setattr("photopal.vlm.load._load_checkpoint", look)
    before = huggingface_hub.constants.HF_HUB_OFFLINE
    assert "enough" in refusal(tiny_llava).message
    assert offline == [True]
    assert before == huggingface_hub.constants.HF_HUB_OFFLINE


def test_unknown_devices_and_formats_are_refused(tiny_llava):
    with pytest.raises(ModelError, match="device"):
        load_model(tiny_llava, device="abacus")
    with pytest.raises(ModelError, match="invalid dtype"):
        load_model(tiny_llava, device="cpu", dtype="int16")


def test_placeholders_come_without_torch():
    code = "import sys, photopal.vlm.placeholders; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("loaded", KINDS, indirect=True)
def test_the_keys_and_values_of_a_token_take_as_much_as_is_said(loaded):
    encoded = loaded.encode_prompt(ChatPrompt("What is this?", has_image=False))
    past = loaded.encode_prefix(encoded, None, length=5).past
    took = sum(layer.keys[..., :5, :].nbytes + layer.values[..., :5, :].nbytes for layer in past.layers)
    assert took == 5 * loaded.past_bytes_per_token


@pytest.mark.parametrize("dtype", ["int8", "int4"])
def test_fewer_bits_name_the_packages_that_they_need(tiny_llava, dtype, monkeypatch):
    monkeypatch.setattr("photopal.vlm.load.find_spec", lambda name: None)
    with pytest.raises(ModelError, match=f"'{dtype}' needs bitsandbytes and accelerate") as caught:
        load_model(tiny_llava, dtype=dtype)
    assert "photopal[quantized]" in str(caught.value.hint)


@pytest.mark.slow
@pytest.mark.parametrize(("dtype", "least"), [("int8", 0.95), ("int4", 0.6)])
def test_a_model_in_fewer_bits_answers_nearly_the_same_and_learns(tiny_llava, dtype, least):
    for package in ("bitsandbytes", "accelerate"):
        pytest.importorskip(package, reason=f"{package} is not installed")
    model = load_model(tiny_llava, device="cpu", dtype=dtype)
    plain = load_model(tiny_llava, device="cpu", dtype="float32")
    logits = []
    for one in (model, plain):
        [features] = one.encode_photos([Image.linear_gradient("L").convert("RGB")])
        encoded = one.encode_prompt(ChatPrompt("What is this?"), features)
        logits.append(one.run(encoded.ids, encoded.positions, features)[-1].float())
    assert torch.nn.functional.cosine_similarity(*logits, dim=0) > least
    assert model.variant.endswith(dtype)
    rows = ConceptEmbeddings(
        inputs=torch.randn(1, 3, model.hidden_size, requires_grad=True),
        outputs=torch.randn(1, model.hidden_size),
        names=("Anna",),
    )
    prompt = model.encode_prompt(build_prompt("Is <|name:0|> here?", [PromptConcept(2)], has_image=False))
    model.run(prompt.ids, prompt.positions, concepts=rows)[-1].sum().backward()
    assert rows.inputs.grad is not None
    assert rows.inputs.grad.abs().sum() > 0


class WithVideos(ProcessorMixin):
    """A processor that reads a setting of its part for videos when it is made, as MiniCPM-V's does."""

    def __init__(self, image_processor=None, video_processor=None, tokenizer=None):
        super().__init__(image_processor, video_processor, tokenizer)
        self.cuts_videos = self.video_processor.slice_mode


def test_a_processor_that_asks_its_part_for_videos_is_made_without_one(tiny_llava, monkeypatch):
    plain = load_model(tiny_llava, device="cpu")._checkpoint
    monkeypatch.setattr(load.transformers, "WithVideos", WithVideos, raising=False)
    settings = ({"processor_class": "WithVideos"}, {})
    monkeypatch.setattr(ProcessorMixin, "get_processor_dict", lambda *_, **__: settings)
    made = load._load_processor(tiny_llava, plain.config, plain.tokenizer, plain.image_processor)
    assert made.cuts_videos is None
    assert made.image_processor is plain.image_processor


def test_what_a_processor_alone_writes_before_a_text_is_before_every_prompt(tiny_llava, monkeypatch):
    llava = load_model(tiny_llava, device="cpu")

    def processor(text):
        return {"input_ids": [[1, 5]]}

    def tokenizer(text):
        return {"input_ids": [5] if text == "A" else [9]}

    tokenizer.convert_ids_to_tokens = {1: "<s>"}.get
    assert load._prompt_start(processor, tokenizer) == "<s>"
    assert load._prompt_start(lambda text: {"input_ids": [[5]]}, tokenizer) == ""
    assert load._prompt_start(lambda text: {}[text], tokenizer) == ""
    text = llava._coder.render(ChatPrompt("What is this?"))
    monkeypatch.setattr(llava._coder, "_start", "<s>")
    assert llava._coder.render(ChatPrompt("What is this?")) == "<s>" + text.removeprefix("<s>")


def test_a_head_that_belongs_to_the_language_model_inside_is_found():
    head = torch.nn.Linear(2, 3)
    inner = SimpleNamespace(lm_head=head, get_output_embeddings=lambda: head)
    outer = SimpleNamespace(get_output_embeddings=lambda: None, language_model=inner)
    assert output_layer(outer) is head
    assert output_layer(SimpleNamespace(get_output_embeddings=lambda: None)) is None


def test_a_photo_stands_where_the_chat_template_has_it(tiny_gemma3, monkeypatch):
    monkeypatch.setattr(transformers.Gemma3Processor, "image_placeholder_token", "<photo>", raising=False)
    monkeypatch.setattr(load, "find_route", lambda *_: Route(takes_embeddings=False))
    assert load_model(tiny_gemma3, device="cpu")._checkpoint.image_token == "<photo>"


@pytest.mark.parametrize("name", ["get_decoder", "get_output_embeddings"])
def test_a_model_without_the_parts_that_are_needed_is_refused(tiny_llava, monkeypatch, name):
    def refuse(self):
        raise AttributeError("'LlavaForConditionalGeneration' object has no attribute 'decoder'")

    monkeypatch.setattr(LlavaForConditionalGeneration, name, refuse)
    with pytest.raises(ModelError, match=r"tiny-llava: the model cannot be loaded: .*decoder"):
        load_model(tiny_llava, device="cpu")
