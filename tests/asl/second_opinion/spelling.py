"""Step Functions spells the members of every API in PascalCase; moto's interpreter leaves out the translation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import botocore.session
from botocore import xform_name

if TYPE_CHECKING:
    from botocore.model import OperationModel, Shape
    from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service import (
        StateTaskService,
    )

_SESSION = botocore.session.get_session()


def to_api(service: StateTaskService, parameters: dict[str, Any], *_: object) -> None:
    """Spell the parameters of a call as its API does."""
    shape = _operation(service, None).input_shape
    if shape is not None:
        _replace(parameters, _respelled(parameters, shape, pascal=False))


def to_step_functions(
    service: StateTaskService,
    response: object,
    boto_service_name: str | None = None,
    service_action_name: str | None = None,
) -> None:
    """Spell an API's response as Step Functions does."""
    del boto_service_name
    shape = _operation(service, service_action_name).output_shape
    if shape is not None and isinstance(response, dict):
        _replace(response, _respelled(response, shape, pascal=True))


def _operation(service: StateTaskService, action: str | None) -> OperationModel:
    model = _SESSION.get_service_model(service._get_boto_service_name())  # noqa: SLF001 - moto has no other way
    wanted = action or service._get_boto_service_action()  # noqa: SLF001 - as above
    return model.operation_model(next(name for name in model.operation_names if xform_name(name) == wanted))


def _respelled(value: Any, shape: Shape, *, pascal: bool) -> Any:  # noqa: ANN401 - an API's document
    if shape.type_name == "structure" and isinstance(value, dict):
        members = {name.lower(): (name, member) for name, member in shape.members.items()}  # type: ignore[attr-defined]  # a structure has them
        found = {}
        for key, each in value.items():
            name, member = members[key.lower()]
            found[name[0].upper() + name[1:] if pascal else name] = _respelled(each, member, pascal=pascal)
        return found
    if shape.type_name == "list" and isinstance(value, list):
        return [_respelled(each, shape.member, pascal=pascal) for each in value]  # type: ignore[attr-defined]  # so has a list
    return value


def _replace(document: dict[str, Any], by: dict[str, Any]) -> None:
    document.clear()
    document.update(by)
