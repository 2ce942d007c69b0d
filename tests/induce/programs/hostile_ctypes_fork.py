# forbidden: PermissionError
import ctypes

libc = ctypes.CDLL(None, use_errno=True)


def transform(input_grid):
    # fork, vfork, clone, clone3, open, openat, openat2, socket, kill, tgkill, prctl, seccomp, personality, chroot, memfd,
    # setuid, prlimit64, shmget, msgget, pidfd_open, pidfd_getfd, keyctl, mlock, sendmsg, recvmsg, sendto, dup2, fcntl, ioctl
    for number in (57, 58, 56, 435, 2, 257, 437, 41, 62, 234, 157, 317, 135, 161, 319, 105, 302, 29, 68, 434, 438, 250, 149,
                   46, 47, 44, 33, 72, 16):
        ctypes.set_errno(0)
        assert libc.syscall(number, 0, 0, 0, 0, 0, 0) == -1 and ctypes.get_errno() == 1, number
    raise PermissionError("all refused")
