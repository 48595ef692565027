"""What programs write when they fail, and what to do about it. The outputs are those of real failures, shortened."""

from __future__ import annotations

import re

import pytest

from cloud_agent_runner.preview.debian_packages import debian_package
from cloud_agent_runner.preview.remedies import remedy

NPM_CA = """\
npm error code SELF_SIGNED_CERT_IN_CHAIN
npm error errno SELF_SIGNED_CERT_IN_CHAIN
npm error request to https://registry.example.com/pnpm failed, reason: self-signed certificate in certificate chain
"""
UV_CA = """\
error: Failed to fetch: https://index.example.com/simple/flask/
  cause: error sending request for url (https://index.example.com/simple/flask/)
  cause: client error (Connect)
  cause: invalid peer certificate: UnknownIssuer
"""
UV_PYTHON_REFUSED = """\
error: Request failed after 3 retries in 8.6s
  cause: error sending request for url (https://github.com/astral-sh/python-build-standalone/releases/download/x.tar.gz)
  cause: client error (Connect)
  cause: tunnel error: unsuccessful
"""
MISE_REFUSED = """\
  node@20  resolving · retrying nodejs.org (attempt 4, 2.6s backoff)  3.0s
mise ERROR Failed to install core:node@20: error sending request: client error (Connect): tunnel error: unsuccessful
warning: mise can't get node@20. What is on the PATH is used.
"""
MISE_UNREACHED = """\
mise ERROR Failed to install core:node@18: error sending request: client error (Connect): dns error: error resolving \
DNS: failed to lookup address information: Name or service not known
"""
MISE_UNKNOWN = """\
mise ERROR Failed to install core:node@99: no version found
warning: mise can't get node@99. What is on the PATH is used.
error web@1.0.0: The engine "node" is incompatible with this module. Expected version "99". Got "24.21.0"
"""
GIT_UNREACHED = "fatal: unable to access 'https://github.com/golang/go/': Could not resolve host: github.com\n"
GIT_REFUSED = "fatal: unable to access 'https://github.com/golang/go/': CONNECT tunnel failed, response 403\n"
MYSQL = """\
        File "<string>", line 27, in find_package_name
      Exception: Can not find valid pkg-config name.
      Specify MYSQLCLIENT_CFLAGS and MYSQLCLIENT_LDFLAGS env vars manually
ERROR: Failed to build 'mysqlclient' when getting requirements to build wheel
"""
CAIRO = """\
      Run-time dependency cairo found: NO  (tried pkg-config and cmake)
      ../cairo/meson.build:31:12: ERROR: Dependency "cairo" not found (tried pkg-config and cmake)
error: metadata-generation-failed
"""
LDAP = """\
      Modules/common.h:15:10: fatal error: lber.h: No such file or directory
         15 | #include <lber.h>
      compilation terminated.
"""
COMPILERS = "A dependency has to be compiled, and the agent image has no C compiler. Use an image .* `COMPILERS`"
NODE_GYP = """\
gyp info spawn args [ 'BUILDTYPE=Release', '-C', 'build' ]
make: Entering directory '/home/workspace/repository/node_modules/better-sqlite3/build'
make: g++: No such file or directory
make: *** [addon.target.mk:120: Release/obj.target/addon/addon.o] Error 127
"""
MESON = """\
      ../meson.build:1:0: ERROR: Unknown compiler(s): [['cc'], ['gcc'], ['clang'], ['nvc'], ['pgcc'], ['icc'], ['icx']]
error: metadata-generation-failed
"""
CMAKE = """\
CMake Error at CMakeLists.txt:2 (project):
  No CMAKE_CXX_COMPILER could be found.
"""
CGO = 'cgo: C compiler "gcc" not found: exec: "gcc": executable file not found in $PATH\n'
NPM_404 = """\
npm error code E404
npm error 404 Not Found - GET https://registry.example.com/@acme%2fui
npm error 404  The requested resource '@acme/ui@1.0.0' could not be found or you do not have permission to access it.
"""
PNPM_404 = """\
 ERR_PNPM_FETCH_404  GET https://registry.example.com/@acme%2Fui: Not Found - 404

@acme/ui is not in the npm registry, or you have no permission to fetch it.

No authorization header was set for the request.
"""
YARN_404 = """\
➤ YN0035: │ @acme/ui@npm:1.0.0: Package not found
➤ YN0035: │   Response Code: 404 (Not Found)
"""
PIP_404 = """\
ERROR: Could not find a version that satisfies the requirement acme-ui (from versions: none)
ERROR: No matching distribution found for acme-ui
"""
UV_404 = (
    "  cause: Because acme-ui was not found in the package registry and you require acme-ui, we can conclude that\n"
)
NPM_401 = """\
npm error code E401
npm error Unable to authenticate, your authentication token seems to be invalid.
npm error 401 Unauthorized - GET https://npm.acme.example/@acme%2fui
"""
NPM_403 = """\
npm error code E403
npm error 403 403 Forbidden - GET https://registry.example.com/is-odd
"""
PIP_PYTHON = """\
ERROR: Ignored the following versions that require a different python version: 6.0 Requires-Python >=3.12; 6.0.1 \
Requires-Python >=3.12
ERROR: Could not find a version that satisfies the requirement django>=6 (from versions: 5.1, 5.2)
"""
NPM_ENGINE = """\
npm error code EBADENGINE
npm error notsup Not compatible with your version of node/npm: undefined
npm error notsup Required: {"node":">=26"}
npm error notsup Actual:   {"node":"v24.21.0","npm":"11.19.1"}
"""
NPM_LOCK = """\
npm error code EUSAGE
npm error `npm ci` can only install packages when your package.json and package-lock.json or npm-shrinkwrap.json are \
in sync. Please update your lock file with `npm install` before continuing.
"""
PNPM_LOCK = (
    ' ERR_PNPM_OUTDATED_LOCKFILE  Cannot install with "frozen-lockfile" because pnpm-lock.yaml is not up to date\n'
)


