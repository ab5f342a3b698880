#include "cli/client.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/un.h>

enum {
    TIMEOUT_S = 120,              /* a barrier under load, a list of millions */
    CONNECT_TIMEOUT_S = 5,
    OK = 200, NOT_FOUND = 404, CONFLICT = 409,
    BAD_REQUEST = 400, BAD_METHOD = 405,
};

void
answer_fini(struct answer *answer)
{
    str_fini(&answer->body);
    json_decref(answer->json);
    answer->json = NULL;
}

void
answer_take_json(struct answer *answer)
{
    char *text = json_dumps(answer->json, JSON_COMPACT);

    if (text) {
        str_clear(&answer->body);
        str_add(&answer->body, text);
        free(text);
    }
}

void
client_escape(struct str *path, const char *text)
{
    for (const unsigned char *p = (const unsigned char *) text; *p; p++) {
        if ((*p >= '0' && *p <= '9') || (*p >= 'A' && *p <= 'Z')
            || (*p >= 'a' && *p <= 'z') || strchr("-._~", *p)) {
            str_add_char(path, (char) *p);
        } else {
            str_addf(path, "%%%02X", *p);
        }
    }
}

static enum cli_status
status_of_http(long http)
{
    switch (http) {
    case NOT_FOUND:
        return CLI_NEGATIVE;
    case BAD_REQUEST:
    case BAD_METHOD:
        return CLI_USAGE;
    case CONFLICT:
        return CLI_CONFLICT;
    default:
        return http / 100 == OK / 100 ? CLI_DONE : CLI_REFUSED;
    }
}

static enum cli_status
unreachable(const struct cli *cli, const char *socket, const char *why)
{
    return cli_fail(cli, CLI_UNREACHABLE, socket,
                    "is weftd running?  --run-dir or WEFT_RUN_DIR says where",
                    "cannot talk to the daemon: %s", why);
}

/* A handle ready to ask; NULL: it was said why not. */
static CURL *
prepare(const struct cli *cli, const char *method, const char *path,
        struct str *socket, struct str *url)
{
    CURL *curl;

    str_addf(socket, "%s/api.sock", cli->run_dir);
    if (socket->len >= sizeof ((struct sockaddr_un *) 0)->sun_path) {
        unreachable(cli, str_text(socket), "the socket's path is too long");
        return NULL;
    }
    curl = curl_easy_init();
    if (!curl) {
        unreachable(cli, str_text(socket), "out of memory");
        return NULL;
    }
    str_addf(url, "http://weftd%s", path);
    curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, str_text(socket));
    curl_easy_setopt(curl, CURLOPT_URL, str_text(url));
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long) CONNECT_TIMEOUT_S);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    return curl;
}

static size_t
take_body(char *data, size_t size, size_t n, void *aux)
{
    str_add_bytes(aux, data, size * n);
    return size * n;
}

static enum cli_status
ask(const struct cli *cli, CURL *curl, const char *body,
    const struct str *socket, struct answer *answer)
{
    struct curl_slist *headers = NULL;
    long http = 0;
    CURLcode code;

    if (body) {
        /* Without "Expect: 100-continue", which costs a round trip. */
        headers = curl_slist_append(headers, "Expect:");
        headers = curl_slist_append(headers,
                                    "Content-Type: application/json");
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long) strlen(body));
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    }
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long) TIMEOUT_S);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer->body);
    code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &http);
    curl_slist_free_all(headers);
    if (code != CURLE_OK) {
        return unreachable(cli, str_text(socket), curl_easy_strerror(code));
    }
    answer->json = json_loadb(str_text(&answer->body), answer->body.len,
                              JSON_DECODE_ANY, NULL);
    return status_of_http(http);
}

enum cli_status
client_try(const struct cli *cli, const char *method, const char *path,
           json_t *body, struct answer *answer)
{
    struct str socket = STR_INIT, url = STR_INIT;
    char *body_text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    enum cli_status status = CLI_UNREACHABLE;
    CURL *curl;

    memset(answer, 0, sizeof *answer);
    json_decref(body);
    curl = prepare(cli, method, path, &socket, &url);
    if (curl) {
        status = ask(cli, curl, body_text, &socket, answer);
        curl_easy_cleanup(curl);
    }
    free(body_text);
    str_fini(&socket);
    str_fini(&url);
    return status;
}

