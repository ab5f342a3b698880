#include "port/nft_table.h"

#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <nftables/libnftables.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/hash.h"

enum {
    BUFFER_SIZE = 32768,          /* a dump's messages are at most so long */
    ATTR_TABLE = 1,               /* in messages about whatever is in a table */
    UDATA_COMMENT = 0,            /* libnftnl's number, of a table's user data */
    DUMP_TRIES = 16,              /* somebody changed tables meanwhile */
};

/* What it is compared with lives as long as the process. */
static const struct hash_key fingerprint_key = { 0x6e6674 };

/* ---- Writing ---- */

int
nft_run(const char *commands, struct str *error)
{
    struct nft_ctx *nft = nft_ctx_new(NFT_CTX_DEFAULT);
    int err = 0;

    if (!nft) {
        return -ENOMEM;
    }
    if (nft_ctx_buffer_error(nft) || nft_ctx_buffer_output(nft)) {
        err = -ENOMEM;
    } else if (nft_run_cmd_from_buffer(nft, commands)) {
        err = errno ? -errno : -EIO;
        str_setf(error, "%s", nft_ctx_get_error_buffer(nft));
    }
    nft_ctx_free(nft);
    return err;
}

/* ---- Reading ---- */

static int
open_socket(struct mnl_socket **nl)
{
    *nl = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
    if (!*nl) {
        return -errno;
    }
    if (mnl_socket_bind(*nl, 0, MNL_SOCKET_AUTOPID)) {
        int err = -errno;

        mnl_socket_close(*nl);
        return err;
    }
    return 0;
}

static int
dump_once(struct mnl_socket *nl, uint16_t type, mnl_cb_t found, void *aux)
{
    char buffer[BUFFER_SIZE];
    struct nlmsghdr *nlh = mnl_nlmsg_put_header(buffer);
    struct nfgenmsg *nfg;
    ssize_t n;

    nlh->nlmsg_type = (uint16_t) (NFNL_SUBSYS_NFTABLES << 8 | type);
    nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    nfg = mnl_nlmsg_put_extra_header(nlh, sizeof *nfg);
    nfg->nfgen_family = NFPROTO_INET;
    nfg->version = NFNETLINK_V0;
    if (mnl_socket_sendto(nl, nlh, nlh->nlmsg_len) < 0) {
        return -errno;
    }
    do {
        n = mnl_socket_recvfrom(nl, buffer, sizeof buffer);
        if (n > 0) {
            n = mnl_cb_run(buffer, (size_t) n, 0, 0, found, aux);
        }
    } while (n > 0);
    return n < 0 ? -errno : 0;
}

/* Hands every message of the kind to `found`; -EINTR: tables changed while they
 * were read. */
static int
dump(uint16_t type, mnl_cb_t found, void *aux)
{
    struct mnl_socket *nl;
    int err = open_socket(&nl);

    if (!err) {
        err = dump_once(nl, type, found, aux);
        mnl_socket_close(nl);
    }
    return err;
}

/* The attribute's text; NULL: it is not there, or none. */
static const char *
text_of(const struct nlmsghdr *nlh, uint16_t type)
{
    struct nlattr *attr;

    mnl_attr_for_each (attr, nlh, sizeof(struct nfgenmsg)) {
        if (mnl_attr_get_type(attr) == type) {
            return mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) < 0
                   ? NULL : mnl_attr_get_str(attr);
        }
    }
    return NULL;
}

/* ---- Tables ---- */

struct listing {
    void (*found)(const char *name, const char *comment, void *aux);
    void *aux;
};

/* User data is a list of type, length, value, of one byte each but the last. */
static const char *
comment_of(const struct nlattr *attr)
{
    const uint8_t *p = mnl_attr_get_payload(attr);
    const uint8_t *end = p + mnl_attr_get_payload_len(attr);

    while (end - p >= 2 && end - p >= 2 + p[1]) {
        if (p[0] == UDATA_COMMENT && p[1] && !p[2 + p[1] - 1]) {
            return (const char *) p + 2;
        }
        p += 2 + p[1];
    }
    return "";
}

