"""What counts as a secret in the commits of a turn, and what doesn't, in real repositories."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from cloud_agent_runner.secret_scan import new_content
from cloud_agent_runner.secret_scan.found_secret import FoundSecret
from cloud_agent_runner.secret_scan.scan import SecretScanError, scan_for_secrets
from cloud_agent_runner.secret_scan.scanner import secrets_between

if TYPE_CHECKING:
    from pathlib import Path

# Put together here, so that nobody's scanner stops a push of this file.
AWS_ID = "AKIA" + "QYLPMN5HFXQ2YZ7T"
AWS_KEY = "wJalrXUtnFEMIK7MDENGbPx" + "RfiCYzX8aQ2dFgHjK"
SHOPIFY = "shpat" + "_1a2b3c4d5e6f7a8b9c0d1e2f3a4b5c6d"
HEX = "0f3c9a7b1de24586" + "a9c4e1b7d2f80356" + "31a8b09c77de5f42" + "6d1e93b05ac2f874"
JWT = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9." + "eyJpc3MiOiIxMjM0NSJ9." + "Qm4xT2hYd0pXc2k1cU1vR2pGZ2xLQ0RmOHJ6Zk5xV0F3"
AWS_CONFIG = f'REGION = "eu-west-1"\nAWS_ACCESS_KEY_ID = "{AWS_ID}"\nAWS_SECRET_ACCESS_KEY = "{AWS_KEY}"\n'


class Repository:
    """A repository whose first commit is what GitHub has."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir()
        self.git("init", "--quiet", "--initial-branch=main")
        self.base = self.commit({"app.py": "print('hello')\n"})

    def git(self, *arguments: str) -> str:
        identity = ("-c", "user.name=a", "-c", "user.email=a@b")
        done = subprocess.run(["git", *identity, *arguments], cwd=self.path, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def commit(self, files: dict[str, str | bytes | None], message: str = "a change") -> str:
        for name, content in files.items():
            path = self.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if content is None:
                path.unlink()
            else:
                path.write_bytes(content.encode() if isinstance(content, str) else content)
        self.git("add", "--all", "--force")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.git("rev-parse", "HEAD")

    def secrets(self, base: str = "") -> list[FoundSecret]:
        return secrets_between(str(self.path), base or self.base, "HEAD")

    def found(self, base: str = "") -> list[tuple[str, str | None, int]]:
        return [(secret.kind, secret.path, secret.line) for secret in self.secrets(base)]


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "repository")


def private_key() -> str:
    key = ed25519.Ed25519PrivateKey.generate()
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(pem, form, serialization.NoEncryption()).decode()


def test_a_secret_is_found_with_its_kind_file_line_and_commit(repository: Repository) -> None:
    commit = repository.commit({"src/config.py": AWS_CONFIG})
    assert repository.secrets() == [
        FoundSecret("aws-access-key-id", "src/config.py", 2, commit),
        FoundSecret("aws-secret-access-key", "src/config.py", 3, commit),
    ]


def test_a_secret_that_a_later_commit_removes_is_found_where_it_was_added(repository: Repository) -> None:
    added = repository.commit({"config.py": f'TOKEN = "{SHOPIFY}"\n'})
    repository.commit({"config.py": 'TOKEN = os.environ["TOKEN"]\n'})
    assert [(secret.commit, secret.line) for secret in repository.secrets()] == [(added, 1)]


def test_a_secret_in_a_commit_message_is_found(repository: Repository) -> None:
    commit = repository.commit({}, f"Use the token {SHOPIFY}")
    assert repository.secrets() == [FoundSecret("shopify-access-token", None, 1, commit)]


@pytest.mark.parametrize("path", ["logs/{}.txt", "cache/{}/index.json", "{}"])
def test_a_secret_in_a_path_is_found_and_not_repeated(repository: Repository, path: str) -> None:
    repository.commit({"copied.txt": "x\n"})
    before = repository.git("rev-parse", "HEAD")
    commit = repository.commit({path.format(SHOPIFY): "x\n"})  # whose content is published already
    found = FoundSecret("shopify-access-token", path.format("…"), 1, commit)
    assert [found] == repository.secrets(before)


