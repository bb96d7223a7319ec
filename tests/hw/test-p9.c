/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The 9p server by messages: the usual life of files, ways out of the root, nonsense. */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "hw/virtio/p9/p9.h"
#include "util/bits.h"

typedef struct Client {
    P9Server s;
    char *root;
    uint8_t q[65536], r[65536];
    size_t n;
} Client;

static void begin(Client *c, uint8_t type)
{
    c->q[4] = type;
    store_le16(c->q + 5, 1);
    c->n = 7;
}

static void p(Client *c, unsigned bytes, uint64_t v)
{
    memcpy(c->q + c->n, &v, bytes);
    c->n += bytes;
}

static void text(Client *c, const char *s)
{
    p(c, 2, strlen(s));
    memcpy(c->q + c->n, s, strlen(s));
    c->n += strlen(s);
}

/* 0, or the error number of the reply. */
static int go(Client *c)
{
    store_le32(c->q, (uint32_t)c->n);
    size_t n = p9_handle(&c->s, c->q, c->n, c->r, sizeof c->r);
    g_assert_cmpuint(load_le32(c->r), ==, n);
    return c->r[4] == 7 ? (int)load_le32(c->r + 7) : 0;
}

static int walk(Client *c, uint32_t from, uint32_t to, const char *path)
{
    g_auto(GStrv) names = g_strsplit(path, " ", 0);
    unsigned n = g_strv_length(names);

    begin(c, 110);
    p(c, 4, from);
    p(c, 4, to);
    p(c, 2, n);
    for (unsigned i = 0; i < n; i++) {
        text(c, names[i]);
    }
    int e = go(c);
    return e ? e : load_le16(c->r + 7) == n ? 0 : ENOENT;
}

static int simple(Client *c, uint8_t type, uint32_t fid)
{
    begin(c, type);
    p(c, 4, fid);
    return go(c);
}

static int lopen(Client *c, uint32_t fid, uint32_t flags)
{
    begin(c, 12);
    p(c, 4, fid);
    p(c, 4, flags);
    return go(c);
}

static int create(Client *c, uint32_t fid, const char *name)
{
    begin(c, 14);
    p(c, 4, fid);
    text(c, name);
    p(c, 4, O_RDWR);
    p(c, 4, 0644);
    p(c, 4, 0);
    return go(c);
}

static int write_file(Client *c, uint32_t fid, uint64_t at, const char *s)
{
    begin(c, 118);
    p(c, 4, fid);
    p(c, 8, at);
    p(c, 4, strlen(s));
    memcpy(c->q + c->n, s, strlen(s));
    c->n += strlen(s);
    return go(c);
}

static int read_file(Client *c, uint32_t fid, uint64_t at, uint32_t bytes)
{
    begin(c, 116);
    p(c, 4, fid);
    p(c, 8, at);
    p(c, 4, bytes);
    return go(c);
}

static int make(Client *c, uint8_t type, uint32_t fid, const char *name)
{
    begin(c, type);
    p(c, 4, fid);
    text(c, name);
    if (type == 16) {
        text(c, "/etc");
    } else {
        p(c, 4, 0755);
    }
    p(c, 4, 0);
    return go(c);
}

static Client *client_new(P9Model model, bool read_only)
{
    Client *c = g_new0(Client, 1);
    Error err = {0};

    c->root = g_dir_make_tmp("gemel-p9-XXXXXX", NULL);
    g_assert_true(p9_open(&c->s, c->root, model, read_only, &err));
    begin(c, 100);
    p(c, 4, 32768);
    text(c, "9P2000.L");
    g_assert_cmpint(go(c), ==, 0);
    begin(c, 104);
    p(c, 4, 0);
    p(c, 4, UINT32_MAX);
    text(c, "root");
    text(c, "");
    p(c, 4, getuid());
    g_assert_cmpint(go(c), ==, 0);
    return c;
}

