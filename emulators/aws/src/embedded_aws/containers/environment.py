"""The variables a container has before ECS adds any: what an image brings, and how this host reaches out."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# A host behind an intercepting proxy needs these for any TLS connection; on AWS they do not exist.
_TRUST = (
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "AWS_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
    "GIT_SSL_CAINFO",
)
_PROXIES = ("http_proxy", "https_proxy", "all_proxy")
_LOCAL_NAMES = "localhost,127.0.0.1"


def image_environment(host: Mapping[str, str], *, home: Path, temporary: Path) -> dict[str, str]:
    """PATH, HOME, LANG and TMPDIR, and of `host` only trusted certificates and proxies."""
    interpreter = str(Path(sys.executable).parent)
    return {
        "PATH": os.pathsep.join([interpreter, host.get("PATH", os.defpath)]),
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "TMPDIR": str(temporary),
        **{name: host[name] for name in _TRUST if host.get(name)},
        **_proxies(host),
    }


def _proxies(host: Mapping[str, str]) -> dict[str, str]:
    names = [spelling for name in _PROXIES for spelling in (name, name.upper()) if host.get(spelling)]
    if not names:
        return {}
    # Everything local mode serves is on this machine, and no proxy can reach it.
    exempt = ",".join(filter(None, [host.get("no_proxy") or host.get("NO_PROXY"), _LOCAL_NAMES]))
    return {name: host[name] for name in names} | {"no_proxy": exempt, "NO_PROXY": exempt}
