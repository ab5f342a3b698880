/* What is in the way of tunnels to other hosts. */
#include "cli/doctor.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/client.h"
#include "intent/host.h"
#include "packet/address.h"

/* ---- What is asked for ---- */

static const char *
text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static const json_t *
hosts_of(struct patient *patient)
{
    struct answer answer;

    if (patient->hosts) {
        return patient->hosts;
    }
    if (client_try(patient->cli, "GET", "/v1/intent/host", NULL, &answer)
        == CLI_DONE) {
        patient->hosts = json_incref(json_object_get(answer.json, "hosts"));
    }
    answer_fini(&answer);
    if (!patient->hosts) {
        patient->hosts = json_array();
    }
    return patient->hosts;
}

/* The members of this host; NULL: the finding says why there are none. */
static const json_t *
find_own(struct patient *patient, struct finding *finding)
{
    const char *own = text_of(patient->status, "host");
    const json_t *hosts = hosts_of(patient), *host;
    size_t i;

    if (!patient->status) {
        doctor_find(finding, UNKNOWN, NULL, "the daemon does not answer");
        return NULL;
    }
    if (!json_array_size(hosts)) {
        doctor_find(finding, FINE, NULL, "no overlay joins this host");
        return NULL;
    }
    json_array_foreach (hosts, i, host) {
        const char *name = text_of(host, "name");

        if (own && name && !strcmp(own, name)) {
            return json_object_get(host, "members");
        }
    }
    doctor_find(finding, WARNING, "weftd --host NAME, by the name in hosts:, "
                "or weft host create", "this host is '%s', and hosts: does "
                "not have it: no overlay joins it", own ? own : "");
    return NULL;
}

static bool
read_tunnel(const json_t *members, struct ip6_addr *tunnel)
{
    const char *text = text_of(members, "tunnel");

    return text && ip_parse(text, tunnel);
}

/* ---- What there is ---- */

/* Returns the size. */
static socklen_t
make_sockaddr(struct ip6_addr address, struct sockaddr_storage *result)
{
    struct sockaddr_in *in = (struct sockaddr_in *) result;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *) result;

    memset(result, 0, sizeof *result);
    if (ip6_is_mapped4(&address)) {
        in->sin_family = AF_INET;
        in->sin_port = htons(HOST_PEER_PORT);       /* any will do */
        memcpy(&in->sin_addr, &address.b[12], sizeof in->sin_addr);
        return sizeof *in;
    }
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons(HOST_PEER_PORT);
    memcpy(&in6->sin6_addr, &address, sizeof in6->sin6_addr);
    return sizeof *in6;
}

static bool
is_address(const struct sockaddr *a, struct ip6_addr address)
{
    struct sockaddr_storage wanted;

    make_sockaddr(address, &wanted);
    if (!a || a->sa_family != wanted.ss_family) {
        return false;
    }
    return a->sa_family == AF_INET
           ? !memcmp(&((const struct sockaddr_in *) a)->sin_addr,
                     &address.b[12], 4)
           : !memcmp(&((const struct sockaddr_in6 *) a)->sin6_addr, &address,
                     sizeof address);
}

void
doctor_tunnel_address(struct patient *patient, struct finding *finding)
{
    const json_t *own = find_own(patient, finding);
    struct ifaddrs *list = NULL, *i = NULL;
    struct ip6_addr tunnel;

    if (!own || !read_tunnel(own, &tunnel)) {
        return;
    }
    if (getifaddrs(&list)) {
        doctor_find(finding, UNKNOWN, NULL, "addresses of this machine: %s",
                    strerror(errno));
        return;
    }
    for (i = list; i && !is_address(i->ifa_addr, tunnel); i = i->ifa_next) {
        continue;
    }
    if (i) {
        doctor_find(finding, FINE, NULL, "%s is on %s",
                    text_of(own, "tunnel"), i->ifa_name);
    } else {
        doctor_find(finding, PROBLEM, "ip address add it to the device that "
                    "leads to the other hosts, or weft host set --tunnel; a "
                    "wrong name: weftd --host",
                    "this host's end of tunnels, %s, is no address of this "
                    "machine", text_of(own, "tunnel"));
    }
    freeifaddrs(list);
}

