#include "peer/peer_mesh.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "intent/intent_lab.h"
#include "lib/clock.h"
#include "packet/address.h"
#include "unit.h"

enum { MAX_HOSTS = 3, PATIENCE = 20000 /* msec */ };

/* A host of the test: a mesh, what it heard, and what it says. */
struct node {
    char name[8], path[64];
    struct peer_certificate *certificate;
    struct remote *remote;
    struct peer_mesh *mesh;
    unsigned int n_heard;
    unsigned int n_ports;         /* that it says it has: p0, p1, ... */
    uint64_t generation;
    bool is_silent;               /* it answers no question */
    struct peer_question *question;
};

static struct lab {
    uv_loop_t loop;
    char dir[32];
    uint16_t port;
    struct intent *intent;
    struct node nodes[MAX_HOSTS];
} lab;

static const char *answer;        /* to the last question; NULL: none yet */
static const char *no_answer;

static void
on_heard(void *node_, bool only_listening UNUSED)
{
    struct node *node = node_;

    node->n_heard++;
}

static void
visit_own(void *node_, void (*visit)(void *, const struct controller_own *),
          void *aux)
{
    const struct node *node = node_;
    const struct intent_network *blue = intent_network_cast(
        intent_find(lab.intent, INTENT_NETWORK, "blue"));
    char name[16];

    for (unsigned int i = 0; i < node->n_ports; i++) {
        const struct intent_network *networks[] = { blue };
        struct remote_member member = {
            .network = blue->object.id,
            .address = htobe32(0x0a010010 + i),
        };

        snprintf(name, sizeof name, "p%u", i);
        visit(aux, &(struct controller_own) {
            .intent = intent_port_cast(intent_find(lab.intent, INTENT_PORT,
                                                   name)),
            .generation = node->generation, .n_members = 1,
            .networks = networks, .members = &member });
    }
}

/* To as many groups as it has ports. */
static void
visit_listening(void *node_,
                void (*visit)(void *, const struct controller_listening *),
                void *aux)
{
    const struct node *node = node_;
    struct ip6_addr groups[8];

    for (unsigned int i = 0; i < node->n_ports; i++) {
        groups[i] = ip6_of_ip4(htobe32(0xef000001 + i));
    }
    visit(aux, &(struct controller_listening) {
        .network = intent_network_cast(intent_find(lab.intent, INTENT_NETWORK,
                                                   "blue")),
        .n_groups = node->n_ports, .groups = groups });
}

static void
on_asked(void *node_, const json_t *body, struct peer_question *question)
{
    struct node *node = node_;

    if (node->is_silent) {
        node->question = question;
        return;
    }
    peer_question_answer(question, json_pack(
        "{s:s, s:O}", "from", node->name, "about",
        json_object_get(body, "about")));
}

static void
on_answered(void *aux UNUSED, const json_t *body, const char *reason)
{
    static char text[64];

    if (body) {
        snprintf(text, sizeof text, "%s of %s",
                 json_string_value(json_object_get(body, "about")),
                 json_string_value(json_object_get(body, "from")));
        answer = text;
    } else {
        no_answer = reason;
    }
}

/* A port of TCP that nobody has. */
static uint16_t
free_port(void)
{
    struct sockaddr_in in = { .sin_family = AF_INET };
    socklen_t len = sizeof in;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(!bind(fd, (struct sockaddr *) &in, sizeof in)
          && !getsockname(fd, (struct sockaddr *) &in, &len));
    close(fd);
    return ntohs(in.sin_port);
}

/* Host i is at 127.0.0.i; `of[i]` has the certificate that the file says is
 * h<i>'s (NULL: it says none). */
static struct intent *
file_with(const struct peer_certificate *const of[MAX_HOSTS])
{
    struct str text = STR_INIT;
    char fingerprint[PEER_FINGERPRINT_TEXT_SIZE];
    struct intent *intent;

    str_add(&text, "version: 1\nhosts:\n");
    for (unsigned int i = 0; i < MAX_HOSTS; i++) {
        str_addf(&text, "  h%u: {tunnel: 127.0.0.%u, peer: \"127.0.0.%u:%u\"",
                 i + 1, i + 1, i + 1, lab.port);
        if (of[i]) {
            str_addf(&text, ", certificate: \"%s\"",
                     peer_fingerprint_format(
                         peer_certificate_fingerprint(of[i]), fingerprint));
        }
        str_add(&text, "}\n");
    }
    str_add(&text, "networks: {blue: {subnet: 10.1.0.0/24, "
                   "segment: {vxlan: 5}}}\nports:\n");
    for (unsigned int i = 0; i < 4; i++) {
        str_addf(&text, "  p%u: {network: blue, device: tap%u, host: h1}\n",
                 i, i);
    }
    intent = lab_sealed(str_text(&text));
    str_fini(&text);
    return intent;
}

