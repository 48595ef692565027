"""A task's containers, as local processes or as an engine's own, behind the few calls that ministack makes to Docker.

`container` has what both are; `process_container` and `engine_container` are the two, one chosen for all tasks.
"""
