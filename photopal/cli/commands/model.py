"""`photopal model`: gets vision-language models, lists them, chooses one and removes them."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from photopal.cli.context import session_of
from photopal.cli.output import Listing, show_json, show_line, show_listing
from photopal.errors import ModelError, UsageError
from photopal.files import is_folder

if TYPE_CHECKING:
    from photopal.vlm.hub import DownloadPlan

_LIST = "To see all models, run `photopal model list`."
_ID = "Hugging Face id, such as HuggingFaceTB/SmolVLM-500M-Instruct."


def model() -> None:
    """Download, list, choose and remove vision-language models.

    Examples:
      photopal model get HuggingFaceTB/SmolVLM-500M-Instruct
      photopal model use HuggingFaceTB/SmolVLM-500M-Instruct
      photopal model list
    """


def get(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help=_ID, metavar="ID")],
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Download without asking.")] = False,
) -> None:
    """Download a model from the Hugging Face hub.

    Says first how large the model is, under which license it comes and where it will be, and asks.
    Downloads only what photopal needs: safetensors weights, no second copy of them, no code. The checksum of
    every file is compared with the hub's. A download that was interrupted goes on where it stopped.

    No other command opens a network connection, except `caption --ray` to the cluster you name. This one
    tells the hub the name of the model, the versions of photopal, Python and huggingface_hub, and your access
    token if you saved one with `hf auth login`. Models are kept in the cache that other programs use too, see
    HF_HUB_CACHE.

    Examples:
      photopal model get HuggingFaceTB/SmolVLM-500M-Instruct
      photopal model get llava-hf/llava-1.5-7b-hf --yes
    """
    from photopal.vlm.hub import check_room, download, plan_download

    session = session_of(ctx)
    with session.progress("Asking the hub"):
        plan = plan_download(name)
    # What somebody is asked to agree to is said with --quiet too.
    _describe(plan, session.say if yes else partial(session.warn, style=""))
    check_room(plan)
    if plan.missing_bytes and not yes and not session.confirm("Download it?"):
        session.warn("Nothing was downloaded. Use --yes to download it.", style="")
        return
    if not plan.missing_bytes:
        session.say("Everything is here; checking the files.")
    with session.progress("Downloading", in_bytes=True) as on_progress:
        folder = download(plan, on_progress=on_progress)
    show_line(session.out, str(folder))
    session.say(f"To use it, run `photopal model use {plan.name}`.")


def _describe(plan: DownloadPlan, say: Callable[[str], None]) -> None:
    here = plan.size_bytes - plan.missing_bytes
    rest = f", of which {_size(here)} are here already" if here else ""
    say(f"{plan.name}: {_size(plan.size_bytes)} in {len(plan.files)} files{rest}")
    say(f"License: {plan.license or 'not stated'}; see {plan.url}")
    say(f"Folder: {plan.folder} ({_size(plan.free_bytes)} free)")


def list_(
    ctx: typer.Context,
    *,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the models on this computer.

    Lists the bundled model, the vision-language models in the Hugging Face cache, and the model in use, with
    the size of each.

    Examples:
      photopal model list
      photopal model list --json
    """
    from photopal.config import BUNDLED_MODEL, bundled_model_path
    from photopal.vlm.hub import cached_models

    session = session_of(ctx)
    settings = session.settings
    bundled = bundled_model_path()
    models: list[tuple[str, Path | None, int, str]]
    models = [(BUNDLED_MODEL, bundled, _bytes_in(bundled), "drawn photos only")]
    models += [(found.name, found.folder, found.size_bytes, found.fault or "") for found in cached_models()]
    if settings.model not in [name for name, *_ in models]:
        folder = Path(settings.model_name_or_path).expanduser()
        is_there = is_folder(folder)
        fault = "" if is_there else "not on this computer"
        models.append((settings.model, folder if is_there else None, _bytes_in(folder), fault))
    if json:
        keys = ("name", "folder", "size_bytes", "note", "in_use")
        rows = [(*found, found[0] == settings.model) for found in models]
        show_json(session.out, [dict(zip(keys, row, strict=True)) for row in rows])
        return
    lines = [
        (
            name,
            _size(size_bytes),
            "in use" if name == settings.model else "",
            note,
            "" if folder is None else str(folder),
        )
        for name, folder, size_bytes, note in models
    ]
    show_listing(session.out, Listing(("model", "size", "", "note", "folder"), lines))


