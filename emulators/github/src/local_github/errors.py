"""The errors a client sees, in GitHub's shape: message, errors[], documentation_url, status."""

from __future__ import annotations

from typing import Any

DOCUMENTATION_URL = "https://docs.github.com/rest"


class ApiError(Exception):
    """An answer other than success; `status` is the HTTP status code, `errors` GitHub's list of causes."""

    status = 500

    def __init__(self, message: str, *, errors: tuple[dict[str, Any], ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.errors = errors

    def document(self) -> dict[str, Any]:
        """Return the JSON body of the answer."""
        body: dict[str, Any] = {"message": self.message}
        if self.errors:
            body["errors"] = list(self.errors)
        return {**body, "documentation_url": DOCUMENTATION_URL, "status": str(self.status)}


class BadRequestError(ApiError):
    """The body is not the JSON it should be."""

    status = 400


class UnauthenticatedError(ApiError):
    """No credential, or one that is unknown, malformed or expired."""

    status = 401


class ForbiddenError(ApiError):
    """The credential is good but does not reach that far."""

    status = 403

    @classmethod
    def for_integration(cls) -> ForbiddenError:
        """Say what GitHub says to an App whose token lacks the permission."""
        return cls("Resource not accessible by integration")


class ArchivedError(ForbiddenError):
    """The repository was archived: it can be read, and nothing else."""

    def __init__(self) -> None:
        super().__init__("Repository was archived so is read-only.")


class MovedError(ApiError):
    """The repository `former` (owner/name) is now called `current`; `repository_id` it keeps."""

    status = 301

    def __init__(self, former: str, current: str, repository_id: int) -> None:
        super().__init__("Moved Permanently")
        self.former = former
        self.current = current
        self.repository_id = repository_id


class NotFoundError(ApiError):
    """The thing does not exist, or the caller may not know that it does."""

    status = 404

    def __init__(self, message: str = "Not Found") -> None:
        super().__init__(message)


class NotAllowedError(ApiError):
    """The state of the pull request forbids the merge."""

    status = 405


class ConflictError(ApiError):
    """The state of the repository has moved on, or it has no commit yet."""

    status = 409


class InvalidError(ApiError):
    """The request is understood and refused; `message` alone, or "Validation Failed" with causes."""

    status = 422

    @classmethod
    def of(cls, resource: str, code: str, *, field: str = "", message: str = "") -> InvalidError:
        """Name the resource and what is wrong with it, as GitHub's `errors[]` does."""
        cause = {"resource": resource, "code": code, "field": field, "message": message}
        return cls("Validation Failed", errors=({key: text for key, text in cause.items() if text},))
