#include "service/path_probe.h"

/* ---- Names ---- */

const char *
path_state_name(enum path_state state)
{
    static const char *const names[] = {
#define X(ID, NAME) [ID] = NAME,
        PATH_STATES(X)
#undef X
    };

    return names[state];
}

const char *
path_event_name(enum path_event event)
{
    static const char *const names[] = {
#define X(ID, NAME) [ID] = NAME,
        PATH_EVENTS(X)
#undef X
    };

    return names[event];
}

/* ---- Beginning ---- */

static uint16_t
within(uint16_t size)
{
    return (uint16_t) MIN(MAX(size, PATH_FRAME_MIN + 1), PATH_FRAME_MAX);
}

static void
forget_sizes(struct path_probe *p)
{
    p->mtu = p->said = 0;
    p->passed = PATH_FRAME_MIN;
    p->lost = p->wanted;
    p->n_full_lost = p->n_found_lost = 0;
}

void
path_probe_init(struct path_probe *p, uint16_t wanted)
{
    *p = (struct path_probe) { .wanted = within(wanted) };
    forget_sizes(p);
}

void
path_probe_want(struct path_probe *p, uint16_t wanted)
{
    if (p->wanted == within(wanted)) {
        return;
    }
    p->wanted = within(wanted);
    p->n_asked = 0;
    if (p->state == PATH_TOO_SMALL) {
        p->state = PATH_UP;
    }
    forget_sizes(p);
}

/* ---- Asking ---- */

static bool
is_found(const struct path_probe *p)
{
    return p->lost == p->passed + 1;
}

static void
ask(struct path_probe *p, uint16_t size, usec now)
{
    p->asked[p->n_asked++] = (struct path_asked) { size, false, now };
}

/* Evenly between what passed and what was lost. */
static void
ask_between(struct path_probe *p, usec now)
{
    unsigned int room = p->lost - p->passed - 1u;
    unsigned int n = MIN(room, (unsigned int) PATH_SEARCH_WIDTH);

    for (unsigned int i = 1; i <= n; i++) {
        uint16_t size = (uint16_t) (p->passed + (room + 1) * i / (n + 1));

        ask(p, size, now);
        ask(p, size, now);
    }
}

unsigned int
path_probe_begin(struct path_probe *p, uint64_t token, usec now,
                 uint16_t sizes[PATH_MAX_ASKED])
{
    p->token = token;
    p->n_asked = 0;
    ask(p, PATH_FRAME_MIN, now);
    ask(p, p->wanted, now);
    if (p->state == PATH_TOO_SMALL && is_found(p)) {
        ask(p, p->passed, now);
        ask(p, p->lost, now);
    } else if (p->state == PATH_TOO_SMALL) {
        ask_between(p, now);
    }
    p->n_sent += p->n_asked;
    for (unsigned int i = 0; i < p->n_asked; i++) {
        sizes[i] = p->asked[i].size;
    }
    return p->n_asked;
}

/* ---- Answers ---- */

bool
path_probe_hear(struct path_probe *p, const struct path_frame *answer,
                usec now)
{
    struct path_asked *asked;

    if (answer->kind != PATH_FRAME_ANSWER || answer->token != p->token
        || answer->index >= p->n_asked) {
        return false;
    }
    asked = &p->asked[answer->index];
    if (asked->is_answered || answer->size != asked->size) {
        return false;
    }
    asked->is_answered = true;
    p->n_heard++;
    if (!answer->index) {
        p->rtt = MAX(now - asked->at, (usec) 1);
        p->rtt_smoothed = p->rtt_smoothed
                          ? (7 * p->rtt_smoothed + p->rtt + 4) / 8 : p->rtt;
    }
    return true;
}

bool
path_probe_is_answered(const struct path_probe *p)
{
    for (unsigned int i = 0; i < p->n_asked; i++) {
        if (!p->asked[i].is_answered) {
            return false;
        }
    }
    return p->n_asked;
}

/* ---- What a round says ---- */

static void
remember(struct path_probe *p)
{
    p->history = p->history << 1 | !p->asked[0].is_answered;
    p->n_history = MIN(p->n_history + 1, (unsigned int) PATH_HISTORY);
}

