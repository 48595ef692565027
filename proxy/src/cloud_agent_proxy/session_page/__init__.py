"""The session's page, `/.uat/`: what Claude does and did, from the session's row and its transcript.

`objects` fetches the transcript's objects, `events` reads them, `conversation` folds them into what is shown,
`transcripts` keeps that for every session that is looked at. `view` and `renderer` make HTML of it, `streams` tells
open pages what is new, `paths` are the addresses of it all.
"""
