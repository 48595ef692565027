"""How a small program of the supervisor's own is started: one that begins with each command, so has to begin at once.

It's a module with a function `main`, which takes the arguments and returns the exit status, and which imports as little
of the standard library as will do. Run as a script it would be compiled each time; imported, it has its bytecode. It
sees none of the variables, folders and installed packages that Python otherwise looks at (-I, -S).
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

# The module's folder comes last: nothing in it stands for a module of the standard library.
_RUN = (
    "import sys; folder, _, file = sys.argv.pop(1).rpartition('/'); sys.path.append(folder); "
    "sys.exit(__import__(file.removesuffix('.py')).main(sys.argv[1:]))"
)


def small_program(module: ModuleType) -> tuple[str, ...]:
    """Return the arguments that run the module; its own come after them."""
    return (sys.executable, "-I", "-S", "-c", _RUN, str(module.__file__))
