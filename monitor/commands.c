/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The monitor's commands that change something. */
#include <stdio.h>
#include <string.h>

#include "core/input.h"
#include "core/net.h"
#include "monitor/private.h"
#include "util/keyval.h"
#include "util/log.h"

static void missing(Call *k, const char *what)
{
    call_printf(k, "Error: this machine has no %s", what);
}

static void finish(Call *k, bool ok, const Error *err)
{
    if (!ok) {
        call_error(k, err);
    }
}

/* The words from `from` on, as they were typed, with single blanks. */
static void rest(const Call *k, int from, char *out, size_t bytes)
{
    size_t n = 0;
    out[0] = '\0';
    for (int i = from; i < k->argc && n < bytes; i++) {
        n += (size_t)snprintf(out + n, bytes - n, "%s%s", i > from ? " " : "", k->argv[i]);
    }
}

static void command_help(Call *k)
{
    if (k->argc > 1 && strcmp(k->argv[1], "info")) {
        for (const Command *c = monitor_commands; c->name; c++) {
            if (!strcmp(c->name, k->argv[1])) {
                call_printf(k, "%s %s -- %s", c->name, c->args, c->help);
                return;
            }
        }
        call_printf(k, "no command '%s'", k->argv[1]);
        return;
    }
    const Command *table = k->argc > 1 ? monitor_infos : monitor_commands;
    for (const Command *c = table; c->name; c++) {
        char left[80];
        snprintf(left, sizeof left, "%s%s%s%s", table == monitor_infos ? "info " : "", c->name,
                 *c->args ? " " : "", c->args);
        call_printf(k, "%-40s -- %s", left, c->help);
    }
}

/* The next command finds it done. */
static void serve(Call *k)
{
    machine_unlock(k->c->machine);
    machine_serve_requests(k->c->machine);
    machine_lock(k->c->machine);
}

static void command_stop(Call *k)
{
    machine_request_stop(k->c->machine, RUN_PAUSED);
    serve(k);
}

static void command_cont(Call *k)
{
    machine_request_cont(k->c->machine);
    serve(k);
}

static void command_quit(Call *k)
{
    machine_request_shutdown(k->c->machine, CAUSE_HOST_QUIT);
}

static void command_reset(Call *k)
{
    machine_request_reset(k->c->machine, CAUSE_HOST_RESET);
    serve(k);
}

static void command_powerdown(Call *k)
{
    machine_request_powerdown(k->c->machine);
}

static void command_savevm(Call *k)
{
    Error err = {0};
    if (!k->c->savevm) {
        missing(k, "disk that could hold a state");
    } else {
        finish(k, k->c->savevm(k->c->opaque, k->argc > 1 ? k->argv[1] : NULL, &err), &err);
    }
}

static void command_loadvm(Call *k)
{
    Error err = {0};
    if (!k->c->loadvm) {
        missing(k, "disk that could hold a state");
    } else {
        finish(k, k->c->loadvm(k->c->opaque, k->argv[1], &err), &err);
    }
}

static void command_delvm(Call *k)
{
    Error err = {0};
    if (!k->c->delvm) {
        missing(k, "disk that could hold a state");
    } else {
        finish(k, k->c->delvm(k->c->opaque, k->argv[1], &err), &err);
    }
}

static void command_screendump(Call *k)
{
    Error err = {0};
    if (!k->c->screendump) {
        missing(k, "screen");
    } else {
        finish(k, k->c->screendump(k->c->opaque, k->argc > 2 ? k->argv[2] : NULL, k->argv[1], &err),
               &err);
    }
}

/* "ctrl-alt-f1": down in order, up in reverse. */
static void command_sendkey(Call *k)
{
    enum { MAX_KEYS = 16 };
    uint16_t codes[MAX_KEYS];
    char text[256];
    unsigned n = 0;
    snprintf(text, sizeof text, "%s", k->argv[1]);
    for (char *save, *w = strtok_r(text, "-", &save); w; w = strtok_r(NULL, "-", &save)) {
        uint16_t code = input_key_by_name(w);
        if (!code || n == MAX_KEYS) {
            call_printf(k, "Error: unknown key '%s'", w);
            return;
        }
        codes[n++] = code;
    }
    Machine *m = k->c->machine;
    for (unsigned i = 0; i < n; i++) {
        input_send_key(m, codes[i], true);
        input_sync(m);
    }
    while (n) {
        input_send_key(m, codes[--n], false);
        input_sync(m);
    }
}

