# forbidden: PermissionError
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
word = ctypes.c_uint(0)


def transform(input_grid):
    # Waking is allowed (nobody waits); the operations on other words and priorities are not.
    assert libc.syscall(202, ctypes.byref(word), 1 | 128, 1, None, None, 0) == 0
    for operation in (3, 4, 5, 6, 7, 8, 11, 12, 13, 6 | 128, 12 | 256):
        assert libc.syscall(202, ctypes.byref(word), operation, 0, None, None, 0) == -1
        assert ctypes.get_errno() == 1, operation
    raise PermissionError("all refused")
