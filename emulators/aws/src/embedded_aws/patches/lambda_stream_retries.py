"""Defect: a failing batch of a DynamoDB stream is tried for ever, whole, and holds up every other event source.

Each batch is also delivered as soon as its first record is there, whatever the mapping says.

AWS documents MaximumRetryAttempts, after which the batch goes to the OnFailure destination and the next one comes;
BisectBatchOnFunctionError, which tries the two halves of a failed batch each on its own ("splitting a batch does not
count towards the retry quota"); MaximumBatchingWindowInSeconds, for which a batch that isn't full waits for more; and
that a shard's batches run in order, but no source waits for another's.

Source: AWS Lambda Developer Guide, "Using AWS Lambda with Amazon DynamoDB"; SDK model "lambda":
CreateEventSourceMappingRequest.MaximumRetryAttempts, CreateEventSourceMappingRequest.BisectBatchOnFunctionError and
CreateEventSourceMappingRequest.MaximumBatchingWindowInSeconds.
Upstream: not reported.
"""
# ruff: noqa: SLF001 - a patch works on private members of the pinned ministack

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from ministack.core.concurrency import esm_wake, spawn_background
from ministack.core.responses import request_scope
from ministack.services import dynamodb, lambda_svc

from embedded_aws.seam import wrap

if TYPE_CHECKING:
    from collections.abc import Callable

Json = dict[str, Any]
Records = list[Json]

_FOR_EVER = -1  # AWS's default of MaximumRetryAttempts and MaximumRecordAgeInSeconds
_DEFAULT_BATCH_SIZE = 100
_SECONDS_BETWEEN_TRIES = 0.5
_SECONDS_BETWEEN_LOOKS = 0.1

_lock = threading.Lock()
_busy: set[str] = set()


def apply() -> None:
    """Let ministack's poll loop, which wakes at each write, only start a thread for each mapping with new records."""
    wrap(lambda_svc, "_poll_dynamodb_streams", _start_consumers)


def _start_consumers(_original: Callable[[], bool]) -> bool:
    """Return False: what is found is worked off elsewhere, and the poll loop may wait for the next write."""
    for account, region, mapping in lambda_svc._iter_all_esms():
        with request_scope(account, region):
            name = mapping["UUID"]
            with _lock:
                if name in _busy or not _next_batch(mapping):
                    continue
                _busy.add(name)
        spawn_background(_consume, account, region, mapping, thread_name="stream-consumer")
    return False


def _consume(account: str, region: str, mapping: Json) -> None:
    """Work off a mapping's stream until nothing is left, one batch after the other."""
    try:
        with request_scope(account, region):
            while batch := _next_batch(mapping):
                position = lambda_svc._dynamodb_stream_positions[mapping["UUID"]]
                if lambda_svc._apply_filter_criteria(batch, mapping):
                    batch = _when_full_or_due(mapping, batch)
                wanted = lambda_svc._apply_filter_criteria(batch, mapping)
                if wanted and not _deliver(mapping, wanted):
                    return  # the mapping is gone; nobody counts its records any more
                lambda_svc._dynamodb_stream_positions[mapping["UUID"]] = position + len(batch)
    finally:
        with _lock:
            _busy.discard(mapping["UUID"])
        esm_wake.set()  # for what was written between the last look and now


def _when_full_or_due(mapping: Json, batch: Records) -> Records:
    """Return the batch with what follows within the mapping's window, which begins now."""
    due = time.monotonic() + mapping.get("MaximumBatchingWindowInSeconds", 0)
    while len(batch) < _batch_size(mapping) and time.monotonic() < due:
        time.sleep(_SECONDS_BETWEEN_LOOKS)
        batch = _next_batch(mapping)
    return batch


def _next_batch(mapping: Json) -> Records:
    """Return the records that the mapping has not had; none of a mapping that is disabled or deleted."""
    source, name = mapping.get("EventSourceArn", ""), mapping["UUID"]
    if ":dynamodb:" not in source or not _is_live(mapping):
        return []
    table_name = source.split("/")[1]
    if (dynamodb._tables.get(table_name) or {}).get("LatestStreamArn") != source:
        return []
    lambda_svc._init_stream_position(name, source, mapping.get("StartingPosition", "LATEST"))
    # Records older than 24 h are gone.
    position = max(lambda_svc._dynamodb_stream_positions[name], dynamodb.stream_start_position(table_name))
    lambda_svc._dynamodb_stream_positions[name] = position
    batch: Records = dynamodb.stream_records_since(table_name, position, _batch_size(mapping))
    return batch


def _batch_size(mapping: Json) -> int:
    return int(mapping.get("BatchSize", _DEFAULT_BATCH_SIZE))


def _is_live(mapping: Json) -> bool:
    return mapping["UUID"] in lambda_svc._esms and bool(mapping.get("Enabled", True)) and _function(mapping) is not None


def _function(mapping: Json) -> Json | None:
    function: Json | None
    function, _ = lambda_svc._get_func_record_for_qualifier(mapping["FunctionName"], mapping.get("Qualifier"))
    return function


def _deliver(mapping: Json, batch: Records) -> bool:
    """Invoke the function until it takes the batch or the batch is given up; False when the mapping has gone."""
    tries = 0
    while _is_live(mapping) and (function := _function(mapping)):
        result = lambda_svc._execute_function(function, {"Records": batch})
        tries += 1
        if not result.get("error"):
            mapping["LastProcessingResult"] = "OK"
            return True
        mapping["LastProcessingResult"] = "PROBLEM: Function call failed"
        if condition := _given_up(mapping, batch, tries):
            lambda_svc._send_ddb_stream_failure_record(
                mapping, function, batch, mapping["EventSourceArn"], result, condition
            )
            return True
        if mapping.get("BisectBatchOnFunctionError") and len(batch) > 1:
            middle = len(batch) // 2
            return _deliver(mapping, batch[:middle]) and _deliver(mapping, batch[middle:])
        time.sleep(_SECONDS_BETWEEN_TRIES)
    return False


def _given_up(mapping: Json, batch: Records, tries: int) -> str | None:
    """Return why a failed batch is not tried again, in the words of its failure record."""
    oldest = min(float(record["dynamodb"]["ApproximateCreationDateTime"]) for record in batch)
    longest = int(mapping.get("MaximumRecordAgeInSeconds", _FOR_EVER))
    if longest > 0 and time.time() - oldest > longest:
        return "MaxRecordAgeExceeded"
    splits = bool(mapping.get("BisectBatchOnFunctionError")) and len(batch) > 1
    most = int(mapping.get("MaximumRetryAttempts", _FOR_EVER))
    return "RetryAttemptsExhausted" if most != _FOR_EVER and tries > most and not splits else None
