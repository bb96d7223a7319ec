/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Commands of the monitor for programs. Those that the other monitor has, too, are rows that name
 * its command; what it says is the error.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "config.h"
#include "core/display.h"
#include "core/input.h"
#include "monitor/qmp_private.h"
#include "util/str_nearest.h"

enum { QMP_MAX_KEYS = 16, QMP_MAX_READ = 1 << 20 };

/* ---- making objects ---- */

static void add_text(json_object *o, const char *key, const char *text)
{
    json_object_object_add(o, key, json_object_new_string(text));
}

static void add_bool(json_object *o, const char *key, bool v)
{
    json_object_object_add(o, key, json_object_new_boolean(v));
}

static void add_number(json_object *o, const char *key, uint64_t v)
{
    json_object_object_add(o, key, json_object_new_uint64(v));
}

/* ---- arguments ---- */

static const char *arg_text(const QmpCall *k, const char *name)
{
    json_object *o;
    return json_object_object_get_ex(k->args, name, &o) ? json_object_get_string(o) : NULL;
}

static bool arg_u64(const QmpCall *k, const char *name, uint64_t *v)
{
    json_object *o;
    if (!json_object_object_get_ex(k->args, name, &o)) {
        return false;
    }
    *v = json_object_get_uint64(o);
    return true;
}

static bool fail(QmpCall *k, const char *text)
{
    return error_set(&k->err, "%s", text);
}

/* ---- queries ---- */

static bool query_version(QmpCall *k)
{
    json_object *o = json_object_new_object(), *level = json_object_new_object();
    /* The level of the protocol that we speak, where programs look for it. */
    add_number(level, "major", 7);
    add_number(level, "minor", 2);
    add_number(level, "micro", 0);
    json_object_object_add(o, "qemu", level);
    add_text(o, "package", "gemel-" GEMEL_VERSION);
    k->result = o;
    return true;
}

static bool query_status(QmpCall *k)
{
    static const char *const states[] = {
        [RUN_PRELAUNCH] = "prelaunch",  [RUN_RUNNING] = "running",      [RUN_PAUSED] = "paused",
        [RUN_SAVING] = "save-vm",       [RUN_RESTORING] = "restore-vm", [RUN_SHUTDOWN] = "shutdown",
        [RUN_ERROR] = "internal-error",
    };
    RunState now = k->c->machine->state;
    k->result = json_object_new_object();
    add_bool(k->result, "running", now == RUN_RUNNING);
    add_bool(k->result, "singlestep", false);
    add_text(k->result, "status", states[now]);
    return true;
}

static bool query_name(QmpCall *k)
{
    k->result = json_object_new_object();
    add_text(k->result, "name", k->c->machine->name);
    return true;
}

static bool query_uuid(QmpCall *k)
{
    k->result = json_object_new_object();
    add_text(k->result, "UUID", k->c->uuid ? k->c->uuid : "00000000-0000-0000-0000-000000000000");
    return true;
}

static bool query_target(QmpCall *k)
{
    k->result = json_object_new_object();
    add_text(k->result, "arch", k->c->isa);
    return true;
}

static bool query_kvm(QmpCall *k)
{
    bool kvm = k->c->accel && !strcmp(k->c->accel->ops->name, "kvm");
    k->result = json_object_new_object();
    add_bool(k->result, "enabled", kvm);
    add_bool(k->result, "present", kvm);
    return true;
}

static bool query_commands(QmpCall *k)
{
    k->result = json_object_new_array();
    for (const QmpCommand *c = qmp_commands; c->name; c++) {
        json_object *o = json_object_new_object();
        add_text(o, "name", c->name);
        json_object_array_add(k->result, o);
    }
    return true;
}

static bool query_cpus(QmpCall *k)
{
    const Machine *m = k->c->machine;
    k->result = json_object_new_array();
    for (unsigned i = 0; i < m->n_cpus; i++) {
        json_object *o = json_object_new_object(), *props = json_object_new_object();
        char path[64];
        snprintf(path, sizeof path, "/machine/unattached/device[%u]", i);
        add_number(o, "cpu-index", i);
        add_text(o, "qom-path", path);
        add_text(o, "target", k->c->isa);
        add_number(props, "core-id", i);
        json_object_object_add(o, "props", props);
        json_object_array_add(k->result, o);
    }
    return true;
}

