/* weft doctor: what on this machine is in Weft's way, and what mends it.
 *
 * One row and one function per thing that is looked at; it needs no daemon, and
 * says so when there is none.  Everything is read where it stands (/proc, /sys,
 * the daemon's answers); nothing is changed. */

#include "cli/doctor.h"

#include "cli/client.h"
#include "cli/commands.h"
#include "cli/table.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

static const char *const verdict_texts[] = {
#define X(ID, TEXT) [ID] = TEXT,
    VERDICTS(X)
#undef X
};

void
doctor_find(struct finding *finding, enum verdict verdict, const char *fix,
            const char *format, ...)
{
    va_list args;

    finding->verdict = verdict;
    str_clear(&finding->what);
    va_start(args, format);
    str_addv(&finding->what, format, args);
    va_end(args);
    str_setf(&finding->fix, "%s", fix ? fix : "");
}

bool
doctor_read_line(const char *path, char *line, int size)
{
    FILE *file = fopen(path, "re");
    bool is_read = file && fgets(line, size, file);

    if (file) {
        fclose(file);
    }
    if (is_read) {
        line[strcspn(line, "\n")] = '\0';
    }
    return is_read;
}

/* ---- The machine ---- */

enum { KERNEL_MAJOR = 5, KERNEL_MINOR = 10 };

static void
examine_kernel(struct patient *patient UNUSED, struct finding *finding)
{
    unsigned int major = 0, minor = 0;
    struct utsname name;

    if (uname(&name) || sscanf(name.release, "%u.%u", &major, &minor) != 2) {
        doctor_find(finding, UNKNOWN, NULL, "the kernel does not say its version");
    } else if (major < KERNEL_MAJOR
               || (major == KERNEL_MAJOR && minor < KERNEL_MINOR)) {
        doctor_find(finding, PROBLEM, "boot a newer kernel",
             "Linux %s is older than %d.%d", name.release, KERNEL_MAJOR,
             KERNEL_MINOR);
    } else {
        doctor_find(finding, FINE, NULL, "Linux %s", name.release);
    }
}

static void
examine_tun(struct patient *patient UNUSED, struct finding *finding)
{
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

    if (fd >= 0) {
        close(fd);
        doctor_find(finding, FINE, NULL, "/dev/net/tun opens");
    } else if (errno == EACCES || errno == EPERM) {
        doctor_find(finding, UNKNOWN, "run this as root",
             "/dev/net/tun may not be opened by you");
    } else {
        doctor_find(finding, PROBLEM, "modprobe tun; in a container, pass the device "
             "in (--device /dev/net/tun)", "/dev/net/tun: %s",
             strerror(errno));
    }
}

static void
examine_namespaces(struct patient *patient UNUSED,
                   struct finding *finding)
{
    if (access("/proc/self/ns/net", F_OK)) {
        doctor_find(finding, PROBLEM, "a kernel with CONFIG_NET_NS",
             "there are no network namespaces");
    } else {
        doctor_find(finding, FINE, NULL, "network namespaces are there");
    }
}

enum { FILES_PER_PORT = 4, FILES_WANTED = 65536 };

static void
examine_files(struct patient *patient UNUSED, struct finding *finding)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit)) {
        doctor_find(finding, UNKNOWN, NULL, "the limit of open files: %s",
             strerror(errno));
    } else if (limit.rlim_max < FILES_WANTED) {
        doctor_find(finding, WARNING, "LimitNOFILE=1048576 in the service, or "
             "ulimit -Hn", "%llu files may be open, enough for about %llu "
             "ports", (unsigned long long) limit.rlim_max,
             (unsigned long long) limit.rlim_max / FILES_PER_PORT);
    } else {
        doctor_find(finding, FINE, NULL, "%llu files may be open",
             (unsigned long long) limit.rlim_max);
    }
}

/* ---- Others on this machine ---- */

/* Bridges of the kernel that hand their frames to iptables: a guest's frames
 * then meet rules that nobody wrote for them. */
static void
examine_bridge_filter(struct patient *patient UNUSED,
                      struct finding *finding)
{
    static const char *const paths[] = {
        "/proc/sys/net/bridge/bridge-nf-call-iptables",
        "/proc/sys/net/bridge/bridge-nf-call-ip6tables",
    };
    char line[16];

    for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
        if (doctor_read_line(paths[i], line, sizeof line) && strcmp(line, "0")) {
            doctor_find(finding, WARNING,
                 "sysctl net.bridge.bridge-nf-call-iptables=0 "
                 "net.bridge.bridge-nf-call-ip6tables=0 (Docker sets them)",
                 "the kernel's bridges send frames through iptables: a "
                 "device: that is behind one meets the host's rules");
            return;
        }
    }
    doctor_find(finding, FINE, NULL, "no bridge sends frames through iptables");
}

/* Whoever writes firewall rules here, by what it leaves in /proc. */
static void
examine_firewalls(struct patient *patient UNUSED,
                  struct finding *finding)
{
    static const char *const names[] = { "firewalld", "ufw", "dockerd" };
    struct str found = STR_INIT;
    struct dirent *entry;
    DIR *proc = opendir("/proc");

