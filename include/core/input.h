/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Input: events from windows, VNC and the monitor to the keyboards and pointers of the guest.
 *
 * Keys are Linux input event codes (linux/input-event-codes.h: KEY_A ...), one numbering for all.
 * Events go to the most recently added device that takes their kind; absolute pointers win over
 * relative ones while present. Machine lock held.
 */
#ifndef GEMEL_CORE_INPUT_H
#define GEMEL_CORE_INPUT_H

#include <stdbool.h>
#include <stdint.h>

typedef struct Machine Machine;

typedef enum InputKind { INPUT_KEY, INPUT_BUTTON, INPUT_REL, INPUT_ABS, INPUT_SYNC } InputKind;
typedef enum InputAxis { INPUT_X, INPUT_Y, INPUT_WHEEL, INPUT_HWHEEL } InputAxis;
enum {
    INPUT_ABS_MAX = 0x7fff, /* absolute axes: 0 .. INPUT_ABS_MAX over the console */
    INPUT_REL_MAX = 0x7fff, /* relative ones: at most that much at once, either way */
};

typedef struct InputEvent {
    uint8_t  kind;  /* InputKind */
    uint16_t code;  /* KEY: KEY_*, BUTTON: BTN_*, REL, ABS: InputAxis */
    int32_t  value; /* KEY, BUTTON: 1 down, 0 up; REL: delta; ABS: position */
} InputEvent;

typedef struct InputSink {
    const char *name;
    uint32_t    kinds;   /* 1 << InputKind it takes (SYNC always) */
    void      (*event)(void *opaque, const InputEvent *e);
    void      (*leds)(void *opaque, uint32_t leds); /* unused by sinks; see input_set_leds */
    void       *opaque;
    struct InputSink *next;
} InputSink;

void input_sink_add(Machine *m, InputSink *s);
void input_sink_remove(Machine *m, InputSink *s);
/* Does somebody take absolute positions? Windows choose pointer integration by it. */
bool input_is_absolute(Machine *m);

void input_send_key(Machine *m, uint16_t code, bool down);
void input_send_button(Machine *m, uint16_t code, bool down);
void input_send_rel(Machine *m, InputAxis axis, int32_t delta);
void input_send_abs(Machine *m, InputAxis axis, int32_t value);
void input_sync(Machine *m);

/* Keyboard LEDs that the guest set: bit 0 num, 1 caps, 2 scroll. */
void     input_set_leds(Machine *m, uint32_t leds);
uint32_t input_leds(Machine *m);

/* Names as `sendkey` takes them ("ctrl", "a", "f1", "ret"): code, or 0. */
uint16_t    input_key_by_name(const char *name);
const char *input_key_name(uint16_t code);

#endif