static bool query_cpu_definitions(QmpCall *k)
{
    const char *const *models = k->c->accel ? k->c->accel->ops->cpu_models() : NULL;
    k->result = json_object_new_array();
    for (; models && *models; models++) {
        json_object *o = json_object_new_object();
        add_text(o, "name", *models);
        add_bool(o, "static", false);
        json_object_array_add(k->result, o);
    }
    return true;
}

static void add_board(void *opaque, const char *name, const char *alias, unsigned max_cpus)
{
    json_object *o = json_object_new_object();
    add_text(o, "name", name);
    if (alias) {
        add_text(o, "alias", alias);
    }
    add_number(o, "cpu-max", max_cpus);
    add_bool(o, "hotpluggable-cpus", false);
    json_object_array_add(opaque, o);
}

static bool query_machines(QmpCall *k)
{
    k->result = json_object_new_array();
    if (k->c->each_board) {
        k->c->each_board(k->c->opaque, add_board, k->result);
    }
    return true;
}

static bool query_memory(QmpCall *k)
{
    k->result = json_object_new_object();
    add_number(k->result, "base-memory", k->c->ram_bytes);
    add_number(k->result, "plugged-memory", 0);
    return true;
}

static void add_drive(void *opaque, const MonitorDrive *d)
{
    json_object *o = json_object_new_object();
    add_text(o, "device", d->id);
    if (d->device) {
        add_text(o, "qdev", d->device);
    }
    add_text(o, "type", "unknown");
    add_bool(o, "removable", d->removable);
    add_bool(o, "locked", false);
    if (d->file) {
        json_object *in = json_object_new_object(), *image = json_object_new_object();
        add_text(in, "file", d->file);
        add_bool(in, "ro", d->read_only);
        add_text(image, "filename", d->file);
        add_number(image, "virtual-size", d->bytes);
        json_object_object_add(in, "image", image);
        json_object_object_add(o, "inserted", in);
    }
    json_object_array_add(opaque, o);
}

static bool query_block(QmpCall *k)
{
    k->result = json_object_new_array();
    if (k->c->each_drive) {
        k->c->each_drive(k->c->opaque, add_drive, k->result);
    }
    return true;
}

static void add_chardev(Chardev *c, void *opaque)
{
    json_object *o = json_object_new_object();
    add_text(o, "label", c->id);
    add_text(o, "filename", c->label ? c->label : "");
    add_bool(o, "frontend-open", c->in_use);
    json_object_array_add(opaque, o);
}

static bool query_chardev(QmpCall *k)
{
    k->result = json_object_new_array();
    chardev_each(k->c->machine, add_chardev, k->result);
    return true;
}

static bool query_balloon(QmpCall *k)
{
    uint64_t bytes;
    if (!k->c->get_balloon || !k->c->get_balloon(k->c->opaque, &bytes)) {
        k->err_class = "DeviceNotActive";
        return fail(k, "No balloon device has been activated");
    }
    k->result = json_object_new_object();
    add_number(k->result, "actual", bytes);
    return true;
}

static bool query_mice(QmpCall *k)
{
    json_object *o = json_object_new_object();
    add_text(o, "name", "pointer");
    add_number(o, "index", 0);
    add_bool(o, "current", true);
    add_bool(o, "absolute", input_is_absolute(k->c->machine));
    k->result = json_object_new_array();
    json_object_array_add(k->result, o);
    return true;
}

/* ---- commands ---- */

static void collect_line(void *opaque, const char *line)
{
    g_string_append(opaque, line);
    g_string_append(opaque, "\r\n");
}

static bool human_monitor_command(QmpCall *k)
{
    uint64_t cpu = 0;
    if (arg_u64(k, "cpu-index", &cpu) && cpu >= k->c->machine->n_cpus) {
        return fail(k, "Parameter 'cpu-index' expects a CPU number");
    }
    GString *text = g_string_new(NULL);
    unsigned default_cpu = (unsigned)cpu;
    monitor_run_line(k->c, &default_cpu, arg_text(k, "command-line"), collect_line, text);
    k->result = json_object_new_string_len(text->str, (int)text->len);
    g_string_free(text, TRUE);
    return true;
}

