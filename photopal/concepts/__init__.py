"""What was learned of concepts: embeddings, location maps, presence, banks; knows no SQL and no words."""

from photopal.concepts.bank import Bank, BankConcept, load_bank, save_bank
from photopal.concepts.initialize import Reference, RegisterOptions

__all__ = ["Bank", "BankConcept", "Reference", "RegisterOptions", "load_bank", "save_bank"]
