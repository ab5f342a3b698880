/* What an exchange of DHCP costs at least: a socket, and answers that remember
 * nothing.
 *
 *     dhcp_echo ADDRESS
 *
 * Answers what relays ask at ADDRESS, port 67: to a DISCOVER an OFFER of an
 * address made of the client's MAC, to a REQUEST an ACK of what it asks for.
 * Nothing is kept, nothing is checked. */
#include <arpa/inet.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum { PORT = 67, OPTIONS = 240, BOOTP_REPLY = 2, TYPE = 53, SERVER = 54,
       LEASE = 51, WANTED = 50, MASK = 1, END = 255, MESSAGE_MAX = 1500 };

static const uint8_t *
find(const uint8_t *msg, size_t len, uint8_t code)
{
    for (size_t at = OPTIONS; at + 2 <= len && msg[at] != END;
         at += msg[at] ? 2u + msg[at + 1] : 1u) {
        if (msg[at] == code && at + 2 + msg[at + 1] <= len) {
            return msg + at + 2;
        }
    }
    return NULL;
}

static uint8_t *
put(uint8_t *p, uint8_t code, const void *value, uint8_t len)
{
    p[0] = code;
    p[1] = len;
    memcpy(p + 2, value, len);
    return p + 2 + len;
}

/* Makes the answer of the question; its length. */
static size_t
answer(uint8_t *msg, size_t len, struct in_addr server)
{
    static const uint8_t mask[] = { 255, 255, 0, 0 }, time[] = { 0, 0, 14, 16 };
    const uint8_t *type = find(msg, len, TYPE);
    const uint8_t *wanted = find(msg, len, WANTED);
    uint8_t reply = type && *type == 1 ? 2 : 5, *p = msg + OPTIONS;
    uint8_t addr[4] = { 10, 96, msg[28 + 4], msg[28 + 5] };

    if (wanted) {
        memcpy(addr, wanted, sizeof addr);
    }
    msg[0] = BOOTP_REPLY;
    memcpy(msg + 16, addr, sizeof addr);
    p = put(p, TYPE, &reply, 1);
    p = put(p, SERVER, &server, sizeof server);
    p = put(p, LEASE, time, sizeof time);
    p = put(p, MASK, mask, sizeof mask);
    *p++ = END;
    return (size_t) (p - msg);
}

int
main(int argc, char **argv)
{
    struct sockaddr_in here = { .sin_family = AF_INET,
                                .sin_port = htons(PORT) };
    int fd = socket(AF_INET, SOCK_DGRAM, 0), room = 4 << 20;
    struct in_addr server;

    if (argc != 2 || !inet_aton(argv[1], &server)) {
        fprintf(stderr, "usage: dhcp_echo ADDRESS\n");
        return 2;
    }
    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
    if (bind(fd, (struct sockaddr *) &here, sizeof here)) {
        perror("dhcp_echo: bind");
        return 1;
    }
    puts("ready");
    fflush(stdout);
    for (;;) {
        uint8_t msg[MESSAGE_MAX];
        ssize_t len = recv(fd, msg, sizeof msg, 0);
        struct sockaddr_in to = { .sin_family = AF_INET,
                                  .sin_port = htons(PORT) };

        if (len > OPTIONS) {
            memcpy(&to.sin_addr, msg + 24, sizeof to.sin_addr);
            sendto(fd, msg, answer(msg, (size_t) len, server), 0,
                   (struct sockaddr *) &to, sizeof to);
        }
    }
}