@pytest.mark.parametrize(
    ("output", "advice"),
    [
        (NPM_CA, "The certificate of registry.example.com comes from .* Add the authority to an agent image"),
        (UV_CA, "The certificate of index.example.com comes from an authority"),
        (UV_PYTHON_REFUSED, "The egress proxy refuses github.com. Add the name to .* `AgentEgressDomains`"),
        (MISE_REFUSED, "The egress proxy refuses nodejs.org."),
        (GIT_REFUSED, "The egress proxy refuses github.com."),
        (GIT_UNREACHED, "The session can't reach github.com. Check the deployment's `AgentEgress`."),
        (MISE_UNREACHED, "The session can't reach a host."),
        (MISE_UNKNOWN, "mise can't get `node@99`. Name a version that exists"),
        (MYSQL, "Debian's `default-libmysqlclient-dev` is missing, and only root can install it."),
        (CAIRO, "Debian's `libcairo2-dev` is missing"),
        (LDAP, "Debian's `libldap-dev` is missing"),
        ("Error: pg_config executable not found.\n", "Debian's `libpq-dev` is missing"),
        ("/usr/bin/ld: cannot find -lxyz: No such file or directory\n", "`xyz` is missing, which a package"),
        ("      error: command 'x86_64-linux-gnu-gcc' failed: No such file or directory\n", COMPILERS),
        ("      error: [Errno 2] No such file or directory: 'x86_64-linux-gnu-gcc'\n", COMPILERS),
        ("unable to execute 'g++': No such file or directory\n", COMPILERS),
        (NODE_GYP, COMPILERS),
        (MESON, COMPILERS),
        (CMAKE, COMPILERS),
        (CGO, COMPILERS),
        ("configure: error: no acceptable C compiler found in $PATH\n", COMPILERS),
        ("mkmf.rb can't find header files\nYou have to install development tools first.\n", COMPILERS),
        ("error: linker `cc` not found\n", COMPILERS),
        ("/bin/sh: 1: cc: not found\n", COMPILERS),
        ("chrome: error while loading shared libraries: libnss3.so: cannot open\n", "Debian's `libnss3` is missing"),
        ("Package vips was not found in the pkg-config search path.\n", "Debian's `libvips-dev` is missing"),
        ("/bin/sh: 1: php: not found\n", "Debian's `php-cli` is missing, and only root can install it."),
        ("make: pkg-config: not found\n/bin/sh: 1: pkg-config: not found\n", "Debian's `pkgconf` is missing"),
        ("/bin/sh: 1: just: not found\n", "`just` isn't installed. Install it in the `install` command"),
        ("/bin/sh: 1: go: not found\n", "`go` isn't installed. Name a version of `go` in `.tool-versions`"),
        ("bash: line 1: bundle: command not found\n", "`bundle` isn't installed. Name a version of `ruby`"),
        ("sh: 1: docker: not found\n", "A session has no container engine."),
        (NPM_401, "There's no valid token for npm.acme.example. Store one as a secret, name it in `env`"),
        (NPM_403, r"Access to registry.example.com is forbidden \(403\)."),
        (NPM_404, "The registry has no `@acme/ui@1.0.0` for this session."),
        (PNPM_404, "The registry has no `@acme/ui` for this session."),
        (YARN_404, "The registry has no `@acme/ui` for this session."),
        ("error Couldn't find package \"@acme/ui\" on the \"npm\" registry.\n", "The registry has no `@acme/ui`"),
        ("error: @acme/ui@1.0.0 failed to resolve\n", "The registry has no `@acme/ui@1.0.0`"),
        (PIP_404, "The registry has no `acme-ui`"),
        (UV_404, "The registry has no `acme-ui`"),
        (PIP_PYTHON, "A dependency needs Python >=3.12. Name such a version in `.python-version`."),
        ("Package 'lunch' requires a different Python: 3.13.5 not in '<3.12'\n", "A dependency needs Python <3.12"),
        ("error: No interpreter found for Python 3.99 in managed installations\n", "There's no Python 3.99"),
        (NPM_ENGINE, "Node.js >=26 is needed. Name such a version in `.nvmrc`."),
        ('error web@1.0.0: The engine "node" is incompatible with this module. Expected version ">=26". Got "24"\n',
         "Node.js >=26 is needed."),
        ("warn: This version of pnpm requires at least Node.js v22.13\n", "Node.js 22.13 is needed."),
        ("Your Ruby version is 3.4.1, but your Gemfile specified 3.2.2\n", "The Gemfile needs Ruby 3.2.2."),
        ("Your Ruby version is 3.4.1, but your Gemfile specified ~> 3.3.0\n", "The Gemfile needs Ruby ~> 3.3.0."),
        ('Your pnpm version is incompatible with "/x".\n\nExpected version: >=9\nGot: 8\n', "pnpm >=9 is needed."),
        ('Your Node version is incompatible with "/x".\n\nExpected version: >=26\n', "Node.js >=26 is needed."),
        ("make: air: No such file or directory\nmake: *** [Makefile:2: dev] Error 127\n", "`air` isn't installed."),
        ("/bin/sh: 1: .venv/bin/python: not found\n", "The repository has no `.venv/bin`: .* by its name alone."),
        (" WARN  GET https://registry.example.com/is-odd error (ERR_INVALID_THIS).\n", "This pnpm is too old"),
        (NPM_LOCK, "`package-lock.json` doesn't match the project. Run `npm install` and commit the file."),
        (PNPM_LOCK, "`pnpm-lock.yaml` doesn't match the project."),
        ("error: The lockfile at `uv.lock` needs to be updated, but\n", "`uv.lock` doesn't match"),
        ("npm error code ERESOLVE\n", "Dependencies want different versions of a peer."),
    ],
)  # fmt: skip
def test_a_failure_is_answered_with_the_one_thing_to_do(output: str, advice: str) -> None:
    assert re.match(advice, remedy(f"earlier line\n{output}"))


