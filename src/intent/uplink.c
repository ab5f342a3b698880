/* What an uplink may say. */

#include <stdio.h>

#include "intent/segment.h"
#include "intent/validate.h"
#include "intent/value.h"
#include "packet/address.h"

/* device, bond and host are three ways to say what it is made of: each reads
 * and writes the whole struct. */

static bool
is_first(struct intent_uplink *uplink, const struct node *node,
         struct diagnostics *diagnostics)
{
    if (uplink->is_host || uplink->n_members) {
        node_error(node, diagnostics,
                   "an uplink has one of device, bond, host");
        return false;
    }
    return true;
}

static bool
add_member(struct intent_uplink *uplink, const struct node *node,
           struct diagnostics *diagnostics)
{
    static const struct member device = {
        .type = &value_device, .size = sizeof uplink->members[0].device,
    };
    struct uplink_member *member;

    if (uplink->n_members == UPLINK_MAX_MEMBERS) {
        node_error(node, diagnostics, "more than %d devices",
                   UPLINK_MAX_MEMBERS);
        return false;
    }
    member = &uplink->members[uplink->n_members];
    if (!device.type->parse(&device, node, member->device, diagnostics)) {
        return false;
    }
    for (unsigned int i = 0; i < uplink->n_members; i++) {
        if (!strcmp(uplink->members[i].device, member->device)) {
            node_error(node, diagnostics, "'%s' is there twice",
                       member->device);
            return false;
        }
    }
    memcpy(member->switch_name, member->device, sizeof member->switch_name);
    uplink->n_members++;
    return true;
}

static bool
parse_device(const struct member *member UNUSED, const struct node *node,
             void *value, struct diagnostics *diagnostics)
{
    struct intent_uplink *uplink = value;

    return is_first(uplink, node, diagnostics)
           && add_member(uplink, node, diagnostics);
}

static json_t *
format_device(const struct member *member UNUSED, const void *value)
{
    const struct intent_uplink *uplink = value;

    return uplink->n_members && !uplink->is_bond
           ? json_string(uplink->members[0].device) : NULL;
}

static json_t *
schema_device(const struct member *member UNUSED)
{
    return value_device.schema(&(struct member) { 0 });
}

static const struct value_type value_uplink_device = {
    "the name of a network device", parse_device, format_device,
    schema_device,
};

static bool
parse_bond(const struct member *member, const struct node *node, void *value,
           struct diagnostics *diagnostics)
{
    struct intent_uplink *uplink = value;

    if (!is_first(uplink, node, diagnostics)) {
        return false;
    }
    if (node->kind != NODE_LIST || node->n < 2) {
        node_error(node, diagnostics, "should be %s", member->type->what);
        return false;
    }
    NODE_FOR_EACH (item, node) {
        if (!add_member(uplink, item, diagnostics)) {
            return false;
        }
    }
    uplink->is_bond = true;
    return true;
}

static json_t *
format_bond(const struct member *member UNUSED, const void *value)
{
    const struct intent_uplink *uplink = value;
    json_t *list;

    if (!uplink->is_bond) {
        return NULL;
    }
    list = json_array();
    for (unsigned int i = 0; i < uplink->n_members; i++) {
        json_array_append_new(list, json_string(uplink->members[i].device));
    }
    return list;
}

static json_t *
schema_bond(const struct member *member)
{
    return json_pack("{s:s, s:o, s:i, s:i}", "type", "array", "items",
                     schema_device(member), "minItems", 2, "maxItems",
                     UPLINK_MAX_MEMBERS);
}

static const struct value_type value_bond = {
    "a list of two or more network devices", parse_bond, format_bond,
    schema_bond,
};

static bool
parse_host(const struct member *member, const struct node *node, void *value,
           struct diagnostics *diagnostics)
{
    struct intent_uplink *uplink = value;

    if (!value_is_scalar(node, member->type->what, diagnostics)) {
        return false;
    }
    if (strcmp(node->text, "true")) {
        return value_wrong(node, member->type->what, diagnostics);
    }
    if (!is_first(uplink, node, diagnostics)) {
        return false;
    }
    uplink->is_host = true;
    return true;
}

