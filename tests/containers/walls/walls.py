"""The walls that can be taken down one at a time in the agent's image, and the attacks that then get through.

What isn't here is held by more than one: docs/security.md says by which.
"""

from __future__ import annotations

from dataclasses import dataclass

_ENTRY_POINT = "ENTRYPOINT"


@dataclass(frozen=True)
class Wall:
    """One wall: how it is taken down, and the tests of the red team that fail without it.

    `file` is one of the supervisor's, in which `without` takes the place of `stands`.
    """

    file: str
    stands: str
    without: str
    red: frozenset[str]


def _attempts(*names: str) -> frozenset[str]:
    return frozenset(f"test_an_attempt_is_refused[{name}]" for name in names)


_A_TOKEN_IN_A_FILE = frozenset({"test_no_file_that_the_workspaces_user_can_read_holds_a_token"})
_FOREIGN_REPOSITORY = frozenset({"test_a_work_tree_that_is_a_link_to_the_supervisors_repository_changes_nothing_there"})

WALLS = {
    "no token in a command's environment": Wall(
        "private_environment.py",
        '"LANG", "TMPDIR")',
        '"LANG", "TMPDIR", "SESSION_TOKEN")',
        # What the attack has found is in its report, which is a file.
        _attempts("watch_for_credentials") | _A_TOKEN_IN_A_FILE,
    ),
    "no token in a file": Wall(
        "supervisor.py",
        "    adopt_orphans()\n",
        '    adopt_orphans()\n    Path("/tmp/token").write_text(settings.session_token.get_secret_value())\n',
        _attempts("read_what_the_supervisor_left_in_tmp") | _A_TOKEN_IN_A_FILE,
    ),
    "no descriptor passed on": Wall(
        "claude/program.py",
        "#!/bin/sh\\nexec ",
        '#!/bin/sh\\nexec 9<"$0"; exec ',
        _attempts("use_an_inherited_descriptor"),
    ),
    "the supervisor's home": Wall(
        "supervisor.py",
        "    adopt_orphans()\n",
        "    adopt_orphans()\n    Path.home().chmod(0o755)\n",
        _attempts("read_the_supervisors_home", "reach_out_of_a_user_namespace"),
    ),
    "the supervisor's repository": Wall(
        "git/history.py",
        '"--template=")\n',
        '"--template=")\n        (self.repository / "objects" / "pack").chmod(0o777)\n',
        _attempts("write_into_the_supervisors_repository"),
    ),
    "python -I -S of the reaper": Wall(
        "workspace/small_program.py",
        '"-I", "-S"',
        '"-B", "-B"',
        frozenset(
            {
                "test_a_trap_catches_nobody_but_the_workspaces_user[pth]",
                "test_a_trap_catches_nobody_but_the_workspaces_user[usercustomize]",
                "test_no_other_trap_catches_anybody_else",
            }
        ),
    ),
    "no capability": Wall(
        "workspace/reaper.py",
        "(ctypes.c_uint32 * 6)()",
        "(ctypes.c_uint32 * 6)(1 << 6, 1 << 6, 1 << 6)",  # CAP_SETGID of linux/capability.h
        _attempts("gain_a_capability"),
    ),
    "no_new_privs": Wall(
        _ENTRY_POINT, '"--no-new-privs", ', "", _attempts("gain_a_capability", "run_a_setuid_program")
    ),
    "limits": Wall(
        "workspace/reaper.py",
        "    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))\n",
        "",
        _attempts("raise_a_limit"),
    ),
    "the reaper": Wall(
        "workspace/reaper.py",
        "    _end_all(child, owner, politely=status is not None)\n",
        "",
        frozenset({"test_no_process_outlives_its_turn"}),
    ),
    "the log's limit": Wall(
        "workspace/command_output.py",
        "        if self._allowance < 1:\n",
        "        if self._allowance < -1e9:\n",
        frozenset({"test_a_flood_of_output_is_left_out_of_the_log"}),
    ),
    "the gateway's closing time": Wall(
        "model/gateway.py",
        "            turn.is_over = True\n            self._turn = None\n",
        "            turn.is_over = True\n",
        _attempts("use_the_gateway_between_turns"),
    ),
    "the gateway's model": Wall(
        "model/forwarder.py",
        "        if self._api.requested_model(request, call) != self._api.model:\n",
        "        if not self._api.requested_model(request, call):\n",
        _attempts("misuse_the_gateway_during_a_turn"),
    ),
    "the gateway's lists": Wall(
        "model/forwarder.py",
        "        if reason := refusal(call):\n",
        "        if reason := refusal({}):\n",
        _attempts("misuse_the_gateway_during_a_turn"),
    ),
    "the model's own words": Wall(
        "claude/client.py",
        "        if not reply or texts.include(reply):\n",
        "        if True:\n",
        frozenset({"test_a_forged_result_is_not_shown_and_spends_no_less"}),
    ),
}
