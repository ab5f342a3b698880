/* The client FQDN option of DHCPv4 (81, RFC 4702): who puts the client's name
 * into DNS.
 *
 * Always we do: a port has a name in its network's zone, and nobody else can
 * write there.  Nested guests have none, and are told that nothing is done. */
#ifndef WEFT_SERVICE_DHCP_FQDN_H
#define WEFT_SERVICE_DHCP_FQDN_H

#include "packet/dhcp.h"

enum { DHCP_FQDN_MAX = 255 };

/* The first label of the name that the client sent, NUL-terminated and as it
 * came; false: there is none, or it does not fit. */
bool dhcp_fqdn_label(struct dhcp_value asked, char *label, size_t size);
/* The answer's value; how many bytes, 0: the question makes no sense.  `name`
 * NULL: the client has no name of ours. */
size_t dhcp_fqdn_answer(struct dhcp_value asked, const char *name,
                        const char *domain, uint8_t out[DHCP_FQDN_MAX]);

#endif
