"""Photos as files on disk: finds, reads, describes and stamps them; knows nothing of libraries or models.

| module | what it does |
| --- | --- |
| `discover`, `exclude` | finds photo files, by suffix, and leaves out what is not wanted |
| `decode`, `prefetch`, `decoder_log` | pixels of a photo; many in order, on threads; what decoders print |
| `raw`, `turns` | previews of RAW files; orientation |
| `metadata` | the fields known of a photo and which source wins |
| `exif`, `xmp`, `iptc`, `embedded`, `sidecars`, `picasa` | reads one source of metadata each |
| `sidecar_words`, `xmp_edit` | what photopal writes into sidecars; edits XMP without touching the rest |
| `dates` | dates in metadata, file names and folder names |
| `photo`, `picture`, `phash` | a photo's record; the hash of its pixels' bytes; the perceptual hash |
| `geocode` | names of places |
"""

from photopal.photos.decode import MODEL_SIDE_PX, PIXEL_LIMIT, open_photo
from photopal.photos.discover import PHOTO_SUFFIXES, Skipped, find_photos, is_photo_named
from photopal.photos.exif import Exif, read_exif
from photopal.photos.phash import bits_apart, phash_of
from photopal.photos.photo import Fingerprint, Photo, fingerprint_file, hash_bytes_of, hash_file, record_photo

__all__ = [
    "MODEL_SIDE_PX",
    "PHOTO_SUFFIXES",
    "PIXEL_LIMIT",
    "Exif",
    "Fingerprint",
    "Photo",
    "Skipped",
    "bits_apart",
    "find_photos",
    "fingerprint_file",
    "hash_bytes_of",
    "hash_file",
    "is_photo_named",
    "open_photo",
    "phash_of",
    "read_exif",
    "record_photo",
]
