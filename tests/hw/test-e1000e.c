/* SPDX-License-Identifier: GPL-2.0-or-later */
/* e1000e by a tiny driver: NVM, PHY, both descriptor kinds, offloads, filters, hostile rings. */
#include "core/net.h"
#include "hw/net/offload.h"
#include "hw_rig.h"

enum { N = 16 };

typedef struct Nic {
    HwRig *r;
    Device *dev;
    NetPort wire;
    GPtrArray *frames;
    uint64_t bar, tx, rx, buf;
    unsigned tail, head;
} Nic;

static bool wire_receive(NetPort *p, const struct iovec *iov, int n)
{
    uint8_t buf[NET_MAX_BYTES];
    size_t bytes = iov_to_buf(iov, (unsigned)n, 0, buf, sizeof buf);

    g_ptr_array_add(((Nic *)p->opaque)->frames, g_bytes_new(buf, bytes));
    return true;
}

static uint32_t get(Nic *n, unsigned at)
{
    return (uint32_t)rig_read(n->r, n->bar + at, 4);
}

static void set(Nic *n, unsigned at, uint32_t v)
{
    rig_write(n->r, n->bar + at, 4, v);
}

static Nic *nic_new(void)
{
    static const NetPortOps ops = {.receive = wire_receive};
    Nic *n = g_new0(Nic, 1);

    n->r = rig_new();
    n->frames = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    net_port_init(&n->wire, n->r->m, "n0", &ops, n);
    n->dev = rig_add(n->r, "e1000e", "netdev=n0,mac=52:54:00:01:02:03");
    rig_reset(n->r);
    unsigned fn = ((PciDevice *)n->dev)->devfn;
    n->bar = rig_map_bar(n->r, 0, fn, 0);
    rig_enable_msix(n->r, 0, fn);
    n->tx = rig_alloc(n->r, 16 * N, 4096);
    n->rx = rig_alloc(n->r, 16 * N, 4096);
    n->buf = rig_alloc(n->r, 1 << 17, 4096);
    set(n, 0x3800, (uint32_t)n->tx);
    set(n, 0x3808, 16 * N);
    set(n, 0x400, 2);
    set(n, 0x2800, (uint32_t)n->rx);
    set(n, 0x2808, 16 * N);
    set(n, 0xe4, 8 | 9 << 8 | 10 << 16); /* vectors 0, 1, 2 */
    set(n, 0xdc, 0x1500000);
    set(n, 0xd0, 0x1500004);
    return n;
}

static void nic_free(Nic *n)
{
    net_port_destroy(&n->wire);
    g_ptr_array_free(n->frames, TRUE);
    rig_free(n->r);
    g_free(n);
}

static void tx(Nic *n, uint64_t a, uint64_t b)
{
    rig_write(n->r, n->tx + 16 * n->tail, 8, a);
    rig_write(n->r, n->tx + 16 * n->tail + 8, 8, b);
    n->tail = (n->tail + 1) % N;
}

static void test_basics(void)
{
    Nic *n = nic_new();
    uint16_t sum = 0;

    for (unsigned i = 0; i < 64; i++) {
        set(n, 0x14, i << 2 | 1);
        g_assert_cmphex(get(n, 0x14) & 2, ==, 2);
        sum = (uint16_t)(sum + (get(n, 0x14) >> 16));
    }
    g_assert_cmphex(sum, ==, 0xbaba);
    set(n, 0x14, 1);
    g_assert_cmphex(get(n, 0x14) >> 16, ==, 0x5452);
    g_assert_cmphex(get(n, 0x5400), ==, 0x01005452);
    set(n, 0x20, 2u << 26 | 1 << 21 | 2 << 16);
    g_assert_cmphex(get(n, 0x20) & 0x1000ffff, ==, 0x10000141);
    set(n, 0x20, 2u << 26 | 1 << 21 | 1 << 16);
    g_assert_cmphex(get(n, 0x20) & 0x24, ==, 0x24);
    net_set_link(&((Nic *)n)->wire, true);
    g_assert_cmphex(get(n, 8) & 2, ==, 2);
    uint64_t io = rig_cfg(0, ((PciDevice *)n->dev)->devfn, PCI_BASE_ADDRESS_2);
    rig_write(n->r, io, 4, 0x2000);
    rig_write(n->r, RIG_PIO + 0x2000, 4, 0x5400);
    g_assert_cmphex(rig_read(n->r, RIG_PIO + 0x2004, 4), ==, 0x01005452);
    set(n, 0, 1 << 26);
    g_assert_cmphex(get(n, 0xd0), ==, 0);
    nic_free(n);
}

