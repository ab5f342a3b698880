/* Why a packet was dropped: the one table of reasons.
 *
 * Every place that drops names one; the row gives the counter, its text in
 * `weft drops` and `weft metrics`, and its line in the manual. */
#ifndef WEFT_DATAPATH_DROP_H
#define WEFT_DATAPATH_DROP_H

#include "lib/types.h"

/* X(ID, name, what happened) */
#define DROP_REASONS(X)                                                      \
    X(DROP_TRUNCATED, "truncated", "shorter than an Ethernet header")        \
    X(DROP_TUNNEL_OPTION, "tunnel-option",                                   \
      "its tunnel header has a critical option that no field stands for")    \
    X(DROP_TABLE_MISS, "table-miss", "no flow entry matched")                \
    X(DROP_ACTIONS, "drop-action", "a flow entry says drop")                 \
    X(DROP_ACTION_INVALID, "action-invalid",                                 \
      "an action did not fit the packet (no tag to pop, header cut short)")  \
    X(DROP_NO_PORT, "no-port", "the output port does not exist")             \
    X(DROP_PORT_DOWN, "port-down", "the output port is down")                \
    X(DROP_PORT_BLOCKED, "port-blocked",                                     \
      "the port is configured not to receive or forward")                    \
    X(DROP_FRAGMENT, "fragment",                                             \
      "a fragment, and the switch is configured to drop them")               \
    X(DROP_MTU, "mtu-exceeded", "longer than the output port takes")         \
    X(DROP_OFFLOAD, "bad-offload",                                           \
      "the checksum or segment request does not fit the packet")             \
    X(DROP_NO_BUFFER, "no-buffer", "every packet buffer is in use")          \
    X(DROP_UPCALL_BUDGET, "upcall-budget",                                   \
      "the port sends new flows faster than it may")                         \
    X(DROP_RECIRC_DEPTH, "recirc-depth",                                     \
      "went through the tables too often")                                   \
    X(DROP_RECIRC_UNKNOWN, "recirc-unknown",                                 \
      "its state in the tables is gone")                                     \
    X(DROP_TRANSLATE_LIMIT, "translate-limit",                               \
      "the tables make too many actions or resubmits")                       \
    X(DROP_TTL_EXPIRED, "ttl-expired", "TTL or hop limit is used up")        \
    X(DROP_CT_FULL, "ct-full",                                               \
      "its connection cannot be committed, the table is full")               \
    X(DROP_CT_ZONE_FULL, "ct-zone-full",                                     \
      "its connection's zone has as many as it may have")                    \
    X(DROP_NAT_NO_PORT, "nat-no-port",                                       \
      "every external port that its address may be translated to is in use") \
    X(DROP_NAT_FAILED, "nat-failed",                                         \
      "a header that is to be translated is cut short")                      \
    X(DROP_CT_FRAGMENT, "ct-fragment",                                       \
      "a fragment overlaps another of its datagram, or is there already")    \
    X(DROP_CT_FRAGMENTS_FULL, "ct-fragments-full",                           \
      "too many fragments wait, or are of datagrams under way")              \
    X(DROP_CT_FRAGMENT_TIME, "ct-fragment-time",                             \
      "its datagram's first fragment did not come")                          \
    X(DROP_METER, "meter", "a meter's rate was exceeded")                    \
    X(DROP_CONTROLLER_QUEUE, "controller-queue",                             \
      "the port's queue to the controller is full")                          \
    X(DROP_LEARN_QUEUE, "learn-queue",                                       \
      "too many packets wait for flow entries to be learned")                \
    X(DROP_GROUP_EMPTY, "group-empty",                                       \
      "the group does not exist or no bucket is live")                       \
    X(DROP_SAME_PORT, "same-port",                                           \
      "the destination is behind the port it came from")                     \
    X(DROP_NO_OUTPUT, "no-output", "there is nowhere to flood it to")        \
    X(DROP_VLAN, "vlan-filter", "the port does not carry this VLAN")         \
    X(DROP_RESERVED_MAC, "reserved-mac",                                     \
      "link-local destination (01:80:c2:00:00:0x), not forwarded by "        \
      "a bridge")                                                            \
    X(DROP_SRC_GROUP_MAC, "group-source-mac",                                \
      "the source address is a group address")                               \
    X(DROP_PROTECTED, "protected",                                           \
      "both ports are protected from each other")                            \
    X(DROP_PORT_HELD, "port-held",                                           \
      "a station kept moving between ports: the newer one is held")

enum drop_reason {
#define X(ID, NAME, TEXT) ID,
    DROP_REASONS(X)
#undef X
    N_DROP_REASONS
};

const char *drop_reason_name(enum drop_reason);
const char *drop_reason_text(enum drop_reason);

#endif
