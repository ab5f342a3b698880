/* What is in the way of uplinks that lead out through the host's own stack. */
#include "cli/doctor.h"

#include <stdio.h>
#include <stdlib.h>

#include "cli/firewall.h"

enum { RULESET_MAX = 64 << 20, FIX_SIZE = 512 };

/* ---- What the daemon does ---- */

/* NULL: the daemon does not answer, or nobody leaves by the host. */
static const json_t *
host_nat(const struct patient *patient)
{
    const json_t *nat = json_object_get(patient->status, "host_nat");

    return json_array_size(json_object_get(nat, "legs")) ? nat : NULL;
}

static const char *
text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

/* Nothing to be examined: says so. */
static bool
is_idle(const struct patient *patient, struct finding *finding)
{
    if (!patient->status) {
        doctor_find(finding, UNKNOWN, NULL, "the daemon does not answer");
    } else if (!host_nat(patient)) {
        doctor_find(finding, FINE, NULL,
                    "no network leads out through the host");
    } else {
        return false;
    }
    return true;
}

/* ---- The kernel's switches ---- */

static bool
has_ipv6(const struct patient *patient)
{
    const json_t *leg;
    size_t i;

    json_array_foreach (json_object_get(host_nat(patient), "legs"), i, leg) {
        if (*text_of(leg, "address6")) {
            return true;
        }
    }
    return false;
}

void
doctor_forwarding(struct patient *patient, struct finding *finding)
{
    char line[16] = "";

    if (is_idle(patient, finding)) {
        return;
    }
    if (!doctor_read_line("/proc/sys/net/ipv4/ip_forward", line,
                          sizeof line)) {
        doctor_find(finding, UNKNOWN, NULL, "net.ipv4.ip_forward: %s",
                    strerror(errno));
    } else if (strcmp(line, "1")) {
        doctor_find(finding, PROBLEM, "sysctl -w net.ipv4.ip_forward=1, and "
                    "see who sets it in /etc/sysctl.d",
                    "somebody switched forwarding off (net.ipv4.ip_forward): "
                    "no guest gets out");
    } else if (has_ipv6(patient)
               && doctor_read_line("/proc/sys/net/ipv6/conf/all/forwarding",
                                   line, sizeof line)
               && strcmp(line, "1")) {
        doctor_find(finding, PROBLEM, "sysctl -w net.ipv6.conf.all."
                    "forwarding=1, and see who sets it in /etc/sysctl.d",
                    "somebody switched forwarding of IPv6 off");
    } else {
        doctor_find(finding, FINE, NULL, "the host forwards");
    }
}

/* A default route's device, in order; "": there is no further. */
static void
default_device(unsigned int skip, char name[64])
{
    FILE *file = fopen("/proc/net/route", "re");
    char line[256];

    name[0] = '\0';
    while (file && fgets(line, sizeof line, file)) {
        unsigned int network, mask;
        char device[64];

        if (sscanf(line, "%63s %x %*x %*x %*d %*d %*d %x", device, &network,
                   &mask) == 3 && !network && !mask && !skip--) {
            strcpy(name, device);
            break;
        }
    }
    if (file) {
        fclose(file);
    }
}

static bool
is_strict(const char *device)
{
    static const char *const everywhere = "all";
    int value = 0;

    for (int i = 0; i < 2; i++) {
        char path[160], line[16];

        snprintf(path, sizeof path, "/proc/sys/net/ipv4/conf/%s/rp_filter",
                 i ? everywhere : device);
        if (doctor_read_line(path, line, sizeof line)) {
            value = MAX(value, atoi(line));
        }
    }
    return value == 1;
}

void
doctor_reverse_path(struct patient *patient, struct finding *finding)
{
    char first[64], second[64];

    if (is_idle(patient, finding)) {
        return;
    }
    default_device(0, first);
    default_device(1, second);
    if (!first[0]) {
        doctor_find(finding, WARNING, "ip route add default via GATEWAY",
                    "the host has no default route: guests reach what the "
                    "host reaches, and no more");
    } else if (second[0] && strcmp(first, second)
               && (is_strict(first) || is_strict(second))) {
        doctor_find(finding, WARNING, "sysctl -w net.ipv4.conf.all."
                    "rp_filter=2 (loose)",
                    "answers that come by another way than guests leave by "
                    "(%s, %s) are dropped: rp_filter is strict", first,
                    second);
    } else {
        doctor_find(finding, FINE, NULL, "guests leave by %s", first);
    }
}

/* ---- nft ---- */

static json_t *
read_ruleset(void)
{
    FILE *file = popen("nft -j list ruleset 2>/dev/null", "re");
    json_t *ruleset;

    if (!file) {
        return NULL;
    }
    ruleset = json_loadf(file, 0, NULL);
    return pclose(file) ? (json_decref(ruleset), NULL) : ruleset;
}

/* False: it says why. */
static bool
has_ruleset(struct patient *patient, struct finding *finding)
{
    if (!patient->is_ruleset_read) {
        patient->ruleset = read_ruleset();
        patient->is_ruleset_read = true;
    }
    if (!patient->ruleset) {
        doctor_find(finding, UNKNOWN, "run this as root, with Debian's "
                    "package nftables", "nft's rules cannot be read");
    }
    return patient->ruleset;
}

