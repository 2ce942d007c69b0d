# forbidden: kills for
import ctypes

ctypes.CDLL(None).syscall(0x40000000 + 39)  # the x32 numbers
