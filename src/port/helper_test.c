/* The helper's manners: what it refuses, what it keeps for a restarted main,
 * what is left when somebody is killed, and what main can no longer do.
 *
 * Runs as root in a network namespace of its own. */
#include "unit.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "port/confine.h"
#include "port/helper_proto.h"

static const struct helper_options options = { .instance = "test-helper" };
static char run_dir[] = "/tmp/weft-helper-XXXXXX";

static bool
succeeds(const char *command)
{
    return system(command) == 0;
}

static struct helper *
spawn(const struct helper_options *opts)
{
    struct helper *helper = NULL;
    struct str error = STR_INIT;

    CHECK_MSG(!helper_spawn(opts, &helper, &error), "%s", str_text(&error));
    str_fini(&error);
    return helper;
}

static struct helper_device_spec
spec_of(const char *device)
{
    struct helper_device_spec spec;

    memset(&spec, 0, sizeof spec);
    strcpy(spec.port, device);
    strcpy(spec.device, device);
    spec.n_queues = 1;
    return spec;
}

static void
close_device(struct helper *helper, const struct helper_device *device)
{
    helper_release_device(helper, device->handle);
    for (unsigned int i = 0; i < device->n_fds; i++) {
        close(device->fds[i]);
    }
}

TEST(requests_out_of_form_are_refused_and_the_helper_lives_on)
{
    static const char *const names[] = {
        "", ".", "..", "a/b", "a b", "a\"b", "a;b'", "a\\b", "a\nb",
    };
    struct helper *helper = spawn(&options);
    struct helper_request request;
    struct helper_reply reply;
    struct helper_device device;
    struct helper_device_spec spec;
    struct link_info link;

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        spec = spec_of(names[i]);
        CHECK(helper_open_device(helper, HELPER_TAP, &spec, &device, NULL)
              == -EINVAL);
    }
    spec = spec_of("t0");
    memset(spec.device, 'x', sizeof spec.device);
    CHECK(helper_open_device(helper, HELPER_TAP, &spec, &device, NULL)
          == -EINVAL);
    spec = spec_of("t0");
    CHECK(helper_open_device(helper, 77, &spec, &device, NULL) == -EINVAL);
    spec.n_queues = 1000;
    CHECK(helper_open_device(helper, HELPER_TAP, &spec, &device, NULL)
          == -EINVAL);
    CHECK(helper_get_link(helper, 4711, &link) == -ENOENT);
    CHECK(helper_set_link(helper, 4711, LINK_UP, 0, NULL, NULL) == -ENOENT);
    helper_release_device(helper, 4711);

    /* Too short, and of no known type. */
    CHECK(send(helper_fd(helper), "x", 1, 0) == 1);
    CHECK(recv(helper_fd(helper), &reply, sizeof reply, 0) == sizeof reply);
    CHECK(reply.error == -EINVAL);
    memset(&request, 0, sizeof request);
    request.type = 999;
    CHECK(send(helper_fd(helper), &request, sizeof request, 0) > 0);
    CHECK(recv(helper_fd(helper), &reply, sizeof reply, 0) == sizeof reply);
    CHECK(reply.error == -ENOSYS);

    spec = spec_of("t0");
    CHECK(!helper_open_device(helper, HELPER_TAP, &spec, &device, NULL));
    close_device(helper, &device);
    helper_close(helper);
}