LIBPQ_FAILED = 'connection to server at "localhost" (127.0.0.1), port 5432 failed: '
KEY_ERROR = """\
    SECRET = os.environ["SECRET"]
             ~~~~~~~~~~^^^^^^^^^^
  File "<frozen os>", line 685, in __getitem__
KeyError: 'SECRET'
"""


@pytest.mark.parametrize(
    ("output", "host"),
    [
        ("Error: getaddrinfo ENOTFOUND db\n    at GetAddrInfoReqWrap.onlookup\n", "db"),
        ("Error: getaddrinfo EAI_AGAIN api-db\n", "api-db"),
        ('could not translate host name "db" to address: Temporary failure in name resolution\n', "db"),
        ("Error -3 connecting to redis:6379. Temporary failure in name resolution.\n", "redis"),
        ("Can't connect to MySQL server on 'db' ([Errno -3] Temporary failure in name resolution)\n", "db"),
        ("P1001: Can't reach database server at `db:5432`\n", "db"),
        ("dial tcp: lookup db on 127.0.0.11:53: no such host\n", "db"),
        ("java.net.UnknownHostException: db\n", "db"),
        ("php_network_getaddresses: getaddrinfo for mysql failed: Name or service not known\n", "mysql"),
    ],
)
def test_a_name_of_composes_network_is_no_host_of_a_session(output: str, host: str) -> None:
    assert remedy(output).startswith(f"No host is called `{host}` in a session: what a Compose file calls so is on")


