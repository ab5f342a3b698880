#include "port/helper_files.h"

#include <ctype.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

enum { MAX_LISTENERS = 64, LISTEN_BACKLOG = 64 };

struct helper_files {
    const struct helper_options *options;
    char *listeners[MAX_LISTENERS];
    unsigned int n_listeners;
};

struct helper_files *
helper_files_create(const struct helper_options *options)
{
    struct helper_files *files = xzalloc(sizeof *files);

    files->options = options;
    return files;
}

void
helper_files_destroy(struct helper_files *files, bool undo)
{
    for (unsigned int i = 0; i < files->n_listeners; i++) {
        if (undo) {
            unlink(files->listeners[i]);
        }
        free(files->listeners[i]);
    }
    free(files);
}

static bool
is_printable(const char *text)
{
    for (; *text; text++) {
        if (!isprint((unsigned char) *text)) {
            return false;
        }
    }
    return true;
}

static bool
path_is_live_socket(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool live = fd >= 0
                && (!connect(fd, (const struct sockaddr *) address,
                             sizeof *address)
                    || errno == EAGAIN);

    if (fd >= 0) {
        close(fd);
    }
    return live;
}

/* To be removed in the end.  A restarted main asks for the same again. */
static void
remember_listener(struct helper_files *files, const char *path)
{
    for (unsigned int i = 0; i < files->n_listeners; i++) {
        if (!strcmp(files->listeners[i], path)) {
            return;
        }
    }
    files->listeners[files->n_listeners++] = xstrdup(path);
}

int
helper_files_listen(struct helper_files *files,
                    const struct helper_request *request, struct str *error)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    const char *name = request->path;
    int fd, err, n;

    if (!files->options->run_dir) {
        return -ENOENT;
    }
    if (!name[0] || name[0] == '.' || strchr(name, '/')
        || !is_printable(name) || request->mode & ~0777u) {
        str_setf(error, "bad socket name or mode");
        return -EINVAL;
    }
    n = snprintf(address.sun_path, sizeof address.sun_path, "%s/%s",
                 files->options->run_dir, name);
    if (n < 0 || (size_t) n >= sizeof address.sun_path) {
        str_setf(error, "%s/%s: longer than a socket's name may be (%zu)",
                 files->options->run_dir, name,
                 sizeof address.sun_path - 1);
        return -ENAMETOOLONG;
    }
    if (files->n_listeners == MAX_LISTENERS) {
        return -ENOSPC;
    }
    if (path_is_live_socket(&address)) {
        str_setf(error, "%s: somebody listens there already",
                 address.sun_path);
        return -EADDRINUSE;
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return -errno;
    }
    unlink(address.sun_path);
    if (bind(fd, (struct sockaddr *) &address, sizeof address)
        || chmod(address.sun_path, request->mode)
        || chown(address.sun_path, files->options->uid, files->options->gid)
        || listen(fd, LISTEN_BACKLOG)) {
        err = -errno;
        str_setf(error, "%s: %s", address.sun_path, strerror(errno));
        close(fd);
        return err;
    }
    remember_listener(files, address.sun_path);
    return fd;
}

int
helper_files_open(const struct helper_files *files, const char *path,
                  struct str *error)
{
    struct open_how how = {
        .flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    };
    struct stat st;
    int dir_fd, fd;

    if (!files->options->config_dir) {
        return -ENOENT;
    }
    dir_fd = open(files->options->config_dir,
                  O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (dir_fd < 0) {
        str_setf(error, "%s: %s", files->options->config_dir,
                 strerror(errno));
        return -errno;
    }
    fd = (int) syscall(SYS_openat2, dir_fd, path, &how, sizeof how);
    if (fd < 0) {
        fd = -errno;
        str_setf(error, "%s/%s: %s", files->options->config_dir, path,
                 strerror(-fd));
    } else if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
        str_setf(error, "%s/%s: is no plain file",
                 files->options->config_dir, path);
        close(fd);
        fd = -EINVAL;
    }
    close(dir_fd);
    return fd;
}
