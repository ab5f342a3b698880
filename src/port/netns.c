#include "port/netns.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

static bool
path_of(const char *text, char *path, size_t size)
{
    int n;

    if (!text[0]) {
        n = snprintf(path, size, "/proc/self/ns/net");
    } else if (!strncmp(text, "pid:", 4)) {
        char *end;
        unsigned long pid = strtoul(text + 4, &end, 10);

        if (!isdigit((unsigned char) text[4]) || *end || pid > INT_MAX) {
            return false;
        }
        n = snprintf(path, size, "/proc/%lu/ns/net", pid);
    } else if (text[0] == '/') {
        n = snprintf(path, size, "%s", text);
    } else if (!strchr(text, '/') && strcmp(text, ".")
               && strcmp(text, "..")) {
        n = snprintf(path, size, "/run/netns/%s", text);
    } else {
        return false;
    }
    return n > 0 && (size_t) n < size;
}

int
netns_open(const char *text, struct str *error)
{
    char path[PATH_MAX], self[64];
    struct statfs fs;
    int peek, fd, err;

    if (!path_of(text, path, sizeof path)) {
        str_setf(error, "'%s' is not a namespace's name, path or pid:N",
                 text);
        return -EINVAL;
    }

    /* Looks before it opens: opening a device or a FIFO has effects. */
    peek = open(path, O_PATH | O_CLOEXEC);
    if (peek < 0) {
        err = errno == ENOENT || errno == ENOTDIR ? -ENODEV : -errno;
        str_setf(error, "namespace '%s' (%s): %s", text, path,
                 err == -ENODEV ? "not there" : strerror(-err));
        return err;
    }
    /* A name that nothing is mounted on is a namespace being made. */
    if (fstatfs(peek, &fs) || fs.f_type != NSFS_MAGIC) {
        str_setf(error, "namespace '%s': %s is not a namespace", text, path);
        err = text[0] == '/' ? -EINVAL : -ENODEV;
        goto close_peek;
    }
    snprintf(self, sizeof self, "/proc/self/fd/%d", peek);
    fd = open(self, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        err = -errno;
        str_setf(error, "namespace '%s': %s", text, strerror(errno));
        goto close_peek;
    }
    close(peek);
    if (ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWNET) {
        str_setf(error, "'%s' is a namespace, but not of networks", text);
        close(fd);
        return -EINVAL;
    }
    return fd;

close_peek:
    close(peek);
    return err;
}

static int
open_current(void)
{
    int fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);

    return fd < 0 ? -errno : fd;
}

int
netns_enter(int fd)
{
    int home_fd = open_current();

    if (home_fd >= 0 && setns(fd, CLONE_NEWNET)) {
        int err = -errno;

        close(home_fd);
        return err;
    }
    return home_fd;
}

void
netns_leave(int home_fd)
{
    if (setns(home_fd, CLONE_NEWNET)) {
        abort();
    }
    close(home_fd);
}

/* Best effort: a kernel without IPv6 has no such file. */
static void
disable_ipv6_here(void)
{
    static const char *const paths[] = {
        "/proc/sys/net/ipv6/conf/all/disable_ipv6",
        "/proc/sys/net/ipv6/conf/default/disable_ipv6",
    };

    for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
        int fd = open(paths[i], O_WRONLY | O_CLOEXEC);

        if (fd >= 0) {
            ssize_t n UNUSED = write(fd, "1", 1);

            close(fd);
        }
    }
}

int
netns_create_private(void)
{
    int home_fd = open_current();
    int fd;

    if (home_fd < 0) {
        return home_fd;
    }
    if (unshare(CLONE_NEWNET)) {
        fd = -errno;
        close(home_fd);
        return fd;
    }
    disable_ipv6_here();
    fd = open_current();
    netns_leave(home_fd);
    return fd;
}

uint64_t
netns_id(int fd)
{
    struct stat st;

    return fstat(fd, &st) ? 0 : st.st_ino;
}

uint64_t
netns_id_of(const char *text)
{
    char path[PATH_MAX];
    struct stat st;

    /* Without opening it: this is asked often. */
    return path_of(text, path, sizeof path) && !stat(path, &st) ? st.st_ino
                                                                : 0;
}

struct visits {
    void (*visit)(void *aux, int fd, const char *text);
    void *aux;
    unsigned int n;
    uint64_t *seen;
};

static void
visit_once(struct visits *visits, const char *text)
{
    uint64_t id = netns_id_of(text);
    int fd;

    for (unsigned int i = 0; i < visits->n; i++) {
        if (visits->seen[i] == id) {
            return;
        }
    }
    fd = id ? netns_open(text, NULL) : -1;
    if (fd < 0) {
        return;
    }
    visits->seen = xrealloc(visits->seen,
                            (visits->n + 1) * sizeof *visits->seen);
    visits->seen[visits->n++] = id;
    visits->visit(visits->aux, fd, text);
    close(fd);
}

static void
visit_entries(struct visits *visits, const char *path, const char *prefix,
              bool are_pids)
{
    DIR *dir = opendir(path);
    const struct dirent *entry;

    while (dir && (entry = readdir(dir))) {
        char text[NAME_MAX + 8];

        if (entry->d_name[0] != '.'
            && (!are_pids || isdigit((unsigned char) entry->d_name[0]))) {
            snprintf(text, sizeof text, "%s%s", prefix, entry->d_name);
            visit_once(visits, text);
        }
    }
    if (dir) {
        closedir(dir);
    }
}

void
netns_for_each(void (*visit)(void *aux, int fd, const char *text), void *aux)
{
    struct visits visits = { .visit = visit, .aux = aux };

    visit_entries(&visits, "/run/netns", "", false);
    visit_entries(&visits, "/proc", "pid:", true);
    free(visits.seen);
}

bool
netns_same(int a, int b)
{
    struct stat sa, sb;

    return !fstat(a, &sa) && !fstat(b, &sb) && sa.st_dev == sb.st_dev
           && sa.st_ino == sb.st_ino;
}
