#include "peer/peer_message.h"

#include <stdlib.h>

#include "packet/address.h"

static const char *const words[] = {
#define X(ID, WORD) [ID] = WORD,
    PEER_MESSAGES(X)
#undef X
};

const char *
peer_message_word(enum peer_message_type type)
{
    return type < PEER_UNKNOWN ? words[type] : "unknown";
}

int
peer_message_body_size(const uint8_t header[PEER_HEADER_SIZE])
{
    uint32_t size = (uint32_t) header[0] << 24 | (uint32_t) header[1] << 16
                    | (uint32_t) header[2] << 8 | header[3];

    return size && size <= PEER_MAX_BODY ? (int) size : -EMSGSIZE;
}

/* ---- decoding: each says what is wrong, once ---- */

static int
wrong(struct str *why, const char *member, const char *what)
{
    str_setf(why, "%s: %s", member, what);
    return -EBADMSG;
}

static int
get_name(const json_t *json, const char *member,
         char name[INTENT_NAME_MAX], struct str *why)
{
    const char *text = json_string_value(json);

    if (!text || !intent_name_is_valid(text, NULL)) {
        return wrong(why, member, "not a name");
    }
    memset(name, 0, INTENT_NAME_MAX);
    memcpy(name, text, strlen(text));
    return 0;
}

static int
get_number(const json_t *json, const char *member, uint64_t *n,
           struct str *why)
{
    if (!json_is_integer(json) || json_integer_value(json) < 0) {
        return wrong(why, member, "not a number");
    }
    *n = (uint64_t) json_integer_value(json);
    return 0;
}

/* How many; a list that is not there has none. */
static int
get_count(const json_t *list, const char *member, size_t most,
          unsigned int *n, struct str *why)
{
    if (list && !json_is_array(list)) {
        return wrong(why, member, "not a list");
    }
    if (json_array_size(list) > most) {
        return wrong(why, member, "too many");
    }
    *n = (unsigned int) json_array_size(list);
    return 0;
}

static int
decode_addresses6(const json_t *list, struct remote_member *member,
                  struct str *why)
{
    int err = get_count(list, "addresses6", REMOTE_MAX_ADDRESSES6,
                        &member->n_addresses6, why);
    const json_t *json;
    size_t i;

    if (err) {
        return err;
    }
    json_array_foreach (list, i, json) {
        const char *text = json_string_value(json);

        if (!text || !ip6_parse(text, &member->addresses6[i])) {
            return wrong(why, "addresses6", "not an IPv6 address");
        }
    }
    return 0;
}

static int
decode_member(const json_t *json, char network[INTENT_NAME_MAX],
              struct remote_member *member, struct str *why)
{
    const json_t *address = json_object_get(json, "address");
    int err = get_name(json_object_get(json, "network"), "network", network,
                       why);

    if (err) {
        return err;
    }
    member->network = intent_object_id(INTENT_NETWORK, network);
    if (address && (!json_is_string(address)
                    || !ip4_parse(json_string_value(address),
                                  &member->address))) {
        return wrong(why, "address", "not an IPv4 address");
    }
    return decode_addresses6(json_object_get(json, "addresses6"), member,
                             why);
}

static int
decode_members(const json_t *list, struct peer_port *port, struct str *why)
{
    const json_t *json;
    size_t i;
    int err = get_count(list, "members", REMOTE_MAX_MEMBERS,
                        &port->n_members, why);

    if (err) {
        return err;
    }
    port->members = xcalloc(port->n_members, sizeof *port->members);
    port->networks = xcalloc(port->n_members, sizeof *port->networks);
    json_array_foreach (list, i, json) {
        err = decode_member(json, port->networks[i], &port->members[i], why);
        if (err) {
            return err;
        }
    }
    return 0;
}

static int
decode_security_groups(const json_t *list, struct peer_port *port,
                       struct str *why)
{
    const json_t *json;
    size_t i;
    int err = get_count(list, "security-groups", PEER_MAX_SECURITY_GROUPS,
                        &port->n_security_groups, why);