void
client_show_refusal(const struct cli *cli, const struct answer *answer)
{
    const json_t *error = json_object_get(answer->json, "error");
    const char *what = json_string_value(json_object_get(error, "what"));
    const char *where = json_string_value(json_object_get(error, "where"));
    const char *hint = json_string_value(json_object_get(error, "hint"));

    if (cli_shown_as_json(cli, &answer->body)) {
        return;
    }
    cli_fail(cli, CLI_REFUSED, where, hint, "%s",
             what ? what : "the daemon's answer cannot be understood");
}

enum cli_status
client_ask(const struct cli *cli, const char *method, const char *path,
           json_t *body, struct answer *answer)
{
    enum cli_status status = client_try(cli, method, path, body, answer);

    if (status != CLI_DONE && status != CLI_UNREACHABLE) {
        client_show_refusal(cli, answer);
    }
    if (status != CLI_DONE) {
        answer_fini(answer);
    }
    return status;
}

/* ---- Streams ---- */

struct stream {
    CURL *curl;
    bool (*take)(void *aux, const void *data, size_t len);
    void *aux;
    const volatile bool *is_over;
    bool is_done;                 /* take has had enough */
    struct str refusal;
};

static size_t
take_stream(char *data, size_t size, size_t n, void *aux)
{
    struct stream *stream = aux;
    long http = 0;

    curl_easy_getinfo(stream->curl, CURLINFO_RESPONSE_CODE, &http);
    if (http != OK) {
        str_add_bytes(&stream->refusal, data, size * n);
        return size * n;
    }
    if (!stream->take(stream->aux, data, size * n)) {
        stream->is_done = true;
        return CURL_WRITEFUNC_ERROR;
    }
    return size * n;
}

static int
is_over(void *aux, curl_off_t a UNUSED, curl_off_t b UNUSED,
        curl_off_t c UNUSED, curl_off_t d UNUSED)
{
    const struct stream *stream = aux;

    return *stream->is_over;
}

static enum cli_status
run_stream(const struct cli *cli, struct stream *stream,
           const struct str *socket)
{
    enum cli_status status;
    CURLcode code;
    long http = 0;

    curl_easy_setopt(stream->curl, CURLOPT_WRITEFUNCTION, take_stream);
    curl_easy_setopt(stream->curl, CURLOPT_WRITEDATA, stream);
    curl_easy_setopt(stream->curl, CURLOPT_XFERINFOFUNCTION, is_over);
    curl_easy_setopt(stream->curl, CURLOPT_XFERINFODATA, stream);
    curl_easy_setopt(stream->curl, CURLOPT_NOPROGRESS, 0L);
    code = curl_easy_perform(stream->curl);
    if (stream->is_done || *stream->is_over) {
        return CLI_DONE;
    }
    if (code != CURLE_OK) {
        return unreachable(cli, str_text(socket), curl_easy_strerror(code));
    }
    curl_easy_getinfo(stream->curl, CURLINFO_RESPONSE_CODE, &http);
    status = status_of_http(http);
    if (status != CLI_DONE) {
        struct answer answer = { .body = stream->refusal };

        answer.json = json_loads(str_text(&stream->refusal), 0, NULL);
        client_show_refusal(cli, &answer);
        json_decref(answer.json);
    }
    return status;
}

enum cli_status
client_stream(const struct cli *cli, const char *path,
              bool (*take)(void *aux, const void *data, size_t len),
              void *aux, const volatile bool *over)
{
    struct stream stream = { .take = take, .aux = aux, .is_over = over };
    struct str socket = STR_INIT, url = STR_INIT;
    enum cli_status status = CLI_UNREACHABLE;

    stream.curl = prepare(cli, "GET", path, &socket, &url);
    if (stream.curl) {
        status = run_stream(cli, &stream, &socket);
        curl_easy_cleanup(stream.curl);
    }
    str_fini(&stream.refusal);
    str_fini(&socket);
    str_fini(&url);
    return status;
}