void
doctor_host_nat(struct patient *patient, struct finding *finding)
{
    const json_t *nat = host_nat(patient);
    const char *error, *table;

    if (is_idle(patient, finding)) {
        return;
    }
    error = text_of(nat, "error");
    table = text_of(nat, "table");
    if (*error) {
        doctor_find(finding, PROBLEM, "weftd tries again by itself; "
                    "journalctl -u weft", "the host's NAT: %s", error);
    } else if (!has_ruleset(patient, finding)) {
        return;
    } else if (!firewall_has_table(patient->ruleset, "inet", table)) {
        doctor_find(finding, PROBLEM, "nft monitor says who removes it; "
                    "weftd puts it back",
                    "nft table inet %s is not there", table);
    } else {
        doctor_find(finding, FINE, NULL, "nft table inet %s is there",
                    table);
    }
}

/* How whoever wrote those rules is told that this device may. */
static void
format_fix(const json_t *ruleset, const char *who, const char *device,
           char fix[FIX_SIZE])
{
    if (firewall_has_chain(ruleset, "DOCKER-USER")) {
        snprintf(fix, FIX_SIZE, "iptables -I DOCKER-USER -i %s -j ACCEPT; "
                 "iptables -I DOCKER-USER -o %s -j ACCEPT", device, device);
    } else if (strstr(who, " firewalld ")) {
        snprintf(fix, FIX_SIZE, "firewall-cmd --permanent --zone=trusted "
                 "--add-interface=%s; firewall-cmd --reload", device);
    } else if (firewall_has_chain(ruleset, "ufw-user-forward")) {
        snprintf(fix, FIX_SIZE, "ufw route allow in on %s; ufw route allow "
                 "out on %s", device, device);
    } else {
        int len = (int) strcspn(who, "(");

        snprintf(fix, FIX_SIZE, "nft insert rule %.*siifname %s accept; nft "
                 "insert rule %.*soifname %s accept", len, who, device, len,
                 who, device);
    }
}

static enum firewall_verdict
ask_leg(struct patient *patient, const json_t *leg, const char *outside,
        struct str *who)
{
    const char *device = text_of(leg, "device");
    const char *address = text_of(leg, "address");
    const char *ours = text_of(host_nat(patient), "table");
    const struct firewall_packet leaving = {
        .in = device, .out = outside, .from = address,
    };
    const struct firewall_packet coming = {
        .in = outside, .out = device, .to = address, .status = "dnat",
    };
    struct str by = STR_INIT;
    enum firewall_verdict out = firewall_ask(patient->ruleset, "forward",
                                             ours, &leaving, who);
    enum firewall_verdict in = firewall_ask(patient->ruleset, "forward",
                                            ours, &coming, &by);

    if (in > out) {
        str_setf(who, "%s", str_text(&by));
    }
    str_fini(&by);
    return MAX(in, out);
}

/* Rules of the older kind are not nft's to show. */
static bool
has_legacy_rules(void)
{
    char line[64];

    return doctor_read_line("/proc/net/ip_tables_names", line, sizeof line);
}

void
doctor_host_firewall(struct patient *patient, struct finding *finding)
{
    struct str who = STR_INIT;
    char outside[64], fix[FIX_SIZE];
    const json_t *leg;
    size_t i;

    if (is_idle(patient, finding) || !has_ruleset(patient, finding)) {
        return;
    }
    default_device(0, outside);
    doctor_find(finding, FINE, NULL, "no rule of others stops what guests "
                "send or what forwards let in");
    if (has_legacy_rules()) {
        doctor_find(finding, WARNING, "iptables-legacy -S FORWARD",
                    "there are rules of iptables-legacy, which nft does not "
                    "show");
    }
    json_array_foreach (json_object_get(host_nat(patient), "legs"), i, leg) {
        const char *device = text_of(leg, "device");
        enum firewall_verdict verdict = ask_leg(
            patient, leg, outside[0] ? outside : NULL, &who);

        if (verdict == FIREWALL_PASSES) {
            continue;
        }
        format_fix(patient->ruleset, str_text(&who), device, fix);
        doctor_find(finding, verdict == FIREWALL_STOPS ? PROBLEM : WARNING,
                    fix, "%s %s what is forwarded by %s", str_text(&who),
                    verdict == FIREWALL_STOPS ? "drops" : "may drop",
                    device);
        break;
    }
    str_fini(&who);
}

void
doctor_host_masquerade(struct patient *patient, struct finding *finding)
{
    struct str who = STR_INIT;
    const json_t *leg;
    size_t i;
    char outside[64];

    if (is_idle(patient, finding) || !has_ruleset(patient, finding)) {
        return;
    }
    default_device(0, outside);
    doctor_find(finding, FINE, NULL, "nobody else translates what guests "
                "send");
    json_array_foreach (json_object_get(host_nat(patient), "legs"), i, leg) {
        const struct firewall_packet leaving = {
            .in = text_of(leg, "device"),
            .out = outside[0] ? outside : NULL,
            .from = text_of(leg, "address"),
        };

        if (firewall_translates(patient->ruleset,
                                text_of(host_nat(patient), "table"),
                                &leaving, &who)) {
            doctor_find(finding, WARNING, "leave our source out of that rule, "
                        "as in: ip saddr != 169.254.0.0/16",
                        "%s translates what guests send before we do: they "
                        "may appear with another address", str_text(&who));
            break;
        }
    }
    str_fini(&who);
}

/* What nobody can mend, but should be known. */
void
doctor_second_nat(struct patient *patient, struct finding *finding)
{
    const json_t *legs = json_object_get(host_nat(patient), "legs");

    if (is_idle(patient, finding)) {
        return;
    }
    doctor_find(finding, FINE, "for the whole of it: an uplink with device "
                "and address, which translates once",
                "the host translates once more: mapping and filtering that "
                "do not depend on the other end, and hairpin (RFC 4787, "
                "5382, 5508) hold at %s, and beyond it only while the host "
                "has the same port free",
                text_of(json_array_get(legs, 0), "address"));
}
