/* One DHCPv6 question on its way to its answer: what dhcp6_server.c and
 * dhcp6_ia.c share, and nobody else needs. */
#ifndef WEFT_SERVICE_DHCP6_EXCHANGE_H
#define WEFT_SERVICE_DHCP6_EXCHANGE_H

#include "service/dhcp6_server.h"

struct exchange {
    struct dhcp6_server *server;
    const struct dhcp6_question *question;
    struct dhcp6_answer *answer;
    unsigned int n_relays;
    struct dhcp6_relay relays[DHCP6_HOP_LIMIT];   /* the outermost first */
    struct dhcp6_message msg;
    struct dhcp6_options client_id, server_id;
    struct lease_client client;
    char hostname[LEASE_HOSTNAME_MAX];    /* empty: none that we believe */
    uint8_t duid[10];             /* ours */
    bool is_rapid;
    unsigned int n_given;         /* addresses */
    unsigned int n_ias;           /* seen so far */
    unsigned int n_unwrapped;     /* relays whose envelope did not fit */
    size_t room;                  /* kept for the relays' envelopes */
    struct dhcp6_writer reply;
    uint8_t bytes[DHCP6_REPLY_MAX];
};

enum ia_purpose {
    IA_OFFER,                     /* Advertise: nothing is kept */
    IA_COMMIT,                    /* Request; Solicit with rapid commit */
    IA_RENEW,                     /* Renew, Rebind */
};

/* The message's IAs with what becomes of them. */
void exchange_put_ias(struct exchange *, enum ia_purpose);
/* What the client asks for, and is configured. */
void exchange_put_parameters(struct exchange *);
/* The IAs of Release and Decline; those that it does not hold are told. */
void exchange_give_up(struct exchange *);
/* Addresses in all IAs; `*is_on_link` becomes false if one is not ours. */
unsigned int exchange_count_addresses(const struct exchange *,
                                      bool *is_on_link);

#endif
