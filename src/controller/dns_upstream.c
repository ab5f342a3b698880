#include "controller/dns_upstream.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/log.h"
#include "lib/str.h"

enum { DNS_PORT = 53, LINE_SIZE = 256, ANSWER_SIZE = 65536 };

union address {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
};

struct source {
    uv_udp_t udp;
    struct dns_upstream *owner;   /* NULL: it is gone */
    unsigned int number;
};

struct upstreams {
    unsigned int n;
    union address at[DNS_UPSTREAM_MAX];
};

struct dns_upstream {
    uv_loop_t *loop;
    struct upstreams upstreams;
    /* One of each family for each number. */
    struct source *sources[2][DNS_UPSTREAM_SOURCES];
    dns_upstream_answer *answer;
    void *aux;
    char buf[ANSWER_SIZE];
};

static void
add_server(struct upstreams *u, const char *text)
{
    union address *to = &u->at[u->n];

    if (u->n < DNS_UPSTREAM_MAX
        && (!uv_ip4_addr(text, DNS_PORT, &to->in)
            || !uv_ip6_addr(text, DNS_PORT, &to->in6))) {
        u->n++;
    }
}

static struct upstreams
read_servers(const char *path)
{
    char line[LINE_SIZE], server[64];
    FILE *f = path ? fopen(path, "re") : NULL;
    struct upstreams u;

    memset(&u, 0, sizeof u);

    while (f && fgets(line, sizeof line, f)) {
        if (sscanf(line, "nameserver %63s", server) == 1) {
            add_server(&u, server);
        }
    }
    if (f) {
        fclose(f);
    }
    return u;
}

static bool
same_address(const union address *a, const union address *b)
{
    if (a->any.sa_family != b->any.sa_family) {
        return false;
    }
    if (a->any.sa_family == AF_INET) {
        return a->in.sin_port == b->in.sin_port
               && a->in.sin_addr.s_addr == b->in.sin_addr.s_addr;
    }
    return a->in6.sin6_port == b->in6.sin6_port
           && !memcmp(&a->in6.sin6_addr, &b->in6.sin6_addr,
                      sizeof a->in6.sin6_addr);
}

static bool
same_upstreams(const struct upstreams *a, const struct upstreams *b)
{
    for (unsigned int i = 0; i < a->n && a->n == b->n; i++) {
        if (!same_address(&a->at[i], &b->at[i])) {
            return false;
        }
    }
    return a->n == b->n;
}

static void
on_alloc(uv_handle_t *handle, size_t size UNUSED, uv_buf_t *buf)
{
    struct source *source = handle->data;

    *buf = uv_buf_init(source->owner->buf, ANSWER_SIZE);
}

static void
on_receive(uv_udp_t *udp, ssize_t n, const uv_buf_t *buf,
           const struct sockaddr *from, unsigned int flags)
{
    struct source *source = udp->data;
    struct dns_upstream *u = source->owner;
    union address sender;
    unsigned int i = 0;

    if (n <= 0 || !from || flags & UV_UDP_PARTIAL) {
        return;
    }
    memset(&sender, 0, sizeof sender);
    memcpy(&sender, from, from->sa_family == AF_INET ? sizeof sender.in
                                                     : sizeof sender.in6);
    while (i < u->upstreams.n
           && !same_address(&u->upstreams.at[i], &sender)) {
        i++;
    }
    u->answer(u->aux, i, source->number, buf->base, (size_t) n);
}

static void
free_source(uv_handle_t *handle)
{
    free(handle->data);
}

static struct source *
open_source(struct dns_upstream *u, int family, unsigned int number)
{
    struct source *source = xzalloc(sizeof *source);

    source->owner = u;
    source->number = number;
    source->udp.data = source;
    uv_udp_init_ex(u->loop, &source->udp, (unsigned int) family);
    if (uv_udp_recv_start(&source->udp, on_alloc, on_receive)) {
        uv_close((uv_handle_t *) &source->udp, free_source);
        return NULL;
    }
    return source;
}

static bool
has_family(const struct dns_upstream *u, int family)
{
    for (unsigned int i = 0; i < u->upstreams.n; i++) {
        if (u->upstreams.at[i].any.sa_family == family) {
            return true;
        }
    }
    return false;
}

/* Sockets of a family, when somebody of that family is to be asked. */
static void
open_sources(struct dns_upstream *u)
{
    static const int families[2] = { AF_INET, AF_INET6 };

    for (unsigned int f = 0; f < 2; f++) {
        for (unsigned int i = 0; i < DNS_UPSTREAM_SOURCES; i++) {
            if (!u->sources[f][i] && has_family(u, families[f])) {
                u->sources[f][i] = open_source(u, families[f], i);
            }
        }
    }
}

struct dns_upstream *
dns_upstream_create(uv_loop_t *loop, const char *resolv_conf,
                    dns_upstream_answer *answer, void *aux)
{
    struct dns_upstream *u = xzalloc(sizeof *u);

    u->loop = loop;
    u->answer = answer;
    u->aux = aux;
    u->upstreams = read_servers(resolv_conf);
    if (resolv_conf && !u->upstreams.n) {
        log_warn("controller", "%s names no resolver: only names of our own "
                 "are answered", resolv_conf);
    }
    open_sources(u);
    return u;
}

bool
dns_upstream_reload(struct dns_upstream *u, const char *resolv_conf)
{
    struct upstreams is = read_servers(resolv_conf);

    if (!is.n || same_upstreams(&is, &u->upstreams)) {
        return false;
    }
    u->upstreams = is;
    open_sources(u);
    return true;
}

void
dns_upstream_destroy(struct dns_upstream *u)
{
    if (!u) {
        return;
    }
    for (unsigned int f = 0; f < 2; f++) {
        for (unsigned int i = 0; i < DNS_UPSTREAM_SOURCES; i++) {
            if (u->sources[f][i]) {
                uv_close((uv_handle_t *) &u->sources[f][i]->udp,
                         free_source);
            }
        }
    }
    free(u);
}

unsigned int
dns_upstream_count(const struct dns_upstream *u)
{
    return u->upstreams.n;
}

/* One that cannot be sent now is as one that is lost: it is asked again. */
void
dns_upstream_ask(struct dns_upstream *u, unsigned int upstream,
                 unsigned int source, const void *data, size_t len)
{
    const union address *to = &u->upstreams.at[upstream];
    struct source *s = u->sources[to->any.sa_family == AF_INET6][source];
    uv_buf_t buf = uv_buf_init((char *) (uintptr_t) data,
                               (unsigned int) len);

    if (s) {
        uv_udp_try_send(&s->udp, &buf, 1, &to->any);
    }
}
