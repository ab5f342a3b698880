/* What security groups say of a question (explain.h), from the intents. */
#ifndef WEFT_CONTROLLER_EXPLAIN_SECURITY_H
#define WEFT_CONTROLLER_EXPLAIN_SECURITY_H

#include "controller/explain.h"
#include "controller/explain_end.h"

/* What is asked, as rules see it. */
struct explain_protocol {
    uint8_t protocol;             /* 0: none that rules are asked for */
    uint16_t port;                /* of tcp, udp, sctp */
    uint8_t icmp_type;
    bool is_v6;
    const char *what;             /* "tcp/443"; borrowed */
};

/* Fills in `security` of the question, and the notes that follow. */
void explain_security(const struct topology *, const struct explain_end *from,
                      const struct explain_end *to,
                      const struct explain_protocol *, struct explain *);

/* How a reply of what rules allow looks to trace: words for a match. */
#define EXPLAIN_ANSWER "ct_state=+trk+est+rpl,ct_label=0x40000000"

#endif