static void
start(struct node *node)
{
    struct str error = STR_INIT;

    node->remote = remote_create();
    node->mesh = peer_mesh_create(&(struct peer_mesh_config) {
        .loop = &lab.loop, .host = node->name,
        .certificate = node->certificate, .remote = node->remote,
        .heard = on_heard, .visit_own = visit_own,
        .visit_listening = visit_listening, .asked = on_asked,
        .aux = node }, &error);
    CHECK(node->mesh);
    peer_mesh_publish(node->mesh);
    peer_mesh_publish_listening(node->mesh);
    str_fini(&error);
}

static void
stop(struct node *node)
{
    peer_mesh_destroy(node->mesh);
    remote_destroy(node->remote);
    node->mesh = NULL;
}

static void
use(struct intent *intent)
{
    for (unsigned int i = 0; i < MAX_HOSTS; i++) {
        if (lab.nodes[i].mesh) {
            peer_mesh_set_hosts(lab.nodes[i].mesh, intent);
        }
    }
    if (lab.intent) {
        intent_unref(lab.intent);
    }
    lab.intent = intent;
}

static void
lab_open(void)
{
    const struct peer_certificate *all[MAX_HOSTS];

    memset(&lab, 0, sizeof lab);
    uv_loop_init(&lab.loop);
    strcpy(lab.dir, "/tmp/weft-mesh-XXXXXX");
    CHECK(mkdtemp(lab.dir));
    lab.port = free_port();
    for (unsigned int i = 0; i < MAX_HOSTS; i++) {
        struct node *node = &lab.nodes[i];
        struct str error = STR_INIT;

        snprintf(node->name, sizeof node->name, "h%u", i + 1);
        snprintf(node->path, sizeof node->path, "%s/%s.pem", lab.dir,
                 node->name);
        CHECK(!peer_certificate_open(node->path, node->name,
                                     &node->certificate, &error));
        all[i] = node->certificate;
        node->n_ports = i == 0 ? 2 : 0;
        node->generation = 7;
        str_fini(&error);
    }
    lab.intent = file_with(all);
    for (unsigned int i = 0; i < MAX_HOSTS; i++) {
        start(&lab.nodes[i]);
        peer_mesh_set_hosts(lab.nodes[i].mesh, lab.intent);
    }
}

static void
lab_close(void)
{
    for (unsigned int i = 0; i < MAX_HOSTS; i++) {
        if (lab.nodes[i].mesh) {
            stop(&lab.nodes[i]);
        }
        peer_certificate_destroy(lab.nodes[i].certificate);
        unlink(lab.nodes[i].path);
    }
    uv_run(&lab.loop, UV_RUN_DEFAULT);
    CHECK(!uv_loop_close(&lab.loop));
    intent_unref(lab.intent);
    CHECK(!rmdir(lab.dir));
}

/* Turns the loop until it is so. */
static void
until(bool (*is_so)(const void *), const void *aux)
{
    msec end = clock_msec() + PATIENCE;

    while (!is_so(aux)) {
        CHECK(clock_msec() < end);
        uv_run(&lab.loop, UV_RUN_ONCE);
    }
}

struct look {
    const char *host;
    char state[20], reason[200];
    unsigned int n_ports;
};

static void
look_at(void *look_, const struct peer_info *peer)
{
    struct look *look = look_;

    if (!strcmp(peer->host, look->host)) {
        snprintf(look->state, sizeof look->state, "%s", peer->state);
        snprintf(look->reason, sizeof look->reason, "%s", peer->reason);
        look->n_ports = peer->n_ports;
    }
}

/* How h<from>'s channel to h<to> is. */
static struct look
channel(unsigned int from, unsigned int to)
{
    struct look look = { .host = lab.nodes[to - 1].name };

    peer_mesh_visit(lab.nodes[from - 1].mesh, look_at, &look);
    return look;
}

static bool
is_up(unsigned int from, unsigned int to)
{
    return !strcmp(channel(from, to).state, "up");
}

static bool
are_all_up(const void *aux UNUSED)
{
    for (unsigned int i = 1; i <= MAX_HOSTS; i++) {
        for (unsigned int k = 1; k <= MAX_HOSTS; k++) {
            if (i != k && !is_up(i, k)) {
                return false;
            }
        }
    }
    return channel(2, 1).n_ports == lab.nodes[0].n_ports
           && channel(3, 1).n_ports == lab.nodes[0].n_ports;
}

