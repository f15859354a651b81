"""Why concepts are not registered is kept beside the banks, for each model by its name."""

from photopal.library.unregistered import keep_reasons, reasons_kept


def test_reasons_are_kept_for_each_model_until_there_are_none(tmp_path):
    keep_reasons(tmp_path / "1.bank.safetensors", "mini", {1: "away"})
    keep_reasons(tmp_path / "2.bank.safetensors", "llava", {1: "broken"})
    assert reasons_kept(tmp_path, "mini") == {1: "away"}
    keep_reasons(tmp_path / "1.bank.safetensors", "mini", {})
    assert reasons_kept(tmp_path, "mini") == {}
    assert reasons_kept(tmp_path, "llava") == {1: "broken"}


def test_what_another_version_of_a_model_could_not_register_does_not_stay(tmp_path):
    keep_reasons(tmp_path / "1.bank.safetensors", "mini", {1: "away", 2: "away"})
    keep_reasons(tmp_path / "2.bank.safetensors", "mini", {2: "broken"})
    assert reasons_kept(tmp_path, "mini") == {2: "broken"}
    keep_reasons(tmp_path / "3.bank.safetensors", "mini", {})
    assert reasons_kept(tmp_path, "mini") == {}


def test_a_broken_file_of_reasons_is_passed_over(tmp_path):
    for number, text in enumerate(["", "[]", '{"model": "mini"}', '{"model": "mini", "concepts": 3}']):
        (tmp_path / f"{number}.unregistered.json").write_text(text, encoding="ascii")
    assert reasons_kept(tmp_path, "mini") == {}
    keep_reasons(tmp_path / "9.bank.safetensors", "mini", {1: "away"})
    assert reasons_kept(tmp_path, "mini") == {1: "away"}
