"""What open pages of sessions cost a proxy while nothing happens, and how soon they show what does.

    python tests/bench/session_page.py [--seconds 20]

Starts a DynamoDB and S3 endpoint and a proxy on this machine's loopback addresses, opens streams of pages, and prints
one table. CPU is that of the proxy's two processes, control plane and HAProxy, in hundredths of a core.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import psutil

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.integration.proxy.conftest import ARTIFACTS_BUCKET, create_table, run_proxy, serve_aws, serve_metadata
from tests.integration.proxy.session_page.conftest import Recorder
from tests.kit.transcripts import Script, sample, sample_row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.proxy.conftest import Proxy

_SETTLE_SECONDS = 4


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=20)
    seconds = parser.parse_args().seconds
    print("| open pages | control plane | HAProxy | memory of the control plane | what is new is on all pages after |")
    print("|---|---|---|---|---|")
    for name, sessions, viewers in (
        ("none", 0, 0),
        ("200 of one session", 1, 200),
        ("one of each of 200 sessions", 200, 1),
    ):
        with proxy_of_sessions() as (proxy, recorder):
            print(f"| {name} | {asyncio.run(_measure(proxy, recorder, sessions, viewers, seconds))} |")


@contextlib.contextmanager
def proxy_of_sessions() -> Iterator[tuple[Proxy, Recorder]]:
    """Give a proxy on this machine, and what writes the sessions that it serves."""
    with tempfile.TemporaryDirectory() as root, contextlib.ExitStack() as running:
        aws = running.enter_context(serve_aws(_folder(root)))
        metadata_url = running.enter_context(serve_metadata())
        recorder = _recorder(aws)
        environment = {"AWS_ENDPOINT_URL": aws, "SESSIONS_TABLE": recorder.table.name}
        yield running.enter_context(run_proxy(_folder(root), environment, metadata_url)), recorder


def _folder(root: str) -> Path:
    return Path(tempfile.mkdtemp(dir=root))


def _recorder(aws: str) -> Recorder:
    s3 = boto3.client(
        "s3",
        endpoint_url=aws,
        region_name="eu-west-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    s3.create_bucket(Bucket=ARTIFACTS_BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    return Recorder(s3, create_table(aws))


async def _measure(proxy: Proxy, recorder: Recorder, sessions: int, viewers: int, seconds: int) -> str:
    batches = sample().batches(1_000)
    ids = await asyncio.to_thread(lambda: [recorder.put(batches, **sample_row()) for _ in range(sessions)])
    arrived: list[float] = []
    streams = [asyncio.create_task(_follow(proxy, id_, arrived)) for id_ in ids for _ in range(viewers)]
    await asyncio.sleep(_SETTLE_SECONDS)
    processes = [psutil.Process(pid) for pid in (proxy.process.pid, proxy.haproxy_pid())]
    before = [_cpu_seconds(process) for process in processes]
    await asyncio.sleep(seconds)
    used = [100 * (_cpu_seconds(process) - then) / seconds for process, then in zip(processes, before, strict=True)]
    memory = processes[0].memory_info().rss / 1e6
    delay = await _time_news(recorder, ids[0], arrived, viewers) if ids else "-"
    for stream in streams:
        stream.cancel()
    return f"{used[0]:.1f} % | {used[1]:.1f} % | {memory:.0f} MB | {delay}"


def _cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


async def _follow(proxy: Proxy, session_id: str, arrived: list[float]) -> None:
    async with (
        proxy.client(session_id) as client,
        client.stream("GET", "/.uat/events?after=0", timeout=60) as response,
    ):
        async for line in response.aiter_lines():
            arrived += [time.monotonic()] if "something new" in line else []


async def _time_news(recorder: Recorder, session_id: str, arrived: list[float], viewers: int) -> str:
    script = Script(events=sample().events)
    script.message("something new")
    began = time.monotonic()
    await asyncio.to_thread(recorder.extend, session_id, script.batches(first=len(script.events) - 1), known=1)
    async with asyncio.timeout(30):
        while len(arrived) < viewers:  # noqa: ASYNC110 - many tasks append to it
            await asyncio.sleep(0.01)
    return f"{max(arrived) - began:.1f} s"


if __name__ == "__main__":
    main()
