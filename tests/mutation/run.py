"""The mutation run, inside pytest: each named test once as it is, then once for each permission taken away.

Whoever is called a test's id is the test itself, fixtures and parameters included: what CI runs is what breaks here.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
from _pytest.runner import runtestprotocol
from tests.kit.stack_template import expanded, read_template
from tests.mutation import needs
from tests.mutation.deployed import DeployedRoles
from tests.mutation.grants import grants
from tests.mutation.proofs import STATIC
from tests.mutation.table import Mutant, in_words

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

_SYSTEMS = ("_stage", "_system")  # the fixtures that deploy a stack
# A test that fails as it is may have met a stack that is still cold; one that passes without its permission, the
# minute's reconciliation, which did what the function under test could not.
_TRIES = 3


class MutationRun:
    """A pytest plugin that runs the tests of these mutants in the place of pytest's own loop.

    Attributes:
        mutants: What is to be taken away, in the order of the table.
        outcomes: How each mutant's test broke, or that it did not.
        survivors: The mutants whose test did not break, not for want of the permission, or fails as it is.
    """

    def __init__(self, mutants: Sequence[Mutant], say: Callable[[str], None]) -> None:
        self.mutants = mutants
        self.outcomes: dict[Mutant, str] = {}
        self.survivors: list[Mutant] = []
        self._live = [mutant for mutant in mutants if not mutant.proof.is_static]
        self._say = say
        self._roles: dict[str, DeployedRoles] = {}
        self._mutation = ExitStack()

    @property
    def tests(self) -> list[str]:
        """The ids of the tests to be run, each once, file by file."""
        return sorted({mutant.proof.test for mutant in self._live})

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> Generator[None, object, object]:
        """Learn of the stacks that tests run on."""
        value = yield
        if fixturedef.argname in _SYSTEMS:
            self._roles[fixturedef.argname] = DeployedRoles(value)  # type: ignore[arg-type]  # that fixture is a System
        return value

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_teardown(self) -> None:
        """Give back what was taken away: cleaning up is not what is tried."""
        self._mutation.close()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """In the place of pytest's own loop."""
        items = {item.nodeid: item for item in session.items}
        good = {test for test in self.tests if self._passes_as_it_is(items[test])}
        for mutant in sorted(self._live, key=lambda mutant: mutant.proof.test):
            if mutant.proof.test in good:
                self._try(mutant, items[mutant.proof.test])
            else:
                self._note(mutant, "the test fails as it is", broken=False)
        session._setupstate.teardown_exact(None)  # noqa: SLF001 - what pytest's own loop does after the last test
        return True

    def try_static(self) -> None:
        """Try what is proven from the template alone."""
        resources = expanded(read_template())["Resources"]
        for mutant in self.mutants:
            if mutant.proof.is_static:
                left = [grant for grant in grants(resources) if grant not in mutant.gone]
                check = needs.TESTS[mutant.proof.test.removeprefix(f"{STATIC}::")]
                missed = needs.missing(left, resources, check)
                misses_all = all(any(one.startswith(needs.lacks(*g.key)) for one in missed) for g in mutant.gone)
                self._note(mutant, missed[0] if missed else "the check misses nothing", broken=misses_all)

    def _passes_as_it_is(self, item: pytest.Item) -> bool:
        for _ in range(_TRIES):
            failures = self._run(item)
            self._say(f"{'FAILS' if failures else 'passes'} as it is: {item.nodeid}")
            if not failures:
                return True
            self._say(failures[0])
        return False

    def _try(self, mutant: Mutant, item: pytest.Item) -> None:
        roles = self._roles[next(name for name in _SYSTEMS if name in item.fixturenames)]  # type: ignore[attr-defined]  # a function has them
        gone = roles.deployed(mutant.gone)
        if not gone:
            self._note(mutant, "not in this stack: its parameters give nobody the permission", broken=False)
            return
        wanted = {(roles.physical_id(grant.role), grant.action) for grant in gone}
        for _ in range(_TRIES):
            since = roles.log_position()
            self._mutation.enter_context(roles.without(gone))
            failures = self._run(item)
            if failures and wanted & set(roles.refusals(since)):
                self._note(mutant, failures[0], broken=True)
                return
        self._note(mutant, f"{failures[0]}; IAM refused nothing" if failures else "the test passes", broken=False)

    def _note(self, mutant: Mutant, words: str, *, broken: bool) -> None:
        if not broken:
            self.survivors.append(mutant)
        self.outcomes[mutant] = in_words(words) if broken else f"**survives**: {in_words(words)}"
        self._say(f"{'broken' if broken else 'SURVIVES'}: {' | '.join(mutant.row[:2])}: {self.outcomes[mutant]}")

    def _run(self, item: pytest.Item) -> list[str]:
        """Run the test; returns what its phases say when they fail, the cleaning up left out."""
        item._initrequest()  # type: ignore[attr-defined]  # noqa: SLF001 - an item is made to be run once
        # To pytest the session comes next: the fixtures of its scope stay, those of the test and its module do not.
        reports = runtestprotocol(item, log=False, nextitem=item.session)  # type: ignore[arg-type]  # a node, as it asks
        self._mutation.close()
        failed = [report for report in reports if report.failed]
        for report in failed:
            if report.when == "teardown":
                self._say(f"cleaning up failed: {report.longreprtext.splitlines()[-1]}")
        return [_message(report) for report in failed if report.when != "teardown"]


def _message(report: pytest.TestReport) -> str:
    crash = getattr(report.longrepr, "reprcrash", None)
    return str(crash.message if crash else report.longreprtext)
