#include "lib/rcu.h"

#include <semaphore.h>
#include <stdlib.h>
#include <urcu/urcu-qsbr.h>

static_assert(offsetof(struct rcu_later, head) == 0 &&
              sizeof(struct rcu_head) <= sizeof((struct rcu_later *) 0)->head,
              "liburcu's head grew: revisit struct rcu_later");

#if defined(__SANITIZE_THREAD__)
#define RCU_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define RCU_TSAN 1
#endif
#endif

#ifdef RCU_TSAN
void __tsan_acquire(void *);
void __tsan_release(void *);

/* Only its address counts. */
static char grace_period;

#define TSAN_ACQUIRE() __tsan_acquire(&grace_period)
#define TSAN_RELEASE() __tsan_release(&grace_period)
#else
#define TSAN_ACQUIRE() ((void) 0)
#define TSAN_RELEASE() ((void) 0)
#endif

void
rcu_thread_begin(void)
{
    urcu_qsbr_register_thread();
    TSAN_ACQUIRE();
}

void
rcu_thread_end(void)
{
    TSAN_RELEASE();
    urcu_qsbr_unregister_thread();
}

void
rcu_quiescent(void)
{
    TSAN_RELEASE();
    urcu_qsbr_quiescent_state();
    TSAN_ACQUIRE();
}

void
rcu_offline(void)
{
    TSAN_RELEASE();
    urcu_qsbr_thread_offline();
}

void
rcu_online(void)
{
    urcu_qsbr_thread_online();
    TSAN_ACQUIRE();
}

bool
rcu_is_online(void)
{
    return urcu_qsbr_read_ongoing();
}

void
rcu_synchronize(void)
{
    TSAN_RELEASE();
    urcu_qsbr_synchronize_rcu();
    TSAN_ACQUIRE();
}

static void
rcu_call_done(struct rcu_head *head)
{
    struct rcu_later *later = (struct rcu_later *) (void *) head;

    TSAN_ACQUIRE();
    later->done(later);
    TSAN_RELEASE();
}

void
rcu_call(struct rcu_later *later, void (*done)(struct rcu_later *))
{
    later->done = done;
    TSAN_RELEASE();
    urcu_qsbr_call_rcu((struct rcu_head *) (void *) later->head,
                       rcu_call_done);
}

static void
rcu_free_done(struct rcu_later *later)
{
    free(later);
}

void
rcu_free(struct rcu_later *later)
{
    if (later) {
        rcu_call(later, rcu_free_done);
    }
}

/* liburcu's own barrier is not used: its completion record is shared by means
 * that the thread sanitizer cannot see.  One thread answers all calls, in their
 * order. */
struct flush {
    struct rcu_later later;
    sem_t done;
};

static void
flush_done(struct rcu_later *later)
{
    sem_post(&((struct flush *) (void *) later)->done);
}

void
rcu_flush(void)
{
    bool was_online = urcu_qsbr_read_ongoing();
    struct flush flush;

    sem_init(&flush.done, 0, 0);
    rcu_call(&flush.later, flush_done);
    if (was_online) {
        rcu_offline();
    }
    while (sem_wait(&flush.done)) {
        /* Interrupted by a signal. */
    }
    if (was_online) {
        rcu_online();
    }
    sem_destroy(&flush.done);
    TSAN_ACQUIRE();
}

void
rcu_hand_over(const void *object UNUSED)
{
#ifdef RCU_TSAN
    __tsan_release((void *) (uintptr_t) object);
#endif
}

void
rcu_take_over(const void *object UNUSED)
{
#ifdef RCU_TSAN
    __tsan_acquire((void *) (uintptr_t) object);
#endif
}
