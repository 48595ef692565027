"""`python -m lunchboard <fd>`: serve on a listening socket inherited from dev.py."""

import signal
import socket
import sys

from .web import serve

signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
serve(socket.socket(fileno=int(sys.argv[1])))
