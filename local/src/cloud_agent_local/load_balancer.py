"""Stands for the load balancer on one machine: 127.0.0.1:PORT to the targets of one target group.

It copies bytes and reads none of them, so unlike the real one it adds no X-Forwarded-* headers.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import signal
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

logger = logging.getLogger(__name__)

_REFRESH_SECONDS = 1
_CONNECT_SECONDS = 2
_GOODBYE_SECONDS = 2
_NO_TARGET = (
    b"HTTP/1.1 503 Service Temporarily Unavailable\r\nContent-Type: text/plain\r\nRetry-After: 1\r\n"
    b"Content-Length: 38\r\nConnection: close\r\n\r\nThe proxy is not up: try again shortly"
)


class TargetGroup:
    """The healthy targets as the embedded elbv2 lists them, each connection starting with another one."""

    def __init__(self, arn: str, endpoint_url: str) -> None:
        self._arn = arn
        # Fixed credentials: those of a real account have no business at the embedded endpoint.
        self._elbv2 = boto3.client(
            "elbv2",
            endpoint_url=endpoint_url,
            region_name=arn.split(":")[3],
            aws_access_key_id="test",
            aws_secret_access_key="test",  # noqa: S106 - the embedded AWS's administrator
            config=Config(connect_timeout=2, read_timeout=2, retries={"total_max_attempts": 1}),
        )
        self._targets: list[tuple[str, int]] = []

    async def refresh_forever(self) -> None:
        """Read the targets once a second; while they cannot be read, the last known ones stay."""
        while True:
            try:
                self._targets = await asyncio.to_thread(self._read)
            except (BotoCoreError, ClientError) as error:
                logger.warning("targets not read: %s", error)
            await asyncio.sleep(_REFRESH_SECONDS)

    def _read(self) -> list[tuple[str, int]]:
        response = self._elbv2.describe_target_health(TargetGroupArn=self._arn)
        return [
            (described["Target"]["Id"], described["Target"]["Port"])
            for described in response["TargetHealthDescriptions"]
            if described["TargetHealth"]["State"] == "healthy"
        ]

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        """Return a connection to the next target that accepts one, None when none does."""
        self._targets = self._targets[1:] + self._targets[:1]
        for host, port in self._targets:
            with contextlib.suppress(OSError):
                async with asyncio.timeout(_CONNECT_SECONDS):
                    return await asyncio.open_connection(host, port)
        return None


async def _join(visitor: tuple[asyncio.StreamReader, asyncio.StreamWriter], targets: TargetGroup) -> None:
    target = await targets.connect()
    if target is None:
        await _turn_away(*visitor)
        return
    try:
        await asyncio.gather(_copy(visitor[0], target[1]), _copy(target[0], visitor[1]))
    except ConnectionError:
        for _, writer in (visitor, target):
            writer.transport.abort()
    finally:
        visitor[1].close()
        target[1].close()


async def _copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    while data := await source.read(65_536):
        sink.write(data)
        await sink.drain()
    if sink.can_write_eof():
        sink.write_eof()


async def _turn_away(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        writer.write(_NO_TARGET)
        writer.write_eof()
        async with asyncio.timeout(_GOODBYE_SECONDS):
            await reader.read()  # closing on unread bytes would reset the connection and lose the response
    writer.close()


async def run(port: int, targets: TargetGroup) -> None:
    """Carry connections until SIGTERM or SIGINT.

    Raises:
        OSError: the port is taken.
    """
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _join((reader, writer), targets)

    server = await asyncio.start_server(serve, "127.0.0.1", port)
    refreshing = asyncio.create_task(targets.refresh_forever())
    logger.info("listening on 127.0.0.1:%s", port)
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({stopping, refreshing}, return_when=asyncio.FIRST_COMPLETED)
    server.close()
    if refreshing.done():
        refreshing.result()  # raises what ended it
    refreshing.cancel()


def main() -> int:
    """Read the command line and carry connections until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m cloud_agent_local.load_balancer", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--target-group-arn", required=True)
    parser.add_argument("--endpoint-url", required=True, help="where the embedded AWS responds")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    try:
        asyncio.run(run(arguments.port, TargetGroup(arguments.target_group_arn, arguments.endpoint_url)))
    except OSError as error:
        logger.critical("not listening on 127.0.0.1:%s: %s", arguments.port, error.strerror)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
