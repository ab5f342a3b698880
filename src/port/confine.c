#include "port/confine.h"

#include <cap-ng.h>
#include <linux/capability.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <unistd.h>

int
confine_privileges(uid_t uid, gid_t gid, struct str *error)
{
    int ret;

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) {
        str_setf(error, "no_new_privs: %s", strerror(errno));
        return -errno;
    }
    capng_clear(CAPNG_SELECT_ALL);
    if (uid) {
        ret = capng_change_id((int) uid, (int) gid,
                              CAPNG_DROP_SUPP_GRP | CAPNG_CLEAR_BOUNDING
                              | CAPNG_CLEAR_AMBIENT);
    } else {
        ret = capng_apply(CAPNG_SELECT_ALL);
    }
    if (ret) {
        str_setf(error, "drop capabilities: libcap-ng says %d", ret);
        return -EPERM;
    }
    if (capng_get_caps_process()
        || capng_have_capabilities(CAPNG_SELECT_CAPS) != CAPNG_NONE) {
        str_setf(error, "capabilities are still there");
        return -EPERM;
    }
    return 0;
}

/* Grouped by who needs them.  Names this libseccomp does not know are skipped:
 * a kernel can not be asked for them either. */
static const char *const allowed[] = {
    /* Packets, sessions, files. */
    "read", "write", "readv", "writev", "pread64", "pwrite64", "recvfrom",
    "recvmsg", "recvmmsg", "sendto", "sendmsg", "sendmmsg", "close",
    "close_range", "shutdown", "lseek", "fsync", "fdatasync", "ftruncate",
    "fallocate", "sendfile",
    /* New sessions. */
    "socket", "socketpair", "bind", "listen", "accept", "accept4", "connect",
    "getsockname", "getpeername", "getsockopt", "setsockopt", "ioctl",
    /* Captures, the store, the resolver's files. */
    "open", "openat", "openat2", "stat", "fstat", "lstat", "newfstatat",
    "statx", "statfs", "fstatfs", "access", "faccessat", "faccessat2",
    "readlink", "readlinkat", "getdents64", "getcwd", "rename", "renameat",
    "renameat2", "unlink", "unlinkat", "mkdir", "mkdirat", "umask",
    "fchmod", "fchown", "chmod", "fcntl", "flock", "dup", "dup2", "dup3",
    "pipe", "pipe2",
    /* Waiting. */
    "poll", "ppoll", "select", "pselect6", "epoll_create", "epoll_create1",
    "epoll_ctl", "epoll_wait", "epoll_pwait", "epoll_pwait2", "eventfd",
    "eventfd2", "timerfd_create", "timerfd_settime", "timerfd_gettime",
    "nanosleep", "clock_nanosleep", "clock_gettime", "clock_getres",
    "gettimeofday", "time", "restart_syscall", "inotify_init1",
    "inotify_add_watch", "inotify_rm_watch", "signalfd", "signalfd4",
    /* Memory and threads. */
    "mmap", "munmap", "mremap", "mprotect", "madvise", "mincore", "brk",
    "memfd_create", "futex", "membarrier", "rseq", "set_robust_list",
    "get_robust_list", "clone", "clone3", "exit", "exit_group", "gettid",
    "getpid", "getppid", "getuid", "geteuid", "getgid", "getegid", "tgkill",
    "tkill", "kill", "sched_yield", "sched_getaffinity",
    "sched_setaffinity", "sched_getparam", "sched_getscheduler", "getcpu",
    "prctl", "arch_prctl", "set_tid_address", "sigaltstack", "wait4",
    "waitid",
    /* Signals, limits, the rest of libc. */
    "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "rt_sigtimedwait",
    "rt_sigpending", "rt_sigsuspend", "getrlimit", "prlimit64", "getrusage",
    "getrandom", "uname", "sysinfo", "times",
};

int
confine_system_calls(enum confine_action action, struct str *error)
{
    scmp_filter_ctx filter = seccomp_init(action == CONFINE_LOG
                                          ? SCMP_ACT_LOG
                                          : SCMP_ACT_KILL_PROCESS);
    int err = 0;

    if (!filter) {
        str_setf(error, "seccomp: no filter");
        return -ENOMEM;
    }
    for (size_t i = 0; !err && i < ARRAY_SIZE(allowed); i++) {
        int number = seccomp_syscall_resolve_name(allowed[i]);

        if (number != __NR_SCMP_ERROR) {
            err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0);
        }
    }
    if (!err) {
        err = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
    }
    if (!err) {
        err = seccomp_load(filter);
    }
    if (err) {
        str_setf(error, "seccomp: %s", strerror(-err));
    }
    seccomp_release(filter);
    return err;
}
