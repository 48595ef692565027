"""What to do about a command that has failed, told from what it wrote last.

Each rule knows the words of some programs. A failure that none knows gets no advice: its output says more than a guess.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cloud_agent_runner.preview.app_failures import APP_RULES, HOST_RULES
from cloud_agent_runner.preview.debian_packages import debian_package

if TYPE_CHECKING:
    from collections.abc import Callable

_URL = re.compile(r"https?://([\w.-]+)|(?:resolve host:|ENOTFOUND|EAI_AGAIN|retrying|host=)\s*'?([\w-]+(?:\.[\w-]+)+)")
# The toolchains that a version file can name, by the programs that are missing without one.
_TOOLCHAINS = {
    **dict.fromkeys(("bundle", "gem", "rails", "ruby"), "ruby"),
    **dict.fromkeys(("cargo", "rustc"), "rust"),
    **{name: name for name in ("deno", "go", "java")},
}
_CONTAINER_ENGINES = frozenset({"docker", "docker-compose", "podman"})
_LOCK_FILE = "`{}` doesn't match the project. Run `{}` and commit the file."


def remedy(output: str) -> str:
    """Return what is missing or wrong and the one thing to do about it; nothing where that isn't known."""
    for advice, patterns in _RULES:
        for pattern in patterns:
            if found := re.search(pattern, output, re.MULTILINE):
                what = "".join(found.groups())
                return advice.format(what, host=_host(found)) if isinstance(advice, str) else advice(what)
    return ""


def _host(found: re.Match[str]) -> str:
    """Return the host that a line is about: one that it names, else the last before it, else the first after it."""
    text = found.string
    begin, end = text.rfind("\n", 0, found.start()) + 1, text.find("\n", found.end())
    line = text[begin : end if end >= 0 else None]
    after, before, here = (list(_URL.finditer(part)) for part in (text[found.end() :], text[:begin], line))
    named = here or before or after[:1]
    return (named[-1][1] or named[-1][2]) if named else "a host on the network"


def _system_package(what: str) -> str:
    package = debian_package(what)
    missing = f"Debian's `{package}` is missing" if package else f"`{what}` is missing, which a package of Debian has"
    return f"{missing}, and only root can install it. Add it to an agent image of your own."


_COMPILER = (
    "A dependency has to be compiled, and the agent image has no C compiler. Use an image that's built with "
    "`COMPILERS`, or a version of the dependency that comes prebuilt."
)
# Those that the agent's image has, unless it was built without them.
_COMPILERS = frozenset({"c++", "cc", "g++", "gcc", "ld"})


def _program(name: str) -> str:
    if name in _COMPILERS:
        return _COMPILER
    if tool := _TOOLCHAINS.get(name):
        return f"`{name}` isn't installed. Name a version of `{tool}` in `.tool-versions` or `mise.toml`."
    if debian_package(name):
        return _system_package(name)
    if name in _CONTAINER_ENGINES:
        return "A session has no container engine. Set `dev` to a command that starts the app without one."
    return f"`{name}` isn't installed. Install it in the `install` command, or in an agent image of your own."


