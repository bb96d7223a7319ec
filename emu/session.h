/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One machine from a command line: the composer's private interface.
 *
 * Steps, in the order of session_build(): board and CPU chosen, machine and accelerator made, character
 * devices, disks, networks opened, board built, -device and default devices added, board finished,
 * displays and monitors attached. Each step reads Options and leaves objects in Session; what it
 * opened is closed by session_free() in the reverse order.
 *
 * Threads: all on the main thread before the machine runs; afterwards the monitor's callbacks come on
 * the main loop thread with the machine lock held.
 */
#ifndef GEMEL_EMU_SESSION_H
#define GEMEL_EMU_SESSION_H

#include "accel/accel.h"
#include "block/block.h"
#include "core/machine.h"
#include "emu/options.h"
#include "hw/machine.h"
#include "ui/ui.h"
#include "util/keyval.h"
#include "util/log.h"

enum { SESSION_MAX_DRIVES = 64, SESSION_MAX_TEXTS = 256, SESSION_MAX_MONITORS = 8 };

/* What a -drive is for: its if=. */
typedef enum DriveIf { IF_NONE, IF_VIRTIO, IF_PFLASH, IF_SD, IF_IDE, IF_SCSI, IF_FLOPPY } DriveIf;

typedef struct Drive {
    const char *id;     /* owned by Session.texts */
    const char *file;
    const char *serial; /* NULL: none */
    DriveIf     iface;
    int         index;  /* -1: next free */
    bool        cdrom;
    BlockDev   *dev;
} Drive;

typedef struct Session {
    const char    *program;
    const char    *isa;      /* "aarch64" */
    Options        options;
    Machine       *machine;
    Accel         *accel;
    AccelConfig    accel_config;
    const MachineDesc *desc;
    MachineConfig  config;
    Board         *board;
    Drive          drives[SESSION_MAX_DRIVES];
    unsigned       n_drives;
    KeyVals        machine_keys; /* -M, kept: config.options points into it */
    KeyVals        cpu_keys;
    char          *texts[SESSION_MAX_TEXTS]; /* strings that must stay */
    unsigned       n_texts;
    unsigned       n_nics;   /* asked for in any way; 0: the default one */
    bool           no_net;
    /* Each gets a monitor: for programs when `control` is set. */
    struct SessionMonitor {
        struct Chardev *chardev;
        bool            control, pretty;
        struct Monitor *hmp;
        struct Qmp     *qmp;
    } monitors[SESSION_MAX_MONITORS];
    unsigned       n_monitors;
    UiConfig       ui_config;
    struct MonitorContext *monitor;
    struct Migration *migration;
} Session;

/* A copy that lives as long as the session. */
const char *session_text(Session *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Says in front which option is wrong, unless the message does so already. Always false. */
bool session_prefix(Error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Everything up to the first instruction. false: err; session_free() is due in either case. */
bool session_build(Session *s, Error *err);
/* Runs until shutdown; the exit status. */
int  session_run(Session *s);
void session_free(Session *s);

/* ---- the steps, one file each */
bool session_open_chardevs(Session *s, Error *err);  /* emu/consoles.c: -chardev, -serial, -nographic */
bool session_add_monitors(Session *s, Error *err);   /* emu/monitors.c: -monitor, -mon, -nographic */
void session_free_monitors(Session *s);
/* Machine lock not held. */
bool session_load_state(Session *s, const char *name, Error *err);
bool session_open_drives(Session *s, Error *err);    /* emu/drives.c */
void session_close_drives(Session *s);
bool session_add_drive_devices(Session *s, Error *err); /* if=virtio */
bool session_open_networks(Session *s, Error *err);  /* emu/networks.c: -netdev */
bool session_add_nics(Session *s, Error *err);       /* -nic, -net, the default */
bool session_add_devices(Session *s, Error *err);    /* emu/devices.c: -device, -virtfs, -usb */
/* One device as -device spells it; realized. */
Device *session_add_device(Session *s, const char *spec, Error *err);
bool session_open_screens(Session *s, Error *err);   /* emu/screens.c: -display, -vnc */
void session_close_screens(Session *s);

/* emu/misc.c */
bool session_set_misc(Session *s, Error *err);            /* calendar, policies */
bool session_add_firmware_files(Session *s, Error *err);  /* -fw_cfg; the board is built */
bool session_add_objects(Session *s, Error *err);         /* -object; networks are open */
bool session_take_memory(Session *s, Error *err);         /* -mem-prealloc, -overcommit */
bool session_write_pid(Session *s, Error *err);
/* Goes on in a child; the parent waits for session_daemon_ready() and ends. A descriptor for that; -1: the
 * host refuses. Before the first thread. */
int  session_daemonize(void);
void session_daemon_ready(int fd);

/* Full path of a firmware file: `name` itself if it exists, else in -L folders and the system's
 * (pc-bios/README). NULL and an Error that lists where it was looked for. */
const char *session_find_firmware(Session *s, const char *name, Error *err);
/* Prints the folders. */
void session_print_firmware_dirs(const Session *s, FILE *f);

/* What -d takes. */
extern const LogKind session_log_kinds[];

/* Answers `-X help` and leaves with true when there was such a question. */
bool session_answer_help(Session *s);

#endif
