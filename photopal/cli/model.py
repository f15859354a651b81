"""Opens model, bank and assistant for a command, and says why it takes a while; knows no command."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from photopal.cli.session import Session

if TYPE_CHECKING:
    from photopal.answers.assistant import Assistant
    from photopal.library import Library
    from photopal.vision import VisionModel


def open_library(session: Session) -> Library:
    """The library to look names up in; an empty one is made where there is none."""
    if session.settings.library_path.exists():
        return session.library_to_read()
    return session.library_to_write()


def open_model(session: Session) -> tuple[VisionModel, Path]:
    """Load the model of the settings; also where its bank is, written or not.

    Raises:
        ModelError: The model cannot be had or used.
    """
    model = session.model()
    from photopal.answers.assistant import bank_path_for

    return model, bank_path_for(session.settings.banks_path, model.fingerprint)


def open_assistant(session: Session, library: Library) -> Assistant:
    """Load the model, bring its bank in step with the library, and put both together.

    Raises:
        ModelError: The model cannot be had or used.
        BankError: The bank cannot be written.
    """
    model, path = open_model(session)
    return assistant_of(session, library, model=model, path=path)


def assistant_of(session: Session, library: Library, *, model: VisionModel, path: Path) -> Assistant:
    """Bring the bank of a loaded model in step with the library and make an assistant of both.

    Raises:
        BankError: The bank cannot be written.
    """
    from photopal.answers.assistant import Assistant
    from photopal.concepts.enroll import refresh_bank

    with session.progress("Getting to know names") as on_progress:
        bank = refresh_bank(library, model, path, on_progress=on_progress).bank
    concepts = library.concepts()
    for concept in concepts:
        if concept.id not in bank.concepts:
            session.warn(f"{concept.name} has no photo that can be read, and is not looked for.")
    return Assistant(model, bank, concepts)
