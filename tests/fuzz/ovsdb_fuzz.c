/* What Open vSwitch's database says: values one after another, each a set of
 * table updates.
 *
 * Whatever it is, no port is taken out that does not carry our mark, and nothing
 * at all is changed on a bridge that is there without it.
 *
 * Covers: src/host/ovs_bridge.c */
#include <stdlib.h>

#include "host/ovs_bridge.h"
#include "host/ovsdb.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
takes_out(const json_t *operation)
{
    const json_t *mutation = json_array_get(
        json_object_get(operation, "mutations"), 0);
    const char *verb = json_string_value(json_array_get(mutation, 1));

    return verb && !strcmp(verb, "delete");
}

static void
check(const struct ovs_bridge *bridge, struct str *text)
{
    bool is_ours = ovs_bridge_is_ours(bridge);
    json_t *options = json_pack("{s:s}", "key", "flow");
    const struct ovs_wanted wanted[] = {
        { "web", "", NULL, false }, { "db", "", NULL, true },
        { "eth1", "", NULL, false }, { "vxlan", "vxlan", options, false },
    };
    json_t *operations = ovs_bridge_change(bridge, ARRAY_SIZE(wanted), wanted,
                                           true, text);
    json_t *operation;
    size_t i;

    json_array_foreach (operations, i, operation) {
        if (takes_out(operation) && !is_ours) {
            abort();
        }
    }
    /* A request has to be text. */
    free(operations ? json_dumps(operations, JSON_COMPACT) : NULL);
    json_decref(operations);
    json_decref(options);
    for (i = 0; i < ARRAY_SIZE(wanted); i++) {
        int err = ovs_bridge_port(bridge, wanted[i].name, text);

        if (err && err != -ENOENT && err != -ENODEV) {
            abort();
        }
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ovs_bridge *bridge = ovs_bridge_create("br0", "br0");
    struct str text = STR_INIT;
    ssize_t n;

    while ((n = ovsdb_frame((const char *) data, size)) > 0) {
        json_t *updates = json_loadb((const char *) data, (size_t) n, 0,
                                     NULL);

        if (updates) {
            ovs_bridge_update(bridge, updates);
            check(bridge, &text);
        }
        json_decref(updates);
        data += n;
        size -= (size_t) n;
    }
    str_fini(&text);
    ovs_bridge_destroy(bridge);
    return 0;
}
