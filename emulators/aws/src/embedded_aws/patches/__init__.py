"""Every defect of ministack that local mode cures: one module each, applied in this order and in no other way.

A module's docstring names the defect and what AWS documents; its test fails without it. Importing this package
imports ministack, whose modules read their configuration from the environment as they are imported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from embedded_aws.patches import (
    acm_imported_certificates,
    cloudformation_alarm_metrics,
    cloudformation_container_definitions,
    cloudformation_drift_readers,
    cloudformation_event_archive,
    cloudformation_generated_secrets,
    cloudformation_http_api_body,
    cloudformation_imports,
    cloudformation_resource_owner,
    cloudformation_secret_ref,
    cloudformation_security_group_rules,
    cloudformation_service_numbers,
    cloudformation_state_machine_settings,
    cloudformation_table_settings,
    ec2_revoked_rules,
    ecr_missing_images,
    ecs_inactive_task_definitions,
    ecs_local_processes,
    ecs_service_restarts,
    ecs_stop_task,
    ecs_stopped_reason,
    ecs_task_credentials,
    ecs_task_events,
    ecs_task_metadata,
    elbv2_deletion_protection,
    elbv2_listener_certificates,
    elbv2_load_balancer_deletion,
    elbv2_not_found,
    elbv2_target_group_load_balancers,
    eventbridge_dead_letters,
    eventbridge_lambda_retries,
    http_api_errors,
    iam_dynamodb_conditions,
    iam_ecs_resources,
    iam_refusals,
    iam_simulated_context,
    iam_simulated_principal,
    lambda_error_class,
    lambda_shared_layers,
    lambda_slots,
    lambda_stream_retries,
    step_functions_assign,
    step_functions_heartbeat,
    step_functions_iam,
    step_functions_retry_delay,
    step_functions_run_task,
    step_functions_start_execution,
    step_functions_succeed_output,
    step_functions_task_tokens,
    step_functions_timeouts,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from embedded_aws.addresses import TaskAddresses
    from embedded_aws.containers.client import ProcessDocker


def all_patches(
    docker: ProcessDocker, addresses: TaskAddresses, lambda_slots_count: int
) -> dict[str, Callable[[], None]]:
    """Return the patches by name, ready to be called in order."""
    return {
        "acm_imported_certificates": acm_imported_certificates.apply,
        "cloudformation_alarm_metrics": cloudformation_alarm_metrics.apply,
        "cloudformation_container_definitions": cloudformation_container_definitions.apply,
        "cloudformation_drift_readers": cloudformation_drift_readers.apply,
        "cloudformation_event_archive": cloudformation_event_archive.apply,
        "cloudformation_generated_secrets": cloudformation_generated_secrets.apply,
        "cloudformation_http_api_body": cloudformation_http_api_body.apply,
        "cloudformation_imports": cloudformation_imports.apply,
        "cloudformation_resource_owner": cloudformation_resource_owner.apply,
        "cloudformation_secret_ref": cloudformation_secret_ref.apply,
        "cloudformation_security_group_rules": cloudformation_security_group_rules.apply,
        "cloudformation_service_numbers": cloudformation_service_numbers.apply,
        "cloudformation_state_machine_settings": cloudformation_state_machine_settings.apply,
        "cloudformation_table_settings": cloudformation_table_settings.apply,
        "ec2_revoked_rules": ec2_revoked_rules.apply,
        "ecr_missing_images": ecr_missing_images.apply,
        "ecs_inactive_task_definitions": ecs_inactive_task_definitions.apply,
        "ecs_local_processes": lambda: ecs_local_processes.apply(docker, addresses),
        "ecs_service_restarts": ecs_service_restarts.apply,
        "ecs_stopped_reason": ecs_stopped_reason.apply,
        "ecs_task_credentials": ecs_task_credentials.apply,
        "ecs_task_metadata": lambda: ecs_task_metadata.apply(addresses),
        "ecs_task_events": ecs_task_events.apply,
        "ecs_stop_task": lambda: ecs_stop_task.apply(docker),
        "elbv2_deletion_protection": elbv2_deletion_protection.apply,
        "elbv2_listener_certificates": elbv2_listener_certificates.apply,
        "elbv2_load_balancer_deletion": elbv2_load_balancer_deletion.apply,
        "elbv2_not_found": elbv2_not_found.apply,
        "elbv2_target_group_load_balancers": elbv2_target_group_load_balancers.apply,
        "eventbridge_dead_letters": eventbridge_dead_letters.apply,
        "eventbridge_lambda_retries": eventbridge_lambda_retries.apply,
        "http_api_errors": http_api_errors.apply,
        "iam_dynamodb_conditions": iam_dynamodb_conditions.apply,
        "iam_ecs_resources": iam_ecs_resources.apply,
        "iam_refusals": iam_refusals.apply,
        "iam_simulated_context": iam_simulated_context.apply,
        "iam_simulated_principal": iam_simulated_principal.apply,
        "lambda_error_class": lambda_error_class.apply,
        "lambda_shared_layers": lambda_shared_layers.apply,
        "lambda_slots": lambda: lambda_slots.apply(lambda_slots_count),
        "lambda_stream_retries": lambda_stream_retries.apply,
        "step_functions_assign": step_functions_assign.apply,
        "step_functions_heartbeat": step_functions_heartbeat.apply,
        "step_functions_iam": step_functions_iam.apply,
        "step_functions_retry_delay": step_functions_retry_delay.apply,
        "step_functions_run_task": step_functions_run_task.apply,
        "step_functions_start_execution": step_functions_start_execution.apply,
        "step_functions_succeed_output": step_functions_succeed_output.apply,
        "step_functions_task_tokens": step_functions_task_tokens.apply,
        "step_functions_timeouts": step_functions_timeouts.apply,
    }
