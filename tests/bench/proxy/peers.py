"""The proxies that ours is measured against: each leads to the same upstream and does nothing else."""

from __future__ import annotations

import contextlib
import json
import secrets
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.bench.proxy import programs
from tests.bench.proxy.machine import PROXY_CORE, LoopbackNetwork, Place, program
from tests.bench.proxy.visitor import Target

from cloud_agent_proxy.haproxy_program import haproxy_program

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import psutil
    from tests.bench.proxy.upstream import Upstream

_MOST_OPEN = 20_000
"""Two connections for each of 9,000 WebSockets; nginx begins to close some when only a sixteenth is free."""


@dataclass(frozen=True)
class Peer:
    """A proxy that runs."""

    pages: Sequence[Target]
    """The same page under several sessions' names, for our proxy limits what one of them may ask for."""
    streams: Sequence[Target]
    """The same of downloads and WebSockets."""
    process: psutil.Process | None
    """None where there is no proxy in between."""


@dataclass(frozen=True)
class Site:
    """Where a peer is to listen, whom the requests name and where they lead."""

    network: LoopbackNetwork
    upstream: Upstream
    visits: Sequence[tuple[str, str]]
    """Host and cookie of each."""

    def listen(self) -> tuple[Place, Place]:
        """Return two places on a new address: for the page, and for downloads and WebSockets."""
        address = self.network.new_address()
        return Place(address, 8080), Place(address, 8081)

    def targets(self, place: Place) -> list[Target]:
        """Return where and under which names to ask."""
        return [Target(place, host, cookie) for host, cookie in self.visits]


@contextlib.contextmanager
def direct(site: Site, _: Path) -> Iterator[Peer]:
    """No proxy: what the upstream and the load can do at most."""
    yield Peer(site.targets(site.upstream.page), site.targets(site.upstream.streams), None)


_HAPROXY = """
global
    nbthread 1
    maxconn 9500
defaults
    mode http
    timeout client 300s
    timeout connect 2s
    timeout server 300s
    timeout tunnel 1h
    option http-no-delay
    http-reuse safe
frontend page
    bind {page} proto h1
    default_backend page
frontend streams
    bind {streams} proto h1
    default_backend streams
backend page
    server upstream {upstream_page}
backend streams
    server upstream {upstream_streams}
"""


@contextlib.contextmanager
def bare_haproxy(site: Site, folder: Path) -> Iterator[Peer]:
    """Our own HAProxy with one fixed server: no rule, no check, no log."""
    page, streams = site.listen()
    configuration = _write(folder / "haproxy.cfg", _HAPROXY, site, page, streams)
    argv = [haproxy_program(), "-db", "-f", configuration]
    with program(argv, [page, streams], folder, core=PROXY_CORE) as process:
        yield Peer(site.targets(page), site.targets(streams), process)


_NGINX = """
daemon off;
user root;
worker_processes 1;
worker_rlimit_nofile {most_open};
pid nginx.pid;
error_log stderr;
events {{ worker_connections {most_open}; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    client_body_temp_path body;
    proxy_temp_path proxied;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    proxy_http_version 1.1;
    upstream page {{ server {upstream_page}; keepalive 256; keepalive_requests 1000000000; }}
    upstream streams {{ server {upstream_streams}; keepalive 256; }}
    server {{
        listen {page};
        location / {{ proxy_pass http://page; proxy_set_header Connection ""; }}
    }}
    server {{
        listen {streams};
        location / {{ proxy_pass http://streams; proxy_set_header Connection ""; }}
        location /echo {{
            proxy_pass http://streams;
            proxy_set_header Connection upgrade;
            proxy_set_header Upgrade $http_upgrade;
            proxy_read_timeout 1h;
        }}
    }}
}}
"""


@contextlib.contextmanager
def nginx(site: Site, folder: Path) -> Iterator[Peer]:
    """Debian's nginx: `proxy_pass` to a fixed upstream whose connections are kept."""
    binary = programs.debian("nginx", "nginx-light")
    page, streams = site.listen()
    configuration = _write(folder / "nginx.conf", _NGINX, site, page, streams)
    argv = [binary, "-e", "stderr", "-p", folder, "-c", configuration]
    with program(argv, [page, streams], folder, core=PROXY_CORE) as process:
        yield Peer(site.targets(page), site.targets(streams), process)


