"""Pictures of the preview's pages, before and after a turn, for those who may see the session.

`take.mjs` takes them, in Chromium and as the workspace's user. `camera` runs it and looks at what it returns, and
`pictures` knows how pages looked before and reports what has changed.
"""
