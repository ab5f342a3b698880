/* Forks main, serves it, starts it again when it crashed. */
#include "port/helper.h"

#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "port/confine.h"
#include "port/helper_client.h"
#include "port/helper_server.h"

enum {
    BACK_OFF_MIN = 100,         /* msec until main is started again */
    BACK_OFF_MAX = 10000,
    STEADY = 10000,             /* who lived so long starts without delay */
    STOP_PATIENCE = 10000,      /* between SIGTERM and SIGKILL */
    RUN_SOON = 200,             /* after a request there may be more to do */
};

struct supervisor {
    struct helper_server *server;
    sigset_t old_mask;
    int signal_fd;
    pid_t main;
    int sock;                   /* -1: main closed its end */
    unsigned int n_starts;
    msec started;
    msec back_off;
    msec kill_at;               /* 0: not told to stop */
    bool is_restarting;         /* main was told to, for another to follow */
    msec run_at;                /* helper_server_run() is due */
};

static void
set_of_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGCHLD);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGHUP);
}

/* In the new process: gives everything up that is not main's. */
static int
become_main(struct supervisor *s, const struct helper_options *options,
            int sock, pid_t parent, struct helper **result,
            struct str *error)
{
    int err;

    helper_server_abandon(s->server);
    close(s->signal_fd);
    sigprocmask(SIG_SETMASK, &s->old_mask, NULL);

    err = confine_privileges(options->uid, options->gid, error);
    if (err) {
        close(sock);
        return err;
    }
    /* After the change of user, which would clear it.  The helper may have
     * been killed before this took hold. */
    if (prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0) || getppid() != parent) {
        close(sock);
        return -EPIPE;
    }
    *result = helper_client_create(sock, s->n_starts, 0);
    return 0;
}

/* Returns 0 in the helper, 1 in main. */
static int
start_main(struct supervisor *s, const struct helper_options *options,
           struct helper **result, struct str *error)
{
    pid_t parent = getpid();
    int socks[2];
    int err;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, socks)) {
        return -errno;
    }
    fflush(NULL);
    s->main = fork();
    if (s->main < 0) {
        err = -errno;
        close(socks[0]);
        close(socks[1]);
        return err;
    }
    if (!s->main) {
        close(socks[0]);
        err = become_main(s, options, socks[1], parent, result, error);
        return err ? err : 1;
    }
    close(socks[1]);
    s->sock = socks[0];
    s->started = clock_msec();
    s->n_starts++;
    helper_server_new_main(s->server);
    return 0;
}

static void
close_sock(struct supervisor *s)
{
    if (s->sock >= 0) {
        close(s->sock);
        s->sock = -1;
    }
}

static void
stop_main(struct supervisor *s, int signo)
{
    if (s->main > 0) {
        kill(s->main, signo);
    }
    if (!s->kill_at) {
        s->kill_at = clock_msec() + STOP_PATIENCE;
    }
}

/* What main was told last counts, and an end is not taken back. */
static void
obey_signal(struct supervisor *s, int signo)
{
    if (signo != SIGHUP) {
        s->is_restarting = false;
        stop_main(s, signo);
    } else if (s->main > 0 && !s->kill_at) {
        log_info("helper", "restarting main");
        s->is_restarting = true;
        helper_server_await_main(s->server);
        stop_main(s, SIGTERM);
    }
}

/* Reads what signals there are.  True: main ended, `*status` says how. */
static bool
take_signals(struct supervisor *s, int *status)
{
    struct signalfd_siginfo info;
    bool ended = false;

    while (read(s->signal_fd, &info, sizeof info) == sizeof info) {
        if (info.ssi_signo != SIGCHLD) {
            obey_signal(s, (int) info.ssi_signo);
        } else if (s->main > 0
                   && waitpid(s->main, status, WNOHANG) == s->main) {
            s->main = 0;
            ended = true;
        }
    }
    return ended;
}

/* For poll(). */
static int
wait_of(msec next, msec now)
{
    return next == INT64_MAX ? -1 : (int) MIN(MAX(next - now, 0), INT_MAX);
}

