"""What a repository's sessions have installed, for its next ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from cloud_agent.adapters.aws.signed_objects import SignedObjects
from cloud_agent.agent_api.responses import DependencyArchives, Upload
from cloud_agent.agent_api.routes import Routes
from cloud_agent.domain.session.agent_reports import DependencyArchive, DependencyKey
from cloud_agent.domain.session.dependency_cache import place_to_write, places_to_read
from cloud_agent.observability import logger
from cloud_agent.settings import AgentApiSettings, load

if TYPE_CHECKING:
    from cloud_agent.domain.session.session import Session

routes = Routes()


@routes.report("/agent/restore-dependencies", TypeAdapter(DependencyKey), DependencyArchives)
def restore_dependencies(session: Session, wanted: DependencyKey) -> DependencyArchives:
    """Return where installed dependencies of this session's own repository can be had, for a few minutes."""
    settings = load(AgentApiSettings)
    if not settings.dependency_cache_days:
        return DependencyArchives(urls=())
    archives, places = SignedObjects(settings.artifacts_bucket), places_to_read(session, wanted.key)
    return DependencyArchives(urls=tuple(archives.download_url(place.object_key) for place in places))


@routes.report("/agent/save-dependencies", TypeAdapter(DependencyArchive), Upload)
def save_dependencies(session: Session, archive: DependencyArchive) -> Upload:
    """Return where this session's installed dependencies can be put, for a few minutes: these bytes and no others.

    Only what was installed from the default branch's files before Claude's first change is for all sessions of the
    repository; all else is for those of the branch.
    """
    settings = load(AgentApiSettings)
    if not settings.dependency_cache_days:
        return Upload(url=None, headers={})
    place = place_to_write(session, archive)
    url, headers = SignedObjects(settings.artifacts_bucket).upload(place.object_key, archive.size_bytes, archive.sha256)
    logger.info("dependencies to be kept", extra={"scope": place.scope, "bytes": archive.size_bytes})
    return Upload(url=url, headers=headers)
