# forbidden: PermissionError
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]


def transform(input_grid):
    # To root, madvise also means "this memory is broken" (100) and "take it out of use" (101).
    memory = ctypes.create_string_buffer(3 * 4096)
    page = (ctypes.addressof(memory) + 4095) // 4096 * 4096
    for advice in (100, 101, 9, 12, 20, 21):
        assert libc.madvise(page, 4096, advice) == -1 and ctypes.get_errno() == 1, advice
    raise PermissionError("all refused")