static size_t make_tcp(uint8_t *f, size_t payload)
{
    memset(f, 0, 54 + payload);
    memset(f, 0x52, 12);
    store_be16(f + 12, 0x0800);
    f[14] = 0x45;
    store_be16(f + 16, (uint16_t)(40 + payload));
    f[22] = 64;
    f[23] = 6;
    store_be64(f + 26, 0x0a0000010a000002);
    store_be32(f + 38, 5000);
    f[46] = 0x50;
    f[47] = 0x19;
    for (size_t i = 0; i < payload; i++) {
        f[54 + i] = (uint8_t)(i * 3);
    }
    return 54 + payload;
}

static void test_transmit(void)
{
    Nic *n = nic_new();
    NetFrameInfo info;
    size_t bytes = make_tcp(rig_host(n->r, n->buf), 3000);

    /* legacy, in two pieces */
    tx(n, n->buf, 60);
    tx(n, n->buf + 60, 40 | 9u << 24); /* EOP RS */
    set(n, 0x3818, n->tail);
    g_assert_cmpuint(n->frames->len, ==, 1);
    g_assert_cmpuint(g_bytes_get_size(g_ptr_array_index(n->frames, 0)), ==, 100);
    g_assert_cmphex(rig_read(n->r, n->tx + 16 + 12, 1), ==, 1);
    g_assert_cmphex(n->r->msis[0].data, ==, 0x101);
    /* context and data: three segments */
    tx(n, 14 | 24 << 8 | 33ull << 16 | 34ull << 32 | 50ull << 40,
       3000 | 0x25ull << 24 | 54ull << 40 | 1000ull << 48);
    tx(n, n->buf, bytes | 1 << 20 | 0x2dull << 24 | 3ull << 40);
    set(n, 0x3818, n->tail);
    g_assert_cmpuint(n->frames->len, ==, 4);
    for (unsigned i = 1; i < 4; i++) {
        size_t len;
        const uint8_t *f = g_bytes_get_data(g_ptr_array_index(n->frames, i), &len);
        g_assert_cmpuint(len, ==, 1054);
        net_frame_look(f, len, true, &info);
        g_assert_true(info.ip_ok && info.l4_ok);
        g_assert_cmpuint(load_be32(f + 38), ==, 5000 + 1000 * (i - 1));
    }
    /* checksum only, with a VLAN tag */
    uint8_t *f = rig_host(n->r, n->buf);
    store_be16(f + 16, 140);
    store_be16(f + 50, (uint16_t)~net_sum_finish(net_sum(f + 26, 8, 6 + 120)));
    tx(n, n->buf, 154 | 1 << 20 | 0x69ull << 24 | 3ull << 40 | 77ull << 48);
    set(n, 0x3818, n->tail);
    g_assert_cmpuint(n->frames->len, ==, 5);
    size_t len;
    const uint8_t *t = g_bytes_get_data(g_ptr_array_index(n->frames, 4), &len);
    g_assert_cmpuint(len, ==, 158);
    g_assert_cmphex(load_be32(t + 12), ==, 0x8100004d);
    net_frame_look(t, len, true, &info);
    g_assert_true(info.ip_ok && info.l4_ok);
    g_assert_cmpuint(get(n, 0x4080), ==, 3); /* frames sent; cleared by reading */
    g_assert_cmpuint(get(n, 0x4080), ==, 0);
    nic_free(n);
}

