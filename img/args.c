/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gemel-img: a verb's command line, read by its table: -x, -xVALUE, -xyz, --name, --name=VALUE. */
#include <string.h>

#include "img.h"
#include "util/str_nearest.h"

typedef struct Found {
    int letter;
    const char *value;
} Found;

static const ImgOption common[] = {
    {'q', "quiet", NULL, "print errors only"},
    {'U', "force-share", NULL, "read an image that another process has open"},
    {'h', "help", NULL, "this text"},
    {0, NULL, NULL, NULL},
};

/* Row i of the verb's options and then the common ones */
static const ImgOption *option_at(const ImgVerb *v, size_t i)
{
    for (const ImgOption *o = v->options; o->letter; o++) {
        if (i-- == 0) {
            return o;
        }
    }
    return i < G_N_ELEMENTS(common) - 1 ? &common[i] : NULL;
}

static const char *long_name(size_t i, const void *opaque)
{
    const ImgOption *o = option_at(opaque, i);

    /* An empty name is near to nothing. */
    return o ? o->name ? o->name : "" : NULL;
}

static const ImgOption *find_long(const ImgVerb *v, const char *name, size_t length)
{
    const ImgOption *o;

    for (size_t i = 0; (o = option_at(v, i)); i++) {
        if (o->name && strlen(o->name) == length && !memcmp(o->name, name, length)) {
            return o;
        }
    }
    return NULL;
}

static const ImgOption *find_short(const ImgVerb *v, char letter)
{
    const ImgOption *o;

    for (size_t i = 0; (o = option_at(v, i)); i++) {
        if (o->letter == letter) {
            return o;
        }
    }
    return NULL;
}

static void found(ImgArgs *a, const ImgOption *o, const char *value)
{
    Found f = {o->letter, value ? value : ""};

    g_array_append_val(a->found, f);
}

static bool parse_long(ImgArgs *a, const char *text, char ***next, Error *err)
{
    const char *equals = strchr(text, '=');
    size_t length = equals ? (size_t)(equals - text) : strlen(text);
    const ImgOption *o = find_long(a->verb, text, length);
    char *name;
    const char *near;

    if (!o) {
        name = g_strndup(text, length);
        near = str_nearest(name, long_name, a->verb);
        if (near && *near) {
            error_set(err, "%s: unknown option '--%s'; did you mean '--%s'?", a->verb->name, name,
                      near);
        } else {
            error_set(err, "%s: unknown option '--%s' (gemel-img %s --help lists them)",
                      a->verb->name, name, a->verb->name);
        }
        g_free(name);
        return false;
    }
    if (!o->value && equals) {
        return error_set(err, "%s: option '--%s' takes no value", a->verb->name, o->name);
    }
    if (o->value && !equals && !**next) {
        return error_set(err, "%s: option '--%s' needs a value (%s)", a->verb->name, o->name,
                         o->value);
    }
    found(a, o, !o->value ? NULL : equals ? equals + 1 : *(*next)++);
    return true;
}

static bool parse_short(ImgArgs *a, const char *text, char ***next, Error *err)
{
    for (; *text; text++) {
        const ImgOption *o = find_short(a->verb, *text);
        if (!o) {
            return error_set(err, "%s: unknown option '-%c' (gemel-img %s --help lists them)",
                             a->verb->name, *text, a->verb->name);
        }
        if (!o->value) {
            found(a, o, NULL);
            continue;
        }
        if (!text[1] && !**next) {
            return error_set(err, "%s: option '-%c' needs a value (%s)", a->verb->name, *text,
                             o->value);
        }
        found(a, o, text[1] ? text + 1 : *(*next)++);
        break;
    }
    return true;
}

/* "-1G" after resize is no option. */
static bool is_number(const char *text)
{
    return text[0] == '-' && text[1] >= '0' && text[1] <= '9';
}

bool img_parse(ImgArgs *a, int argc, char **argv, bool *help, Error *err)
{
    bool only_operands = false;
    char **next = argv;

    (void)argc;
    a->operands = g_ptr_array_new();
    a->found = g_array_new(FALSE, FALSE, sizeof(Found));
    while (*next) {
        char *text = *next++;
        bool ok = true;
        if (only_operands || text[0] != '-' || !text[1] || is_number(text)) {
            g_ptr_array_add(a->operands, text);
        } else if (!strcmp(text, "--")) {
            only_operands = true;
        } else if (text[1] == '-') {
            ok = parse_long(a, text + 2, &next, err);
        } else {
            ok = parse_short(a, text + 1, &next, err);
        }
        if (!ok) {
            return false;
        }
    }
    *help = img_has(a, 'h');
    if (*help) {
        return true;
    }
    if (a->operands->len < a->verb->min_operands) {
        return error_set(err, "%s: expecting %s (gemel-img %s --help tells more)", a->verb->name,
                         a->verb->operands, a->verb->name);
    }
    if (a->operands->len > a->verb->max_operands) {
        return error_set(err, "%s: too many operands, from '%s' on; expecting %s", a->verb->name,
                         img_operand(a, a->verb->max_operands), a->verb->operands);
    }
    return true;
}

void img_args_free(ImgArgs *a)
{
    g_ptr_array_free(a->operands, TRUE);
    g_array_free(a->found, TRUE);
}

const char *img_opt(const ImgArgs *a, int letter)
{
    for (unsigned i = a->found->len; i-- > 0;) {
        const Found *f = &g_array_index(a->found, Found, i);
        if (f->letter == letter) {
            return f->value;
        }
    }
    return NULL;
}

bool img_has(const ImgArgs *a, int letter)
{
    return img_opt(a, letter) != NULL;
}

char *img_opt_joined(const ImgArgs *a, int letter)
{
    GString *all = NULL;

    for (unsigned i = 0; i < a->found->len; i++) {
        const Found *f = &g_array_index(a->found, Found, i);
        if (f->letter == letter) {
            if (all) {
                g_string_append_c(all, ',');
            }
            all = all ? all : g_string_new(NULL);
            g_string_append(all, f->value);
        }
    }
    return all ? g_string_free(all, FALSE) : NULL;
}

const char *img_operand(const ImgArgs *a, unsigned i)
{
    return i < a->operands->len ? a->operands->pdata[i] : NULL;
}

void img_verb_help(const ImgVerb *v)
{
    const ImgOption *o;

    printf("usage: gemel-img %s [option]... %s\n%s\n", v->name, v->operands, v->help);
    for (size_t i = 0; (o = option_at(v, i)); i++) {
        char *name = g_strdup_printf("%s%s%s", o->name ? "--" : "", o->name ? o->name : "",
                                     o->name && o->value ? "=" : "");
        char *left =
            o->letter >= IMG_OUTPUT
                ? g_strdup_printf("    %s%s", name, o->value ? o->value : "")
                : g_strdup_printf("-%c%s%s%s%s", o->letter, o->name ? ", " : "", name,
                                  o->value && !o->name ? " " : "", o->value ? o->value : "");
        printf("  %-26s %s\n", left, o->help);
        g_free(name);
        g_free(left);
    }
}
