/* Where tests of ports on real devices take place.
 *
 * Runs as root in a network namespace of its own, which plays the host; the
 * container is a namespace held by a descriptor:
 *
 *     [web: eth0] ---- tap, veth ---- port
 *     [web: eth0] ---- veth ---- [host: dev0] ---- netdev port
 *
 * A step that fails fails the test. */
#ifndef WEFT_PORT_NIC_LAB_TEST_H
#define WEFT_PORT_NIC_LAB_TEST_H

#include "unit.h"

#include "port/nic.h"
#include "port/vnet.h"

enum { LAB_ETH_TYPE = 0x88b5 };   /* for local experiments */

extern struct nic_lab {
    struct port_env env;
    struct packet_pool *pool;
    char netns_path[64];          /* how a port's text names the container */
    int netns_fd;
} lab;

struct lab_frame {
    struct vnet_header vnet;
    uint8_t data[PACKET_MAX_LEN];
    uint32_t len;
};

/* For cmocka; they skip the tests where there are no namespaces. */
int lab_set_up(void **state);
int lab_tear_down(void **state);

/* A shell's command, on the host or in the container. */
void lab_run(const char *format, ...) PRINTF_FORMAT(1, 2);
void lab_run_inside(const char *command);

/* dev0 on the host, its peer eth0 in the container. */
void lab_make_veth(void);

/* ---- Ports ---- */

struct port *lab_plug(const char *format, ...) PRINTF_FORMAT(1, 2);
bool lab_wait_readable(struct port *, unsigned int queue, int timeout);
/* The next packet of an Ethertype that enters the port (a kernel also speaks
 * on its own); NULL after a second without one, or when the device is gone. */
struct packet *lab_receive(struct port *, uint16_t type);
void lab_transmit(struct port *, const struct lab_frame *);

/* ---- Who is at the other end ---- */

/* A link drops what is sent before the kernel, in the background, has taken
 * note of its carrier. */
void lab_wait_running(const char *name);
/* A socket on the link `name` of the namespace `fd`: what runs there. */
int lab_station(int fd, const char *name);
void lab_make_frame(struct lab_frame *, uint32_t len);
void lab_send(int sock, const struct lab_frame *);
/* The next frame of ours that the station hears; false after `timeout`. */
bool lab_hear(int sock, struct lab_frame *, uint16_t type, int timeout);
/* Both ways, small and large. */
void lab_check_passes_frames(struct port *, int sock);

#endif
