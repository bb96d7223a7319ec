/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The monitor for programs: sessions, replies, errors, events, and noise. */
#include "monitor/qmp.h"
#include "tests/monitor/rig.h"

typedef struct Session {
    Rig *r;
    Chardev *c;
    Qmp *q;
} Session;

static Session begin(bool negotiate)
{
    Session s = {.r = rig_new()};
    s.c = chardev_new(s.r->m, "ringbuf,id=qmp,size=1M", NULL);
    s.q = qmp_new(&s.r->c, s.c, false, NULL);
    g_assert_nonnull(s.q);
    g_assert_true(
        g_str_has_prefix(rig_read(s.r, s.c), "{ \"QMP\": { \"version\": { \"qemu\": { \"major\":"));
    if (negotiate) {
        rig_type(s.c, "{\"execute\": \"qmp_capabilities\"}");
        g_assert_cmpstr(rig_read(s.r, s.c), ==, "{ \"return\": { } }\r\n");
    }
    return s;
}

static void end(Session *s)
{
    qmp_free(s->q);
    rig_free(s->r);
}

static const char *say(Session *s, const char *text)
{
    g_string_truncate(s->r->asked, 0);
    g_string_truncate(s->r->keys, 0);
    rig_type(s->c, text);
    return rig_read(s->r, s->c);
}

static void test_session(void)
{
    Session s = begin(false);
    g_assert_nonnull(strstr(say(&s, "{'execute': 'query-status', 'id': 1}"), "CommandNotFound"));
    g_assert_cmpstr(say(&s, "{\"execute\": \"qmp_capabilities\", \"id\": {\"a\": [1, null]}}"), ==,
                    "{ \"return\": { }, \"id\": { \"a\": [ 1, null ] } }\r\n");
    g_assert_nonnull(strstr(say(&s, "{\"execute\": \"qmp_capabilities\"}"), "already complete"));
    /* In pieces, and several at once. */
    for (const char *p = "{\"execute\": \"query-name\"}"; *p; p++) {
        rig_type(s.c, (char[]){*p, '\0'});
    }
    g_assert_cmpstr(rig_read(s.r, s.c), ==, "{ \"return\": { \"name\": \"rig\" } }\r\n");
    g_assert_cmpstr(
        say(&s,
            "{\"execute\":\"query-name\",\"id\":1}{\"execute\":\"query-name\",\"id\":2}\n \r\n\t"),
        ==,
        "{ \"return\": { \"name\": \"rig\" }, \"id\": 1 }\r\n{ \"return\": { \"name\": \"rig\" }, "
        "\"id\": 2 }\r\n");
    end(&s);
}

static void test_errors(void)
{
    static const struct {
        const char *text, *class, *desc;
    } rows[] = {
        {"{\"execute\": }}} {\n", "GenericError", "unexpected"},
        {"[]", "GenericError", "must be a JSON object"},
        {"{}", "GenericError", "lacks member 'execute'"},
        {"{\"execute\": 1}", "GenericError", "must be a string"},
        {"{\"execute\": \"stop\", \"arguments\": []}", "GenericError", "must be an object"},
        {"{\"execute\": \"stop\", \"extra\": 1}", "GenericError", "'extra' is unexpected"},
        {"{\"execute\": \"stopp\"}", "CommandNotFound", "did you mean 'stop'?"},
        {"{\"execute\": \"stop\", \"arguments\": {\"now\": true}}", "GenericError",
         "'now' is unexpected"},
        {"{\"execute\": \"device_del\"}", "GenericError", "'id' is missing"},
        {"{\"execute\": \"device_del\", \"arguments\": {\"id\": 3}}", "GenericError",
         "expected: string"},
        {"{\"execute\": \"device_del\", \"arguments\": {\"id\": \"no\"}}", "DeviceNotFound",
         "not found"},
        {"{\"execute\": \"device_add\", \"arguments\": {\"id\": \"no\"}}", "GenericError",
         "'driver' is missing"},
        {"{\"execute\": \"balloon\", \"arguments\": {\"value\": \"x\"}}", "GenericError",
         "expected: integer"},
        {"{\"execute\": \"set_link\", \"arguments\": {\"name\": \"x\", \"up\": true}}",
         "GenericError", "no network port"},
        {"{\"execute\": \"screendump\", \"arguments\": {\"filename\": \"a.ppm\", \"format\": "
         "\"png\"}}",
         "GenericError", "format"},
        {"{\"execute\": \"send-key\", \"arguments\": {\"keys\": [1]}}", "GenericError", "qcode"},
        {"{\"execute\": \"send-key\", \"arguments\": {\"keys\": [{\"type\": \"qcode\", \"data\": "
         "\"nokey\"}]}}",
         "GenericError", "unknown key"},
        {"{\"execute\": \"input-send-event\", \"arguments\": {\"events\": [{\"type\": \"btn\", "
         "\"data\": {}}]}}",
         "GenericError", "unknown button"},
        {"{\"execute\": \"input-send-event\", \"arguments\": {\"events\": [null, 3, \"x\"]}}",
         "GenericError", "events are"},
        {"{\"execute\": \"human-monitor-command\", \"arguments\": {\"command-line\": \"stop\", "
         "\"cpu-index\": 9}}",
         "GenericError", "cpu-index"},
        {"{\"execute\": \"inject-nmi\"}", "GenericError", "no NMI"},
        {"{\"execute\": \"eject\"}", "GenericError", "'device' is missing"},
    };
    Session s = begin(true);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        const char *out = say(&s, rows[i].text);
        g_test_message("%s", out);
        g_assert_true(g_str_has_prefix(out, "{ \"error\": "));
        g_assert_nonnull(strstr(out, rows[i].class));
        g_assert_nonnull(strstr(out, rows[i].desc));
        g_assert_cmpstr(say(&s, "{\"execute\":\"query-name\"}"), ==,
                        "{ \"return\": { \"name\": \"rig\" } }\r\n");
    }
    /* Too deep, too long: bounded, and the session goes on at the next line. */
    g_autofree char *deep = g_strnfill(100, '['), *spaces = g_strnfill(2 << 20, ' ');
    g_assert_nonnull(strstr(say(&s, deep), "error"));
    say(&s, "\n");
    g_assert_nonnull(strstr(say(&s, "{ "), ""));
    g_assert_nonnull(strstr(say(&s, spaces), "too long"));
    g_assert_nonnull(strstr(say(&s, "\n{\"execute\":\"query-name\"}"), "rig"));
    end(&s);
}