static bool signed_word(Call *k, int arg, int32_t *v)
{
    char tail;
    if (arg < k->argc && sscanf(k->argv[arg], "%d%c", v, &tail) == 1) {
        return true;
    }
    call_printf(k, "Error: '%s' is not a number", arg < k->argc ? k->argv[arg] : "");
    return false;
}

static void command_mouse_move(Call *k)
{
    int32_t x, y, z = 0;
    if (!signed_word(k, 1, &x) || !signed_word(k, 2, &y) ||
        (k->argc > 3 && !signed_word(k, 3, &z))) {
        return;
    }
    Machine *m = k->c->machine;
    if (input_is_absolute(m)) {
        input_send_abs(m, INPUT_X, x);
        input_send_abs(m, INPUT_Y, y);
    } else {
        input_send_rel(m, INPUT_X, x);
        input_send_rel(m, INPUT_Y, y);
    }
    if (z) {
        input_send_rel(m, INPUT_WHEEL, z);
    }
    input_sync(m);
}

static void command_mouse_button(Call *k)
{
    static const uint16_t buttons[] = {0x110, 0x111, 0x112}; /* BTN_LEFT, _RIGHT, _MIDDLE */
    uint64_t mask;
    if (!call_number(k, 1, &mask)) {
        return;
    }
    for (unsigned i = 0; i < 3; i++) {
        input_send_button(k->c->machine, buttons[i], mask >> i & 1);
    }
    input_sync(k->c->machine);
}

static void command_device_add(Call *k)
{
    char spec[MONITOR_LINE_BYTES];
    Error err = {0};
    rest(k, 1, spec, sizeof spec);
    if (!k->c->device_add) {
        missing(k, "bus for new devices");
    } else {
        finish(k, k->c->device_add(k->c->opaque, spec, &err), &err);
    }
}

static void command_device_del(Call *k)
{
    Error err = {0};
    if (!k->c->device_del) {
        missing(k, "bus for new devices");
    } else {
        finish(k, k->c->device_del(k->c->opaque, k->argv[1], &err), &err);
    }
}

static void command_eject(Call *k)
{
    Error err = {0};
    bool force = !strcmp(k->argv[1], "-f");
    if (!k->c->eject || (force && k->argc < 3)) {
        missing(k, "such drive");
    } else {
        finish(k, k->c->eject(k->c->opaque, k->argv[1 + force], &err), &err);
    }
}

static void command_change(Call *k)
{
    Error err = {0};
    if (!strcmp(k->argv[1], "vnc") && k->argc > 3 && k->c->set_vnc_password) {
        finish(k, k->c->set_vnc_password(k->c->opaque, k->argv[3], &err), &err);
    } else if (!k->c->change) {
        missing(k, "such drive");
    } else {
        finish(k, k->c->change(k->c->opaque, k->argv[1], k->argv[2], &err), &err);
    }
}

static void command_commit(Call *k)
{
    Error err = {0};
    if (!k->c->commit) {
        call_printf(k, "Error: not while the machine runs; afterwards: gemel-img commit FILE");
    } else {
        finish(k, k->c->commit(k->c->opaque, k->argv[1], &err), &err);
    }
}

/* hostfwd_add [ID] RULE */
static void change_forward(Call *k, bool add)
{
    Error err = {0};
    const char *id = k->argc > 2 ? k->argv[1] : NULL;
    if (!k->c->hostfwd) {
        missing(k, "user network");
    } else {
        finish(k, k->c->hostfwd(k->c->opaque, id, k->argv[k->argc - 1], add, &err), &err);
    }
}

static void command_hostfwd_add(Call *k)
{
    change_forward(k, true);
}