def use(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="'bundled', a folder or a Hugging Face id.", metavar="MODEL")],
) -> None:
    """Choose the model that photopal uses from now on.

    Writes it into config.toml in the home folder and leaves everything else in that file as it is. Names are
    registered with the new model from their reference photos when they are next needed; run `photopal tune`
    to tune them. To go back, run `photopal model use bundled`.

    Examples:
      photopal model use HuggingFaceTB/SmolVLM-500M-Instruct
      photopal model use ~/models/some-vlm
      photopal model use bundled
    """
    from photopal.config import OWN_MODELS, expand_home, save_setting
    from photopal.vlm.causes import check_model
    from photopal.vlm.hub import find_cached

    session = session_of(ctx)
    settings = session.settings
    folder = expand_home(name)
    if name in OWN_MODELS:
        chosen = name
    elif is_folder(folder):
        check_model(folder, folder.resolve().name)
        chosen = str(folder.resolve())
    elif name.count("/") == 1 and not name.startswith((".", "~", "/")):
        found = find_cached(name)
        if found is None:
            raise ModelError(
                f"{name}: the model is not on this computer", hint=f"photopal model get {shlex.quote(name)}"
            )
        check_model(found, name)
        chosen = name
    else:
        raise ModelError(
            f"{name}: no such model folder", hint="To see all models, run `photopal model list`."
        )
    save_setting(settings.config_path, "model", chosen)
    session.say(f"photopal now uses {chosen}; written to {settings.config_path}.")
    if chosen not in OWN_MODELS:
        session.say(f"To try it, run `photopal doctor --model {shlex.quote(chosen)}`.")
    source = settings.sources["model"]
    if source in ("option", "environment"):
        where = "--model" if source == "option" else "PHOTOPAL_MODEL"
        session.warn(f"{where} takes precedence over it and says {settings.model}.")


def remove(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help=_ID, metavar="ID")],
    *,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Remove it; without this option, nothing is changed.")
    ] = False,
) -> None:
    """Remove a downloaded model from the Hugging Face cache.

    Other programs on this computer that use the model lose it too. What was learned about names with it is
    kept. Without --yes, only shows what would be removed.

    Examples:
      photopal model remove llava-hf/llava-1.5-7b-hf
      photopal model remove llava-hf/llava-1.5-7b-hf --yes
    """
    from photopal.config import OWN_MODELS, expand_home
    from photopal.vlm.hub import cached_size, remove_cached

    session = session_of(ctx)
    if name in OWN_MODELS or is_folder(expand_home(name)):
        raise UsageError(f"{name}: not a model in the Hugging Face cache", hint=_LIST)
    size_bytes, folder = cached_size(name)
    if name == session.settings.model:
        raise ModelError(
            f"{name} is the model in use", hint="Choose another first: photopal model use bundled"
        )
    if not yes:
        show_line(session.out, f"Would remove {name} ({_size(size_bytes)}) from {folder}")
        session.say("Dry run; nothing was changed. Use --yes to apply.")
        return
    remove_cached(name)
    session.say(f"Removed {name}; {_size(size_bytes)} are free again.")


def _size(size_bytes: int) -> str:
    return f"{size_bytes / 1e9:,.1f} GB" if size_bytes >= 1e9 else f"{size_bytes / 1e6:,.1f} MB"


def _bytes_in(folder: Path) -> int:
    if not is_folder(folder):
        return 0
    return sum(entry.stat().st_size for entry in os.scandir(folder) if entry.is_file())


COMMANDS = (get, list_, use, remove)
