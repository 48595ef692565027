"""Notifications as chats take them. An issue's title is shown as it is: no markup, no mention, no link of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cloud_agent.domain.conversation.notifications import Event

if TYPE_CHECKING:
    from cloud_agent.domain.conversation.notifications import Notification

_HEADINGS = {
    Event.READY: "🟢 Claude is working",
    Event.WAITING: "💬 Claude is waiting for you",
    Event.QUESTION: "❓ Claude asks",
    Event.FAILED: "❌ The session failed",
    Event.ENDED: "✅ The session has ended",
}
_WORD_JOINER = "\u2060"  # invisible


def slack_message(notification: Notification) -> dict[str, Any]:
    """Return a message for an incoming webhook of Slack.

    `text` is what notifications show, in mrkdwn, where `&`, `<` and `>` begin everything that isn't text, such as
    `<!channel>` (Slack: "Formatting message text"). Others' words in the message itself are `plain_text`.
    """
    heading, place, url = _HEADINGS[notification.event], _place(notification), _target(notification)
    blocks: list[dict[str, Any]] = [
        {"type": "section", "text": {"type": "mrkdwn", "text": f"*{heading}*\n<{_slack_url(url)}|{_slack(place)}>"}}
    ]
    blocks += [
        {"type": "section", "text": {"type": "plain_text", "text": words, "emoji": False}}
        for words in _words(notification)
    ]
    what = f"{notification.question} ({place})" if notification.question else f"{place} {notification.issue.title}"
    return {"text": _slack(f"{heading}: {what}".strip()), "blocks": blocks}


def teams_message(notification: Notification) -> dict[str, Any]:
    """Return an Adaptive Card for a webhook of Teams Workflows.

    A TextRun takes no Markdown, which a TextBlock would (Adaptive Cards: "RichTextBlock").
    """
    heading = {"type": "TextRun", "text": _HEADINGS[notification.event], "weight": "Bolder"}
    lines: list[dict[str, Any]] = [heading, *(_run(words) for words in [_place(notification), *_words(notification)])]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [{"type": "RichTextBlock", "inlines": [line]} for line in lines],
        "actions": [{"type": "Action.OpenUrl", "title": "Open on GitHub", "url": _target(notification)}],
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def _place(notification: Notification) -> str:
    number = notification.pull_request.number if notification.pull_request else notification.issue.number
    return f"{notification.repository}#{number}"


def _target(notification: Notification) -> str:
    return notification.pull_request.url if notification.pull_request else notification.issue.url


def _words(notification: Notification) -> list[str]:
    return [words for words in (notification.question, notification.issue.title, notification.reason) if words]


def _slack(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _slack_url(url: str) -> str:
    return _slack(url).replace("|", "%7C")


def _run(text: str) -> dict[str, str]:
    # `{{DATE(…)}}` is replaced wherever it's found (Adaptive Cards: "Text features").
    return {"type": "TextRun", "text": text.replace("{{", "{" + _WORD_JOINER + "{")}