static bool
any(const void *aux UNUSED, uint64_t host UNUSED)
{
    return true;
}

static uint64_t
place(const struct node *node, const char *port)
{
    return remote_place(node->remote, intent_object_id(INTENT_PORT, port),
                        any, NULL);
}

/* All have said who listens. */
static bool
is_heard(const void *aux UNUSED)
{
    uint64_t blue = intent_object_id(INTENT_NETWORK, "blue");

    for (unsigned int i = 0; i < MAX_HOSTS; i++) {
        for (unsigned int k = 0; k < MAX_HOSTS; k++) {
            uint64_t other = intent_object_id(INTENT_HOST,
                                              lab.nodes[k].name);

            if (i != k && remote_hears_all(lab.nodes[i].remote, other,
                                           blue)) {
                return false;
            }
        }
    }
    return true;
}

TEST(all_hear_what_one_says)
{
    uint64_t h1 = intent_object_id(INTENT_HOST, "h1");
    uint64_t blue = intent_object_id(INTENT_NETWORK, "blue");
    const struct ip6_addr group[] = { ip6_of_ip4(htobe32(0xef000001)),
                                      ip6_of_ip4(htobe32(0xef000002)),
                                      ip6_of_ip4(htobe32(0xef000003)) };
    const struct remote_member *member;

    lab_open();
    until(are_all_up, NULL);
    CHECK(place(&lab.nodes[1], "p1") == h1 && place(&lab.nodes[2], "p0") == h1);
    CHECK(!place(&lab.nodes[1], "p2") && !place(&lab.nodes[0], "p0"));
    member = remote_member(lab.nodes[2].remote, h1,
                           intent_object_id(INTENT_PORT, "p1"),
                           intent_object_id(INTENT_NETWORK, "blue"));
    CHECK(member && member->address == htobe32(0x0a010011));
    until(is_heard, NULL);
    CHECK(remote_hears(lab.nodes[2].remote, h1, blue, &group[1])
          && !remote_hears(lab.nodes[2].remote, h1, blue, &group[2]));
    CHECK(!remote_hears_all(lab.nodes[0].remote,
                            intent_object_id(INTENT_HOST, "h2"), blue));
    /* One more, then one less. */
    lab.nodes[0].n_ports = 3;
    peer_mesh_publish(lab.nodes[0].mesh);
    peer_mesh_publish_listening(lab.nodes[0].mesh);
    until(are_all_up, NULL);
    CHECK(place(&lab.nodes[2], "p2") == h1);
    CHECK(remote_hears(lab.nodes[2].remote, h1, blue, &group[2]));
    lab.nodes[0].n_ports = 1;
    peer_mesh_publish(lab.nodes[0].mesh);
    until(are_all_up, NULL);
    CHECK(!place(&lab.nodes[2], "p2") && place(&lab.nodes[2], "p0") == h1);
    lab_close();
}

static bool
is_lost(const void *aux UNUSED)
{
    return !is_up(2, 1) && !is_up(3, 1);
}

TEST(what_a_lost_host_said_stays_until_it_says_otherwise)
{
    uint64_t h1 = intent_object_id(INTENT_HOST, "h1");
    unsigned int n_heard;

    lab_open();
    until(are_all_up, NULL);
    n_heard = lab.nodes[1].n_heard;
    stop(&lab.nodes[0]);
    until(is_lost, NULL);
    CHECK(place(&lab.nodes[1], "p1") == h1 && channel(2, 1).n_ports == 2);
    CHECK(lab.nodes[1].n_heard == n_heard && *channel(2, 1).reason);
    /* Back, with one port less. */
    lab.nodes[0].n_ports = 1;
    start(&lab.nodes[0]);
    peer_mesh_set_hosts(lab.nodes[0].mesh, lab.intent);
    until(are_all_up, NULL);
    CHECK(place(&lab.nodes[1], "p0") == h1 && !place(&lab.nodes[1], "p1"));
    CHECK(lab.nodes[1].n_heard > n_heard);
    lab_close();
}

static bool
is_refused(const void *aux UNUSED)
{
    return strstr(channel(1, 3).reason, "certificate") && is_up(1, 2);
}

