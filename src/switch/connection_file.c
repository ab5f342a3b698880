#include "switch/connection_file.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/str.h"

struct writer {
    int fd;
    const _Atomic bool *is_over;
};

static int
write_some(void *writer_, const void *bytes, size_t size)
{
    const struct writer *w = writer_;
    const uint8_t *p = bytes;

    if (w->is_over && atomic_load(w->is_over)) {
        return -ECANCELED;
    }
    while (size) {
        ssize_t n = write(w->fd, p, size);

        if (n < 0 && errno != EINTR) {
            return -errno;
        }
        p += MAX(n, 0);
        size -= (size_t) MAX(n, 0);
    }
    return 0;
}

int
connection_file_save(struct conntrack *ct, const char *path, bool goes_on,
                     const _Atomic bool *is_over, msec now)
{
    struct writer w = { .is_over = is_over };
    struct str aside = STR_INIT;
    int err;

    str_setf(&aside, "%s.new", path);
    w.fd = open(str_text(&aside), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC
                                  | O_NOFOLLOW, 0600);
    if (w.fd < 0) {
        err = -errno;
        goto out;
    }
    err = conntrack_save(ct, goes_on, now, write_some, &w);
    close(w.fd);
    if (!err && rename(str_text(&aside), path)) {
        err = -errno;
    }
    if (err) {
        unlink(str_text(&aside));
    }

out:
    str_fini(&aside);
    return err;
}

/* So long ago, by the clock of the host, which may have been set meanwhile. */
static msec
age_of(const struct stat *st)
{
    struct timespec now;
    msec age;

    clock_gettime(CLOCK_REALTIME, &now);
    age = ((msec) now.tv_sec - st->st_mtim.tv_sec) * 1000
          + (now.tv_nsec - st->st_mtim.tv_nsec) / 1000000;
    return MAX(age, 0);
}

static int
load(struct conntrack *ct, unsigned int slot, int fd, msec now, uint32_t *n)
{
    struct stat st;
    void *bytes;
    int err;

    if (fstat(fd, &st)) {
        return -errno;
    }
    if (!st.st_size || !S_ISREG(st.st_mode)) {
        return -EBADMSG;
    }
    bytes = mmap(NULL, (size_t) st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED) {
        return -errno;
    }
    err = conntrack_load(ct, slot, bytes, (size_t) st.st_size, age_of(&st),
                         now, n);
    munmap(bytes, (size_t) st.st_size);
    return err;
}

int
connection_file_load(struct conntrack *ct, unsigned int slot,
                     const char *path, msec now, uint32_t *n)
{
    struct str damaged = STR_INIT;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    int err;

    if (fd < 0) {
        return -errno;
    }
    err = load(ct, slot, fd, now, n);
    close(fd);
    if (err == -EBADMSG) {
        str_setf(&damaged, "%s.damaged", path);
        rename(path, str_text(&damaged));
        str_fini(&damaged);
    } else {
        unlink(path);
    }
    return err;
}
