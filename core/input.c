/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Input: events from people's windows to the newest device that takes their kind; names of keys. */
#include <linux/input-event-codes.h>
#include <string.h>

#include "core/private.h"

void input_sink_add(Machine *m, InputSink *s)
{
    s->next = m->inputs->sinks;
    m->inputs->sinks = s;
}

void input_sink_remove(Machine *m, InputSink *s)
{
    for (InputSink **at = &m->inputs->sinks; *at; at = &(*at)->next) {
        if (*at == s) {
            *at = s->next;
            return;
        }
    }
}

static InputSink *sink_for(Machine *m, InputKind kind)
{
    for (InputSink *s = m->inputs->sinks; s; s = s->next) {
        if (s->kinds & 1u << kind) {
            return s;
        }
    }
    return NULL;
}

bool input_is_absolute(Machine *m)
{
    return sink_for(m, INPUT_ABS) != NULL;
}

/* Buttons and wheel belong to the pointer that moves: the absolute one while there is one. */
static InputSink *pointer(Machine *m, InputKind kind)
{
    InputSink *abs = sink_for(m, INPUT_ABS);

    return abs && abs->kinds & 1u << kind ? abs : sink_for(m, kind);
}

static void send(InputSink *s, InputKind kind, uint16_t code, int32_t value)
{
    InputEvent e = {.kind = (uint8_t)kind, .code = code, .value = value};

    if (s) {
        s->event(s->opaque, &e);
    }
}

void input_send_key(Machine *m, uint16_t code, bool down)
{
    send(sink_for(m, INPUT_KEY), INPUT_KEY, code, down);
}

void input_send_button(Machine *m, uint16_t code, bool down)
{
    send(pointer(m, INPUT_BUTTON), INPUT_BUTTON, code, down);
}

void input_send_rel(Machine *m, InputAxis axis, int32_t delta)
{
    bool wheel = axis == INPUT_WHEEL || axis == INPUT_HWHEEL;

    /* Bounded, so that a device may add up what nobody fetches for a while. */
    send(wheel ? pointer(m, INPUT_REL) : sink_for(m, INPUT_REL), INPUT_REL, (uint16_t)axis,
         CLAMP(delta, -INPUT_REL_MAX, INPUT_REL_MAX));
}

void input_send_abs(Machine *m, InputAxis axis, int32_t value)
{
    send(sink_for(m, INPUT_ABS), INPUT_ABS, (uint16_t)axis, CLAMP(value, 0, INPUT_ABS_MAX));
}

void input_sync(Machine *m)
{
    for (InputSink *s = m->inputs->sinks, *next; s; s = next) {
        next = s->next;
        send(s, INPUT_SYNC, 0, 0);
    }
}

void input_set_leds(Machine *m, uint32_t leds)
{
    if (m->inputs->leds == leds) {
        return;
    }
    m->inputs->leds = leds;
    for (InputSink *s = m->inputs->sinks; s; s = s->next) {
        if (s->leds) {
            s->leds(s->opaque, leds);
        }
    }
}

uint32_t input_leds(Machine *m)
{
    return m->inputs->leds;
}

/* ---- names ---- */

typedef struct KeyName {
    uint16_t code;
    const char *name;
} KeyName;