    if (err) {
        return err;
    }
    port->security_groups = xcalloc(port->n_security_groups,
                                    sizeof *port->security_groups);
    json_array_foreach (list, i, json) {
        err = get_name(json, "security-groups", port->security_groups[i], why);
        if (err) {
            return err;
        }
    }
    return 0;
}

static int
decode_port(const json_t *json, struct peer_port *port, struct str *why)
{
    const char *mac = json_string_value(json_object_get(json, "mac"));
    int err = get_name(json_object_get(json, "port"), "port", port->name, why);

    if (err) {
        return err;
    }
    if (!mac || !eth_addr_parse(mac, &port->mac)) {
        return wrong(why, "mac", "not a MAC address");
    }
    err = get_number(json_object_get(json, "generation"), "generation",
                     &port->generation, why);
    if (err) {
        return err;
    }
    err = decode_security_groups(json_object_get(json, "security-groups"),
                                 port, why);
    return err ? err
               : decode_members(json_object_get(json, "members"), port, why);
}

static int
decode_listening(const json_t *json, struct peer_listening *listening,
                 struct str *why)
{
    const json_t *groups = json_object_get(json, "groups");
    const json_t *all = json_object_get(json, "all");
    const json_t *group;
    size_t i;
    int err = get_name(json_object_get(json, "network"), "network",
                       listening->network, why);

    if (err) {
        return err;
    }
    if (!json_is_boolean(all)) {
        return wrong(why, "all", "neither true nor false");
    }
    listening->hears_all = json_is_true(all);
    err = get_count(groups, "groups", REMOTE_MAX_GROUPS,
                    &listening->n_groups, why);
    if (err) {
        return err;
    }
    listening->groups = xcalloc(listening->n_groups,
                                sizeof *listening->groups);
    json_array_foreach (groups, i, group) {
        const char *text = json_string_value(group);

        if (!text || !ip_parse(text, &listening->groups[i])
            || !ip6_is_group(&listening->groups[i])) {
            return wrong(why, "groups", "not a multicast address");
        }
    }
    return 0;
}

static int
decode_hello(const json_t *json, struct peer_message *message,
             struct str *why)
{
    uint64_t version;
    int err = get_number(json_object_get(json, "version"), "version",
                         &version, why);

    if (err) {
        return err;
    }
    if (!version || version > UINT16_MAX) {
        return wrong(why, "version", "out of range");
    }
    message->hello.version = (unsigned int) version;
    return get_name(json_object_get(json, "host"), "host",
                    message->hello.host, why);
}

static int
decode_talk(json_t *json, struct peer_message *message, struct str *why)
{
    json_t *body = json_object_get(json, "body");
    int err = get_number(json_object_get(json, "id"), "id", &message->talk.id,
                         why);

    if (err || message->type == PEER_PING || message->type == PEER_PONG) {
        return err;
    }
    if (!json_is_object(body)) {
        return wrong(why, "body", "not an object");
    }
    message->talk.body = json_incref(body);
    return 0;
}

static int
decode_content(json_t *json, struct peer_message *message, struct str *why)
{
    switch (message->type) {
    case PEER_HELLO:
        return decode_hello(json, message, why);
    case PEER_PORT:
        return decode_port(json, &message->port, why);
    case PEER_GONE:
        return get_name(json_object_get(json, "port"), "port", message->gone,
                        why);
    case PEER_LISTENING:
        return decode_listening(json, &message->listening, why);
    case PEER_ASK:
    case PEER_ANSWER:
    case PEER_PING:
    case PEER_PONG:
        return decode_talk(json, message, why);
    case PEER_BEGIN:
    case PEER_END:
    case PEER_UNKNOWN:
        break;
    }
    return 0;
}

static enum peer_message_type
type_of(const char *word)
{
    enum peer_message_type type = 0;

    while (type < PEER_UNKNOWN && strcmp(words[type], word)) {
        type++;
    }
    return type;
}

int
peer_message_decode(const void *body, size_t size,
                    struct peer_message *message, struct str *why)
{
    struct peer_message decoded = { .type = PEER_UNKNOWN };
    json_error_t error;
    json_t *json = json_loadb(body, size, JSON_REJECT_DUPLICATES, &error);
    const char *word = json_string_value(json_object_get(json, "say"));
    int err;

