#include "openflow/method.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <unistd.h>

enum { BACKLOG = 64 };

static const struct kind {
    const char *prefix;
    bool is_passive, is_tls, is_unix;
} kinds[] = {
    { "tcp:", false, false, false }, { "ptcp:", true, false, false },
    { "ssl:", false, true, false }, { "pssl:", true, true, false },
    { "tls:", false, true, false }, { "ptls:", true, true, false },
    { "unix:", false, false, true }, { "punix:", true, false, true },
};

static int
parse_path(const char *path, struct of_method *method, struct str *error)
{
    struct sockaddr_un *un = &method->address.un;

    if (!*path || strlen(path) >= sizeof un->sun_path) {
        str_setf(error, "expected a path of up to %zu bytes",
                 sizeof un->sun_path - 1);
        return -EINVAL;
    }
    un->sun_family = AF_UNIX;
    strcpy(un->sun_path, path);
    method->address_len = sizeof *un;
    return 0;
}

static int
parse_port(const char *text, uint16_t *port, struct str *error)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);

    if (*text < '0' || *text > '9' || *end || !value || value > UINT16_MAX) {
        str_setf(error, "'%s' is no port number", text);
        return -EINVAL;
    }
    *port = (uint16_t) value;
    return 0;
}

static int
parse_host(const char *host, uint16_t port, struct of_method *method,
           struct str *error)
{
    struct sockaddr_in *in = &method->address.in;
    struct sockaddr_in6 *in6 = &method->address.in6;

    if (inet_pton(AF_INET, host, &in->sin_addr) == 1) {
        in->sin_family = AF_INET;
        in->sin_port = htobe16(port);
        method->address_len = sizeof *in;
    } else if (inet_pton(AF_INET6, host, &in6->sin6_addr) == 1) {
        in6->sin6_family = AF_INET6;
        in6->sin6_port = htobe16(port);
        method->address_len = sizeof *in6;
    } else {
        str_setf(error, "'%s' is no IP address", host);
        return -EINVAL;
    }
    return 0;
}

/* Cuts "HOST[:PORT]", "[HOST][:PORT]" or a bare IPv6 address in two; `*port` is
 * left NULL where there is none. */
static int
split_host(char *text, char **host, char **port, struct str *error)
{
    char *end;

    *port = NULL;
    *host = text;
    if (*text == '[') {
        *host = text + 1;
        end = strchr(text, ']');
        if (!end || (end[1] && end[1] != ':')) {
            str_setf(error, "expected [ADDRESS] or [ADDRESS]:PORT");
            return -EINVAL;
        }
        *end = '\0';
        *port = end[1] ? end + 2 : NULL;
    } else if (strchr(text, ':') == strrchr(text, ':')
               && strchr(text, ':')) {
        end = strchr(text, ':');
        *end = '\0';
        *port = end + 1;
    }
    return 0;
}

static int
parse_active(char *text, struct of_method *method, struct str *error)
{
    uint16_t port = OF_PORT;
    char *host, *port_text;
    int err = split_host(text, &host, &port_text, error);

    if (!err && port_text) {
        err = parse_port(port_text, &port, error);
    }
    return err ? err : parse_host(host, port, method, error);
}

/* "[PORT][:HOST]": port first, and all addresses when there is no host. */
static int
parse_passive(char *text, struct of_method *method, struct str *error)
{
    uint16_t port = OF_PORT;
    char *host = strchr(text, ':');
    size_t len;
    int err;

    if (host) {
        *host++ = '\0';
    }
    if (*text) {
        err = parse_port(text, &port, error);
        if (err) {
            return err;
        }
    }
    if (!host || !*host) {
        return parse_host("0.0.0.0", port, method, error);
    }
    len = strlen(host);
    if (*host == '[' && host[len - 1] == ']') {
        host[len - 1] = '\0';
        host++;
    }
    return parse_host(host, port, method, error);
}

int
of_method_parse(const char *text, struct of_method *method,
                struct str *error)
{
    struct of_method parsed = { 0 };
    char *copy;
    int err;

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        const struct kind *kind = &kinds[i];
        size_t len = strlen(kind->prefix);

        if (strncmp(text, kind->prefix, len)) {
            continue;
        }
        parsed.is_passive = kind->is_passive;
        parsed.is_tls = kind->is_tls;
        copy = xstrdup(text + len);
        err = kind->is_unix ? parse_path(copy, &parsed, error)
              : kind->is_passive ? parse_passive(copy, &parsed, error)
                                 : parse_active(copy, &parsed, error);
        free(copy);
        if (!err) {
            *method = parsed;
        }
        return err;
    }
    str_setf(error, "expected tcp:, tls:, unix:, ptcp:, ptls: or punix:");
    return -EINVAL;
}

static int
start(const struct of_method *method, int fd)
{
    const int one = 1;

    if (method->address.any.sa_family != AF_UNIX) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        if (method->is_passive) {
            setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
        }
    }
    if (!method->is_passive) {
        return connect(fd, &method->address.any, method->address_len)
                   && errno != EINPROGRESS ? -errno : 0;
    }
    return bind(fd, &method->address.any, method->address_len)
               || listen(fd, BACKLOG) ? -errno : 0;
}

int
of_method_open(const struct of_method *method)
{
    int fd = socket(method->address.any.sa_family,
                    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int err;

    if (fd < 0) {
        return -errno;
    }
    err = start(method, fd);
    if (err) {
        close(fd);
        return err;
    }
    return fd;
}
