"""Deployments, their statuses, commit statuses and check runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from local_github.documents.accounts import app, node_id, simple_user

if TYPE_CHECKING:
    from local_github.site import Repository, Site
    from local_github.storage import Row


def deployment(site: Site, repo: Repository, row: Row) -> dict[str, Any]:
    """Describe a deployment."""
    url = f"{repo.api_url}/deployments/{row['id']}"
    return {
        "url": url,
        "id": row["id"],
        "node_id": node_id("DE", row["id"]),
        "sha": row["sha"],
        "ref": row["ref"],
        "task": row["task"],
        "payload": json.loads(row["payload"]),
        "original_environment": row["original_environment"],
        "environment": row["environment"],
        "description": row["description"],
        "creator": simple_user(site, row["creator"]),
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
        "statuses_url": f"{url}/statuses",
        "repository_url": repo.api_url,
        "transient_environment": bool(row["transient"]),
        "production_environment": bool(row["production"]),
        "performed_via_github_app": None,
    }


def deployment_status(site: Site, repo: Repository, row: Row) -> dict[str, Any]:
    """Describe one status of a deployment."""
    deployment_url = f"{repo.api_url}/deployments/{row['deployment_id']}"
    return {
        "url": f"{deployment_url}/statuses/{row['id']}",
        "id": row["id"],
        "node_id": node_id("DES", row["id"]),
        "state": row["state"],
        "creator": simple_user(site, row["creator"]),
        "description": row["description"],
        "environment": row["environment"],
        "target_url": row["log_url"],
        "environment_url": row["environment_url"],
        "log_url": row["log_url"],
        "created_at": row["created_at"],
        "updated_at": row["created_at"],
        "deployment_url": deployment_url,
        "repository_url": repo.api_url,
        "performed_via_github_app": None,
    }


def status(site: Site, repo: Repository, row: Row) -> dict[str, Any]:
    """Describe a status of a commit."""
    creator = simple_user(site, row["creator"])
    return {
        "url": f"{repo.api_url}/statuses/{row['sha']}",
        "avatar_url": creator["avatar_url"],
        "id": row["id"],
        "node_id": node_id("SC", row["id"]),
        "state": row["state"],
        "description": row["description"],
        "target_url": row["target_url"],
        "context": row["context"],
        "created_at": row["created_at"],
        "updated_at": row["created_at"],
        "creator": creator,
    }


def check_run(site: Site, repo: Repository, row: Row) -> dict[str, Any]:
    """Describe a check run of the App."""
    url = f"{repo.api_url}/check-runs/{row['id']}"
    page = f"{repo.html_url}/commit/{row['head_sha']}"
    return {
        "id": row["id"],
        "node_id": node_id("CR", row["id"]),
        "name": row["name"],
        "head_sha": row["head_sha"],
        "external_id": row["external_id"],
        "url": url,
        "html_url": page,
        "details_url": row["details_url"] or page,
        "status": row["status"],
        "conclusion": row["conclusion"],
        "started_at": row["started_at"],
        "completed_at": row["completed_at"],
        "output": {
            "title": row["title"],
            "summary": row["summary"],
            "text": None,
            "annotations_count": 0,
            "annotations_url": f"{url}/annotations",
        },
        "check_suite": {"id": row["id"]},
        "app": app(site),
        "pull_requests": [],
    }
