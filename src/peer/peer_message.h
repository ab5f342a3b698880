/* Peer messages: what two hosts say to each other, as bytes.
 *
 * A message is a length of four bytes, most significant first, and as many
 * bytes of JSON, an object whose "say" is its type:
 *
 *     {"say": "hello", "version": 1, "host": "h1"}      the first of each side
 *     {"say": "begin"}                  all ports follow, then
 *     {"say": "port", "port": "web", "mac": "02:..", "generation": 7,
 *      "security-groups": ["db"],
 *      "members": [{"network": "blue", "address": "10.1.0.5",
 *                   "addresses6": ["fd00::5"]}]}
 *     {"say": "end"}                    what was not said since "begin" is gone
 *     {"say": "gone", "port": "web"}
 *     {"say": "listening", "network": "blue", "all": false,
 *      "groups": ["239.1.1.1", "ff05::1"]}
 *     {"say": "ask", "id": 4, "body": {..}}             explain this
 *     {"say": "answer", "id": 4, "body": {..}}
 *     {"say": "ping", "id": 9}  {"say": "pong", "id": 9}
 *
 * Members that are unknown are passed over, so that a newer host can say more;
 * an unknown type decodes as PEER_UNKNOWN, to be ignored.  Anything else that
 * is not as above is -EBADMSG, and costs the session.
 *
 * Pure: no I/O, no state.  Any thread. */
#ifndef WEFT_PEER_PEER_MESSAGE_H
#define WEFT_PEER_PEER_MESSAGE_H

#include <jansson.h>

#include "controller/remote.h"
#include "lib/str.h"

enum {
    PEER_VERSION = 1,
    PEER_HEADER_SIZE = 4,
    PEER_MAX_BODY = 1 << 19,      /* bytes of JSON; the most groups fit */
    PEER_MAX_SECURITY_GROUPS = 64,          /* of a port */
};

/* X(ID, as written) */
#define PEER_MESSAGES(X)                                                     \
    X(PEER_HELLO, "hello")                                                   \
    X(PEER_BEGIN, "begin")                                                   \
    X(PEER_PORT, "port")                                                     \
    X(PEER_END, "end")                                                       \
    X(PEER_GONE, "gone")                                                     \
    X(PEER_LISTENING, "listening")                                           \
    X(PEER_ASK, "ask")                                                       \
    X(PEER_ANSWER, "answer")                                                 \
    X(PEER_PING, "ping")                                                     \
    X(PEER_PONG, "pong")

enum peer_message_type {
#define X(ID, WORD) ID,
    PEER_MESSAGES(X)
#undef X
    PEER_UNKNOWN
};

/* Names, as they are on the wire; `members` have the ids that remote.h wants,
 * of the same networks. */
struct peer_port {
    char name[INTENT_NAME_MAX];
    struct eth_addr mac;
    uint64_t generation;          /* at most INT64_MAX */
    unsigned int n_security_groups, n_members;
    char (*security_groups)[INTENT_NAME_MAX];
    char (*networks)[INTENT_NAME_MAX];      /* of the members, in order */
    struct remote_member *members;
};

struct peer_listening {
    char network[INTENT_NAME_MAX];
    bool hears_all;
    unsigned int n_groups;
    struct ip6_addr *groups;
};

struct peer_message {
    enum peer_message_type type;
    union {
        struct {
            unsigned int version;
            char host[INTENT_NAME_MAX];
        } hello;
        struct peer_port port;
        char gone[INTENT_NAME_MAX];
        struct peer_listening listening;
        struct {
            uint64_t id;          /* at most INT64_MAX */
            json_t *body;         /* an object; of ask and answer */
        } talk;                   /* ask, answer, ping, pong */
    };
};

const char *peer_message_word(enum peer_message_type);

/* How long the body is whose header this is; -EMSGSIZE: too long, or empty. */
int peer_message_body_size(const uint8_t header[PEER_HEADER_SIZE]);

/* 0: `*message` is to be given to peer_message_fini().  -EBADMSG: `why` (may be
 * NULL) has the reason. */
int peer_message_decode(const void *body, size_t size,
                        struct peer_message *message, struct str *why);
void peer_message_fini(struct peer_message *);

/* Appends the message with its header.  -EMSGSIZE, with nothing appended: it
 * would be longer than the other side accepts. */
int peer_message_encode(const struct peer_message *, struct str *);

#endif
