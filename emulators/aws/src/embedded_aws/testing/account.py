"""What tests make in an embedded AWS all the time, in one call each."""

from __future__ import annotations

import io
import json
import uuid
import zipfile
from dataclasses import dataclass
from textwrap import dedent
from typing import Any

from embedded_aws.testing.process import EmbeddedAwsProcess
from embedded_aws.testing.waiting import eventually

Json = dict[str, Any]

ANY_ROLE = "arn:aws:iam::000000000000:role/any"


@dataclass
class EmbeddedAws(EmbeddedAwsProcess):
    """A running embedded AWS with a cluster and shorthands for stacks, functions, machines, roles and tasks."""

    cluster: str = "tests"

    def start(self) -> None:
        """Start it and make the cluster."""
        super().start()
        self.client("ecs").create_cluster(clusterName=self.cluster)

    def deploy(self, template: Json, stack: str | None = None) -> dict[str, str]:
        """Create the stack, or update it when named, and return its outputs and, as `Stack`, its name."""
        cloudformation = self.client("cloudformation")
        name = stack or f"stack-{uuid.uuid4().hex[:8]}"
        request = {
            "StackName": name,
            "TemplateBody": json.dumps(template),
            "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
        }
        (cloudformation.update_stack if stack else cloudformation.create_stack)(**request)

        def done() -> Json | None:
            found: Json = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
            return None if found["StackStatus"].endswith("IN_PROGRESS") else found

        found = eventually(done, 30)
        if found["StackStatus"] not in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
            raise AssertionError(self._failures(name))
        return {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])} | {"Stack": name}

    def _failures(self, stack: str) -> list[str]:
        events = self.client("cloudformation").describe_stack_events(StackName=stack)["StackEvents"]
        return [event.get("ResourceStatusReason", "") for event in events if "FAILED" in event["ResourceStatus"]]

    def function(self, code: str, *, role: str = ANY_ROLE, **settings: object) -> str:
        """Return the ARN of a new Lambda function whose module `app` is `code` and whose handler is `handler`."""
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as zipped:
            # Without the time of day: the same code is the same archive.
            zipped.writestr(zipfile.ZipInfo("app.py"), dedent(code))
        response = self.client("lambda").create_function(
            FunctionName=f"function-{uuid.uuid4().hex[:8]}",
            Runtime="python3.11",
            Handler="app.handler",
            Role=role,
            Code={"ZipFile": archive.getvalue()},
            **settings,
        )
        arn: str = response["FunctionArn"]
        return arn

    def invoke(self, function_arn: str, event: object = None) -> Any:  # noqa: ANN401 - whatever the function returns
        """Invoke the function with the event and return what it returns."""
        response = self.client("lambda").invoke(FunctionName=function_arn, Payload=json.dumps(event))
        return json.loads(response["Payload"].read())

    def machine(self, states: Json, *, role: str = ANY_ROLE) -> str:
        """Return the ARN of a new state machine of these states, of which the first is where it starts."""
        definition = {"QueryLanguage": "JSONata", "StartAt": next(iter(states)), "States": states}
        response = self.client("stepfunctions").create_state_machine(
            name=f"machine-{uuid.uuid4().hex[:8]}", definition=json.dumps(definition), roleArn=role
        )
        arn: str = response["stateMachineArn"]
        return arn

    def role(self, service: str, *statements: tuple[object, ...]) -> str:
        """Return the ARN of a new role of `service`, allowed the (action, resource[, condition]) statements."""
        iam, name = self.client("iam"), f"role-{uuid.uuid4().hex[:8]}"
        trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
        response = iam.create_role(RoleName=name, AssumeRolePolicyDocument=_policy(trust))
        allowed = [
            {"Effect": "Allow", "Action": action, "Resource": resource, "Condition": dict(*condition)}
            for action, resource, *condition in statements
        ]
        if allowed:
            iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=_policy(*allowed))
        arn: str = response["Role"]["Arn"]
        return arn

    def execute(self, states: Json, state_input: object = None, *, role: str = ANY_ROLE) -> Json:
        """Run a machine of these states to its end and describe the execution."""
        return self.ended(self.begin(states, state_input, role=role))

    def begin(self, states: Json, state_input: object = None, *, role: str = ANY_ROLE) -> str:
        """Return the ARN of a new execution of a machine of these states."""
        response = self.client("stepfunctions").start_execution(
            stateMachineArn=self.machine(states, role=role), input=json.dumps(state_input or {})
        )
        arn: str = response["executionArn"]
        return arn

    def ended(self, execution_arn: str) -> Json:
        """Describe the execution, once it has ended."""

        def done() -> Json | None:
            found: Json = self.client("stepfunctions").describe_execution(executionArn=execution_arn)
            return None if found["status"] == "RUNNING" else found

        return eventually(done, 20)

    def define_task(self, code: str = "", *, image: str = "local/python", role: str = "", **container: object) -> str:
        """Return the ARN of a task definition whose container runs `code`, after `import os, json, sys, time`."""
        program = f"import os, json, sys, time\n{dedent(code)}"
        response = self.client("ecs").register_task_definition(
            family=f"family-{uuid.uuid4().hex[:8]}",
            networkMode="awsvpc",
            requiresCompatibilities=["FARGATE"],
            cpu="256",
            memory="512",
            **({"taskRoleArn": role} if role else {}),
            containerDefinitions=[
                {"name": "main", "image": image, "command": ["-u", "-c", program], "essential": True, **container}
            ],
        )
        arn: str = response["taskDefinition"]["taskDefinitionArn"]
        return arn

    def run_task(self, code: str = "", *, overrides: list[Json] | None = None, **definition: Any) -> str:  # noqa: ANN401 - as above
        """Return the ARN of a new task that runs `code`; `overrides` are variables, the rest is `define_task`'s."""
        response = self.client("ecs").run_task(
            cluster=self.cluster,
            taskDefinition=self.define_task(code, **definition),
            launchType="FARGATE",
            overrides={"containerOverrides": [{"name": "main", "environment": overrides or []}]},
        )
        arn: str = response["tasks"][0]["taskArn"]
        return arn

    def task(self, arn: str) -> Json:
        """Describe the task."""
        task: Json = self.client("ecs").describe_tasks(cluster=self.cluster, tasks=[arn])["tasks"][0]
        return task

    def task_when(self, arn: str, status: str) -> Json:
        """Describe the task, once it has the status."""

        def reached() -> Json | None:
            task = self.task(arn)
            return task if task["lastStatus"] == status else None

        return eventually(reached)

    def task_log(self, arn: str) -> str:
        """Return all that the task has printed so far."""
        (log,) = self.log_dir.glob(f"*-{arn.rsplit('/', 1)[-1]}.log")
        return log.read_text()

    def task_output(self, arn: str) -> Any:  # noqa: ANN401 - whatever JSON was printed
        """Return the JSON value that a task printed last, once it has ended."""
        self.task_when(arn, "STOPPED")
        return json.loads(self.task_log(arn).splitlines()[-1])


def _policy(*statements: Json) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})
