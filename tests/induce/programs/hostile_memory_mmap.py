# forbidden: PermissionError
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t] + [ctypes.c_int] * 3 + [ctypes.c_long]
PROT_READ, PROT_WRITE, PROT_EXEC, MAP_PRIVATE, MAP_SHARED, MAP_ANONYMOUS = 1, 2, 4, 2, 1, 32
REFUSED = ctypes.c_void_p(-1).value


def transform(input_grid):
    # More than the limit, shared memory too; then executable memory, at once and by changing one's mind.
    assert libc.mmap(None, 1 << 30, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == REFUSED
    assert libc.mmap(None, 1 << 30, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0) == REFUSED
    place = libc.mmap(None, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    assert place != REFUSED
    assert libc.mmap(None, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == REFUSED
    assert libc.mprotect(ctypes.c_void_p(place), 4096, PROT_READ | PROT_EXEC) == -1
    raise PermissionError(ctypes.get_errno(), "mprotect")
