"""The environment of the doctor's own functions, and the settings of every function of the stack."""

from __future__ import annotations

from pydantic import Field

from cloud_agent.domain.session.entry_link import UatAccess
from cloud_agent.settings import FUNCTIONS as SESSION_FUNCTIONS
from cloud_agent.settings import Settings


class DoctorSettings(Settings):
    """The function that checks the stack on a schedule."""

    stack_name: str = Field(min_length=1)


class CanarySettings(Settings):
    """The function that probes the canary on a schedule."""

    cluster_arn: str = Field(min_length=1)
    canary_service: str = Field(min_length=1)
    uat_url: str = Field(pattern=r"^https?://")
    uat_access: UatAccess
    uat_access_keys_arn: str = Field(min_length=1)


# Logical id in template.yaml -> the settings its code reads: of the sessions' functions and of the doctor's own.
FUNCTIONS: dict[str, type[Settings]] = {
    **SESSION_FUNCTIONS,
    "DoctorFunction": DoctorSettings,
    "CanaryFunction": CanarySettings,
}
