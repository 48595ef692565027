"""The forms on the pages: what a person does by hand, in the name of `octo-dev`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anyio import to_thread
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from local_github import pull_requests, tracker
from local_github.actors import Person
from local_github.credentials import PERSON
from local_github.documents import issues
from local_github.pages.form_data import Form, check_origin, read_form
from local_github.permissions import authorize, writing
from local_github.site import Acting, Site

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from local_github.storage import Row


def _text(form: Form, name: str) -> str:
    return form.get(name, "").replace("\r\n", "\n")  # as browsers send the ends of lines


def _open_issue(acting: Acting, form: Form) -> Row:
    return tracker.open_issue(acting, title=_text(form, "title"), body=_text(form, "body"), labels=[])


def _comment(acting: Acting, row: Row, form: Form) -> None:
    tracker.add_comment(acting, row, _text(form, "body"))


def _add_label(acting: Acting, row: Row, form: Form) -> None:
    tracker.add_labels(acting, row, [_text(form, "name").strip()])


def _remove_label(acting: Acting, row: Row, form: Form) -> None:
    tracker.remove_label(acting, row, _text(form, "name"))


def _change_state(acting: Acting, row: Row, form: Form) -> None:
    pull_requests.edit(acting, row, tracker.Edit(row["title"], row["body"], _text(form, "state")))


def _mark_ready(acting: Acting, row: Row, _form: Form) -> None:
    pull = pull_requests.find_pull(acting.site, acting.repo, row["number"])
    pull_requests.set_draft(acting, pull, draft=False)


def _merge(acting: Acting, row: Row, _form: Form) -> None:
    pull = pull_requests.find_pull(acting.site, acting.repo, row["number"])
    pull_requests.merge(acting, pull, pull_requests.MergeCommit())


def _submit(request: Request, form: Form, act: Callable[[Acting, Form], Row]) -> Response:
    site: Site = request.app.state.site
    with site.storage.transaction():
        repo = site.repository(request.path_params["owner"], request.path_params["repo"])
        authorize(site, Person(PERSON), repo, writing())
        row = act(Acting(site, repo, PERSON), form)
    # A path alone: whoever came by 127.0.0.1 stays there, as the pages' own policy for forms demands.
    return RedirectResponse(issues.html_url(repo, row).removeprefix(site.base_url), 303)


def _post(path: str, act_for: Callable[[Request], Callable[[Acting, Form], Row]]) -> Route:
    async def serve(request: Request) -> Response:
        check_origin(request)
        form = await read_form(request)
        return await to_thread.run_sync(_submit, request, form, act_for(request))

    return Route("/{owner}/{repo}/issues" + path, serve, methods=["POST"])


def _on_issue(act: Callable[[Acting, Row, Form], None]) -> Callable[[Request], Callable[[Acting, Form], Row]]:
    """Return what lets `act` work on the issue or pull request that a request's address names."""

    def act_for(request: Request) -> Callable[[Acting, Form], Row]:
        def on_issue(acting: Acting, form: Form) -> Row:
            row = tracker.find_issue(acting.site, acting.repo, request.path_params["number"])
            act(acting, row, form)
            return row

        return on_issue

    return act_for


_ISSUE = "/{number:int}"
ROUTES = [
    _post("", lambda _request: _open_issue),
    _post(f"{_ISSUE}/comments", _on_issue(_comment)),
    _post(f"{_ISSUE}/labels", _on_issue(_add_label)),
    _post(f"{_ISSUE}/labels/remove", _on_issue(_remove_label)),
    _post(f"{_ISSUE}/state", _on_issue(_change_state)),
    _post(f"{_ISSUE}/ready", _on_issue(_mark_ready)),
    _post(f"{_ISSUE}/merge", _on_issue(_merge)),
]
