"""What a failure of the model API means to the person who waits for an answer, and what can be done about it."""

from __future__ import annotations

import re

# Claude Code's own framing of what the API said, and its advice on a gateway that nobody but us can see.
_FRAME = re.compile(r"^(?:Failed to authenticate\. )?API Error: (?:Request rejected \(\d+\) · |\d{3} )?")
_ADVICE = re.compile(r"\.? This is a server-side issue, .*", re.DOTALL)
_QUOTED_CHARACTERS = 500

_AGAIN = "Comment again to have Claude continue where it was."
_KEY = (
    "The model API does not accept the deployment's credentials. Whoever runs the deployment should check the API "
    "key in its secret (`AnthropicApiKeySecretArn` of the stack's outputs) or, with Bedrock, that the account has "
    "access to the model; then start a new session."
)
_PAYMENT = (
    "The account that pays for the model has no credit left. Whoever runs the deployment should add credit with the "
    f"provider. {_AGAIN}"
)
_MODEL = (
    "The model API does not know the model, or the deployment may not use it. Correct `model` in "
    ".github/claude-cloud-agent.yml, or have the deployment's `ClaudeModel` corrected; then start a new session."
)
_TOO_LARGE = (
    "The conversation has become larger than the model API takes, most often by images. Start a new session: it "
    "goes on with the same branch."
)
_RATE = (
    "The model API's rate limit for this deployment's account was reached, and several attempts did not get through. "
    f"Wait a few minutes, or have the limit raised with the provider. {_AGAIN}"
)
_OVERLOADED = f"The model API is overloaded, and several attempts did not get through. Wait a few minutes. {_AGAIN}"
_UNREACHABLE = (
    "The model API could not be reached. Whoever runs the deployment should check its address "
    f"(`AnthropicBaseUrl`) and the network's way out. {_AGAIN}"
)
_BROKEN = f"The model API failed, and several attempts did not get through. Wait a few minutes. {_AGAIN}"
_REFUSED = f"The model API refused the request. {_AGAIN} Should that fail as well, start a new session."

_BY_STATUS = {
    401: _KEY,
    402: _PAYMENT,
    403: _KEY,
    404: _MODEL,
    413: _TOO_LARGE,
    429: _RATE,
    502: _UNREACHABLE,
    529: _OVERLOADED,
}
_FIRST_SERVER_ERROR = 500


def model_error(status: int | None, kind: str | None, said: str) -> str:
    """Return what happened and what to do, with what the API said.

    `status` is the HTTP status of the failing call, None when there was no answer at all. `kind` is Claude Code's
    name for the fault; a lack of credit is told by that alone, as the Anthropic API answers it with 400.
    """
    if kind == "billing_error":
        words = _PAYMENT
    elif status is None:
        words = _UNREACHABLE
    else:
        words = _BY_STATUS.get(status, _BROKEN if status >= _FIRST_SERVER_ERROR else _REFUSED)
    quoted = _ADVICE.sub("", _FRAME.sub("", said)).strip()[:_QUOTED_CHARACTERS]
    told = f"It answered with HTTP {status}" if status else "The error was"
    return f"{words}\n\n{told}: {quoted}" if quoted else words