    if (!json) {
        return wrong(why, "JSON", error.text);
    }
    if (word) {
        decoded.type = type_of(word);
        err = decode_content(json, &decoded, why);
    } else {
        err = wrong(why, "say", "missing");
    }
    json_decref(json);
    if (err) {
        peer_message_fini(&decoded);
        return err;
    }
    *message = decoded;
    return 0;
}

void
peer_message_fini(struct peer_message *message)
{
    switch (message->type) {
    case PEER_PORT:
        free(message->port.security_groups);
        free(message->port.networks);
        free(message->port.members);
        break;
    case PEER_LISTENING:
        free(message->listening.groups);
        break;
    case PEER_ASK:
    case PEER_ANSWER:
        json_decref(message->talk.body);
        break;
    default:
        break;
    }
}

/* ---- encoding ---- */

static json_t *
encode_port(const struct peer_port *port)
{
    json_t *groups = json_array(), *members = json_array();
    char text[ADDRESS_TEXT_SIZE];

    for (unsigned int i = 0; i < port->n_security_groups; i++) {
        json_array_append_new(groups, json_string(port->security_groups[i]));
    }
    for (unsigned int i = 0; i < port->n_members; i++) {
        const struct remote_member *member = &port->members[i];
        json_t *addresses6 = json_array();
        json_t *json = json_pack("{s:s, s:o}", "network", port->networks[i],
                                 "addresses6", addresses6);

        if (member->address) {
            json_object_set_new(json, "address", json_string(
                ip4_format(member->address, text)));
        }
        for (unsigned int k = 0; k < member->n_addresses6; k++) {
            json_array_append_new(addresses6, json_string(
                ip6_format(member->addresses6[k], text)));
        }
        json_array_append_new(members, json);
    }
    return json_pack("{s:s, s:s, s:I, s:o, s:o}", "port", port->name, "mac",
                     eth_addr_format(port->mac, text), "generation",
                     (json_int_t) port->generation, "security-groups", groups,
                     "members", members);
}

static json_t *
encode_listening(const struct peer_listening *listening)
{
    json_t *groups = json_array();
    char text[ADDRESS_TEXT_SIZE];

    for (unsigned int i = 0; i < listening->n_groups; i++) {
        json_array_append_new(groups, json_string(
            ip_format(listening->groups[i], text)));
    }
    return json_pack("{s:s, s:b, s:o}", "network", listening->network, "all",
                     listening->hears_all, "groups", groups);
}

static json_t *
encode_content(const struct peer_message *message)
{
    switch (message->type) {
    case PEER_HELLO:
        return json_pack("{s:i, s:s}", "version",
                         (int) message->hello.version, "host",
                         message->hello.host);
    case PEER_PORT:
        return encode_port(&message->port);
    case PEER_GONE:
        return json_pack("{s:s}", "port", message->gone);
    case PEER_LISTENING:
        return encode_listening(&message->listening);
    case PEER_ASK:
    case PEER_ANSWER:
        return json_pack("{s:I, s:O}", "id", (json_int_t) message->talk.id,
                         "body", message->talk.body);
    case PEER_PING:
    case PEER_PONG:
        return json_pack("{s:I}", "id", (json_int_t) message->talk.id);
    case PEER_BEGIN:
    case PEER_END:
    case PEER_UNKNOWN:
        break;
    }
    return json_object();
}

int
peer_message_encode(const struct peer_message *message, struct str *out)
{
    json_t *json = encode_content(message);
    int err = 0;
    size_t size;
    char *text;

    json_object_set_new(json, "say",
                        json_string(peer_message_word(message->type)));
    text = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    size = text ? strlen(text) : 0;
    if (!size || size > PEER_MAX_BODY) {
        err = -EMSGSIZE;
    } else {
        const uint8_t header[PEER_HEADER_SIZE] = {
            (uint8_t) (size >> 24), (uint8_t) (size >> 16),
            (uint8_t) (size >> 8), (uint8_t) size,
        };

        str_add_bytes(out, header, sizeof header);
        str_add_bytes(out, text, size);
    }
    free(text);
    return err;
}
