#include "conntrack/state.h"

#include "conntrack/sctp.h"
#include "conntrack/tcp.h"

bool
ct_state_may_begin(const struct ct_packet *p, bool no_pickup)
{
    switch (p->tuple.proto) {
    case IP_PROTO_TCP:
        return tcp_may_begin(p, no_pickup);
    case IP_PROTO_SCTP:
        return sctp_may_begin(p, no_pickup);
    case IP_PROTO_ICMP: case IP_PROTO_ICMPV6:
        return ct_icmp_is_query(p->tuple.proto, p->l4[0]);
    default:
        return true;
    }
}

void
ct_state_begin(struct ct_conn *conn, const struct ct_packet *p)
{
    if (conn->proto == IP_PROTO_TCP) {
        tcp_begin(conn, p);
    } else if (conn->proto == IP_PROTO_SCTP) {
        sctp_begin(conn, p);
    }
}

enum ct_update
ct_state_update(struct ct_conn *conn, unsigned int dir,
                const struct ct_packet *p)
{
    enum ct_update update;

    switch (conn->proto) {
    case IP_PROTO_TCP:
        update = tcp_update(conn, dir, p);
        break;
    case IP_PROTO_SCTP:
        update = sctp_update(conn, dir, p);
        break;
    default:
        update = dir || conn->is_answered ? CT_UPDATE_VALID
                                          : CT_UPDATE_STILL_NEW;
        break;
    }
    if (dir && update == CT_UPDATE_VALID) {
        conn->is_answered = true;
    }
    return update;
}

enum ct_timeout
ct_state_timeout(const struct ct_conn *conn)
{
    bool answered = conn->is_answered;

    switch (conn->proto) {
    case IP_PROTO_TCP:
        return tcp_timeout(conn);
    case IP_PROTO_SCTP:
        return sctp_timeout(conn);
    case IP_PROTO_UDP:
        return answered ? CT_TIMEOUT_UDP_ESTABLISHED : CT_TIMEOUT_UDP_NEW;
    case IP_PROTO_ICMP: case IP_PROTO_ICMPV6:
        return answered ? CT_TIMEOUT_ICMP_REPLIED : CT_TIMEOUT_ICMP_NEW;
    default:
        return answered ? CT_TIMEOUT_OTHER_ESTABLISHED
                        : CT_TIMEOUT_OTHER_NEW;
    }
}

const char *
ct_state_text(const struct ct_conn *conn)
{
    switch (conn->proto) {
    case IP_PROTO_TCP: return tcp_text(conn);
    case IP_PROTO_SCTP: return sctp_text(conn);
    default: return conn->is_answered ? "answered" : "new";
    }
}

bool
ct_state_is_known(uint8_t proto, const struct ct_peer *peer)
{
    switch (proto) {
    case IP_PROTO_TCP: return tcp_is_known(peer);
    case IP_PROTO_SCTP: return sctp_is_known(peer);
    default: return true;
    }
}
