"""The addresses of a session's pages in the AWS console."""

from __future__ import annotations

import pytest
from tests.kit.stack_template import read_template

from cloud_agent.domain.session.console_pages import execution_console_url, logs_console_url

HOSTS = [
    ("aws", "eu-central-1", "eu-central-1.console.aws.amazon.com"),
    ("aws-cn", "cn-north-1", "cn-north-1.console.amazonaws.cn"),
    ("aws-us-gov", "us-gov-west-1", "us-gov-west-1.console.amazonaws-us-gov.com"),
]


@pytest.mark.parametrize(("partition", "region", "host"), HOSTS)
def test_the_executions_page_is_that_of_its_partition(partition: str, region: str, host: str) -> None:
    arn = f"arn:{partition}:states:{region}:123456789012:execution:m:acme-shop-42-09e22a8b"
    url = execution_console_url(arn)
    assert url.startswith(f"https://{host}/states/home?region={region}#")
    assert url.endswith(arn)


@pytest.mark.parametrize(("partition", "region", "host"), HOSTS)
def test_the_logs_page_is_that_of_the_tasks_own_stream(partition: str, region: str, host: str) -> None:
    arn = f"arn:{partition}:ecs:{region}:123456789012:task/sessions/0f9de17a6465404e8b1b2356dc13c2f8"
    assert logs_console_url(arn, "/claude-agents/prod[1]") == (
        f"https://{host}/cloudwatch/home?region={region}"
        "#logsV2:log-groups/log-group/$252Fclaude-agents$252Fprod$255B1$255D"
        "/log-events/session$252Fagent$252F0f9de17a6465404e8b1b2356dc13c2f8"
    )


@pytest.mark.parametrize("name", ["AgentTaskDefinition", "StagingAgentTaskDefinition"])
def test_the_stream_is_named_as_the_template_has_ecs_name_it(name: str) -> None:
    (container,) = read_template()["Resources"][name]["Properties"]["ContainerDefinitions"]
    prefix = container["LogConfiguration"]["Options"]["awslogs-stream-prefix"]
    arn = "arn:aws:ecs:us-east-1:123456789012:task/sessions/0f9d"
    assert logs_console_url(arn, "agents").endswith(f"/{prefix}$252F{container['Name']}$252F0f9d")