@pytest.mark.parametrize(
    ("output", "advice"),
    [
        ("getaddrinfo ENOTFOUND registry.example.com\n", "The session can't reach registry.example.com."),
        ("getaddrinfo ENOTFOUND mongo\n", "MongoDB isn't among the `services` of a session."),
        ("connect ECONNREFUSED 127.0.0.1:27017\n", "MongoDB isn't among the `services` of a session."),
        ("connect ECONNREFUSED ::1:5432\n", "Nothing listens on port 5432. Add `postgres` to `services`."),
        (f"{LIBPQ_FAILED}Connection refused\n", "Nothing listens on port 5432."),
        ("Error 111 connecting to localhost:6379. Connection refused.\n", "Nothing listens on port 6379. Add `redis`"),
        ("dial tcp [::1]:3306: connect: connection refused\n", "Nothing listens on port 3306. Add `mysql`"),
        (
            "Can't connect to local MySQL server through socket '/run/mysqld.sock' (2)\n",
            "Nothing listens on port 3306.",
        ),
        ("Can't reach database server at `localhost:5432`\n", "Nothing listens on port 5432."),
        (f'{LIBPQ_FAILED}FATAL:  role "shop" does not exist\n', "The session's database has no `shop`. Have the app"),
        ("(1049, \"Unknown database 'shop'\")\n", "The session's database has no `shop`."),
        ("connect ECONNREFUSED 127.0.0.1:4000\n", "$"),
        ("error: Environment variable not found: DATABASE_URL.\n", "`DATABASE_URL` isn't set. Put a value"),
        (KEY_ERROR, "`SECRET` isn't set."),
        ("KeyError: 'SECRET_KEY'\n", "$"),
        ("ImproperlyConfigured: Set the SECRET_KEY environment variable\n", "`SECRET_KEY` isn't set."),
        ("decouple.UndefinedValueError: SECRET_KEY not found. Declare it as envvar or\n", "`SECRET_KEY` isn't set."),
        ("1 validation error for Settings\nsecret_key\n  Field required [type=missing]\n", "`SECRET_KEY` isn't set."),
        ("❌ Invalid environment variables: { AUTH_SECRET: [ 'Required' ] }\n", "`AUTH_SECRET` isn't set."),
        ("Error: Missing required environment variable: STRIPE_KEY\n", "`STRIPE_KEY` isn't set."),
        ("Error: Please define the MONGODB_URI environment variable\n", "`MONGODB_URI` isn't set."),
        ("Error: STRIPE_KEY is not defined\n", "`STRIPE_KEY` isn't set."),
        ("ReferenceError: STRIPE_KEY is not defined\n", "$"),
        ('key not found: "SECRET" (KeyError)\n', "`SECRET` isn't set."),
        ("write it to /x/master.key or put it in the ENV['RAILS_MASTER_KEY'].\n", "`RAILS_MASTER_KEY` isn't set."),
    ],
)
def test_what_an_app_misses_is_named(output: str, advice: str) -> None:
    assert re.match(advice, remedy(f"earlier line\n{output}"))


@pytest.mark.parametrize("output", ["", "TypeError: x is not a function\n", "make: *** [Makefile:3: dev] Error 1\n"])
def test_what_is_not_known_gets_no_advice(output: str) -> None:
    assert remedy(output) == ""


def test_no_advice_is_to_describe_the_dev_server() -> None:
    assert debian_package("left-pad") is None
    assert "claude-cloud-agent.yml" not in remedy("/bin/sh: 1: just: not found")
