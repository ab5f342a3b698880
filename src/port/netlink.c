#include "port/netlink_impl.h"

#include <arpa/inet.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/str.h"

struct netlink {
    struct mnl_socket *socket;
    uint32_t seq;
    char buffer[NETLINK_BUFFER_SIZE] __attribute__((aligned(8)));
};

int
netlink_open(struct netlink **result)
{
    struct netlink *nl = xzalloc(sizeof *nl);
    int err;

    nl->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
    if (!nl->socket) {
        err = -errno;
        goto free_nl;
    }
    if (mnl_socket_bind(nl->socket, 0, MNL_SOCKET_AUTOPID) < 0) {
        err = -errno;
        goto close_socket;
    }
    *result = nl;
    return 0;

close_socket:
    mnl_socket_close(nl->socket);
free_nl:
    free(nl);
    return err;
}

void
netlink_close(struct netlink *nl)
{
    if (nl) {
        mnl_socket_close(nl->socket);
        free(nl);
    }
}

struct nlmsghdr *
netlink_request(struct netlink *nl, uint16_t type, uint16_t flags)
{
    struct nlmsghdr *nlh = mnl_nlmsg_put_header(nl->buffer);

    nlh->nlmsg_type = type;
    nlh->nlmsg_flags = NLM_F_REQUEST | flags;
    nlh->nlmsg_seq = ++nl->seq;
    return nlh;
}

int
netlink_transact(struct netlink *nl, const struct nlmsghdr *nlh,
                 mnl_cb_t answer, void *aux)
{
    unsigned int portid = mnl_socket_get_portid(nl->socket);
    int ret;

    if (mnl_socket_sendto(nl->socket, nlh, nlh->nlmsg_len) < 0) {
        return -errno;
    }
    do {
        ssize_t n = mnl_socket_recvfrom(nl->socket, nl->buffer,
                                        NETLINK_BUFFER_SIZE);

        if (n < 0) {
            return -errno;
        }
        ret = mnl_cb_run(nl->buffer, (size_t) n, nl->seq, portid, answer,
                         aux);
    } while (ret > 0);
    return ret < 0 ? -errno : 0;
}

static struct ifinfomsg *
put_ifinfo(struct nlmsghdr *nlh, unsigned int ifindex)
{
    struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(nlh, sizeof *ifi);

    ifi->ifi_index = (int) ifindex;
    return ifi;
}

static void
copy_text(char *to, size_t size, const struct nlattr *attr)
{
    snprintf(to, size, "%.*s", (int) mnl_attr_get_payload_len(attr),
             mnl_attr_get_str(attr));
}

static void
parse_link(const struct nlmsghdr *nlh, struct link_info *link)
{
    const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
    const struct nlattr *attr, *nested;

    *link = (struct link_info) {
        .ifindex = (unsigned int) ifi->ifi_index,
        .is_ethernet = ifi->ifi_type == ARPHRD_ETHER,
        .is_up = ifi->ifi_flags & IFF_UP,
        .has_carrier = ifi->ifi_flags & IFF_RUNNING,
    };
    mnl_attr_for_each(attr, nlh, sizeof *ifi) {
        switch (mnl_attr_get_type(attr)) {
        case IFLA_IFNAME:
            copy_text(link->name, sizeof link->name, attr);
            break;
        case IFLA_IFALIAS:
            copy_text(link->alias, sizeof link->alias, attr);
            break;
        case IFLA_MTU:
            link->mtu = mnl_attr_get_u32(attr);
            break;
        case IFLA_TXQLEN:
            link->tx_queue_len = mnl_attr_get_u32(attr);
            break;
        case IFLA_ADDRESS:
            if (mnl_attr_get_payload_len(attr) == sizeof link->mac) {
                memcpy(&link->mac, mnl_attr_get_payload(attr),
                       sizeof link->mac);
            }
            break;
        case IFLA_LINKINFO:
            mnl_attr_for_each_nested(nested, attr) {
                if (mnl_attr_get_type(nested) == IFLA_INFO_KIND) {
                    copy_text(link->kind, sizeof link->kind, nested);
                }
            }
            break;
        }
    }
}

struct link_visit {
    bool (*found)(const struct link_info *, void *aux);
    void *aux;
    bool stopped;
};

static int
visit_link(const struct nlmsghdr *nlh, void *visit_)
{
    struct link_visit *visit = visit_;
    struct link_info link;

    if (nlh->nlmsg_type == RTM_NEWLINK && !visit->stopped) {
        parse_link(nlh, &link);
        visit->stopped = !visit->found(&link, visit->aux);
    }
    return MNL_CB_OK;
}

static bool
keep_link(const struct link_info *link, void *copy)
{
    *(struct link_info *) copy = *link;
    return false;
}

static int
get(struct netlink *nl, struct nlmsghdr *nlh, struct link_info *link)
{
    struct link_info copy;
    struct link_visit visit = { keep_link, &copy, false };
    int err = netlink_transact(nl, nlh, visit_link, &visit);

    if (err) {
        return err;
    }
    if (!visit.stopped) {
        return -ENODEV;
    }
    *link = copy;
    return 0;
}

