# forbidden: kills for
import ctypes

ctypes.CDLL(None).process_vm_readv(1, None, 0, None, 0, 0)
