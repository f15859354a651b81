"""The watch: hands over photos as they come to rest in folders; knows nothing of what is done with them."""

from photopal.ingest.watch.daemon import watch_folders
from photopal.ingest.watch.options import WatchOptions
from photopal.ingest.watch.outcome import EventKind, WatchEvent, WatchOutcome, WatchReport
from photopal.ingest.watch.signals import stop_on_signals

__all__ = [
    "EventKind",
    "WatchEvent",
    "WatchOptions",
    "WatchOutcome",
    "WatchReport",
    "stop_on_signals",
    "watch_folders",
]
