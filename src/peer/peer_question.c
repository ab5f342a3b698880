/* The mesh: questions of ours to other hosts, and theirs to us. */
#include <stdlib.h>

#include "lib/clock.h"
#include "peer/peer_mesh_impl.h"

enum { MAX_ASKED = 64 };          /* of all peers, not answered yet */

static void
free_handle(uv_handle_t *handle)
{
    free(handle);
}

/* ---- We ask ---- */

static void
end(struct pending_question *question, const json_t *body,
    const char *reason)
{
    question->id = 0;
    question->answered(question->aux, body, reason);
}

static void
on_late(uv_timer_t *timer)
{
    struct peer_mesh *mesh = timer->data;
    msec now = clock_msec(), next = INT64_MAX;

    for (unsigned int i = 0; i < PEER_MESH_MAX_QUESTIONS; i++) {
        struct pending_question *question = &mesh->pending[i];

        if (question->id && question->until <= now) {
            end(question, NULL, "it did not answer in time");
        }
    }
    for (unsigned int i = 0; i < PEER_MESH_MAX_QUESTIONS; i++) {
        if (mesh->pending[i].id) {
            next = MIN(next, mesh->pending[i].until);
        }
    }
    if (next != INT64_MAX) {
        uv_update_time(timer->loop);
        uv_timer_start(timer, on_late, (uint64_t) MAX(next - now, (msec) 1),
                       0);
    }
}

static void
wait_for_answer(struct peer_mesh *mesh)
{
    if (!mesh->answers) {
        mesh->answers = xzalloc(sizeof *mesh->answers);
        mesh->answers->data = mesh;
        uv_timer_init(mesh->config.loop, mesh->answers);
    }
    if (!uv_is_active((const uv_handle_t *) mesh->answers)) {
        uv_update_time(mesh->config.loop);
        uv_timer_start(mesh->answers, on_late, PEER_MESH_ANSWER_TIME, 0);
    }
}

static struct pending_question *
find_pending(struct peer_mesh *mesh, uint64_t id)
{
    for (unsigned int i = 0; i < PEER_MESH_MAX_QUESTIONS; i++) {
        if (mesh->pending[i].id == id) {
            return &mesh->pending[i];
        }
    }
    return NULL;
}

bool
peer_mesh_ask(struct peer_mesh *mesh, const char *host, json_t *body,
              peer_answered *answered, void *aux)
{
    struct pending_question *question = find_pending(mesh, 0);
    struct peer *peer = NULL;
    struct peer_message ask = { .type = PEER_ASK };

    for (unsigned int i = 0; i < mesh->n_peers; i++) {
        if (!strcmp(mesh->peers[i]->name, host)) {
            peer = mesh->peers[i];
        }
    }
    if (!question || !peer || !peer->session
        || !peer_session_is_open(peer->session)) {
        json_decref(body);
        return false;
    }
    *question = (struct pending_question) {
        ++mesh->next_id, peer, clock_msec() + PEER_MESH_ANSWER_TIME,
        answered, aux,
    };
    ask.talk.id = question->id;
    ask.talk.body = body;
    peer_session_send(peer->session, &ask);
    peer_message_fini(&ask);
    wait_for_answer(mesh);
    return true;
}

void
peer_mesh_answered(struct peer_mesh *mesh, struct peer *peer,
                   const struct peer_message *message)
{
    struct pending_question *question
        = message->talk.id ? find_pending(mesh, message->talk.id) : NULL;

    if (question && question->peer == peer) {
        end(question, message->talk.body, "");
    }
}

/* ---- We are asked ---- */

void
peer_mesh_asked(struct peer_mesh *mesh, struct peer *peer,
                const struct peer_message *message)
{
    struct peer_question *question;
    unsigned int n = 0;

    for (question = mesh->asked; question; question = question->next) {
        n++;
    }
    if (n >= MAX_ASKED) {
        return;                   /* it hears nothing, and gives up */
    }
    question = xzalloc(sizeof *question);
    *question = (struct peer_question) {
        mesh->asked, mesh, peer, message->talk.id,
    };
    mesh->asked = question;
    mesh->config.asked(mesh->config.aux, message->talk.body, question);
}

static void
unlink_question(struct peer_question *question)
{
    struct peer_question **at = &question->mesh->asked;

    while (*at != question) {
        at = &(*at)->next;
    }
    *at = question->next;
}

void
peer_question_answer(struct peer_question *question, json_t *body)
{
    struct peer_message answer = { .type = PEER_ANSWER };

    answer.talk.id = question->id;
    answer.talk.body = body;
    if (question->peer && question->peer->session) {
        peer_session_send(question->peer->session, &answer);
    }
    peer_message_fini(&answer);
    unlink_question(question);
    free(question);
}

/* ---- A peer is lost, or all are ---- */

void
peer_mesh_drop_questions(struct peer_mesh *mesh, const struct peer *peer,
                         const char *reason)
{
    for (unsigned int i = 0; i < PEER_MESH_MAX_QUESTIONS; i++) {
        if (mesh->pending[i].id && mesh->pending[i].peer == peer) {
            end(&mesh->pending[i], NULL, reason);
        }
    }
    for (struct peer_question *q = mesh->asked; q; q = q->next) {
        if (q->peer == peer) {
            q->peer = NULL;
        }
    }
}

void
peer_mesh_forget_asked(struct peer_mesh *mesh)
{
    for (struct peer_question *q = mesh->asked, *next; q; q = next) {
        next = q->next;
        free(q);
    }
    mesh->asked = NULL;
    if (mesh->answers) {
        uv_close((uv_handle_t *) mesh->answers, free_handle);
    }
}
