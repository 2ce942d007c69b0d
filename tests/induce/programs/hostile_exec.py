# forbidden: kills for
import os

os.execv("/bin/sh", ["sh", "-c", "touch /tmp/escaped"])
