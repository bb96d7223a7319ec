/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of ui/ share. */
#ifndef GEMEL_UI_PRIVATE_H
#define GEMEL_UI_PRIVATE_H

#include <stdint.h>

#include "core/machine.h"
#include "ui/ui.h"

/* A window or server that runs; the first member of its struct. */
typedef struct UiPart {
    void (*stop)(struct UiPart *p); /* closes and frees it */
    struct UiPart *next;
} UiPart;

/* What Machine.ui points at; made by the first part. */
struct Ui {
    UiPart *parts; /* newest first */
    struct VncServer *vnc; /* newest first, linked by VncServer.next */
};

void ui_part_add(Machine *m, UiPart *p);
void ui_part_remove(Machine *m, UiPart *p);

/* Is c (which may dangle, or be NULL) a console of the machine? */
bool ui_console_exists(Machine *m, const Console *c);

/* rgb: width * height * 3 bytes. */
bool ui_png_write(FILE *f, uint32_t width, uint32_t height, const uint8_t *rgb, Error *err);

#endif
