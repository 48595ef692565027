"""What the functions' layer holds, as a folder of links into this environment: nothing is built or copied."""

from __future__ import annotations

import re
from importlib.metadata import distribution
from pathlib import Path
from typing import cast

_REQUIREMENTS = Path(__file__).parents[2] / "functions/dependencies/requirements.txt"


def link_dependencies(folder: Path) -> Path:
    """Fill the new folder with the distributions that the functions' requirements.txt pins; return it."""
    folder.mkdir()
    for name in re.findall(r"^([\w.-]+)==", _REQUIREMENTS.read_text(), re.MULTILINE):
        installed = distribution(name)
        for entry in {file.parts[0] for file in installed.files or ()} - {"..", "__pycache__"}:
            (folder / entry).symlink_to(cast("Path", installed.locate_file(entry)))
    return folder
