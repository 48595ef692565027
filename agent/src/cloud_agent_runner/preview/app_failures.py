"""What to do where an app misses something of its environment: a host, a database, or a variable.

Each rule is an advice with the words of programs that it is for: Node.js, libpq, PyMySQL, redis-py, Prisma, Go's net,
the JDK, Rails, django-environ, python-decouple, pydantic-settings and t3-env.
"""

from __future__ import annotations

_DATABASES = {"5432": "postgres", "6379": "redis", "3306": "mysql"}
# Usual hosts and ports of what sessions don't have.
_NOT_HERE = {
    **dict.fromkeys(("mongo", "mongodb", "27017"), "MongoDB"),
    **dict.fromkeys(("elasticsearch", "opensearch", "9200"), "Elasticsearch"),
    **dict.fromkeys(("rabbitmq", "5672"), "RabbitMQ"),
    **dict.fromkeys(("kafka", "9092"), "Kafka"),
    **dict.fromkeys(("minio", "9000"), "MinIO"),
    **dict.fromkeys(("memcached", "11211"), "Memcached"),
}
# Without a dot, as only a network of containers has them.
_HOST = r"(?!localhost\b)([A-Za-z][\w-]*)"
_PORT = rf"({'|'.join((*_DATABASES, *(key for key in _NOT_HERE if key.isdecimal())))})\b"
_HERE = r"(?:127\.0\.0\.1|localhost|\[?::1\]?)"
_IS_MISSING = "(?:(?:is )?(?:not set|required|missing|not defined)|must be set)"
_VARIABLE = r"([A-Z][A-Z0-9]*_[A-Z0-9_]+)"


def _host(name: str) -> str:
    if name in _NOT_HERE:
        return _not_here(_NOT_HERE[name])
    return (
        f"No host is called `{name}` in a session: what a Compose file calls so is on `localhost`. Have the app read "
        "the host from a variable, such as `DB_HOST`, and set that to `localhost` in `.env.example`."
    )


def _port(port: str) -> str:
    if port in _NOT_HERE:
        return _not_here(_NOT_HERE[port])
    return f"Nothing listens on port {port}. Add `{_DATABASES[port]}` to `services`."


def _not_here(name: str) -> str:
    return (
        f"{name} isn't among the `services` of a session. Have the app start without it, or store the address of one "
        "that sessions reach as a secret and name it in `env`."
    )


def _account(name: str) -> str:
    return (
        f"The session's database has no `{name}`. Have the app read `DATABASE_URL`, or name account and database in "
        "the Compose file."
    )


def _variable(name: str) -> str:
    return (
        f"`{name.upper()}` isn't set. Put a value for development into `.env.example` if the app reads `.env`; "
        "otherwise store a secret and name it in `env`."
    )


# Before what is said of a network that a session can't reach: that isn't the cause.
HOST_RULES = (
    (
        _host,
        (
            rf"getaddrinfo (?:ENOTFOUND|EAI_AGAIN) {_HOST}(?![\w.-])",
            rf'could not translate host name "{_HOST}" to address',
            rf"connecting to {_HOST}:\d+\. (?:Temporary failure in name resolution|Name or service not known)",
            rf"Unknown MySQL server host '{_HOST}'",
            rf"Can't connect to MySQL server on '{_HOST}(?::\d+)?' \(\[Errno -\d\]",
            rf"Can't reach database server at `{_HOST}`?:",
            rf"getaddrinfo for {_HOST} failed",
            rf"lookup {_HOST}(?: on [\d.:]+)?: (?:no such host|server misbehaving)",
            rf"UnknownHostException: {_HOST}(?![\w.-])",
            rf"Failed to resolve '{_HOST}'",
        ),
    ),
)
# After all others: what else is wrong may well be why.
APP_RULES = (
    (
        _port,
        (
            rf"ECONNREFUSED {_HERE}:{_PORT}",
            rf"{_HERE}\"?(?: \([\d.:a-f]+\))?, port {_PORT} failed: Connection refused",
            rf"connecting to {_HERE}:{_PORT}\. Connection refused",
            rf"dial tcp {_HERE}:{_PORT}: connect: connection refused",
            rf"Can't reach database server at `{_HERE}`?:`?{_PORT}",
            rf"{_HERE}:{_PORT}: (?:\[Errno 111\] )?Connection refused",
        ),
    ),
    (
        _port("3306"),
        (rf"Can't connect to (?:local )?(?:MySQL )?server (?:on '{_HERE}|through socket)",),
    ),
    (
        _account,
        (
            r'FATAL:  (?:role|database) "([\w-]+)" does not exist',
            r"Unknown database '([\w-]+)'",
            r"Access denied for user '([\w-]+)'@",
        ),
    ),
    (
        _variable,
        (
            r"Environment variable not found: (\w+)",
            r"""(?:<frozen os>|/os\.py)", line \d+, in __getitem__\n(?:.*\n){0,2}KeyError: '(\w+)'""",
            rf"(?:[Ss]et|Define|define|Provide|provide) (?:the |an? )?[`'\"]?{_VARIABLE}[`'\"]? env",
            r"(\w+) not found\. Declare it as envvar",
            r'key not found: "([A-Z][A-Z0-9_]+)" \(KeyError\)',
            r"validation errors? for \w*(?:Settings|Config)\n(\w+)\n  Field required",
            rf"[Ii]nvalid environment variables[^A-Z]{{0,80}}{_VARIABLE}",
            rf"[Mm]issing (?:the )?(?:required )?env(?:ironment)?(?: var(?:iable)?s?)?\W{{1,5}}{_VARIABLE}",
            rf"[Ee]nv(?:ironment)?(?: var(?:iable)?)?\W{{1,3}}{_VARIABLE}\W{{1,3}}{_IS_MISSING}",
            rf"^(?:(?!.*ReferenceError).*Error: )?{_VARIABLE} (?:environment variable )?{_IS_MISSING}",
            r"put it in the ENV\['(RAILS_MASTER_KEY)'\]",
        ),
    ),
)