static json_t *
format_host(const struct member *member UNUSED, const void *value)
{
    const struct intent_uplink *uplink = value;

    return uplink->is_host ? json_true() : NULL;
}

static json_t *
schema_host(const struct member *member UNUSED)
{
    return json_pack("{s:b}", "const", 1);
}

static const struct value_type value_host = {
    "true", parse_host, format_host, schema_host,
};

enum {
    FAIL_BACK_MAX = 24 * 3600, FAIL_BACK = 10,
    ADDRESS_MIN_LEN = 8, ADDRESS6_MIN_LEN = 16,
};

static const char *const mode_words[] = {
    [BOND_ACTIVE_BACKUP] = "active-backup", [BOND_LACP] = "lacp", NULL,
};

static const char *const rate_words[] = {
    [LACP_FAST] = "fast", [LACP_SLOW] = "slow", NULL,
};

#define AT(M) MEMBER_AT(intent_uplink, M)

static const struct member members[] = {
    { .name = "device", .type = &value_uplink_device,
      .effect = EFFECT_REOPEN,
      .doc = "the network device that leads outside" },
    { .name = "bond", .type = &value_bond, .effect = EFFECT_REOPEN,
      .doc = "several devices that act as one" },
    { .name = "mode", .type = &value_choice, AT(mode), .words = mode_words,
      .effect = EFFECT_CUT, .fallback = "active-backup",
      .doc = "how a bond works: active-backup uses one device; lacp "
             "(802.1AX, once 802.3ad) all on which the other side agrees, and "
             "one where nobody answers" },
    { .name = "primary", .type = &value_device, AT(primary),
      .effect = EFFECT_FLOWS,
      .doc = "the device that active-backup uses whenever it has a link; "
             "without, the one in use stays" },
    { .name = "fail-back", .type = &value_duration, AT(fail_back),
      .max = FAIL_BACK_MAX, .effect = EFFECT_NOTHING, .fallback = "10s",
      .doc = "how long the primary has had its link before it is used again" },
    { .name = "lacp-rate", .type = &value_choice, AT(lacp_rate),
      .words = rate_words, .effect = EFFECT_FLOWS, .fallback = "fast",
      .doc = "how often the other side of lacp shall speak: fast, every "
             "second, and it is given up after 3 s of silence; slow, every "
             "30 s, after 90 s" },
    { .name = "host", .type = &value_host, .effect = EFFECT_REOPEN,
      .doc = "no device: out through the host's own stack" },
    { .name = "take-over", .type = &value_not, AT(keep_addresses),
      .effect = EFFECT_REOPEN, .fallback = "true",
      .doc = "a device that carries this host's addresses gives them to an "
             "internal port; with false they are cut off" },
    { .name = "address", .type = &value_prefix4, AT(address),
      .effect = EFFECT_CUT,
      .doc = "our own IPv4 address on the device, untagged: what networks "
             "with nat leave by" },
    { .name = "gateway", .type = &value_ip4, AT(gateway),
      .effect = EFFECT_FLOWS,
      .doc = "who carries on what leaves by that address" },
    { .name = "address6", .type = &value_prefix6, AT(address6),
      .effect = EFFECT_CUT, .doc = "our own IPv6 address on the device" },
    { .name = "gateway6", .type = &value_ip6, AT(gateway6),
      .effect = EFFECT_FLOWS,
      .doc = "who carries on what leaves by that address of IPv6" },
    { .name = "transfer", .type = &value_subnet4, AT(transfer_subnet),
      .effect = EFFECT_CUT, .fallback = "169.254.X.Y/30, by the name",
      .doc = "host: addresses of the link between the switch and the host's "
             "stack, four of them" },
    { .name = "at", .type = &value_name, AT(at), .effect = EFFECT_REOPEN,
      .fallback = "every host",
      .doc = "the host that has it, of several that are given this file" },
    { 0 },
};

