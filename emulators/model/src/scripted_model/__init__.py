"""A stand-in for the model, for demos and tests without a key: it speaks the Anthropic Messages API.

Claude Code itself is real; only the thinking is scripted. The script reads the request out of the prompt and
does a real edit in the sample repository (`plans.py`). It keeps no state: every answer follows from the
conversation that is sent with each call.

Lines that an issue or a comment may hold, for tests:

    scripted-model: fail 529       answer every call with this HTTP status, as one that is not worth repeating
    scripted-model: think 30       take 30 s over every answer, having begun it
    scripted-model: run COMMAND    run COMMAND in Claude's shell instead of an edit (one per line, in order)
    scripted-model: once refused run COMMAND    the same, when the agent says that the commits couldn't be pushed
"""
