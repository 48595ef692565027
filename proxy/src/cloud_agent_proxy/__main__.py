"""`python -m cloud_agent_proxy`: run the proxy until SIGTERM, SIGINT or the end of HAProxy.

`python -m cloud_agent_proxy canary`: run the canary's dev server in its place, of the same image.
"""

from __future__ import annotations

import gc
import sys

if __name__ == "__main__":
    gc.disable()  # imports leave next to nothing to collect, and each pass would walk all that is loaded by then
    if sys.argv[1:] == ["canary"]:
        from cloud_agent_proxy.canary import main
    else:
        from cloud_agent_proxy.program import main
    gc.freeze()
    gc.enable()
    sys.exit(main())