static bool screendump(QmpCall *k)
{
    const char *file = arg_text(k, "filename"), *format = arg_text(k, "format");
    bool png = g_str_has_suffix(file, ".png");
    if (format && strcmp(format, png ? "png" : "ppm")) {
        return fail(k, "the file name says the format: .png is PNG, others are PPM");
    }
    return k->c->screendump ? k->c->screendump(k->c->opaque, arg_text(k, "device"), file, &k->err)
                            : fail(k, "this machine has no screen");
}

/* {"driver": "virtio-rng-pci", "id": "r"} is virtio-rng-pci,id=r. */
static bool device_add(QmpCall *k)
{
    const char *driver = arg_text(k, "driver");
    if (!driver) {
        return fail(k, "Parameter 'driver' is missing");
    }
    if (!k->c->device_add) {
        return fail(k, "this machine has no bus for new devices");
    }
    GString *spec = g_string_new(driver);
    json_object_object_foreach(k->args, key, value)
    {
        if (strcmp(key, "driver")) {
            const char *text = json_object_get_string(value);
            bool flag = json_object_is_type(value, json_type_boolean);
            g_string_append_printf(spec, ",%s=", key);
            text = flag ? json_object_get_boolean(value) ? "on" : "off" : text ? text : "";
            for (; *text; text++) {
                g_string_append(spec, *text == ',' ? ",," : (char[]){*text, '\0'});
            }
        }
    }
    bool ok = k->c->device_add(k->c->opaque, spec->str, &k->err);
    g_string_free(spec, TRUE);
    return ok;
}

static bool device_del(QmpCall *k)
{
    const char *id = arg_text(k, "id");
    if (!machine_device(k->c->machine, id)) {
        k->err_class = "DeviceNotFound";
        return error_set(&k->err, "Device '%s' not found", id);
    }
    return k->c->device_del ? k->c->device_del(k->c->opaque, id, &k->err)
                            : fail(k, "this machine has no bus for new devices");
}

/* The drive, by any of the names programs use. */
static const char *drive_name(QmpCall *k)
{
    const char *name = arg_text(k, "device");
    name = name ? name : arg_text(k, "id");
    name = name ? name : arg_text(k, "node-name");
    if (!name) {
        fail(k, "Parameter 'device' is missing");
    }
    return name;
}

static bool eject(QmpCall *k)
{
    const char *drive = drive_name(k);
    return drive && (k->c->eject ? k->c->eject(k->c->opaque, drive, &k->err)
                                 : fail(k, "this machine has no such drive"));
}

static bool change_medium(QmpCall *k)
{
    const char *drive = drive_name(k);
    return drive &&
           (k->c->change ? k->c->change(k->c->opaque, drive, arg_text(k, "filename"), &k->err)
                         : fail(k, "this machine has no such drive"));
}

static bool block_resize(QmpCall *k)
{
    const char *drive = drive_name(k);
    uint64_t bytes = 0;
    arg_u64(k, "size", &bytes);
    return drive && (k->c->block_resize ? k->c->block_resize(k->c->opaque, drive, bytes, &k->err)
                                        : fail(k, "this machine has no such drive"));
}

static bool balloon(QmpCall *k)
{
    uint64_t bytes = 0;
    arg_u64(k, "value", &bytes);
    if (!k->c->balloon) {
        k->err_class = "DeviceNotActive";
        return fail(k, "No balloon device has been activated");
    }
    return k->c->balloon(k->c->opaque, bytes, &k->err);
}

static bool set_password(QmpCall *k)
{
    if (strcmp(arg_text(k, "protocol"), "vnc")) {
        return fail(k, "protocol: vnc is the only one");
    }
    return k->c->set_vnc_password
               ? k->c->set_vnc_password(k->c->opaque, arg_text(k, "password"), &k->err)
               : fail(k, "there is no VNC server");
}

