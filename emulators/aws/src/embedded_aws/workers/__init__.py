"""Python workers of Lambda functions, forked from a process that has already imported what they would import.

`fork_server` is what the embedded AWS uses, `fork_server_process` that process. A worker finds what it would find in a
process of its own, sooner: its variables, search path, folder and streams. Where it wouldn't, it gets such a process.
"""
