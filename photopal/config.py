"""Where photopal keeps its files and which model it uses; knows nothing of what is in those files.

This is the only reader of the environment and of the platform's folders, and only the command line imports
it. A value comes from the first of: option, environment, config file, default. Commands may write a setting
into the config file.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import platformdirs

from photopal.errors import SettingsError
from photopal.files import atomic_write, is_file, is_folder, is_there
from photopal.text import suggest

Source = Literal["option", "environment", "config file", "default"]

BUNDLED_MODEL = "bundled"
OWN_MODELS = {BUNDLED_MODEL: "models/mini", "plain": "lab/plain"}
"""Models of photopal's own, for drawn photos, by name; each with its folder beside how they are trained."""

CONFIG_KEYS = (
    "library",
    "banks",
    "model",
    "device",
    "dtype",
    "features_mb",
    "image_tokens",
    "faces",
    "sidecars",
    "pictures",
)
_NUMBER_KEYS = ("features_mb", "image_tokens")
_SWITCH_KEYS = ("faces",)

DTYPES = ("auto", "float32", "bfloat16", "float16", "int8", "int4")
"""Number formats a model can be asked to compute in, or to be kept in."""

PictureProtocol = Literal["kitty", "iterm2", "sixel"]
"""How a terminal is shown a picture."""

PICTURES = ("auto", "kitty", "iterm2", "sixel", "off")
"""How small pictures are shown in the terminal: as its environment tells, by a protocol, or not at all."""

_KITTY_VARIABLES = ("KITTY_WINDOW_ID", "KONSOLE_VERSION", "GHOSTTY_RESOURCES_DIR")
_ITERM2_PROGRAMS = ("iTerm.app", "WezTerm", "mintty", "rio", "WarpTerminal", "Tabby")
_SIXEL_TERMS = re.compile(r"foot|mlterm|contour|yaft|.*sixel")

DEFAULT_FEATURES_MB = 2048
"""How large the feature cache may grow, in MB of 2**20 bytes; 0 disables it."""

DEFAULT_IMAGE_TOKENS = 1024
"""As how many tokens a model may see a photo at most; 0 leaves that to the model."""

SIDECAR_NAMES = ("digikam", "lightroom")
"""How new sidecars are named: photo.jpg.xmp or photo.xmp."""

# Windows Notepad begins a file with it.
_BYTE_ORDER_MARK = "\ufeff"
_DEVICE = re.compile(r"auto|cpu|mps|cuda(:\d+)?")


@dataclass(frozen=True)
class Settings:
    """Every path and choice that holds for one run of the command line."""

    home: Path
    config_path: Path
    library_path: Path
    banks_path: Path
    model: str
    device: str
    dtype: str = "auto"
    features_mb: int = DEFAULT_FEATURES_MB
    image_tokens: int = DEFAULT_IMAGE_TOKENS
    has_faces: bool = True
    sidecars: str = "digikam"
    pictures: str = "auto"
    picture_protocol: PictureProtocol | None = None
    sources: Mapping[str, Source] = field(default_factory=dict)

    @property
    def watches_path(self) -> Path:
        """The folder with the status of running watches."""
        return self.library_path.parent / "watches"

    @property
    def vectors_path(self) -> Path:
        """The folder of photo vectors, which `photopal similar` compares."""
        return self.library_path.parent / "vectors"

    @property
    def features_path(self) -> Path:
        """The folder of the feature cache; it may be removed at any time."""
        return self.library_path.parent / "features"

    @property
    def page_path(self) -> Path:
        """The folder of the page on which `photopal search --open` shows photos; it may be removed."""
        return self.library_path.parent / "page"

    @property
    def review_path(self) -> Path:
        """The picture of what `photopal review` asks about, where the terminal shows none."""
        return self.library_path.parent / "review.jpg"

    @property
    def crashes_path(self) -> Path:
        """The folder of tracebacks of unexpected errors."""
        return self.home / "crashes"

    @property
    def log_path(self) -> Path:
        """The file of what libraries printed in the last run in which they printed anything."""
        return self.home / "photopal.log"

    @property
    def is_bundled_model(self) -> bool:
        """Whether the model is the one that comes with photopal."""
        return self.model == BUNDLED_MODEL

    @property
    def is_own_model(self) -> bool:
        """Whether the model is one of photopal's own, which understand drawn photos only."""
        return self.model in OWN_MODELS

    @property
    def model_name_or_path(self) -> str:
        """The model as a loader wants it: a folder or a Hugging Face id."""
        return str(own_model_path(self.model)) if self.is_own_model else self.model

    @property
    def model_name(self) -> str:
        """The model as it calls itself once it is loaded: its folder's name, or its Hugging Face id."""
        folder = Path(self.model_name_or_path).expanduser()
        return folder.resolve().name if is_folder(folder) else self.model_name_or_path


