/* What is plugged in and out, told to a switch that only takes notes. */
#include "host/host.h"

#include <arpa/inet.h>
#include <stdlib.h>

#include "intent/diag.h"
#include "intent/intent_lab.h"
#include "intent/parse.h"
#include "lib/str.h"
#include "unit.h"

enum { MAX_IN = 8 };

/* "+web tap:eth0,..." and "-web", in order; ports in it, those that fail. */
struct notes {
    struct str log;
    char in[MAX_IN][16];
    const char *refuses;          /* this name, with `err` */
    int err;
    const char *lost;             /* its device is gone */
};

static char *
find_in(struct notes *notes, const char *name)
{
    for (unsigned int i = 0; i < MAX_IN; i++) {
        if (!strcmp(notes->in[i], name)) {
            return notes->in[i];
        }
    }
    return NULL;
}

static int
note_in(void *aux, const struct port_config *config, struct str *error)
{
    struct notes *notes = aux;

    if (notes->refuses && !strcmp(notes->refuses, config->name)) {
        str_addf(&notes->log, "?%s ", config->name);
        str_setf(error, "refused");
        return notes->err;
    }
    str_addf(&notes->log, "+%s ", config->name);
    strcpy(find_in(notes, ""), config->name);
    return 0;
}

static int
note_out(void *aux, const char *name)
{
    struct notes *notes = aux;
    char *in = find_in(notes, name);

    str_addf(&notes->log, "-%s ", name);
    if (!in) {
        return -ENOENT;
    }
    *in = '\0';
    return 0;
}

static int
note_check(void *aux, const char *name, struct str *why UNUSED)
{
    struct notes *notes = aux;

    return notes->lost && !strcmp(notes->lost, name) ? -ENODEV
           : find_in(notes, name)                    ? 0
                                                     : -ENOENT;
}

static int
note_configure(void *aux, const struct port_config *config,
               struct str *error UNUSED)
{
    struct notes *notes = aux;
    const char *address = port_config_get(config, "addr");
    const char *gateway = port_config_get(config, "gateway");

    str_addf(&notes->log, "=%s %s %s ", config->name,
             address ? address : "none", gateway ? gateway : "none");
    return find_in(notes, config->name) ? 0 : -ENOENT;
}

struct lab {
    struct notes notes;
    struct host *host;
    struct intent *intent;
};

static void
lab_init(struct lab *lab)
{
    const struct plug plug = { note_in, note_out, note_check, note_configure,
                                &lab->notes, 1 };

    *lab = (struct lab) { 0 };
    lab->host = host_create(&plug, "here", NULL);
    lab->intent = intent_create();
}

static void
lab_fini(struct lab *lab)
{
    host_destroy(lab->host);
    intent_unref(lab->intent);
    str_fini(&lab->notes.log);
}

/* A port like `web: {netns: DEVICE, host: HOST}`, as sealed. */
static void
set_port(struct lab *lab, const char *name, const char *netns,
         const char *host)
{
    struct intent_object *object = intent_object_create(INTENT_PORT, name);
    struct intent_port *port = CONTAINER_OF(object, struct intent_port,
                                            object);

    strcpy(port->switch_name, name);
    strcpy(port->device, netns);
    strcpy(port->nic, "eth0");
    strcpy(port->host, host);
    port->attach = ATTACH_NETNS;
    intent_set(lab->intent, &port->object);
}

/* The notes of what the intents of now made of those of before. */
static const char *
settle(struct lab *lab, msec now)
{
    struct intent *next = intent_copy(lab->intent);

    str_clear(&lab->notes.log);
    host_set_intent(lab->host, lab->intent);
    intent_unref(lab->intent);
    lab->intent = next;
    while (host_run(lab->host, now) <= now) {
        continue;
    }
    return str_text(&lab->notes.log);
}

static enum host_state
state_of(const struct lab *lab, const char *name)
{
    struct host_port_info info;

    CHECK(host_port_info(lab->host, name, &info));
    return info.state;
}

