/* Connection methods, as Open vSwitch's users write them:
 *
 *     tcp:HOST[:PORT]     tls:HOST[:PORT]     unix:PATH       we connect
 *     ptcp:[PORT][:HOST]  ptls:[PORT][:HOST]  punix:PATH      we listen
 *
 * ssl: and pssl: are older names of tls: and ptls:.  HOST is an IP
 * address, IPv6 in brackets (which may be left out where nothing follows); the
 * default port is 6653. */
#ifndef WEFT_OPENFLOW_METHOD_H
#define WEFT_OPENFLOW_METHOD_H

#include <sys/socket.h>
#include <sys/un.h>
#include <netinet/in.h>

#include "lib/str.h"

enum { OF_PORT = 6653 };

struct of_method {
    bool is_passive;
    bool is_tls;
    socklen_t address_len;
    union {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
        struct sockaddr_un un;
    } address;
};

/* -EINVAL with what is wrong in `error`. */
int of_method_parse(const char *text, struct of_method *, struct str *error);

/* A non-blocking descriptor: a listener for passive methods, else a connection
 * that may still be under way (writable when it is decided; SO_ERROR says how).
 * Negative errno. */
int of_method_open(const struct of_method *);

#endif
