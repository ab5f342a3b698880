#include "switch/control.h"

#include <unistd.h>

#include "switch/control_rig_test.h"

static void
ask_for_flows(struct peer *peer, enum of_multipart_type type)
{
    struct of_message m = {
        .type = OFT_MULTIPART_REQUEST,
        .multipart = { .type = type, .table = OFPTT_ALL,
                       .out_port = OFPP_ANY, .out_group = OFPG_ANY },
    };

    match_init(&m.multipart.match);
    peer_say(peer, &m);
}

TEST(a_list_of_many_holds_nobody_up)
{
    enum { N = 50000 };
    static const enum of_multipart_type types[] = { MP_FLOW, MP_AGGREGATE };
    struct rig rig;
    struct peer a, b;

    rig_init(&rig, FAIL_SECURE);
    rig_add_flows(&rig, N);
    peer_init(&a, &rig, SESSION_TOOL, OF13, NULL);
    peer_init(&b, &rig, SESSION_TOOL, OF13, NULL);
    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        struct of_message m;
        unsigned int n_turns = 0, n_messages = 0;

        ask_for_flows(&a, types[i]);
        while (!n_messages) {
            peer_say_plain(&b, OFT_BARRIER_REQUEST);
            rig_turn(&rig);
            CHECK(peer_hear_type(&b, OFT_BARRIER_REPLY));
            n_messages += peer_hear(&a, &m);
            n_turns++;
        }
        CHECK(n_turns > 10);
        while (rig_turn(&rig) <= rig.now || peer_hear(&a, &m)) {
        }
        CHECK(!session_is_closed(a.session));
    }
    peer_fini(&a);
    peer_fini(&b);
    rig_fini(&rig);
}

TEST(who_does_not_read_has_its_list_wait)
{
    enum { N = 50000 };
    struct rig rig;
    struct peer a, b;
    struct session_info info;

    rig_init(&rig, FAIL_SECURE);
    rig_add_flows(&rig, N);
    peer_init(&a, &rig, SESSION_TOOL, OF13, NULL);
    peer_init(&b, &rig, SESSION_TOOL, OF13, NULL);
    ask_for_flows(&a, MP_FLOW);
    rig_settle(&rig);
    session_describe(a.session, &info);
    CHECK(info.backlog >= OF_CONN_OUT_LIMIT);
    CHECK(info.backlog < OF_CONN_OUT_LIMIT + 512 * 128);
    peer_say_plain(&b, OFT_BARRIER_REQUEST);
    rig_turn(&rig);
    CHECK(peer_hear_type(&b, OFT_BARRIER_REPLY));
    peer_fini(&a);
    peer_fini(&b);
    rig_fini(&rig);
}

static void
ask_for_role(struct peer *peer, enum of_role_type role, uint64_t generation)
{
    struct of_message m = {
        .type = OFT_ROLE_REQUEST,
        .role = { .role = role, .has_generation = true,
                  .generation_id = generation },
    };

    peer_say(peer, &m);
    rig_settle(peer->rig);
}

static enum of_role_type
role_of(const struct peer *peer)
{
    struct session_info info;

    session_describe(peer->session, &info);
    return info.role;
}

TEST(an_auxiliary_connection_has_its_main_ones_role_and_end)
{
    struct rig rig;
    struct peer main, aux, other;

    rig_init(&rig, FAIL_SECURE);
    peer_init(&main, &rig, SESSION_CONTROLLER, OF13, NULL);
    CHECK(session_may_have_auxiliary(main.session));
    peer_init(&aux, &rig, SESSION_CONTROLLER, OF13, main.session);
    CHECK(!session_may_have_auxiliary(aux.session));
    peer_init(&other, &rig, SESSION_CONTROLLER, OF14, NULL);

    ask_for_role(&aux, ROLE_MASTER, 1);
    CHECK(role_of(&main) == ROLE_MASTER && role_of(&aux) == ROLE_MASTER);
    ask_for_role(&other, ROLE_MASTER, 2);
    CHECK(role_of(&main) == ROLE_SLAVE && role_of(&aux) == ROLE_SLAVE);
    CHECK(peer_hear_type(&aux, OFT_ROLE_REPLY));
    peer_say_plain(&aux, OFT_FEATURES_REQUEST);
    rig_settle(&rig);
    CHECK(peer_hear_type(&aux, OFT_FEATURES_REPLY));
    ask_for_role(&aux, ROLE_MASTER, 1);
    peer_hear_error(&aux, OF_ROLE_REQUEST_FAILED_STALE);

    control_remove_session(main.session);
    close(main.fd);
    buf_fini(&main.in);
    CHECK(session_is_closed(aux.session));
    CHECK(!session_is_closed(other.session));
    peer_fini(&aux);
    peer_fini(&other);
    rig_fini(&rig);
}

TEST(a_bridge_is_there_while_no_controller_is)
{
    struct rig rig;
    struct peer a, b, tool;

    rig_init(&rig, FAIL_STANDALONE);
    CHECK(rig_n_flows(&rig) == 1);
    peer_init(&tool, &rig, SESSION_TOOL, OF13, NULL);
    CHECK(rig_n_flows(&rig) == 1);
    peer_init(&a, &rig, SESSION_CONTROLLER, OF13, NULL);
    CHECK(rig_n_flows(&rig) == 0);
    peer_init(&b, &rig, SESSION_CONTROLLER, OF10, NULL);
    peer_fini(&a);
    CHECK(rig_n_flows(&rig) == 0);
    peer_fini(&b);
    CHECK(rig_n_flows(&rig) == 1);
    control_set_fail_mode(rig.control, FAIL_SECURE, rig.now);
    CHECK(rig_n_flows(&rig) == 0);
    control_set_fail_mode(rig.control, FAIL_STANDALONE, rig.now);
    CHECK(rig_n_flows(&rig) == 1);
    peer_fini(&tool);
    rig_fini(&rig);
}

