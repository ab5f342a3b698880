#include "port/netns.h"

#include <ctype.h>
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

bool
netns_same(int a, int b)
{
    struct stat sa, sb;

    return !fstat(a, &sa) && !fstat(b, &sb) && sa.st_dev == sb.st_dev
           && sa.st_ino == sb.st_ino;
}
