"""Settings: option, then environment, then config file, then default."""

import os
from pathlib import Path

import pytest

from photopal.config import bundled_model_path, load_settings, save_setting
from photopal.errors import SettingsError


def write_config(home: Path, text: str) -> None:
    home.mkdir(exist_ok=True)
    (home / "config.toml").write_text(text, encoding="utf-8")


def test_everything_lies_in_the_home_folder_by_default(tmp_path):
    settings = load_settings(home=tmp_path, environ={})
    assert settings.library_path == tmp_path / "library.db"
    assert settings.banks_path == tmp_path / "banks"
    assert settings.config_path == tmp_path / "config.toml"
    assert settings.is_bundled_model
    assert settings.model_name_or_path == str(bundled_model_path())
    assert settings.sources["library"] == "default"


def test_the_twin_has_a_folder_of_its_own(tmp_path):
    settings = load_settings(home=tmp_path, model="plain", environ={})
    assert settings.is_own_model
    assert not settings.is_bundled_model
    folder = Path(settings.model_name_or_path)
    assert folder.parts[-3:] == ("photopal", "lab", "plain")
    assert folder.parent.parent == bundled_model_path().parent.parent


def test_without_any_word_the_home_folder_is_the_platforms(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    settings = load_settings(environ={})
    assert settings.home.name == "photopal"
    assert settings.sources["home"] == "default"


def test_a_flag_wins_over_the_environment_over_the_config_file(tmp_path):
    write_config(tmp_path, 'model = "from/config"\ndevice = "cpu"\n')
    from_config = load_settings(home=tmp_path, environ={})
    from_environment = load_settings(home=tmp_path, environ={"PHOTOPAL_MODEL": "from/environment"})
    from_option = load_settings(
        home=tmp_path, model="from/option", environ={"PHOTOPAL_MODEL": "from/environment"}
    )
    assert (from_config.model, from_config.sources["model"]) == ("from/config", "config file")
    assert (from_environment.model, from_environment.sources["model"]) == ("from/environment", "environment")
    assert (from_option.model, from_option.sources["model"]) == ("from/option", "option")


def test_the_home_option_wins_over_photopal_home(tmp_path):
    environ = {"PHOTOPAL_HOME": str(tmp_path / "environment")}
    assert load_settings(environ=environ).home == tmp_path / "environment"
    assert load_settings(home=tmp_path / "option", environ=environ).home == tmp_path / "option"


def test_an_empty_environment_variable_counts_as_unset(tmp_path):
    settings = load_settings(home=tmp_path, environ={"PHOTOPAL_MODEL": "", "PHOTOPAL_DEVICE": ""})
    assert settings.is_bundled_model
    assert settings.device == "auto"


def test_paths_in_the_config_file_are_relative_to_the_home_folder(tmp_path):
    write_config(tmp_path, 'library = "db/photos.db"\nmodel = "./model"\n')
    settings = load_settings(home=tmp_path, environ={})
    assert settings.library_path == tmp_path / "db" / "photos.db"
    assert settings.model == str(tmp_path / "model")


def test_an_unknown_key_is_refused_with_the_nearest_known_one(tmp_path):
    write_config(tmp_path, 'modle = "x"\n')
    with pytest.raises(SettingsError, match="unknown key 'modle'") as caught:
        load_settings(home=tmp_path, environ={})
    assert caught.value.hint == 'Did you mean "model"?'


def test_a_config_file_may_begin_as_windows_notepad_begins_it(tmp_path):
    (tmp_path / "config.toml").write_bytes(b'\xef\xbb\xbfdevice = "cpu"\r\n')
    assert load_settings(home=tmp_path, environ={}).device == "cpu"


@pytest.mark.parametrize("text", ["model = 3\n", 'model = ""\n', "model = \n", "[model]\nname = 'x'\n"])
def test_a_config_file_with_wrong_values_is_refused(tmp_path, text):
    write_config(tmp_path, text)
    with pytest.raises(SettingsError, match=r"config\.toml"):
        load_settings(home=tmp_path, environ={})


def test_an_empty_value_in_the_config_file_is_called_empty(tmp_path):
    write_config(tmp_path, 'model = ""\n')
    with pytest.raises(SettingsError, match="the value of 'model' is empty") as caught:
        load_settings(home=tmp_path, environ={})
    assert caught.value.hint == "Give it a value, or delete the line."


def test_a_config_file_that_is_not_utf8_is_refused(tmp_path):
    (tmp_path / "config.toml").write_bytes(b'model = "\xff"\n')
    with pytest.raises(SettingsError, match="cannot be read"):
        load_settings(home=tmp_path, environ={})


def test_a_config_file_of_another_encoding_is_refused_with_what_to_do(tmp_path):
    (tmp_path / "config.toml").write_bytes('model = "bundled"\n'.encode("utf-16"))
    with pytest.raises(SettingsError, match=r"cannot be read: it is not UTF-8$") as caught:
        load_settings(home=tmp_path, environ={})
    assert caught.value.hint == "Save it as UTF-8."


def test_a_config_file_that_is_a_folder_is_refused(tmp_path):
    (tmp_path / "config.toml").mkdir()
    with pytest.raises(SettingsError, match=r"config\.toml: cannot be read: it is no file$"):
        load_settings(home=tmp_path, environ={})


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
def test_a_config_file_that_is_a_pipe_is_refused(tmp_path):
    os.mkfifo(tmp_path / "config.toml")
    with pytest.raises(SettingsError, match=r"config\.toml: cannot be read: it is no file$"):
        load_settings(home=tmp_path, environ={})


@pytest.mark.parametrize("device", ["auto", "cpu", "mps", "cuda", "cuda:1"])
def test_every_kind_of_device_is_taken(tmp_path, device):
    assert load_settings(home=tmp_path, device=device, environ={}).device == device


def test_an_unknown_device_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="invalid device 'gpu'"):
        load_settings(home=tmp_path, device="gpu", environ={})


