#include "port/resolver.h"

#include <ctype.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { FILE_MAX = 64 * 1024 };

static const char mark[] = "# weft:";         /* as owners begin */
static const char was[] = "# was: ";

/* ---- The text ---- */

/* Splits the next line off. */
static size_t
line_len(const char *text)
{
    size_t len = strcspn(text, "\n");

    return len + (text[len] == '\n');
}

/* The first line, up to the colon behind the owner. */
static bool
is_owned_by(const char *text, const char *owner)
{
    size_t len = strlen(owner);

    return !strncmp(text, "# ", 2) && !strncmp(text + 2, owner, len)
           && text[2 + len] == ' ';
}

bool
resolver_uncover(const char *old, const char *owner, struct str *result)
{
    if (!is_owned_by(old, owner)) {
        return false;
    }
    str_clear(result);
    for (size_t len; (len = line_len(old)); old += len) {
        if (!strncmp(old, was, sizeof was - 1)) {
            str_add_bytes(result, old + sizeof was - 1,
                          len - (sizeof was - 1));
        }
    }
    return true;
}

bool
resolver_cover(const char *old, const char *owner, const char *lines,
               struct str *result)
{
    struct str before = STR_INIT;
    const char *rest;

    if (!resolver_uncover(old, owner, &before)) {
        if (!strncmp(old, mark, sizeof mark - 1)) {
            str_fini(&before);
            return false;
        }
        str_add(&before, old);
    }
    str_clear(result);
    str_addf(result, "# %s keeps this file, and puts back what was in it.\n",
             owner);
    str_add(result, lines);
    rest = str_text(&before);
    for (size_t len; (len = line_len(rest)); rest += len) {
        str_add(result, was);
        str_add_bytes(result, rest, len);
    }
    str_fini(&before);
    return true;
}

/* ---- The file ---- */

/* Where it is: below `root` (a descriptor), "" when there is nowhere. */
struct file_place {
    bool is_named;                /* /etc/netns/NAME, ours to make */
    char root[64];
    char directory[300];          /* relative to root */
};

static bool
is_plain_name(const char *name)
{
    return *name && !strchr(name, '/') && strcmp(name, ".")
           && strcmp(name, "..");
}

static const char *
behind(const char *text, const char *prefix)
{
    size_t len = strlen(prefix);

    return strncmp(text, prefix, len) ? NULL : text + len;
}

static bool
find_place(const char *netns, struct file_place *place)
{
    const char *name = behind(netns, "/run/netns/"), *pid, *end;

    if (!name) {
        name = behind(netns, "/var/run/netns/");
    }
    if (!name && is_plain_name(netns) && !behind(netns, "pid:")) {
        name = netns;
    }
    if (name) {
        place->is_named = true;
        strcpy(place->root, "/");
        snprintf(place->directory, sizeof place->directory, "etc/netns/%s",
                 name);
        return is_plain_name(name);
    }
    pid = behind(netns, "pid:");
    if (!pid) {
        pid = behind(netns, "/proc/");
    }
    if (!pid) {
        return false;
    }
    end = pid + strspn(pid, "0123456789");
    place->is_named = false;
    snprintf(place->root, sizeof place->root, "/proc/%.*s/root",
             (int) MIN(end - pid, 20), pid);
    strcpy(place->directory, "etc");
    return end > pid && (!*end || !strcmp(end, "/ns/net"));
}

static bool
is_same_file(int fd, const char *path)
{
    struct stat a, b;

    return fstat(fd, &a) || (!stat(path, &b) && a.st_dev == b.st_dev
                             && a.st_ino == b.st_ino);
}

/* What is below a container's root is the container's to arrange: links lead
 * nowhere out of it, and only a plain file is written. */
static int
open_below(int root, const char *path, uint64_t flags)
{
    struct open_how how = {
        .flags = flags | O_CLOEXEC,
        .mode = flags & O_CREAT ? 0644 : 0,
        .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
    };
    int fd = (int) syscall(SYS_openat2, root, path, &how, sizeof how);

    return fd < 0 ? -errno : fd;
}

