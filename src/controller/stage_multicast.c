/* Multicast: what is for more than one station. */
#include "controller/stage.h"

void
stage_multicast(struct writer *w, const struct subject *subject)
{
    if (subject->kind == SUBJECT_BASE) {
        stage_begin_base(w, STAGE_MULTICAST, 0);
        stage_flood_to(w, FLOOD_ALL);
        writer_end(w);
    }
}
