"""Which test breaks without which permission: the one place where that is declared.

One line for each permission, or for several that one test breaks without: (action, resource, test), where action and
resource may be patterns and `roles` may be one, too. Each permission is covered by one line exactly, which a contract
test holds; docs/permissions.md says how a line is added.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from tests.kit.stack_template import expanded, read_template
from tests.mutation.drift_reads import read_for_drift
from tests.mutation.grants import ASSUME, MANAGED
from tests.mutation.needs import BEYOND_THIS_MACHINE

from cloud_agent_doctor.checks import CHECKS

if TYPE_CHECKING:
    from tests.mutation.grants import Grant

STATIC = "tests/contract/test_unenforced_permissions.py"
_FUNCTIONS, _DOORS = "tests/e2e/test_functions_alone.py", "tests/e2e/test_doors_alone.py"

# The tests with more than one permission to their name.
_PROMPTED = f"{_DOORS}::test_a_comment_is_a_prompt_once_however_often_it_is_delivered"
_STOP = f"{_DOORS}::test_an_end_is_told_to_whichever_wait_the_execution_is_in"
_PROMPTS = f"{_DOORS}::test_the_agent_is_told_what_it_is_asked"
_TURN = f"{_DOORS}::test_the_agents_turn_is_noted_and_its_answer_kept"
_GIVES_UP = f"{_DOORS}::test_an_agent_that_gives_up_fails_its_wait"
_KEPT = f"{_DOORS}::test_a_repositorys_dependencies_are_kept_for_its_next_session"
_TRANSCRIPT = f"{_DOORS}::test_the_agents_events_are_kept_behind_what_an_earlier_agent_left"
_UNPUBLISHED = f"{_DOORS}::test_commits_that_are_not_on_github_are_kept_for_the_next_session_of_the_branch"
_DONE = f"{_DOORS}::test_an_agent_that_is_done_ends_its_wait_well"
_LISTED = f"{_DOORS}::test_the_proxy_lists_the_sessions_of_this_machine"
_VISIT = f"{_DOORS}::test_the_proxy_shows_a_session_until_its_row_says_that_it_is_over"
_STOPPED = f"{_FUNCTIONS}::test_task_stopped_notes_it_and_fails_the_waits"
_PUBLISH = f"{_FUNCTIONS}::test_publish_session_brings_what_changed_onto_the_comment"
_NOTIFY = f"{_FUNCTIONS}::test_publish_session_tells_the_topic_and_the_chat_that_a_session_has_ended"
_RECORDED = f"{_FUNCTIONS}::test_publish_session_records_statuses_behind_what_an_earlier_try_left"
_RECONCILIATION = f"{_FUNCTIONS}::test_a_reconciliation_closes_what_an_aborted_execution_left_and_repeats_an_end"
_BRANCH = f"{_FUNCTIONS}::test_create_branch_makes_the_branch_and_claims_its_first_commit"
_OPEN = f"{_FUNCTIONS}::test_open_draft_pull_request_ties_it_to_the_session_with_comment_and_deployment"
_SLOT = f"{_FUNCTIONS}::test_take_slot_gives_the_free_slot_to_who_waits"
_ADDRESS = f"{_FUNCTIONS}::test_register_ip_takes_the_tasks_address_from_ecs"
_ANNOUNCE = f"{_FUNCTIONS}::test_announce_session_shows_the_link_in_comment_and_deployment"
_CLOSE = f"{_FUNCTIONS}::test_close_session_ends_the_row_frees_slot_and_lock_and_takes_the_live_address_back"
_FAILURE = f"{_FUNCTIONS}::test_report_failure_tells_people_on_the_pull_request"
_WHOLE = (
    "tests/e2e/test_whole_session.py::test_a_session_goes_from_its_label_to_its_end_and_the_workflow_stops_its_task"
)
_PULLED = f"{STATIC}::test_each_containers_image_is_pulled_by_its_execution_role"
_ASSUMED = f"{STATIC}::test_every_role_is_assumed_by_the_service_that_works_as_it"

_DOCTOR = "tests/e2e/test_doctor.py::test_the_doctor_sees_everything_under_its_own_role"
_STAGING = (
    "tests/e2e/test_staging.py::test_each_label_starts_its_own_agent_and_the_comment_names_the_one_that_is_tried_out"
)
_DRIFT = f"{STATIC}::test_the_doctor_may_read_what_drift_detection_reads"
_CANARY = "tests/e2e/test_canary.py::test_the_canary_is_reached_while_the_path_is_sound"
_ASKED = {action for check in CHECKS for action in check.actions}
_TYPES = {resource["Type"] for resource in expanded(read_template())["Resources"].values()}
_READ = {action for kind in _TYPES for action in read_for_drift(kind)} - _ASKED


@dataclass(frozen=True)
class Proof:
    """The test that breaks when the permissions are taken away that the three patterns name."""

    roles: str
    actions: str
    resources: str
    test: str

    def covers(self, grant: Grant) -> bool:
        """Whether it is this one's permission."""
        return (
            fnmatchcase(grant.role, self.roles)
            and fnmatchcase(grant.action, self.actions)
            and fnmatchcase(grant.resource, self.resources)
        )

    @property
    def is_static(self) -> bool:
        """Whether the embedded AWS does not enforce it, so that it is proven from the template."""
        return self.test.startswith(STATIC)