def own_model_path(name: str) -> Path:
    """The folder of one of photopal's own models."""
    return Path(__file__).parent / OWN_MODELS[name]


def bundled_model_path() -> Path:
    """The folder of the model that comes with photopal."""
    return own_model_path(BUNDLED_MODEL)


def load_settings(
    *,
    home: Path | None = None,
    model: str | None = None,
    device: str | None = None,
    environ: Mapping[str, str] | None = None,
) -> Settings:
    """Settle every setting from options, environment, config file and defaults.

    Args:
        home: The `--home` option; the folder of library, banks and config file.
        model: The `--model` option; `bundled`, `plain`, a folder or a Hugging Face id.
        device: The `--device` option; `auto`, `cpu`, `mps`, `cuda` or `cuda:N`.
        environ: The environment; the process's own when left out.

    Raises:
        SettingsError: The config file cannot be read, holds an unknown key or a wrong value.
    """
    environ = os.environ if environ is None else environ
    home_source, home_path = _settle_home(home, environ)
    config_path = home_path / "config.toml"
    config = _read_config(config_path)
    sources: dict[str, Source] = {"home": home_source}

    def settle(key: str, option: str | None, default: str) -> str:
        candidates: tuple[tuple[Source, str | None], ...] = (
            ("option", option),
            ("environment", environ.get(f"PHOTOPAL_{key.upper()}")),
            ("config file", config.get(key)),
        )
        source, value = next(((source, value) for source, value in candidates if value), ("default", default))
        sources[key] = source
        return value

    settled_model = settle("model", model, BUNDLED_MODEL)
    if settled_model.startswith(("~", "./", "../")):
        base = home_path if sources["model"] == "config file" else Path.cwd()
        settled_model = str(_absolute(settled_model, base))
    settled_device, settled_dtype = settle("device", device, "auto"), settle("dtype", None, "auto")
    if not _DEVICE.fullmatch(settled_device):
        raise SettingsError(f"invalid device {settled_device!r}", hint="Use auto, cpu, mps, cuda or cuda:0.")
    if settled_dtype not in DTYPES:
        raise SettingsError(f"invalid dtype {settled_dtype!r}", hint=f"Use one of {', '.join(DTYPES)}.")
    settled_sidecars = settle("sidecars", None, "digikam")
    if settled_sidecars not in SIDECAR_NAMES:
        raise SettingsError(
            f"invalid sidecars {settled_sidecars!r}", hint=f"Use {' or '.join(SIDECAR_NAMES)}."
        )
    settled_pictures = settle("pictures", None, "auto")
    if settled_pictures not in PICTURES:
        raise SettingsError(
            f"invalid pictures {settled_pictures!r}", hint=f"Use one of {', '.join(PICTURES)}."
        )
    return Settings(
        home=home_path,
        config_path=config_path,
        library_path=_absolute(settle("library", None, "library.db"), home_path),
        banks_path=_absolute(settle("banks", None, "banks"), home_path),
        model=settled_model,
        device=settled_device,
        dtype=settled_dtype,
        features_mb=_checked_number(
            "features_mb",
            settle("features_mb", None, str(DEFAULT_FEATURES_MB)),
            hint="Use a whole number of megabytes such as 2048, or 0 to disable the cache.",
        ),
        image_tokens=_checked_number(
            "image_tokens",
            settle("image_tokens", None, str(DEFAULT_IMAGE_TOKENS)),
            hint="Use a whole number such as 1024, or 0 to let the model decide.",
        ),
        sidecars=settled_sidecars,
        has_faces=_checked_switch("faces", settle("faces", None, "on")),
        pictures=settled_pictures,
        picture_protocol=_find_protocol(environ, settled_pictures),
        sources=sources,
    )