def test_a_secret_that_only_a_merge_brings_is_found(repository: Repository) -> None:
    repository.git("checkout", "--quiet", "-b", "side")
    repository.commit({"side.py": "pass\n"})
    repository.git("checkout", "--quiet", "main")
    repository.commit({"main.py": "pass\n"})
    repository.git("merge", "--quiet", "--no-ff", "--no-commit", "side")
    merge = repository.commit({"merged.py": f'TOKEN = "{SHOPIFY}"\n'})
    assert repository.secrets() == [FoundSecret("shopify-access-token", "merged.py", 1, merge)]


def test_what_the_base_has_is_no_news_also_in_a_changed_moved_or_copied_file(repository: Repository) -> None:
    base = repository.commit({"old.py": AWS_CONFIG, ".env": f"TOKEN={SHOPIFY}\n", "key.pem": private_key()})
    text = (repository.path / "key.pem").read_text()
    repository.commit({"old.py": f"# changed\n{AWS_CONFIG}", "moved/.env": f"TOKEN={SHOPIFY}\n", ".env": None})
    repository.commit({"copy.py": f"import os\n{AWS_CONFIG}", "README.md": f"```\n{text}```\n"})
    assert repository.found(base) == []


@pytest.mark.parametrize(
    "mark", ["gitleaks:allow", "betterleaks:allow", "kingfisher:ignore", "pragma: allowlist secret"]
)
def test_a_mark_beside_the_value_does_not_allow_it(repository: Repository, mark: str) -> None:
    repository.commit({"config.py": f'TOKEN = "{SHOPIFY}"  # {mark}\n'})
    assert repository.found() == [("shopify-access-token", "config.py", 1)]


@pytest.mark.parametrize("path", ["package-lock.json", "node_modules/a.js", "logo.svg", "a b/ä.py", "--x", ":(top)y"])
def test_a_secret_is_found_whatever_the_name_of_its_file(repository: Repository, path: str) -> None:
    repository.commit({path: f'token = "{SHOPIFY}"\n'})
    assert repository.found() == [("shopify-access-token", path, 1)]


