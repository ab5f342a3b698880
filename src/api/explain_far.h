/* The other half of an answer: when one end is at another host, that host is
 * asked the same, by the peer channel, and what it says is part of the answer.
 *
 * It is asked once: a question that came by a channel (`far`) is not handed on. */
#ifndef WEFT_API_EXPLAIN_FAR_H
#define WEFT_API_EXPLAIN_FAR_H

#include "api/api.h"

struct explain;

/* Takes the answer, as far as it is known here, over, and replies with it, at once
 * or when the other host has answered. */
void explain_ask_far(struct api *, const struct api_request *,
                     const struct explain *, json_t *answer,
                     struct api_reply *);

/* The reply is a refusal, since nothing of it happens here: if another host can be
 * asked, its answer takes the refusal's place. */
void explain_ask_instead(struct api *, const struct api_request *,
                         const struct explain *, struct api_reply *);

struct http;
struct peer_question;

/* Another host asks: its question is answered as a client's would be. */
void explain_answer_far(struct http *, const json_t *question,
                        struct peer_question *);

#endif
