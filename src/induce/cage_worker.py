# The server of the cage. It runs as `python3 -s -c <this text>`, with an environment made for it and descriptor 3 for
# talking to its master (see cage_inside.h for the messages). It imports what programs need once, then answers requests
# by forking. The server is trusted; what it forks is too until `confine` has returned, and never again.
import sys

sys.path[:] = [folder for folder in sys.path if folder]  # not from the folder that the master happens to be in

import ctypes
import gc
import io
import os
import resource
import signal
import socket
import struct

CONTROL = REPLY = 3  # the server's descriptor, and the only one of a forked worker (its pipe)
DESCRIPTORS = 64     # the server never has more open
OUTPUT_LIMIT = 1 << 20
MESSAGE_LIMIT = 150
GRID_LIMIT = 30

RAN, RAISED, NO_GRID, TIME, MEMORY, OUTPUT, FORBIDDEN = range(7)  # ttt_cage_outcome

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 1, 4, 22, 2

# Loaded before the first program, because a program cannot read files: what ordinary programs import.
MODULES = """_strptime abc ast bisect cmath collections collections.abc contextlib copy dataclasses datetime decimal enum
fractions functools heapq inspect itertools json math numbers operator pprint queue random re statistics string textwrap
time traceback types typing warnings numpy numpy.fft numpy.lib.stride_tricks numpy.linalg numpy.ma numpy.random"""
OPTIONAL_MODULES = "scipy scipy.ndimage"


def read_whole(descriptor):
    os.lseek(descriptor, 0, os.SEEK_SET)
    parts = []
    while part := os.read(descriptor, 1 << 20):
        parts.append(part)
    os.close(descriptor)
    return b"".join(parts)


class Filter(ctypes.Structure):  # struct sock_fprog
    _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p)]


class Settings:
    """What the master asks for: limits, the seccomp filter (made there, with libseccomp) and the prelude."""

    def __init__(self, data):
        self.memory, self.seconds, filter_bytes, prelude_bytes = struct.unpack_from("=QdII", data)
        at = struct.calcsize("=QdII")
        self.instructions = ctypes.create_string_buffer(data[at : at + filter_bytes], filter_bytes)
        self.filter = Filter(filter_bytes // 8, ctypes.addressof(self.instructions))
        self.prelude = data[at + filter_bytes : at + filter_bytes + prelude_bytes]
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.libc.prctl.argtypes = [ctypes.c_int] + [ctypes.c_ulong] * 4

    def prctl(self, option, *values):
        if self.libc.prctl(option, *values, *[0] * (4 - len(values))) != 0:
            raise OSError(ctypes.get_errno(), f"prctl {option}")

    def close_in(self):
        self.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.addressof(self.filter))


def load(settings):
    """Imports everything, and makes the prelude the module `common`."""
    import importlib

    for name in MODULES.split():
        importlib.import_module(name)
    for name in OPTIONAL_MODULES.split():
        try:
            importlib.import_module(name)
        except ImportError:
            break
    import types

    common = sys.modules["common"] = types.ModuleType("common")
    try:
        exec(compile(settings.prelude, "<prelude>", "exec"), common.__dict__)
    except BaseException as error:
        raise ImportError(f"the prelude: {describe(error, '<prelude>')}") from None


# ------------------------------------------------------------------------------------------------ a worker
class Sink(io.TextIOBase):
    """In place of the standard streams: counts, and ends the program at the limit."""

    written = 0

    def writable(self):
        return True

    def write(self, text):
        self.written += len(text)
        if self.written > OUTPUT_LIMIT:
            finish(OUTPUT, b"printed more than a MiB")
        return len(text)


def limit(kind, value, grace=0):
    """Beyond `value` a signal tells; beyond `grace` more the kernel kills, and cannot tell why."""
    hard = resource.getrlimit(kind)[1]
    most = value + grace
    if hard != resource.RLIM_INFINITY:
        value, most = min(value, hard), min(most, hard)
    resource.setrlimit(kind, (value, most))


def confine(settings, reply, server):
    """From here on: no file, no descriptor but REPLY, limits, the filter. Whatever fails ends the worker."""
    settings.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != server:
        os._exit(1)
    os.dup2(reply, REPLY)
    os.closerange(0, REPLY)
    os.closerange(REPLY + 1, DESCRIPTORS)
    with_memory = settings.memory + settings.size
    limit(resource.RLIMIT_AS, with_memory if with_memory < 1 << 62 else resource.RLIM_INFINITY)
    limit(resource.RLIMIT_CPU, int(min(settings.seconds, 1e9)) + 2, grace=1)
    for kind in ("FSIZE", "NOFILE", "NPROC", "CORE", "MEMLOCK", "MSGQUEUE", "SIGPENDING"):
        limit(getattr(resource, "RLIMIT_" + kind), 0)
    settings.prctl(PR_SET_DUMPABLE, 0)
    settings.close_in()


def finish(outcome, payload, write=os.write, leave=os._exit):
    if outcome == MEMORY:
        leave(MEMORY)  # there may be no memory left to say it in
    data = bytes([outcome]) + payload
    while data:
        data = data[write(REPLY, data) :]
    leave(0)


class NoGrid(Exception):
    pass


