"""What was learned of concepts: embeddings, location maps, presence, banks; knows no SQL.

| module | what it does |
| --- | --- |
| `initialize` | makes a concept's embeddings from its reference photos |
| `localize` | location maps: whether a concept is on a photo, and where |
| `calibration` | the threshold of each map |
| `registration` | brings the bank into step with the library |
| `wording` | words for concepts whose embeddings the model cannot read |
| `bank` | the file with all of it |
"""

from photopal.concepts.bank import Bank, BankConcept, load_bank, save_bank
from photopal.concepts.initialize import Reference, RegisterOptions

__all__ = ["Bank", "BankConcept", "Reference", "RegisterOptions", "load_bank", "save_bank"]