int
link_get(struct netlink *nl, const char *name, struct link_info *link)
{
    struct nlmsghdr *nlh = netlink_request(nl, RTM_GETLINK, NLM_F_ACK);

    put_ifinfo(nlh, 0);
    mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
    return get(nl, nlh, link);
}

int
link_get_by_index(struct netlink *nl, unsigned int ifindex,
                  struct link_info *link)
{
    struct nlmsghdr *nlh = netlink_request(nl, RTM_GETLINK, NLM_F_ACK);

    put_ifinfo(nlh, ifindex);
    return get(nl, nlh, link);
}

int
link_for_each(struct netlink *nl,
              bool (*found)(const struct link_info *, void *aux), void *aux)
{
    struct link_visit visit = { found, aux, false };
    struct nlmsghdr *nlh = netlink_request(nl, RTM_GETLINK, NLM_F_DUMP);

    put_ifinfo(nlh, 0);
    return netlink_transact(nl, nlh, visit_link, &visit);
}

int
link_change(struct netlink *nl, unsigned int ifindex,
            const struct link_change *change)
{
    struct nlmsghdr *nlh = netlink_request(nl, RTM_NEWLINK, NLM_F_ACK);
    struct ifinfomsg *ifi = put_ifinfo(nlh, ifindex);

    if (change->admin != LINK_KEEP) {
        ifi->ifi_change = IFF_UP;
        ifi->ifi_flags = change->admin == LINK_UP ? IFF_UP : 0;
    }
    if (change->netns_fd) {
        mnl_attr_put_u32(nlh, IFLA_NET_NS_FD, (uint32_t) change->netns_fd);
    }
    if (change->name) {
        mnl_attr_put_strz(nlh, IFLA_IFNAME, change->name);
    }
    if (change->mtu) {
        mnl_attr_put_u32(nlh, IFLA_MTU, change->mtu);
    }
    if (change->tx_queue_len) {
        mnl_attr_put_u32(nlh, IFLA_TXQLEN, change->tx_queue_len);
    }
    if (change->mac) {
        mnl_attr_put(nlh, IFLA_ADDRESS, sizeof *change->mac, change->mac);
    }
    if (change->alias) {
        mnl_attr_put(nlh, IFLA_IFALIAS, strlen(change->alias),
                     change->alias);
    }
    return netlink_transact(nl, nlh, NULL, NULL);
}

int
link_create_veth(struct netlink *nl, const char *name, const char *peer,
                 int peer_netns_fd)
{
    struct nlmsghdr *nlh = netlink_request(nl, RTM_NEWLINK, NLM_F_ACK
                                        | NLM_F_CREATE | NLM_F_EXCL);
    struct nlattr *info, *data, *peer_attr;

    put_ifinfo(nlh, 0);
    mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
    info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
    mnl_attr_put_strz(nlh, IFLA_INFO_KIND, "veth");
    data = mnl_attr_nest_start(nlh, IFLA_INFO_DATA);
    peer_attr = mnl_attr_nest_start(nlh, VETH_INFO_PEER);
    put_ifinfo(nlh, 0);
    mnl_attr_put_strz(nlh, IFLA_IFNAME, peer);
    mnl_attr_put_u32(nlh, IFLA_NET_NS_FD, (uint32_t) peer_netns_fd);
    mnl_attr_nest_end(nlh, peer_attr);
    mnl_attr_nest_end(nlh, data);
    mnl_attr_nest_end(nlh, info);
    return netlink_transact(nl, nlh, NULL, NULL);
}

int
link_delete(struct netlink *nl, unsigned int ifindex)
{
    struct nlmsghdr *nlh = netlink_request(nl, RTM_DELLINK, NLM_F_ACK);

    put_ifinfo(nlh, ifindex);
    return netlink_transact(nl, nlh, NULL, NULL);
}

/* Splits "ADDRESS/LENGTH".  Returns the address's bytes or -EINVAL. */
static int
parse_prefix(const char *text, uint8_t address[16], uint8_t *family,
             uint8_t *prefix_len)
{
    char host[INET6_ADDRSTRLEN];
    size_t host_len = strcspn(text, "/");
    char *end;
    unsigned long n;
    bool v6;

    if (host_len >= sizeof host || text[host_len] != '/') {
        return -EINVAL;
    }
    memcpy(host, text, host_len);
    host[host_len] = '\0';
    v6 = strchr(host, ':');
    n = strtoul(text + host_len + 1, &end, 10);
    if (*end || end == text + host_len + 1 || n > (v6 ? 128 : 32)
        || inet_pton(v6 ? AF_INET6 : AF_INET, host, address) != 1) {
        return -EINVAL;
    }
    *family = v6 ? AF_INET6 : AF_INET;
    *prefix_len = (uint8_t) n;
    return v6 ? 16 : 4;
}

