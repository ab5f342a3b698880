#include "peer/peer_message.h"

#include "packet/address.h"
#include "unit.h"

static int
decode(const char *body, struct peer_message *message, struct str *why)
{
    return peer_message_decode(body, strlen(body), message, why);
}

/* Is it refused, for that reason? */
static void
check_refused(const char *body, const char *reason)
{
    struct peer_message message;
    struct str why = STR_INIT;

    CHECK_MSG(decode(body, &message, &why) == -EBADMSG, "%s", body);
    CHECK_MSG(strstr(str_text(&why), reason), "%s: %s", body, str_text(&why));
    str_fini(&why);
}

static void
round_trip(const struct peer_message *sent, struct peer_message *received)
{
    struct str frame = STR_INIT;
    int size;

    CHECK(!peer_message_encode(sent, &frame));
    CHECK(frame.len > PEER_HEADER_SIZE);
    size = peer_message_body_size((const uint8_t *) frame.text);
    CHECK(size == (int) frame.len - PEER_HEADER_SIZE);
    CHECK(!peer_message_decode(frame.text + PEER_HEADER_SIZE, (size_t) size,
                               received, NULL));
    CHECK(received->type == sent->type);
    str_fini(&frame);
}

TEST(a_port_arrives_as_it_was_sent)
{
    char groups[2][INTENT_NAME_MAX] = { "db", "web" };
    char networks[2][INTENT_NAME_MAX] = { "blue", "red" };
    struct remote_member members[2] = {
        { .network = intent_object_id(INTENT_NETWORK, "blue"),
          .n_addresses6 = 2 },
        { .network = intent_object_id(INTENT_NETWORK, "red") },
    };
    struct peer_message message = {
        .type = PEER_PORT,
        .port = { .name = "web", .mac = { { 2, 0, 0, 0, 0, 9 } },
                  .generation = INT64_MAX, .n_security_groups = 2,
                  .n_members = 2, .security_groups = groups,
                  .networks = networks, .members = members },
    }, received;
    const struct peer_port *port = &received.port;

    CHECK(ip4_parse("10.1.0.5", &members[0].address));
    CHECK(ip6_parse("fd00::5", &members[0].addresses6[0]));
    CHECK(ip6_parse("fe80::5", &members[0].addresses6[1]));
    round_trip(&message, &received);
    CHECK(!strcmp(port->name, "web") && port->generation == INT64_MAX);
    CHECK(eth_addr_eq(port->mac, message.port.mac));
    CHECK(port->n_security_groups == 2 && port->n_members == 2);
    CHECK(!memcmp(port->security_groups, groups, sizeof groups));
    CHECK(!memcmp(port->networks, networks, sizeof networks));
    for (unsigned int i = 0; i < 2; i++) {
        CHECK(port->members[i].network == members[i].network);
        CHECK(port->members[i].address == members[i].address);
        CHECK(port->members[i].n_addresses6 == members[i].n_addresses6);
        CHECK(!memcmp(port->members[i].addresses6, members[i].addresses6,
                      sizeof members[i].addresses6));
    }
    peer_message_fini(&received);
}

TEST(listeners_arrive_as_they_were_sent)
{
    struct ip6_addr groups[2];
    struct peer_message message = {
        .type = PEER_LISTENING,
        .listening = { .network = "blue", .hears_all = true, .n_groups = 2,
                       .groups = groups },
    }, received;

    CHECK(ip_parse("239.1.1.1", &groups[0]));
    CHECK(ip_parse("ff05::1", &groups[1]));
    round_trip(&message, &received);
    CHECK(!strcmp(received.listening.network, "blue"));
    CHECK(received.listening.hears_all && received.listening.n_groups == 2);
    CHECK(!memcmp(received.listening.groups, groups, sizeof groups));
    peer_message_fini(&received);
}

TEST(the_most_listeners_fit)
{
    struct peer_message message = {
        .type = PEER_LISTENING,
        .listening = { .network = "blue", .n_groups = REMOTE_MAX_GROUPS },
    }, received;
    struct ip6_addr *groups = xcalloc(REMOTE_MAX_GROUPS, sizeof *groups);

    message.listening.groups = groups;
    for (unsigned int i = 0; i < REMOTE_MAX_GROUPS; i++) {
        /* As long as an address can be. */
        memset(&groups[i], 0xff, sizeof groups[i]);
        groups[i].b[14] = (uint8_t) (0x10 | i >> 8);
        groups[i].b[15] = (uint8_t) i;
    }
    round_trip(&message, &received);
    CHECK(received.listening.n_groups == REMOTE_MAX_GROUPS);
    peer_message_fini(&received);
    free(groups);
}

TEST(the_small_ones_arrive_as_they_were_sent)
{
    struct peer_message message = { .type = PEER_HELLO }, received;

    message.hello.version = PEER_VERSION;
    strcpy(message.hello.host, "h1");
    round_trip(&message, &received);
    CHECK(received.hello.version == PEER_VERSION);
    CHECK(!strcmp(received.hello.host, "h1"));

    message = (struct peer_message) { .type = PEER_GONE, .gone = "web" };
    round_trip(&message, &received);
    CHECK(!strcmp(received.gone, "web"));

    message = (struct peer_message) { .type = PEER_ANSWER,
                                      .talk.id = 1ull << 60 };
    message.talk.body = json_pack("{s:s}", "verdict", "allowed");
    round_trip(&message, &received);
    CHECK(received.talk.id == 1ull << 60);
    CHECK(json_equal(received.talk.body, message.talk.body));
    peer_message_fini(&received);
    peer_message_fini(&message);

    message = (struct peer_message) { .type = PEER_PONG, .talk.id = 9 };
    round_trip(&message, &received);
    CHECK(received.talk.id == 9);
    message.type = PEER_END;
    round_trip(&message, &received);
}

