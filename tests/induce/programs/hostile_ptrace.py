# forbidden: kills for
import ctypes
import os

ctypes.CDLL(None).ptrace(16, os.getppid(), None, None)
