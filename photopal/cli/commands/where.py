"""`photopal where`: shows all paths and settings in use, and where each comes from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from photopal.cli.context import session_of
from photopal.cli.output import Listing, show_json, show_listing


def where(
    ctx: typer.Context,
    *,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show all paths and settings in use, and where each comes from.

    Each comes from an option, the environment, the config file or a default. The config file is
    config.toml in the home folder. It can set library, banks, model, device, dtype (the number format of
    the model: auto, float32, bfloat16, float16, int8 or int4), features_mb (the maximum size of the feature
    cache in megabytes; 0 disables it), image_tokens (how many tokens a model may see a photo as; 0 lets the
    model decide), faces (on or off: whether photos are searched for faces when needed), sidecars (digikam or
    lightroom: whether new sidecars are called photo.jpg.xmp or photo.xmp) and pictures (auto, kitty, iterm2,
    sixel or off: how small pictures are shown in the terminal).

    Examples:
      photopal where
      photopal where --json
    """
    # The module of what is in this folder, `vlm.hub`, takes a second to import.
    from huggingface_hub import constants

    session = session_of(ctx)
    settings = session.settings
    values = {
        "home": str(settings.home),
        "config": str(settings.config_path),
        "library": str(settings.library_path),
        "banks": str(settings.banks_path),
        "watches": str(settings.watches_path),
        "vectors": str(settings.vectors_path),
        "features": str(settings.features_path),
        "models": str(Path(constants.HF_HUB_CACHE).expanduser()),
        "page": str(settings.page_path),
        "review": str(settings.review_path),
        "crashes": str(settings.crashes_path),
        "log": str(settings.log_path),
        "features_mb": str(settings.features_mb),
        "image_tokens": str(settings.image_tokens),
        "sidecars": settings.sidecars,
        "faces": "on" if settings.has_faces else "off",
        "pictures": settings.pictures,
        "model": settings.model_name_or_path,
        "device": settings.device,
        "dtype": settings.dtype,
    }
    if json:
        show_json(session.out, values)
        return
    rows = [(name, value, settings.sources.get(name, "")) for name, value in values.items()]
    show_listing(session.out, Listing(("what", "value", "source"), rows, has_header=False))
