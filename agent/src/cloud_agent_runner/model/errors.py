"""What a failure of the model API means for people, and what they can do about it."""

from __future__ import annotations

import re

# Claude Code's own framing of the API's message, and its advice on a gateway that nobody but us can see.
_FRAME = re.compile(
    r"^(?:Failed to authenticate\. |AWS authentication failed · .*· )?"
    r"API Error: (?:Request rejected \(\d+\) · |\d{3} )?"
)
_ADVICE = re.compile(r"\.? This is a server-side issue, .*", re.DOTALL)
_QUOTED_CHARACTERS = 500

_RETRY = "Comment again to continue."
_KEY = (
    "The model API rejected the deployment's credentials. Ask your administrator to check the API key in its secret "
    "(the stack's output `AnthropicApiKeySecretArn`) or, with Bedrock, that the account has access to the model. "
    "Then start a new session."
)
_PAYMENT = f"The model API's account is out of credit. Ask your administrator to add credit. {_RETRY}"
_MODEL = (
    "The model doesn't exist, or the deployment doesn't have access to it. Choose another "
    "one: comment `/model NAME`. To change it for good, fix `model` in .github/claude-cloud-agent.yml, or ask your "
    "administrator to fix the deployment's `ClaudeModel`."
)
_TOO_LARGE = (
    "The conversation is too large for the model API, usually because of images. Start a new session to continue on "
    "the same branch."
)
_RATE = (
    "The model API's rate limit was reached, and several retries failed. Wait a few minutes, or ask your "
    f"administrator to have the limit raised. {_RETRY}"
)
_OVERLOADED = f"The model API is overloaded, and several retries failed. Wait a few minutes. {_RETRY}"
_UNREACHABLE = (
    "The model API couldn't be reached. Ask your administrator to check its address (`AnthropicBaseUrl`) and the "
    f"network's outbound access. {_RETRY}"
)
_SLOW = f"The model API didn't respond in time, and several retries failed too. Wait a few minutes. {_RETRY}"
_BROKEN = f"The model API failed, and several retries failed too. Wait a few minutes. {_RETRY}"
_REFUSED = f"The model API rejected the request. {_RETRY} If that fails too, start a new session."

_DECLINED = (
    "The model declined to work on this, under its provider's usage policy. Comment with another wording. If it "
    "declines that as well, comment `/restart`: the next session begins without what it declined."
)
_OUTPUT_LIMIT = (
    "A single response of the model was longer than it may be, and so was each retry. Ask for smaller steps, such as "
    "one file at a time."
)
_TOO_LONG = (
    "The conversation no longer fits into the model's context. Comment `/restart` to go on with a new session on this "
    "branch, which knows what this one did, and ask for smaller steps."
)
_CONTEXT_FULL = "context window"  # Claude Code names this fault as it names a response that is too long

# By Claude Code's names, where a status says less or there is none: in these, nothing was wrong with the API.
_BY_KIND = {
    "billing_error": _PAYMENT,
    "refusal": _DECLINED,
    "max_output_tokens": _OUTPUT_LIMIT,
    "prompt_too_long": _TOO_LONG,
}
_BY_STATUS = {
    401: _KEY,
    402: _PAYMENT,
    403: _KEY,
    404: _MODEL,
    413: _TOO_LARGE,
    429: _RATE,
    502: _UNREACHABLE,
    504: _SLOW,
    529: _OVERLOADED,
}
_FIRST_SERVER_ERROR = 500


def model_error(status: int | None, kind: str | None, reason: str) -> str:
    """Return what happened and what to do, with the API's own message.

    `status` is the HTTP status of the failing call, None when there was none, or the response was no fault of HTTP's.
    `kind` is Claude Code's name for the fault; a lack of credit shows in that alone, as the Anthropic API answers it
    with 400.
    """
    if kind == "max_output_tokens" and _CONTEXT_FULL in reason:
        kind = "prompt_too_long"
    if kind in _BY_KIND:
        explanation = _BY_KIND[kind]
        if kind == "max_output_tokens":
            return explanation  # what Claude Code says to it is advice for whoever runs it
    elif status is None:
        explanation = _UNREACHABLE
    else:
        explanation = _BY_STATUS.get(status, _BROKEN if status >= _FIRST_SERVER_ERROR else _REFUSED)
    quoted = _ADVICE.sub("", _FRAME.sub("", reason)).strip()[:_QUOTED_CHARACTERS]
    source = f"It responded with HTTP {status}" if status else "The error was"
    return f"{explanation}\n\n{source}: {quoted}" if quoted else explanation