@pytest.mark.parametrize(
    ("path", "content", "kind", "line"),
    [
        (".env", "# settings\nPORT=3000\n", "environment-file", 2),
        ("api/.env.production", "export A=b\n", "environment-file", 1),
        (".npmrc", "registry=https://npm.acme.io\n//npm.acme.io/:_authToken=3f1b\n", "npm-credentials", 2),
        (".netrc", "machine a.io\nlogin b password c\n", "netrc", 2),
        (".git-credentials", "https://a:b@github.com\n", "git-credentials", 1),
        (".pypirc", "[pypi]\npassword = a\n", "pypi-credentials", 2),
        ("certs/store.p12", b"\x30\x82\x00\xff", "key-store", 1),
        ("id_ed25519", "what no scanner knows\n", "private-key", 1),
        ("key.pem", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n", "private-key", 1),
        ("google.json", '{\n "private_key": "a",\n "type": "service_account"\n}\n', "google-service-account", 3),
        ("config/master.key", f"{HEX[:32]}\n", "rails-master-key", 1),
        ("config/credentials/production.key", HEX[:32], "rails-master-key", 1),
        (
            "config/secrets.yml",
            f"test:\n  secret_key_base: a\n\nproduction:\n  host: b\n\n  secret_key_base: {HEX * 2}\n",
            "rails-secret-key-base",
            7,
        ),
        ("wp-config.php", "<?php\ndefine( 'DB_PASSWORD', 'lunch' );\n", "wordpress-credentials", 2),
        ("blog/wp-config.php", "<?php define('X', 1);\ndefine('NONCE_KEY',  'a%B');\n", "wordpress-credentials", 2),
        (".aws/credentials", "[default]\naws_secret_access_key = lunch\n", "aws-credentials", 2),
        (".s3cfg", "access_key = a\nsecret_key = lunch\n", "s3-credentials", 2),
        (".docker/config.json", '{"auths": {"a.io": {\n"auth": "bHVuY2g="}}}\n', "docker-credentials", 2),
        (".pgpass", "# host:port:database:user:password\ndb:5432:*:lunch:soup\n", "database-password", 2),
        (".my.cnf", "[client]\npassword=soup\n", "database-password", 2),
        (".idea/webServers.xml", '<fileTransfer host="a" password="dff9" />\n', "deployment-password", 1),
        (".vscode/sftp.json", '{\n  "password": "soup"\n}\n', "deployment-password", 2),
        ("ftp/sitemanager.xml", '<Server>\n<Pass encoding="base64">c291cA==</Pass>\n', "deployment-password", 2),
        (".msmtprc", "host a.io\npassword soup\n", "mail-password", 2),
        ("web/.htpasswd", "lunch:$apr1$abcd$0123456789\n", "password-hashes", 1),
        ("profile/logins.json", '{"encryptedPassword": "MDkE"}\n', "browser-passwords", 1),
        ("docker/api.env", "PORT=3000\nLUNCH_TOKEN=soup\n", "environment-file", 2),
        (".envrc", "export LUNCH_TOKEN=soup\n", "shell-profile", 1),
        (".bashrc", "alias l=ls\nexport LUNCH_API_KEY=soup\n", "shell-profile", 2),
    ],
)
def test_a_new_file_that_holds_secrets_by_its_name_is_found(
    repository: Repository, path: str, content: str | bytes, kind: str, line: int
) -> None:
    repository.commit({path: content})
    assert repository.found() == [(kind, path, line)]


def test_a_file_that_holds_secrets_by_its_name_may_change(repository: Repository) -> None:
    base = repository.commit({".env": "PORT=3000\n"})
    repository.commit({".env": "PORT=3001\n"})
    assert repository.found(base) == []


@pytest.mark.parametrize(
    ("path", "content"),
    [
        (".env.example", "TOKEN=put-yours-here\n"),
        (".env.local.template", "TOKEN=x\n"),
        (".env", "# TOKEN=\nTOKEN=\nOTHER=''\n"),
        (".npmrc", "//npm.acme.io/:_authToken=${NPM_TOKEN}\n"),
        ("ca.pem", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"),
        ("tsconfig.json", '{"type": "module"}\n'),
        ("api/master.key", "lunch\n"),
        ("config/secrets.yml", f"test:\n  secret_key_base: {HEX * 2}\nproduction:\n  secret_key_base: <%= a %>\n"),
        ("wp-config.php", "<?php\ndefine('DB_PASSWORD', getenv('A'));\ndefine('AUTH_KEY', 'put your phrase here');\n"),
        ("wp-config-sample.php", "<?php\ndefine('DB_PASSWORD', 'soup');\n"),
        (".docker/config.json", '{"auths": {"a.io": {}}, "credsStore": "pass"}\n'),
        (".pgpass", "# host:port:database:user:password\n"),
        (".my.cnf", "[client]\npassword=\nuser=lunch\n"),
        (".idea/webServers.xml", '<fileTransfer host="a" />\n'),
        (".vscode/sftp.json", '{"password": "", "privateKeyPath": "~/.ssh/id_rsa"}\n'),
        ("src/shadow", "a { box-shadow: none }\n"),
        ("logins.json", '{"logins": []}\n'),
        ("docker/api.env", "PORT=3000\nTOKEN=\nSECRET=$OTHER\n"),
        ("docker/example.env", "LUNCH_TOKEN=soup\n"),
        (".bashrc", "export GITHUB_TOKEN=$(pass github)\nexport MONKEY=lunch\n"),
        ("compose.yaml", "MONGO: mongodb://root:example@mongo:27017/lunch\n"),
        ("docs.md", "mongodb://YOUR_USERNAME:YOUR_PASSWORD@cluster.mongodb.net/test\n"),
        ("docs.md", '{"type":"service_account","private_key":"-----BEGIN PRIVATE KEY-----\\n...\\n"}\n'),
        ("test.py", f"github_sha = '{HEX[:40]}'\n"),
        ("docs.md", "postgres://user:password@localhost:5432/app\n"),
        ("docs.md", "curl -H 'Authorization: Bearer your-api-key-here' https://acme.io\n"),
        ("README.md", "AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE\n"),
        ("yarn.lock", f"a@^1:\n  integrity sha512-{'aB3d/' * 17}Q==\n"),
        (
            "package-lock.json",
            '"integrity": "sha512-BSA4KlF48fSZhmSZ0gUz0SYbLYh0sRH3be2+dz1YXhAomDvyuuBKXHLiIOIJ3Qot18HLeag8x="\n',
        ),
        ("go.sum", f"github.com/a/b v1.0.0 h1:{'aB3d+' * 8}xyz=\n"),
    ],
)
def test_what_is_no_secret_is_not_found(repository: Repository, path: str, content: str) -> None:
    repository.commit({path: content})
    assert repository.found() == []


def test_a_key_whose_format_is_short_is_found_between_edges(repository: Repository) -> None:
    repository.commit({"a.py": f'KEY = "{"BSA" + "4KlF48fSZhmSZ0gUz0SYbLYh0sR"}"\n'})
    assert repository.found() == [("brave-search-api-key", "a.py", 1)]


def test_a_database_password_counts_once_it_looks_random(repository: Repository) -> None:
    repository.commit({"a.py": f"connect('postgres://app:{'x7Kq9' + 'LmT2vR8'}@db.acme.io/shop')\n"})
    assert repository.found() == [("generic-credential-uri", "a.py", 1)]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (f'TOKEN = "ghs_12345_{JWT}"', "github-app-token"),
        (f"oauth_token: {HEX[:40]}", "github-token"),
        (f"export JEKYLL_GITHUB_TOKEN='{HEX[:40]}'", "github-token"),
        (f'"resolved": "git+https://{HEX[:40]}:x-oauth-basic@github.com/acme/lunch.git"', "basic-auth-token"),
        ("shpss" + "_QlRSJy5AXX1cILNjVatTsEIhFxuPF5ex", "shopify-access-token"),
        ("tskey-auth-" + "kZ3x9Qw1B2CNTRL-" + "uY7tR5eW3qA1sD9fG6hJ4kL2", "tailscale-key"),
        ("mongodb://lunch:soup@ds048537.mlab.com:48537/main", "mongodb-connection-string"),
        ("mongodb://lunch:s0upOfTheDay7@mongo:27017/main", "mongodb-connection-string"),
    ],
)
def test_a_format_that_services_use_is_found(repository: Repository, text: str, kind: str) -> None:
    repository.commit({"app.txt": f"{text}\n"})
    assert repository.found() == [(kind, "app.txt", 1)]


