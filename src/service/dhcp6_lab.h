/* A DHCPv6 server and its clients, in a test. */
#ifndef WEFT_SERVICE_DHCP6_LAB_H
#define WEFT_SERVICE_DHCP6_LAB_H

#include "service/dhcp6_server.h"

enum { LAB6_NOW = 1000000, LAB6_LEASE = 3600 };

/* fd00::/64, gateway fd00::1.  Each client of the lab is a NIC: its last byte,
 * at port "p<byte>", planned fd00::<byte>. */
struct lab6 {
    struct dhcp6_server server;
    struct dhcp6_config config;
    unix_sec now;
    /* What a client sends next. */
    uint8_t who;
    struct dhcp6_writer w;
    uint8_t bytes[1500];
    struct dhcp6_question question;
    char port[LEASE_PORT_MAX];
    bool is_planned;              /* the port has a plan */
    /* And what it was answered. */
    struct dhcp6_answer answer;
    struct dhcp6_message reply;
    enum dhcp6_verdict verdict;
};

struct lab6 *lab6_open(void);
void lab6_close(struct lab6 *);
struct ip6_addr ip6(const char *text);

/* Begins a message of this client, with its DUID, and the server's where the
 * type needs it. */
void lab6_begin(struct lab6 *, enum dhcp6_type, uint8_t who);
/* Without either. */
void lab6_begin_bare(struct lab6 *, enum dhcp6_type, uint8_t who);
void lab6_add_client_id(struct lab6 *, uint8_t who);
void lab6_add_server_id(struct lab6 *);
/* An IA with the addresses, NULL ends. */
void lab6_add_ia(struct lab6 *, uint16_t code, uint32_t iaid,
                 const char *const *addresses);
void lab6_add_oro(struct lab6 *, const uint16_t *codes, unsigned int n);
enum dhcp6_verdict lab6_ask(struct lab6 *);
/* The same, by any bytes. */
enum dhcp6_verdict lab6_ask_bytes(struct lab6 *, const void *, size_t len);

/* Of the reply: its n-th IA of that kind; false: there is none. */
bool lab6_ia(const struct lab6 *, uint16_t code, unsigned int n,
             struct dhcp6_ia *);
/* The first address of the n-th IA_NA with a valid lifetime; all zero: none. */
struct ip6_addr lab6_address(const struct lab6 *, unsigned int n);
/* -1: there is no status option. */
int lab6_status(struct dhcp6_options);
/* All four messages, one IA; the address. */
struct ip6_addr lab6_lease(struct lab6 *, uint8_t who, uint32_t iaid);

#endif