static void client_free(Client *c)
{
    p9_close(&c->s);
    g_autofree char *cmd = g_strdup_printf("rm -rf '%s'", c->root);
    g_assert_cmpint(system(cmd), ==, 0);
    g_free(c->root);
    g_free(c);
}

static void test_files(void)
{
    for (P9Model model = P9_PASSTHROUGH; model <= P9_MAPPED; model++) {
        Client *c = client_new(model, false);
        g_autofree char *path = g_strdup_printf("%s/dir/file", c->root);

        g_assert_cmpint(make(c, 72, 0, "dir"), ==, 0);
        g_assert_cmpint(make(c, 72, 0, "dir"), ==, EEXIST);
        g_assert_cmpint(walk(c, 0, 1, "dir"), ==, 0);
        if (model == P9_MAPPED && create(c, 1, "probe")) {
            client_free(c); /* a file system without user attributes */
            continue;
        }
        g_assert_cmpint(walk(c, 0, 2, "dir"), ==, 0);
        g_assert_cmpint(create(c, 2, "file"), ==, 0);
        g_assert_cmpint(write_file(c, 2, 0, "hello world"), ==, 0);
        g_assert_cmpint(read_file(c, 2, 6, 100), ==, 0);
        g_assert_cmpint(memcmp(c->r + 11, "world", 5), ==, 0);
        char text_read[16] = {0};
        int fd = open(path, O_RDONLY);
        g_assert_cmpint((int)read(fd, text_read, 15), ==, 11);
        close(fd);
        /* the folder moves below an open fid; both are found */
        begin(c, 74);
        p(c, 4, 0);
        text(c, "dir");
        p(c, 4, 0);
        text(c, "moved");
        g_assert_cmpint(go(c), ==, 0);
        g_assert_cmpint(simple(c, 120, 1), ==, 0);
        g_assert_cmpint(walk(c, 0, 1, "moved file"), ==, 0);
        begin(c, 24);
        p(c, 4, 2);
        p(c, 8, 0x7ff);
        g_assert_cmpint(go(c), ==, 0);
        g_assert_cmpuint(load_le64(c->r + 7 + 8 + 13 + 12 + 16), ==, 11);
        g_assert_cmphex(load_le32(c->r + 7 + 8 + 13), ==, S_IFREG | 0644);
        /* links */
        g_assert_cmpint(make(c, 16, 0, "link"), ==, 0);
        g_assert_cmpint(walk(c, 0, 3, "link"), ==, 0);
        g_assert_cmpint(simple(c, 22, 3), ==, 0);
        g_assert_cmpint(memcmp(c->r + 9, "/etc", 4), ==, 0);
        begin(c, 76);
        p(c, 4, 0);
        text(c, "moved");
        p(c, 4, AT_REMOVEDIR);
        g_assert_cmpint(go(c), ==, ENOTEMPTY);
        g_assert_cmpint(simple(c, 122, 1), ==, 0);
        client_free(c);
    }
}

static void test_readdir(void)
{
    Client *c = client_new(P9_NONE, false);
    unsigned seen = 0, calls = 0;
    uint64_t offset = 0;

    for (unsigned i = 0; i < 200; i++) {
        g_autofree char *name = g_strdup_printf("file-%u", i);
        g_assert_cmpint(make(c, 72, 0, name), ==, 0);
    }
    g_assert_cmpint(walk(c, 0, 1, "file-7"), ==, 0);
    begin(c, 110);
    p(c, 4, 0);
    p(c, 4, 2);
    p(c, 2, 0);
    g_assert_cmpint(go(c), ==, 0);
    g_assert_cmpint(lopen(c, 2, 0), ==, 0);
    for (;; calls++) {
        begin(c, 40);
        p(c, 4, 2);
        p(c, 8, offset);
        p(c, 4, 500);
        g_assert_cmpint(go(c), ==, 0);
        uint32_t bytes = load_le32(c->r + 7), at = 11;
        g_assert_cmpuint(bytes, <=, 500);
        if (!bytes) {
            break;
        }
        while (at < 11 + bytes) {
            offset = load_le64(c->r + at + 13);
            at += 24 + load_le16(c->r + at + 22);
            seen++;
        }
    }
    g_assert_cmpuint(seen, ==, 202);
    g_assert_cmpuint(calls, >, 5);
    client_free(c);
}

