"""What a container sees before ECS adds anything."""

from __future__ import annotations

import sys
from pathlib import Path

from embedded_aws.containers.environment import image_environment


def environment(**host: str) -> dict[str, str]:
    return image_environment(host, home=Path("/task/home"), temporary=Path("/task/tmp"))


def test_nothing_of_the_host_passes_but_its_path_and_its_trusted_certificates() -> None:
    host = {"PATH": "/usr/bin", "HOME": "/home/me", "GITHUB_TOKEN": "secret", "NODE_EXTRA_CA_CERTS": "/ca.pem"}
    assert {
        "PATH": f"{Path(sys.executable).parent}:/usr/bin",
        "HOME": "/task/home",
        "LANG": "C.UTF-8",
        "TMPDIR": "/task/tmp",
        "NODE_EXTRA_CA_CERTS": "/ca.pem",
    } == environment(**host)


def test_a_proxy_of_the_host_is_not_asked_for_what_is_on_this_machine() -> None:
    seen = environment(HTTPS_PROXY="http://proxy:3128", no_proxy="intranet")
    assert seen["HTTPS_PROXY"] == "http://proxy:3128"
    assert [seen["no_proxy"], seen["NO_PROXY"]] == ["intranet,localhost,127.0.0.1"] * 2


def test_without_a_proxy_nothing_is_said_of_one() -> None:
    assert set() == {"no_proxy", "NO_PROXY"} & environment(no_proxy="intranet").keys()