TEST(what_is_given_inside_is_checked)
{
    static const struct helper_inside bad[] = {
        { .addresses = "10.0.0.1" },
        { .addresses = "10.0.0.1/33" },
        { .addresses = "10.0.0.1/24++10.0.0.2/24" },
        { .addresses = "fd00::1/129" },
        { .gateways = "10.0.0.1/24" },
        { .gateways = "10.0.0" },
        { .dns = "10.0.0.1\nnameserver" },
        { .dns = "10.0.0.1 10.0.0.2" },
        { .search = "a\nb" },
        { .search = "a b" },
    };
    struct helper *helper = spawn(&options);
    struct helper_device_spec spec = spec_of("t0");
    struct helper_device device;
    struct helper_inside inside = { .addresses = "10.0.0.1/24" };

    CHECK(!helper_open_device(helper, HELPER_TAP, &spec, &device, NULL));
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        CHECK_MSG(helper_set_inside(helper, device.handle, &bad[i], NULL)
                  == -EINVAL, "%zu", i);
    }
    memset(inside.search, 'x', sizeof inside.search);
    CHECK(helper_set_inside(helper, device.handle, &inside, NULL)
          == -EINVAL);
    CHECK(helper_set_inside(helper, 4711, &bad[0], NULL) == -ENOENT);
    CHECK(!succeeds("ip addr show dev t0 | grep -q 10.0.0.1"));

    memset(&inside, 0, sizeof inside);
    strcpy(inside.addresses, "10.0.0.1/24+10.1.0.1/24");
    strcpy(inside.gateways, "10.0.0.254");
    CHECK(!helper_set_inside(helper, device.handle, &inside, NULL));
    CHECK(succeeds("ip route show default dev t0 | grep -q 10.0.0.254"));
    strcpy(inside.addresses, "10.1.0.1/24");
    strcpy(inside.gateways, "10.1.0.254");
    CHECK(!helper_set_inside(helper, device.handle, &inside, NULL));
    CHECK(!succeeds("ip addr show dev t0 | grep -q 10.0.0.1/24"));
    CHECK(succeeds("ip addr show dev t0 | grep -q 10.1.0.1/24"));
    CHECK(succeeds("ip route show default dev t0 | grep -q 10.1.0.254"));
    /* Within one prefix, where the kernel takes the later with the earlier. */
    strcpy(inside.addresses, "10.1.0.1/24+10.1.0.2/24");
    CHECK(!helper_set_inside(helper, device.handle, &inside, NULL));
    strcpy(inside.addresses, "10.1.0.3/24+10.1.0.2/24");
    CHECK(!helper_set_inside(helper, device.handle, &inside, NULL));
    CHECK(!succeeds("ip addr show dev t0 | grep -q 10.1.0.1/24"));
    CHECK(succeeds("ip addr show dev t0 | grep -q 10.1.0.2/24"));
    CHECK(succeeds("ip addr show dev t0 | grep -q 10.1.0.3/24"));
    CHECK(succeeds("ip route show default dev t0 | grep -q 10.1.0.254"));
    close_device(helper, &device);
    helper_close(helper);
}

TEST(a_links_settings_are_read_and_changed)
{
    struct helper *helper = spawn(&options);
    struct helper_device_spec spec = spec_of("t0");
    struct eth_addr mac = { { 2, 0, 0, 0, 0x77, 2 } };
    struct helper_device device;
    struct link_info link;

    CHECK(!helper_open_device(helper, HELPER_TAP, &spec, &device, NULL));
    CHECK(!helper_get_link(helper, device.handle, &link));
    CHECK(!strcmp(link.name, "t0") && link.is_up && link.mtu == 1500);
    CHECK(link.tx_queue_len == 1024 && !strcmp(link.kind, "tun"));
    CHECK(!strcmp(link.alias, "weft:test-helper:t0"));

    CHECK(!helper_set_link(helper, device.handle, LINK_DOWN, 1400, &mac,
                           NULL));
    CHECK(!helper_get_link(helper, device.handle, &link));
    CHECK(!link.is_up && link.mtu == 1400 && eth_addr_eq(link.mac, mac));

    CHECK(succeeds("ip link del t0"));
    CHECK(helper_get_link(helper, device.handle, &link) == -ENODEV);
    close_device(helper, &device);
    helper_close(helper);
}

