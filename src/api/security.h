/* What security groups did, by the counters of their flow entries. */
#ifndef WEFT_API_SECURITY_H
#define WEFT_API_SECURITY_H

#include "api/api.h"

struct security_count {
    bool is_in, is_audit;
    uint64_t cookie;              /* of the group, or of the port */
    uint32_t rule;                /* its id (security_rule.h); 0: packets for
                                     which there was none */
    uint32_t port;                /* then: the switch's number */
    uint64_t packets;
};

struct security_counts {
    unsigned int n, size;
    struct security_count *list;
};

/* Each rule once, and each port once for a direction and whether it is only an
 * audit.  The switch's thread. */
void security_counts_read(struct api *, struct security_counts *);
void security_counts_fini(struct security_counts *);

#endif