static void test_commands(void)
{
    static const struct {
        const char *text, *reply, *asks;
    } rows[] = {
        {"{\"execute\": \"device_add\", \"arguments\": {\"driver\": \"d\", \"id\": \"i\", \"n\": "
         "3, \"on\": true, \"t\": \"a,b\"}}",
         "{ }", "device_add(d,id=i,n=3,on=on,t=a,,b)"},
        {"{\"execute\": \"device_del\", \"arguments\": {\"id\": \"demo0\"}}", "{ }",
         "device_del(demo0)"},
        {"{\"execute\": \"eject\", \"arguments\": {\"id\": \"cd\"}}", "{ }", "eject(cd)"},
        {"{\"execute\": \"blockdev-change-medium\", \"arguments\": {\"device\": \"cd\", "
         "\"filename\": \"f\"}}",
         "{ }", "change(cd,f)"},
        {"{\"execute\": \"block_resize\", \"arguments\": {\"device\": \"hd\", \"size\": 4096}}",
         "{ }", "block_resize(hd,4096)"},
        {"{\"execute\": \"balloon\", \"arguments\": {\"value\": 1048576}}", "{ }",
         "balloon(1048576)"},
        {"{\"execute\": \"set_password\", \"arguments\": {\"protocol\": \"vnc\", \"password\": "
         "\"p\"}}",
         "{ }", "set_vnc_password(p)"},
        {"{\"execute\": \"screendump\", \"arguments\": {\"filename\": \"a.png\"}}", "{ }",
         "screendump(,a.png)"},
        {"{\"execute\": \"set_link\", \"arguments\": {\"name\": \"net0\", \"up\": false}}", "{ }",
         ""},
        {"{\"execute\": \"human-monitor-command\", \"arguments\": {\"command-line\": \"info "
         "name\"}}",
         "\"rig\\r\\n\"", ""},
        {"{\"execute\": \"query-status\"}",
         "{ \"running\": false, \"singlestep\": false, \"status\": \"prelaunch\" }", ""},
        {"{\"execute\": \"query-balloon\"}", "{ \"actual\": 67108864 }", ""},
        {"{\"execute\": \"query-cpus-fast\"}", "[ ]", ""},
        {"{\"execute\": \"query-target\"}", "{ \"arch\": \"aarch64\" }", ""},
        {"{\"execute\": \"query-machines\"}",
         "[ { \"name\": \"demo\", \"cpu-max\": 1, \"hotpluggable-cpus\": false } ]", ""},
    };
    Session s = begin(true);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *reply = g_strdup_printf("{ \"return\": %s }\r\n", rows[i].reply);
        g_assert_cmpstr(say(&s, rows[i].text), ==, reply);
        g_assert_cmpstr(s.r->asked->str, ==, rows[i].asks);
    }
    g_assert_true(s.r->port.link_down);
    g_assert_nonnull(strstr(say(&s, "{\"execute\": \"query-block\"}"), "\"virtual-size\": 512"));
    g_assert_nonnull(strstr(say(&s, "{\"execute\": \"query-chardev\"}"), "\"label\": \"qmp\""));
    say(&s, "{\"execute\": \"send-key\", \"arguments\": {\"keys\": [{\"type\": \"qcode\", "
            "\"data\": \"ctrl\"},{\"type\": \"qcode\", \"data\": \"a\"}]}}");
    g_assert_cmpstr(s.r->keys->str, ==, "k29:1 k30:1 k30:0 k29:0 ");
    say(&s, "{\"execute\": \"input-send-event\", \"arguments\": {\"events\": [{\"type\": \"abs\", "
            "\"data\": {\"axis\": \"y\", \"value\": 99999}}, {\"type\": \"btn\", \"data\": "
            "{\"button\": \"wheel-down\", \"down\": true}}]}}");
    g_assert_cmpstr(s.r->keys->str, ==, "a1:32767 r2:-1 ");
    end(&s);
}