static void rx_fill(Nic *n, unsigned count)
{
    for (unsigned i = 0; i < N; i++) {
        rig_write(n->r, n->rx + 16 * i, 8, n->buf + 65536 + 2048 * i);
        rig_write(n->r, n->rx + 16 * i + 8, 8, 0);
    }
    set(n, 0x2818, count);
}

static void test_receive(void)
{
    Nic *n = nic_new();
    uint8_t f[4000];
    size_t bytes = make_tcp(f, 300);

    memcpy(f, "\x52\x54\x00\x01\x02\x03", 6);
    store_be16(f + 24, net_sum_finish(net_sum(f + 14, 20, 0)));
    net_send_buf(&n->wire, f, bytes); /* waits for the receiver */
    rx_fill(n, N - 1);
    set(n, 0x5008, 1 << 15);
    set(n, 0x100, 1 << 1 | 1 << 15 | 1 << 26);
    g_assert_cmpuint(get(n, 0x2810), ==, 1);
    g_assert_cmphex(n->r->msis[0].data, ==, 0x100);
    uint32_t status = (uint32_t)rig_read(n->r, n->rx + 8, 4);
    g_assert_cmphex(status, ==, 0x63 | 0x20u << 24); /* IP right, TCP sum wrong */
    g_assert_cmpuint(rig_read(n->r, n->rx + 12, 2), ==, bytes);
    g_assert_cmpint(memcmp(rig_host(n->r, n->buf + 65536), f, bytes), ==, 0);
    /* not for us; multicast by the hash table; short ones are filled up */
    f[5] = 4;
    net_send_buf(&n->wire, f, bytes);
    g_assert_cmpuint(get(n, 0x2810), ==, 1);
    memcpy(f, "\x01\x00\x5e\x00\x00\x01", 6);
    net_send_buf(&n->wire, f, 42);
    g_assert_cmpuint(get(n, 0x2810), ==, 1);
    unsigned hash = (0x0100 | 0) >> 4;
    set(n, 0x5200 + 4 * (hash >> 5), 1u << (hash & 31));
    net_send_buf(&n->wire, f, 42);
    g_assert_cmpuint(get(n, 0x2810), ==, 2);
    g_assert_cmpuint(rig_read(n->r, n->rx + 16 + 12, 2), ==, 60);
    /* larger than a buffer: two descriptors */
    memset(f, 0xff, 6);
    f[12] = 0;
    net_send_buf(&n->wire, f, 3000);
    g_assert_cmpuint(get(n, 0x2810), ==, 4);
    g_assert_cmphex(rig_read(n->r, n->rx + 32 + 8, 1), ==, 1);
    g_assert_cmphex(rig_read(n->r, n->rx + 48 + 8, 1), ==, 3);
    nic_free(n);
}

static void test_random(void)
{
    Nic *n = nic_new();
    uint8_t f[2000];

    for (unsigned i = 0; i < 20000; i++) {
        unsigned at = (unsigned)g_test_rand_int_range(0, 0x6000) & ~3u;
        uint32_t v = (uint32_t)g_test_rand_int() >> g_test_rand_int_range(0, 32);
        if (i % 4 == 0) {
            rig_write(n->r, n->tx + ((uint32_t)g_test_rand_int() & 0xf8), 8,
                      (uint64_t)(uint32_t)g_test_rand_int() << 24 | (uint32_t)g_test_rand_int());
            at = 0x3818;
        }
        if (at == 0x3800 || at == 0x2800) {
            v = (uint32_t)(at == 0x3800 ? n->tx : n->rx);
        }
        set(n, at, v);
        get(n, at);
        if (i % 7 == 0) {
            memset(f, (int)i, sizeof f);
            net_send_buf(&n->wire, f, 14 + i % 1900);
        }
        n->r->n_msis = 0;
        g_ptr_array_set_size(n->frames, 0);
    }
    nic_free(n);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/e1000e/basics", test_basics);
    g_test_add_func("/e1000e/transmit", test_transmit);
    g_test_add_func("/e1000e/receive", test_receive);
    g_test_add_func("/e1000e/random", test_random);
    return g_test_run();
}
