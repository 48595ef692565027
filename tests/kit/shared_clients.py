"""A boto3 session whose clients outlive a test: making one takes longer than most of its calls."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import boto3

if TYPE_CHECKING:
    from collections.abc import Callable


class SharedClients(boto3.Session):
    """Makes a client or a resource once for the same arguments and the same AWS variables in the environment.

    Whoever registers with a client's events unregisters afterwards: the next test has the same client.
    """

    def __init__(self, **credentials: Any) -> None:  # noqa: ANN401 - as boto3 takes them
        super().__init__(**credentials)
        self._made: dict[tuple[object, ...], Any] = {}

    def client(self, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - boto3 makes its clients at run time
        return self._once(super().client, arguments, options)

    def resource(self, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - as above
        return self._once(super().resource, arguments, options)

    def _once(self, make: Callable[..., Any], arguments: tuple[Any, ...], options: dict[str, Any]) -> Any:  # noqa: ANN401
        variables = sorted((name, value) for name, value in os.environ.items() if name.startswith("AWS_"))
        key = (make.__name__, arguments, *sorted(options.items(), key=lambda option: option[0]), *variables)
        if key not in self._made:
            self._made[key] = make(*arguments, **options)
        return self._made[key]