    while (proc && (entry = readdir(proc))) {
        char path[64], line[32];

        if (entry->d_name[0] < '0' || entry->d_name[0] > '9'
            || strlen(entry->d_name) > 10) {
            continue;
        }
        snprintf(path, sizeof path, "/proc/%.10s/comm", entry->d_name);
        if (!doctor_read_line(path, line, sizeof line)) {
            continue;
        }
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
            if (!strcmp(line, names[i])
                && !strstr(str_text(&found), names[i])) {
                str_addf(&found, "%s%s", found.len ? ", " : "", names[i]);
            }
        }
    }
    if (proc) {
        closedir(proc);
    }
    if (found.len) {
        doctor_find(finding, WARNING, "nothing, unless guests leave through the "
             "host: then allow forwarding for them there",
             "%s writes firewall rules here", str_text(&found));
    } else {
        doctor_find(finding, FINE, NULL, "nobody else writes firewall rules");
    }
    str_fini(&found);
}

/* ---- Weft itself ---- */

static void
examine_daemon(struct patient *patient, struct finding *finding)
{
    const char *version;

    if (!patient->status) {
        doctor_find(finding, PROBLEM, "systemctl start weft, or --run-dir where it "
             "runs", "no weftd answers in %s", patient->cli->run_dir);
        return;
    }
    version = json_string_value(json_object_get(patient->status, "version"));
    if (version && strcmp(version, WEFT_VERSION)) {
        doctor_find(finding, WARNING, "restart the daemon",
             "weftd is %s, this command %s", version, WEFT_VERSION);
    } else {
        doctor_find(finding, FINE, NULL, "weftd %s answers",
             version ? version : "");
    }
}

static void
examine_restarts(struct patient *patient, struct finding *finding)
{
    json_int_t n = json_integer_value(json_object_get(patient->status,
                                                      "restarts"));

    if (!patient->status) {
        doctor_find(finding, UNKNOWN, NULL, "the daemon does not answer");
    } else if (n) {
        doctor_find(finding, WARNING, "journalctl -u weft; report it",
             "its main process was restarted %lld times", (long long) n);
    } else {
        doctor_find(finding, FINE, NULL, "it was never restarted by its helper");
    }
}

static void
examine_loops(struct patient *patient, struct finding *finding)
{
    json_int_t n = json_integer_value(json_object_get(patient->status,
                                                      "ports_held"));

    if (!patient->status) {
        doctor_find(finding, UNKNOWN, NULL, "the daemon does not answer");
    } else if (n) {
        doctor_find(finding, WARNING, "weft port list says which, weft port show why",
             "%lld ports are held: a loop, or two stations with one address",
             (long long) n);
    } else {
        doctor_find(finding, FINE, NULL, "no station moves to and fro");
    }
}

static void
examine_ports(struct patient *patient, struct finding *finding)
{
    json_int_t n = json_integer_value(json_object_get(patient->status,
                                                      "ports"));
    json_int_t up = json_integer_value(json_object_get(patient->status,
                                                       "ports_up"));

    if (!patient->status) {
        doctor_find(finding, UNKNOWN, NULL, "the daemon does not answer");
    } else if (up < n) {
        doctor_find(finding, WARNING, "weft port list; a guest that is off looks "
             "so, too", "%lld of %lld ports are down", (long long) (n - up),
             (long long) n);
    } else {
        doctor_find(finding, FINE, NULL, "all %lld ports are up", (long long) n);
    }
}

static void
examine_connections(struct patient *patient, struct finding *finding)
{
    static const char fix[] = "weft connection list --zone N says whose they "
                              "are; --zone-connections and --max-connections "
                              "of weftd(8) are the limits";
    const json_t *zones, *zone;
    struct answer answer;
    json_int_t n, max;

    if (client_try(patient->cli, "GET", "/v1/connections/count", NULL,
                   &answer) != CLI_DONE) {
        doctor_find(finding, UNKNOWN, NULL, "no switch of ours answers");
        goto done;
    }
    n = json_integer_value(json_object_get(answer.json, "connections"));
    max = json_integer_value(json_object_get(answer.json, "max"));
    zones = json_object_get(answer.json, "crowded_zones");
    zone = json_array_get(zones, 0);
    if (zone) {
        doctor_find(finding, WARNING, fix, "zone %lld has %lld of %lld "
                    "connections%s", (long long) json_integer_value(
                        json_object_get(zone, "zone")),
                    (long long) json_integer_value(
                        json_object_get(zone, "connections")),
                    (long long) json_integer_value(
                        json_object_get(zone, "limit")),
                    json_array_size(zones) > 1 ? ", and others are as full"
                                               : "");
    } else {
        doctor_find(finding, n * 5 > max * 4 ? WARNING : FINE,
                    n * 5 > max * 4 ? fix : NULL,
                    "%lld of %lld connections are tracked", (long long) n,
                    (long long) max);
    }

done:
    answer_fini(&answer);
}