static void command_hostfwd_remove(Call *k)
{
    change_forward(k, false);
}

static void command_set_link(Call *k)
{
    NetPort *p = net_by_id(k->c->machine, k->argv[1]);
    bool up;
    if (!p) {
        call_printf(k, "Error: no network port '%s' (info network lists them)", k->argv[1]);
    } else if (!parse_bool(k->argv[2], &up)) {
        call_printf(k, "Error: set_link %s on|off", k->argv[1]);
    } else {
        net_set_link(p, up);
    }
}

static void command_log(Call *k)
{
    static const LogKind kinds[] = {
        {"guest_errors", MLOG_GUEST_ERROR, "what the guest did wrong"},
        {"unimp", MLOG_UNIMP, "what is not modelled"},
        {"cpu_reset", MLOG_RESET, "resets"},
        {"int", MLOG_INT, "interrupts"},
        {"mmio", MLOG_MMIO, "accesses to devices"},
        {"timer", MLOG_TIMER, "timers"},
        {NULL, 0, NULL},
    };
    Error err = {0};
    uint32_t on = 0;
    struct Log *log = machine_log(k->c->machine);
    if (!strcmp(k->argv[1], "none")) {
        log->on = 0;
    } else if (log_parse_kinds(k->argv[1], kinds, &on, &err)) {
        log->on = on;
    } else {
        call_error(k, &err);
    }
}

static void command_cpu(Call *k)
{
    uint64_t n;
    if (call_number(k, 1, &n)) {
        if (n >= k->c->machine->n_cpus) {
            call_printf(k, "Error: there are %u CPUs", k->c->machine->n_cpus);
        } else {
            *k->default_cpu = (unsigned)n;
        }
    }
}

static void command_balloon(Call *k)
{
    Error err = {0};
    uint64_t bytes;
    if (!parse_size(k->argv[1], 1 << 20, &bytes)) {
        call_printf(k, "Error: '%s' is not a size", k->argv[1]);
    } else if (!k->c->balloon) {
        missing(k, "balloon (-device virtio-balloon-pci)");
    } else {
        finish(k, k->c->balloon(k->c->opaque, bytes, &err), &err);
    }
}

static void command_block_resize(Call *k)
{
    Error err = {0};
    uint64_t bytes;
    if (!parse_size(k->argv[2], 1 << 20, &bytes)) {
        call_printf(k, "Error: '%s' is not a size", k->argv[2]);
    } else if (!k->c->block_resize) {
        missing(k, "such drive");
    } else {
        finish(k, k->c->block_resize(k->c->opaque, k->argv[1], bytes, &err), &err);
    }
}

/* No board of ours has a line for it: Arm's boards have none, and no x86 board is there yet. */
static void command_nmi(Call *k)
{
    missing(k, "NMI line");
}

static void command_ringbuf_read(Call *k)
{
    Error err = {0};
    char text[1001];
    uint64_t bytes;
    size_t n = 0;
    if (!call_number(k, 2, &bytes)) {
        return;
    }
    if (!k->c->ringbuf_read) {
        missing(k, "ring buffers");
        return;
    }
    while (bytes) {
        if (!k->c->ringbuf_read(k->c->opaque, k->argv[1], text, MIN(bytes, sizeof text - 1), &n,
                                &err)) {
            call_error(k, &err);
            return;
        }
        if (!n) {
            return;
        }
        for (size_t i = 0; i < n; i++) { /* the terminal is not to obey what a guest wrote */
            text[i] = (text[i] & 0x80) || text[i] >= 32 || text[i] == '\n' ? text[i] : ' ';
        }
        text[n] = '\0';
        char *at = text;
        for (char *line; (line = strsep(&at, "\n"));) {
            if (*line || at) {
                call_printf(k, "%s", line);
            }
        }
        bytes -= n;
    }
}