@contextlib.contextmanager
def envoy(site: Site, folder: Path) -> Iterator[Peer]:
    """Envoy with static listeners and one worker thread."""
    binary = programs.envoy()
    page, streams = site.listen()
    configuration = folder / "envoy.json"  # JSON is YAML
    folder.mkdir()
    parts = {"page": (page, site.upstream.page), "streams": (streams, site.upstream.streams)}
    resources = {
        "listeners": [_envoy_listener(name, listen) for name, (listen, _) in parts.items()],
        "clusters": [_envoy_cluster(name, upstream) for name, (_, upstream) in parts.items()],
    }
    configuration.write_text(json.dumps({"static_resources": resources}))
    argv = [binary, "--config-path", configuration, "--concurrency", "1", "--disable-hot-restart", "-l", "error"]
    with program(argv, [page, streams], folder, core=PROXY_CORE) as process:
        yield Peer(site.targets(page), site.targets(streams), process)


def _envoy_listener(name: str, listen: Place) -> dict[str, object]:
    types = "type.googleapis.com/envoy.extensions.filters"
    route = {"match": {"prefix": "/"}, "route": {"cluster": name, "timeout": "0s"}}
    manager = {
        "@type": f"{types}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": name,
        "upgrade_configs": [{"upgrade_type": "websocket"}],
        "route_config": {"virtual_hosts": [{"name": name, "domains": ["*"], "routes": [route]}]},
        "http_filters": [
            {
                "name": "envoy.filters.http.router",
                "typed_config": {"@type": f"{types}.http.router.v3.Router"},
            }
        ],
    }
    connection_manager = {"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}
    return {"name": name, "address": _envoy_address(listen), "filter_chains": [{"filters": [connection_manager]}]}


def _envoy_cluster(name: str, upstream: Place) -> dict[str, object]:
    endpoint = {"endpoint": {"address": _envoy_address(upstream)}}
    limits = {"max_connections": 100_000, "max_requests": 100_000, "max_pending_requests": 100_000}
    return {
        "name": name,
        "type": "STATIC",
        "circuit_breakers": {"thresholds": [limits]},
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
    }


def _envoy_address(place: Place) -> dict[str, object]:
    return {"socket_address": {"address": place.address, "port_value": place.port}}


_CADDY = """
{{
    admin off
    auto_https off
    persist_config off
}}
http://:{page_port} {{
    bind {address}
    reverse_proxy {upstream_page}
}}
http://:{streams_port} {{
    bind {address}
    reverse_proxy {upstream_streams}
}}
"""


@contextlib.contextmanager
def caddy(site: Site, folder: Path) -> Iterator[Peer]:
    """Caddy's `reverse_proxy`, on one core."""
    binary = programs.caddy()
    page, streams = site.listen()
    configuration = _write(folder / "Caddyfile", _CADDY, site, page, streams)
    argv = [binary, "run", "--adapter", "caddyfile", "--config", configuration]
    with program(argv, [page, streams], folder, core=PROXY_CORE, environment={"GOMAXPROCS": "1"}) as process:
        yield Peer(site.targets(page), site.targets(streams), process)


@contextlib.contextmanager
def configurable_http_proxy(site: Site, folder: Path) -> Iterator[Peer]:
    """JupyterHub's proxy, with a route for each path."""
    binary = programs.configurable_http_proxy()
    listen, api = site.listen()
    token = secrets.token_hex(16)
    argv = [
        *(binary, "--ip", listen.address, "--port", str(listen.port), "--log-level", "error"),
        *("--api-ip", api.address, "--api-port", str(api.port)),
        *("--default-target", f"http://{site.upstream.page}"),
    ]
    with program(
        argv, [listen, api], folder, core=PROXY_CORE, environment={"CONFIGPROXY_AUTH_TOKEN": token}
    ) as process:
        for path in ("download", "echo"):
            request = urllib.request.Request(
                f"http://{api}/api/routes/{path}",
                json.dumps({"target": f"http://{site.upstream.streams}"}).encode(),
                {"Authorization": f"token {token}"},
            )
            urllib.request.urlopen(request, timeout=5).close()  # noqa: S310 - an http address of this run's own
        yield Peer(site.targets(listen), site.targets(listen), process)


def _write(file: Path, template: str, site: Site, page: Place, streams: Place) -> Path:
    file.parent.mkdir()
    text = template.format(
        page=page,
        streams=streams,
        address=page.address,
        page_port=page.port,
        streams_port=streams.port,
        upstream_page=site.upstream.page,
        upstream_streams=site.upstream.streams,
        most_open=_MOST_OPEN,
    )
    file.write_text(text)
    return file
