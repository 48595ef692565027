from __future__ import annotations

import pytest

from cloud_agent_runner.model.errors import model_error

OVERLOADED = (
    "API Error: 529 Overloaded. This is a server-side issue, usually temporary — try again in a moment. "
    "If it persists, check your inference gateway (127.0.0.1:38777)."
)


@pytest.mark.parametrize(
    ("status", "kind", "said", "words", "quoted"),
    [
        (401, "authentication_failed", "Failed to authenticate. API Error: 401 bad key", "rejected the deployment",
         "HTTP 401: bad key"),
        (403, "authentication_failed", "Failed to authenticate. API Error: 403 no", "rejected the deployment",
         "HTTP 403: no"),
        (401, "authentication_failed",
         "AWS authentication failed · refresh your credentials · API Error: 401 no", "rejected the deployment",
         "HTTP 401: no"),
        (404, "model_not_found", "There's an issue with the selected model (x).", "The model doesn't exist",
         "HTTP 404: There's an issue with the selected model (x)."),
        (413, "invalid_request", "Request too large", "too large for the model API", "HTTP 413: Request too large"),
        (429, "rate_limit", "API Error: Request rejected (429) · 40,000 tokens per minute", "rate limit",
         "HTTP 429: 40,000 tokens per minute"),
        (400, "billing_error", "Credit balance is too low", "out of credit", "HTTP 400: Credit balance is too low"),
        (400, "unknown", "API Error: 400 bad request", "rejected the request", "HTTP 400: bad request"),
        (500, "server_error", "API Error: 500 oops", "The model API failed", "HTTP 500: oops"),
        (504, "server_error", "API Error: 504 late", "didn't respond in time", "HTTP 504: late"),
        (529, "server_error", OVERLOADED, "is overloaded", "HTTP 529: Overloaded"),
        (None, "refusal", "API Error: Sonnet 5.5 can't help with this.", "The model declined",
         "The error was: Sonnet 5.5 can't help with this."),
        (None, "max_output_tokens", "API Error: Claude's response exceeded the 64000 output token maximum. Set it.",
         "longer than it may be", "such as one file at a time."),
        (None, "max_output_tokens", "API Error: The model has reached its context window limit.", "no longer fits",
         "The error was: The model has reached its context window limit."),
        (400, "prompt_too_long", "Prompt is too long", "no longer fits", "HTTP 400: Prompt is too long"),
        (None, "unknown", "API Error: Connection error.", "couldn't be reached", "The error was: Connection error."),
    ],
)  # fmt: skip
def test_a_failure_is_told_with_what_to_do_and_what_the_api_said(
    status: int | None, kind: str, said: str, words: str, quoted: str
) -> None:
    text = model_error(status, kind, said)
    assert words in text.split("\n\n")[0]
    assert text.endswith(quoted)


def test_a_silent_api_is_not_quoted() -> None:
    assert "\n" not in model_error(529, None, "")