TEST(a_monitor_reports_links)
{
    struct helper *helper = spawn(&options);
    int fd = helper_open_link_monitor(helper, "", NULL);
    char buffer[8192];

    CHECK(fd >= 0);
    CHECK(recv(fd, buffer, sizeof buffer, 0) < 0 && errno == EAGAIN);
    CHECK(succeeds("ip link add d0 type veth peer name d1"));
    CHECK(recv(fd, buffer, sizeof buffer, 0) > 0);
    CHECK(succeeds("ip link del d0"));
    close(fd);
    CHECK(helper_open_link_monitor(helper, "no-such-netns", NULL)
          == -ENODEV);
    helper_close(helper);
}

TEST(files_are_opened_only_where_they_belong)
{
    struct helper_options opts = options;
    struct helper *helper;
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    char command[128], path[64];
    char byte = 0;
    int fd, peer;

    opts.run_dir = opts.config_dir = run_dir;
    snprintf(command, sizeof command, "echo x > %s/a; ln -s /etc/passwd %s/b",
             run_dir, run_dir);
    CHECK(succeeds(command));
    helper = spawn(&opts);

    fd = helper_open_config(helper, "a", NULL);
    CHECK(fd >= 0 && read(fd, &byte, 1) == 1 && byte == 'x');
    CHECK(write(fd, "y", 1) < 0);
    close(fd);
    CHECK(helper_open_config(helper, "b", NULL) < 0);
    CHECK(helper_open_config(helper, "../../etc/passwd", NULL) < 0);
    CHECK(helper_open_config(helper, "/etc/passwd", NULL) < 0);
    CHECK(helper_open_config(helper, ".", NULL) < 0);
    CHECK(helper_open_config(helper, "c", NULL) == -ENOENT);

    fd = helper_listen_unix(helper, "api.sock", 0600, NULL);
    CHECK(fd >= 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s/api.sock",
             run_dir);
    peer = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK(!connect(peer, (struct sockaddr *) &address, sizeof address));
    close(peer);
    CHECK(helper_listen_unix(helper, "api.sock", 0600, NULL)
          == -EADDRINUSE);
    close(fd);
    /* What a killed daemon left does not stand in the way. */
    fd = helper_listen_unix(helper, "api.sock", 0600, NULL);
    CHECK(fd >= 0);
    close(fd);
    CHECK(helper_listen_unix(helper, "../x", 0600, NULL) == -EINVAL);
    CHECK(helper_listen_unix(helper, ".x", 0600, NULL) == -EINVAL);
    CHECK(helper_listen_unix(helper, "x", 04777, NULL) == -EINVAL);
    helper_close(helper);

    CHECK(access(address.sun_path, F_OK) && errno == ENOENT);
    snprintf(path, sizeof path, "%s/a", run_dir);
    unlink(path);
    snprintf(path, sizeof path, "%s/b", run_dir);
    unlink(path);
}

TEST(one_instance_runs_once_per_namespace)
{
    struct helper *helper = spawn(&options), *second = NULL;
    struct str error = STR_INIT;

    CHECK(helper_spawn(&options, &second, &error) == -EADDRINUSE);
    CHECK(strstr(str_text(&error), "runs already"));
    helper_close(helper);
    helper = spawn(&options);
    helper_close(helper);
    CHECK(helper_spawn(&(struct helper_options) { .instance = "a/b" },
                       &second, &error) == -EINVAL);
    str_fini(&error);
}

static pid_t
child_pid(void)
{
    char text[32] = "";
    int fd = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);

    CHECK(fd >= 0 && read(fd, text, sizeof text - 1) > 0);
    close(fd);
    return atoi(text);
}