TEST(ports_of_this_host_are_plugged_in)
{
    struct lab lab;

    lab_init(&lab);
    set_port(&lab, "db", "db", "here");
    set_port(&lab, "far", "far", "there");
    set_port(&lab, "web", "web", "");
    assert_string_equal(settle(&lab, 0), "+db +web ");
    CHECK(host_is_settled(lab.host));
    CHECK(state_of(&lab, "web") == HOST_PLUGGED);
    lab_fini(&lab);
}

TEST(what_did_not_change_is_not_touched)
{
    struct lab lab;

    lab_init(&lab);
    set_port(&lab, "db", "db", "");
    set_port(&lab, "web", "web", "");
    settle(&lab, 0);
    assert_string_equal(settle(&lab, 0), "");
    set_port(&lab, "db", "other", "");
    assert_string_equal(settle(&lab, 0), "-db +db ");
    intent_remove(lab.intent, INTENT_PORT, "web");
    assert_string_equal(settle(&lab, 0), "-web ");
    lab_fini(&lab);
}

TEST(a_device_may_move_to_another_port)
{
    struct lab lab;

    lab_init(&lab);
    set_port(&lab, "new", "one", "");
    settle(&lab, 0);
    intent_remove(lab.intent, INTENT_PORT, "new");
    set_port(&lab, "aaa", "one", "");
    assert_string_equal(settle(&lab, 0), "-new +aaa ");
    lab_fini(&lab);
}

TEST(a_failure_is_that_ports_alone_and_is_tried_again)
{
    struct lab lab;

    lab_init(&lab);
    lab.notes.refuses = "db";
    lab.notes.err = -EPERM;
    set_port(&lab, "db", "db", "");
    set_port(&lab, "web", "web", "");
    assert_string_equal(settle(&lab, 0), "?db +web ");
    CHECK(state_of(&lab, "db") == HOST_FAILED);
    CHECK(!host_is_settled(lab.host));

    str_clear(&lab.notes.log);
    host_run(lab.host, HOST_RETRY_MIN_MS - 1);
    assert_string_equal(str_text(&lab.notes.log), "");
    host_run(lab.host, HOST_RETRY_MIN_MS);
    assert_string_equal(str_text(&lab.notes.log), "?db ");
    /* The wait doubled. */
    host_run(lab.host, 2 * HOST_RETRY_MIN_MS);
    assert_string_equal(str_text(&lab.notes.log), "?db ");
    lab.notes.refuses = NULL;
    host_run(lab.host, 3 * HOST_RETRY_MIN_MS);
    assert_string_equal(str_text(&lab.notes.log), "?db +db ");
    CHECK(host_is_settled(lab.host));
    lab_fini(&lab);
}

TEST(what_was_taken_out_by_hand_comes_back)
{
    struct lab lab;

    lab_init(&lab);
    set_port(&lab, "web", "web", "");
    settle(&lab, 0);
    *find_in(&lab.notes, "web") = '\0';
    str_clear(&lab.notes.log);
    host_run(lab.host, 1000);
    host_run(lab.host, 1001);
    assert_string_equal(str_text(&lab.notes.log), "+web ");
    lab_fini(&lab);
}

TEST(a_lost_device_is_waited_for)
{
    struct lab lab;

    lab_init(&lab);
    set_port(&lab, "web", "web", "");
    settle(&lab, 0);
    lab.notes.lost = "web";
    host_run(lab.host, 1000);
    CHECK(state_of(&lab, "web") == HOST_WAITING);
    lab.notes.lost = NULL;
    host_run(lab.host, 2000);
    CHECK(state_of(&lab, "web") == HOST_PLUGGED);
    lab_fini(&lab);
}

