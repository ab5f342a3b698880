#include "port/sysctl.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static int
open_file(const char *path, int flags)
{
    char full[160];
    int fd;

    if ((size_t) snprintf(full, sizeof full, "/proc/sys/net/%s", path)
        >= sizeof full) {
        return -ENAMETOOLONG;
    }
    fd = open(full, flags | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

int
sysctl_read(const char *path)
{
    int fd = open_file(path, O_RDONLY), err = -EIO;
    char value;

    if (fd < 0) {
        return fd;
    }
    if (read(fd, &value, 1) == 1 && value >= '0' && value <= '9') {
        err = value;
    }
    close(fd);
    return err;
}

int
sysctl_write(const char *path, char value)
{
    int fd = open_file(path, O_WRONLY), err = 0;

    if (fd < 0) {
        return fd;
    }
    if (write(fd, &value, 1) != 1) {
        err = -errno;
    }
    close(fd);
    return err;
}