static bool check_format(QmpCall *k)
{
    const char *format = arg_text(k, "format");
    return !format || !strcmp(format, "utf8") ||
           fail(k, "format: utf8 is the only one that is there");
}

static bool ringbuf_read(QmpCall *k)
{
    uint64_t bytes = 0;
    size_t n = 0;
    arg_u64(k, "size", &bytes);
    bytes = MIN(bytes, QMP_MAX_READ);
    if (!check_format(k) || !k->c->ringbuf_read) {
        return error_is_set(&k->err) || fail(k, "there are no ring buffers");
    }
    char *buf = g_malloc(bytes + 1);
    bool ok = k->c->ringbuf_read(k->c->opaque, arg_text(k, "device"), buf, bytes, &n, &k->err);
    if (ok) {
        char *text = g_utf8_make_valid(buf, (gssize)n);
        k->result = json_object_new_string(text);
        g_free(text);
    }
    g_free(buf);
    return ok;
}

static bool ringbuf_write(QmpCall *k)
{
    const char *data = arg_text(k, "data");
    if (!check_format(k) || !k->c->ringbuf_write) {
        return error_is_set(&k->err) || fail(k, "there are no ring buffers");
    }
    return k->c->ringbuf_write(k->c->opaque, arg_text(k, "device"), data, strlen(data), &k->err);
}

/* ---- input ---- */

/* {"type": "qcode", "data": "a"} */
static bool key_code(QmpCall *k, json_object *key, uint16_t *code)
{
    json_object *type, *data;
    if (!json_object_object_get_ex(key, "type", &type) ||
        !json_object_object_get_ex(key, "data", &data) ||
        strcmp(json_object_get_string(type), "qcode")) {
        return fail(k, "keys are {\"type\": \"qcode\", \"data\": NAME}");
    }
    *code = input_key_by_name(json_object_get_string(data));
    return *code || error_set(&k->err, "unknown key '%s'", json_object_get_string(data));
}

static bool send_key(QmpCall *k)
{
    json_object *keys = json_object_object_get(k->args, "keys");
    size_t n = json_object_array_length(keys);
    uint16_t codes[QMP_MAX_KEYS];
    if (n > QMP_MAX_KEYS) {
        return fail(k, "too many keys");
    }
    for (size_t i = 0; i < n; i++) {
        if (!key_code(k, json_object_array_get_idx(keys, i), &codes[i])) {
            return false;
        }
    }
    for (size_t i = 0; i < n; i++) {
        input_send_key(k->c->machine, codes[i], true);
        input_sync(k->c->machine);
    }
    while (n) {
        input_send_key(k->c->machine, codes[--n], false);
        input_sync(k->c->machine);
    }
    return true;
}

static bool send_button(QmpCall *k, json_object *data, bool really)
{
    static const struct {
        const char *name;
        uint16_t code; /* Linux BTN_*; 0: a turn of the wheel */
        int8_t wheel;
    } buttons[] = {
        {"left", 0x110, 0},  {"right", 0x111, 0}, {"middle", 0x112, 0},  {"side", 0x113, 0},
        {"extra", 0x114, 0}, {"wheel-up", 0, 1},  {"wheel-down", 0, -1},
    };
    const char *name = json_object_get_string(json_object_object_get(data, "button"));
    bool down = json_object_get_boolean(json_object_object_get(data, "down"));
    for (size_t i = 0; name && i < G_N_ELEMENTS(buttons); i++) {
        if (strcmp(name, buttons[i].name)) {
            continue;
        }
        if (really && buttons[i].code) {
            input_send_button(k->c->machine, buttons[i].code, down);
        } else if (really && down) {
            input_send_rel(k->c->machine, INPUT_WHEEL, buttons[i].wheel);
        }
        return true;
    }
    return error_set(&k->err, "unknown button '%s'", name ? name : "");
}