static void
examine_intents(struct patient *patient, struct finding *finding)
{
    struct answer answer;
    json_t *port;
    size_t i;

    doctor_find(finding, patient->status ? FINE : UNKNOWN, NULL,
         patient->status ? "every port that was asked for is plugged in"
                         : "the daemon does not answer");
    if (client_try(patient->cli, "GET", "/v1/host", NULL, &answer)
        == CLI_DONE) {
        json_array_foreach (json_object_get(answer.json, "ports"), i, port) {
            const char *error = json_string_value(
                json_object_get(port, "error"));

            if (error) {
                doctor_find(finding, WARNING, "make the device or the namespace, or "
                     "weft port delete", "port '%s': %s",
                     json_string_value(json_object_get(port, "name")),
                     error);
                break;
            }
        }
    }
    answer_fini(&answer);
}

/* Devices here that a daemon made and none of now knows. */
static void
examine_leftovers(struct patient *patient, struct finding *finding)
{
    struct str found = STR_INIT;
    struct dirent *entry;
    DIR *links = opendir("/sys/class/net");

    while (links && (entry = readdir(links))) {
        char path[300], line[256];

        snprintf(path, sizeof path, "/sys/class/net/%.200s/ifalias",
                 entry->d_name);
        if (entry->d_name[0] != '.' && doctor_read_line(path, line, sizeof line)
            && !strncmp(line, "weft:", 5)) {
            str_addf(&found, "%s%s (%s)", found.len ? ", " : "",
                     entry->d_name, line);
        }
    }
    if (links) {
        closedir(links);
    }
    if (found.len && !patient->status) {
        doctor_find(finding, WARNING, "start weftd, which adopts them, or ip link "
             "delete them", "left behind: %s", str_text(&found));
    } else {
        doctor_find(finding, FINE, NULL, found.len ? "devices of ours: %s"
                                            : "no devices were left behind%s",
             str_text(&found));
    }
    str_fini(&found);
}

static const struct {
    const char *name;
    examine *examine;
} examinations[] = {
    { "kernel", examine_kernel },
    { "tun", examine_tun },
    { "namespaces", examine_namespaces },
    { "open-files", examine_files },
    { "bridge-filter", examine_bridge_filter },
    { "firewalls", examine_firewalls },
    { "forwarding", doctor_forwarding },
    { "host-nat", doctor_host_nat },
    { "host-firewall", doctor_host_firewall },
    { "masquerade", doctor_host_masquerade },
    { "reverse-path", doctor_reverse_path },
    { "second-nat", doctor_second_nat },
    { "tunnel-address", doctor_tunnel_address },
    { "tunnel-path", doctor_tunnel_path },
    { "tunnel-probes", doctor_tunnel_probes },
    { "tunnel-peers", doctor_tunnel_peers },
    { "daemon", examine_daemon },
    { "restarts", examine_restarts },
    { "ports", examine_ports },
    { "loops", examine_loops },
    { "connections", examine_connections },
    { "intents", examine_intents },
    { "leftovers", examine_leftovers },
};

static void
print_finding(const char *name, const struct finding *finding)
{
    printf("%-8s %-14s %s\n", verdict_texts[finding->verdict], name,
           str_text(&finding->what));
    if (finding->fix.len) {
        printf("%-8s %-14s   %s\n", "", "", str_text(&finding->fix));
    }
}

static json_t *
finding_json(const char *name, const struct finding *finding)
{
    return json_pack("{s:s, s:s, s:s, s:s?}", "name", name, "verdict",
                     verdict_texts[finding->verdict], "what",
                     str_text(&finding->what), "fix",
                     finding->fix.len ? str_text(&finding->fix) : NULL);
}

enum cli_status
doctor_command(struct cli *cli, const struct cli_args *args UNUSED)
{
    struct patient patient = { .cli = cli };
    struct answer answer;
    json_t *list = json_array();
    bool is_well = true;

    cli->is_quiet = true;
    if (client_try(cli, "GET", "/v1/status", NULL, &answer) == CLI_DONE) {
        patient.status = answer.json;
    }
    for (size_t i = 0; i < ARRAY_SIZE(examinations); i++) {
        struct finding finding = { .verdict = UNKNOWN };

        examinations[i].examine(&patient, &finding);
        is_well = is_well && finding.verdict != PROBLEM;
        if (cli->is_json) {
            json_array_append_new(
                list, finding_json(examinations[i].name, &finding));
        } else {
            print_finding(examinations[i].name, &finding);
        }
        str_fini(&finding.what);
        str_fini(&finding.fix);
    }
    if (cli->is_json) {
        json_dumpf(list, stdout, JSON_COMPACT);
        putchar('\n');
    }
    json_decref(list);
    json_decref(patient.ruleset);
    json_decref(patient.hosts);
    answer_fini(&answer);
    return is_well ? CLI_DONE : CLI_NEGATIVE;
}
