/* What a subnet's clients are told, as on the wire.
 *
 * Made once from the configuration, so that an answer only chooses among values
 * that are ready.  What the operator gives by number takes the place of what
 * the configuration says by name. */
#ifndef WEFT_SERVICE_DHCP_OPTIONS_H
#define WEFT_SERVICE_DHCP_OPTIONS_H

#include "lib/str.h"
#include "packet/dhcp.h"
#include "service/dhcp_server.h"

struct dhcp_option_set {
    struct str bytes;
    struct {
        bool is_there;
        uint16_t ofs, len;        /* in bytes */
    } at[256];
    /* For who does not say what it wants; in the order to send. */
    unsigned int n_usual;
    uint8_t usual[256];
};

/* -EINVAL, with a text: a value that cannot be sent, or an option that is the
 * server's own business. */
int dhcp_option_set_init(struct dhcp_option_set *,
                         const struct dhcp_subnet *, struct str *error);
void dhcp_option_set_fini(struct dhcp_option_set *);

/* p NULL: there is none. */
static inline struct dhcp_value
dhcp_option_set_find(const struct dhcp_option_set *set, uint8_t code)
{
    if (!set->at[code].is_there) {
        return (struct dhcp_value) { NULL, 0 };
    }
    return (struct dhcp_value) {
        (const uint8_t *) set->bytes.text + set->at[code].ofs,
        set->at[code].len,
    };
}

#endif