/* Serves until main has ended; its wait status. */
static int
serve_until_end(struct supervisor *s)
{
    int status = 0;

    for (;;) {
        struct pollfd fds[] = {
            { .fd = s->signal_fd, .events = POLLIN },
            { .fd = s->sock, .events = POLLIN },
            { .fd = helper_server_fd(s->server), .events = POLLIN },
        };
        msec now = clock_msec();
        msec next;

        if (now >= s->run_at) {
            s->run_at = helper_server_run(s->server, now);
        }
        next = s->kill_at ? MIN(s->run_at, s->kill_at) : s->run_at;
        if (!poll(fds, ARRAY_SIZE(fds), wait_of(next, now)) && s->kill_at
            && clock_msec() >= s->kill_at) {
            log_warn("helper", "main did not end in time, killing it");
            kill(s->main, SIGKILL);
            s->kill_at += STOP_PATIENCE;
        }
        if (fds[1].revents) {
            s->run_at = MIN(s->run_at, clock_msec() + RUN_SOON);
            if (helper_serve(s->server, s->sock)) {
                close_sock(s);
            }
        }
        if (fds[2].revents) {
            s->run_at = 0;
        }
        if (fds[0].revents && take_signals(s, &status)) {
            close_sock(s);
            return status;
        }
    }
}

/* Waits before the next start.  False: told to stop meanwhile. */
static bool
back_off(struct supervisor *s)
{
    msec until;

    if (clock_msec() - s->started >= STEADY) {
        s->back_off = BACK_OFF_MIN;
        return !s->kill_at;
    }
    until = clock_msec() + s->back_off;
    s->back_off = MIN(s->back_off * 2, BACK_OFF_MAX);

    while (!s->kill_at && clock_msec() < until) {
        struct pollfd fd = { .fd = s->signal_fd, .events = POLLIN };
        int status;

        poll(&fd, 1, (int) MAX(until - clock_msec(), 1));
        take_signals(s, &status);
    }
    return !s->kill_at;
}

/* Main has ended, with this wait status. */
static bool
must_start_again(struct supervisor *s, int status)
{
    if (s->is_restarting) {
        s->is_restarting = false;
        s->kill_at = 0;
        return true;
    }
    if (!WIFSIGNALED(status)) {
        return false;
    }
    if (!s->kill_at) {
        log_error("helper", "main was ended by signal %d (%s), starting it"
                  " again", WTERMSIG(status), strsignal(WTERMSIG(status)));
    }
    return back_off(s);
}

int
helper_start(const struct helper_options *options, struct helper **result,
             struct str *error)
{
    struct supervisor s = { .sock = -1, .back_off = BACK_OFF_MIN };
    sigset_t set;
    int err, status;

    err = helper_server_create(options, &s.server, error);
    if (err) {
        return err;
    }
    set_of_signals(&set);
    sigprocmask(SIG_BLOCK, &set, &s.old_mask);
    s.signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (s.signal_fd < 0) {
        err = -errno;
        goto destroy_server;
    }

    do {
        err = start_main(&s, options, result, error);
        if (err == 1) {
            return 0;
        }
        if (err && !s.main) {
            return err;         /* in main, that could not be confined */
        }
        if (err) {
            goto close_signals;
        }
        status = serve_until_end(&s);
    } while (must_start_again(&s, status));

    helper_server_destroy(s.server);
    exit(WIFEXITED(status) ? WEXITSTATUS(status) : 0);

close_signals:
    close(s.signal_fd);
destroy_server:
    sigprocmask(SIG_SETMASK, &s.old_mask, NULL);
    helper_server_destroy(s.server);
    return err;
}

static void
serve_child(struct helper_server *server, int sock)
{
    msec run_at = 0;

    for (;;) {
        struct pollfd fds[] = {
            { .fd = sock, .events = POLLIN },
            { .fd = helper_server_fd(server), .events = POLLIN },
        };
        msec now = clock_msec();

        if (now >= run_at) {
            run_at = helper_server_run(server, now);
            fds[1].fd = helper_server_fd(server);
        }
        poll(fds, ARRAY_SIZE(fds), wait_of(run_at, now));
        if (fds[1].revents) {
            run_at = 0;
        }
        if (fds[0].revents) {
            run_at = MIN(run_at, clock_msec() + RUN_SOON);
            if (helper_serve(server, sock)) {
                return;
            }
        }
    }
}

int
helper_spawn(const struct helper_options *options, struct helper **result,
             struct str *error)
{
    struct helper_server *server = NULL;
    int socks[2];
    int err = helper_server_create(options, &server, error);
    pid_t pid;

    if (err) {
        return err;
    }
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, socks)) {
        err = -errno;
        goto destroy_server;
    }
    fflush(NULL);
    pid = fork();
    if (pid < 0) {
        err = -errno;
        goto close_socks;
    }
    if (!pid) {
        close(socks[1]);
        helper_server_new_main(server);
        serve_child(server, socks[0]);
        helper_server_destroy(server);
        _exit(0);
    }
    close(socks[0]);
    helper_server_abandon(server);
    *result = helper_client_create(socks[1], 0, pid);
    return 0;

close_socks:
    close(socks[0]);
    close(socks[1]);
destroy_server:
    helper_server_destroy(server);
    return err;
}