/* The first name of a code is the one that is shown. */
static const KeyName key_names[] = {
    {KEY_ESC, "esc"},
    {KEY_1, "1"},
    {KEY_2, "2"},
    {KEY_3, "3"},
    {KEY_4, "4"},
    {KEY_5, "5"},
    {KEY_6, "6"},
    {KEY_7, "7"},
    {KEY_8, "8"},
    {KEY_9, "9"},
    {KEY_0, "0"},
    {KEY_MINUS, "minus"},
    {KEY_EQUAL, "equal"},
    {KEY_BACKSPACE, "backspace"},
    {KEY_TAB, "tab"},
    {KEY_Q, "q"},
    {KEY_W, "w"},
    {KEY_E, "e"},
    {KEY_R, "r"},
    {KEY_T, "t"},
    {KEY_Y, "y"},
    {KEY_U, "u"},
    {KEY_I, "i"},
    {KEY_O, "o"},
    {KEY_P, "p"},
    {KEY_LEFTBRACE, "bracket_left"},
    {KEY_RIGHTBRACE, "bracket_right"},
    {KEY_ENTER, "ret"},
    {KEY_ENTER, "enter"},
    {KEY_LEFTCTRL, "ctrl"},
    {KEY_A, "a"},
    {KEY_S, "s"},
    {KEY_D, "d"},
    {KEY_F, "f"},
    {KEY_G, "g"},
    {KEY_H, "h"},
    {KEY_J, "j"},
    {KEY_K, "k"},
    {KEY_L, "l"},
    {KEY_SEMICOLON, "semicolon"},
    {KEY_APOSTROPHE, "apostrophe"},
    {KEY_GRAVE, "grave_accent"},
    {KEY_LEFTSHIFT, "shift"},
    {KEY_BACKSLASH, "backslash"},
    {KEY_Z, "z"},
    {KEY_X, "x"},
    {KEY_C, "c"},
    {KEY_V, "v"},
    {KEY_B, "b"},
    {KEY_N, "n"},
    {KEY_M, "m"},
    {KEY_COMMA, "comma"},
    {KEY_DOT, "dot"},
    {KEY_SLASH, "slash"},
    {KEY_RIGHTSHIFT, "shift_r"},
    {KEY_KPASTERISK, "kp_multiply"},
    {KEY_KPASTERISK, "asterisk"},
    {KEY_LEFTALT, "alt"},
    {KEY_SPACE, "spc"},
    {KEY_SPACE, "space"},
    {KEY_CAPSLOCK, "caps_lock"},
    {KEY_F1, "f1"},
    {KEY_F2, "f2"},
    {KEY_F3, "f3"},
    {KEY_F4, "f4"},
    {KEY_F5, "f5"},
    {KEY_F6, "f6"},
    {KEY_F7, "f7"},
    {KEY_F8, "f8"},
    {KEY_F9, "f9"},
    {KEY_F10, "f10"},
    {KEY_NUMLOCK, "num_lock"},
    {KEY_SCROLLLOCK, "scroll_lock"},
    {KEY_KP7, "kp_7"},
    {KEY_KP8, "kp_8"},
    {KEY_KP9, "kp_9"},
    {KEY_KPMINUS, "kp_subtract"},
    {KEY_KP4, "kp_4"},
    {KEY_KP5, "kp_5"},
    {KEY_KP6, "kp_6"},
    {KEY_KPPLUS, "kp_add"},
    {KEY_KP1, "kp_1"},
    {KEY_KP2, "kp_2"},
    {KEY_KP3, "kp_3"},
    {KEY_KP0, "kp_0"},
    {KEY_KPDOT, "kp_decimal"},
    {KEY_102ND, "less"},
    {KEY_F11, "f11"},
    {KEY_F12, "f12"},
    {KEY_RO, "ro"},
    {KEY_KATAKANAHIRAGANA, "katakanahiragana"},
    {KEY_HENKAN, "henkan"},
    {KEY_MUHENKAN, "muhenkan"},
    {KEY_KPENTER, "kp_enter"},
    {KEY_RIGHTCTRL, "ctrl_r"},
    {KEY_KPSLASH, "kp_divide"},
    {KEY_SYSRQ, "sysrq"},
    {KEY_SYSRQ, "print"},
    {KEY_RIGHTALT, "alt_r"},
    {KEY_HOME, "home"},
    {KEY_UP, "up"},
    {KEY_PAGEUP, "pgup"},
    {KEY_LEFT, "left"},
    {KEY_RIGHT, "right"},
    {KEY_END, "end"},
    {KEY_DOWN, "down"},
    {KEY_PAGEDOWN, "pgdn"},
    {KEY_INSERT, "insert"},
    {KEY_DELETE, "delete"},
    {KEY_MUTE, "audiomute"},
    {KEY_VOLUMEDOWN, "volumedown"},
    {KEY_VOLUMEUP, "volumeup"},
    {KEY_POWER, "power"},
    {KEY_KPEQUAL, "kp_equals"},
    {KEY_PAUSE, "pause"},
    {KEY_KPCOMMA, "kp_comma"},
    {KEY_YEN, "yen"},
    {KEY_LEFTMETA, "meta_l"},
    {KEY_RIGHTMETA, "meta_r"},
    {KEY_COMPOSE, "compose"},
    {KEY_COMPOSE, "menu"},
    {KEY_STOP, "stop"},
    {KEY_AGAIN, "again"},
    {KEY_PROPS, "props"},
    {KEY_UNDO, "undo"},
    {KEY_FRONT, "front"},
    {KEY_COPY, "copy"},
    {KEY_OPEN, "open"},
    {KEY_PASTE, "paste"},
    {KEY_FIND, "find"},
    {KEY_CUT, "cut"},
    {KEY_HELP, "help"},
    {KEY_CALC, "calculator"},
    {KEY_SLEEP, "sleep"},
    {KEY_WAKEUP, "wake"},
    {KEY_MAIL, "mail"},
    {KEY_BACK, "ac_back"},
    {KEY_FORWARD, "ac_forward"},
    {KEY_NEXTSONG, "audionext"},
    {KEY_PLAYPAUSE, "audioplay"},
    {KEY_PREVIOUSSONG, "audioprev"},
    {KEY_STOPCD, "audiostop"},
    {KEY_HOMEPAGE, "ac_home"},
    {KEY_REFRESH, "ac_refresh"},
    {KEY_F13, "f13"},
    {KEY_F14, "f14"},
    {KEY_F15, "f15"},
    {KEY_F16, "f16"},
    {KEY_F17, "f17"},
    {KEY_F18, "f18"},
    {KEY_F19, "f19"},
    {KEY_F20, "f20"},
    {KEY_F21, "f21"},
    {KEY_F22, "f22"},
    {KEY_F23, "f23"},
    {KEY_F24, "f24"},
};

uint16_t input_key_by_name(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(key_names); i++) {
        if (!strcmp(key_names[i].name, name)) {
            return key_names[i].code;
        }
    }
    return 0;
}

const char *input_key_name(uint16_t code)
{
    for (size_t i = 0; i < G_N_ELEMENTS(key_names); i++) {
        if (key_names[i].code == code) {
            return key_names[i].name;
        }
    }
    return NULL;
}