def proofs_of(grant: Grant) -> list[Proof]:
    """Every line that covers the permission; it should be one."""
    return [proof for proof in PROOFS if proof.covers(grant)]


def proof_of(grant: Grant) -> Proof | None:
    """The line that covers the permission, if there is one."""
    return next(iter(proofs_of(grant)), None)


def _of(roles: str, *lines: tuple[str, str, str]) -> list[Proof]:
    return [Proof(roles, *line) for line in lines]


PROOFS: list[Proof] = [
    *_of(
        "WebhookFunctionRole",
        ("secretsmanager:GetSecretValue", "WebhookSecret", _PROMPTED),
        ("secretsmanager:GetSecretValue", "GitHubSecret", _PROMPTED),
        ("dynamodb:GetItem", "SessionsTable", _PROMPTED),
        ("dynamodb:PutItem", "SessionsTable", _PROMPTED),
        ("dynamodb:UpdateItem", "SessionsTable", _PROMPTED),
        ("dynamodb:Query", "SessionsTable", f"{_DOORS}::test_a_question_is_answered_from_the_sessions_rows"),
        ("dynamodb:PutItem", "IdempotencyTable", _PROMPTED),
        ("dynamodb:UpdateItem", "IdempotencyTable", _PROMPTED),
        (
            "dynamodb:DeleteItem",
            "IdempotencyTable",
            f"{_DOORS}::test_a_comment_that_github_could_not_be_asked_about_is_forgotten",
        ),
        ("states:SendTaskFailure", "*", _STOP),
        ("states:SendTaskSuccess", "*", _STOP),
        ("states:StartExecution", "stateMachine:*", f"{_DOORS}::test_a_restart_starts_an_execution"),
    ),
    *_of(
        "AgentApiFunctionRole",
        ("secretsmanager:GetSecretValue", "GitHubSecret", f"{_DOORS}::test_the_agent_is_given_a_git_token"),
        (
            "secretsmanager:GetSecretValue",
            "secret:*/env/*",
            f"{_DOORS}::test_the_agent_is_given_its_repositorys_environment",
        ),
        ("dynamodb:GetItem", "SessionsTable", _PROMPTS),
        ("dynamodb:Query", "SessionsTable", _PROMPTS),
        ("dynamodb:PutItem", "SessionsTable", _TURN),
        ("dynamodb:UpdateItem", "SessionsTable", _TURN),
        ("s3:GetObject", "*/cache/*", _KEPT),
        ("s3:PutObject", "*/cache/*", _KEPT),
        ("s3:GetObject", "*/transcripts/*", _TRANSCRIPT),
        ("s3:PutObject", "*/transcripts/*", _TRANSCRIPT),
        ("s3:DeleteObject", "*/unpublished/*", _UNPUBLISHED),
        ("s3:GetObject", "*/unpublished/*", _UNPUBLISHED),
        ("s3:PutObject", "*/unpublished/*", _UNPUBLISHED),
        ("states:SendTaskHeartbeat", "*", f"{_DOORS}::test_the_agents_heartbeat_is_passed_on_to_its_wait"),
        ("states:SendTaskSuccess", "*", _DONE),
        ("states:SendTaskFailure", "*", _GIVES_UP),
    ),
    *_of(
        "TaskEventsFunctionRole",
        ("dynamodb:GetItem", "SessionsTable", _STOPPED),
        ("dynamodb:UpdateItem", "SessionsTable", _STOPPED),
        ("states:SendTaskFailure", "*", _STOPPED),
    ),
    *_of(
        "PublisherFunctionRole",
        ("secretsmanager:GetSecretValue", "GitHubSecret", _PUBLISH),
        ("secretsmanager:GetSecretValue", "UatAccessKeysSecret", _PUBLISH),
        ("secretsmanager:GetSecretValue", "ChatWebhooksSecret", _NOTIFY),
        ("sns:Publish", "NotificationsTopic", _NOTIFY),
        ("s3:GetObject", "*/transcripts/*/workflow/*", _RECORDED),
        ("s3:PutObject", "*/transcripts/*/workflow/*", _RECORDED),
        ("states:GetExecutionHistory", "execution:*", _RECORDED),
        ("dynamodb:BatchGetItem", "SessionsTable", _PUBLISH),
        ("dynamodb:GetItem", "SessionsTable", _PUBLISH),
        ("dynamodb:PutItem", "SessionsTable", _PUBLISH),
        ("dynamodb:Query", "SessionsTable", _PUBLISH),
        ("dynamodb:UpdateItem", "SessionsTable", _PUBLISH),
    ),
    *_of(
        "ReconcilerFunctionRole",
        ("secretsmanager:GetSecretValue", "GitHubSecret", _RECONCILIATION),
        ("dynamodb:BatchGetItem", "SessionsTable", _RECONCILIATION),
        ("dynamodb:DeleteItem", "SessionsTable", _RECONCILIATION),
        ("dynamodb:GetItem", "SessionsTable", _RECONCILIATION),
        ("dynamodb:PutItem", "SessionsTable", _RECONCILIATION),
        ("dynamodb:Query", "SessionsTable", _RECONCILIATION),
        ("dynamodb:UpdateItem", "SessionsTable", _RECONCILIATION),
        ("states:ListExecutions", "SessionStateMachine", _RECONCILIATION),
        ("states:DescribeExecution", "execution:*", _RECONCILIATION),
        ("states:SendTaskFailure", "*", _RECONCILIATION),
        ("states:SendTaskSuccess", "*", _RECONCILIATION),
        ("ecs:ListTasks", "*", _RECONCILIATION),
        ("ecs:DescribeTasks", "task/*", _RECONCILIATION),
        ("ecs:StopTask", "task/*", _RECONCILIATION),
    ),
    *_of(
        "DoctorFunctionRole",
        ("dynamodb:PutItem", "SessionsTable", _DOCTOR),
        *((action, "*", _DOCTOR) for action in sorted(_ASKED - BEYOND_THIS_MACHINE.keys())),
        *(
            (action, resource, f"{STATIC}::test_the_doctor_may_call_what_this_machine_lacks")
            for action, resource in sorted(BEYOND_THIS_MACHINE.items())
        ),
        ("cloudformation:DetectStackResourceDrift", "stack/*", _DRIFT),
        *((action, "*", _DRIFT) for action in sorted(_READ)),
    ),
    *_of(
        "CanaryFunctionRole",
        ("secretsmanager:GetSecretValue", "UatAccessKeysSecret", _CANARY),
        ("dynamodb:UpdateItem", "SessionsTable", _CANARY),
        ("ecs:ListTasks", "*", _CANARY),
        ("ecs:DescribeTasks", "task/*", _CANARY),
    ),
    *_of(
        "SessionStateMachineRole",
        ("lambda:InvokeFunction", "CreateBranchFunction", _WHOLE),
        ("lambda:InvokeFunction", "OpenDraftPullRequestFunction", _WHOLE),
        ("lambda:InvokeFunction", "TakeSlotFunction", _WHOLE),
        ("lambda:InvokeFunction", "RegisterIpFunction", _WHOLE),
        ("lambda:InvokeFunction", "AnnounceSessionFunction", _WHOLE),
        ("lambda:InvokeFunction", "CloseSessionFunction", _WHOLE),
        (
            "lambda:InvokeFunction",
            "ReportFailureFunction",
            "tests/e2e/test_failures.py::test_a_task_that_fails_to_start_is_told_in_ecs_own_words",
        ),
        ("dynamodb:ConditionCheckItem", "SessionsTable", _WHOLE),
        (
            "dynamodb:GetItem",
            "SessionsTable",
            "tests/e2e/test_endings.py::test_what_people_do_ends_a_session_in_any_state[the issue is closed-STARTING]",
        ),
        ("dynamodb:PutItem", "SessionsTable", _WHOLE),
        ("dynamodb:UpdateItem", "SessionsTable", _WHOLE),
        ("ecs:RunTask", "task-definition/${AWS::StackName}-agent:*", _WHOLE),
        ("ecs:RunTask", "task-definition/${AWS::StackName}-staging-agent:*", _STAGING),
        ("ecs:StopTask", "task/*", _WHOLE),
        ("ecs:TagResource", "task/*", _WHOLE),
        ("iam:PassRole", "*", f"{STATIC}::test_the_workflow_may_pass_both_roles_of_each_task_that_it_runs"),
        ("logs:*", "*", f"{STATIC}::test_the_workflows_log_is_delivered_by_its_role"),
    ),
    *_of(
        "CreateBranchFunctionRole",
        ("secretsmanager:GetSecretValue", "GitHubSecret", _BRANCH),
        ("dynamodb:GetItem", "SessionsTable", _BRANCH),
        ("dynamodb:PutItem", "SessionsTable", _BRANCH),
        ("dynamodb:UpdateItem", "SessionsTable", _BRANCH),
    ),
    *_of(
        "OpenDraftPullRequestFunctionRole",
        ("secretsmanager:GetSecretValue", "GitHubSecret", _OPEN),
        ("secretsmanager:GetSecretValue", "UatAccessKeysSecret", _OPEN),
        ("dynamodb:BatchGetItem", "SessionsTable", _OPEN),
        ("dynamodb:GetItem", "SessionsTable", _OPEN),
        ("dynamodb:PutItem", "SessionsTable", _OPEN),
        ("dynamodb:Query", "SessionsTable", _OPEN),
        ("dynamodb:UpdateItem", "SessionsTable", _OPEN),
    ),
    *_of(
        "TakeSlotFunctionRole",
        ("dynamodb:GetItem", "SessionsTable", _SLOT),
        ("dynamodb:UpdateItem", "SessionsTable", _SLOT),
        ("states:SendTaskSuccess", "*", f"{_FUNCTIONS}::test_take_slot_wakes_the_execution_that_waits"),
    ),
    *_of(
        "RegisterIpFunctionRole",
        ("ecs:ListTasks", "*", f"{_FUNCTIONS}::test_register_ip_finds_a_task_that_no_event_has_named"),
        ("ecs:DescribeTasks", "task/*", _ADDRESS),
        ("dynamodb:GetItem", "SessionsTable", _ADDRESS),
        ("dynamodb:UpdateItem", "SessionsTable", _ADDRESS),
    ),
    *_of(
        "AnnounceSessionFunctionRole",
        ("secretsmanager:GetSecretValue", "GitHubSecret", _ANNOUNCE),
        ("secretsmanager:GetSecretValue", "UatAccessKeysSecret", _ANNOUNCE),
        ("dynamodb:GetItem", "SessionsTable", _ANNOUNCE),
        ("dynamodb:Query", "SessionsTable", _ANNOUNCE),
        ("dynamodb:UpdateItem", "SessionsTable", _ANNOUNCE),
    ),
    *_of(
        "CloseSessionFunctionRole",
        ("secretsmanager:GetSecretValue", "GitHubSecret", _CLOSE),
        ("dynamodb:BatchGetItem", "SessionsTable", _CLOSE),
        ("dynamodb:DeleteItem", "SessionsTable", _CLOSE),
        ("dynamodb:GetItem", "SessionsTable", _CLOSE),
        ("dynamodb:PutItem", "SessionsTable", _CLOSE),
        ("dynamodb:Query", "SessionsTable", _CLOSE),
        ("dynamodb:UpdateItem", "SessionsTable", _CLOSE),
        ("states:SendTaskSuccess", "*", f"{_FUNCTIONS}::test_close_session_wakes_the_execution_that_waits"),
    ),
    *_of(
        "ReportFailureFunctionRole",
        ("secretsmanager:GetSecretValue", "GitHubSecret", _FAILURE),
        ("dynamodb:GetItem", "SessionsTable", _FAILURE),
    ),
    *_of(
        "ProxyTaskRole",
        ("dynamodb:BatchGetItem", "SessionsTable", _VISIT),
        ("dynamodb:GetItem", "SessionsTable", _VISIT),
        ("dynamodb:Query", "*/index/SessionsByStart", _LISTED),
        ("dynamodb:UpdateItem", "SessionsTable", f"{_DOORS}::test_the_proxy_notes_a_visit_on_the_row"),
        (
            "s3:GetObject",
            "${ArtifactsBucket.Arn}/transcripts/*",
            f"{_DOORS}::test_the_proxy_shows_what_claude_did_in_a_session",
        ),
    ),
    *_of(
        "AgentTaskRole",
        ("bedrock:*", "*", f"{STATIC}::test_an_agent_may_invoke_models_where_bedrock_is_chosen"),
    ),
    *_of(
        "*ExecutionRole",
        ("secretsmanager:*", "*", f"{STATIC}::test_each_secret_of_a_container_is_read_by_its_execution_role"),
        ("logs:*", "*", f"{STATIC}::test_each_containers_log_is_written_by_its_execution_role"),
        ("ecr:GetAuthorizationToken", "*", _PULLED),
        ("ecr:*", "repository/*", _PULLED),
    ),
    *_of(
        "*",
        (
            "sqs:SendMessage",
            "*DeadLetterQueue",
            f"{STATIC}::test_what_a_function_failed_at_is_sent_by_its_role",
        ),
        (ASSUME, "lambda.amazonaws.com", _ASSUMED),
        (ASSUME, "states.amazonaws.com", _ASSUMED),
        (ASSUME, "ecs-tasks.amazonaws.com", _ASSUMED),
        (MANAGED, "AWSLambdaBasicExecutionRole", f"{STATIC}::test_each_functions_log_is_written_by_its_role"),
        (MANAGED, "AWSXrayWriteOnlyAccess", f"{STATIC}::test_whatever_is_traced_sends_its_traces"),
        (MANAGED, "AWSLambdaDynamoDBExecutionRole", f"{STATIC}::test_a_tables_stream_is_read_by_the_functions_role"),
    ),
]