# The first that applies counts: a failure of the network explains what else is missing.
_RULES: tuple[tuple[str | Callable[[str], str], tuple[str, ...]], ...] = (
    (
        (
            "The certificate of {host} comes from an authority that the image doesn't trust, such as a company's "
            "proxy. Add the authority to an agent image of your own."
        ),
        (
            r"self[- ]signed certificate",
            r"(?:SELF_SIGNED_CERT|UNABLE_TO_GET_ISSUER_CERT|CERTIFICATE_VERIFY_FAILED)",
            r"unable to get local issuer certificate",
            r"invalid peer certificate",
            r"SSL certificate problem",
        ),
    ),
    (
        "The egress proxy refuses {host}. Add the name to the deployment's `AgentEgressDomains`.",
        (
            r"CONNECT tunnel failed, response 403",
            r"tunneling socket could not be established, statusCode=403",
            r"tunnel error: unsuccessful",
            r"Tunnel connection failed: 403",
        ),
    ),
    *HOST_RULES,
    (
        "The session can't reach {host}. Check the deployment's `AgentEgress`.",
        (
            r"\b(?:ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ENETUNREACH)\b",
            r"Could not resolve host",
            r"(?:Temporary failure in name resolution|Name or service not known|failed to lookup address)",
        ),
    ),
    (
        _COMPILER,
        (
            r"(?:command|execute) '\S*(?:cc|[gc]\+\+)'(?: failed)?: No such file or directory",  # setuptools
            r"No such file or directory: '\S*(?:cc|[gc]\+\+)'",  # setuptools, the later ones
            r"(?:Unknown compiler\(s\)|No CMAKE_CX*_COMPILER could be found)",  # Meson, CMake
            r"no acceptable C compiler found",  # autoconf
            r"^make(?:\[\d+\])?: \S*(?:cc|[gc]\+\+): No such file or directory",  # node-gyp
            r"You have to install development tools first",  # mkmf
            r"linker `\S*cc` not found",  # rustc
            r'C compiler "\S+" not found',  # cgo
        ),
    ),
    (
        _system_package,
        (
            r"fatal error: ([\w./-]+\.h): No such file or directory",
            r"cannot find -l([\w-]+)",
            r"error while loading shared libraries: ([\w.+-]+)",
            r"cannot load library '([\w.+-]+)'",
            r'Dependency "([\w.+-]+)" not found',
            r"Package '?([\w.+-]+?)'?(?:, required by .*?,)? (?:was )?not found",
            r"(\w+[-_]config)(?: executable|:)? (?:is )?not found",
            r"(valid pkg-config name)",
        ),
    ),
    ("mise can't get `{}`. Name a version that exists in the repository's version file.", (r"mise can't get (\S+)\.",)),
    (
        _program,
        (
            r"sh: (?:line )?\d+: ([\w.+-]+): (?:command )?not found",
            r"^sh: ([\w.+-]+): (?:command )?not found",
            r"^make(?:\[\d+\])?: ([\w.+-]+): No such file or directory",
        ),
    ),
    (
        (
            "The repository has no `{}`: Python's packages are in `~/.venv`, which comes first in `PATH`. Set `dev` to "
            "a command that calls the program by its name alone."
        ),
        (r"sh: (?:line )?\d+: (?:\./|/\S+/)?(\.?v?env/bin)/[\w.+-]+: (?:not found|No such file)",),
    ),
    (
        (
            "There's no valid token for {host}. Store one as a secret, name it in `env`, and refer to it in the "
            "package manager's own configuration, such as `.npmrc`."
        ),
        (r"\bE401\b", r"ERR_PNPM_FETCH_401", r"401 (?:Unauthorized|Client Error)", r"YN0041", r" - 401\b"),
    ),
    (
        (
            "Access to {host} is forbidden (403). Add it to the deployment's `AgentEgressDomains` if `AgentEgress` is "
            "`listed`; otherwise name a token for it in `env`."
        ),
        (r"\bE403\b", r"ERR_PNPM_FETCH_403", r"403 (?:Forbidden|Client Error)", r" - 403\b"),
    ),
    (
        (
            "The registry has no `{}` for this session. If it's private, configure its registry in the repository, "
            "such as in `.npmrc`, and name the registry's token in `env`."
        ),
        (
            r"The requested resource '([^']+)' could not be found",
            r"^(\S+) is not in the npm registry",
            r"Couldn't find package \"([^\"]+)\"",
            r"error: (@\S+) failed to resolve",
            r"YN0035: │ (\S+?)@npm:\S+ Package not found",
            r"satisfies the requirement (\S+) \(from versions: none\)",
            r"Because (\S+) was not found in the package registry",
        ),
    ),
    (
        "A dependency needs Python {}. Name such a version in `.python-version`.",
        (
            r"Requires-Python ([^;\s]+)",
            r"requires a different Python: \S+ not in '([^']+)'",
            r"does not satisfy Python([<>=~!][^\s,]*)",
            r"not supported by the project \(([^)]+)\)",
        ),
    ),
    (
        "There's no Python {} to install. Name another version in `.python-version`.",
        (r"No interpreter found for Python (\S+)",),
    ),
    (
        "Node.js {} is needed. Name such a version in `.nvmrc`.",
        (
            r'engine "node" is incompatible with this module\. Expected version "([^"]+)"',
            r'Required: +\{"node":"([^"]+)"',
            r'Unsupported engine: wanted: \{"node":"([^"]+)"',
            r"Your Node version is incompatible[^}]*?Expected version: (\S+)",
            r"requires at least Node\.js v?([\d.]+\d)",
            r"Node\.js v?[\d.]+ is not supported by [^!]+![^>=]*?([>=]+ ?[\d.]+\d)",
            r'Node\.js version "?([>=^]+ ?[\d.]+\d)"? is required',
        ),
    ),
    (
        "pnpm {} is needed. Name such a version in `packageManager`.",
        (r"Your pnpm version is incompatible[^}]*?Expected version: (\S+)",),
    ),
    ("This pnpm is too old for this Node.js. Name 7 or later in `packageManager`.", (r"ERR_INVALID_THIS",)),
    ("The Gemfile needs Ruby {}. Name such a version in `.ruby-version`.", (r"your Gemfile specified ([^\n,]+)",)),
    (_LOCK_FILE.format("package-lock.json", "npm install"), (r"can only install packages when",)),
    (_LOCK_FILE.format("pnpm-lock.yaml", "pnpm install"), (r"ERR_PNPM_OUTDATED_LOCKFILE",)),
    (_LOCK_FILE.format("yarn.lock", "yarn install"), (r"YN0028", r"Your lockfile needs to be updated")),
    (_LOCK_FILE.format("bun.lock", "bun install"), (r"lockfile had changes, but lockfile is frozen",)),
    (_LOCK_FILE.format("uv.lock", "uv lock"), (r"lockfile at `uv\.lock` needs to be updated",)),
    (_LOCK_FILE.format("poetry.lock", "poetry lock"), (r"changed significantly since poetry\.lock",)),
    (
        "Dependencies want different versions of a peer. Set `install` to `npm ci --legacy-peer-deps` or correct them.",
        (r"\bERESOLVE\b",),
    ),
    *APP_RULES,
)
