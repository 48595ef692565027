"""The variables by which programs get through a company's network: its proxy, and its certificate authority.

They are the only ones of the container that the supervisor's Git, Claude and the repository's commands get as they are.
Each names an address or a file: none is a secret, so a proxy that asks for a password must not be set here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_PROXIES = ("HTTPS_PROXY", "HTTP_PROXY")
_NO_PROXY = "NO_PROXY"
# One for each program that has its own list of authorities and reads no other's.
_AUTHORITIES = (
    "SSL_CERT_FILE",  # OpenSSL, Python, uv
    "SSL_CERT_DIR",
    "CURL_CA_BUNDLE",
    "GIT_SSL_CAINFO",
    "NODE_EXTRA_CA_CERTS",  # Node.js, Claude Code, pnpm, yarn
    "npm_config_cafile",
    "PIP_CERT",
    "REQUESTS_CA_BUNDLE",
    "AWS_CA_BUNDLE",
)
# The model's gateway and the dev server are in this container; the platform's addresses are beside it.
_NEVER_BY_PROXY = ("localhost", "127.0.0.1", "::1", "169.254.169.254", "169.254.170.2")


def network_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of `environment` that say how to get through the network.

    A proxy stands in both spellings, whichever was given: curl reads one of them in small letters alone, others in
    capitals. Where there is one, `NO_PROXY` also names what no proxy can reach.
    """
    network = {name: environment[name] for name in _AUTHORITIES if environment.get(name)}
    proxies = {name: value for name in _PROXIES if (value := _either(environment, name))}
    if proxies:
        given = [host.strip() for host in _either(environment, _NO_PROXY).split(",") if host.strip()]
        proxies[_NO_PROXY] = ",".join(dict.fromkeys([*given, *_NEVER_BY_PROXY]))
        # Node.js's own fetch leaves proxies alone unless it is told not to.
        network["NODE_USE_ENV_PROXY"] = "1"
    return network | proxies | {name.lower(): value for name, value in proxies.items()}


def _either(environment: Mapping[str, str], name: str) -> str:
    return environment.get(name) or environment.get(name.lower()) or ""
