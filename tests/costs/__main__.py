"""`python -m tests.costs`: write docs/costs.md."""

from __future__ import annotations

from tests.costs.document import PATH, document

PATH.write_text(document(), encoding="utf-8")