static void test_escape(void)
{
    Client *c = client_new(P9_NONE, false);
    g_autofree char *out = g_strdup_printf("%s/out", c->root);
    g_autofree char *passwd = g_strdup_printf("%s/passwd", c->root);
    g_autofree char *fifo = g_strdup_printf("%s/fifo", c->root);

    g_assert_cmpint(symlink("/etc", out), ==, 0);
    g_assert_cmpint(symlink("/etc/passwd", passwd), ==, 0);
    g_assert_cmpint(mkfifo(fifo, 0600), ==, 0);
    /* up from the root is the root */
    g_assert_cmpint(walk(c, 0, 1, ".. .. .. etc"), !=, 0);
    g_assert_cmpint(walk(c, 0, 1, ".. .."), ==, 0);
    g_assert_cmpstr(c->s.fids->path, ==, "");
    /* names with a slash, or dots where something is made */
    g_assert_cmpint(walk(c, 0, 2, "../etc"), ==, EINVAL);
    g_assert_cmpint(make(c, 72, 0, ".."), ==, EINVAL);
    g_assert_cmpint(make(c, 72, 0, "a/b"), ==, EINVAL);
    g_assert_cmpint(make(c, 72, 0, ""), ==, EINVAL);
    /* links are seen, not followed */
    g_assert_cmpint(walk(c, 0, 3, "out"), ==, 0);
    g_assert_cmpint(lopen(c, 3, 0), ==, ELOOP);
    g_assert_cmpint(walk(c, 0, 4, "out passwd"), ==, ENOENT);
    g_assert_cmpint(create(c, 3, "x"), !=, 0);
    g_assert_cmpint(walk(c, 0, 5, "passwd"), ==, 0);
    g_assert_cmpint(lopen(c, 5, 0), ==, ELOOP);
    begin(c, 26); /* truncate through it */
    p(c, 4, 5);
    p(c, 4, 8);
    p(c, 8, 0);
    p(c, 4, 0);
    p(c, 8, 0);
    for (unsigned i = 0; i < 4; i++) {
        p(c, 8, 0);
    }
    g_assert_cmpint(go(c), ==, ELOOP);
    g_assert_cmpint(walk(c, 0, 6, "fifo"), ==, 0);
    g_assert_cmpint(lopen(c, 6, 0), ==, ENXIO);
    client_free(c);
}

static void test_read_only(void)
{
    Client *c = client_new(P9_NONE, true);

    g_assert_cmpint(make(c, 72, 0, "dir"), ==, EROFS);
    g_assert_cmpint(create(c, 0, "file"), ==, EROFS);
    g_assert_cmpint(make(c, 16, 0, "link"), ==, EROFS);
    client_free(c);
}

static void test_random(void)
{
    Client *c = client_new(P9_NONE, false);
    static const uint8_t types[] = {8,  12, 14, 16, 20, 22,  24,  30,  40,  50,  54,
                                    70, 72, 74, 76, 99, 104, 108, 110, 116, 118, 120};

    for (unsigned i = 0; i < 30000; i++) {
        begin(c, types[g_test_rand_int_range(0, sizeof types)]);
        unsigned n = (unsigned)g_test_rand_int_range(0, 60);
        for (unsigned k = 0; k < n; k++) {
            p(c, 1,
              g_test_rand_int_range(0, 3) ? (uint32_t)g_test_rand_int_range(0, 4)
                                          : (uint32_t)g_test_rand_int());
        }
        go(c);
    }
    client_free(c);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/p9/files", test_files);
    g_test_add_func("/p9/readdir", test_readdir);
    g_test_add_func("/p9/escape", test_escape);
    g_test_add_func("/p9/read-only", test_read_only);
    g_test_add_func("/p9/random", test_random);
    return g_test_run();
}
