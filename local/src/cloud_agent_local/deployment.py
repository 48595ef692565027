"""The very commands a person runs for AWS, against the embedded one: sam build, sam deploy, then the secrets."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import WaiterError

from cloud_agent_local import images, packaging
from cloud_agent_local.errors import PartFailedError
from cloud_agent_local.installation import PROJECT, aws_environment
from cloud_agent_local.parts import tail

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cloud_agent_local.installation import Installation
    from cloud_agent_local.model_access import ModelAccess

STACK = "claude-cloud-agent-local"
CONFIG = "local"  # the section of samconfig.toml
COMMAND_SECONDS = 600
_REPORT_SECONDS = 0.5
_POLL_SECONDS = "0.5"  # sam's default is 5, for the sake of CloudFormation's throttle, and it sleeps before it looks
# One folder for each interpreter: the layer's wheels are for the one that they were built with.
_BUILT = PROJECT / ".aws-sam" / "local" / str(sys.implementation.cache_tag) / "build"
_PACKED = "packed"  # the folder beside it
RESTART_SECONDS = 90  # a proxy that is asked to end takes up to 60 s for those it serves


def build(installation: Installation, report: Callable[[str], None]) -> None:
    """`sam build`, unless the last one was of the same template, dependencies and SAM; and pack the functions' code.

    One folder serves all installations of this machine, one after the other; each deploys from a copy of its own, which
    is gone once it is deployed. `report` is given the line that sam printed last.

    Raises:
        PartFailedError: with the end of sam's output.
    """
    _BUILT.parent.mkdir(parents=True, exist_ok=True)
    sources, built_from, packed = _digest_of_sources(), _BUILT.with_name("built-from"), _BUILT.with_name(_PACKED)
    with (_BUILT.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (built_from.is_file() and built_from.read_text() == sources and packed.is_dir()):
            built_from.unlink(missing_ok=True)
            cache = str(_BUILT.with_name("cache"))
            _sam(installation, report, "build", "--build-dir", str(_BUILT), "--cache-dir", cache)
            packaging.pack(_BUILT, packed)
            built_from.write_text(sources)
        shutil.rmtree(_build_dir(installation), ignore_errors=True)
        shutil.copytree(packed, _build_dir(installation), copy_function=os.link)
    packaging.pack_code(_build_dir(installation))


def deploy(
    installation: Installation, report: Callable[[str], None], model: ModelAccess, parameters: Mapping[str, str]
) -> dict[str, str]:
    """`sam deploy` with samconfig's [local] and these parameters over its own; returns the stack's outputs.

    `report` is given the line that sam printed last.

    Raises:
        PartFailedError: with the end of sam's output.
    """
    overrides = _parameters(installation, model) | dict(parameters)
    try:
        _sam(
            installation,
            report,
            "deploy",
            "--template-file",
            str(_build_dir(installation) / packaging.TEMPLATE),
            "--parameter-overrides",
            " ".join(f"{name}={value}" for name, value in overrides.items()),
        )
    finally:
        shutil.rmtree(_build_dir(installation), ignore_errors=True)
    stack = client(installation, "cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def client(installation: Installation, service: str) -> Any:  # noqa: ANN401 - boto3 makes its clients at run time
    """Return a boto3 client of the embedded AWS, whatever account this machine is configured for."""
    factory: Any = boto3.client  # its overloads take a literal name, not a variable
    return factory(
        service,
        endpoint_url=installation.aws_endpoint,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 - the embedded AWS accepts any
    )


def fill_secrets(
    installation: Installation, model: ModelAccess, github_app: dict[str, str], sign_in: dict[str, str]
) -> None:
    """Put the values that a person puts after the first deployment."""
    values = {
        "GitHubSecretArn": json.dumps(github_app),
        "AnthropicApiKeySecretArn": model.api_key,
        "UatSignInSecretArn": json.dumps(sign_in),
    }
    secrets = client(installation, "secretsmanager")
    for output, value in values.items():
        secrets.put_secret_value(SecretId=installation.outputs[output], SecretString=value)


def restart_proxy(installation: Installation) -> None:
    """Begin to put new proxy tasks in the place of the old ones, which know the secrets as they were then."""
    cluster, service = installation.outputs["ClusterArn"], installation.outputs["ProxyServiceArn"]
    client(installation, "ecs").update_service(cluster=cluster, service=service, forceNewDeployment=True)


def wait_for_proxy(installation: Installation) -> None:
    """Wait until the new proxy tasks are all that run.

    Raises:
        PartFailedError: they do not run.
    """
    cluster, service = installation.outputs["ClusterArn"], installation.outputs["ProxyServiceArn"]
    try:
        client(installation, "ecs").get_waiter("services_stable").wait(
            cluster=cluster, services=[service], WaiterConfig={"Delay": 1, "MaxAttempts": RESTART_SECONDS}
        )
    except WaiterError as error:
        raise PartFailedError(
            f"The proxy's new tasks do not run: {error}. See its logs in {installation.log_dir}."
        ) from error


def webhook_secret(installation: Installation) -> str:
    """Return the secret that the stack generated for GitHub's signatures."""
    secrets = client(installation, "secretsmanager")
    return str(secrets.get_secret_value(SecretId=installation.outputs["WebhookSecretArn"])["SecretString"])