static void command_ringbuf_write(Call *k)
{
    char text[MONITOR_LINE_BYTES];
    Error err = {0};
    rest(k, 2, text, sizeof text);
    if (!k->c->ringbuf_write) {
        missing(k, "ring buffers");
    } else {
        finish(k, k->c->ringbuf_write(k->c->opaque, k->argv[1], text, strlen(text), &err), &err);
    }
}

static void command_gdbserver(Call *k)
{
    call_printf(k, "Error: the gdb server is not there yet");
}

const Command monitor_commands[] = {
    {"help", "?", "[COMMAND]", "this list, or one command", command_help},
    {"info", NULL, "[WHAT...]", "shows something; `help info` lists what", NULL},
    {"stop", "s", "", "stops the machine", command_stop},
    {"cont", "c", "", "lets it run again", command_cont},
    {"quit", "q", "", "ends the emulator", command_quit},
    {"system_reset", NULL, "", "presses reset", command_reset},
    {"system_powerdown", NULL, "", "presses the power button", command_powerdown},
    {"savevm", NULL, "[NAME]", "saves the machine's state into its disks", command_savevm},
    {"loadvm", NULL, "NAME", "goes back to a saved state", command_loadvm},
    {"delvm", NULL, "NAME", "deletes a saved state", command_delvm},
    {"screendump", NULL, "FILE [CONSOLE]", "the screen as a picture (.png, else PPM)",
     command_screendump},
    {"sendkey", NULL, "KEYS [MS]", "types keys, at once: ctrl-alt-f1", command_sendkey},
    {"mouse_move", NULL, "X Y [WHEEL]", "moves the pointer", command_mouse_move},
    {"mouse_button", NULL, "MASK", "buttons that are down: 1 left, 2 right, 4 middle",
     command_mouse_button},
    {"device_add", NULL, "DEVICE...", "plugs a device in, as -device", command_device_add},
    {"device_del", NULL, "ID", "asks the guest to give a device up", command_device_del},
    {"eject", NULL, "[-f] DRIVE", "takes the medium out", command_eject},
    {"change", NULL, "DRIVE FILE [FORMAT...]", "puts another medium in", command_change},
    {"commit", NULL, "DRIVE|all", "writes an overlay's changes into its base", command_commit},
    {"hostfwd_add", NULL, "[NETDEV] RULE", "forwards a host port: tcp::2222-:22",
     command_hostfwd_add},
    {"hostfwd_remove", NULL, "[NETDEV] RULE", "takes it back: tcp::2222", command_hostfwd_remove},
    {"set_link", NULL, "PORT on|off", "plugs or pulls a network cable", command_set_link},
    {"cpu", NULL, "N", "the CPU that info registers and x look at", command_cpu},
    {"x", NULL, "[/FMT] ADDRESS", "memory at a virtual address: x /16xw 0xffff800008000000",
     command_x},
    {"xp", NULL, "[/FMT] ADDRESS", "memory at a physical address", command_xp},
    {"gva2gpa", NULL, "ADDRESS", "physical address of a virtual one", command_gva2gpa},
    {"memsave", NULL, "ADDRESS BYTES FILE", "virtual memory into a file", command_memsave},
    {"pmemsave", NULL, "ADDRESS BYTES FILE", "physical memory into a file", command_pmemsave},
    {"balloon", NULL, "SIZE", "asks the guest to use only so much memory", command_balloon},
    {"block_resize", NULL, "DRIVE SIZE", "another size for a disk, in MiB or with a suffix",
     command_block_resize},
    {"nmi", NULL, "", "presses the button that no software can mask", command_nmi},
    {"ringbuf_read", NULL, "CHARDEV BYTES", "what was written to a -chardev ringbuf",
     command_ringbuf_read},
    {"ringbuf_write", NULL, "CHARDEV TEXT...", "as if its peer had sent it", command_ringbuf_write},
    {"print", "p", "[/FMT] NUMBER", "a number in another form: print /x 1234", command_print},
    {"log", NULL, "KIND[,KIND]|none", "what is logged: guest_errors, mmio, ...", command_log},
    {"gdbserver", NULL, "[WHERE]", "not there yet", command_gdbserver},
    {NULL, NULL, NULL, NULL, NULL},
};