def test_a_file_is_read_in_pieces_that_lose_neither_secrets_nor_lines(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(new_content, "_PIECE_BYTES", 4096)
    monkeypatch.setattr(new_content, "_OVERLAP_BYTES", 1024)
    filler = "nothing to see in this line\n"
    for before in range(140, 150):
        repository.commit({f"{before}.py": f'{filler * before}token = "{SHOPIFY}"\n{filler * 300}'})
    expected = [("shopify-access-token", f"{before}.py", before + 1) for before in range(140, 150)]
    assert sorted(repository.found()) == sorted(expected)


def test_a_submodule_and_a_deleted_file_are_no_content(repository: Repository) -> None:
    repository.git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},vendor")
    repository.git("rm", "--quiet", "app.py")
    repository.git("commit", "--quiet", "--message", "a submodule")
    assert repository.found() == []


async def test_the_scanner_runs_in_a_process_of_its_own_that_prints_no_value(
    repository: Repository,
) -> None:
    commit = repository.commit({"config.py": f'TOKEN = "{SHOPIFY}"\n'})
    found = await scan_for_secrets(repository.path, repository.base, "HEAD")
    assert found == [FoundSecret("shopify-access-token", "config.py", 1, commit)]
    assert SHOPIFY not in repr(found)


async def test_a_scan_that_fails_says_so(repository: Repository) -> None:
    with pytest.raises(SecretScanError, match="couldn't be scanned"):
        await scan_for_secrets(repository.path, "0" * 40, "HEAD")
