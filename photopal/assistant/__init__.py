"""Captions, searches and answers; this file imports nothing, so that a search does not wait for torch.

| module | what it does |
| --- | --- |
| `assistant` | model, bank and library together: who is on a photo, and where |
| `evidence`, `known` | who is on camera photos; what is known of a photo without the model |
| `captioner`, `caption` | looks at photos and writes captions; the library's part of it, and storing them |
| `caption_in_words` | captions with names by a model that knows none |
| `worker_pool`, `ray_workers` | captioning on several workers that may be lost; as actors of a Ray cluster |
| `ask` | answers questions about given photos, or about the library |
| `find` | searches photos |
| `explanation`, `review` | why a name is there; the names that are least sure, for the user to say |
| `similar` | finds the photos most alike |
| `watcher` | captions photos as they arrive |
| `analysis` | what was found on a photo, and a copy that shows it |
| `date_taken` | reads a date that the user sets |
| `query/` | what questions and searches mean, without a model |
"""
