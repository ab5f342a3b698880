#include "intent/segment.h"

#include "intent/value.h"
#include "packet/address.h"

static const char *const type_words[N_SEGMENT_TYPES] = {
    [SEGMENT_LOCAL] = "local", [SEGMENT_VLAN] = "vlan",
    [SEGMENT_VXLAN] = "vxlan", [SEGMENT_GRE] = "gre",
    [SEGMENT_GENEVE] = "geneve",
};

const char *
segment_type_word(enum segment_type type)
{
    return type_words[type];
}

bool
segment_name_is_reserved(const char *switch_name)
{
    for (unsigned int i = SEGMENT_VXLAN; i < N_SEGMENT_TYPES; i++) {
        if (!strcmp(switch_name, type_words[i])) {
            return true;
        }
    }
    return false;
}

unsigned int
segment_overhead(enum segment_type type, bool is_ip6)
{
    enum { ETH = 14, IP4 = 20, IP6 = 40, UDP = 8, VXLAN = 8,
           GRE_WITH_KEY = 8 };

    if (type < SEGMENT_VXLAN) {
        return 0;
    }
    return ETH + (is_ip6 ? IP6 : IP4)
           + (type == SEGMENT_GRE ? GRE_WITH_KEY : UDP + VXLAN);
}

/* ---- vxlan, gre, geneve: the key says which type it is.  Each reads and
 * writes the whole struct ---- */

static bool
parse_key(const struct member *member, const struct node *node, void *value,
          struct diagnostics *diagnostics)
{
    const struct member number = {
        .type = &value_number, .size = sizeof(((struct segment *) 0)->key),
        .min = 1, .max = member->max,
    };
    struct segment *segment = value;

    if (segment_is_overlay(segment)) {
        node_error(node, diagnostics, "a segment has one of vxlan, gre, "
                   "geneve; here it has %s, too",
                   segment_type_word(segment->type));
        return false;
    }
    if (!number.type->parse(&number, node, &segment->key, diagnostics)) {
        return false;
    }
    if (segment->key == SEGMENT_PROBE_KEY) {
        node_error(node, diagnostics, "%d is kept for what hosts ask each "
                   "other", SEGMENT_PROBE_KEY);
        return false;
    }
    segment->type = (enum segment_type) member->min;
    return true;
}

static json_t *
format_key(const struct member *member, const void *value)
{
    const struct segment *segment = value;

    return (int64_t) segment->type == member->min
           ? json_integer((json_int_t) segment->key) : NULL;
}

static json_t *
schema_key(const struct member *member)
{
    return json_pack("{s:s, s:i, s:I}", "type", "integer", "minimum", 1,
                     "maximum", (json_int_t) member->max);
}

static const struct value_type value_key = {
    "a number", parse_key, format_key, schema_key,
};

/* ---- remotes ---- */

static const struct member remote_address = {
    .type = &value_ip, .size = sizeof(struct ip6_addr),
};

static bool
add_remote(struct segment *segment, const struct node *node,
           struct diagnostics *diagnostics)
{
    struct ip6_addr remote;

    if (!value_ip.parse(&remote_address, node, &remote, diagnostics)) {
        return false;
    }
    if (ip6_is_group(&remote)) {
        node_error(node, diagnostics, "%s is a group's; that is 'group'",
                   node->text);
        return false;
    }
    for (unsigned int i = 0; i < segment->n_remotes; i++) {
        if (ip6_addr_eq(segment->remotes[i], remote)) {
            node_error(node, diagnostics, "%s is there twice", node->text);
            return false;
        }
    }
    if (segment->n_remotes == SEGMENT_MAX_REMOTES) {
        node_error(node, diagnostics, "more than %d remotes",
                   SEGMENT_MAX_REMOTES);
        return false;
    }
    segment->remotes[segment->n_remotes++] = remote;
    return true;
}

static bool
parse_remotes(const struct member *member UNUSED, const struct node *node,
              void *value, struct diagnostics *diagnostics)
{
    for (const struct node *item = value_first_item(node); item;
         item = value_next_item(node, item)) {
        if (!add_remote(value, item, diagnostics)) {
            return false;
        }
    }
    return true;
}

static json_t *
format_remotes(const struct member *member UNUSED, const void *value)
{
    const struct segment *segment = value;
    json_t *list = json_array();

    for (unsigned int i = 0; i < segment->n_remotes; i++) {
        json_array_append_new(list, value_ip.format(&remote_address,
                                                    &segment->remotes[i]));
    }
    return list;
}

static json_t *
schema_remotes(const struct member *member UNUSED)
{
    return schema_list(value_ip.schema(&remote_address), SEGMENT_MAX_REMOTES);
}

static const struct value_type value_remotes = {
    "a list of addresses", parse_remotes, format_remotes, schema_remotes,
};

/* ---- The table ---- */

static const char *const protocol_words[] = { "802.1q", "802.1ad", NULL };

#define AT(M) MEMBER_AT(segment, M)

