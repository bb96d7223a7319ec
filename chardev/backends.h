/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kinds of chardevs share: options, the object's common part, streams on descriptors. */
#ifndef GEMEL_CHARDEV_BACKENDS_H
#define GEMEL_CHARDEV_BACKENDS_H

#include <glib.h>

#include "chardev/chardev.h"
#include "core/machine.h"

/* Values of all options of all backends; strings belong to the parser and are copied when kept. */
typedef struct ChardevOptions {
    const char *id, *logfile;
    const char *path, *input_path, *host, *port, *localaddr, *localport;
    uint64_t    size_bytes, reconnect_s, reconnect_ms, fd;
    bool        logappend, mux, append, signal, server, wait, telnet, nodelay, abstract;
    bool        ipv4, ipv6;
    bool        has_fd;
} ChardevOptions;

typedef enum ChardevOptKind { COPT_STRING, COPT_BOOL, COPT_U64, COPT_SIZE } ChardevOptKind;
/* One option of a backend. */
typedef struct ChardevOption {
    const char *name; /* NULL ends the table */
    uint8_t     kind; /* ChardevOptKind */
    uint16_t    offset;
    const char *initial; /* as typed; NULL: zero */
    const char *help;
} ChardevOption;
#define COPT(kind_, name_, member, initial_, help_) \
    { name_, kind_, offsetof(ChardevOptions, member), initial_, help_ }

typedef struct ChardevBackend {
    const char          *name; /* NULL ends the table */
    const char          *alias;
    const char          *title;
    const ChardevOption *options;
    Chardev           *(*open)(Machine *m, const ChardevOptions *o, Error *err);
} ChardevBackend;

extern const ChardevOption char_file_options[], char_pipe_options[], char_stdio_options[],
    char_pty_options[], char_socket_options[], char_udp_options[], char_ringbuf_options[],
    char_tty_options[], char_null_options[];

Chardev *char_file_open(Machine *m, const ChardevOptions *o, Error *err);
Chardev *char_pipe_open(Machine *m, const ChardevOptions *o, Error *err);
Chardev *char_stdio_open(Machine *m, const ChardevOptions *o, Error *err);
Chardev *char_pty_open(Machine *m, const ChardevOptions *o, Error *err);
Chardev *char_tty_open(Machine *m, const ChardevOptions *o, Error *err);
Chardev *char_socket_open(Machine *m, const ChardevOptions *o, Error *err);
Chardev *char_udp_open(Machine *m, const ChardevOptions *o, Error *err);
Chardev *char_ringbuf_open(Machine *m, const ChardevOptions *o, Error *err);
Chardev *char_null_open(Machine *m, const ChardevOptions *o, Error *err);

/* ---- the common part; first member of every kind */

typedef struct CharBase CharBase;
struct CharBase {
    Chardev  dev;
    char    *id;
    char     label[256];
    int      log_fd; /* logfile=; -1: none */
    unsigned busy;   /* callbacks of a front end that are running */
    bool     closed; /* the ops' close was called */
    void   (*destroy)(CharBase *b); /* frees what the kind has, but not b itself; may be NULL */
};

/* Opens logfile=; false: err. The ops' close stops everything and ends with char_base_fini(), which
 * frees the object, g_malloc()ed with its CharBase first: at once, or when the last callback that runs
 * has returned, for a front end may free its chardev out of one. Whoever calls a front end and goes
 * on with the object afterwards does so between enter and leave. */
bool char_base_init(CharBase *b, Machine *m, const ChardevOptions *o, const ChardevOps *ops,
                    Error *err);
void char_base_fini(CharBase *b);
void char_base_enter(CharBase *b);
void char_base_leave(CharBase *b); /* b may be gone afterwards */
void char_base_log(CharBase *b, const uint8_t *buf, size_t bytes);

/* ---- a stream on one or two descriptors */

enum { CHAR_PENDING_MAX = 64 * 1024 };

typedef struct CharFd CharFd;
struct CharFd {
    CharBase   base;
    int        in_fd, out_fd; /* -1: none; may be the same */
    unsigned   in_watch, out_watch; /* of machine_fd_add(); 0: none */
    GByteArray *pending;      /* taken, not written yet */
    size_t     pending_start;
    bool       writer_waits;  /* the front end saw a short write */
    bool       message;       /* datagrams: no buffering of parts */
    /* Both may be NULL. decode takes protocol bytes out of what was read, in place, and returns what
     * is left; hangup: the peer went away, by end of file or an error. */
    size_t   (*decode)(CharFd *c, uint8_t *buf, size_t bytes);
    size_t   (*encode)(CharFd *c, const uint8_t *in, size_t bytes, uint8_t *out);
    void     (*hangup)(CharFd *c);
};
enum { CHAR_ENCODE_GROWTH = 2 }; /* encode makes at most twice the bytes */

/* The three ops of a CharFd. */
size_t char_fd_write(Chardev *dev, const uint8_t *buf, size_t bytes);
void   char_fd_set_front(Chardev *dev, const ChardevFront *f);
void   char_fd_accept_input(Chardev *dev);

void char_fd_init(CharFd *c); /* sets base.destroy */
void char_fd_destroy(CharBase *b);
/* The peer is there: sets descriptors non-blocking where they are ours alone, watches, tells. */
void char_fd_open(CharFd *c, int in_fd, int out_fd);
/* Stops watching and forgets what is pending; the descriptors stay the caller's to close. */
void char_fd_shut(CharFd *c);
/* Bytes of the protocol, past encode. */
void char_fd_send_raw(CharFd *c, const uint8_t *buf, size_t bytes);
bool char_set_nonblock(int fd);

/* ---- terminals */

typedef struct TtyGuard TtyGuard;
/* Raw mode on fd, if it is a terminal (else NULL, no error). signals: Ctrl-C, Ctrl-Z, Ctrl-\ stay
 * signals. The mode is put back by tty_restore() and, whatever way this process ends, by a small
 * guard process that waits for its end. */
TtyGuard *tty_raw(int fd, bool signals);
void      tty_restore(TtyGuard *g);

#endif
