"""`make texts`: write every text that people read as it is now, for a review to see what changed."""

from __future__ import annotations

from tests.texts.catalogue import SNAPSHOTS, catalogue

if __name__ == "__main__":
    SNAPSHOTS.mkdir(exist_ok=True)
    texts = catalogue()
    for path in SNAPSHOTS.iterdir():
        if path.name not in texts:
            path.unlink()
    for name, text in texts.items():
        (SNAPSHOTS / name).write_text(text, encoding="utf-8")
