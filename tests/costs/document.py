"""docs/costs.md."""

from __future__ import annotations

from tests.costs import idle, sessions
from tests.costs.prices import AS_OF, PRICES, Usage, plus, times, usd
from tests.costs.sessions import PROFILES
from tests.costs.stack import LIMITS, function_gb, image_megabytes, parameter, template, transitions
from tests.kit.stack_template import ROOT

PATH = ROOT / "docs/costs.md"
# For an hour of a session, beside its container: the goal, and the limit of the one profile that misses it.
GOAL_USD = 0.01
WATCHED_USD = 0.012
BUDGETS_USD = {one.name: WATCHED_USD if one.is_watched else GOAL_USD for one in PROFILES}
_SESSION_HOURS = 2  # over which a session's start and end are spread
# Fargate takes these of the template's values together; AWS Fargate: task CPU and memory.
_SIZES = ((1024, 4096), (1024, 8192), (2048, 4096), (2048, 8192), (2048, 16384), (4096, 8192), (4096, 16384))
_CONCURRENCY = 10  # executions of a new account
(_DECISION,) = (path.name for path in (ROOT / "docs/decisions").glob("ADR-*-agents-poll-at-a-pace-of-their-own.md"))
(_WATCHED,) = (path.name for path in (ROOT / "docs/decisions").glob("ADR-*-who-watches-*.md"))


def document() -> str:
    """Return the whole document."""
    of_a_session = (*_hour(), *_choice(), *_counted(), *_once(), *_fargate(), *_way_out())
    return "\n".join([*_head(), *of_a_session, *_month(), *_prices()]) + "\n"


def orchestration() -> dict[str, float]:
    """Return US dollars of an hour of each profile, the start and end spread over two hours."""
    once = usd(sessions.start_to_end()) / _SESSION_HOURS
    return {one.name: sum(usd(part(one)) for _, part in _PARTS) + once for one in PROFILES}


_PARTS = (
    ("polling for prompts, and heartbeats", sessions.polling),
    ("reports of tools and turns, and their publishing", sessions.working),
    ("the transcript", sessions.recording),
    ("comments", sessions.steering),
)


def _head() -> list[str]:
    return [
        "# What it costs",
        "",
        "`make costs` writes this from the template, the contracts and the assumptions in `tests/costs/`; a test holds",
        f"them together. List prices of us-east-1 as of {AS_OF}, without free tiers and discounts; the last table",
        "has them. The model isn't included: a session has a budget of its own for it (`MaxBudgetUsd`).",
        "",
    ]


def _hour() -> list[str]:
    once = times(1 / _SESSION_HOURS, sessions.start_to_end())
    rows = [[name, *(_usd(usd(part(one))) for one in PROFILES)] for name, part in _PARTS]
    rows.append([f"start and end, over {_SESSION_HOURS} hours", *(_usd(usd(once)) for _ in PROFILES)])
    rows.append(["**together**", *(f"**{_usd(total)}**" for total in orchestration().values())])
    used = [plus(*(part(one) for _, part in _PARTS), once) for one in PROFILES]
    amounts = [
        [f"{PRICES[name].page.partition(' pricing')[0]}: {PRICES[name].unit}", *(_amount(one, name) for one in used)]
        for name in ("api", "invocation", "gb_second", "read", "write", "put", "log", "trace", "transition", "event")
    ]
    heading = [one.name for one in PROFILES]
    return [
        "## An hour of a session, beside its container",
        "",
        f"It's meant to stay below ${GOAL_USD}, and does but for an hour in which Claude works and somebody has the",
        f"session's page open all the time, which may take ${WATCHED_USD}. Most of that buys promptness: API Gateway's",
        "and Lambda's price of a poll each second, without which an interrupt would take longer than 2 s, and, for",
        "who watches, S3's of two objects for each tool, by which the transcript can be read within 2 s. While nobody",
        f"has the page open, the agent sends what happened [every {LIMITS['unwatched_transcript_seconds']}",
        f"seconds](decisions/{_WATCHED}).",
        "",
        *_table(["US dollars in an hour in which …", *heading], rows),
        "",
        *_table(["used in that hour", *heading], amounts),
        "",
        f"While Claude works it uses a tool every {3_600 // sessions.TOOLS_AN_HOUR} s. A request that succeeds leaves",
        "one line in the logs, API Gateway's. An agent polls every second during a turn and for five minutes after it,",
        f"else every {LIMITS['idle_poll_seconds']} s.",
        "",
    ]


def _choice() -> list[str]:
    quiet, busy = PROFILES[0], PROFILES[-1]
    ways: list[tuple[str, Usage, float]] = [
        ("polling each second, all prompts listed, as it was", sessions.as_it_was(), function_gb()),
        ("long polling: a function holds each request for 20 s, with 256 MB", sessions.held_open(memory_gb=0.25), 0.25),
        ("the same with 128 MB, which the libraries don't fit in", sessions.held_open(memory_gb=0.125), 0.125),
        ("polling each second, the row alone", sessions.polling(busy), function_gb()),
        ("**the same at the agent's own pace**", sessions.polling(quiet), function_gb()),
        ("a WebSocket of API Gateway, and a poll a minute", sessions.pushed(), function_gb()),
        ("a queue for each session, which API Gateway polls for the agent", sessions.queued(), function_gb()),
    ]
    rows = [[name, _usd(usd(usage)), f"{usage['gb_second'] / gb / 3_600:.1g}"] for name, usage, gb in ways]
    return [
        "## How an agent learns of prompts",
        "",
        f"[The decision](decisions/{_DECISION}) was between these, for an hour in which nobody asks for anything.",
        "",
        *_table(["way", "US dollars an hour", "concurrent executions of Lambda, per session"], rows),
        "",
        f"A new account has {_CONCURRENCY} concurrent executions for all of its functions. Requests that are held open",
        "would let fewer sessions than that run.",
        "",
    ]