def test_how_much_is_kept_of_photos_is_a_number_of_megabytes(tmp_path):
    assert load_settings(home=tmp_path, environ={}).features_mb == 2048
    settings = load_settings(home=tmp_path, environ={"PHOTOPAL_FEATURES_MB": "0"})
    assert (settings.features_mb, settings.features_path) == (0, tmp_path / "features")
    with pytest.raises(SettingsError, match="invalid features_mb '2 GB'"):
        load_settings(home=tmp_path, environ={"PHOTOPAL_FEATURES_MB": "2 GB"})


def test_as_how_many_tokens_a_photo_is_seen_is_a_number(tmp_path):
    assert load_settings(home=tmp_path, environ={}).image_tokens == 1024
    assert load_settings(home=tmp_path, environ={"PHOTOPAL_IMAGE_TOKENS": "0"}).image_tokens == 0
    with pytest.raises(SettingsError, match="invalid image_tokens 'few'"):
        load_settings(home=tmp_path, environ={"PHOTOPAL_IMAGE_TOKENS": "few"})


def test_a_number_in_the_config_file_needs_no_quotes(tmp_path):
    for value in ("1024", '"1024"'):
        write_config(tmp_path, f"features_mb = {value}\n")
        assert load_settings(home=tmp_path, environ={}).features_mb == 1024
    for value in ("true", "1.5", "-1", "[1]"):
        write_config(tmp_path, f"features_mb = {value}\n")
        with pytest.raises(SettingsError, match="features_mb"):
            load_settings(home=tmp_path, environ={})


def test_faces_are_switched_off_in_words_or_as_toml_does(tmp_path):
    assert load_settings(home=tmp_path, environ={}).has_faces
    for value in ("false", '"off"'):
        write_config(tmp_path, f"faces = {value}\n")
        assert not load_settings(home=tmp_path, environ={}).has_faces
    with pytest.raises(SettingsError, match="invalid faces 'maybe'"):
        load_settings(home=tmp_path, environ={"PHOTOPAL_FACES": "maybe"})


def test_sidecars_are_named_as_one_of_two_programs_does(tmp_path):
    assert load_settings(home=tmp_path, environ={}).sidecars == "digikam"
    write_config(tmp_path, 'sidecars = "lightroom"\n')
    assert load_settings(home=tmp_path, environ={}).sidecars == "lightroom"
    with pytest.raises(SettingsError, match="invalid sidecars 'picasa'"):
        load_settings(home=tmp_path, environ={"PHOTOPAL_SIDECARS": "picasa"})


def test_the_number_format_is_chosen_by_environment_and_config(tmp_path):
    assert load_settings(home=tmp_path, environ={}).dtype == "auto"
    write_config(tmp_path, 'dtype = "bfloat16"\n')
    assert load_settings(home=tmp_path, environ={}).dtype == "bfloat16"
    assert load_settings(home=tmp_path, environ={"PHOTOPAL_DTYPE": "float16"}).dtype == "float16"


def test_an_unknown_number_format_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="invalid dtype 'half'"):
        load_settings(home=tmp_path, environ={"PHOTOPAL_DTYPE": "half"})


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", 'model = "a/b"\n'),
        ('# mine\ndevice = "cpu"', '# mine\ndevice = "cpu"\nmodel = "a/b"\n'),
        ('model = "x" # why\ndtype = "auto"\n', 'model = "a/b" # why\ndtype = "auto"\n'),
        ("  model='x'\n", '  model="a/b"\n'),
        ('"model" = "x \\" = y"\n', '"model" = "a/b"\n'),
        ('# model = "y"\nmodel = "x"\n', '# model = "y"\nmodel = "a/b"\n'),
        ('\ufeffmodel = "x"\n', '\ufeffmodel = "a/b"\n'),
        ('\ufeffdevice = "cpu"\n', '\ufeffdevice = "cpu"\nmodel = "a/b"\n'),
    ],
)
def test_a_setting_is_written_and_all_else_in_the_file_stays(tmp_path, old, new):
    write_config(tmp_path, old)
    save_setting(tmp_path / "config.toml", "model", "a/b")
    assert (tmp_path / "config.toml").read_text(encoding="utf-8") == new
    assert load_settings(home=tmp_path, environ={}).model == "a/b"


def test_a_setting_that_stands_there_in_an_odd_way_is_left_to_the_user(tmp_path):
    odd = 'model = """\nx"""\n'
    write_config(tmp_path, odd)
    with pytest.raises(SettingsError, match="model cannot be changed there") as caught:
        save_setting(tmp_path / "config.toml", "model", "a/b")
    assert caught.value.hint == 'Write it yourself: model = "a/b"'
    assert (tmp_path / "config.toml").read_text(encoding="utf-8") == odd


def test_a_config_file_that_is_a_link_stays_one(tmp_path):
    kept = tmp_path / "dotfiles.toml"
    kept.write_text('device = "cpu"\n', encoding="utf-8")
    (tmp_path / "config.toml").symlink_to(kept)
    save_setting(tmp_path / "config.toml", "model", '~/a "quoted" \\ folder')
    assert (tmp_path / "config.toml").is_symlink()
    assert load_settings(home=tmp_path, environ={}).device == "cpu"
    assert load_settings(home=tmp_path, environ={}).model.endswith('/a "quoted" \\ folder')