TEST(what_is_too_long_is_not_sent)
{
    struct peer_message message = { .type = PEER_ANSWER };
    char *text = xzalloc(PEER_MAX_BODY + 1);
    struct str frame = STR_INIT;

    memset(text, 'x', PEER_MAX_BODY);
    message.talk.body = json_pack("{s:s}", "text", text);
    CHECK(peer_message_encode(&message, &frame) == -EMSGSIZE);
    CHECK(!frame.len);
    peer_message_fini(&message);
    free(text);
}

TEST(a_header_has_its_bounds)
{
    CHECK(peer_message_body_size((uint8_t[]) { 0, 0, 0, 0 }) == -EMSGSIZE);
    CHECK(peer_message_body_size((uint8_t[]) { 0, 0, 0, 1 }) == 1);
    CHECK(peer_message_body_size((uint8_t[]) { 0, 8, 0, 0 })
          == PEER_MAX_BODY);
    CHECK(peer_message_body_size((uint8_t[]) { 0, 8, 0, 1 }) == -EMSGSIZE);
    CHECK(peer_message_body_size((uint8_t[]) { 255, 255, 255, 255 })
          == -EMSGSIZE);
}

TEST(what_is_new_is_passed_over)
{
    struct peer_message message;

    CHECK(!decode("{\"say\":\"sing\",\"loud\":true}", &message, NULL));
    CHECK(message.type == PEER_UNKNOWN);
    CHECK(!decode("{\"say\":\"gone\",\"port\":\"web\",\"where\":7}", &message,
                  NULL));
    CHECK(message.type == PEER_GONE);
}

#define PORT "{\"say\":\"port\",\"port\":\"web\","
#define MAC "\"mac\":\"02:00:00:00:00:01\","

TEST(what_is_wrong_is_refused_and_said)
{
    check_refused("", "JSON");
    check_refused("{", "JSON");
    check_refused("[]", "say: missing");
    check_refused("{\"say\":1}", "say: missing");
    check_refused("{\"say\":\"ping\",\"say\":\"pong\"}", "JSON");
    check_refused("{\"say\":\"hello\",\"version\":0,\"host\":\"h\"}",
                  "version");
    check_refused("{\"say\":\"hello\",\"version\":1,\"host\":\"H 1\"}",
                  "host: not a name");
    check_refused("{\"say\":\"gone\"}", "port: not a name");
    check_refused("{\"say\":\"gone\",\"port\":\"../x\"}", "port: not a name");
    check_refused("{\"say\":\"ping\",\"id\":-1}", "id: not a number");
    check_refused("{\"say\":\"ask\",\"id\":1,\"body\":[]}", "body");
    check_refused(PORT "\"generation\":1}", "mac");
    check_refused(PORT MAC "\"generation\":1.5}", "generation");
    check_refused(PORT MAC "\"generation\":1,\"members\":{}}",
                  "members: not a list");
    check_refused(PORT MAC "\"generation\":1,\"members\":[7]}",
                  "network: not a name");
    check_refused(PORT MAC "\"generation\":1,\"members\":[{\"network\":"
                  "\"n\",\"address\":\"10.1\"}]}", "address");
    check_refused(PORT MAC "\"generation\":1,\"members\":[{\"network\":"
                  "\"n\",\"addresses6\":[\"10.0.0.1\"]}]}", "addresses6");
    check_refused(PORT MAC "\"generation\":1,\"security-groups\":[\"\"]}",
                  "security-groups");
    check_refused("{\"say\":\"listening\",\"network\":\"n\"}", "all");
    check_refused("{\"say\":\"listening\",\"network\":\"n\",\"all\":false,"
                  "\"groups\":[\"10.0.0.1\"]}", "not a multicast address");
}

/* One more than the most, of what is repeated. */
TEST(too_many_are_refused)
{
    struct str body = STR_INIT;

    str_add(&body, PORT MAC "\"generation\":1,\"members\":[");
    for (unsigned int i = 0; i <= REMOTE_MAX_MEMBERS; i++) {
        str_addf(&body, "%s{\"network\":\"n%u\"}", i ? "," : "", i);
    }
    str_add(&body, "]}");
    check_refused(str_text(&body), "members: too many");
    str_fini(&body);
    str_add(&body, PORT MAC "\"generation\":1,\"security-groups\":[");
    for (unsigned int i = 0; i <= PEER_MAX_SECURITY_GROUPS; i++) {
        str_addf(&body, "%s\"g%u\"", i ? "," : "", i);
    }
    str_add(&body, "]}");
    check_refused(str_text(&body), "security-groups: too many");
    str_fini(&body);
}

TESTS(
    RUN(a_port_arrives_as_it_was_sent),
    RUN(listeners_arrive_as_they_were_sent),
    RUN(the_most_listeners_fit),
    RUN(the_small_ones_arrive_as_they_were_sent),
    RUN(what_is_too_long_is_not_sent),
    RUN(a_header_has_its_bounds),
    RUN(what_is_new_is_passed_over),
    RUN(what_is_wrong_is_refused_and_said),
    RUN(too_many_are_refused),
)
