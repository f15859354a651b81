"""Questions about the whole library: what they ask for, and answers from what the library knows; no torch.

| module | what it does |
| --- | --- |
| `languages` | turns questions in other languages into English |
| `entities` | finds names, dates, places and cameras in a text |
| `dates` | reads dates, seasons, holidays and periods |
| `intents`, `comparisons` | tells what is wanted |
| `parser`, `search_query` | reads a whole question, or a search |
| `lexicon`, `patterns` | word forms; regular expressions |
| `selection`, `exact`, `visual` | finds the photos meant; answers from records, or from captions and pixels |
| `phrasing` | puts the answer into words |
"""
