/* What a host may say. */

#include <stdio.h>

#include "intent/validate.h"
#include "intent/value.h"
#include "packet/address.h"

/* ---- certificate: sha256:<64 hexadecimal digits> ---- */

static const char certificate_prefix[] = "sha256:";

static int
hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
           : -1;
}

static bool
certificate_parse(const char *text, uint8_t certificate[HOST_CERTIFICATE_SIZE])
{
    if (strncmp(text, certificate_prefix, strlen(certificate_prefix))) {
        return false;
    }
    text += strlen(certificate_prefix);
    if (strlen(text) != 2 * HOST_CERTIFICATE_SIZE) {
        return false;
    }
    for (unsigned int i = 0; i < HOST_CERTIFICATE_SIZE; i++) {
        int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);

        if (high < 0 || low < 0) {
            return false;
        }
        certificate[i] = (uint8_t) (high << 4 | low);
    }
    return true;
}

static bool
parse_certificate(const struct member *member, const struct node *node,
                  void *value, struct diagnostics *diagnostics)
{
    uint8_t certificate[HOST_CERTIFICATE_SIZE];

    if (!value_is_scalar(node, member->type->what, diagnostics)) {
        return false;
    }
    if (!certificate_parse(node->text, certificate)) {
        return value_wrong(node, member->type->what, diagnostics);
    }
    memcpy(value, certificate, sizeof certificate);
    return true;
}

static json_t *
format_certificate(const struct member *member UNUSED, const void *value)
{
    const uint8_t *certificate = value;
    struct str text = STR_INIT;
    uint8_t any = 0;
    json_t *json;

    str_add(&text, certificate_prefix);
    for (unsigned int i = 0; i < HOST_CERTIFICATE_SIZE; i++) {
        str_addf(&text, "%02x", certificate[i]);
        any |= certificate[i];
    }
    json = any ? json_string(str_text(&text)) : NULL;
    str_fini(&text);
    return json;
}

static json_t *
schema_certificate(const struct member *member UNUSED)
{
    return schema_text("sha256:[0-9a-fA-F]{64}");
}

static const struct value_type value_certificate = {
    "a fingerprint: sha256: and 64 hexadecimal digits",
    parse_certificate, format_certificate, schema_certificate,
};

/* ---- peer: an address, with a port or without ---- */

enum { PEER_TEXT_SIZE = ADDRESS_TEXT_SIZE + sizeof "[]:65535" };

/* Cuts the text into address and port; `port` stays NULL without one. */
static bool
peer_split(char *text, char **address, char **port)
{
    char *colon = strchr(text, ':');

    *address = text;
    *port = NULL;
    if (text[0] == '[') {
        char *end = strchr(text, ']');

        if (!end || (end[1] && end[1] != ':')) {
            return false;
        }
        *address = text + 1;
        *port = end[1] ? end + 2 : NULL;
        *end = '\0';
    } else if (colon && !strchr(colon + 1, ':')) {
        *colon = '\0';
        *port = colon + 1;
    }
    return true;
}

static bool
parse_peer(const struct member *member, const struct node *node, void *value,
           struct diagnostics *diagnostics)
{
    const char *what = member->type->what;
    struct host_peer peer = { .port = HOST_PEER_PORT };
    char text[PEER_TEXT_SIZE], *address, *port;
    uint64_t number = HOST_PEER_PORT;

    if (!value_is_scalar(node, what, diagnostics)) {
        return false;
    }
    if (strlen(node->text) >= sizeof text) {
        return value_wrong(node, what, diagnostics);
    }
    strcpy(text, node->text);
    if (!peer_split(text, &address, &port) || !ip_parse(address, &peer.address)
        || ip6_is_group(&peer.address)
        || (port && (!number_parse(port, UINT16_MAX, &number) || !number))) {
        return value_wrong(node, what, diagnostics);
    }
    peer.port = (uint16_t) number;
    memcpy(value, &peer, sizeof peer);
    return true;
}

static json_t *
format_peer(const struct member *member UNUSED, const void *value)
{
    const struct host_peer *peer = value;
    char text[ADDRESS_TEXT_SIZE];

    if (!ip6_addr_is_set(peer->address)) {
        return NULL;
    }
    return json_sprintf(ip6_is_mapped4(&peer->address) ? "%s:%u" : "[%s]:%u",
                        ip_format(peer->address, text), peer->port);
}

static json_t *
schema_peer(const struct member *member UNUSED)
{
    return schema_text("(" PATTERN_IP4 ")(:[0-9]{1,5})?|" PATTERN_IP6 "|"
                       "\\[(" PATTERN_IP6 ")\\](:[0-9]{1,5})?");
}