def decode(request):
    import numpy

    program_bytes, count = struct.unpack_from("=II", request)
    at = 8 + program_bytes
    grids = []
    for _ in range(count):
        height, width = request[at], request[at + 1]
        cells = numpy.frombuffer(request, numpy.uint8, height * width, at + 2)
        grids.append(cells.reshape(height, width).astype(numpy.int64))
        at += 2 + height * width
    return request[8 : 8 + program_bytes], grids


def encode(value):
    """A returned value as height, width, cells. Lists of rows and floats without a fraction count as grids."""
    import numpy

    if isinstance(value, (list, tuple)):
        try:
            value = numpy.array(value)
        except ValueError:
            raise NoGrid("returned rows of different lengths") from None
    if not isinstance(value, numpy.ndarray):
        raise NoGrid(f"returned {type(value).__name__}, not an array")
    value = numpy.ndarray.view(value, numpy.ndarray)
    if value.ndim != 2:
        raise NoGrid(f"returned {value.ndim} dimensions, not 2")
    height, width = value.shape
    if not (1 <= height <= GRID_LIMIT and 1 <= width <= GRID_LIMIT):
        raise NoGrid(f"returned {height} x {width} cells, outside 1 x 1 to 30 x 30")
    if value.dtype.kind not in "biuf":
        raise NoGrid(f"returned cells of type {value.dtype}")
    if not ((value >= 0) & (value <= 9) & (value == numpy.floor(value))).all():
        raise NoGrid("returned cells that are not colours 0 to 9")
    return bytes([height, width]) + value.astype(numpy.uint8).tobytes()


def describe(error, file="<program>"):
    line, trace = None, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == file:
            line = trace.tb_lineno
        trace = trace.tb_next
    if isinstance(error, SyntaxError) and error.filename == file:
        line, text = error.lineno, str(error.msg)
    else:
        text = str(error)
    place = "" if line is None else f"line {line}: "
    return f"{place}{type(error).__name__}{': ' if text else ''}{text}"


def run(source, grids):
    """Everything in here is the program's: whatever it has changed, it has changed for itself alone."""
    import random
    import types

    import numpy

    # The same program gives the same answer: also from generators of its own that it does not seed.
    random.seed(0)
    numpy.random.seed(0)

    class Random(random.Random):
        def __init__(self, seed=0):
            super().__init__(seed)

    generator = numpy.random.default_rng
    random.Random = Random
    numpy.random.default_rng = lambda seed=0: generator(seed)
    module = sys.modules["program"] = types.ModuleType("program")
    exec(compile(source, "<program>", "exec"), module.__dict__)
    for name in ("transform", "main"):
        function = module.__dict__.get(name)
        if callable(function):
            break
    else:
        finish(RAISED, b"defines neither transform nor main")
    finish(RAN, b"".join([encode(function(grid)) for grid in grids]))


def work(settings, request, reply, server):
    request = read_whole(request)
    confine(settings, reply, server)
    sys.stdin = sys.__stdin__ = None
    sys.stdout = sys.stderr = sys.__stdout__ = sys.__stderr__ = Sink()
    gc.enable()
    try:
        run(*decode(request))
    except MemoryError:
        finish(MEMORY, b"")
    except NoGrid as error:
        finish(NO_GRID, str(error).encode()[:MESSAGE_LIMIT])
    except BaseException as error:
        outcome = FORBIDDEN if isinstance(error, PermissionError) else RAISED
        try:
            text = describe(error)
        except BaseException:
            text = "an exception that cannot be printed"
        finish(outcome, text.encode("ascii", "replace")[:MESSAGE_LIMIT])


# ------------------------------------------------------------------------------------------------ the server
def start_worker(settings, control, request, reply, server):
    try:
        pid = os.fork()
    except OSError as error:
        control.send(struct.pack("=iI", error.errno, 0))
        return
    if pid == 0:
        try:
            work(settings, request, reply, server)
        finally:
            os._exit(1)  # never back into the server's loop
    descriptor = os.pidfd_open(pid)
    socket.send_fds(control, [struct.pack("=iI", 0, pid)], [descriptor])
    os.close(descriptor)


def serve(settings, control):
    server = os.getpid()
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, 16, 2)
        if not message:
            return  # the master is gone
        if message[:1] == b"R":
            start_worker(settings, control, *descriptors, server)
            for descriptor in descriptors:
                os.close(descriptor)
        else:
            pid = struct.unpack("=I", message[1:])[0]
            control.send(struct.pack("=i", os.waitpid(pid, 0)[1]))


def offer_to_be_killed():
    """When the machine's memory is out, the kernel takes the workers (and then us) before the master."""
    try:
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write("1000")
    except OSError:
        pass  # a container may forbid it; the limits hold all the same


def main():
    resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # ignored, it would reap the workers before we can
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    control = socket.socket(fileno=CONTROL)
    try:
        message, descriptors, _, _ = socket.recv_fds(control, 16, 1)
        if not message:
            return
        settings = Settings(read_whole(descriptors[0]))
        offer_to_be_killed()
        load(settings)
        os.chdir("/")
        with open("/proc/self/statm") as file:
            settings.size = int(file.read().split()[0]) * resource.getpagesize()
        gc.collect()
        gc.disable()
        gc.freeze()  # a worker's collector leaves these pages alone, so that they stay shared
    except BaseException as error:
        control.send(b"\1" + f"{type(error).__name__}: {error}".encode("ascii", "replace")[:300])
        return
    control.send(b"\0")
    serve(settings, control)


main()
