/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keys of VNC clients to Linux codes: X keysyms by the places of a US keyboard, and PC scan codes.
 * Source: X11 keysymdef.h (numbers), RFC 6143 section 7.5.4, the registry's QEMU Extended Key
 * Event.
 */
#include <stddef.h>

#include "ui/vnc_private.h"

typedef struct SymKey {
    uint16_t first, last; /* keysyms; keys of a run follow one another, too */
    uint16_t key;
} SymKey;

static const SymKey symbols[] = {
    {0xff08, 0xff08, KEY_BACKSPACE},
    {0xff09, 0xff09, KEY_TAB},
    {0xfe20, 0xfe20, KEY_TAB},
    {0xff0d, 0xff0d, KEY_ENTER},
    {0xff13, 0xff13, KEY_PAUSE},
    {0xff14, 0xff14, KEY_SCROLLLOCK},
    {0xff15, 0xff15, KEY_SYSRQ},
    {0xff1b, 0xff1b, KEY_ESC},
    {0xff50, 0xff50, KEY_HOME},
    {0xff51, 0xff51, KEY_LEFT},
    {0xff52, 0xff52, KEY_UP},
    {0xff53, 0xff53, KEY_RIGHT},
    {0xff54, 0xff54, KEY_DOWN},
    {0xff55, 0xff55, KEY_PAGEUP},
    {0xff56, 0xff56, KEY_PAGEDOWN},
    {0xff57, 0xff57, KEY_END},
    {0xff61, 0xff61, KEY_SYSRQ},
    {0xff63, 0xff63, KEY_INSERT},
    {0xff67, 0xff67, KEY_COMPOSE},
    {0xff6a, 0xff6a, KEY_HELP},
    {0xff6b, 0xff6b, KEY_PAUSE},
    {0xff7f, 0xff7f, KEY_NUMLOCK},
    {0xff8d, 0xff8d, KEY_KPENTER},
    {0xff95, 0xff95, KEY_KP7},
    {0xff96, 0xff96, KEY_KP4},
    {0xff97, 0xff97, KEY_KP8},
    {0xff98, 0xff98, KEY_KP6},
    {0xff99, 0xff99, KEY_KP2},
    {0xff9a, 0xff9a, KEY_KP9},
    {0xff9b, 0xff9b, KEY_KP3},
    {0xff9c, 0xff9c, KEY_KP1},
    {0xff9d, 0xff9d, KEY_KP5},
    {0xff9e, 0xff9e, KEY_KP0},
    {0xff9f, 0xff9f, KEY_KPDOT},
    {0xffaa, 0xffaa, KEY_KPASTERISK},
    {0xffab, 0xffab, KEY_KPPLUS},
    {0xffad, 0xffad, KEY_KPMINUS},
    {0xffae, 0xffae, KEY_KPDOT},
    {0xffaf, 0xffaf, KEY_KPSLASH},
    {0xffb0, 0xffb0, KEY_KP0},
    {0xffb1, 0xffb3, KEY_KP1},
    {0xffb4, 0xffb6, KEY_KP4},
    {0xffb7, 0xffb9, KEY_KP7},
    {0xffbd, 0xffbd, KEY_KPEQUAL},
    {0xffbe, 0xffc7, KEY_F1},
    {0xffc8, 0xffc9, KEY_F11},
    {0xffca, 0xffd5, KEY_F13},
    {0xffe1, 0xffe1, KEY_LEFTSHIFT},
    {0xffe2, 0xffe2, KEY_RIGHTSHIFT},
    {0xffe3, 0xffe3, KEY_LEFTCTRL},
    {0xffe4, 0xffe4, KEY_RIGHTCTRL},
    {0xffe5, 0xffe5, KEY_CAPSLOCK},
    {0xffe7, 0xffe7, KEY_LEFTMETA},
    {0xffe8, 0xffe8, KEY_RIGHTMETA},
    {0xffe9, 0xffe9, KEY_LEFTALT},
    {0xffea, 0xffea, KEY_RIGHTALT},
    {0xfe03, 0xfe03, KEY_RIGHTALT},
    {0xffeb, 0xffeb, KEY_LEFTMETA},
    {0xffec, 0xffec, KEY_RIGHTMETA},
    {0xffff, 0xffff, KEY_DELETE},
    {'1', '9', KEY_1},
};

