/* What an operator may set on a port, as KEY=VALUE texts.
 *
 * One table (port_setting.c) for weftd's --port, `weft port add`, `weft port
 * set` and the API's PATCH.  The words are those of Open vSwitch's users:
 *
 *     tag=10                     the VLAN of an access or native port; none
 *     vlan_mode=access           access trunk native-tagged native-untagged
 *     trunks=10+20-30            what a trunk carries; all
 *     protected=yes              apart from other protected ports
 *     no_flood=yes no_receive=yes no_forward=yes no_packet_in=yes
 *     admin=down                 up down
 *
 * Without vlan_mode a port with a tag is an access port, one without is a
 * trunk. */
#ifndef WEFT_API_PORT_SETTING_H
#define WEFT_API_PORT_SETTING_H

#include <jansson.h>

#include "switch/switch.h"

struct port_setting_values {
    struct port_vlan vlan;
    bool is_mode_given;           /* by a vlan_mode in this request */
    bool is_protected, no_flood, no_recv, no_fwd, no_packet_in, admin_down;
};

void port_settings_init(struct port_setting_values *);
void port_settings_read(struct port_setting_values *,
                        const struct switch_port *);

/* Is `name` a setting?  (Else it may be an option of the port's class.) */
bool port_setting_exists(const char *name);
/* NULL-terminated. */
const char *const *port_setting_names(void);

/* -EINVAL, and why. */
int port_settings_set(struct port_setting_values *, const char *name,
                      const char *value, struct str *error);
/* Do they fit together?  To be called once when all are set. */
int port_settings_check(struct port_setting_values *, struct str *error);
int port_settings_apply(struct switch_ *, struct switch_port *,
                        const struct port_setting_values *);

/* Adds one member for each setting to `object`. */
void port_settings_to_json(const struct port_setting_values *, json_t *object);

/* A port as written by an operator,
 *     [NUMBER=][NAME=]TYPE[:DEVICE][,KEY=VALUE...]
 * where name=NAME and the settings above are taken out of the options. */
struct port_spec {
    struct port_config config;
    uint32_t number;              /* 0: the lowest free */
    struct port_setting_values settings;
};

int port_spec_parse(const char *text, struct port_spec *, struct str *error);

#endif
