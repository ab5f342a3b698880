/* Peer listener: where other hosts call.
 *
 * The address may come to the machine later than we do.  What cannot be bound is
 * tried again.
 *
 * One thread, the loop's. */
#ifndef WEFT_PEER_PEER_LISTENER_H
#define WEFT_PEER_PEER_LISTENER_H

#include <uv.h>

#include "lib/types.h"

struct peer_listener;

/* `called` takes the descriptor of each call over. */
struct peer_listener *peer_listener_create(uv_loop_t *,
                                           void (*called)(void *aux, int fd),
                                           void *aux);
/* Accepts NULL. */
void peer_listener_destroy(struct peer_listener *);

/* An address all zero: nowhere. */
void peer_listener_move(struct peer_listener *, struct ip6_addr,
                        uint16_t port);

/* The socket's address of one that may be IPv4, mapped. */
socklen_t peer_sockaddr(struct ip6_addr, uint16_t port,
                        struct sockaddr_storage *);

#endif