TEST(the_next_start_removes_what_a_killed_helper_left)
{
    struct helper *helper = spawn(&options);
    struct helper_device_spec spec = spec_of("vm0");
    struct helper_device device;
    char byte;

    CHECK(succeeds("ip link add d0 type veth peer name d1"));
    CHECK(!helper_open_device(helper, HELPER_VM_TAP, &spec, &device, NULL));
    close(device.fds[0]);
    spec = spec_of("d0");
    CHECK(!helper_open_device(helper, HELPER_NETDEV, &spec, &device, NULL));
    close(device.fds[0]);
    spec = spec_of("t0");
    CHECK(!helper_open_device(helper, HELPER_TAP, &spec, &device, NULL));
    close(device.fds[0]);
    spec = spec_of("e0");
    CHECK(!helper_open_device(helper, HELPER_VETH, &spec, &device, NULL));
    close(device.fds[0]);

    kill(child_pid(), SIGKILL);
    CHECK(recv(helper_fd(helper), &byte, 1, 0) == 0);
    CHECK(helper_open_device(helper, HELPER_TAP, &spec, &device, NULL)
          == -EPIPE);
    helper_close(helper);

    /* Closed is the safe side: the VM's frames do not reach the host now. */
    CHECK(succeeds("ip link show vm0 >/dev/null"));
    CHECK(succeeds("test $(nft list tables | wc -l) = 2"));
    CHECK(succeeds("grep -q 1 /proc/sys/net/ipv6/conf/d0/disable_ipv6"));

    helper = spawn(&options);
    CHECK(!succeeds("ip link show vm0 2>/dev/null"));
    CHECK(!succeeds("ip link show t0 2>/dev/null"));
    CHECK(succeeds("test -z \"$(nft list tables)\""));
    CHECK(succeeds("grep -q 0 /proc/sys/net/ipv6/conf/d0/disable_ipv6"));
    /* The pair's namespace may not be quite gone yet. */
    spec = spec_of("e0");
    CHECK(!helper_open_device(helper, HELPER_VETH, &spec, &device, NULL));
    close_device(helper, &device);
    helper_close(helper);
    CHECK(succeeds("ip link del d0"));
}

TEST(a_kept_tap_is_adopted_by_the_next_run_that_asks_for_it)
{
    struct helper_options keep = options;
    struct helper_device_spec spec = spec_of("vm0");
    struct helper_device device;
    struct helper *helper;
    uint32_t ifindex;

    keep.keep_devices = true;
    helper = spawn(&keep);
    CHECK(!helper_open_device(helper, HELPER_VM_TAP, &spec, &device, NULL));
    ifindex = device.ifindex;
    close(device.fds[0]);
    helper_close(helper);
    CHECK(succeeds("ip link show vm0 >/dev/null"));
    CHECK(succeeds("test $(nft list tables | wc -l) = 1"));

    helper = spawn(&keep);
    CHECK(!helper_open_device(helper, HELPER_VM_TAP, &spec, &device, NULL));
    CHECK(device.ifindex == ifindex);
    CHECK(!helper_settle(helper));
    CHECK(succeeds("test $(nft list tables | wc -l) = 1"));
    close(device.fds[0]);
    helper_close(helper);

    /* Nobody asks for it any more. */
    helper = spawn(&keep);
    CHECK(succeeds("ip link show vm0 >/dev/null"));
    CHECK(!helper_settle(helper));
    CHECK(!succeeds("ip link show vm0 2>/dev/null"));
    CHECK(succeeds("test -z \"$(nft list tables)\""));
    helper_close(helper);
}