static int
make_directories(const struct file_place *place)
{
    char path[320];

    snprintf(path, sizeof path, "/%s", place->directory);
    if ((mkdir("/etc/netns", 0755) && errno != EEXIST)
        || (mkdir(path, 0755) && errno != EEXIST)) {
        return -errno;
    }
    return 0;
}

/* The file, for reading and writing; -ENOENT: it is not there.  This host's own
 * is never opened: -EPERM. */
static int
open_file(const struct file_place *place, bool create)
{
    int root = open(place->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    char path[320];
    struct stat st;
    int fd;

    if (root < 0) {
        return -errno;
    }
    fd = create && place->is_named ? make_directories(place) : 0;
    if (!fd) {
        fd = open_below(root, place->directory, O_PATH | O_DIRECTORY);
    }
    if (fd >= 0 && is_same_file(fd, "/etc")) {
        close(fd);
        fd = -EPERM;
    }
    if (fd < 0) {
        goto close_root;
    }
    close(fd);
    snprintf(path, sizeof path, "%s/resolv.conf", place->directory);
    fd = open_below(root, path, O_RDWR | O_NONBLOCK | O_NOCTTY
                                | (create ? O_CREAT : 0));
    if (fd >= 0 && (fstat(fd, &st) || !S_ISREG(st.st_mode)
                    || is_same_file(fd, "/etc/resolv.conf"))) {
        close(fd);
        fd = -EPERM;
    }

close_root:
    close(root);
    return fd;
}

static int
read_all(int fd, struct str *text)
{
    char buffer[4096];
    ssize_t n;

    while ((n = read(fd, buffer, sizeof buffer)) > 0) {
        str_add_bytes(text, buffer, (size_t) n);
        if (text->len > FILE_MAX) {
            return -EFBIG;
        }
    }
    return n < 0 ? -errno : 0;
}

static int
write_all(int fd, const struct str *text)
{
    size_t len = text->len;

    if (pwrite(fd, str_text(text), len, 0) != (ssize_t) len
        || ftruncate(fd, (off_t) len)) {
        return errno ? -errno : -EIO;
    }
    return 0;
}

int
resolver_set(const char *netns, const char *owner, const char *lines,
             struct str *error)
{
    struct str old = STR_INIT, new = STR_INIT;
    struct file_place place;
    int fd, err;

    if (!find_place(netns, &place)) {
        return 0;
    }
    fd = open_file(&place, true);
    if (fd == -EPERM) {
        return 0;               /* this host's own */
    }
    err = fd < 0 ? fd : read_all(fd, &old);
    if (!err && resolver_cover(str_text(&old), owner, lines, &new)) {
        err = write_all(fd, &new);
    }
    if (err) {
        str_setf(error, "%s/%s/resolv.conf: %s",
                 place.is_named ? "" : place.root, place.directory,
                 strerror(-err));
    }
    if (fd >= 0) {
        close(fd);
    }
    str_fini(&old);
    str_fini(&new);
    return err;
}

/* Of a named namespace: nobody else's file or directory was there. */
static void
remove_made(const struct file_place *place)
{
    char path[320];

    snprintf(path, sizeof path, "/%s/resolv.conf", place->directory);
    unlink(path);
    snprintf(path, sizeof path, "/%s", place->directory);
    rmdir(path);
}

void
resolver_restore(const char *netns, const char *owner)
{
    struct str old = STR_INIT, new = STR_INIT;
    struct file_place place;
    int fd;

    if (!find_place(netns, &place)) {
        return;
    }
    fd = open_file(&place, false);
    if (fd < 0) {
        return;
    }
    if (!read_all(fd, &old)
        && resolver_uncover(str_text(&old), owner, &new)) {
        if (!new.len && place.is_named) {
            remove_made(&place);
        } else {
            write_all(fd, &new);
        }
    }
    close(fd);
    str_fini(&old);
    str_fini(&new);
}
