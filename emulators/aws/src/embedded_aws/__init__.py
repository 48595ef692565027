"""The embedded AWS: ministack, cured of what it does differently from AWS, with ECS tasks as local processes.

`python -m embedded_aws --port 4566 --state-dir DIR --log-dir DIR [--enforce-iam]`

Reading order: `__main__` (arguments), `settings` (the environment ministack is configured by), `server`
(start and graceful end), `patches` (one module for each defect cured) and `containers` (a task's container
as a tree of processes).
"""
