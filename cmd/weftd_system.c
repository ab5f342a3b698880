#include "weftd_system.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/str.h"

void
weftd_notify_ready(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    const char *path = getenv("NOTIFY_SOCKET");
    size_t len = path ? strlen(path) : 0;
    int fd;

    if (!len || len >= sizeof address.sun_path) {
        return;
    }
    memcpy(address.sun_path, path, len);
    if (path[0] == '@') {
        address.sun_path[0] = '\0';
    }
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0) {
        sendto(fd, "READY=1", 7, MSG_NOSIGNAL, (struct sockaddr *) &address,
               (socklen_t) (offsetof(struct sockaddr_un, sun_path) + len));
        close(fd);
    }
}

/* Like mkdir -p; what is missing is made for everybody to pass. */
static int
make_directory(const char *path)
{
    char *copy = xstrdup(path);
    int err = 0;

    for (char *p = copy + 1; !err; p++) {
        if (*p == '/' || !*p) {
            char c = *p;

            *p = '\0';
            if (mkdir(copy, 0755) && errno != EEXIST) {
                err = -errno;
            }
            *p = c;
            if (!c) {
                break;
            }
        }
    }
    free(copy);
    return err;
}

bool
weftd_make_directories(const struct weftd_options *options)
{
    const char *const paths[] = {
        options->run_dir,
        options->is_switch_only ? NULL : options->state_dir,
    };

    for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
        int err = paths[i] ? make_directory(paths[i]) : 0;

        if (err) {
            log_error("weftd", "%s: %s", paths[i], strerror(-err));
            return false;
        }
    }
    return true;
}

void
weftd_raise_file_limit(void)
{
    struct rlimit limit;

    if (!getrlimit(RLIMIT_NOFILE, &limit)) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}
