"""The whole proxy: control plane first, HAProxy in front of it, and the end of the one is the end of both."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from cloud_agent_proxy.access.admissions import Admissions
from cloud_agent_proxy.access_mode import access_mode
from cloud_agent_proxy.control_app import ControlApp
from cloud_agent_proxy.control_server import serve
from cloud_agent_proxy.directory import SessionDirectory
from cloud_agent_proxy.drain import drain
from cloud_agent_proxy.dynamodb import dynamodb_client
from cloud_agent_proxy.error_files import write_error_files
from cloud_agent_proxy.haproxy import Haproxy
from cloud_agent_proxy.index.overviews import Overviews
from cloud_agent_proxy.index.paths import IndexPaths
from cloud_agent_proxy.index.renderer import IndexRenderer
from cloud_agent_proxy.metrics import Metrics
from cloud_agent_proxy.own_paths import OwnPaths
from cloud_agent_proxy.page_renderer import PageRenderer
from cloud_agent_proxy.probe import Probe
from cloud_agent_proxy.revisions import Revisions
from cloud_agent_proxy.routes import Routes
from cloud_agent_proxy.runtime_api import RuntimeApi
from cloud_agent_proxy.session_page.objects import open_bucket
from cloud_agent_proxy.session_page.paths import SessionPagePaths
from cloud_agent_proxy.session_page.renderer import SessionPageRenderer
from cloud_agent_proxy.session_page.streams import Streams
from cloud_agent_proxy.session_page.transcripts import Transcripts
from cloud_agent_proxy.sessions_table import SessionsTable
from cloud_agent_proxy.status import Status
from cloud_agent_proxy.visits import Visits
from cloud_agent_proxy.writing.renderer import WritingRenderer

if TYPE_CHECKING:
    from ipaddress import IPv4Address

    from cloud_agent_proxy.pages import Page
    from cloud_agent_proxy.settings import Platform, Settings

logger = logging.getLogger(__name__)

ASSETS = Path(__file__).parents[2]
"""haproxy.cfg, its Lua and pages/ stand beside src/, in the checkout as in the image."""


async def run(settings: Settings, platform: Platform, address: IPv4Address, haproxy_program: Path) -> int:
    """Serve on `address` until told to stop; return 0 after a drain, 1 if a part of the proxy ended by itself."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    renderer, session_renderer = PageRenderer(ASSETS / "pages"), SessionPageRenderer(ASSETS / "pages/session")
    runtime = RuntimeApi()
    routes, admissions = Routes(runtime), Admissions(runtime)
    # Sockets and map are named relative to a folder of this process alone: two proxies on one machine never
    # meet, and a long TMPDIR cannot exceed the 107 characters of a unix socket's path.
    with tempfile.TemporaryDirectory(prefix="uat-proxy-") as folder, contextlib.chdir(folder):
        async with dynamodb_client(platform) as dynamodb, open_bucket(platform, settings.artifacts_bucket) as bucket:
            table = SessionsTable(settings.sessions_table, dynamodb)
            directory = SessionDirectory(
                table, routes, Revisions(runtime), settings.agent_cidr, admissions.forget_session
            )
            visits, metrics = Visits(runtime, table), Metrics(runtime, routes, directory)
            writing_renderer = WritingRenderer(ASSETS / "pages/session")
            async with access_mode(settings, address, directory, renderer, writing_renderer) as access:
                _write_what_haproxy_reads(renderer, access.gate.signed_out)
                status = Status(directory, routes, Probe())
                own = OwnPaths(access.gate, directory, status, renderer)
                transcripts = Transcripts(bucket)
                streams = Streams(directory, table, transcripts, session_renderer)
                session_page = SessionPagePaths(
                    access, directory, status, table, transcripts, streams, session_renderer, renderer
                )
                visitor_routes = [*access.routes, *session_page.routes, *own.routes]
                if access.visitors is not None:
                    overviews, index_renderer = Overviews(table), IndexRenderer(ASSETS / "pages/session")
                    visitor_routes += IndexPaths(settings, access.visitors, overviews, index_renderer, renderer).routes
                control_app = ControlApp(directory, renderer, access.gate, admissions, session_page, visitor_routes)
                async with serve(control_app.asgi):
                    haproxy = await Haproxy.start(haproxy_program, ASSETS, settings, address)
                    try:
                        return await _attend(haproxy, runtime, directory, streams, visits, metrics, stop)
                    finally:
                        await haproxy.stop()


async def _attend(  # noqa: PLR0913, PLR0917 - the parts of the proxy, once each
    haproxy: Haproxy,
    runtime: RuntimeApi,
    directory: SessionDirectory,
    streams: Streams,
    visits: Visits,
    metrics: Metrics,
    stop: asyncio.Event,
) -> int:
    told_to_stop = asyncio.create_task(stop.wait())
    haproxy_ended = asyncio.create_task(haproxy.ended())
    refreshing = asyncio.create_task(directory.refresh_forever())
    following = asyncio.create_task(streams.follow_forever())
    recording = asyncio.create_task(visits.record_forever())
    reporting = asyncio.create_task(metrics.report_forever())
    try:
        await asyncio.wait({told_to_stop, haproxy_ended, refreshing}, return_when=asyncio.FIRST_COMPLETED)
        if haproxy_ended.done():
            logger.critical("haproxy ended by itself", extra={"exit_code": haproxy_ended.result()})
            return 1
        if refreshing.done():
            logger.critical("refresh ended by itself", exc_info=refreshing.exception())
            return 1
        streams.close()
        await drain(runtime)
        await metrics.report()
        return 0
    finally:
        for task in (told_to_stop, haproxy_ended, refreshing, following, recording, reporting):
            task.cancel()
        await asyncio.wait({recording})
        await visits.record_last()


def _write_what_haproxy_reads(renderer: PageRenderer, signed_out: Page) -> None:
    for name in ("sessions.map", "revisions.map", "admissions.map"):
        Path(name).touch()
    write_error_files(renderer, signed_out)
