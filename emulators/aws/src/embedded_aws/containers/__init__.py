"""A task's container as a tree of local processes, behind the few calls ministack makes to Docker."""