/* A network and a port in it whose inside is configured. */
static void
read_intents(struct lab *lab, const char *address)
{
    struct diagnostics *diagnostics = diag_create();
    struct str text = STR_INIT;

    str_addf(&text, "version: 1\n"
             "networks: {blue: {subnet: 10.1.0.0/24, dns: [9.9.9.9]}}\n"
             "ports: {web: {network: blue, netns: web, configure: true%s}}\n",
             address);
    intent_unref(lab->intent);
    lab->intent = intent_create();
    CHECK(intent_parse(lab->intent, "t.yaml", str_text(&text), text.len,
                       diagnostics));
    CHECK(intent_seal(lab->intent, diagnostics));
    diag_destroy(diagnostics);
    str_fini(&text);
}

TEST(an_address_chosen_later_changes_a_port_that_stays_in)
{
    struct lab lab;

    lab_init(&lab);
    read_intents(&lab, "");
    assert_string_equal(settle(&lab, 0), "+web ");
    host_set_address(lab.host, "web", htonl(0x0a010005));
    CHECK(!host_is_settled(lab.host));
    str_clear(&lab.notes.log);
    host_run(lab.host, 0);
    assert_string_equal(str_text(&lab.notes.log),
                        "=web 10.1.0.5/24 10.1.0.1 ");
    CHECK(host_is_settled(lab.host));

    /* The same once more, and other intents of the same effect: nothing. */
    host_set_address(lab.host, "web", htonl(0x0a010005));
    assert_string_equal(settle(&lab, 0), "");
    read_intents(&lab, ", address: 10.1.0.5");
    assert_string_equal(settle(&lab, 0), "");
    /* What the operator says counts. */
    read_intents(&lab, ", address: 10.1.0.9");
    assert_string_equal(settle(&lab, 0), "=web 10.1.0.9/24 10.1.0.1 ");
    host_set_address(lab.host, "web", htonl(0x0a010007));
    CHECK(host_is_settled(lab.host));
    lab_fini(&lab);
}

TEST(a_port_that_is_not_in_is_plugged_in_with_the_chosen_address)
{
    struct lab lab;

    lab_init(&lab);
    lab.notes.refuses = "web";
    lab.notes.err = -ENODEV;
    read_intents(&lab, "");
    settle(&lab, 0);
    host_set_address(lab.host, "web", htonl(0x0a010005));
    lab.notes.refuses = NULL;
    str_clear(&lab.notes.log);
    host_run(lab.host, 1);
    assert_string_equal(str_text(&lab.notes.log), "+web ");
    CHECK(host_is_settled(lab.host));
    lab_fini(&lab);
}

TEST(a_leg_of_the_host_waits_for_the_rules_that_guard_it)
{
    struct intent *intent = lab_sealed(
        "version: 1\n"
        "uplinks: {wan: {host: true}, spare: {host: true}}\n"
        "networks: {blue: {subnet: 10.1.0.0/24, nat: wan}}\n"
        "ports: {web: {network: blue, netns: web}}\n");
    struct host_port_info info;
    struct lab lab;

    lab_init(&lab);
    host_set_intent(lab.host, intent);
    while (host_run(lab.host, 1) <= 1) {
        continue;
    }
    /* There is no helper here that would write them. */
    assert_string_equal(str_text(&lab.notes.log), "+web ");
    CHECK(host_port_info(lab.host, "weft-wan", &info));
    CHECK(info.state == HOST_FAILED && strstr(info.error, "NAT"));
    CHECK(!host_port_info(lab.host, "weft-spare", &info));
    intent_unref(intent);
    lab_fini(&lab);
}

TESTS(
    RUN(ports_of_this_host_are_plugged_in),
    RUN(what_did_not_change_is_not_touched),
    RUN(a_device_may_move_to_another_port),
    RUN(a_failure_is_that_ports_alone_and_is_tried_again),
    RUN(what_was_taken_out_by_hand_comes_back),
    RUN(a_lost_device_is_waited_for),
    RUN(an_address_chosen_later_changes_a_port_that_stays_in),
    RUN(a_port_that_is_not_in_is_plugged_in_with_the_chosen_address),
    RUN(a_leg_of_the_host_waits_for_the_rules_that_guard_it),
)
