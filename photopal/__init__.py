"""photopal: a local photo assistant that knows your people, pets and things by name."""

__version__ = "0.1.0"
