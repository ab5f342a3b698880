/* Frames for tests: made at random, edited at random, and checked by code that
 * shares nothing with the code under test (byte by byte, no cleverness). */
#ifndef WEFT_TESTS_FRAMES_H
#define WEFT_TESTS_FRAMES_H

#include "lib/rng.h"
#include "packet/edit.h"

struct frame_spec {
    unsigned int n_vlans;         /* 0..2 */
    bool is_ip6;
    uint8_t proto;                /* 0: ARP */
    uint8_t icmp_type;
    unsigned int n_options;       /* IPv4 option words; IPv6 extensions */
    bool is_routed;               /* IPv6: routing header, segments left */
    bool first_fragment;          /* checksum covers data that is elsewhere */
    bool no_udp_csum;
    size_t payload_len;
    unsigned int pad_len;         /* Ethernet padding */
};

/* Any kind of frame that has a flow key down to the transport. */
struct frame_spec frame_random_spec(struct rng *);
/* Only what can be a super-frame: TCP or UDP. */
struct frame_spec frame_random_super_spec(struct rng *);

/* Writes the frame with right checksums; returns its length. */
size_t frame_build(uint8_t *frame, const struct frame_spec *, struct rng *);

/* The sum of 16-bit words by RFC 1071, most significant byte first; an odd byte
 * counts as a high one. */
uint16_t frame_sum(const uint8_t *, size_t len);

/* Are all checksums of the frame right?  Says what is wrong in `why`, which may
 * be NULL. */
bool frame_is_whole(const uint8_t *frame, size_t len, const char **why);

/* Where the TCP, UDP or ICMPv6 checksum of `frame` lies, and the transport
 * header; 0: there is none. */
size_t frame_csum_ofs(const uint8_t *frame, size_t len, size_t *l4_ofs);

/* Turns a whole packet into one whose checksum is owed, as a guest with
 * checksum offload sends it. */
void frame_owe_checksum(struct packet *);

enum edit_kind {
    EDIT_SET_FIELD, EDIT_VLAN_PUSH, EDIT_VLAN_POP, EDIT_MPLS_PUSH,
    EDIT_MPLS_POP, EDIT_DEC_TTL, EDIT_DEC_MPLS_TTL, EDIT_COPY_TTL_OUT,
    EDIT_COPY_TTL_IN, EDIT_PBB_PUSH, EDIT_PBB_POP, N_EDITS
};

struct edit {
    enum edit_kind kind;
    enum field_id field;
    u128 value, mask;
};

struct edit edit_random(struct rng *);
bool edit_apply(struct packet *, const struct edit *);
const char *edit_name(const struct edit *);

#endif
