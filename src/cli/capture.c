/* weft capture: a port's frames, filtered here, as lines or pcap. */

#include "cli/client.h"
#include "cli/commands.h"
#include "cli/packet_text.h"
#include "cli/pcapng.h"

#include <pcap/pcap.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { SNAP_LEN = 262144 };

enum { OPTION_WRITE, OPTION_COUNT, OPTION_RX, OPTION_TX };

struct capture {
    struct cli *cli;
    pcap_t *pcap;
    struct bpf_program filter;
    bool has_filter;
    pcap_dumper_t *dumper;        /* NULL: lines */
    unsigned long n_max, n_shown;
    struct pcapng stream;
    int error;                    /* from the stream or the output */
};

/* Set by the handler of SIGINT and SIGTERM: only a signal can end a command
 * that runs until it is told to. */
static volatile bool is_over;

static void
end_capture(int signo UNUSED)
{
    is_over = true;
}

static void
print_frame(const struct capture *capture, const struct pcapng_frame *frame)
{
    time_t seconds = (time_t) (frame->time / 1000000000);
    struct str line = STR_INIT;
    struct tm tm;
    char clock[16];

    localtime_r(&seconds, &tm);
    strftime(clock, sizeof clock, "%H:%M:%S", &tm);
    packet_format(frame->data, frame->len, frame->wire_len, &line);
    if (capture->cli->is_json) {
        json_t *json = json_pack(
            "{s:f, s:s, s:I, s:s}", "time",
            (double) frame->time / 1e9, "direction",
            frame->is_tx ? "tx" : "rx", "length",
            (json_int_t) frame->wire_len, "text", str_text(&line));

        json_dumpf(json, stdout, JSON_COMPACT);
        putchar('\n');
        json_decref(json);
    } else {
        printf("%s.%06lld %s %s\n", clock,
               (long long) (frame->time / 1000 % 1000000),
               frame->is_tx ? "tx" : "rx", str_text(&line));
    }
    str_fini(&line);
}

/* True: go on. */
static bool
take_frame(void *aux, const struct pcapng_frame *frame)
{
    struct capture *capture = aux;
    const struct pcap_pkthdr header = {
        .ts = {
            .tv_sec = (time_t) (frame->time / 1000000000),
            /* Nanoseconds: the file says so. */
            .tv_usec = (suseconds_t) (frame->time % 1000000000),
        },
        .caplen = frame->len,
        .len = frame->wire_len,
    };

    if (capture->has_filter
        && !pcap_offline_filter(&capture->filter, &header, frame->data)) {
        return true;
    }
    if (capture->dumper) {
        pcap_dump((u_char *) capture->dumper, &header, frame->data);
    } else {
        print_frame(capture, frame);
    }
    capture->n_shown++;
    return !capture->n_max || capture->n_shown < capture->n_max;
}

/* A piece of the stream; what it held is written out before the next. */
static bool
take_bytes(void *aux, const void *data, size_t len)
{
    struct capture *capture = aux;
    int result = pcapng_feed(&capture->stream, data, len);

    if (result < 0) {
        capture->error = result;
        return false;
    }
    if (capture->dumper ? pcap_dump_flush(capture->dumper) : fflush(stdout)) {
        capture->error = -EPIPE;
        return false;
    }
    return result > 0;
}

static enum cli_status
compile_filter(struct capture *capture, const struct cli_args *args)
{
    struct str text = STR_INIT;
    enum cli_status status = CLI_DONE;

    for (int i = 1; i < args->n; i++) {
        str_addf(&text, "%s%s", i > 1 ? " " : "", args->words[i]);
    }
    if (text.len) {
        if (pcap_compile(capture->pcap, &capture->filter, str_text(&text), 1,
                         PCAP_NETMASK_UNKNOWN)) {
            status = cli_fail(capture->cli, CLI_USAGE, "FILTER",
                              "man 7 pcap-filter", "%s",
                              pcap_geterr(capture->pcap));
        } else {
            capture->has_filter = true;
        }
    }
    str_fini(&text);
    return status;
}

static enum cli_status
open_output(struct capture *capture, const char *file)
{
    if (!file) {
        return CLI_DONE;
    }
    if (!strcmp(file, "-") && isatty(STDOUT_FILENO)) {
        return cli_fail(capture->cli, CLI_USAGE, "-w", NULL,
                        "a terminal is no place for pcap");
    }
    capture->dumper = pcap_dump_open(capture->pcap, file);
    if (!capture->dumper) {
        return cli_fail(capture->cli, CLI_USAGE, "-w", NULL, "%s",
                        pcap_geterr(capture->pcap));
    }
    return CLI_DONE;
}

static enum cli_status
take_count(struct capture *capture, const char *text)
{
    char *end;

    if (!text) {
        return CLI_DONE;
    }
    capture->n_max = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || !capture->n_max) {
        return cli_fail(capture->cli, CLI_USAGE, "-c", NULL,
                        "'%s' is not a number of frames", text);
    }
    return CLI_DONE;
}

static void
end_on_signals(void)
{
    struct sigaction action = { .sa_handler = end_capture };

    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static enum cli_status
run(struct capture *capture, const struct cli_args *args)
{
    const char *rx = args->options[OPTION_RX], *tx = args->options[OPTION_TX];
    struct str path = STR_INIT;
    enum cli_status status;

    str_add(&path, "/v1/capture?port=");
    client_escape(&path, args->words[0]);
    if (!rx != !tx) {
        str_addf(&path, "&direction=%s", rx ? "rx" : "tx");
    }
    end_on_signals();
    status = client_stream(capture->cli, str_text(&path), take_bytes, capture,
                           &is_over);
    str_fini(&path);
    if (capture->error == -EBADMSG) {
        return cli_fail(capture->cli, CLI_REFUSED, NULL, NULL,
                        "the daemon's stream cannot be understood");
    }
    if (status == CLI_DONE && !capture->cli->is_json) {
        fprintf(stderr, "%lu frames", capture->n_shown);
        if (capture->stream.n_lost) {
            fprintf(stderr, ", and %llu lost: they came too fast",
                    (unsigned long long) capture->stream.n_lost);
        }
        fputc('\n', stderr);
    }
    return status;
}

enum cli_status
capture_command(struct cli *cli, const struct cli_args *args)
{
    struct capture capture = {
        .cli = cli,
        .stream = { .frame = take_frame },
    };
    enum cli_status status;

    capture.stream.aux = &capture;
    capture.pcap = pcap_open_dead_with_tstamp_precision(
        DLT_EN10MB, SNAP_LEN, PCAP_TSTAMP_PRECISION_NANO);
    if (!capture.pcap) {
        return cli_fail(cli, CLI_REFUSED, NULL, NULL, "out of memory");
    }
    status = take_count(&capture, args->options[OPTION_COUNT]);
    if (status == CLI_DONE) {
        status = compile_filter(&capture, args);
    }
    if (status == CLI_DONE) {
        status = open_output(&capture, args->options[OPTION_WRITE]);
    }
    if (status == CLI_DONE) {
        status = run(&capture, args);
    }
    if (capture.dumper) {
        pcap_dump_close(capture.dumper);
    }
    if (capture.has_filter) {
        pcap_freecode(&capture.filter);
    }
    pcap_close(capture.pcap);
    pcapng_fini(&capture.stream);
    return status;
}