static bool send_motion(QmpCall *k, json_object *data, bool absolute, bool really)
{
    const char *axis = json_object_get_string(json_object_object_get(data, "axis"));
    int32_t value = json_object_get_int(json_object_object_get(data, "value"));
    if (!axis || (strcmp(axis, "x") && strcmp(axis, "y"))) {
        return error_set(&k->err, "axis: x or y, not '%s'", axis ? axis : "");
    }
    InputAxis which = *axis == 'x' ? INPUT_X : INPUT_Y;
    if (really && absolute) {
        input_send_abs(k->c->machine, which, CLAMP(value, 0, INPUT_ABS_MAX));
    } else if (really) {
        input_send_rel(k->c->machine, which, value);
    }
    return true;
}

/* really: false only looks whether it is right. */
static bool send_input(QmpCall *k, json_object *e, bool really)
{
    const char *type = json_object_get_string(json_object_object_get(e, "type"));
    json_object *data = json_object_object_get(e, "data");
    uint16_t code;
    if (!type || !json_object_is_type(data, json_type_object)) {
        return fail(k, "events are {\"type\": key|btn|rel|abs, \"data\": {...}}");
    }
    if (!strcmp(type, "key")) {
        if (!key_code(k, json_object_object_get(data, "key"), &code)) {
            return false;
        }
        if (really) {
            bool down = json_object_get_boolean(json_object_object_get(data, "down"));
            input_send_key(k->c->machine, code, down);
        }
        return true;
    }
    if (!strcmp(type, "btn")) {
        return send_button(k, data, really);
    }
    if (!strcmp(type, "rel") || !strcmp(type, "abs")) {
        return send_motion(k, data, *type == 'a', really);
    }
    return error_set(&k->err, "unknown type of event '%s'", type);
}

static bool input_send_event(QmpCall *k)
{
    json_object *events = json_object_object_get(k->args, "events");
    size_t n = json_object_array_length(events);
    for (int really = 0; really < 2; really++) { /* all or none */
        for (size_t i = 0; i < n; i++) {
            if (!send_input(k, json_object_array_get_idx(events, i), really)) {
                return false;
            }
        }
    }
    input_sync(k->c->machine);
    return true;
}

/* ---- the table ---- */

const QmpCommand qmp_commands[] = {
    {"qmp_capabilities", "enable:a", NULL, NULL}, /* monitor/qmp.c */
    {"query-version", "", NULL, query_version},
    {"query-commands", "", NULL, query_commands},
    {"query-status", "", NULL, query_status},
    {"query-name", "", NULL, query_name},
    {"query-uuid", "", NULL, query_uuid},
    {"query-target", "", NULL, query_target},
    {"query-kvm", "", NULL, query_kvm},
    {"query-machines", "", NULL, query_machines},
    {"query-cpu-definitions", "", NULL, query_cpu_definitions},
    {"query-cpus-fast", "", NULL, query_cpus},
    {"query-memory-size-summary", "", NULL, query_memory},
    {"query-block", "", NULL, query_block},
    {"query-chardev", "", NULL, query_chardev},
    {"query-balloon", "", NULL, query_balloon},
    {"query-mice", "", NULL, query_mice},
    {"stop", "", "stop", NULL},
    {"cont", "", "cont", NULL},
    {"quit", "", "quit", NULL},
    {"system_reset", "", "system_reset", NULL},
    {"system_powerdown", "", "system_powerdown", NULL},
    {"inject-nmi", "", "nmi", NULL},
    {"human-monitor-command", "command-line:s! cpu-index:i", NULL, human_monitor_command},
    {"screendump", "filename:s! device:s format:s", NULL, screendump},
    {"send-key", "keys:a!", NULL, send_key},
    {"input-send-event", "events:a!", NULL, input_send_event},
    {"device_add", "*", NULL, device_add},
    {"device_del", "id:s!", NULL, device_del},
    {"eject", "device:s id:s force:b", NULL, eject},
    {"blockdev-change-medium", "device:s id:s filename:s! format:s force:b", NULL, change_medium},
    {"block_resize", "device:s node-name:s size:i!", NULL, block_resize},
    {"balloon", "value:i!", NULL, balloon},
    {"set_link", "name:s! up:b!", "set_link", NULL},
    {"set_password", "protocol:s! password:s!", NULL, set_password},
    {"memsave", "val:i! size:i! filename:s!", "memsave", NULL},
    {"pmemsave", "val:i! size:i! filename:s!", "pmemsave", NULL},
    {"ringbuf-read", "device:s! size:i! format:s", NULL, ringbuf_read},
    {"ringbuf-write", "device:s! data:s! format:s", NULL, ringbuf_write},
    {NULL, NULL, NULL, NULL},
};

