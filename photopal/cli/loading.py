"""Opens model, bank and assistant for a command, and says why it takes a while; knows no command."""

from __future__ import annotations

import gc
import sys
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, redirect_stdout
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from photopal.cli.context import Session
from photopal.cli.crash import where_to_read
from photopal.errors import ModelError, PhotopalError, in_a_line
from photopal.files import is_there
from photopal.text import count

if TYPE_CHECKING:
    from photopal.assistant.assistant import Assistant
    from photopal.assistant.caption import AssistantParts, RemoteAssistant
    from photopal.assistant.ray_workers import RayCrew
    from photopal.faces import ScanReport
    from photopal.library import ConceptRecord, Library, PhotoRecord
    from photopal.library.models import Face
    from photopal.vlm import VisionModel


_SEARCHED_AT_ONCE = 16


def open_library(session: Session) -> Library:
    """The library to look names up in; an empty one is made where there is none."""
    if is_there(session.settings.library_path):
        return session.library_to_read()
    return session.library_to_write()


def open_model(session: Session) -> tuple[VisionModel, Path]:
    """Load the model of the settings; also where its bank is, written or not.

    Raises:
        ModelError: The model cannot be had or used.
    """
    model = session.model()
    from photopal.assistant.assistant import bank_path_for

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
    from photopal.assistant.assistant import Assistant
    from photopal.assistant.evidence import EvidenceFinder
    from photopal.concepts.registration import FeatureStore, refresh_bank
    from photopal.concepts.wording import put_into_words
    from photopal.instances import ENCODER
    from photopal.vlm.feature_cache import FeatureCache

    store = FeatureStore(model)
    with session.progress("Registering names") as on_progress:
        result = refresh_bank(library, model, path, store=store, on_progress=on_progress)
        bank = put_into_words(library, store, result, path)
    concepts = library.concepts.all()
    warn_of_unregistered(session, concepts, result.failed, known=bank.concepts)
    most_bytes = session.settings.features_mb * 2**20
    cache = FeatureCache(session.settings.features_path, ENCODER, most_bytes=most_bytes)
    finder = EvidenceFinder(library, cache=cache, detect=lambda path: _detect(session, path))
    return Assistant(model, bank, concepts, finder=finder, on_ood_check=session.ood_counter.add)


@contextmanager
def open_crew(session: Session, address: str | None, workers: int | None) -> Iterator[RayCrew | None]:
    """Connect to a Ray cluster, or start one; None where no address is given.

    Raises:
        UsageError: Ray is not installed, or the address or the number of workers cannot be used.
        PhotopalError: There is no cluster.
    """
    if address is None:
        yield None
        return
    # Ray prints on stdout what becomes of its processes, whenever it likes; that is no result.
    session.out.file = sys.stdout
    with ExitStack() as stack:
        stack.enter_context(redirect_stdout(sys.stderr))
        with session.progress("Connecting to Ray"):
            from photopal.assistant.ray_workers import connect

            crew = stack.enter_context(connect(address, count=workers, on_notice=session.warn))
        session.say(f"Captioning with {count(crew.count, 'Ray worker')}.")
        yield crew


def employ_crew(
    session: Session, library: Library, crew: RayCrew, parts: AssistantParts, *, no_faces: bool
) -> RemoteAssistant:
    """Have the workers of a cluster load what an assistant has.

    Args:
        session: The command's.
        library: Tells whether there are people.
        crew: The workers.
        parts: The assistant, whose model was let go here: one of the workers may be on the same GPU.
        no_faces: Do not search photos for faces.

    Raises:
        PhotopalError: A worker cannot do the work.
    """
    import torch

    from photopal.faces import find_model_files

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    settings = session.settings
    has_faces = settings.has_faces and not no_faces and not isinstance(find_model_files(), str)
    with session.progress("Loading the model on the workers"):
        return crew.employ(
            parts,
            model=(settings.model_name_or_path, settings.device, settings.dtype),
            image_tokens=settings.image_tokens,
            finds_faces=has_faces and any(concept.kind == "person" for concept in library.concepts.all()),
            on_ood_check=session.ood_counter.add,
        )


def _detect(session: Session, path: Path) -> Sequence[Face] | None:
    """Find the faces in a photo that is asked about; None where faces are off."""
    from photopal.faces import find_model_files, load_detector

    if not session.settings.has_faces or isinstance(find_model_files(), str):
        return None
    try:
        return load_detector().find_in_file(path)
    except ModelError as error:
        session.warn(str(error))
        return None


def find_faces(
    session: Session, library: Library, *, photos: Iterable[PhotoRecord] | None = None
) -> ScanReport | None:
    """Search photos for faces, those that were not searched yet; None where faces are off.

    They are off by the settings, or where dlib is missing or cannot be loaded, which is no error here.

    Args:
        session: The command's.
        library: Open for writing.
        photos: Only these; all photos of the library when left out.
    """
    from photopal.faces import DETECTOR, ScanReport, find_model_files, load_detector, scan_library

    if not session.settings.has_faces or isinstance(find_model_files(), str):
        return None
    if photos is not None:
        photos = [photo for photo in photos if not library.faces.is_scanned(photo.id, detector=DETECTOR)]
    if photos == [] or not library.faces.counts(detector=DETECTOR)["unscanned"]:
        return ScanReport()
    with session.progress("Finding faces") as on_progress:
        try:
            detector = load_detector()
        except ModelError as error:
            session.warn(str(error))
            return None
        return scan_library(library, detector=detector, photos=photos, on_progress=on_progress)


def with_faces(session: Session, library: Library, photos: Iterable[PhotoRecord]) -> Iterator[PhotoRecord]:
    """Yield photos once they have been searched for faces, a few at a time, so that none waits for all.

    The photos by which people are known are searched first; where nobody has a name, none is searched.
    """
    from photopal.faces import photos_of_people

    if find_faces(session, library, photos=photos_of_people(library)) is None or not any(
        concept.kind == "person" for concept in library.concepts.all()
    ):
        yield from photos
        return
    waiting = iter(photos)
    while some := list(islice(waiting, _SEARCHED_AT_ONCE)):
        find_faces(session, library, photos=some)
        yield from some


def warn_of_unregistered(
    session: Session,
    concepts: Iterable[ConceptRecord],
    failed: Mapping[int, Exception],
    *,
    known: Container[int] = (),
) -> None:
    """Name the concepts that could not be registered, and why; with the file that has a bug's traceback.

    Args:
        session: The command's.
        concepts: Of the library.
        failed: What was raised, by concept id.
        known: Ids of those that are known from earlier photos.
    """
    for concept in concepts:
        if (error := failed.get(concept.id)) is None:
            continue
        so_far = "recognized by its earlier photos only" if concept.id in known else "not recognized"
        words = f"{concept.name} is {so_far}, because it could not be registered: {in_a_line(error)}."
        if not isinstance(error, PhotopalError):
            words += f" {where_to_read(session.report(error, doing=f'registering {concept.name}'))}"
        session.warn(words)