def save_setting(path: Path, key: str, value: str) -> None:
    """Write one setting into the config file, which is made where there is none; all else in it stays.

    Args:
        path: The config file.
        key: One of `CONFIG_KEYS`.
        value: Its new value.

    Raises:
        SettingsError: The file cannot be read or written, or the key stands in it in a way that only a person
            can change.
    """
    table = _read_config(path)
    # A string of JSON is one of TOML, but for DEL, which no path and no name has.
    line = f"{key} = {json.dumps(value, ensure_ascii=False)}"
    try:
        old = path.read_bytes().decode() if path.exists() else ""
        mark = _BYTE_ORDER_MARK if old.startswith(_BYTE_ORDER_MARK) else ""
        old = old.removeprefix(mark)
        end = "\r\n" if "\r\n" in old else "\n"
        new = f"{old}{'' if not old or old.endswith(end) else end}{line}{end}"
        if key in table:
            # The value alone, so that a comment behind it stays.
            pattern = rf"""^([ \t]*["']?{key}["']?[ \t]*=[ \t]*)("(?:[^"\\\n]|\\.)*"|'[^'\n]*'|\w+)"""
            quoted = line.partition(" = ")[2]
            new = re.sub(pattern, lambda match: f"{match[1]}{quoted}", old, count=1, flags=re.MULTILINE)
        if not _says(new, {**tomllib.loads(old), key: value}):
            raise SettingsError(f"{path}: {key} cannot be changed there", hint=f"Write it yourself: {line}")
        # A config file is often a link to one that is kept elsewhere.
        target = path.resolve()
        target.parent.mkdir(parents=True, exist_ok=True)
        atomic_write(target, mark + new)
    except (OSError, UnicodeEncodeError) as error:
        raise SettingsError(f"{path}: cannot be written: {error}") from error


def _says(text: str, table: Mapping[str, object]) -> bool:
    try:
        return tomllib.loads(text) == table
    except tomllib.TOMLDecodeError:
        return False


def _find_protocol(environ: Mapping[str, str], wanted: str) -> PictureProtocol | None:
    """How the terminal of an environment shows pictures; None where it does not, as far as is known.

    To ask the terminal would take time and might swallow what the user types. Inside tmux and screen pictures
    need settings that cannot be seen from here.
    """
    if wanted in ("kitty", "iterm2", "sixel"):
        return wanted  # type: ignore[return-value]
    term, program = environ.get("TERM", ""), environ.get("TERM_PROGRAM", "")
    is_inside = environ.get("TMUX") or environ.get("STY")
    if wanted == "off" or term in ("", "dumb") or is_inside or environ.get("NO_COLOR"):
        return None
    if any(map(environ.get, _KITTY_VARIABLES)) or re.search("kitty|ghostty", f"{term} {program}"):
        return "kitty"
    if program in _ITERM2_PROGRAMS or environ.get("LC_TERMINAL") == "iTerm2":
        return "iterm2"
    return "sixel" if _SIXEL_TERMS.match(term) else None


def _settle_home(option: Path | None, environ: Mapping[str, str]) -> tuple[Source, Path]:
    if option is not None:
        return "option", _absolute(str(option), Path.cwd())
    if named := environ.get("PHOTOPAL_HOME"):
        return "environment", _absolute(named, Path.cwd())
    return "default", platformdirs.user_data_path("photopal", appauthor=False)


def expand_home(path: str | Path) -> Path:
    """A path with the home folder in the place of `~`.

    Raises:
        SettingsError: It begins with the name of a user whom this machine does not know.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise SettingsError(f"{path}: unknown home folder", hint="Write the path in full.") from error


def _absolute(path: str, base: Path) -> Path:
    return Path(os.path.normpath(base / expand_home(path)))


def _checked_number(key: str, text: str, *, hint: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise SettingsError(f"invalid {key} {text!r}", hint=hint)
    return int(text)


def _checked_switch(key: str, text: str) -> bool:
    if text not in ("on", "off"):
        raise SettingsError(f"invalid {key} {text!r}", hint="Use on or off.")
    return text == "on"


def _config_text(path: Path) -> str:
    """Return what the config file holds; nothing where there is none."""
    # A pipe would never end.
    if is_there(path) and not is_file(path):
        raise SettingsError(f"{path}: cannot be read: it is no file")
    try:
        return path.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        # As some editors on Windows save it.
        raise SettingsError(f"{path}: cannot be read: it is not UTF-8", hint="Save it as UTF-8.") from error


def _read_config(path: Path) -> dict[str, str]:
    try:
        table = tomllib.loads(_config_text(path))
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: not valid TOML: {error}") from error
    for key, value in table.items():
        if key not in CONFIG_KEYS:
            known = f"Known keys are {', '.join(CONFIG_KEYS)}."
            raise SettingsError(f"{path}: unknown key {key!r}", hint=suggest(key, CONFIG_KEYS) or known)
        if key in _NUMBER_KEYS and type(value) is int:
            table[key] = value = str(value)
        if key in _SWITCH_KEYS and type(value) is bool:
            table[key] = value = "on" if value else "off"
        if value == "":
            raise SettingsError(
                f"{path}: the value of {key!r} is empty", hint="Give it a value, or delete the line."
            )
        if not isinstance(value, str):
            raise SettingsError(
                f"{path}: the value of {key!r} is not a string",
                hint=f'Put it in quotes: {key} = "..."',
            )
    return table