/* The largest packet on the way there, as the kernel knows it; nothing is sent.
 * Else a negative errno. */
static int
ask_route(struct ip6_addr from, struct ip6_addr to)
{
    struct sockaddr_storage local, remote;
    socklen_t local_len = make_sockaddr(from, &local);
    socklen_t remote_len = make_sockaddr(to, &remote);
    bool is_ip4 = ip6_is_mapped4(&to);
    socklen_t size = sizeof(int);
    int mtu = 0, fd = socket(remote.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    ((struct sockaddr_in *) &local)->sin_port = 0;
    if (fd < 0 || bind(fd, (struct sockaddr *) &local, local_len)
        || connect(fd, (struct sockaddr *) &remote, remote_len)
        || getsockopt(fd, is_ip4 ? IPPROTO_IP : IPPROTO_IPV6,
                      is_ip4 ? IP_MTU : IPV6_MTU, &mtu, &size)) {
        mtu = -errno;
    }
    if (fd >= 0) {
        close(fd);
    }
    return mtu;
}

void
doctor_tunnel_path(struct patient *patient, struct finding *finding)
{
    const json_t *own = find_own(patient, finding), *host;
    json_int_t wanted = json_integer_value(json_object_get(own, "mtu"));
    struct ip6_addr from, to;
    size_t i;

    if (!own || !read_tunnel(own, &from)) {
        return;
    }
    wanted = wanted ? wanted : HOST_DEFAULT_MTU;
    doctor_find(finding, FINE, NULL, "every host can be reached by packets of "
                "%lld bytes, as far as the kernel knows", (long long) wanted);
    json_array_foreach (hosts_of(patient), i, host) {
        const json_t *members = json_object_get(host, "members");
        const char *name = text_of(host, "name");
        int mtu = 0;

        if (members == own || !read_tunnel(members, &to)) {
            continue;
        }
        mtu = ask_route(from, to);
        if (mtu == -EADDRNOTAVAIL) {
            doctor_find(finding, UNKNOWN, NULL,
                        "there is no address to ask from");
            return;
        }
        if (mtu < 0) {
            doctor_find(finding, PROBLEM, "ip route get ADDRESS", "no way to "
                        "host '%s' at %s: %s", name, text_of(members,
                                                             "tunnel"),
                        strerror(-mtu));
            return;
        }
        if (mtu < wanted) {
            doctor_find(finding, PROBLEM, "a larger mtu on the device that "
                        "leads there (ip route get ADDRESS says which), or "
                        "weft host set --mtu",
                        "only packets of %d bytes reach host '%s', and this "
                        "host's mtu says %lld", mtu, name,
                        (long long) wanted);
            return;
        }
    }
}

/* ---- What probes find out ---- */

static void
find_down(const json_t *tunnel, struct finding *finding)
{
    doctor_find(finding, PROBLEM, "start weftd there; let UDP 4789 (vxlan), "
                "UDP 6081 (geneve) or IP protocol 47 (gre) through between "
                "the hosts", "host '%s' does not answer through %s at %s",
                text_of(tunnel, "host"), text_of(tunnel, "type"),
                text_of(tunnel, "address"));
}

static void
find_too_small(const json_t *tunnel, struct finding *finding)
{
    const char *host = text_of(tunnel, "host");
    long long fits = json_integer_value(json_object_get(tunnel, "mtu"));
    long long wanted = json_integer_value(json_object_get(tunnel,
                                                          "mtu_wanted"));
    struct str fix = STR_INIT;

    str_add(&fix, "a larger MTU between the hosts");
    if (fits) {
        str_addf(&fix, ", or weft host set %s --mtu %lld", host,
                 (long long) json_integer_value(
                     json_object_get(tunnel, "underlay_mtu")));
        doctor_find(finding, PROBLEM, str_text(&fix), "packets of %lld bytes "
                    "reach host '%s' through %s, and guests were told %lld",
                    fits, host, text_of(tunnel, "type"), wanted);
    } else {
        doctor_find(finding, PROBLEM, str_text(&fix), "packets of %lld bytes "
                    "do not reach host '%s' through %s; how large ones do is "
                    "being found out", wanted, host, text_of(tunnel, "type"));
    }
    str_fini(&fix);
}

static void
examine_tunnels(const json_t *tunnels, struct finding *finding)
{
    const json_t *tunnel;
    unsigned int n_up = 0;
    size_t i;

    json_array_foreach (tunnels, i, tunnel) {
        const char *state = text_of(tunnel, "state");

        if (state && !strcmp(state, "down")) {
            find_down(tunnel, finding);
            return;
        }
        if (state && !strcmp(state, "mtu-too-small")) {
            find_too_small(tunnel, finding);
            return;
        }
        n_up += state && !strcmp(state, "up");
    }
    doctor_find(finding, FINE, NULL, "%u of %zu ways to other hosts carry "
                "what guests were told, the others were not asked yet", n_up,
                json_array_size(tunnels));
}

void
doctor_tunnel_probes(struct patient *patient, struct finding *finding)
{
    struct answer answer;

    if (!patient->status) {
        doctor_find(finding, UNKNOWN, NULL, "the daemon does not answer");
        return;
    }
    if (client_try(patient->cli, "GET", "/v1/controller/tunnels", NULL,
                   &answer) != CLI_DONE) {
        doctor_find(finding, UNKNOWN, NULL, "there is no controller to ask");
    } else if (!json_array_size(json_object_get(answer.json, "tunnels"))) {
        doctor_find(finding, FINE, NULL, "no other host is to be asked");
    } else {
        examine_tunnels(json_object_get(answer.json, "tunnels"), finding);
    }
    answer_fini(&answer);
}

/* ---- Channels to other hosts ---- */

static void
examine_peers(const json_t *about, struct finding *finding)
{
    const json_t *peers = json_object_get(about, "peers"), *peer;
    const char *complaint = text_of(about, "complaint");
    unsigned int n_up = 0;
    size_t i;

    if (complaint && *complaint) {
        doctor_find(finding, PROBLEM, "weft host set HOST --certificate "
                    "$(weft host certificate), in the file of all hosts",
                    "%s", complaint);
        return;
    }
    json_array_foreach (peers, i, peer) {
        const char *state = text_of(peer, "state");
        const char *reason = text_of(peer, "reason");

        if (!strcmp(state, "calling") || !strcmp(state, "awaited")) {
            doctor_find(finding, PROBLEM, "start weftd there; let TCP 6650, or "
                        "what its peer member says, through between the hosts",
                        "there is no channel with host '%s' (%s%s%s): its "
                        "ports are where the file says, or where it said last",
                        text_of(peer, "host"), state, *reason ? ", " : "",
                        reason);
            return;
        }
        n_up += !strcmp(state, "up");
    }
    doctor_find(finding, FINE, NULL, "%u of %zu other hosts say which ports "
                "they have, the others have no certificate", n_up,
                json_array_size(peers));
}

void
doctor_tunnel_peers(struct patient *patient, struct finding *finding)
{
    struct answer answer;

    if (!patient->status) {
        doctor_find(finding, UNKNOWN, NULL, "the daemon does not answer");
        return;
    }
    if (client_try(patient->cli, "GET", "/v1/peers", NULL, &answer)
        != CLI_DONE) {
        doctor_find(finding, UNKNOWN, NULL, "there is no controller to ask");
    } else if (!json_array_size(json_object_get(answer.json, "peers"))) {
        doctor_find(finding, FINE, NULL, "there is no other host");
    } else {
        examine_peers(answer.json, finding);
    }
    answer_fini(&answer);
}
