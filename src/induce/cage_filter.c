/* The system calls of a worker: a list of what pure computation needs, and nothing else.
 *
 * Every other call fails with EPERM instead of killing: the interpreter asks for many things that it can do without
 * (an import looks for files, a message wants to know whether it goes to a terminal), and then a program that imports
 * what is not there gets an ordinary exception. Calls with no innocent use kill at once, so that nobody gets to try
 * twice. Memory is never executable beyond what was loaded before; the one descriptor may be written to, no more:
 * neither read, closed, nor doubled. Another architecture's calls (32 bit, x32) kill. */
#include "induce/cage_inside.h"

#include <errno.h>
#include <linux/futex.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { REPLY_DESCRIPTOR = 3 }; /* as in cage_worker.py */

static const int allowed[] = {
    /* memory */
    SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap),
    /* what to do with signals, without sending any */
    SCMP_SYS(sched_yield), SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sigaltstack), SCMP_SYS(restart_syscall),
    /* time and chance */
    SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres), SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(nanosleep),
    SCMP_SYS(clock_nanosleep), SCMP_SYS(getrandom), SCMP_SYS(getcpu), SCMP_SYS(getrusage), SCMP_SYS(times),
    /* who am I, and the end */
    SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(exit), SCMP_SYS(exit_group)};

static const int deadly[] = {SCMP_SYS(execve),
                             SCMP_SYS(execveat),
                             SCMP_SYS(ptrace),
                             SCMP_SYS(process_vm_readv),
                             SCMP_SYS(process_vm_writev),
                             SCMP_SYS(bpf),
                             SCMP_SYS(io_uring_setup),
                             SCMP_SYS(userfaultfd),
                             SCMP_SYS(perf_event_open),
                             SCMP_SYS(unshare),
                             SCMP_SYS(setns),
                             SCMP_SYS(mount),
                             SCMP_SYS(init_module),
                             SCMP_SYS(finit_module),
                             SCMP_SYS(kexec_load)};

/* What malloc and numpy say of their memory. (To root, the kernel has advice that takes memory from the machine.) */
static const scmp_datum_t advices[] = {MADV_DONTNEED, MADV_FREE, MADV_HUGEPAGE, MADV_NOHUGEPAGE};
/* What locks are made of. */
static const scmp_datum_t futexes[] = {FUTEX_WAIT, FUTEX_WAKE, FUTEX_WAIT_BITSET, FUTEX_WAKE_BITSET};

static int add_rules(scmp_filter_ctx context) {
    int failed = seccomp_attr_set(context, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    for (size_t i = 0; failed == 0 && i < sizeof allowed / sizeof *allowed; i++) {
        failed = seccomp_rule_add(context, SCMP_ACT_ALLOW, allowed[i], 0);
    }
    for (size_t i = 0; failed == 0 && i < sizeof deadly / sizeof *deadly; i++) {
        failed = seccomp_rule_add(context, SCMP_ACT_KILL_PROCESS, deadly[i], 0);
    }
    for (size_t i = 0; failed == 0 && i < sizeof advices / sizeof *advices; i++) {
        failed = seccomp_rule_add(context, SCMP_ACT_ALLOW, SCMP_SYS(madvise), 1, SCMP_A2(SCMP_CMP_EQ, advices[i], 0));
    }
    for (size_t i = 0; failed == 0 && i < sizeof futexes / sizeof *futexes; i++) {
        const struct scmp_arg_cmp is = SCMP_A1(SCMP_CMP_MASKED_EQ, (uint32_t)FUTEX_CMD_MASK, futexes[i]);
        failed = seccomp_rule_add(context, SCMP_ACT_ALLOW, SCMP_SYS(futex), 1, is);
    }
    const struct scmp_arg_cmp not_executable = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
    const struct scmp_arg_cmp to_the_pipe = SCMP_A0(SCMP_CMP_EQ, REPLY_DESCRIPTOR, 0);
    if (failed == 0) failed = seccomp_rule_add(context, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, not_executable);
    if (failed == 0) failed = seccomp_rule_add(context, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, not_executable);
    if (failed == 0) failed = seccomp_rule_add(context, SCMP_ACT_ALLOW, SCMP_SYS(write), 1, to_the_pipe);
    /* Before Python 3.11, time.sleep is a select of nothing. */
    const struct scmp_arg_cmp of_nothing = SCMP_A0(SCMP_CMP_EQ, 0, 0);
    if (failed == 0) failed = seccomp_rule_add(context, SCMP_ACT_ALLOW, SCMP_SYS(select), 1, of_nothing);
    if (failed == 0) failed = seccomp_rule_add(context, SCMP_ACT_ALLOW, SCMP_SYS(pselect6), 1, of_nothing);
    return failed;
}

/* libseccomp writes its program to a descriptor; a file in memory gives it back. */
static ttt_status export_program(scmp_filter_ctx context, ttt_cage_bytes *bytes, ttt_error *err) {
    int file = memfd_create("cage filter", MFD_CLOEXEC);
    if (file < 0) return ttt_fail(err, TTT_ERROR_IO, "the cage's filter: no file in memory: %s", strerror(errno));
    ttt_status status = TTT_OK;
    int failed = seccomp_export_bpf(context, file);
    if (failed != 0 || lseek(file, 0, SEEK_SET) != 0) {
        status = ttt_fail(err, TTT_ERROR_UNSUPPORTED, "the cage's filter cannot be made: %s", strerror(-failed));
    }
    char part[1024];
    for (ssize_t count; status == TTT_OK && (count = read(file, part, sizeof part)) != 0;) {
        if (count < 0) {
            status = ttt_fail(err, TTT_ERROR_IO, "the cage's filter cannot be read back: %s", strerror(errno));
        } else {
            status = ttt_cage_append(bytes, part, (size_t)count, err);
        }
    }
    close(file);
    return status;
}

ttt_status ttt_cage_filter(ttt_cage_bytes *bytes, ttt_error *err) {
    scmp_filter_ctx context = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    if (context == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "the cage's filter: out of memory");
    int failed = add_rules(context);
    ttt_status status =
        failed == 0 ? export_program(context, bytes, err)
                    : ttt_fail(err, TTT_ERROR_UNSUPPORTED, "the cage's filter cannot be made: %s", strerror(-failed));
    seccomp_release(context);
    return status;
}
