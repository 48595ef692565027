"""The files that people attached to what a session is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from cloud_agent.adapters.github.connection import connect
from cloud_agent.adapters.github.requests import SHORT
from cloud_agent.adapters.table.prompts import Prompts
from cloud_agent.agent_api.responses import Attachment, Attachments
from cloud_agent.agent_api.routes import Routes
from cloud_agent.domain.conversation.attachments import SIGNED_LIMIT, attachments_of, signed_addresses
from cloud_agent.domain.session.agent_reports import AttachmentsOf
from cloud_agent.observability import logger
from cloud_agent.settings import AgentApiSettings, load

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloud_agent.domain.session.session import Session

routes = Routes()


@routes.report("/agent/attachments", TypeAdapter(AttachmentsOf), Attachments)
def attachments(session: Session, wanted: AttachmentsOf) -> Attachments:
    """Return where the files can be fetched that an unanswered prompt names, and the discussion beside it.

    To be asked right before they're fetched: GitHub's addresses are good for about five minutes. Each text that names
    files costs a request to GitHub, a review two.
    """
    settings = load(AgentApiSettings)
    unanswered = Prompts(settings.sessions_table).unanswered(session.session_id)
    found = [file for prompt in unanswered if prompt.id == wanted.prompt_id for file in attachments_of(prompt)]
    signable = found[:SIGNED_LIMIT]
    sources = dict.fromkeys(file.source for file in signable if file.uuid)
    signed = _signed(session, sources, settings) if sources else {}
    addresses = {file.url: file.fetched_from(signed) for file in signable}
    logger.info("attachments looked up", extra={"attachments": len(found), "signed": len(signed)})
    return Attachments(
        attachments=tuple(
            Attachment(url=file.url, source=file.source, signed_url=addresses.get(file.url)) for file in found
        )
    )


def _signed(session: Session, sources: Iterable[str], settings: AgentApiSettings) -> dict[str, str]:
    """Return the signed addresses in these texts, by the files' UUIDs."""
    texts = connect(settings, session.repository, SHORT).rendered_texts
    found = [signed_addresses(texts.html(source)) for source in sources]
    return {uuid: address for of_text in found for uuid, address in of_text.items()}