/* A key and what is printed on it, plain and shifted. */
static const struct {
    char plain, shifted;
    uint16_t key;
} letters[] = {
    {'q', 'Q', KEY_Q},          {'w', 'W', KEY_W},          {'e', 'E', KEY_E},
    {'r', 'R', KEY_R},          {'t', 'T', KEY_T},          {'y', 'Y', KEY_Y},
    {'u', 'U', KEY_U},          {'i', 'I', KEY_I},          {'o', 'O', KEY_O},
    {'p', 'P', KEY_P},          {'a', 'A', KEY_A},          {'s', 'S', KEY_S},
    {'d', 'D', KEY_D},          {'f', 'F', KEY_F},          {'g', 'G', KEY_G},
    {'h', 'H', KEY_H},          {'j', 'J', KEY_J},          {'k', 'K', KEY_K},
    {'l', 'L', KEY_L},          {'z', 'Z', KEY_Z},          {'x', 'X', KEY_X},
    {'c', 'C', KEY_C},          {'v', 'V', KEY_V},          {'b', 'B', KEY_B},
    {'n', 'N', KEY_N},          {'m', 'M', KEY_M},          {'1', '!', KEY_1},
    {'2', '@', KEY_2},          {'3', '#', KEY_3},          {'4', '$', KEY_4},
    {'5', '%', KEY_5},          {'6', '^', KEY_6},          {'7', '&', KEY_7},
    {'8', '*', KEY_8},          {'9', '(', KEY_9},          {'0', ')', KEY_0},
    {'-', '_', KEY_MINUS},      {'=', '+', KEY_EQUAL},      {'[', '{', KEY_LEFTBRACE},
    {']', '}', KEY_RIGHTBRACE}, {';', ':', KEY_SEMICOLON},  {'\'', '"', KEY_APOSTROPHE},
    {'`', '~', KEY_GRAVE},      {'\\', '|', KEY_BACKSLASH}, {',', '<', KEY_COMMA},
    {'.', '>', KEY_DOT},        {'/', '?', KEY_SLASH},      {' ', ' ', KEY_SPACE},
};

uint16_t vnc_key_of_keysym(uint32_t keysym)
{
    for (size_t i = 0; i < G_N_ELEMENTS(letters); i++) {
        if (keysym == (uint8_t)letters[i].plain || keysym == (uint8_t)letters[i].shifted) {
            return letters[i].key;
        }
    }
    for (size_t i = 0; i < G_N_ELEMENTS(symbols); i++) {
        if (keysym >= symbols[i].first && keysym <= symbols[i].last) {
            return (uint16_t)(symbols[i].key + (keysym - symbols[i].first));
        }
    }
    return 0;
}

/* Scan codes with 0xe0 in front, of set 1. The others are Linux's own numbers up to KEY_F12. */
static const uint16_t extended[128] = {
    [0x10] = KEY_PREVIOUSSONG, [0x19] = KEY_NEXTSONG, [0x1c] = KEY_KPENTER,
    [0x1d] = KEY_RIGHTCTRL,    [0x20] = KEY_MUTE,     [0x21] = KEY_CALC,
    [0x22] = KEY_PLAYPAUSE,    [0x24] = KEY_STOPCD,   [0x2e] = KEY_VOLUMEDOWN,
    [0x30] = KEY_VOLUMEUP,     [0x32] = KEY_HOMEPAGE, [0x35] = KEY_KPSLASH,
    [0x37] = KEY_SYSRQ,        [0x38] = KEY_RIGHTALT, [0x46] = KEY_PAUSE,
    [0x47] = KEY_HOME,         [0x48] = KEY_UP,       [0x49] = KEY_PAGEUP,
    [0x4b] = KEY_LEFT,         [0x4d] = KEY_RIGHT,    [0x4f] = KEY_END,
    [0x50] = KEY_DOWN,         [0x51] = KEY_PAGEDOWN, [0x52] = KEY_INSERT,
    [0x53] = KEY_DELETE,       [0x5b] = KEY_LEFTMETA, [0x5c] = KEY_RIGHTMETA,
    [0x5d] = KEY_COMPOSE,      [0x5e] = KEY_POWER,    [0x5f] = KEY_SLEEP,
    [0x63] = KEY_WAKEUP,
};

static const uint16_t above_f12[128] = {
    [0x54] = KEY_SYSRQ, [0x59] = KEY_KPEQUAL, [0x70] = KEY_KATAKANAHIRAGANA,
    [0x73] = KEY_RO,    [0x79] = KEY_HENKAN,  [0x7b] = KEY_MUHENKAN,
    [0x7d] = KEY_YEN,   [0x7e] = KEY_KPCOMMA,
};

uint16_t vnc_key_of_scancode(uint32_t xt)
{
    if (xt & ~0xffu) {
        xt = xt >> 8 == 0xe0 ? (xt & 0x7f) | 0x80 : 0; /* some clients send 0xe0xx */
    }
    if (xt & 0x80) {
        return extended[xt & 0x7f];
    }
    return above_f12[xt] ? above_f12[xt] : xt <= KEY_F12 && xt != 84 && xt != 85 ? (uint16_t)xt : 0;
}