TEST(what_asks_a_controller_waits_for_one)
{
    struct rig rig;
    struct peer peer;
    struct flow_mod mod;
    const struct flow_entry *entry;

    rig_init(&rig, FAIL_STANDALONE);
    peer_init(&peer, &rig, SESSION_CONTROLLER, OF13, NULL);
    CHECK(!flow_mod_parse("cookie=0x7,priority=0,idle_timeout=9,"
                          "actions=controller:64", FLOW_MOD_ADD, NULL, &mod,
                          NULL));
    CHECK(!switch_flow_mod(rig.sw, &mod, rig.now, NULL));
    peer_fini(&peer);
    entry = tables_find(switch_tables(rig.sw), &mod);
    CHECK(entry && !entry->cookie && rig_n_flows(&rig) == 1);
    peer_init(&peer, &rig, SESSION_CONTROLLER, OF13, NULL);
    entry = tables_find(switch_tables(rig.sw), &mod);
    CHECK(entry && entry->cookie == mod.cookie && entry->idle_timeout == 9);
    CHECK(action_list_equal(entry->instructions.apply,
                            mod.instructions.apply));
    peer_fini(&peer);             /* and is set aside at the end */
    flow_mod_fini(&mod);
    rig_fini(&rig);
}

TEST(who_dies_in_a_bundle_changes_nothing)
{
    struct rig rig;
    struct peer peer;
    struct buf inner = BUF_INIT;
    struct of_message mod = { .type = OFT_FLOW_MOD, .version = OF14 };
    struct of_message add = {
        .type = OFT_BUNDLE_ADD, .bundle_add = { .id = 7 },
    };

    rig_init(&rig, FAIL_SECURE);
    peer_init(&peer, &rig, SESSION_CONTROLLER, OF14, NULL);
    flow_mod_init(&mod.flow_mod);
    flow_mod_seal(&mod.flow_mod);
    mod.xid = peer.xid + 1;
    CHECK(!of_message_encode(&inner, &peer.protocol, &mod));
    flow_mod_fini(&mod.flow_mod);
    add.bundle_add.message = (struct of_bytes) { inner.data, inner.len };
    peer_say(&peer, &add);
    rig_settle(&rig);
    CHECK(rig_n_flows(&rig) == 0);
    peer_fini(&peer);
    CHECK(rig_n_flows(&rig) == 0);
    buf_fini(&inner);
    rig_fini(&rig);
}

/* Puts a packet into a port's queue, as a worker would. */
static void
packet_comes(struct rig *rig, uint32_t port, uint8_t mark)
{
    uint8_t frame[60] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x88, 0xb5 };
    struct packet pkt = {
        .data = frame, .buf = frame, .len = sizeof frame, .in_port = port,
        .buf_size = sizeof frame,
    };
    struct dp_action_controller action = {
        .max_len = OFPCML_NO_BUFFER, .reason = REASON_APPLY_ACTION,
    };
    const struct packet_in_extra nothing = { 0 };
    struct flow_key key;

    frame[14] = mark;
    flow_key_extract(&pkt, &key);
    packet_in_put(switch_packet_ins(rig->sw), &pkt, &key, &nothing, &action,
                  0);
}

TEST(a_flood_of_packets_waits_behind_requests_and_is_bounded)
{
    struct rig rig;
    struct peer deaf, other;
    struct control_counters counters;
    struct session_info info;
    struct of_message m = { .type = OFT_FLOW_MOD };

    rig_init(&rig, FAIL_SECURE);
    peer_init(&deaf, &rig, SESSION_CONTROLLER, OF13, NULL);
    peer_init(&other, &rig, SESSION_CONTROLLER, OF13, NULL);
    for (unsigned int i = 0; i < 5000; i++) {
        for (uint32_t port = 1; port <= 4; port++) {
            packet_comes(&rig, port, (uint8_t) i);
        }
        if (i % 50 == 0) {
            flow_mod_init(&m.flow_mod);
            m.flow_mod.priority = (uint16_t) i;
            flow_mod_seal(&m.flow_mod);
            peer_say(&other, &m);
            flow_mod_fini(&m.flow_mod);
            peer_say_plain(&other, OFT_BARRIER_REQUEST);
            rig_turn(&rig);
            CHECK(peer_hear_type(&other, OFT_BARRIER_REPLY));
            CHECK(rig_n_flows(&rig) == i / 50 + 1);
        }
        rig_turn(&rig);
    }
    session_describe(deaf.session, &info);
    CHECK(info.backlog < 128 * 1024);
    CHECK(info.counters.packet_ins_dropped > 5000);
    session_describe(other.session, &info);
    CHECK(info.counters.packet_ins > 5000);
    control_read_counters(rig.control, &counters);
    CHECK(counters.packet_ins_dropped >= 5000);
    peer_fini(&deaf);
    peer_fini(&other);
    rig_fini(&rig);
}

TESTS(
    RUN(a_list_of_many_holds_nobody_up),
    RUN(who_does_not_read_has_its_list_wait),
    RUN(an_auxiliary_connection_has_its_main_ones_role_and_end),
    RUN(a_bridge_is_there_while_no_controller_is),
    RUN(what_asks_a_controller_waits_for_one),
    RUN(who_dies_in_a_bundle_changes_nothing),
    RUN(a_flood_of_packets_waits_behind_requests_and_is_bounded),
)
