"""Brings what lies in folders into the library.

| module | what it does |
| --- | --- |
| `indexer`, `reader` | reads new and changed files and records them |
| `missing` | marks what is gone, unless a drive is only offline |
| `sync` | keeps the library in step with a watched folder |
| `references` | finds the photos, boxes and masks for a new name |
| `duplicates` | finds copies, photos alike and bursts |
| `watch/` | notices files as they arrive |
"""