static const struct member segment_members[] = {
    { .name = "vlan", .type = &value_number, AT(vid), .max = 4094,
      .doc = "VLAN of the uplink; 0: untagged" },
    { .name = "uplink", .type = &value_name, AT(uplink_name),
      .doc = "the uplink that carries the VLAN" },
    { .name = "protocol", .type = &value_choice, AT(is_service_tag),
      .words = protocol_words, .fallback = "802.1q",
      .doc = "802.1ad: a service tag; guests' own tags pass within (QinQ)" },
    { .name = "vxlan", .type = &value_key, .min = SEGMENT_VXLAN,
      .max = SEGMENT_MAX_KEY,
      .doc = "VNI of an overlay between hosts: VXLAN (RFC 7348)" },
    { .name = "gre", .type = &value_key, .min = SEGMENT_GRE,
      .max = UINT32_MAX,
      .doc = "key of an overlay between hosts: Ethernet in GRE (RFC 2784, "
             "2890)" },
    { .name = "geneve", .type = &value_key, .min = SEGMENT_GENEVE,
      .max = SEGMENT_MAX_KEY,
      .doc = "VNI of an overlay between hosts: Geneve (RFC 8926)" },
    { .name = "group", .type = &value_ip, AT(group),
      .doc = "vxlan: a multicast group of the underlay, to which goes what is "
             "for all; who else has joined it is on the network" },
    { .name = "remotes", .type = &value_remotes,
      .doc = "tunnel endpoints that are no hosts of ours and are on the "
             "network all the same" },
    { 0 },
};

static bool
has(const struct segment *segment, const char *member)
{
    return segment->given >> member_index(segment_members, member) & 1;
}

/* Does what was said go together? */
static bool
check_members(const struct segment *segment, const struct node *node,
              struct diagnostics *diagnostics)
{
    const char *fault = NULL;

    if (has(segment, "uplink") && !has(segment, "vlan")) {
        fault = "a segment with an uplink needs 'vlan'";
    } else if (has(segment, "vlan") && !has(segment, "uplink")) {
        fault = "a segment with a VLAN needs 'uplink'";
    } else if (!has(segment, "vlan") && !segment_is_overlay(segment)) {
        fault = "a segment needs 'vlan', 'vxlan', 'gre' or 'geneve'";
    } else if (has(segment, "protocol") && !has(segment, "vlan")) {
        fault = "only a VLAN has a protocol";
    } else if (segment->is_service_tag && !segment->vid) {
        fault = "a service tag has a number from 1 on";
    } else if (has(segment, "group") && segment->type != SEGMENT_VXLAN) {
        fault = "only vxlan has a group";
    } else if (has(segment, "remotes") && !segment_is_overlay(segment)) {
        fault = "only an overlay has remotes";
    } else if (has(segment, "group") && has(segment, "remotes")) {
        fault = "with a group, remotes are those who have joined it";
    }
    if (fault) {
        node_error(node, diagnostics, "%s", fault);
    }
    return !fault;
}

static bool
parse_segment(const struct member *member, const struct node *node,
              void *value, struct diagnostics *diagnostics)
{
    struct segment *segment = value;
    const struct node *uplinks;

    if (node->kind == NODE_SCALAR && !strcmp(node->text, "local")) {
        segment->type = SEGMENT_LOCAL;
        return true;
    }
    if (node->kind != NODE_MAP) {
        node_error(node, diagnostics, "should be %s", member->type->what);
        return false;
    }
    uplinks = node_find(node, "uplink");
    if (uplinks && uplinks->kind == NODE_LIST) {
        node_error(uplinks, diagnostics, "two uplinks into one segment are a "
                   "loop; one uplink of several devices is a bond: "
                   "{bond: [eth1, eth2]}");
        return false;
    }
    if (!members_parse(segment_members, "a segment", node, segment,
                       &segment->given, NULL, diagnostics)
        || !check_members(segment, node, diagnostics)) {
        return false;
    }
    if (!segment_is_overlay(segment)) {
        segment->type = SEGMENT_VLAN;
    }
    if (!segment->is_service_tag) {
        /* The default, said or not: the same. */
        segment->given &= ~(UINT64_C(1) << member_index(segment_members,
                                                        "protocol"));
    }
    return true;
}

static json_t *
format_segment(const struct member *member UNUSED, const void *value)
{
    const struct segment *segment = value;

    return segment->type == SEGMENT_LOCAL
           ? json_string("local")
           : members_format(segment_members, segment, segment->given);
}

static json_t *
schema_segment(const struct member *member UNUSED)
{
    json_t *map = members_schema(segment_members);

    json_object_set_new(map, "anyOf", json_pack(
        "[{s:[s, s]}, {s:[s]}, {s:[s]}, {s:[s]}]", "required", "vlan",
        "uplink", "required", "vxlan", "required", "gre", "required",
        "geneve"));
    return schema_either(json_pack("{s:s}", "const", "local"), map);
}

const struct value_type value_segment = {
    "local, or like {vlan: 20, uplink: lan}, or like {vxlan: 5001}",
    parse_segment, format_segment, schema_segment,
};
