#include "switch/connection_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "packet/checksum.h"
#include "packet/eth.h"
#include "packet/ip.h"
#include "unit.h"

static char dir[32], path[64], aside[80];
static const msec now = 1000;

static int
begin(void **state)
{
    (void) state;
    strcpy(dir, "/tmp/weft-unit-XXXXXX");
    CHECK(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/connections", dir);
    snprintf(aside, sizeof aside, "%s.damaged", path);
    return 0;
}

static int
end(void **state)
{
    (void) state;
    unlink(path);
    unlink(aside);
    CHECK(!rmdir(dir));           /* nothing else is left */
    return 0;
}

/* A GRE tunnel's packet, which has no checksum but IP's. */
static struct packet *
make_packet(struct packet_pool *pool)
{
    struct packet *pkt = packet_alloc(pool, 64);
    uint8_t *ip = pkt->data + ETH_HEADER_LEN;
    struct flow_key key;

    memset(pkt->data, 0, 64);
    put_be16(pkt->data + 12, htobe16(ETH_TYPE_IP));
    ip[0] = 0x45;
    put_be16(ip + 2, htobe16(40));
    ip[9] = IP_PROTO_GRE;
    ip[15] = 1;
    ip[19] = 2;
    put_be16(ip + 10, checksum_fold(checksum_add(0, ip, 20)));
    pkt->len = ETH_HEADER_LEN + 40;
    flow_key_extract(pkt, &key);
    return pkt;
}

static struct conntrack *
make(bool is_filled)
{
    static const struct ct_request commit = { .commit = true };
    struct ct_config config = { .max_connections = 1024 };
    struct conntrack *ct = conntrack_create(&config);
    struct packet_pool *pool = packet_pool_create(1, 0);
    struct packet *pkt = make_packet(pool);
    enum ct_verdict verdict;

    if (is_filled) {
        conntrack_execute(ct, 0, &pkt, 1, &commit, now, &verdict);
    }
    packet_free(pkt);
    packet_pool_destroy(pool);
    CHECK(conntrack_count(ct) == is_filled);
    return ct;
}

static bool
exists(const char *file)
{
    return !access(file, F_OK);
}

TEST(it_is_read_once)
{
    struct conntrack *ct = make(true), *next = make(false);
    struct stat st;
    uint32_t n = 0;

    CHECK(!connection_file_save(ct, path, false, NULL, now));
    CHECK(!stat(path, &st) && (st.st_mode & 0777) == 0600);
    CHECK(!connection_file_load(next, 0, path, now, &n) && n == 1);
    CHECK(conntrack_count(next) == 1 && !exists(path));
    CHECK(connection_file_load(next, 0, path, now, &n) == -ENOENT);
    conntrack_destroy(ct);
    conntrack_destroy(next);
}

TEST(how_old_it_is_counts)
{
    struct conntrack *ct = make(true), *next = make(false);
    struct timespec times[2] = { { .tv_nsec = UTIME_OMIT } };
    uint32_t n = 7;

    CHECK(!connection_file_save(ct, path, false, NULL, now));
    times[1].tv_sec = time(NULL) - 3600;
    CHECK(!utimensat(AT_FDCWD, path, times, 0));
    CHECK(!connection_file_load(next, 0, path, now, &n) && !n);
    /* A clock that was set back says nothing. */
    CHECK(!connection_file_save(ct, path, false, NULL, now));
    times[1].tv_sec = time(NULL) + 3600;
    CHECK(!utimensat(AT_FDCWD, path, times, 0));
    CHECK(!connection_file_load(next, 0, path, now, &n) && n == 1);
    conntrack_destroy(ct);
    conntrack_destroy(next);
}

TEST(a_damaged_one_is_set_aside)
{
    struct conntrack *ct = make(true), *next = make(false);
    uint32_t n;

    CHECK(!connection_file_save(ct, path, false, NULL, now));
    CHECK(!truncate(path, 100));
    CHECK(connection_file_load(next, 0, path, now, &n) == -EBADMSG);
    CHECK(!exists(path) && exists(aside) && !conntrack_count(next));
    CHECK(!truncate(aside, 0) && !rename(aside, path));
    CHECK(connection_file_load(next, 0, path, now, &n) == -EBADMSG);
    conntrack_destroy(ct);
    conntrack_destroy(next);
}

TEST(what_cannot_be_written_leaves_the_old_one)
{
    struct conntrack *ct = make(true), *empty = make(false);
    _Atomic bool is_over = true;
    char missing[64];
    uint32_t n;

    CHECK(!connection_file_save(ct, path, false, NULL, now));
    CHECK(connection_file_save(empty, path, true, &is_over, now)
          == -ECANCELED);
    snprintf(missing, sizeof missing, "%s/missing/connections", dir);
    CHECK(connection_file_save(ct, missing, true, NULL, now) == -ENOENT);
    CHECK(!connection_file_load(empty, 0, path, now, &n) && n == 1);
    conntrack_destroy(ct);
    conntrack_destroy(empty);
}

#define RUN_IN_DIR(NAME) cmocka_unit_test_setup_teardown(NAME, begin, end)

TESTS(
    RUN_IN_DIR(it_is_read_once),
    RUN_IN_DIR(how_old_it_is_counts),
    RUN_IN_DIR(a_damaged_one_is_set_aside),
    RUN_IN_DIR(what_cannot_be_written_leaves_the_old_one),
)
