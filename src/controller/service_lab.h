/* A service in a test: intents, a store in memory, packet-ins made of frames,
 * and what would be sent. */
#ifndef WEFT_CONTROLLER_SERVICE_LAB_H
#define WEFT_CONTROLLER_SERVICE_LAB_H

#include "controller/service_host.h"
#include "store/store.h"

enum { LAB_FRAME_MAX = 2048, LAB_MAX_SENT = 64 };

struct lab_sent {
    const struct topology_member *member;
    size_t len;
    uint8_t frame[LAB_FRAME_MAX];
};

struct service_lab {
    uv_loop_t loop;
    struct store *store;          /* NULL: the test has closed it */
    struct ipam *ipam;
    struct topology *topology;
    struct unit_set dirty;
    struct packet_in_table packet_ins;
    struct service_host host;
    struct packet_in_entry last_entry;      /* of a frame without a member */
    unsigned int n_sent;
    struct lab_sent sent[LAB_MAX_SENT];       /* since the last packet-in */
};

/* `networks` and `ports` are the maps' insides, as in a file. */
struct service_lab *service_lab_open(const char *networks, const char *ports);
/* After the service was destroyed, whose handles are closed here. */
void service_lab_close(struct service_lab *);
/* Other intents; the service is told by the test. */
void service_lab_apply(struct service_lab *, const char *networks,
                       const char *ports);
/* Which port sent it into its first network. */
void service_lab_receive(struct service_lab *, enum service_id,
                         const char *port, const void *frame, size_t len);
/* What is being stored, and what waits for it. */
void service_lab_settle(struct service_lab *);
const struct topology_member *service_lab_member(const struct service_lab *,
                                                 const char *port);
/* How many keys the store has that begin so. */
unsigned int service_lab_count(const struct service_lab *,
                               const char *prefix);

#endif
