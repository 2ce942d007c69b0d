# forbidden: PermissionError
import os
import signal


def transform(input_grid):
    os.kill(os.getpid() - 1, signal.SIGKILL)