/* "weft-lan"; for a long name a short one that stays the same. */
static void
fill(struct intent_object *object)
{
    struct intent_uplink *uplink = CONTAINER_OF(object, struct intent_uplink,
                                                object);

    if (!object_has(object, "fail-back")) {
        uplink->fail_back = FAIL_BACK;
    }
    uplink->mac = intent_object_mac(object);
    if (uplink->is_host) {
        transfer_fill(&uplink->transfer, object, &uplink->transfer_subnet);
    }
    uplink->host_leg[0] = '\0';
    if (uplink->is_host || uplink->is_bond || uplink->keep_addresses) {
        return;
    }
    if (strlen(object->name) + strlen("weft-") < sizeof uplink->host_leg) {
        snprintf(uplink->host_leg, sizeof uplink->host_leg, "weft-%s",
                 object->name);
    } else {
        snprintf(uplink->host_leg, sizeof uplink->host_leg, "weft-%08x",
                 (unsigned int) object->id);
    }
}

static unsigned int
references(struct intent_object *object,
           struct reference found[NOUN_MAX_REFERENCES])
{
    struct intent_uplink *uplink = CONTAINER_OF(object, struct intent_uplink,
                                                object);

    found[0] = (struct reference) { INTENT_HOST, uplink->at, NULL, "at" };
    return 1;
}

static bool
is_member(const struct intent_uplink *uplink, const char *device)
{
    for (unsigned int i = 0; i < uplink->n_members; i++) {
        if (!strcmp(uplink->members[i].device, device)) {
            return true;
        }
    }
    return false;
}

static void
check_bond(const struct intent_object *object,
           const struct intent_uplink *uplink, struct validation *v)
{
    bool is_backup = uplink->is_bond && uplink->mode == BOND_ACTIVE_BACKUP;

    if (object_has(object, "primary") && !is_backup) {
        validation_error(v, object, "primary",
                         "only an active-backup bond has one");
    } else if (object_has(object, "primary")
               && !is_member(uplink, uplink->primary)) {
        validation_error(v, object, "primary",
                         "'%s' is not one of the bond's devices",
                         uplink->primary);
    }
    if (object_has(object, "fail-back") && !object_has(object, "primary")) {
        validation_error(v, object, "fail-back",
                         "there is no primary to go back to");
    }
    if (object_has(object, "lacp-rate")
        && (!uplink->is_bond || uplink->mode != BOND_LACP)) {
        validation_error(v, object, "lacp-rate",
                         "only a bond with lacp has one");
    }
}

static void
check_address(const struct intent_object *object,
              const struct intent_uplink *uplink, struct validation *v)
{
    const struct subnet4 *own = &uplink->address;
    unsigned int first_byte = be32toh(own->addr) >> 24;
    be32 host = own->addr & ~ip4_mask(own->len);
    char text[ADDRESS_TEXT_SIZE];

    if (!own->is_set) {
        if (uplink->gateway) {
            validation_error(v, object, "gateway",
                             "there is no address by which to reach it");
        }
        return;
    }
    if (!first_byte || first_byte == 127 || first_byte >= 224
        || own->len < ADDRESS_MIN_LEN
        || (own->len < 31 && (!host || host == ~ip4_mask(own->len)))) {
        validation_error(v, object, "address", "%s/%u is no station's",
                         ip4_format(own->addr, text), own->len);
    } else if (uplink->gateway == own->addr
               || (uplink->gateway
                   && !ip4_is_within(uplink->gateway, own->addr, own->len))) {
        validation_error(v, object, "gateway",
                         "%s is no other station's address within that of "
                         "the uplink", ip4_format(uplink->gateway, text));
    } else {
        validation_claim(v, object, "address", "address %s",
                         ip4_format(own->addr, text));
    }
}

static bool
is_link_local(struct ip6_addr addr)
{
    return addr.b[0] == 0xfe && (addr.b[1] & 0xc0) == 0x80;
}

