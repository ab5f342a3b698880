#include "port/host_nat_keep.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "packet/address.h"
#include "port/floating.h"
#include "port/forwarding6.h"
#include "port/nft_table.h"
#include "port/sysctl.h"

enum {
    NAME_SIZE = 64, COMMENT_SIZE = 128,
    MEND_PERIOD_MS = 200,         /* two who undo each other's work do not spin */
    RETRY_MS = 2000,              /* after the kernel refused */
    SETTLE_MS = 20,               /* links that change bring more changes */
};

static const char forwarding_path[] = "ipv4/ip_forward";
static const char prefix[] = "weft:";
static const char forward_mark[] = " forward=";
static const char forward6_mark[] = " forward6=";
static const char ra_mark[] = " ra=";

struct host_nat_keep {
    const char *instance;
    char name[NAME_SIZE];         /* of the table */
    char *rules;                  /* that are in force; NULL: OFF */
    struct host_nat nat;          /* what they say; forwards: floating ones */
    char forwarding_was;          /* '0', '1' */
    struct forwarding6 was6;
    uint64_t fingerprint;         /* of the table, as we left it */
    int epoll;                    /* of the next two; -1: OFF */
    int monitor;                  /* of nft's tables; -1: nothing is watched */
    int links;                    /* of links and addresses; the same */
    msec mend_at;                 /* somebody touched it; INT64_MAX: nobody */
    msec mended_at;               /* the last time */
    msec float_at;                /* links changed; INT64_MAX: no */
};

struct host_nat_keep *
host_nat_keep_create(const char *instance)
{
    struct host_nat_keep *keep = xzalloc(sizeof *keep);

    keep->instance = instance;
    snprintf(keep->name, sizeof keep->name, "weft-%s", instance);
    keep->epoll = keep->monitor = keep->links = -1;
    keep->mend_at = keep->float_at = INT64_MAX;
    return keep;
}

static void
close_fd(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
        *fd = -1;
    }
}

/* In the state OFF nothing is. */
static void
stop_watching(struct host_nat_keep *keep)
{
    close_fd(&keep->monitor);
    close_fd(&keep->links);
    close_fd(&keep->epoll);
    keep->mend_at = keep->float_at = INT64_MAX;
}

/* Takes `fd` over, or a negative errno. */
static int
watch(struct host_nat_keep *keep, int fd, int *which)
{
    struct epoll_event event = { .events = EPOLLIN };

    if (fd < 0) {
        return fd;
    }
    if (keep->epoll < 0) {
        keep->epoll = epoll_create1(EPOLL_CLOEXEC);
    }
    if (keep->epoll < 0
        || epoll_ctl(keep->epoll, EPOLL_CTL_ADD, fd, &event)) {
        int err = -errno;

        close(fd);
        return err;
    }
    *which = fd;
    return 0;
}

void
host_nat_keep_destroy(struct host_nat_keep *keep)
{
    if (keep) {
        stop_watching(keep);
        free(keep->rules);
        free(keep->nat.forwards);
        free(keep);
    }
}

/* ---- What was before us ---- */

struct marks {
    const char *name;
    bool is_ours_there;
    unsigned int n_others, n_others6;         /* daemons' tables */
    char forwarding_was;          /* as the first of them found it; '\0' */
    struct forwarding6 was6;      /* the same */
};

static void
read_mark6(const char *comment, struct forwarding6 *was)
{
    const char *mark = strstr(comment, forward6_mark);
    const char *ra = strstr(comment, ra_mark);
    size_t len = ra ? strspn(ra + strlen(ra_mark), "0123456789,") : 0;

    if (!mark) {
        return;
    }
    was->forwarding = mark[strlen(forward6_mark)] == '0' ? '0' : '1';
    if (was->forwarding == '0' && len < sizeof was->ra) {
        memcpy(was->ra, ra + strlen(ra_mark), len);
        was->ra[len] = '\0';
    }
}

/* The table of one daemon or another. */
static void
read_mark(const char *name, const char *comment, void *marks_)
{
    struct marks *marks = marks_;
    const char *was = strstr(comment, forward_mark);

    if (strncmp(comment, prefix, strlen(prefix)) || !was) {
        return;
    }
    was += strlen(forward_mark);
    if (*was == '0' || *was == '1') {
        marks->forwarding_was = *was == '0' ? '0' : marks->forwarding_was
                                                    ? marks->forwarding_was
                                                    : '1';
        if (strcmp(name, marks->name)) {
            marks->n_others++;
            marks->n_others6 += strstr(comment, forward6_mark) != NULL;
        } else {
            marks->is_ours_there = true;
        }
        if (marks->was6.forwarding != '0') {
            read_mark6(comment, &marks->was6);
        }
    }
}

