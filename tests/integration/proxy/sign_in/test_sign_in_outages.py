"""What a sign-in needs is away or wrong: nobody new is let in."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest
from tests.integration.proxy.sign_in.visitors import ORIGIN, SESSION, Browser, Proxy, plan_fault

from cloud_agent_proxy.sign_in.results import Cause, Failed

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx


@pytest.mark.parametrize(
    "fault",
    [
        *(
            {"path": path, **fault}
            for path in ("/login/oauth/access_token", "/user", "/repos/.*")
            for fault in ({"kind": "status", "status": 502}, {"kind": "drop"}, {"kind": "rate_limit"})
        ),
        {"path": "/repos/.*", "kind": "rate_limit", "retry_after": 60},
        {"path": "/repos/.*", "kind": "timeout", "seconds": 8},
    ],
    ids=lambda fault: " ".join(str(value) for value in fault.values()),
)
async def test_while_github_is_away_nobody_is_let_in(
    proxy: Proxy, browser: Browser, reader: str, api: httpx.Client, fault: dict[str, Any]
) -> None:
    query = await proxy.visit(browser, reader)
    plan_fault(api, **fault)
    assert Failed(Cause.GITHUB_AWAY) == await proxy.sign_in.finish(SESSION, ORIGIN, query, browser.cookies)


async def test_while_the_table_is_away_nobody_new_is_let_in(
    proxy_with: Callable[..., Proxy], browser: Browser, reader: str
) -> None:
    assert Failed(Cause.SESSIONS_AWAY) == await proxy_with(table_is_away=True).signed_in(browser, reader)


async def test_a_wrong_client_secret_is_the_operators_affair(
    proxy_with: Callable[..., Proxy], browser: Browser, reader: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert Failed(Cause.MISCONFIGURED) == await proxy_with(client_secret="wrong").signed_in(browser, reader)
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert record.__dict__["reason"] == "incorrect_client_credentials"
