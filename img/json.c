/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JSON on a stream, four spaces a level. */
#include "img.h"

static void item(Json *j, const char *key)
{
    if (j->depth) {
        fprintf(j->f, "%s\n%*s", j->first ? "" : ",", (int)(4 * j->depth), "");
    }
    j->first = false;
    if (key) {
        fprintf(j->f, "\"%s\": ", key);
    }
}

void json_open(Json *j, const char *key, char bracket)
{
    item(j, key);
    fputc(bracket, j->f);
    j->depth++;
    j->first = true;
}

void json_close(Json *j, char bracket)
{
    j->depth--;
    fprintf(j->f, "\n%*s%c", (int)(4 * j->depth), "", bracket);
    j->first = false;
    if (!j->depth) {
        fputc('\n', j->f);
    }
}

void json_string(Json *j, const char *key, const char *value)
{
    item(j, key);
    fputc('"', j->f);
    for (const unsigned char *p = (const unsigned char *)value; *p; p++) {
        if (*p == '"' || *p == '\\') {
            fprintf(j->f, "\\%c", *p);
        } else if (*p < 0x20 || *p == 0x7f) {
            fprintf(j->f, "\\u%04x", *p);
        } else {
            fputc(*p, j->f);
        }
    }
    fputc('"', j->f);
}

void json_number(Json *j, const char *key, uint64_t value)
{
    item(j, key);
    fprintf(j->f, "%" G_GUINT64_FORMAT, value);
}

void json_bool(Json *j, const char *key, bool value)
{
    item(j, key);
    fputs(value ? "true" : "false", j->f);
}