static int
read_marks(const struct host_nat_keep *keep, struct marks *marks)
{
    int err = -EINTR;

    for (unsigned int try = 0; err == -EINTR && try < 16; try++) {
        *marks = (struct marks) { .name = keep->name };
        err = nft_table_for_each(read_mark, marks);
    }
    return err;
}

/* ---- The table ---- */

static char *
format_rules(const struct host_nat_keep *keep, const struct host_nat *nat)
{
    struct str rules = STR_INIT;
    char comment[COMMENT_SIZE];
    int len;

    len = snprintf(comment, sizeof comment, "%s%s%s%c", prefix,
                   keep->instance, forward_mark, keep->forwarding_was);
    if (keep->was6.forwarding) {
        snprintf(comment + len, sizeof comment - (size_t) len, "%s%c%s%s",
                 forward6_mark, keep->was6.forwarding, ra_mark,
                 keep->was6.ra);
    }
    host_nat_format(nat, keep->name, comment, &rules);
    return str_steal(&rules);
}

static int
write_rules(struct host_nat_keep *keep, const char *rules, struct str *error)
{
    int err = 0;

    if (keep->monitor < 0) {
        err = watch(keep, nft_monitor_open(), &keep->monitor);
    }
    if (!err) {
        err = nft_run(rules, error);
    }
    if (!err) {
        err = nft_table_fingerprint(keep->name, &keep->fingerprint);
    }
    return err;
}

/* ---- Floating addresses ---- */

/* What remains to be looked after when links change. */
static int
keep_floating(struct host_nat_keep *keep, const struct host_nat *nat,
              struct str *error)
{
    struct host_nat was = keep->nat;
    int err = floating_set(nat, error);

    if (err && err != -EADDRINUSE) {
        return err;
    }
    keep->nat = *nat;
    keep->nat.n_forwards = 0;
    keep->nat.forwards = xcalloc(nat->n_forwards + 1, sizeof *nat->forwards);
    for (unsigned int i = 0; i < nat->n_forwards; i++) {
        if (!nat->forwards[i].protocol) {
            keep->nat.forwards[keep->nat.n_forwards++] = nat->forwards[i];
        }
    }
    free(was.forwards);
    if (!keep->nat.n_forwards) {
        close_fd(&keep->links);
        keep->float_at = INT64_MAX;
    } else if (keep->links < 0) {
        int watch_err = watch(keep, floating_monitor_open(), &keep->links);

        /* What changed before we watched. */
        keep->float_at = clock_msec();
        err = watch_err ? watch_err : err;
    }
    return err;
}

static void
forget_floating(struct host_nat_keep *keep)
{
    struct str error = STR_INIT;

    free(keep->nat.forwards);
    keep->nat.forwards = NULL;
    keep->nat.n_forwards = 0;
    if (floating_set(&keep->nat, &error)) {
        log_warn("port", "%s", str_text(&error));
    }
    keep->nat.n_legs = 0;
    str_fini(&error);
}

static void
watch_floating(struct host_nat_keep *keep, msec now)
{
    struct str error = STR_INIT;
    bool is_changed = false;
    char buffer[8192];

    while (recv(keep->links, buffer, sizeof buffer, 0) >= 0
           || errno == ENOBUFS || errno == EINTR) {
        is_changed = true;
    }
    if (is_changed && keep->float_at == INT64_MAX) {
        keep->float_at = now + SETTLE_MS;
    }
    if (now >= keep->float_at) {
        keep->float_at = INT64_MAX;
        if (floating_set(&keep->nat, &error)) {
            log_limited(LOG_LEVEL_WARN, "port", "%s", str_text(&error));
        }
    }
    str_fini(&error);
}

/* ---- On and off ---- */

static int
switch_forwarding_on(struct str *error)
{
    int value = sysctl_read(forwarding_path);
    int err = value < 0 ? value : 0;

    if (value == '0') {
        err = sysctl_write(forwarding_path, '1');
    }
    if (err) {
        str_setf(error, "net.ipv4.ip_forward: %s", strerror(-err));
    }
    return err;
}

static int
switch_forwarding6_on(const struct host_nat_keep *keep, struct str *error)
{
    int err = keep->was6.forwarding ? forwarding6_switch_on(&keep->was6) : 0;

    if (err) {
        str_setf(error, "net.ipv6.conf.all.forwarding: %s", strerror(-err));
    }
    return err;
}

static bool
needs_ipv6(const struct host_nat *nat)
{
    for (unsigned int i = 0; i < nat->n_legs; i++) {
        if (ip6_addr_is_set(nat->legs[i].ours6)) {
            return true;
        }
    }
    return false;
}

