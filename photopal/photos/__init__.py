"""Photos as files on disk: finds, reads, describes and stamps them; knows nothing of libraries or models."""

from photopal.photos.exif import Exif, read_exif
from photopal.photos.find import PHOTO_SUFFIXES, Skipped, find_photos
from photopal.photos.read import MODEL_SIDE_PX, PIXEL_LIMIT, open_photo
from photopal.photos.record import Photo, hash_file, record_photo

__all__ = [
    "MODEL_SIDE_PX",
    "PHOTO_SUFFIXES",
    "PIXEL_LIMIT",
    "Exif",
    "Photo",
    "Skipped",
    "find_photos",
    "hash_file",
    "open_photo",
    "read_exif",
    "record_photo",
]