static void
check_address6(const struct intent_object *object,
               const struct intent_uplink *uplink, struct validation *v)
{
    const struct subnet6 *own = &uplink->address6;
    char text[ADDRESS_TEXT_SIZE];

    if (!own->is_set) {
        if (ip6_addr_is_set(uplink->gateway6)) {
            validation_error(v, object, "gateway6",
                             "there is no address6 by which to reach it");
        }
        return;
    }
    if (!own->addr.b[0] || own->addr.b[0] == 0xff
        || (own->addr.b[0] == 0xfe && own->addr.b[1] >= 0x80)
        || own->len < ADDRESS6_MIN_LEN) {
        validation_error(v, object, "address6", "%s/%u is no station's",
                         ip6_format(own->addr, text), own->len);
    } else if (ip6_addr_eq(uplink->gateway6, own->addr)) {
        validation_error(v, object, "gateway6", "%s is the uplink's own",
                         ip6_format(uplink->gateway6, text));
    } else if (ip6_addr_is_set(uplink->gateway6)
               && !is_link_local(uplink->gateway6)
               && !ip6_is_within(uplink->gateway6, own->addr, own->len)) {
        validation_error(v, object, "gateway6",
                         "%s is neither within the uplink's network nor "
                         "link-local", ip6_format(uplink->gateway6, text));
    } else {
        validation_claim(v, object, "address6", "address %s",
                         ip6_format(own->addr, text));
    }
}

/* The way out by routing. */
static void
check_transit(const struct intent_object *object,
              const struct intent_uplink *uplink, struct validation *v)
{
    static const char *const own[] = { "address", "gateway", "address6",
                                       "gateway6" };
    char text[ADDRESS_TEXT_SIZE];

    if (!uplink->is_host) {
        check_address(object, uplink, v);
        check_address6(object, uplink, v);
        if (intent_uplink_is_transit(uplink)) {
            validation_claim(v, object, uplink->address.is_set
                             ? "address" : "address6",
                             "untagged of uplink '%s'", object->name);
        }
        if (object_has(object, "transfer")) {
            validation_error(v, object, "transfer",
                             "only the way through the host's stack has one");
        }
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(own); i++) {
        if (object_has(object, own[i])) {
            validation_error(v, object, own[i],
                             "the host's own stack has its own addresses; "
                             "an address here needs device or bond");
        }
    }
    if (object_has(object, "transfer")
        && uplink->transfer_subnet.len != TRANSFER_LEN) {
        validation_error(v, object, "transfer",
                         "a link of two stations has a prefix of %d bits "
                         "here, not %u", TRANSFER_LEN,
                         uplink->transfer_subnet.len);
    }
    validation_claim(v, object, "host", "the switch's port name '%s'",
                     uplink->transfer.port);
    validation_claim(v, object, "transfer", "the transfer link %s/%d",
                     ip4_format(uplink->transfer.network, text),
                     TRANSFER_LEN);
}

static void
check_devices(const struct intent_object *object,
              const struct intent_uplink *uplink, struct validation *v)
{
    const char *from = uplink->is_bond ? "bond" : "device";
    const char *at = *uplink->at ? " of host " : "";

    for (unsigned int i = 0; i < uplink->n_members; i++) {
        const struct uplink_member *member = &uplink->members[i];

        validation_claim(v, object, from, "device '%s'%s%s", member->device,
                         at, uplink->at);
        validation_claim(v, object, from, "the switch's port name '%s'%s%s",
                         member->switch_name, at, uplink->at);
        if (segment_name_is_reserved(member->switch_name)) {
            validation_error(v, object, from, "'%s' is how the switch calls "
                             "the port of its tunnels", member->switch_name);
        }
    }
    if (uplink->host_leg[0]) {
        validation_claim(v, object, NULL, "the switch's port name '%s'%s%s",
                         uplink->host_leg, at, uplink->at);
    }
}

static void
check(const struct intent_object *object, struct validation *v)
{
    const struct intent_uplink *uplink = intent_uplink_cast(object);

    check_bond(object, uplink, v);
    check_transit(object, uplink, v);
    if (!uplink->is_host && !uplink->n_members) {
        validation_error(v, object, NULL,
                         "uplink '%s' needs device, bond or host",
                         object->name);
    }
    if (object_has(object, "mode") && !uplink->is_bond) {
        validation_error(v, object, "mode", "only a bond has one");
    }
    if (object_has(object, "take-over") && uplink->is_host) {
        validation_error(v, object, "take-over",
                         "there is no device to take over");
    }
    validation_name(v, object, "at", INTENT_HOST, uplink->at);
    check_devices(object, uplink, v);
}

const struct noun uplink_noun = {
    .doc = "the way out: a network device, a bond, or the host's own stack",
    .size = sizeof(struct intent_uplink),
    .members = members,
    .fill = fill,
    .references = references,
    .check = check,
};
