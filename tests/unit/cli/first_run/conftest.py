from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

import dns.message
import dns.resolver
import dns.rrset
import pytest
from tests.unit.cli.first_run.ready_account import NAME_SERVERS, ReadyAccount
from tests.unit.functions.doctor.account import DOMAIN

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def zones() -> Iterator[dict[str, list[str]]]:
    """The zones that DNS knows, each with its name servers: a server on this machine that the resolver asks."""
    known = {DOMAIN: NAME_SERVERS}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server, pytest.MonkeyPatch.context() as patch:
        server.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=_serve, args=(server, known))
        thread.start()
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers, resolver.port = ["127.0.0.1"], server.getsockname()[1]
        patch.setattr(dns.resolver, "default_resolver", resolver)
        yield known
        server.sendto(b"", server.getsockname())
        thread.join()


@pytest.fixture
def account(zones: dict[str, list[str]]) -> ReadyAccount:  # noqa: ARG001 - what its hosted zone is compared with
    """An account without the stack, whose domain's name servers are its hosted zone's."""
    return ReadyAccount()


def _serve(server: socket.socket, known: dict[str, list[str]]) -> None:
    """Answer until an empty datagram comes."""
    while text := server.recv(4096, socket.MSG_PEEK):
        _, sender = server.recvfrom(4096)
        query = dns.message.from_wire(text)
        response = dns.message.make_response(query)
        name = query.question[0].name
        servers = [f"{one}." for one in known.get(name.to_text(omit_final_dot=True), ())]
        if servers:
            response.answer.append(dns.rrset.from_text_list(name, 60, "IN", "NS", servers))
        server.sendto(response.to_wire(), sender)
