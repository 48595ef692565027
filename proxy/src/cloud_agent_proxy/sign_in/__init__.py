"""Sign in with GitHub: a session is shown to those who may read its repository.

A visitor's way, each step a redirect but the last:

1. `GitHubSignIn.begin` on the session's host: to GitHub, with a state that names the session and a nonce cookie that
   stays behind on this host.
2. GitHub, where the visitor authorizes the App, once in a lifetime.
3. `GitHubSignIn.forward` on the sign-in host, the one callback address that GitHub knows: back to the session's host.
4. `GitHubSignIn.finish` on the session's host: the visitor's own token asks GitHub for the repository.

Afterwards `GitHubSignIn.renew` asks GitHub again, once an hour, unnoticed by the visitor.
"""

from __future__ import annotations

SIGN_IN_HOST = "sign-in"
"""The name below the UAT domain at which GitHub's callback arrives."""
ACCESS_SECONDS = 3_600
"""For how long GitHub's word is taken: one who loses the repository loses the session within the hour."""
