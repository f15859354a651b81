"""`photopal doctor`: checks what photopal needs on this machine and says what to do about gaps."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from photopal.cli.context import Session, session_of
from photopal.cli.output import Listing, show_json, show_listing
from photopal.errors import ExitCode, PhotopalError
from photopal.files import is_folder, is_there

if TYPE_CHECKING:
    import torch

    from photopal.config import Settings

_LOW_DISK_BYTES = 1_000_000_000


@dataclass(frozen=True)
class Check:
    """One finding: what was looked at, how it is, and in which words."""

    what: str
    state: Literal["ok", "note", "fault"]
    words: str


def doctor(
    ctx: typer.Context,
    *,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check that everything photopal needs is installed and working.

    Checks Python, packages, photo formats, faces, pets and things, home folder, disk space, library, model
    and device. With --model, also loads that model and asks it a question about a drawn photo. Exits with
    code 1 if there is a fault.

    Examples:
      photopal doctor
      photopal doctor --json
      photopal doctor --model HuggingFaceTB/SmolVLM-500M-Instruct
    """
    session = session_of(ctx)
    with session.progress("Checking"):
        checks = list(examine(session))
    if json:
        show_json(session.out, [asdict(check) for check in checks])
    else:
        rows = [(check.what, check.state, check.words) for check in checks]
        show_listing(session.out, Listing(("what", "state", "finding"), rows))
    if any(check.state == "fault" for check in checks):
        raise typer.Exit(ExitCode.ERROR)


def examine(session: Session) -> Iterator[Check]:
    """Look at one thing after another; a check that fails does not stop the next."""
    yield _check_python()
    yield from _check_packages()
    yield _check_formats()
    yield _check_instances()
    settings = session.settings
    yield _check_faces(settings)
    checks: tuple[tuple[str, Callable[[], Check]], ...] = (
        ("home", lambda: _check_home(settings.home)),
        ("disk", lambda: _check_disk(settings.home)),
        ("library", lambda: _check_library(session)),
        ("model", lambda: _check_model(settings)),
        ("device", lambda: _check_device(settings.device)),
    )
    states = {}
    for what, check in checks:
        found = _guarded(what, check)
        states[what] = found.state
        yield found
    if settings.sources["model"] == "option" and states["model"] == "ok":
        yield _guarded("answer", lambda: _try_model(settings))


def _guarded(what: str, check: Callable[[], Check]) -> Check:
    try:
        return check()
    except PhotopalError as error:
        return Check(what, "fault", f"{error}. {error.hint}" if error.hint else str(error))
    except OSError as error:
        return Check(what, "fault", str(error))


def _check_python() -> Check:
    import platform

    words = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    return Check("python", "ok" if sys.version_info >= (3, 11) else "fault", words)


def _check_packages() -> Iterator[Check]:
    from photopal.cli.versions import required_packages

    for package in required_packages():
        name, version = package.requirement.name, str(package.installed)
        tested = ", ".join(map(str, package.tested))
        if package.installed is None:
            yield Check(name, "fault", "not installed; reinstall photopal with pip")
        elif not package.is_in_range:
            yield Check(name, "note", f"{version}; photopal requires {package.requirement.specifier}")
        elif not package.is_tested:
            yield Check(name, "note", f"{version}; not tested with photopal (tested: {tested})")
        else:
            yield Check(name, "ok", version)


def _check_formats() -> Check:
    import importlib.util

    from PIL import features

    wanted = {"JPEG": "jpg", "WebP": "webp", "AVIF": "avif"}
    lacking = [name for name, feature in wanted.items() if not features.check(feature)]
    if importlib.util.find_spec("pillow_heif") is None:
        lacking.append("HEIC")
    if lacking:
        return Check("photo formats", "note", f"this Pillow cannot read {', '.join(lacking)}")
    if importlib.util.find_spec("rawpy") is None:
        words = 'JPEG, PNG, WebP, TIFF, GIF, BMP, HEIC and AVIF; RAW with: pip install "photopal[raw]"'
        return Check("photo formats", "ok", words)
    return Check("photo formats", "ok", "JPEG, PNG, WebP, TIFF, GIF, BMP, HEIC, AVIF and RAW")


def _check_faces(settings: Settings) -> Check:
    from photopal.faces import find_model_files

    if not settings.has_faces:
        return Check("faces", "note", f"off: set by the {settings.sources['faces']}")

    files = find_model_files()
    if isinstance(files, str):
        return Check("faces", "note", f"off: {files}")
    try:
        import dlib
    except ImportError as error:
        return Check("faces", "note", f"off: dlib cannot be loaded: {error}")
    return Check("faces", "ok", f"found and compared with dlib {dlib.__version__}")