static int
on_table(const struct nlmsghdr *nlh, void *listing_)
{
    const struct listing *listing = listing_;
    const char *name = text_of(nlh, NFTA_TABLE_NAME), *comment = "";
    struct nlattr *attr;

    mnl_attr_for_each (attr, nlh, sizeof(struct nfgenmsg)) {
        if (mnl_attr_get_type(attr) == NFTA_TABLE_USERDATA) {
            comment = comment_of(attr);
        }
    }
    if (name) {
        listing->found(name, comment, listing->aux);
    }
    return MNL_CB_OK;
}

int
nft_table_for_each(void (*found)(const char *name, const char *comment,
                                 void *aux), void *aux)
{
    struct listing listing = { found, aux };

    return dump(NFT_MSG_GETTABLE, on_table, &listing);
}

/* ---- What is in one ---- */

struct printing {
    const char *name;
    uint64_t sum;
};

/* All of the message but its headers, which say when it was asked for. */
static int
on_part(const struct nlmsghdr *nlh, void *printing_)
{
    struct printing *printing = printing_;
    const char *name = text_of(nlh, ATTR_TABLE);

    if (name && !strcmp(name, printing->name)) {
        const char *bytes = mnl_nlmsg_get_payload(nlh);
        size_t skipped = MNL_ALIGN(sizeof(struct nfgenmsg));
        uint64_t hash = hash_bytes(fingerprint_key, bytes + skipped,
                                   mnl_nlmsg_get_payload_len(nlh) - skipped);

        printing->sum = hash_step(fingerprint_key, printing->sum | 1, hash);
    }
    return MNL_CB_OK;
}

int
nft_table_fingerprint(const char *name, uint64_t *result)
{
    static const uint16_t types[] = {
        NFT_MSG_GETTABLE, NFT_MSG_GETCHAIN, NFT_MSG_GETRULE,
    };
    struct printing printing;
    int err = -EINTR;

    for (unsigned int try = 0; err == -EINTR && try < DUMP_TRIES; try++) {
        printing = (struct printing) { name, 0 };
        err = 0;
        for (size_t i = 0; !err && i < ARRAY_SIZE(types); i++) {
            err = dump(types[i], on_part, &printing);
        }
    }
    if (!err) {
        *result = printing.sum;
    }
    return err;
}

/* ---- Watching ---- */

int
nft_monitor_open(void)
{
    struct sockaddr_nl address = { .nl_family = AF_NETLINK };
    int group = NFNLGRP_NFTABLES, err;
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
                    NETLINK_NETFILTER);

    if (fd < 0) {
        return -errno;
    }
    if (bind(fd, (struct sockaddr *) &address, sizeof address)
        || setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group,
                      sizeof group)) {
        err = -errno;
        close(fd);
        return err;
    }
    return fd;
}

struct watching {
    const char *table;
    bool is_touched;
};

static int
on_change(const struct nlmsghdr *nlh, void *watching_)
{
    struct watching *watching = watching_;
    const struct nfgenmsg *nfg = mnl_nlmsg_get_payload(nlh);
    const char *name;

    if (mnl_nlmsg_get_payload_len(nlh) < sizeof *nfg
        || nfg->nfgen_family != NFPROTO_INET
        || (nlh->nlmsg_type & 0xff) == NFT_MSG_NEWGEN) {
        return MNL_CB_OK;
    }
    name = text_of(nlh, ATTR_TABLE);
    if (name && !strcmp(name, watching->table)) {
        watching->is_touched = true;
    }
    return MNL_CB_OK;
}

bool
nft_monitor_read(int fd, const char *table)
{
    struct watching watching = { table, false };
    char buffer[BUFFER_SIZE];
    ssize_t n;

    for (;;) {
        n = recv(fd, buffer, sizeof buffer, MSG_TRUNC);
        if (n >= 0 && (size_t) n <= sizeof buffer) {
            mnl_cb_run(buffer, (size_t) n, 0, 0, on_change, &watching);
        } else if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            return watching.is_touched;
        } else if (n < 0 && errno != EINTR && errno != ENOBUFS) {
            return true;
        } else {
            watching.is_touched = true;   /* some were lost */
        }
    }
}
