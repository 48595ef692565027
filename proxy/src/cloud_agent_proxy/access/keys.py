"""The keys that entry links and access cookies are signed with."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

_LEAST_CHARACTERS = 32  # as many bytes as the output of HS256 has: RFC 7518, 3.2

Key = Annotated[SecretStr, Field(min_length=_LEAST_CHARACTERS)]


class AccessKeys(BaseModel):
    """Two keys, so that they can be changed without signing anyone out: one signs, either is believed."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    signing_key: Key
    verifying_key: Key | None = None
    """The key before the present one, or the one to come; absent or empty when there is only one."""

    @field_validator("verifying_key", mode="before")
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return value or None

    @property
    def believed(self) -> list[str]:
        """Return every key whose signature counts, the one that signs first."""
        keys = [self.signing_key, self.verifying_key]
        return [key.get_secret_value() for key in keys if key is not None]
