/* Opens the packet sockets by which netdev.c receives and sends. */
#ifndef WEFT_PORT_PACKET_SOCKET_H
#define WEFT_PORT_PACKET_SOCKET_H

/* `n` sockets on the link, among which the kernel shares out what arrives by
 * flow; with virtio-net headers, promiscuous for as long as they are open, deaf
 * to what this host itself sends there.  The link must be up.  0 or a negative
 * errno, with nothing open. */
int packet_sockets_open(unsigned int ifindex, unsigned int n, int fds[]);

/* One that is bound to nothing: it only remembers its namespace. */
int packet_socket_open_silent(int *fd);

#endif
