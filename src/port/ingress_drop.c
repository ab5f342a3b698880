#include "port/ingress_drop.h"

#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

enum {
    BUFFER_SIZE = 32768,          /* a dump's messages are at most so long */
    PRIORITY = -500,              /* before everybody's */
};

/* One message of a transaction. */
static struct nlmsghdr *
put_message(struct mnl_nlmsg_batch *batch, uint16_t type, uint16_t flags,
            uint8_t family, uint16_t res_id)
{
    struct nlmsghdr *nlh = mnl_nlmsg_put_header(
        mnl_nlmsg_batch_current(batch));
    struct nfgenmsg *nfg;

    nlh->nlmsg_type = type;
    nlh->nlmsg_flags = (uint16_t) (NLM_F_REQUEST | flags);
    nfg = mnl_nlmsg_put_extra_header(nlh, sizeof *nfg);
    nfg->nfgen_family = family;
    nfg->version = NFNETLINK_V0;
    nfg->res_id = htobe16(res_id);
    return nlh;
}

static struct nlmsghdr *
put_nft(struct mnl_nlmsg_batch *batch, uint16_t type, uint16_t flags)
{
    return put_message(batch, (uint16_t) (NFNL_SUBSYS_NFTABLES << 8 | type),
                       (uint16_t) (NLM_F_ACK | flags), NFPROTO_NETDEV, 0);
}

static void
put_border(struct mnl_nlmsg_batch *batch, uint16_t type)
{
    put_message(batch, type, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
    mnl_nlmsg_batch_next(batch);
}

/* The first error of the answers, which are there when sending returned. */
static int
read_answers(struct mnl_socket *nl, char *buffer)
{
    int fd = mnl_socket_get_fd(nl), err = 0;
    ssize_t n;

    while ((n = recv(fd, buffer, BUFFER_SIZE, MSG_DONTWAIT)) > 0) {
        const struct nlmsghdr *nlh = (const struct nlmsghdr *) buffer;
        int left = (int) n;

        for (; mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left)) {
            const struct nlmsgerr *answer = mnl_nlmsg_get_payload(nlh);

            if (nlh->nlmsg_type == NLMSG_ERROR && !err) {
                err = answer->error;
            }
        }
    }
    return err;
}

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

/* Ends the transaction and sends it. */
static int
commit(struct mnl_nlmsg_batch *batch)
{
    char answers[BUFFER_SIZE];
    struct mnl_socket *nl;
    int err = open_socket(&nl);

    if (err) {
        return err;
    }
    put_border(batch, NFNL_MSG_BATCH_END);
    if (mnl_socket_sendto(nl, mnl_nlmsg_batch_head(batch),
                          mnl_nlmsg_batch_size(batch)) < 0) {
        err = -errno;
    } else {
        err = read_answers(nl, answers);
    }
    mnl_socket_close(nl);
    return err;
}

