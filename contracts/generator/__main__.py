"""`python -m contracts.generator`: write the contracts that follow from code."""

from __future__ import annotations

from contracts.generator.documents import CONTRACTS, documents

for name, text in documents().items():
    (CONTRACTS / name).write_text(text, encoding="utf-8")