static const struct value_type value_peer = {
    "like 192.0.2.1, 192.0.2.1:6650 or [2001:db8::1]:6650", parse_peer,
    format_peer, schema_peer,
};

/* ---- The table ---- */

/* The least that a network may have fits through any tunnel. */
enum { MTU_MIN = 576 + 70, MTU_MAX = 65535 };

#define AT(M) MEMBER_AT(intent_host, M)

static const struct member members[] = {
    { .name = "tunnel", .type = &value_ip, AT(tunnel), .is_required = true,
      .effect = EFFECT_CUT,
      .doc = "its end of tunnels: an address of the machine, IPv4 or IPv6" },
    { .name = "mtu", .type = &value_number, AT(mtu), .min = MTU_MIN,
      .max = MTU_MAX, .effect = EFFECT_NOTHING, .fallback = "1500",
      .doc = "largest packet that the network between hosts carries there; "
             "what is left of the smallest one is the mtu of overlays" },
    { .name = "certificate", .type = &value_certificate, AT(certificate),
      .effect = EFFECT_NOTHING,
      .doc = "fingerprint of the certificate by which the other hosts shall "
             "know it, as it says itself by weft host certificate" },
    { .name = "peer", .type = &value_peer, AT(peer),
      .effect = EFFECT_NOTHING, .fallback = "the tunnel's address, port 6650",
      .doc = "address and TCP port at which it shall listen for other "
             "hosts" },
    { 0 },
};

/* The same before and after the defaults are filled in. */
static uint16_t
mtu_of(const struct intent_host *host)
{
    return object_has(&host->object, "mtu") ? host->mtu : HOST_DEFAULT_MTU;
}

static void
fill(struct intent_object *object)
{
    struct intent_host *host = CONTAINER_OF(object, struct intent_host,
                                            object);

    host->mtu = mtu_of(host);
    if (!object_has(object, "peer")) {
        host->peer = (struct host_peer) { host->tunnel, HOST_PEER_PORT };
    }
}

bool
intent_host_has_certificate(const struct intent_host *host)
{
    return object_has(&host->object, "certificate");
}

/* ---- What they have in common ---- */

struct intent_underlay
intent_underlay(const struct intent *intent)
{
    struct intent_underlay underlay = { .n_hosts = 0 };

    INTENT_FOR_EACH_HOST (host, intent) {
        if (!underlay.n_hosts++) {
            underlay.is_ip6 = !ip6_is_mapped4(&host->tunnel);
            underlay.mtu = mtu_of(host);
        }
        underlay.mtu = MIN(underlay.mtu, mtu_of(host));
    }
    return underlay;
}

unsigned int
intent_underlay_room(const struct intent_underlay *underlay,
                     const struct segment *segment)
{
    return segment_is_overlay(segment) && underlay->n_hosts
           ? underlay->mtu - segment_overhead(segment->type, underlay->is_ip6)
           : 0;
}

/* ---- Does it hold together? ---- */

static void
check(const struct intent_object *object, struct validation *v)
{
    const struct intent_host *host = intent_host_cast(object);
    const struct intent_host *first = intent_host_cast(
        intent_at(validation_intent(v), INTENT_HOST, 0));
    char text[ADDRESS_TEXT_SIZE], other[ADDRESS_TEXT_SIZE];

    ip_format(host->tunnel, text);
    if (ip6_is_group(&host->tunnel)) {
        validation_error(v, object, "tunnel", "%s is no station's address",
                         text);
    } else if (ip6_is_mapped4(&host->tunnel)
               != ip6_is_mapped4(&first->tunnel)) {
        validation_error(v, object, "tunnel", "%s and %s of host '%s' are of "
                         "two families: no tunnel joins them", text,
                         ip_format(first->tunnel, other),
                         first->object.name);
    }
    validation_claim(v, object, "tunnel", "tunnel address %s", text);
    if (object_has(object, "peer")) {
        validation_claim(v, object, "peer", "peer address %s port %u",
                         ip_format(host->peer.address, text),
                         host->peer.port);
    }
    if (intent_host_has_certificate(host)) {
        json_t *json = format_certificate(NULL, host->certificate);

        validation_claim(v, object, "certificate", "certificate %s",
                         json_string_value(json));
        json_decref(json);
    }
}

const struct noun host_noun = {
    .doc = "a machine that runs Weft, as the others know it",
    .size = sizeof(struct intent_host),
    .members = members,
    .is_free_name = true,
    .fill = fill,
    .check = check,
};