/* What is changed first is looked at before. */
static int
look_back(struct host_nat_keep *keep, const struct host_nat *nat,
          struct str *error)
{
    struct marks marks;
    int err = read_marks(keep, &marks);

    if (err) {
        str_setf(error, "nft tables: %s", strerror(-err));
        return err;
    }
    if (!keep->rules) {
        keep->was6 = marks.was6;
        keep->forwarding_was = marks.forwarding_was ? marks.forwarding_was
                               : sysctl_read(forwarding_path) == '0' ? '0'
                                                                     : '1';
    }
    if (needs_ipv6(nat) && !keep->was6.forwarding) {
        keep->was6 = marks.was6;
        if (!marks.was6.forwarding) {
            forwarding6_look(&keep->was6);
        }
    } else if (!needs_ipv6(nat) && keep->was6.forwarding) {
        if (!marks.n_others6) {
            forwarding6_restore(&keep->was6);
        }
        keep->was6.forwarding = '\0';
    }
    return 0;
}

static int
switch_on(struct host_nat_keep *keep, const struct host_nat *nat,
          struct str *error)
{
    char *rules;
    int err = look_back(keep, nat, error);
    int floating_err = err ? err : keep_floating(keep, nat, error);

    if (floating_err && floating_err != -EADDRINUSE) {
        return floating_err;
    }
    rules = format_rules(keep, nat);
    if (keep->rules && !strcmp(keep->rules, rules)) {
        free(rules);
        return floating_err;
    }
    err = write_rules(keep, rules, error);
    if (!err) {
        err = switch_forwarding_on(error);
    }
    if (!err) {
        err = switch_forwarding6_on(keep, error);
    }
    if (err) {
        free(rules);
        if (!keep->rules) {
            stop_watching(keep);
        }
        return err;
    }
    free(keep->rules);
    keep->rules = rules;
    return floating_err;
}

/* Forwarding first: rules that protected somebody go last. */
static int
switch_off(struct host_nat_keep *keep, struct str *error)
{
    struct str command = STR_INIT;
    struct marks marks;
    int err = read_marks(keep, &marks);

    if (err) {
        str_setf(error, "nft tables: %s", strerror(-err));
        return err;
    }
    forget_floating(keep);
    if (!keep->rules && !marks.is_ours_there) {
        return 0;
    }
    if (!marks.n_others
        && (keep->rules ? keep->forwarding_was
                        : marks.forwarding_was) == '0') {
        sysctl_write(forwarding_path, '0');
    }
    if (!marks.n_others6) {
        forwarding6_restore(keep->rules ? &keep->was6 : &marks.was6);
    }
    keep->was6.forwarding = '\0';
    stop_watching(keep);
    free(keep->rules);
    keep->rules = NULL;
    str_addf(&command, "add table inet %s\ndelete table inet %s\n",
             keep->name, keep->name);
    err = nft_run(str_text(&command), error);
    str_fini(&command);
    return err;
}

int
host_nat_keep_set(struct host_nat_keep *keep, const struct host_nat *nat,
                  struct str *error)
{
    return nat->n_legs ? switch_on(keep, nat, error)
                       : switch_off(keep, error);
}

/* ---- Watching ---- */

int
host_nat_keep_fd(const struct host_nat_keep *keep)
{
    return keep->epoll;
}

static void
mend(struct host_nat_keep *keep, msec now)
{
    struct str error = STR_INIT;
    uint64_t fingerprint = 0;
    int err = nft_table_fingerprint(keep->name, &fingerprint);

    keep->mend_at = INT64_MAX;
    if (!err && fingerprint == keep->fingerprint) {
        return;
    }
    if (!err) {
        err = write_rules(keep, keep->rules, &error);
    }
    if (err) {
        log_warn("port", "nft table %s was %s, and cannot be mended: %s",
                 keep->name, fingerprint ? "changed" : "removed",
                 error.len ? str_text(&error) : strerror(-err));
        keep->mend_at = now + RETRY_MS;
    } else {
        log_warn("port", "nft table %s was %s by somebody else; it is as it "
                 "should be again", keep->name,
                 fingerprint ? "changed" : "removed");
        keep->mended_at = now;
    }
    str_fini(&error);
}

msec
host_nat_keep_run(struct host_nat_keep *keep, msec now)
{
    if (keep->monitor < 0) {
        return INT64_MAX;
    }
    if (keep->links >= 0) {
        watch_floating(keep, now);
    }
    if (nft_monitor_read(keep->monitor, keep->name)
        && keep->mend_at == INT64_MAX) {
        keep->mend_at = MAX(now, keep->mended_at + MEND_PERIOD_MS);
    }
    if (now >= keep->mend_at) {
        mend(keep, now);
    }
    return MIN(keep->mend_at, keep->float_at);
}