static void test_events(void)
{
    Session s = begin(true);
    g_autofree char *cont = g_strdup(say(&s, "{\"execute\": \"cont\"}"));
    g_assert_true(strstr(cont, "\"event\": \"RESUME\"") && strstr(cont, "\"microseconds\""));
    g_assert_nonnull(strstr(say(&s, "{\"execute\": \"stop\"}"), "\"event\": \"STOP\""));
    const char *reset = say(&s, "{\"execute\": \"system_reset\"}");
    g_assert_nonnull(strstr(reset, "\"event\": \"RESET\", \"data\": { \"guest\": false, "
                                   "\"reason\": \"host-qmp-system-reset\" }"));
    say(&s, "{\"execute\": \"system_powerdown\"}");
    machine_unlock(s.r->m);
    machine_serve_requests(s.r->m);
    machine_lock(s.r->m);
    g_assert_nonnull(strstr(rig_read(s.r, s.c), "\"event\": \"POWERDOWN\""));
    g_assert_cmpstr(say(&s, "{\"execute\": \"quit\"}"), ==, "{ \"return\": { } }\r\n");
    machine_unlock(s.r->m);
    machine_run(s.r->m);
    machine_lock(s.r->m);
    g_assert_nonnull(strstr(
        rig_read(s.r, s.c),
        "\"event\": \"SHUTDOWN\", \"data\": { \"guest\": false, \"reason\": \"host-qmp-quit\" }"));
    end(&s);
    s = begin(false); /* nobody asked for events yet */
    machine_request_cont(s.r->m);
    machine_unlock(s.r->m);
    machine_serve_requests(s.r->m);
    machine_lock(s.r->m);
    g_assert_cmpstr(rig_read(s.r, s.c), ==, "");
    end(&s);
}

static void test_fuzz(void)
{
    static const char *const pieces[] = {"{",
                                         "}",
                                         "[",
                                         "]",
                                         ":",
                                         ",",
                                         "\"execute\"",
                                         "\"arguments\"",
                                         "\"id\"",
                                         "\"query-block\"",
                                         "\"send-key\"",
                                         "\"keys\"",
                                         "\"input-send-event\"",
                                         "\"events\"",
                                         "\"type\"",
                                         "\"data\"",
                                         "\"abs\"",
                                         "null",
                                         "true",
                                         "1e999",
                                         "-9223372036854775809",
                                         "\"\\ud800\"",
                                         "\n",
                                         " ",
                                         "\xff",
                                         "\"device_add\"",
                                         "\"driver\""};
    static const char *const names[] = {
        "send-key", "input-send-event", "device_add",    "eject",
        "balloon",  "ringbuf-read",     "query-chardev", "human-monitor-command"};
    static const char *const values[] = {"null",
                                         "1",
                                         "-1",
                                         "true",
                                         "\"x\"",
                                         "[]",
                                         "{}",
                                         "[null]",
                                         "[{\"type\":null}]",
                                         "[{\"type\":\"key\",\"data\":{\"key\":null}}]",
                                         "18446744073709551615",
                                         "1.5"};
    static const char *const keys[] = {"keys", "events",       "driver",    "device", "value",
                                       "size", "command-line", "cpu-index", "id"};
    Session s = begin(true);
    int64_t until = g_get_monotonic_time() + (g_test_quick() ? 1 : 5) * G_TIME_SPAN_SECOND;
    while (g_get_monotonic_time() < until) {
        g_autoptr(GString) text = g_string_new(NULL);
        if (g_test_rand_bit()) {
            g_string_printf(text, "{\"execute\":\"%s\",\"arguments\":{\"%s\":%s,\"%s\":%s}}",
                            names[g_test_rand_int_range(0, G_N_ELEMENTS(names))],
                            keys[g_test_rand_int_range(0, G_N_ELEMENTS(keys))],
                            values[g_test_rand_int_range(0, G_N_ELEMENTS(values))],
                            keys[g_test_rand_int_range(0, G_N_ELEMENTS(keys))],
                            values[g_test_rand_int_range(0, G_N_ELEMENTS(values))]);
        }
        for (int i = g_test_rand_int_range(0, 12); i > 0; i--) {
            g_string_append(text, pieces[g_test_rand_int_range(0, G_N_ELEMENTS(pieces))]);
        }
        g_string_append_c(text, '\n');
        say(&s, text->str);
    }
    end(&s);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/qmp/session", test_session);
    g_test_add_func("/qmp/errors", test_errors);
    g_test_add_func("/qmp/commands", test_commands);
    g_test_add_func("/qmp/events", test_events);
    g_test_add_func("/qmp/fuzz", test_fuzz);
    return g_test_run();
}
