"""How the bucket of transcripts is asked, and what its answers mean."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import httpx
import pytest
from aiodynamo.credentials import Key
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from cloud_agent_proxy.session_page.objects import BucketUnavailableError, open_bucket, signed_headers
from cloud_agent_proxy.settings import Platform

if TYPE_CHECKING:
    from collections.abc import Callable

KEY = "transcripts/6020583d/agent/0000000001.jsonl"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "AWS_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "secret",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)


async def got(answer: Callable[[httpx.Request], httpx.Response]) -> bytes | None:
    async with open_bucket(Platform(), "artifacts", httpx.MockTransport(answer)) as bucket:
        return await bucket.get(KEY)


@pytest.mark.parametrize("token", [None, "a-session-token"])
def test_a_request_is_signed_as_awss_own_library_signs_it(token: str | None) -> None:
    url = httpx.URL(f"https://artifacts.s3.eu-west-1.amazonaws.com/{KEY}")

    ours = signed_headers(url, Key("AKIDEXAMPLE", "secret", token), "eu-west-1", datetime.now(UTC))

    same = {name: ours[name] for name in ("x-amz-content-sha256", "x-amz-date")}
    theirs = AWSRequest("GET", str(url), headers=same)
    theirs.context["timestamp"] = ours["x-amz-date"]
    auth = S3SigV4Auth(Credentials("AKIDEXAMPLE", "secret", token), "s3", "eu-west-1")
    if token:
        theirs.headers["X-Amz-Security-Token"] = token
    signature = auth.signature(auth.string_to_sign(theirs, auth.canonical_request(theirs)), theirs)
    names = auth.signed_headers(auth.headers_to_sign(theirs))
    assert ours["Authorization"].endswith(f"/eu-west-1/s3/aws4_request, SignedHeaders={names}, Signature={signature}")


@pytest.mark.parametrize(
    ("endpoint", "expected"),
    [
        ("", f"https://artifacts.s3.eu-west-1.amazonaws.com/{KEY}"),
        ("http://127.0.0.1:4566", f"http://127.0.0.1:4566/artifacts/{KEY}"),
    ],
)
async def test_a_bucket_has_a_host_of_its_own_but_on_a_given_endpoint(
    monkeypatch: pytest.MonkeyPatch, endpoint: str, expected: str
) -> None:
    if endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(200, content=b"lines")

    assert await got(answer) == b"lines"
    assert asked == [expected]


@pytest.mark.parametrize("status", [403, 404])
async def test_an_object_that_is_not_there_is_none(status: int) -> None:
    assert await got(lambda _: httpx.Response(status)) is None


async def test_a_failure_is_tried_once_more() -> None:
    answers = [httpx.Response(503), httpx.Response(200, content=b"lines")]
    assert await got(lambda _: answers.pop(0)) == b"lines"


async def test_a_bucket_that_does_not_respond_is_said_to_be_unavailable() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectTimeout("silence", request=request)

    with pytest.raises(BucketUnavailableError, match=KEY):
        await got(answer)