/* The largest that was answered; 0: none. */
static uint16_t
largest_answered(const struct path_probe *p)
{
    uint16_t largest = 0;

    for (unsigned int i = 0; i < p->n_asked; i++) {
        if (p->asked[i].is_answered) {
            largest = MAX(largest, p->asked[i].size);
        }
    }
    return largest;
}

static enum path_event
hear_nothing(struct path_probe *p)
{
    if (p->state == PATH_DOWN || ++p->n_silent < PATH_LOST) {
        return PATH_NO_EVENT;
    }
    p->state = PATH_DOWN;
    forget_sizes(p);
    return PATH_WENT_DOWN;
}

static enum path_event
hear_full(struct path_probe *p)
{
    enum path_event event = p->said ? PATH_FITS_AGAIN : PATH_NO_EVENT;

    p->state = PATH_UP;
    forget_sizes(p);
    p->mtu = p->wanted;
    return event;
}

/* The same size in both copies. */
static bool
was_asked(const struct path_probe *p, uint16_t size)
{
    for (unsigned int i = 0; i < p->n_asked; i++) {
        if (p->asked[i].size == size) {
            return true;
        }
    }
    return false;
}

/* Both bounds move to each other, or, where what passed before does not pass
 * any more, the search begins below it. */
static void
search(struct path_probe *p, uint16_t largest)
{
    bool was_found = is_found(p) && was_asked(p, p->passed);

    if (largest > p->passed) {
        p->passed = largest;
        p->lost = largest >= p->lost ? p->wanted : p->lost;
    }
    if (was_found && largest < p->passed) {
        if (++p->n_found_lost >= PATH_LOST) {
            p->lost = p->passed;
            p->passed = PATH_FRAME_MIN;
            p->n_found_lost = 0;
            p->mtu = 0;
        }
        return;
    }
    p->n_found_lost = 0;
    for (unsigned int i = 0; i < p->n_asked; i++) {
        uint16_t size = p->asked[i].size;

        if (size > p->passed && size < p->lost) {
            p->lost = size;
        }
    }
}

static enum path_event
hear_less(struct path_probe *p, uint16_t largest)
{
    if (p->state != PATH_TOO_SMALL) {
        if (++p->n_full_lost < PATH_LOST) {
            return PATH_NO_EVENT;
        }
        p->state = PATH_TOO_SMALL;
        p->mtu = 0;
    }
    search(p, largest);
    if (!is_found(p)) {
        return PATH_NO_EVENT;
    }
    p->mtu = p->passed;
    if (p->mtu == p->said) {
        return PATH_NO_EVENT;
    }
    p->said = p->mtu;
    return PATH_SHRANK;
}

static enum path_event
judge(struct path_probe *p)
{
    uint16_t largest = largest_answered(p);
    bool was_down = p->state == PATH_DOWN;
    enum path_event event;

    if (!largest) {
        return hear_nothing(p);
    }
    p->n_silent = 0;
    if (p->state == PATH_UNKNOWN || was_down) {
        p->state = PATH_UP;
    }
    event = largest >= p->wanted ? hear_full(p) : hear_less(p, largest);
    return was_down ? PATH_CAME_BACK : event;
}

enum path_event
path_probe_end(struct path_probe *p)
{
    enum path_event event = PATH_NO_EVENT;

    if (p->n_asked) {
        remember(p);
        event = judge(p);
        p->n_asked = 0;
    }
    return event;
}

/* ---- What others see ---- */

usec
path_probe_patience(usec interval)
{
    return MAX(interval / PATH_HURRY, MIN(interval, PATH_LEAST_PATIENCE));
}

bool
path_probe_is_in_doubt(const struct path_probe *p)
{
    switch (p->state) {
    case PATH_UNKNOWN: return true;
    case PATH_DOWN: return false;
    case PATH_UP: return !p->mtu || p->n_silent || p->n_full_lost;
    case PATH_TOO_SMALL:
        return !p->mtu || p->n_silent || p->n_found_lost || !is_found(p);
    }
    return false;
}

int
path_probe_loss(const struct path_probe *p)
{
    uint32_t known = p->n_history < PATH_HISTORY
                     ? (UINT32_C(1) << p->n_history) - 1 : UINT32_MAX;

    return p->n_history ? (int) (__builtin_popcount(p->history & known) * 100
                                 / (int) p->n_history) : -1;
}