/* ---- running one ---- */

/* One NAME:TYPE! of a row. */
typedef struct ArgSpec {
    char name[32], type;
    bool must;
} ArgSpec;

/* The next one; false: no more. */
static bool next_arg(const char **text, ArgSpec *a)
{
    *text += strspn(*text, " ");
    size_t n = strcspn(*text, ":");
    if (!(*text)[n]) {
        return false;
    }
    snprintf(a->name, sizeof a->name, "%.*s", (int)n, *text);
    a->type = (*text)[n + 1];
    a->must = (*text)[n + 2] == '!';
    *text += n + 2 + a->must;
    return true;
}

static bool has_type(json_object *o, char type, const char **wanted)
{
    switch (type) {
    case 'i': *wanted = "integer"; return json_object_is_type(o, json_type_int);
    case 'b': *wanted = "boolean"; return json_object_is_type(o, json_type_boolean);
    case 'a': *wanted = "array"; return json_object_is_type(o, json_type_array);
    default: *wanted = "string"; return json_object_is_type(o, json_type_string);
    }
}

static bool is_known(const char *spec, const char *name)
{
    for (ArgSpec a; next_arg(&spec, &a);) {
        if (!strcmp(a.name, name)) {
            return true;
        }
    }
    return false;
}

static bool check_args(QmpCall *k, const char *spec)
{
    const char *at = spec, *wanted;
    if (*spec == '*') {
        return true;
    }
    for (ArgSpec a; next_arg(&at, &a);) {
        json_object *o;
        if (!json_object_object_get_ex(k->args, a.name, &o)) {
            if (a.must) {
                return error_set(&k->err, "Parameter '%s' is missing", a.name);
            }
        } else if (!has_type(o, a.type, &wanted)) {
            return error_set(&k->err, "Invalid parameter type for '%s', expected: %s", a.name,
                             wanted);
        }
    }
    if (k->args) {
        json_object_object_foreach(k->args, key, value)
        {
            (void)value;
            if (!is_known(spec, key)) {
                return error_set(&k->err, "Parameter '%s' is unexpected", key);
            }
        }
    }
    return true;
}

/* The first error that a command of the other monitor prints. */
static void collect_error(void *opaque, const char *line)
{
    QmpCall *k = opaque;
    if (!error_is_set(&k->err)) {
        const char *text = g_str_has_prefix(line, "Error: ") ? line + 7 : line;
        error_set(&k->err, "%s", text);
    }
}

static bool run_hmp(QmpCall *k, const QmpCommand *row)
{
    unsigned cpu = 0;
    Call call = {.c = k->c, .print = collect_error, .to = k, .default_cpu = &cpu};
    const char *spec = row->args;
    call.argv[call.argc++] = row->hmp;
    for (ArgSpec a; next_arg(&spec, &a);) {
        json_object *o;
        if (json_object_object_get_ex(k->args, a.name, &o)) {
            call.argv[call.argc++] = a.type != 'b'                ? json_object_get_string(o)
                                     : json_object_get_boolean(o) ? "on"
                                                                  : "off";
        }
    }
    monitor_run_words(&call);
    return !error_is_set(&k->err);
}

static const char *name_at(size_t i, const void *opaque)
{
    (void)opaque;
    return qmp_commands[i].name;
}

bool qmp_run(QmpCall *k, const char *name)
{
    k->err_class = "GenericError";
    for (const QmpCommand *row = qmp_commands; row->name; row++) {
        if (!strcmp(row->name, name)) {
            return check_args(k, row->args) && (row->run ? row->run(k) : run_hmp(k, row));
        }
    }
    const char *near = str_nearest(name, name_at, NULL);
    k->err_class = "CommandNotFound";
    return error_set(&k->err, "The command %s has not been found%s%s%s", name,
                     near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}
