/* A DHCP server and its clients, in a test. */
#ifndef WEFT_SERVICE_DHCP_LAB_H
#define WEFT_SERVICE_DHCP_LAB_H

#include "service/dhcp_server.h"

enum { NOW = 1000000 };

/* One network, 10.0.0.0/24, and a subnet behind a relay, 10.9.0.0/24. */
struct lab {
    struct dhcp_server *server;
    struct lease_table *leases, *relayed;
    struct dhcp_subnet subnets[2];
    struct dhcp_server_config config;
    unix_sec now;
    /* What a client sends next, and what it was answered. */
    struct dhcp_header header;
    struct udp4 udp;
    struct dhcp_item items[16];
    unsigned int n_items;
    const char *port;
    struct dhcp_answer answer;
    struct udp4 reply_udp;
    struct dhcp_message reply;
    enum dhcp_verdict verdict;
};

extern const uint8_t lab_types[11];

be32 ip4(const char *text);
void configure(struct lab *);
struct lab *lab_open(void);
void lab_close(struct lab *);
void add_option(struct lab *, uint8_t code, const void *value, size_t len);
void add_ip4(struct lab *, uint8_t code, const char *addr);
void add_u32(struct lab *, uint8_t code, uint32_t value);
/* Begins a message of the client with this last byte of its MAC. */
void begin(struct lab *, enum dhcp_type type, uint8_t mac);
enum dhcp_verdict ask_bytes(struct lab *, const void *frame, size_t len);
enum dhcp_verdict ask(struct lab *);
bool answered(const struct lab *, enum dhcp_type type);
be32 reply_ip4(const struct lab *, uint8_t code);
uint32_t reply_u32(const struct lab *, uint8_t code);
be32 discover(struct lab *, uint8_t mac);
void begin_selecting(struct lab *, uint8_t mac, be32 addr);
/* All four messages. */
be32 lease(struct lab *, uint8_t mac);
void begin_renewing(struct lab *, uint8_t mac, be32 addr);
void begin_init_reboot(struct lab *, uint8_t mac, const char *addr);
void plan(struct lab *, const char *addr, const char *port, uint8_t mac);

#endif
