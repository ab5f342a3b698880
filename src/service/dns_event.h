/* What can become of a DNS message: one table for the reasons, their counters
 * and their texts. */
#ifndef WEFT_SERVICE_DNS_EVENT_H
#define WEFT_SERVICE_DNS_EVENT_H

#include "lib/types.h"

/* X(ID, name, what happened) */
#define DNS_EVENTS(X)                                                        \
    /* Answered from what we know. */                                        \
    X(DNS_ANSWERED, "answered", "the name is one of ours")                   \
    X(DNS_NO_DATA, "no-data", "ours, but nothing of the type asked for")     \
    X(DNS_NO_NAME, "no-name", "there is no such name of ours in sight")      \
    X(DNS_CACHED, "cached", "answered as an upstream did before")            \
    /* Refused, with an answer. */                                           \
    X(DNS_MALFORMED, "malformed", "the query is not well-formed")            \
    X(DNS_NO_QUERY, "not-a-query", "an operation other than a query")        \
    X(DNS_BAD_CLASS, "class", "a class other than IN")                       \
    X(DNS_TRANSFER, "transfer", "whole zones are not for sale")              \
    X(DNS_EDNS_VERSION, "edns-version", "an EDNS version other than 0")      \
    X(DNS_NO_UPSTREAM, "no-upstream", "not ours, and nobody to ask")         \
    X(DNS_TABLE_FULL, "table-full", "as many questions wait as may")         \
    X(DNS_CLIENT_QUOTA, "client-quota", "this port has too many waiting")    \
    X(DNS_CLIENT_TIMEOUT, "timeout", "no upstream answered in time")         \
    /* Forwarded. */                                                         \
    X(DNS_FORWARD, "forward", "not ours: to be asked upstream")              \
    X(DNS_ASKED, "asked", "an upstream was asked")                           \
    X(DNS_JOINED, "joined", "somebody has asked that already")               \
    X(DNS_RETRIED, "retried", "the next upstream was asked")                 \
    X(DNS_RELAYED, "relayed", "an upstream's answer was passed on")          \
    /* Dropped, without an answer. */                                        \
    X(DNS_DROP_SHORT, "short", "shorter than a header")                      \
    X(DNS_DROP_RESPONSE, "response", "an answer where a question belongs")   \
    X(DNS_DROP_REPEATED, "repeated", "the same client waits for it already") \
    X(DNS_DROP_STRAY, "stray", "an answer to no question of ours")           \
    X(DNS_DROP_SENDER, "sender", "not from whom was asked, or elsewhere to") \
    X(DNS_DROP_QUESTION, "question", "an answer to another question")        \
    X(DNS_DROP_BAD_ANSWER, "bad-answer", "the answer is not well-formed")    \
    /* Of an answer, left out. */                                            \
    X(DNS_RECORD_IGNORED, "record", "a record that was not asked for")

enum dns_event {
#define X(ID, NAME, TEXT) ID,
    DNS_EVENTS(X)
#undef X
    N_DNS_EVENTS
};

struct dns_counters {
    uint64_t n[N_DNS_EVENTS];
};

const char *dns_event_name(enum dns_event);
const char *dns_event_text(enum dns_event);

#endif
