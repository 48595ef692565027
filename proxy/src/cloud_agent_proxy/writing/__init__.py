"""Writing to Claude, where visitors can sign in: on the sign-in host, which no preview can script or send to.

What is written becomes a comment on the pull request, made with the visitor's own token: it goes the way of every other
comment, by GitHub's signed webhook, and who may do what is checked there once more.
"""
