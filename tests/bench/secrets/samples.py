"""Made-up credentials in the documented formats of their providers, and text that only looks like credentials.

Everything is drawn at random from a seed, so nothing here is or was anybody's, and no value stands in the repository.
"""

from __future__ import annotations

import base64
import json
import random
import string
import uuid
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

ALNUM = string.ascii_letters + string.digits
BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
BASE64 = ALNUM + "+/"
HEX = "0123456789abcdef"
LOWER = string.ascii_lowercase + string.digits
UPPER = string.ascii_uppercase + string.digits
URL_SAFE = ALNUM + "-_"


@dataclass(frozen=True)
class Sample:
    """One file, and the lines of it that hold a credential (none: it must not be reported)."""

    kind: str
    path: str
    text: str
    secret_lines: frozenset[int] = frozenset()


class Generator:
    """A source of random credentials that gives the same ones for the same seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - nothing that anybody relies on

    def of(self, alphabet: str, length: int) -> str:
        """Return `length` random letters of an alphabet."""
        return "".join(self._random.choices(alphabet, k=length))

    def choice(self, options: list[str]) -> str:
        """Return one of some options."""
        return self._random.choice(options)

    def uuid(self) -> str:
        """Return a random UUID."""
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def bytes(self, length: int) -> bytes:
        """Return random bytes."""
        return self._random.randbytes(length)

    def checksummed(self, prefix: str) -> str:
        """Return a token as GitHub and npm make them: thirty letters, then their CRC-32 in base 62."""
        body = self.of(ALNUM, 30)
        number, digits = zlib.crc32(body.encode()), ""
        for _ in range(6):
            number, digit = divmod(number, 62)
            digits = BASE62[digit] + digits
        return prefix + body + digits

    def credentials(self) -> dict[str, tuple[str, str]]:
        """Return for each kind of credential the name that a variable for it has, and a value."""
        of = self.of
        return {
            "airtable": ("AIRTABLE_TOKEN", f"pat{of(ALNUM, 14)}.{of(HEX, 64)}"),
            "anthropic": ("ANTHROPIC_API_KEY", f"sk-ant-api03-{of(URL_SAFE, 93)}AA"),
            "atlassian": ("JIRA_API_TOKEN", f"ATATT3xFfGF0{of(URL_SAFE, 171)}={of(HEX.upper(), 8)}"),
            "azure-storage": (
                "AZURE_STORAGE_CONNECTION_STRING",
                f"DefaultEndpointsProtocol=https;AccountName={of(LOWER, 12)};AccountKey={of(BASE64, 86)}==",
            ),
            "azure-ad": ("AZURE_CLIENT_SECRET", f"{of(ALNUM, 3)}8Q~{of(URL_SAFE, 34)}"),
            "buildkite": ("BUILDKITE_TOKEN", f"bkua_{of(HEX, 40)}"),
            "cloudflare": ("CLOUDFLARE_API_TOKEN", of(URL_SAFE, 40)),
            "databricks": ("DATABRICKS_TOKEN", f"dapi{of(HEX, 32)}"),
            "datadog": ("DATADOG_API_KEY", of(HEX, 32)),
            "digitalocean": ("DIGITALOCEAN_TOKEN", f"dop_v1_{of(HEX, 64)}"),
            "discord": ("DISCORD_TOKEN", f"MT{of(ALNUM, 24)}.G{of(ALNUM, 5)}.{of(URL_SAFE, 38)}"),
            "docker": ("DOCKER_TOKEN", f"dckr_pat_{of(URL_SAFE, 27)}"),
            "doppler": ("DOPPLER_TOKEN", f"dp.pt.{of(ALNUM, 43)}"),
            "dynatrace": ("DYNATRACE_TOKEN", f"dt0c01.{of(UPPER, 24)}.{of(UPPER, 64)}"),
            "figma": ("FIGMA_TOKEN", f"figd_{of(URL_SAFE, 40)}"),
            "github": ("GITHUB_TOKEN", self.checksummed("ghp_")),
            "github-app": ("GITHUB_TOKEN", self.checksummed("ghs_")),
            "github-fine-grained": ("GITHUB_TOKEN", f"github_pat_{of(UPPER, 22)}_{of(ALNUM, 59)}"),
            "gitlab": ("GITLAB_TOKEN", f"glpat-{of(URL_SAFE, 20)}"),
            "google": ("GOOGLE_API_KEY", f"AIzaSy{of(URL_SAFE, 33)}"),
            "grafana": ("GRAFANA_TOKEN", f"glsa_{of(ALNUM, 32)}_{of(HEX, 8)}"),
            "groq": ("GROQ_API_KEY", f"gsk_{of(ALNUM, 20)}WGdyb3FY{of(ALNUM, 24)}"),
            "heroku": ("HEROKU_API_KEY", f"HRKU-AA{of(URL_SAFE, 58)}"),
            "hugging-face": ("HF_TOKEN", f"hf_{of(string.ascii_letters, 34)}"),
            "linear": ("LINEAR_API_KEY", f"lin_api_{of(ALNUM, 40)}"),
            "mailchimp": ("MAILCHIMP_API_KEY", f"{of(HEX, 32)}-us{of('12', 2)}"),
            "mailgun": ("MAILGUN_API_KEY", f"key-{of(HEX, 32)}"),
            "netlify": ("NETLIFY_TOKEN", f"nfp_{of(ALNUM, 36)}"),
            "new-relic": ("NEW_RELIC_API_KEY", f"NRAK-{of(UPPER, 27)}"),
            "notion": ("NOTION_TOKEN", f"ntn_{of(string.digits, 11)}{of(ALNUM, 35)}"),
            "npm": ("NPM_TOKEN", self.checksummed("npm_")),
            "openai": ("OPENAI_API_KEY", f"sk-proj-{of(URL_SAFE, 74)}T3BlbkFJ{of(URL_SAFE, 74)}"),
            "perplexity": ("PERPLEXITY_API_KEY", f"pplx-{of(ALNUM, 48)}"),
            "planetscale": ("PLANETSCALE_TOKEN", f"pscale_tkn_{of(URL_SAFE, 43)}"),
            "postgres": (
                "DATABASE_URL",
                f"postgres://{of(LOWER, 8)}:{of(ALNUM, 20)}@db.acme.io:5432/shop",
            ),
            "postman": ("POSTMAN_API_KEY", f"PMAK-{of(HEX, 24)}-{of(HEX, 34)}"),
            "pypi": ("PYPI_TOKEN", f"pypi-AgEIcHlwaS5vcmc{of(URL_SAFE, 150)}"),
            "replicate": ("REPLICATE_API_TOKEN", f"r8_{of(ALNUM, 37)}"),
            "rubygems": ("GEM_HOST_API_KEY", f"rubygems_{of(HEX, 48)}"),
            "sendgrid": ("SENDGRID_API_KEY", f"SG.{of(URL_SAFE, 22)}.{of(URL_SAFE, 43)}"),
            "sentry": ("SENTRY_AUTH_TOKEN", f"sntryu_{of(HEX, 64)}"),
            "shopify": ("SHOPIFY_TOKEN", f"shpat_{of(HEX, 32)}"),
            "slack-bot": ("SLACK_BOT_TOKEN", f"xoxb-{of('123456789', 12)}-{of('123456789', 13)}-{of(ALNUM, 24)}"),
            "slack-webhook": (
                "SLACK_WEBHOOK_URL",
                f"https://hooks.slack.com/services/T{of(UPPER, 10)}/B{of(UPPER, 10)}/{of(ALNUM, 24)}",
            ),
            "square": ("SQUARE_ACCESS_TOKEN", f"EAAA{of(URL_SAFE, 60)}"),
            "stripe": ("STRIPE_SECRET_KEY", f"sk_live_{of(ALNUM, 99)}"),
            "stripe-restricted": ("STRIPE_KEY", f"rk_live_{of(ALNUM, 24)}"),
            "supabase": ("SUPABASE_ACCESS_TOKEN", f"sbp_{of(HEX, 40)}"),
            "telegram": ("TELEGRAM_BOT_TOKEN", f"{of('123456789', 10)}:AA{of(URL_SAFE, 33)}"),
            "terraform-cloud": ("TF_API_TOKEN", f"{of(ALNUM, 14)}.atlasv1.{of(ALNUM, 67)}"),
            "twilio": ("TWILIO_API_KEY", f"SK{of(HEX, 32)}"),
            "vault": ("VAULT_TOKEN", f"hvs.{of(URL_SAFE, 95)}"),
            "password": ("ADMIN_PASSWORD", of(ALNUM + "!#%*", 18)),
            "secret-key": ("SECRET_KEY", of(URL_SAFE, 50)),
        }


# How one and the same value stands in a file: path, and the text around NAME and VALUE.
CONTEXTS: list[tuple[str, str]] = [
    ("src/settings.py", 'import os\n\n{NAME} = "{VALUE}"\n'),
    ("config/default.json", '{{\n  "port": 3000,\n  "{NAME}": "{VALUE}"\n}}\n'),
    ("deploy/values.yaml", "replicas: 2\nenv:\n  {NAME}: {VALUE}\n"),
    ("src/client.ts", 'import {{ connect }} from "./net";\n\nexport const {CAMEL} = "{VALUE}";\n'),
    ("Dockerfile", "FROM node:24-slim\n\nENV {NAME}={VALUE}\n"),
    ("README.md", "# Shop\n\nRun `{NAME}={VALUE} npm start`.\n"),
]


def positives(seed: int, draws: int) -> list[Sample]:
    """Return each kind of credential, `draws` times in each context, then those with a form of their own."""
    generator = Generator(seed)
    samples = []
    for draw in range(draws):
        for path, template in CONTEXTS:
            for kind, (name, value) in generator.credentials().items():
                camel = "".join(
                    word.capitalize() if index else word for index, word in enumerate(name.lower().split("_"))
                )
                text = template.format(NAME=name, CAMEL=camel, VALUE=value)
                samples.append(_located(kind, f"{draw}/{path}", text, value))
        samples += [_with_folder(sample, draw) for sample in _own_forms(generator)]
    return samples


def _own_forms(generator: Generator) -> list[Sample]:
    of = generator.of
    key_id, key = f"AKIA{of('ABCDEFGHIJKLMNOPQRSTUVWXYZ234567', 16)}", of(BASE64, 40)
    account = {"type": "service_account", "project_id": "shop", "private_key": _private_key("rsa"), "client_id": "1"}
    return [
        _located("aws", "src/settings.py", f'AWS_ACCESS_KEY_ID = "{key_id}"\nAWS_SECRET_ACCESS_KEY = "{key}"\n', key),
        _located("aws", "config.ini", f"[default]\naws_access_key_id = {key_id}\naws_secret_access_key = {key}\n", key),
        _located("aws", "main.tf", f'provider "aws" {{\n  access_key = "{key_id}"\n  secret_key = "{key}"\n}}\n', key),
        _located("aws-id-alone", "config.py", f'"""The storage."""\n\nKEY = "{key_id}"\n', key_id),
        _located("google-account", "config/google.json", json.dumps(account, indent=2), "PRIVATE KEY"),
        _located("key-rsa", "certs/server.key", _private_key("rsa"), "PRIVATE KEY"),
        _located("key-ec", "certs/ec.txt", _private_key("ec"), "PRIVATE KEY"),
        _located("key-openssh", "deploy/deploy_key", _private_key("ssh"), "PRIVATE KEY"),
        _located("npmrc", ".npmrc", f"//npm.acme.io/:_authToken={generator.uuid()}\n", "_authToken"),
        _located("netrc", ".netrc", f"machine api.acme.io\n  login bot\n  password {of(ALNUM, 20)}\n", "password"),
        _located("dotenv", ".env", f"INTERNAL_AUTH={of(ALNUM, 24)}\n", "INTERNAL_AUTH"),
        _located("basic-auth", "fetch.sh", f"curl -u admin:{of(ALNUM, 16)} https://acme.io\n", "admin"),
        _located("bearer", "fetch.sh", f'curl -H "Authorization: Bearer {of(ALNUM, 40)}" https://acme.io\n', "Bearer"),
    ]


def negatives(seed: int, draws: int) -> list[Sample]:
    """Return files full of random letters that nobody would call credentials."""
    generator = Generator(seed)
    return [_with_folder(sample, draw) for draw in range(draws) for sample in _harmless(generator)]


def _harmless(generator: Generator) -> list[Sample]:
    of = generator.of

    def lines(template: Callable[[], str], count: int = 60) -> str:
        return "\n".join(template() for _ in range(count)) + "\n"

    def npm_package() -> str:
        digest = base64.b64encode(generator.bytes(64)).decode()
        return f'    "node_modules/{of(LOWER, 8)}": {{ "version": "1.2.3", "integrity": "sha512-{digest}" }},'

    placeholders = {
        "API_KEY": "your-api-key-here",
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "GITHUB_TOKEN": "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "STRIPE_SECRET_KEY": "sk_test_...",
        "DATABASE_URL": "postgres://user:password@localhost:5432/app",
        "PASSWORD": "changeme",
    }
    example = "".join(f"{name}={value}\n" for name, value in placeholders.items())
    return [
        Sample("package-lock", "package-lock.json", '{\n  "packages": {\n' + lines(npm_package) + "  }\n}\n"),
        Sample("yarn-lock", "yarn.lock", lines(lambda: f'"{of(LOWER, 7)}@^1":\n  integrity sha1-{of(BASE64, 27)}=')),
        Sample("requirements", "requirements.txt", lines(lambda: f"{of(LOWER, 7)}==1.0 --hash=sha256:{of(HEX, 64)}")),
        Sample("go-sum", "go.sum", lines(lambda: f"github.com/acme/{of(LOWER, 6)} v1.0.0 h1:{of(BASE64, 43)}=")),
        Sample("cargo-lock", "Cargo.lock", lines(lambda: f'[[package]]\nname = "a"\nchecksum = "{of(HEX, 64)}"')),
        Sample("uv-lock", "uv.lock", lines(lambda: f'sdist = {{ url = "a.tar.gz", hash = "sha256:{of(HEX, 64)}" }}')),
        Sample("commits", "CHANGELOG.md", lines(lambda: f"- {of(HEX, 40)} Fix the token's key for the API secret")),
        Sample(
            "uuids",
            "fixtures/users.json",
            lines(lambda: f'{{"key": "{generator.uuid()}"}}'),
        ),
        Sample("data-url", "logo.css", f".a {{ background: url(data:image/png;base64,{of(BASE64, 4000)}) }}\n"),
        Sample("digest", "Dockerfile", f"FROM python:3.13@sha256:{of(HEX, 64)}\n"),
        Sample(
            "minified",
            "app.min.js",
            lines(lambda: f'var a=e=>e.key="{of(ALNUM, 8)}";'),
        ),
        Sample("public-key", "id.pub", f"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{of(BASE64, 43)} bot@acme.io\n"),
        Sample("certificate", "ca.pem", f"-----BEGIN CERTIFICATE-----\n{of(BASE64, 600)}\n"),
        Sample("placeholders", ".env.example", example),
        Sample("placeholders", "README.md", f"# Set up\n\n```sh\n{example}```\n"),
        Sample("from-environment", "config.py", 'API_KEY = os.environ["API_KEY"]\nTOKEN = secrets.token_hex(32)\n'),
        Sample("from-environment", "ci.yml", "env:\n  TOKEN: ${{ secrets.GITHUB_TOKEN }}\n  KEY: ${API_KEY}\n"),
        Sample("snapshot", "__snapshots__/a.snap", lines(lambda: f'"etag": "{of(HEX, 32)}", "hash": "{of(HEX, 40)}",')),
        Sample("test-values", "tests/test_login.py", 'login("ada", password="correct-horse")\ntoken = "test-token"\n'),
        Sample("sri", "index.html", f'<script integrity="sha384-{of(BASE64, 64)}" crossorigin></script>\n'),
    ]


def _private_key(kind: str) -> str:
    # The only thing that isn't drawn from the seed: the library takes no source of its own.
    key: PrivateKeyTypes = ed25519.Ed25519PrivateKey.generate()
    form = serialization.PrivateFormat.OpenSSH
    if kind == "rsa":
        key, form = rsa.generate_private_key(65537, 2048), serialization.PrivateFormat.PKCS8
    if kind == "ec":
        key, form = ec.generate_private_key(ec.SECP256R1()), serialization.PrivateFormat.TraditionalOpenSSL
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


def _located(kind: str, path: str, text: str, marker: str) -> Sample:
    numbers = [number for number, line in enumerate(text.splitlines(), start=1) if marker in line]
    return Sample(kind, path, text, frozenset(numbers[:1]))


def _with_folder(sample: Sample, draw: int) -> Sample:
    return Sample(sample.kind, f"{draw}/{sample.path}", sample.text, sample.secret_lines)
