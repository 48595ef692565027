"""Defect: a listener has one certificate; Add-, Remove- and DescribeListenerCertificates are unknown.

AWS documents them for the certificates that a listener chooses from by the name a visitor asks for. Described are
these and the default one, which is marked; one that is both is described twice.

Source: SDK model "elbv2": AddListenerCertificates, RemoveListenerCertificates and DescribeListenerCertificates.
Upstream: not reported.
"""
# ruff: noqa: SLF001 - a patch works on private members of the pinned ministack

from __future__ import annotations

from typing import Any

from ministack.services import alb

_MORE = "_MoreCertificates"  # on the listener's record, so that they are kept and deleted with it


def apply() -> None:
    """Add the three operations."""
    alb._ACTION_MAP |= {
        "AddListenerCertificates": _add,
        "RemoveListenerCertificates": _remove,
        "DescribeListenerCertificates": _describe,
    }


def _add(params: dict[str, Any]) -> object:
    def add(listener: dict[str, Any]) -> object:
        given = alb._parse_certificate_arns(params)
        listener[_MORE] = list(dict.fromkeys([*listener.get(_MORE, []), *given]))
        return _answer("AddListenerCertificates", [(arn, False) for arn in given])

    return _of_listener(params, add)


def _remove(params: dict[str, Any]) -> object:
    def remove(listener: dict[str, Any]) -> object:
        given = alb._parse_certificate_arns(params)
        if set(given) & set(listener.get("Certificates", [])):
            return alb._error("OperationNotPermitted", "Default certificate cannot be removed")
        listener[_MORE] = [arn for arn in listener.get(_MORE, []) if arn not in given]
        return alb._empty("RemoveListenerCertificates")

    return _of_listener(params, remove)


def _describe(params: dict[str, Any]) -> object:
    def describe(listener: dict[str, Any]) -> object:
        default, more = listener.get("Certificates", []), listener.get(_MORE, [])
        described = [(arn, True) for arn in default] + [(arn, False) for arn in more]
        return _answer("DescribeListenerCertificates", described)

    return _of_listener(params, describe)


def _of_listener(params: dict[str, Any], answer: Any) -> object:  # noqa: ANN401 - a function of ministack's record
    arn = alb._p(params, "ListenerArn")
    if arn not in alb._listeners:
        return alb._error("ListenerNotFound", f"Listener '{arn}' not found")
    return answer(alb._listeners[arn])


def _answer(action: str, certificates: list[tuple[str, bool]]) -> object:
    members = "".join(
        f"<member><CertificateArn>{arn}</CertificateArn><IsDefault>{str(is_default).lower()}</IsDefault></member>"
        for arn, is_default in certificates
    )
    return alb._xml(200, action, f"<Certificates>{members}</Certificates>")