TEST(who_shows_another_certificate_is_refused)
{
    const struct peer_certificate *wrong[MAX_HOSTS], *right[MAX_HOSTS];

    lab_open();
    for (unsigned int i = 0; i < MAX_HOSTS; i++) {
        wrong[i] = right[i] = lab.nodes[i].certificate;
    }
    until(are_all_up, NULL);
    wrong[2] = NULL;
    use(file_with(wrong));
    CHECK(!strcmp(channel(1, 3).state, "no-certificate"));
    CHECK(strstr(peer_mesh_complaint(lab.nodes[2].mesh), "no certificate"));
    CHECK(!*peer_mesh_complaint(lab.nodes[0].mesh));
    use(file_with(right));
    until(are_all_up, NULL);
    /* Somebody else's, at h3's address. */
    stop(&lab.nodes[2]);
    {
        char path[64];
        struct peer_certificate *other, *own = lab.nodes[2].certificate;
        struct str error = STR_INIT;

        snprintf(path, sizeof path, "%s/other.pem", lab.dir);
        CHECK(!peer_certificate_open(path, "h3", &other, &error));
        lab.nodes[2].certificate = other;
        start(&lab.nodes[2]);
        peer_mesh_set_hosts(lab.nodes[2].mesh, lab.intent);
        until(is_refused, NULL);
        CHECK(strstr(peer_mesh_complaint(lab.nodes[2].mesh),
                     "another certificate"));
        stop(&lab.nodes[2]);
        uv_run(&lab.loop, UV_RUN_NOWAIT);
        peer_certificate_destroy(other);
        lab.nodes[2].certificate = own;
        unlink(path);
        str_fini(&error);
    }
    lab_close();
}

static bool
is_answered(const void *aux UNUSED)
{
    return answer || no_answer;
}

TEST(a_question_is_answered_once_or_given_up)
{
    answer = no_answer = NULL;
    lab_open();
    CHECK(!peer_mesh_ask(lab.nodes[0].mesh, "h2", json_object(), on_answered,
                         NULL));
    until(are_all_up, NULL);
    CHECK(!peer_mesh_ask(lab.nodes[0].mesh, "h9", json_object(), on_answered,
                         NULL));
    CHECK(peer_mesh_ask(lab.nodes[0].mesh, "h2",
                        json_pack("{s:s}", "about", "web"), on_answered,
                        NULL));
    until(is_answered, NULL);
    CHECK(answer && !strcmp(answer, "web of h2"));
    /* One that is lost before it is answered. */
    answer = NULL;
    lab.nodes[1].is_silent = true;
    CHECK(peer_mesh_ask(lab.nodes[2].mesh, "h2",
                        json_pack("{s:s}", "about", "db"), on_answered,
                        NULL));
    while (!lab.nodes[1].question) {
        uv_run(&lab.loop, UV_RUN_ONCE);
    }
    stop(&lab.nodes[2]);
    CHECK(no_answer && !answer);
    peer_question_answer(lab.nodes[1].question, json_object());
    /* The other way round. */
    no_answer = NULL;
    lab.nodes[1].question = NULL;
    CHECK(peer_mesh_ask(lab.nodes[0].mesh, "h2",
                        json_pack("{s:s}", "about", "db"), on_answered,
                        NULL));
    while (!lab.nodes[1].question) {
        uv_run(&lab.loop, UV_RUN_ONCE);
    }
    stop(&lab.nodes[1]);
    until(is_answered, NULL);
    CHECK(no_answer && !answer);
    lab_close();
}

/* Whatever a stranger says, and however slowly, it costs his session alone. */
TEST(strangers_do_not_disturb)
{
    struct sockaddr_in in = { .sin_family = AF_INET };
    int fds[PEER_MESH_MAX_GUESTS + 8];

    lab_open();
    until(are_all_up, NULL);
    in.sin_port = htons(lab.port);
    in.sin_addr.s_addr = htonl(0x7f000003);
    for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        CHECK(!connect(fds[i], (struct sockaddr *) &in, sizeof in));
        if (i % 2) {
            CHECK(write(fds[i], "GET / HTTP/1.1\r\n\r\n", 18) == 18);
        }
        uv_run(&lab.loop, UV_RUN_NOWAIT);
    }
    lab.nodes[0].n_ports = 3;
    peer_mesh_publish(lab.nodes[0].mesh);
    until(are_all_up, NULL);
    for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
        close(fds[i]);
    }
    lab_close();
}

TESTS(
    RUN(all_hear_what_one_says),
    RUN(what_a_lost_host_said_stays_until_it_says_otherwise),
    RUN(who_shows_another_certificate_is_refused),
    RUN(a_question_is_answered_once_or_given_up),
    RUN(strangers_do_not_disturb),
)
