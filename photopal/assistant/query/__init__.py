"""Questions about the whole library: what they ask for, and answers from what the library knows; no torch.

| module | what it does |
| --- | --- |
| `languages` | turns questions in other languages into English |
| `entities` | finds names, dates, places and cameras in a text |
| `dates`, `daytimes` | reads dates, seasons, holidays and periods; times of day |
| `intents`, `comparisons` | tells what is wanted |
| `criteria` | what a question or a search says, once it is read |
| `reader`, `negations`, `counts` | takes words, exclusions and numbers out of a text, one after the other |
| `parser`, `search_query` | reads a whole question, or a search |
| `lexicon`, `patterns` | word forms; regular expressions |
| `selection`, `exact`, `visual` | finds the photos meant; answers from records, or from captions and pixels |
| `phrasing` | puts the answer into words |
"""