def _parameters(installation: Installation, model: ModelAccess) -> dict[str, str]:
    ec2 = client(installation, "ec2")
    vpc = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"][0]["VpcId"]
    subnets = ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["Subnets"]
    subnet_ids = ",".join(sorted(subnet["SubnetId"] for subnet in subnets)[:2])
    return {
        "VpcId": vpc,
        # Without an engine each task has a loopback address of its own.
        "VpcCidr": installation.engine.subnet if installation.engine else "127.0.0.0/8",
        "LoadBalancerSubnetIds": subnet_ids,
        "AgentSubnetIds": subnet_ids,
        "DomainName": "localhost",
        "CertificateArn": "arn:aws:acm:us-east-1:000000000000:certificate/local",
        "UatUrl": installation.uat_url,
        "HttpApiBaseUrl": f"{installation.aws_endpoint}/_aws/execute-api",
        "AgentImageUri": images.AGENT,
        "ProxyImageUri": images.PROXY,
        "ProxyDesiredCount": "1",
        "MaxSessionsPerRepository": "10",  # one machine has one repository to try things in
        "GitHubUrl": installation.github_url,
        "GitHubApiUrl": installation.github_api_url,
        "AnthropicBaseUrl": model.base_url,
        "ClaudeModel": model.model,
    }


def _digest_of_sources() -> str:
    """Return what tells one build from another: functions' code is packed when it's deployed, and is no part of it."""
    digest = hashlib.sha256(version("aws-sam-cli").encode())
    dependencies = (path for path in sorted((PROJECT / "functions" / "dependencies").rglob("*")) if path.is_file())
    for path in (PROJECT / "template.yaml", PROJECT / "samconfig.toml", Path(packaging.__file__), *dependencies):
        digest.update(f"{path.relative_to(PROJECT)} {hashlib.sha256(path.read_bytes()).hexdigest()}".encode())
    return digest.hexdigest()


def _sam(installation: Installation, report: Callable[[str], None], command: str, *arguments: str) -> None:
    log = installation.log_dir / f"sam-{command}.log"
    argv = [sys.executable, "-m", "samcli", command, "--config-file", str(PROJECT / "samconfig.toml")]
    argv += ["--config-env", CONFIG, *arguments]
    with (
        log.open("wb") as output,
        subprocess.Popen(  # noqa: S603 - argv is put together here
            argv,
            cwd=PROJECT,
            env=aws_environment(installation.aws_endpoint)
            | {
                # Embedded functions run on this very interpreter; functions/dependencies/Makefile builds for it.
                "CLOUD_AGENT_LOCAL_PYTHON": sys.executable,
                "SAM_CLI_POLL_DELAY": _POLL_SECONDS,
            },
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        try:
            code = _wait(process, lambda: report(tail(log, 1).strip()))
        except BaseException:
            process.kill()
            raise
    if code is None:
        raise PartFailedError(f"sam {command} was still running after {COMMAND_SECONDS} s. See {log}.")
    if code != 0:
        raise PartFailedError(f"sam {command} failed. The end of {log}:\n{tail(log)}")


def _wait(process: subprocess.Popen[bytes], while_waiting: Callable[[], None]) -> int | None:
    """Return the exit code; None when the time is over and the process was killed."""
    deadline = time.monotonic() + COMMAND_SECONDS
    while time.monotonic() < deadline:
        with suppress(subprocess.TimeoutExpired):
            return process.wait(_REPORT_SECONDS)
        while_waiting()
    process.kill()
    return None


def _build_dir(installation: Installation) -> Path:
    """Beside the folder that it is a copy of: the built template names the workflow's definition by the way there."""
    return _BUILT.with_name(hashlib.sha256(str(installation.state_dir).encode()).hexdigest()[:12])
