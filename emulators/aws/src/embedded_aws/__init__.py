"""The embedded AWS: ministack, corrected where it differs from AWS, with ECS tasks as local processes.

`python -m embedded_aws --port 4566 --state-dir DIR --log-dir DIR [--enforce-iam] [--image NAME=ARGV]`

Reading order: `__main__` (arguments), `settings` (the environment ministack is configured by), `server`
(start and graceful end), `patches` (one module for each correction) and `containers` (a task's container
as a tree of processes).
"""
