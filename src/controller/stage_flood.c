/* Flood: a copy for everybody whom it concerns.
 *
 * A network's plain ports are listed one after another; those that need a tag
 * pass through output.  A big network's list is cut into chunks by the ports'
 * ids, so that a port's coming and going changes one entry of some forty ports
 * and not one of all. */
#include "controller/stage.h"

enum { PRIORITY_ISOLATED = 110, PRIORITY_LIST = 100 };

static bool
hears(const struct topology_member *member, enum flood_kind kind,
      bool is_isolated)
{
    if (is_isolated && member->port->intent->is_isolated) {
        return false;
    }
    return kind == FLOOD_ALL
           || (kind == FLOOD_ASK && topology_is_asked(member))
           || (kind == FLOOD_UNKNOWN && topology_is_unknown(member));
}

static void
begin(struct writer *w, const struct topology_network *network,
      enum flood_kind kind, bool is_isolated, unsigned int chunk)
{
    stage_begin_network(w, STAGE_FLOOD,
                        is_isolated ? PRIORITY_ISOLATED : PRIORITY_LIST,
                        network);
    writer_match(w, FIELD_REG12, chunk);
    writer_match(w, FIELD_REG13, kind);
    if (topology_has_isolated(network)) {
        stage_match_flag(w, FROM_ISOLATED, is_isolated);
    }
}

static void
copies(struct writer *w, const struct topology_network *network,
       enum flood_kind kind, bool is_isolated, int chunk)
{
    for (unsigned int i = 0; i < network->n_members; i++) {
        const struct topology_member *member = network->members[i];

        if ((chunk < 0 || (int) topology_chunk(member) == chunk)
            && hears(member, kind, is_isolated)) {
            stage_copy_to(w, member, true);
        }
    }
}

/* To the chunks that have anybody who might hear it. */
static void
to_chunks(struct writer *w, const struct topology_network *network,
          enum flood_kind kind, bool is_isolated)
{
    bool has[FLOOD_N_CHUNKS] = { false };

    for (unsigned int i = 0; i < network->n_members; i++) {
        if (hears(network->members[i], kind, is_isolated)) {
            has[topology_chunk(network->members[i])] = true;
        }
    }
    for (unsigned int i = 0; i < FLOOD_N_CHUNKS; i++) {
        if (has[i]) {
            writer_set(w, FIELD_REG12, i + 1);
            writer_resubmit(w, STAGE_FLOOD);
        }
    }
}

static void
head(struct writer *w, const struct topology_network *network,
     enum flood_kind kind, bool is_isolated)
{
    begin(w, network, kind, is_isolated, 0);
    stage_copy_to_uplink(w, network);
    if (topology_is_chunked(network)) {
        to_chunks(w, network, kind, is_isolated);
    } else {
        copies(w, network, kind, is_isolated, -1);
    }
    writer_end(w);
}

static void
chunk_flow(struct writer *w, const struct topology_network *network,
           enum flood_kind kind, bool is_isolated, int chunk)
{
    begin(w, network, kind, is_isolated, (unsigned int) chunk + 1);
    copies(w, network, kind, is_isolated, chunk);
    if (w->actions.len) {
        writer_end(w);
    }
}

void
stage_flood(struct writer *w, const struct subject *subject)
{
    const struct topology_network *network = subject->network;

    if (subject->kind != SUBJECT_FLOOD
        || (subject->chunk >= 0 && !topology_is_chunked(network))) {
        return;
    }
    for (enum flood_kind kind = FLOOD_ALL; kind <= FLOOD_UNKNOWN; kind++) {
        for (unsigned int is_isolated = 0;
             is_isolated <= topology_has_isolated(network); is_isolated++) {
            if (subject->chunk < 0) {
                head(w, network, kind, is_isolated);
            } else {
                chunk_flow(w, network, kind, is_isolated, subject->chunk);
            }
        }
    }
}
