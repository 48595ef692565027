-- As on GitHub, no id is given twice, not even that of a row that was deleted: AUTOINCREMENT.
CREATE TABLE IF NOT EXISTS users (
    id INTEGER PRIMARY KEY AUTOINCREMENT, login TEXT NOT NULL UNIQUE COLLATE NOCASE, type TEXT NOT NULL, created_at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS tokens (
    id INTEGER PRIMARY KEY AUTOINCREMENT, digest TEXT NOT NULL UNIQUE, login TEXT NOT NULL,
    -- the rest is set for installation tokens only; repositories is a JSON list of ids, null for all
    installation_id INTEGER, repositories TEXT, permissions TEXT, expires_at TEXT
);
-- Whoever authorized the App, and what came of it.
CREATE TABLE IF NOT EXISTS authorizations (
    id INTEGER PRIMARY KEY AUTOINCREMENT, login TEXT NOT NULL UNIQUE COLLATE NOCASE, created_at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS oauth_codes (
    id INTEGER PRIMARY KEY AUTOINCREMENT, digest TEXT NOT NULL UNIQUE, login TEXT NOT NULL, redirect_uri TEXT NOT NULL,
    code_challenge TEXT, expires_at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS user_tokens (
    id INTEGER PRIMARY KEY AUTOINCREMENT, digest TEXT NOT NULL UNIQUE, login TEXT NOT NULL, expires_at TEXT NOT NULL
);
-- Who is signed in to the pages on which the App is authorized, by the digest of a browser's cookie.
CREATE TABLE IF NOT EXISTS browser_sessions (
    id INTEGER PRIMARY KEY AUTOINCREMENT, digest TEXT NOT NULL UNIQUE, login TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS hook (
    id INTEGER PRIMARY KEY CHECK (id = 1), url TEXT NOT NULL, secret TEXT NOT NULL, content_type TEXT NOT NULL,
    insecure_ssl TEXT NOT NULL, created_at TEXT NOT NULL, updated_at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT, guid TEXT NOT NULL, event TEXT NOT NULL, action TEXT,
    redelivery INTEGER NOT NULL, installation_id INTEGER, repository_id INTEGER, payload TEXT NOT NULL,
    -- null until an attempt has ended, well or badly
    delivered_at TEXT, duration REAL, status TEXT, status_code INTEGER,
    url TEXT, request_headers TEXT, response_headers TEXT, response_body TEXT
);
CREATE INDEX IF NOT EXISTS deliveries_pending ON deliveries (id) WHERE delivered_at IS NULL;
CREATE TABLE IF NOT EXISTS repositories (
    id INTEGER PRIMARY KEY AUTOINCREMENT, owner TEXT NOT NULL COLLATE NOCASE, name TEXT NOT NULL COLLATE NOCASE,
    description TEXT, private INTEGER NOT NULL, archived INTEGER NOT NULL,
    created_at TEXT NOT NULL, updated_at TEXT NOT NULL, pushed_at TEXT NOT NULL, UNIQUE (owner, name)
);
CREATE TABLE IF NOT EXISTS collaborators (
    id INTEGER PRIMARY KEY AUTOINCREMENT, repository_id INTEGER NOT NULL, login TEXT NOT NULL COLLATE NOCASE,
    permission TEXT NOT NULL, UNIQUE (repository_id, login)
);
CREATE TABLE IF NOT EXISTS issues (
    id INTEGER PRIMARY KEY AUTOINCREMENT, repository_id INTEGER NOT NULL, number INTEGER NOT NULL,
    title TEXT NOT NULL, body TEXT, author TEXT NOT NULL, state TEXT NOT NULL, state_reason TEXT,
    created_at TEXT NOT NULL, updated_at TEXT NOT NULL, closed_at TEXT, closed_by TEXT,
    -- set for pull requests only; the shas are those last seen, and final once the pull request is closed
    head TEXT, base TEXT, head_sha TEXT, base_sha TEXT, draft INTEGER, merged_at TEXT, merged_by TEXT,
    merge_sha TEXT, UNIQUE (repository_id, number)
);
-- Edits of an issue's or a pull request's text, not of its title.
CREATE TABLE IF NOT EXISTS body_edits (
    id INTEGER PRIMARY KEY AUTOINCREMENT, issue_id INTEGER NOT NULL, editor TEXT NOT NULL, edited_at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS draft_conversions (
    id INTEGER PRIMARY KEY AUTOINCREMENT, issue_id INTEGER NOT NULL, actor TEXT NOT NULL, created_at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS labels (
    id INTEGER PRIMARY KEY AUTOINCREMENT, repository_id INTEGER NOT NULL, name TEXT NOT NULL COLLATE NOCASE,
    color TEXT NOT NULL, description TEXT, UNIQUE (repository_id, name)
);
CREATE TABLE IF NOT EXISTS issue_labels (
    id INTEGER PRIMARY KEY AUTOINCREMENT, issue_id INTEGER NOT NULL, label_id INTEGER NOT NULL, UNIQUE (issue_id, label_id)
);
CREATE TABLE IF NOT EXISTS comments (
    id INTEGER PRIMARY KEY AUTOINCREMENT, repository_id INTEGER NOT NULL, issue_id INTEGER NOT NULL, author TEXT NOT NULL,
    body TEXT NOT NULL, created_at TEXT NOT NULL, updated_at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS reviews (
    id INTEGER PRIMARY KEY AUTOINCREMENT, issue_id INTEGER NOT NULL, author TEXT NOT NULL, body TEXT NOT NULL,
    state TEXT NOT NULL, commit_id TEXT NOT NULL, submitted_at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS review_comments (
    id INTEGER PRIMARY KEY AUTOINCREMENT, repository_id INTEGER NOT NULL, issue_id INTEGER NOT NULL, review_id INTEGER NOT NULL,
    author TEXT NOT NULL, body TEXT NOT NULL, path TEXT NOT NULL, commit_id TEXT NOT NULL,
    line INTEGER, side TEXT NOT NULL, diff_hunk TEXT NOT NULL, in_reply_to_id INTEGER,
    created_at TEXT NOT NULL, updated_at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS reactions (
    id INTEGER PRIMARY KEY AUTOINCREMENT, subject TEXT NOT NULL, subject_id INTEGER NOT NULL, author TEXT NOT NULL,
    content TEXT NOT NULL, created_at TEXT NOT NULL, UNIQUE (subject, subject_id, author, content)
);
CREATE TABLE IF NOT EXISTS deployments (
    id INTEGER PRIMARY KEY AUTOINCREMENT, repository_id INTEGER NOT NULL, sha TEXT NOT NULL, ref TEXT NOT NULL,
    task TEXT NOT NULL, payload TEXT NOT NULL, environment TEXT NOT NULL, original_environment TEXT NOT NULL,
    description TEXT, transient INTEGER NOT NULL, production INTEGER NOT NULL, creator TEXT NOT NULL,
    created_at TEXT NOT NULL, updated_at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS deployment_statuses (
    id INTEGER PRIMARY KEY AUTOINCREMENT, deployment_id INTEGER NOT NULL, state TEXT NOT NULL, description TEXT NOT NULL,
    environment TEXT NOT NULL, environment_url TEXT NOT NULL, log_url TEXT NOT NULL, creator TEXT NOT NULL,
    created_at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS statuses (
    id INTEGER PRIMARY KEY AUTOINCREMENT, repository_id INTEGER NOT NULL, sha TEXT NOT NULL, state TEXT NOT NULL,
    context TEXT NOT NULL, description TEXT, target_url TEXT, creator TEXT NOT NULL, created_at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS check_runs (
    id INTEGER PRIMARY KEY AUTOINCREMENT, repository_id INTEGER NOT NULL, head_sha TEXT NOT NULL, name TEXT NOT NULL,
    status TEXT NOT NULL, conclusion TEXT, external_id TEXT NOT NULL, details_url TEXT, title TEXT, summary TEXT,
    started_at TEXT NOT NULL, completed_at TEXT
);
-- The App's installations, those that were deleted too: an id is never used again.
CREATE TABLE IF NOT EXISTS installations (
    id INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT NOT NULL COLLATE NOCASE, suspended_at TEXT, deleted_at TEXT
);
CREATE TABLE IF NOT EXISTS rulesets (
    id INTEGER PRIMARY KEY AUTOINCREMENT, repository_id INTEGER NOT NULL, name TEXT NOT NULL, target TEXT NOT NULL,
    enforcement TEXT NOT NULL, conditions TEXT NOT NULL, rules TEXT NOT NULL, bypass_actors TEXT NOT NULL,
    created_at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS former_names (
    id INTEGER PRIMARY KEY AUTOINCREMENT, repository_id INTEGER NOT NULL, owner TEXT NOT NULL COLLATE NOCASE,
    name TEXT NOT NULL COLLATE NOCASE, UNIQUE (owner, name)
);
-- What people attached to their texts, which name it by its uuid.
CREATE TABLE IF NOT EXISTS attachments (
    id INTEGER PRIMARY KEY AUTOINCREMENT, uuid TEXT NOT NULL UNIQUE, extension TEXT NOT NULL, content BLOB NOT NULL
);
