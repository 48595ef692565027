"""Defect: whatever a Python handler raises is reported as errorType Runtime.HandlerError, and ends its environment.

AWS documents errorType as the exception's class name, and Step Functions matches Retry and Catch against it. It keeps
the environment for the next invocation. The class is known only in the worker process, whose script is changed to name
it, in an answer like that of a handler that returned: after any other, the process would be ended.

Source: AWS Lambda Developer Guide, "AWS Lambda function errors in Python"; AWS Step Functions Developer Guide, "Error
handling in Step Functions". That the environment is kept: none found; assumed.
Upstream: not reported.
"""
# ruff: noqa: SLF001 - a patch works on private members of the pinned ministack

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

from embedded_aws.seam import wrap

if TYPE_CHECKING:
    from collections.abc import Callable

    Response = dict[str, Any]

_REPORT = '{"status": "error", "error": str(e), "trace": traceback.format_exc()}'
_FULL_REPORT = (
    '{"status": "ok", "error": str(e), "error_type": type(e).__name__, "trace": traceback.format_exc().splitlines()}'
)
_failure = threading.local()


class WorkerScriptChangedError(Exception):
    """ministack's worker script no longer has the line this patch extends."""


def apply() -> None:
    """Carry the class name from the worker to the invocation's result.

    Raises:
        WorkerScriptChangedError: The script is not the one this patch was written for.
    """
    if _REPORT not in lambda_runtime._PYTHON_WORKER_SCRIPT:
        raise WorkerScriptChangedError(f"no {_REPORT} in ministack's Python worker script")
    lambda_runtime._PYTHON_WORKER_SCRIPT = lambda_runtime._PYTHON_WORKER_SCRIPT.replace(_REPORT, _FULL_REPORT)
    wrap(lambda_runtime.Worker, "invoke", _invoke)
    wrap(lambda_svc, "_execute_function_warm", _execute)


def _invoke(original: Callable[..., Response], *args: object, **kwargs: object) -> Response:
    response = original(*args, **kwargs)
    _failure.response = response
    return response


def _execute(original: Callable[..., Response], *args: object) -> Response:
    _failure.response = {}
    result = original(*args)
    failure = _failure.response
    if "error_type" in failure:
        body = {"errorMessage": failure["error"], "errorType": failure["error_type"], "stackTrace": failure["trace"]}
        log = "\n".join([result["log"], *failure["trace"]])
        return {"body": body, "error": True, "log": log}
    return result
