/* LACP: several links to one partner that act as one (IEEE 802.1AX clause 6).
 *
 *     a link comes, goes          lacp_set_link()
 *     a frame of its partner's    lacp_receive()
 *     time goes by                lacp_run()
 *     who may be used             lacp_collects(), lacp_distributes()
 *
 * Each link runs the standard's machines:
 *
 *     receive   DISABLED -- link --> EXPIRED -- 3 s --> DEFAULTED
 *               any with a link -- LACPDU --> CURRENT -- silence --> EXPIRED
 *               (silence: 3 s when we ask for fast LACPDUs, else 90 s)
 *     periodic  an LACPDU per second, or per 30 s, as the partner wants; more,
 *               when what the partner knows of us is not right (three a second
 *               at most)
 *     mux       DETACHED -> ATTACHED -> COLLECTING -> DISTRIBUTING
 *               back as far as selection and partner demand.  Only a partner
 *               that is in sync is collected from, and only one that collects is
 *               sent to.
 *
 * Selection: the links whose partner is the same system with the same key are
 * one aggregate.  Of several, the one in use stays as long as it has a link;
 * then the biggest, then the one with the first link.  A link whose partner does
 * not speak LACP is alone ("individual"): one such link is used where no partner
 * speaks, so that a bond comes up before its far end is set up.  A link that
 * leads back to ourselves is never used.
 *
 * Pure: time is a parameter, frames leave by the watch.  One thread. */
#ifndef WEFT_SERVICE_LACP_H
#define WEFT_SERVICE_LACP_H

#include "packet/lacp.h"

enum { LACP_MAX_LINKS = 8 };

struct lacp;

struct lacp_config {
    struct eth_addr system;
    uint16_t key;
    unsigned int n_links;         /* at most LACP_MAX_LINKS */
    bool is_fast;                 /* the partner shall speak every second */
    bool is_passive;              /* never the first to speak */
};

struct lacp_watch {
    void (*send)(void *aux, unsigned int link, const void *frame, size_t len);
    void *aux;
};

struct lacp *lacp_create(const struct lacp_config *,
                         const struct lacp_watch *);
/* Accepts NULL. */
void lacp_destroy(struct lacp *);

/* `port`: its number, in LACPDUs and to break ties; `mac`: of its frames. */
void lacp_set_link(struct lacp *, unsigned int link, bool is_up,
                   uint16_t port, struct eth_addr mac, msec now);
/* False: it was neither an LACPDU nor a marker, and was not looked at. */
bool lacp_receive(struct lacp *, unsigned int link, const void *frame,
                  size_t len, msec now);
/* Does what is due; returns when there is something next, INT64_MAX: never. */
msec lacp_run(struct lacp *, msec now);

bool lacp_collects(const struct lacp *, unsigned int link);
bool lacp_distributes(const struct lacp *, unsigned int link);

/* X(ID, name) */
#define LACP_RECEIVE_STATES(X)                                               \
    X(LACP_RX_DISABLED, "down")                                              \
    X(LACP_RX_EXPIRED, "expired")                                            \
    X(LACP_RX_DEFAULTED, "no-partner")                                       \
    X(LACP_RX_CURRENT, "current")

enum lacp_receive_state {
#define X(ID, NAME) ID,
    LACP_RECEIVE_STATES(X)
#undef X
};

const char *lacp_receive_state_name(enum lacp_receive_state);

struct lacp_link_status {
    enum lacp_receive_state receive;
    struct lacp_info actor, partner;
    uint64_t n_received, n_sent, n_markers, n_foreign;
};
void lacp_link_status(const struct lacp *, unsigned int link,
                      struct lacp_link_status *);

#endif