def _check_instances() -> Check:
    """Whether pets and things can be recognized on camera photos by how they look."""
    from photopal.instances.weights import PACKAGE, weights_path

    if weights_path() is None:
        return Check("pets and things", "note", f"off: {PACKAGE.replace('_', '-')} is not installed")
    return Check("pets and things", "ok", "told apart with EfficientNet-Lite0")


def _check_home(home: Path) -> Check:
    existing = _nearest_existing(home)
    if not is_folder(existing) or not os.access(existing, os.W_OK):
        return Check("home", "fault", f"{existing}: not writable; choose another home with --home")
    if not is_there(home):
        return Check("home", "note", f"{home} will be created when needed")
    return Check("home", "ok", str(home))


def _check_disk(home: Path) -> Check:
    import shutil

    free_bytes = shutil.disk_usage(_nearest_existing(home)).free
    return Check("disk", "note" if free_bytes < _LOW_DISK_BYTES else "ok", f"{free_bytes / 1e9:.1f} GB free")


def _check_library(session: Session) -> Check:
    if not is_there(session.settings.library_path):
        return Check("library", "note", "none yet; create it with `photopal index FOLDER`")
    with session.library_to_read() as library:
        counts = library.counts()
    return Check("library", "ok", f"{counts['photos']:,} photos, {counts['concepts']:,} names")


def _check_model(settings: Settings) -> Check:
    from photopal.vlm.causes import check_model, weight_files
    from photopal.vlm.hub import find_cached

    folder: Path | None = Path(settings.model_name_or_path).expanduser()
    if folder is not None and not is_folder(folder):
        if settings.is_own_model:
            return Check("model", "fault", f"the {settings.model} model is missing; reinstall photopal")
        folder = find_cached(settings.model)
    if folder is None:
        words = f"{settings.model}: not on this computer; to list those that are, run `photopal model list`"
        return Check("model", "fault", words)
    check_model(folder, settings.model_name)
    size_bytes = sum(file.stat().st_size for file in weight_files(folder))
    note = "; for drawn photos only, not camera photos" if settings.is_own_model else ""
    return Check("model", "ok", f"{settings.model}, {size_bytes / 1e6:.0f} MB{note}")


_QUESTION = "What is in this photo?"


def _try_model(settings: Settings) -> Check:
    """Load the model and ask it about a drawn photo; whether the answer is right is for the user to see."""
    import random
    from time import perf_counter

    from photopal.lab.synthetic.drawing import draw_photo
    from photopal.lab.synthetic.scene import plan_scene
    from photopal.vlm import ChatPrompt, load_model
    from photopal.vlm.causes import explain

    start = perf_counter()
    model = load_model(
        settings.model_name_or_path,
        device=settings.device,
        dtype=settings.dtype,
        image_tokens=settings.image_tokens,
    )
    loaded = perf_counter()
    image = draw_photo(plan_scene([], random.Random(0), bystanders=2), size_px=336).image
    try:
        features = model.encode_photos([image])[0]
        encoded = model.encode_prompt(ChatPrompt(_QUESTION), features)
        answer = " ".join(model.generate(encoded, features, max_new_tokens=40).split())
    except (RuntimeError, ImportError, MemoryError) as error:
        raise explain(error, model.name) from error
    seconds = perf_counter() - loaded
    words = (
        f"loaded in {loaded - start:.1f} s on {model.device} in {str(model.dtype).removeprefix('torch.')}, "
        f"{model.weight_bytes / 1e6:,.0f} MB of weights{_peak_memory(model.device)}; "
    )
    if not answer:
        return Check("answer", "fault", f"{words}no answer to {_QUESTION!r} about a drawn photo")
    return Check(
        "answer", "ok", f"{words}asked {_QUESTION!r} about a drawn photo: {answer!r} in {seconds:.1f} s"
    )


def _peak_memory(device: torch.device) -> str:
    """The most memory that was held so far, on the device or by the whole process, where that is known."""
    import math

    import torch

    from photopal.lab.camera import peak_memory_mb

    if device.type == "cuda":
        return f", at most {torch.cuda.max_memory_allocated(device) / 1e6:,.0f} MB of GPU memory"
    megabytes = peak_memory_mb()
    return "" if math.isnan(megabytes) else f", at most {megabytes:,.0f} MB of memory for the whole program"


def _check_device(device: str) -> Check:
    import torch

    numbers = range(torch.cuda.device_count())
    devices = ["cpu", *(f"cuda:{number} ({torch.cuda.get_device_name(number)})" for number in numbers)]
    if torch.backends.mps.is_available():
        devices.append("mps")
    is_there = device == "auto" or any(known.startswith(device) for known in devices)
    return Check(
        "device", "ok" if is_there else "fault", f"{device} requested; available: {', '.join(devices)}"
    )


def _nearest_existing(path: Path) -> Path:
    return next(folder for folder in (path, *path.parents) if is_there(folder))
