"""A GitHub for one machine: REST, GraphQL, git over HTTP, signed webhooks and pages for a person.

Git is the only truth for refs, commits and diffs; what git cannot hold (issues, comments, deployments,
deliveries) stands in SQLite. Everything lives below one data directory and survives a restart.
"""
