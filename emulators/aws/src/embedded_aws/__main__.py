"""Command line of the embedded AWS. Readiness: `GET /_ministack/health` answers 200."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from pathlib import Path

from embedded_aws.port import PortInUseError, require_free_port
from embedded_aws.settings import HOST, EmbeddedAwsSettings, EngineSettings
from embedded_aws.version import UnsupportedMinistackError, require_supported_ministack


def main() -> int:
    """Run until stopped; 2 with a line on standard error when it cannot start."""
    settings = _arguments()
    host_environment = dict(os.environ)
    try:
        require_supported_ministack()
        require_free_port(HOST, settings.port)
    except (UnsupportedMinistackError, PortInUseError) as error:
        sys.stderr.write(f"embedded AWS: {error}\n")
        return 2
    temporary = settings.state_dir / "tmp"
    shutil.rmtree(temporary, ignore_errors=True)  # Lambda packages, when the last run was killed
    for directory in (temporary, settings.log_dir):
        directory.mkdir(parents=True, exist_ok=True)
    # ministack and every Lambda function see this environment and nothing else of the host's.
    os.environ.clear()
    os.environ.update(settings.process_environment(host_environment))
    from embedded_aws.server import run  # noqa: PLC0415 - imports ministack, which reads the above

    run(settings, host_environment)
    return 0


def _arguments() -> EmbeddedAwsSettings:
    parser = argparse.ArgumentParser(prog="python -m embedded_aws", description=__doc__)
    parser.add_argument("--port", type=int, default=4566)
    parser.add_argument("--state-dir", type=Path, required=True)
    parser.add_argument("--log-dir", type=Path, required=True)
    parser.add_argument(
        "--layers-dir",
        type=Path,
        help="where Lambda layers are unpacked; several servers may share it",
    )
    parser.add_argument(
        "--preload",
        action="append",
        default=[],
        metavar="MODULE",
        help="import this once for the workers of all Python functions, where their layers have it; may be repeated",
    )
    parser.add_argument("--keep-state", action="store_true", help="keep the account from one run to the next")
    parser.add_argument("--enforce-iam", action="store_true", help="evaluate IAM policies of roles")
    parser.add_argument(
        "--image",
        action="append",
        default=[],
        type=_image,
        metavar="NAME=ARGV",
        help="what a container of this image runs: a program and its arguments, as a JSON list; may be repeated",
    )
    engine = parser.add_argument_group("containers", "run tasks as containers of their images, not as local processes")
    engine.add_argument("--engine", help="the container engine's command, such as docker or podman")
    engine.add_argument("--engine-network", metavar="NAME", help="its network, of which each task gets an address")
    engine.add_argument("--network-image", metavar="IMAGE", help="has Python, and holds each task's network namespace")
    engine.add_argument(
        "--machine-port",
        action="append",
        default=[],
        type=int,
        metavar="PORT",
        help="a port of 127.0.0.1 that tasks reach at their own 127.0.0.1, as they do this server's; may be repeated",
    )
    arguments = parser.parse_args()
    if arguments.engine and not (arguments.engine_network and arguments.network_image):
        parser.error("--engine needs --engine-network and --network-image")
    return EmbeddedAwsSettings(
        port=arguments.port,
        state_dir=arguments.state_dir.resolve(),
        log_dir=arguments.log_dir.resolve(),
        layers_dir=(arguments.layers_dir or arguments.state_dir / "tmp" / "lambda-layers").resolve(),
        preload=arguments.preload,
        keep_state=arguments.keep_state,
        enforce_iam=arguments.enforce_iam,
        images=dict(arguments.image),
        engine=_engine(arguments) if arguments.engine else None,
    )


def _engine(arguments: argparse.Namespace) -> EngineSettings:
    return EngineSettings(
        program=arguments.engine,
        network=arguments.engine_network,
        network_image=arguments.network_image,
        machine_ports=arguments.machine_port,
    )


def _image(text: str) -> tuple[str, list[str]]:
    name, _, argv = text.partition("=")
    try:
        program = json.loads(argv)
    except ValueError:
        program = None
    if not (name and program and isinstance(program, list) and all(isinstance(part, str) for part in program)):
        raise argparse.ArgumentTypeError(f"{text!r} isn't an image's name, '=' and a JSON list of strings")
    return name, program


if __name__ == "__main__":
    sys.exit(main())
