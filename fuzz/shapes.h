/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Values and memory as devices look for them: plausible, with hostile ones in between. */
#ifndef GEMEL_FUZZ_SHAPES_H
#define GEMEL_FUZZ_SHAPES_H

#include "fuzz/rig.h"

/* A page of RAM: one of few mostly, so that what points somewhere meets what stands there. */
uint64_t shape_page(Rig *r);
uint64_t shape_address(Rig *r);
uint64_t shape_value(Rig *r);

/* Fills a page with descriptors, commands, contexts of one kind; or with anything. */
void shape_memory(Rig *r);
void shape_scribble(Rig *r);
/* What a request of such a device begins with. */
void shape_head(Rig *r, const char *cls, uint8_t d[64]);

#endif
