/* Random frames for isolation tests: rightful ones, forged ones, with any tag. */
#ifndef WEFT_TESTS_CONTROLLER_ISOLATION_FRAMES_H
#define WEFT_TESTS_CONTROLLER_ISOLATION_FRAMES_H

#include "controller/isolation_rig.h"

/* Sends one, and judges who heard it. */
void send_some_frame(struct rig *, unsigned int run, unsigned int i);

#endif