/* Runs `body` as weftd would; its exit status, or -signal. */
static int
run_supervised(const struct helper_options *opts,
               void (*body)(struct helper *))
{
    pid_t pid = fork();
    int status = 0;

    CHECK(pid >= 0);
    if (!pid) {
        struct helper *helper = NULL;
        struct str error = STR_INIT;

        if (helper_start(opts, &helper, &error)) {
            fprintf(stderr, "%s\n", str_text(&error));
            _exit(99);
        }
        body(helper);
        _exit(98);
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
        continue;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void
die_once_then_adopt(struct helper *helper)
{
    struct helper_device_spec spec = spec_of("t0"), extra = spec_of("t1");
    struct helper_device device;
    unsigned int generation = helper_generation(helper);

    if (helper_open_device(helper, HELPER_TAP, &spec, &device, NULL)) {
        _exit(1);
    }
    if (generation == 0) {
        /* Something that only the first main asks for. */
        helper_open_device(helper, HELPER_TAP, &extra, &device, NULL);
        raise(SIGKILL);
    }
    /* The same device: it was never gone. */
    if (device.handle != 1 || !succeeds("ip link show t1 >/dev/null")) {
        _exit(2);
    }
    helper_settle(helper);
    _exit(succeeds("ip link show t1 2>/dev/null") ? 3 : 7);
}

TEST(a_crashed_main_is_started_again_and_gets_its_devices_back)
{
    assert_int_equal(run_supervised(&options, die_once_then_adopt), 7);
    CHECK(!succeeds("ip link show t0 2>/dev/null"));
}

static void
wait_for_sigterm(struct helper *helper UNUSED)
{
    sigset_t set;
    int signo = 0;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    kill(getppid(), SIGTERM);
    sigwait(&set, &signo);
    _exit(signo == SIGTERM ? 5 : 1);
}

TEST(sigterm_is_passed_on_to_main)
{
    assert_int_equal(run_supervised(&options, wait_for_sigterm), 5);
}

static void
try_privileges(struct helper *helper)
{
    struct helper_device_spec spec = spec_of("t0");
    struct helper_device device;
    int raw = socket(AF_PACKET, SOCK_RAW, 0);

    if (raw >= 0 || unshare(CLONE_NEWNET) == 0
        || mount("none", "/mnt", "tmpfs", 0, NULL) == 0) {
        _exit(1);
    }
    /* Nor by executing something. */
    if (succeeds("ip link add x0 type veth peer name x1 2>/dev/null")) {
        _exit(2);
    }
    if (helper_open_device(helper, HELPER_TAP, &spec, &device, NULL)) {
        _exit(3);
    }
    _exit(0);
}

TEST(main_has_no_capabilities)
{
    struct helper_options other = options;

    assert_int_equal(run_supervised(&options, try_privileges), 0);
    other.uid = other.gid = 65534;
    assert_int_equal(run_supervised(&other, try_privileges), 0);
}

static void
confine_then_mount(struct helper *helper)
{
    struct helper_device_spec spec = spec_of("t0");
    struct helper_device device;
    struct str error = STR_INIT;

    if (helper_generation(helper) > 0) {
        _exit(6);
    }
    if (confine_system_calls(CONFINE_KILL, &error)) {
        fprintf(stderr, "%s\n", str_text(&error));
        _exit(1);
    }
    /* All that a forwarding process does still works. */
    if (helper_open_device(helper, HELPER_TAP, &spec, &device, NULL)) {
        _exit(2);
    }
    free(malloc(1 << 20));
    mount("none", "/mnt", "tmpfs", 0, NULL);
    _exit(3);
}

TEST(a_system_call_outside_of_the_list_ends_main)
{
    assert_int_equal(run_supervised(&options, confine_then_mount), 6);
}

static int
set_up(void **state UNUSED)
{
    if (geteuid() || unshare(CLONE_NEWNET)) {
        print_message("needs root and network namespaces: skipped\n");
        exit(77);
    }
    return mkdtemp(run_dir) ? 0 : -1;
}

static int
tear_down(void **state UNUSED)
{
    return rmdir(run_dir);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        RUN(requests_out_of_form_are_refused_and_the_helper_lives_on),
        RUN(what_is_given_inside_is_checked),
    RUN(a_links_settings_are_read_and_changed),
        RUN(a_monitor_reports_links),
        RUN(files_are_opened_only_where_they_belong),
        RUN(one_instance_runs_once_per_namespace),
        RUN(the_next_start_removes_what_a_killed_helper_left),
        RUN(a_kept_tap_is_adopted_by_the_next_run_that_asks_for_it),
        RUN(a_crashed_main_is_started_again_and_gets_its_devices_back),
        RUN(sigterm_is_passed_on_to_main),
        RUN(main_has_no_capabilities),
        RUN(a_system_call_outside_of_the_list_ends_main),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