def _counted() -> list[str]:
    """Return what was measured, and when that was: on a machine with two cores for which some twenty others waited."""
    rows = [
        ["in a conversation", "0.655", "0.667"],
        ["in a turn", "0.719", "0.736"],
        ["nobody there, with 4 s between two polls as it was then", "0.214", "0.219"],
    ]
    return [
        "### Calculated and counted",
        "",
        "`python -m tests.bench.agents` runs the loops of 1,000 agents by a virtual clock, against the API's own",
        "handler: 0.727 requests a second from each, with a quarter of them in a turn, a quarter in a conversation and",
        "nobody there for half. With `--real-time` as many agents as a machine carries send theirs to the HTTP API,",
        "Lambda, DynamoDB and Step Functions of local mode. A response took 0.5 s on average in this run, on two cores",
        "that others kept busy, and each next request is as much later: an agent's rate follows from its pauses and",
        "the responses' time, in real time as by calculation.",
        "",
        *_table(["requests a second of an agent, of 80 for two minutes", "counted", "by pauses and responses"], rows),
        "",
        "No request was throttled (429). While the functions' first workers started, 78 heartbeats had no response",
        "within 15 s and were repeated; no session's wait timed out.",
        "",
    ]


def _once() -> list[str]:
    whole = sessions.start_to_end()
    return [
        "## From label to end, once",
        "",
        f"{_usd(usd(whole), 5)}: {transitions('Announce Session')} transitions until the URL works and",
        f"{transitions('Session Ended')} to the end, {whole['invocation']:.0f} invocations of functions,",
        f"{whole['write']:.0f} write units.",
        "",
    ]


def _fargate() -> list[str]:
    cpus, memories = (set(template()["Parameters"][one]["AllowedValues"]) for one in ("AgentCpu", "AgentMemory"))
    default = int(parameter("AgentCpu")), int(parameter("AgentMemory"))
    rows = []
    for cpu, memory in _SIZES:
        assert {str(cpu)} <= cpus, cpu
        assert {str(memory)} <= memories, memory
        vcpu, gb = cpu / 1024, memory / 1024
        name = f"{cpu} / {memory}" + (" (default)" if (cpu, memory) == default else "")
        arm = usd({"vcpu_arm": vcpu, "gb_arm": gb})
        rows.append([name, _usd(usd({"vcpu": vcpu, "gb": gb})), _usd(arm)])
    return [
        "## The container, in an hour",
        "",
        "The parameter `Architecture` says on which processor it runs.",
        "",
        *_table(["`AgentCpu` / `AgentMemory`", "x86, US dollars", "ARM, US dollars"], rows),
        "",
    ]


def _way_out() -> list[str]:
    megabytes = image_megabytes()
    image = 1e6 * megabytes
    rows = [
        [f"its image of {megabytes} MB by a NAT gateway, at each start", _usd(usd({"nat_byte": image}))],
        ["the same with a gateway endpoint for S3 in the VPC, where ECR keeps it", _usd(usd({"gateway_byte": image}))],
        ["with `AssignPublicIp=ENABLED`, the agent's address, in an hour", _usd(usd({"address": 1}))],
    ]
    return [
        "## The container's way to the internet",
        "",
        *_table(["", "US dollars"], rows),
        "",
        "By a NAT gateway, what a session clones, installs and downloads costs the same for each GB.",
        "",
    ]


def _month() -> list[str]:
    own, both, outside = idle.load_balancer(), idle.both_modes(), idle.outside()
    rows = [[name, f"{usd(usage):.2f}", "—"] for name, usage in own]
    rows += [[name, f"{usd(usage):.2f}", f"{usd(usage):.2f}"] for name, usage in both]
    sums = usd(idle.total([*own, *both])), usd(idle.total(both))
    rows.append(["**together**", *(f"**{one:.2f}**" for one in sums)])
    return [
        "## A month without a session",
        "",
        *_table(["US dollars in a month", "`LoadBalancer=own`", "`existing`"], rows),
        "",
        "Beside the stack, in the VPC:",
        "",
        *_table(["", "US dollars in a month"], [[name, f"{usd(usage):.2f}"] for name, usage in outside]),
        "",
        "With `Canary=enabled` add a task of the proxies' size, a run of a function every five minutes and two alarms.",
        "",
    ]


def _prices() -> list[str]:
    rows = [[one.page, one.unit, one.shown] for one in PRICES.values()]
    return ["## Prices", "", *_table([f"Page, us-east-1, {AS_OF}", "unit", "price"], rows)]


def _table(heading: list[str], rows: list[list[str]]) -> list[str]:
    def line(cells: list[str]) -> str:
        return "| " + " | ".join(cells) + " |"

    return [line(heading), "|---" * len(heading) + "|", *map(line, rows)]


def _usd(amount: float, digits: int = 4) -> str:
    return f"${amount:.{digits}f}"


def _amount(usage: Usage, name: str) -> str:
    amount = usage.get(name, 0.0)
    return f"{amount:,.0f}" if amount >= 10 or not amount else f"{amount:.1f}"
