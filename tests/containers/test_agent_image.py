"""The images: what they leave out isn't missing, and what starts in them starts at once."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from cloud_agent_local import container_images

if TYPE_CHECKING:
    from pathlib import Path

    from embedded_aws.containers.engine import Engine

pytestmark = [pytest.mark.containers, pytest.mark.timeout(600)]


def _needs(argument: str) -> pytest.MarkDecorator:
    """Skip a test of what IMAGE_BUILD_ARGS leaves out."""
    left_out = container_images.build_arguments(os.environ).get(argument) == ""
    return pytest.mark.skipif(left_out, reason=f"the image is built without {argument}")


BUILD = r"""
cd /tmp
cat > program.cc <<'END'
#include <iostream>
#include <regex>
#include <libpq-fe.h>
#include <openssl/ssl.h>
int main() {
  std::cout << std::regex_match("12.1", std::regex("[0-9.]+")) << (PQlibVersion() > 0) << (TLS_method() != nullptr);
}
END
g++ -O2 -fPIC -static-libgcc -static-libstdc++ -I/usr/include/postgresql program.cc -lpq -lssl -lcrypto -o program
./program
cat > addon.c <<'END'
extern int napi_create_int32(void *, int, void **);
void *napi_register_module_v1(void *environment, void *exports) {
  void *value;
  napi_create_int32(environment, 42, &value);
  return value;
}
END
gcc -shared -fPIC addon.c -o addon.node
node --print 'require("./addon.node")'
cat > libraries.c <<'END'
#include <Python.h>
#include <ffi.h>
#include <lber.h>
#include <ldap.h>
#include <mysql.h>
#include <sasl/sasl.h>
#include <stdio.h>
#include <yaml.h>
int main() { printf("%d", mysql_get_client_version() > 0); yaml_get_version_string(); return ldap_err2string(0) == 0; }
END
python_h="$(python -c 'import sysconfig; print(sysconfig.get_path("include"))')"
gcc libraries.c -I"$python_h" $(pkg-config --cflags --libs mysqlclient yaml-0.1 ldap libffi libsasl2) -o libraries
./libraries
git init --quiet repository
git clone --quiet repository clone 2>/dev/null
"""


@_needs("COMPILERS")
def test_native_modules_are_built_and_loaded_in_the_agents_image(engine: Engine, tmp_path: Path) -> None:
    with (tmp_path / "image.log").open("wb") as log:
        container_images.build(engine, "agent", log)
    options = ("--rm", "--network=none", "--read-only", "--volume=/tmp", "--entrypoint=bash")

    built = engine.run("run", *options, container_images.TAGS["agent"], "-euc", BUILD)

    assert built.split() == ["11142", "1"]


UNCOMPILED = """
import os, sys
import {module}
specs = [module.__spec__ for module in list(sys.modules.values()) if getattr(module, "__spec__", None)]
print(len(specs) > 200, *[spec.cached for spec in specs if spec.cached and not os.path.exists(spec.cached)])
"""


@pytest.mark.parametrize(
    ("unit", "module"),
    [
        ("agent", "cloud_agent_runner.supervisor"),
        ("proxy", "cloud_agent_proxy.program, cloud_agent_proxy.sign_in_mode"),
    ],
)
def test_nothing_that_a_program_imports_is_compiled_when_it_starts(
    engine: Engine, tmp_path: Path, unit: str, module: str
) -> None:
    with (tmp_path / "image.log").open("wb") as log:
        container_images.build(engine, unit, log)
    options = ("--rm", "--network=none", "--read-only", "--entrypoint=python")

    found = engine.run("run", *options, container_images.TAGS[unit], "-P", "-s", "-c", UNCOMPILED.format(module=module))

    assert found.split() == ["True"]


SERVICES = r"""
import asyncio
from pathlib import Path
from cloud_agent_runner.preview.services.service import Account, Wanted
from cloud_agent_runner.preview.services.services import Services
from cloud_agent_runner.workspace.user import WorkspaceUser

ACCOUNT = Account("shop", "secret", "shop_dev")
ASK = '''
/usr/lib/postgresql/*/bin/psql -qtAc 'set jit_above_cost = 0; select sum(n) from generate_series(1, 9) as n' &&
mariadb -h 127.0.0.1 -ushop -psecret -NBe 'select current_user()' shop_dev && redis-cli -h 127.0.0.1 ping
'''

async def main():
    services = Services(WorkspaceUser(Path("/home/workspace"), None), "127.0.0.1")
    await services.run([Wanted("postgres", "", ACCOUNT), Wanted("mysql", "", ACCOUNT), Wanted("redis")])
    asked = await asyncio.create_subprocess_shell(ASK, env={"PATH": "/usr/bin:/bin", **services.environment})
    await asked.wait()
    await services.aclose()

asyncio.run(main())
"""


@_needs("SERVICES")
def test_every_service_comes_up_as_the_workspaces_user(engine: Engine, tmp_path: Path) -> None:
    with (tmp_path / "image.log").open("wb") as log:
        container_images.build(engine, "agent", log)
    volumes = ("--volume=/tmp", "--volume=/home/workspace")
    become = ("--reuid=workspace", "--regid=workspace", "--clear-groups")

    answers = engine.run(
        *("run", "--rm", "--network=none", "--read-only", *volumes, "--entrypoint=setpriv"),
        *(container_images.TAGS["agent"], *become, "env", "HOME=/home/workspace", "python", "-P", "-s", "-c", SERVICES),
    )

    assert answers.splitlines()[-3:] == ["45", "shop@%", "PONG"]