static void
put_chain(struct mnl_nlmsg_batch *batch, const char *table,
          const char *device)
{
    struct nlmsghdr *nlh = put_nft(batch, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
    struct nlattr *hook;

    mnl_attr_put_strz(nlh, NFTA_CHAIN_TABLE, table);
    mnl_attr_put_strz(nlh, NFTA_CHAIN_NAME, "ingress");
    hook = mnl_attr_nest_start(nlh, NFTA_CHAIN_HOOK);
    mnl_attr_put_u32(nlh, NFTA_HOOK_HOOKNUM, htobe32(NF_NETDEV_INGRESS));
    mnl_attr_put_u32(nlh, NFTA_HOOK_PRIORITY,
                     htobe32((uint32_t) PRIORITY));
    mnl_attr_put_strz(nlh, NFTA_HOOK_DEV, device);
    mnl_attr_nest_end(nlh, hook);
    mnl_attr_put_u32(nlh, NFTA_CHAIN_POLICY, htobe32(NF_DROP));
    mnl_attr_put_strz(nlh, NFTA_CHAIN_TYPE, "filter");
    mnl_nlmsg_batch_next(batch);
}

int
ingress_drop_add(const char *table, const char *device)
{
    /* Twice what a batch may hold: libmnl lets the last message exceed it. */
    char buffer[2 * MNL_NLMSG_HDRLEN + 4096];
    struct mnl_nlmsg_batch *batch = mnl_nlmsg_batch_start(buffer, 2048);
    struct nlmsghdr *nlh;
    int err;

    put_border(batch, NFNL_MSG_BATCH_BEGIN);
    nlh = put_nft(batch, NFT_MSG_NEWTABLE, NLM_F_CREATE);
    mnl_attr_put_strz(nlh, NFTA_TABLE_NAME, table);
    mnl_nlmsg_batch_next(batch);
    put_chain(batch, table, device);
    err = commit(batch);
    mnl_nlmsg_batch_stop(batch);
    return err;
}

int
ingress_drop_delete(const char *table)
{
    char buffer[2 * MNL_NLMSG_HDRLEN + 4096];
    struct mnl_nlmsg_batch *batch = mnl_nlmsg_batch_start(buffer, 2048);
    struct nlmsghdr *nlh;
    int err;

    put_border(batch, NFNL_MSG_BATCH_BEGIN);
    nlh = put_nft(batch, NFT_MSG_DELTABLE, 0);
    mnl_attr_put_strz(nlh, NFTA_TABLE_NAME, table);
    mnl_nlmsg_batch_next(batch);
    err = commit(batch);
    mnl_nlmsg_batch_stop(batch);
    return err;
}

/* ---- Lists ---- */

struct listing {
    void (*found)(const char *table, void *aux);
    void *aux;
};

static int
on_attribute(const struct nlattr *attr, void *aux)
{
    const struct listing *listing = aux;

    if (mnl_attr_get_type(attr) == NFTA_TABLE_NAME
        && !mnl_attr_validate(attr, MNL_TYPE_NUL_STRING)) {
        listing->found(mnl_attr_get_str(attr), listing->aux);
    }
    return MNL_CB_OK;
}

static int
on_table(const struct nlmsghdr *nlh, void *aux)
{
    return mnl_attr_parse(nlh, sizeof(struct nfgenmsg), on_attribute, aux);
}

int
ingress_drop_for_each(void (*found)(const char *table, void *aux), void *aux)
{
    struct listing listing = { found, aux };
    char buffer[BUFFER_SIZE];
    struct mnl_nlmsg_batch *batch = mnl_nlmsg_batch_start(buffer, 2048);
    struct mnl_socket *nl;
    struct nlmsghdr *nlh;
    int err = open_socket(&nl);
    ssize_t n;

    if (err) {
        goto stop_batch;
    }
    nlh = put_message(batch, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETTABLE,
                      NLM_F_DUMP, NFPROTO_NETDEV, 0);
    if (mnl_socket_sendto(nl, nlh, nlh->nlmsg_len) < 0) {
        err = -errno;
        goto close_socket;
    }
    do {
        n = mnl_socket_recvfrom(nl, buffer, sizeof buffer);
        if (n > 0) {
            n = mnl_cb_run(buffer, (size_t) n, 0,
                           mnl_socket_get_portid(nl), on_table, &listing);
        }
    } while (n > 0);
    err = n < 0 ? -errno : 0;

close_socket:
    mnl_socket_close(nl);
stop_batch:
    mnl_nlmsg_batch_stop(batch);
    return err;
}

bool
ingress_drop_exists(const char *table)
{
    char buffer[BUFFER_SIZE];
    struct mnl_nlmsg_batch *batch = mnl_nlmsg_batch_start(buffer, 2048);
    struct nlmsghdr *nlh = put_nft(batch, NFT_MSG_GETTABLE, 0);
    struct mnl_socket *nl;
    int err = open_socket(&nl);

    if (!err) {
        mnl_attr_put_strz(nlh, NFTA_TABLE_NAME, table);
        err = mnl_socket_sendto(nl, nlh, nlh->nlmsg_len) < 0
              ? -errno : read_answers(nl, buffer);
        mnl_socket_close(nl);
    }
    mnl_nlmsg_batch_stop(batch);
    return !err;
}
