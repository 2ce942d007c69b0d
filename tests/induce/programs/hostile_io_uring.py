# forbidden: kills for
import ctypes

ctypes.CDLL(None).syscall(425, 8, None)