static int
put_address(struct nlmsghdr *nlh, unsigned int ifindex, const char *text)
{
    struct ifaddrmsg *ifa = mnl_nlmsg_put_extra_header(nlh, sizeof *ifa);
    uint8_t address[16];
    int len = parse_prefix(text, address, &ifa->ifa_family,
                           &ifa->ifa_prefixlen);

    if (len < 0) {
        return len;
    }
    ifa->ifa_index = ifindex;
    if (ifa->ifa_family == AF_INET6) {
        /* Ours to give out: no need to ask the segment for duplicates. */
        ifa->ifa_flags = IFA_F_NODAD;
    } else if (ifa->ifa_prefixlen < 31) {
        be32 broadcast = get_be32(address)
                         | htonl(0xffffffffu >> ifa->ifa_prefixlen);

        mnl_attr_put_u32(nlh, IFA_BROADCAST, broadcast);
    }
    mnl_attr_put(nlh, IFA_LOCAL, (size_t) len, address);
    mnl_attr_put(nlh, IFA_ADDRESS, (size_t) len, address);
    return 0;
}

int
link_add_address(struct netlink *nl, unsigned int ifindex, const char *text)
{
    struct nlmsghdr *nlh = netlink_request(nl, RTM_NEWADDR, NLM_F_ACK
                                        | NLM_F_CREATE | NLM_F_REPLACE);
    int err = put_address(nlh, ifindex, text);

    return err ? err : netlink_transact(nl, nlh, NULL, NULL);
}

int
link_remove_address(struct netlink *nl, unsigned int ifindex,
                    const char *text)
{
    struct nlmsghdr *nlh = netlink_request(nl, RTM_DELADDR, NLM_F_ACK);
    int err = put_address(nlh, ifindex, text);

    if (!err) {
        err = netlink_transact(nl, nlh, NULL, NULL);
    }
    return err == -EADDRNOTAVAIL ? 0 : err;
}

static int
change_gateway(struct netlink *nl, uint16_t type, uint16_t flags,
               unsigned int ifindex, const char *gateway)
{
    struct nlmsghdr *nlh = netlink_request(nl, type, NLM_F_ACK | flags);
    struct rtmsg *rtm = mnl_nlmsg_put_extra_header(nlh, sizeof *rtm);
    bool v6 = strchr(gateway, ':');
    uint8_t address[16];

    if (inet_pton(v6 ? AF_INET6 : AF_INET, gateway, address) != 1) {
        return -EINVAL;
    }
    rtm->rtm_family = v6 ? AF_INET6 : AF_INET;
    rtm->rtm_table = RT_TABLE_MAIN;
    rtm->rtm_protocol = RTPROT_STATIC;
    rtm->rtm_scope = RT_SCOPE_UNIVERSE;
    rtm->rtm_type = RTN_UNICAST;
    rtm->rtm_flags = RTNH_F_ONLINK;
    mnl_attr_put(nlh, RTA_GATEWAY, v6 ? 16 : 4, address);
    mnl_attr_put_u32(nlh, RTA_OIF, ifindex);
    return netlink_transact(nl, nlh, NULL, NULL);
}

int
link_add_gateway(struct netlink *nl, unsigned int ifindex,
                 const char *gateway)
{
    return change_gateway(nl, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL,
                          ifindex, gateway);
}

int
link_remove_gateway(struct netlink *nl, unsigned int ifindex,
                    const char *gateway)
{
    int err = change_gateway(nl, RTM_DELROUTE, 0, ifindex, gateway);

    return err == -ESRCH ? 0 : err;
}

struct address_search {
    unsigned int ifindex;
    bool found;
};

static int
visit_address(const struct nlmsghdr *nlh, void *search_)
{
    struct address_search *search = search_;
    const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);

    if (nlh->nlmsg_type == RTM_NEWADDR && ifa->ifa_index == search->ifindex
        && ifa->ifa_scope != RT_SCOPE_LINK) {
        search->found = true;
    }
    return MNL_CB_OK;
}

/* Do the fields of a dump's request choose what is dumped?  (Linux 4.20; where
 * they do not, all is.) */
static void
set_strict(struct netlink *nl, int is_strict)
{
    setsockopt(mnl_socket_get_fd(nl->socket), SOL_NETLINK,
               NETLINK_GET_STRICT_CHK, &is_strict, sizeof is_strict);
}

/* Asks for this link's addresses only: among thousands of links, all addresses
 * for each of them would be a lot. */
int
link_has_address(struct netlink *nl, unsigned int ifindex, int family,
                 bool *result)
{
    struct nlmsghdr *nlh = netlink_request(nl, RTM_GETADDR, NLM_F_DUMP);
    struct ifaddrmsg *ifa = mnl_nlmsg_put_extra_header(nlh, sizeof *ifa);
    struct address_search search = { ifindex, false };
    int err;

    ifa->ifa_family = (unsigned char) family;
    ifa->ifa_index = ifindex;
    set_strict(nl, 1);
    err = netlink_transact(nl, nlh, visit_address, &search);
    set_strict(nl, 0);
    if (!err) {
        *result = search.found;
    }
    return err;
}

int
link_has_ipv6_address(struct netlink *nl, unsigned int ifindex, bool *result)
{
    return link_has_address(nl, ifindex, AF_INET6, result);
}
