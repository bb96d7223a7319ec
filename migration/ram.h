/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The RAM of a machine as a section of its saved state. */
#ifndef GEMEL_MIGRATION_RAM_H
#define GEMEL_MIGRATION_RAM_H

#include "core/machine.h"
#include "core/state.h"

typedef struct RamSection RamSection;

RamSection *ram_section_new(Machine *m);
void        ram_section_free(RamSection *r);

#endif
