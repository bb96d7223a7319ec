/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * decodegen: makes an instruction decoder for 32-bit instruction words from `.decode` tables.
 *
 * usage: decodegen PREFIX Prefix OUT.h OUT.c GENTAB.c TABLE...
 *   e.g. decodegen a64 A64 a64_decode.h a64_decode.c a64_gentab.c a64.decode a64_simd.decode
 *
 * A table has one instruction form a line:
 *
 *   NAME  bits ; feature attributes | disassembly
 *
 *   bits        from bit 31 down to bit 0: groups of 0 and 1, and fields `name:width` or `name`
 *               (one bit). `_` and `_:width` are bits nobody looks at. A name that stands more than
 *               once in a row is one field, its parts concatenated, the left one on top.
 *   feature     the FEAT_ name without FEAT_, or `-` for the base architecture.
 *   attributes  `=func`: the translate function is gen_func instead of gen_NAME. Others (`undef=`)
 *               are kept as text in the row.
 *   `{` and `}` on lines of their own: the rows between may overlap, the first match wins.
 *   Rows that overlap anywhere else are an error, so is a row that is not 32 bits.
 *   `#` starts a comment; a row goes on over the end of a line that ends with a backslash.
 *
 * What comes out: see the head of the header it writes. The decoder indexes a table by the bits
 * that tell rows apart best (chosen here), then compares mask and value of the few rows that are
 * left.
 */
#include <ctype.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_ROWS = 4000,
    MAX_PARTS = 16,
    MAX_FIELDS = 250,
    INDEX_BITS = 13,
    MAX_LISTS = 1 << INDEX_BITS
};

typedef struct Part {
    unsigned field, pos, width;
} Part;

typedef struct Row {
    char *name, *func, *feature, *attrs, *disasm;
    uint32_t mask, value;
    Part part[MAX_PARTS];
    unsigned n_parts;
    unsigned first_part; /* in the table of all parts */
    int group;           /* 0: none */
    const char *file;
    int line;
} Row;

typedef struct Gen {
    const char *prefix, *type;
    char upper[32];
    Row *rows;
    unsigned n_rows;
    char *fields[MAX_FIELDS];
    unsigned n_fields;
    int group, n_groups;
    unsigned index_bit[INDEX_BITS];
    uint16_t *lists; /* all candidate lists, one after the other, each ended by 0xffff */
    unsigned n_lists_words, cap_lists_words;
    uint16_t index[1 << INDEX_BITS];
    bool failed;
} Gen;

static void fail_at(Gen *g, const char *file, int line, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fprintf(stderr, "%s:%d: ", file, line);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
    g->failed = true;
}

static void *xmalloc(size_t bytes)
{
    void *p = calloc(1, bytes);
    if (!p) {
        fputs("decodegen: out of memory\n", stderr);
        exit(1);
    }
    return p;
}

static char *copy_text(const char *s, size_t n)
{
    char *p = xmalloc(n + 1);
    memcpy(p, s, n);
    return p;
}

/* Copy of s without spaces at both ends. */
static char *trimmed(const char *s)
{
    while (isspace((unsigned char)*s)) {
        s++;
    }
    size_t n = strlen(s);
    while (n && isspace((unsigned char)s[n - 1])) {
        n--;
    }
    return copy_text(s, n);
}

static unsigned field_index(Gen *g, const char *name)
{
    for (unsigned i = 0; i < g->n_fields; i++) {
        if (!strcmp(g->fields[i], name)) {
            return i;
        }
    }
    if (g->n_fields == MAX_FIELDS) {
        fputs("decodegen: too many fields\n", stderr);
        exit(1);
    }
    g->fields[g->n_fields] = copy_text(name, strlen(name));
    return g->n_fields++;
}

static bool is_bits(const char *t)
{
    return t[0] && strspn(t, "01") == strlen(t);
}

/* One token of the bit pattern; `bit` is the number of bits still free, returns what is left. */
static int parse_token(Gen *g, Row *r, char *tok, int bit)
{
    if (is_bits(tok)) {
        for (const char *p = tok; *p; p++) {
            bit--;
            if (bit >= 0) {
                r->mask |= 1u << bit;
                r->value |= (uint32_t)(*p - '0') << bit;
            }
        }
        return bit;
    }
    char *colon = strchr(tok, ':');
    int width = 1;
    if (colon) {
        *colon = 0;
        width = atoi(colon + 1);
    }
    if (!(isalpha((unsigned char)tok[0]) || tok[0] == '_') || width < 1 || width > 32) {
        fail_at(g, r->file, r->line, "bad token '%s' in %s", tok, r->name);
        return bit;
    }
    bit -= width;
    if (strcmp(tok, "_") != 0 && bit >= 0) {
        if (r->n_parts == MAX_PARTS) {
            fail_at(g, r->file, r->line, "too many fields in %s", r->name);
            return bit;
        }
        r->part[r->n_parts++] = (Part){field_index(g, tok), (unsigned)bit, (unsigned)width};
    }
    return bit;
}

static void parse_attrs(Row *r, char *text)
{
    char rest[512] = "";
    char *save = NULL;
    for (char *t = strtok_r(text, " \t", &save); t; t = strtok_r(NULL, " \t", &save)) {
        if (!r->feature) {
            r->feature = copy_text(t, strlen(t));
        } else if (t[0] == '=') {
            r->func = copy_text(t + 1, strlen(t + 1));
        } else if (strlen(rest) + strlen(t) + 2 < sizeof(rest)) {
            strcat(rest, rest[0] ? " " : "");
            strcat(rest, t);
        }
    }
    r->attrs = copy_text(rest, strlen(rest));
    if (!r->feature || !strcmp(r->feature, "-")) {
        r->feature = "BASE";
    }
}

static void parse_row(Gen *g, char *line, const char *file, int lineno)
{
    if (g->n_rows == MAX_ROWS) {
        fputs("decodegen: too many rows\n", stderr);
        exit(1);
    }
    Row *r = &g->rows[g->n_rows++];
    *r = (Row){.file = file, .line = lineno, .group = g->group};
    char *bar = strchr(line, '|');
    if (bar) {
        *bar++ = 0;
    }
    char *semi = strchr(line, ';');
    if (semi) {
        *semi++ = 0;
    }
    r->disasm = trimmed(bar ? bar : "");
    char *save = NULL;
    char *t = strtok_r(line, " \t", &save);
    r->name = copy_text(t, strlen(t));
    int bit = 32;
    while ((t = strtok_r(NULL, " \t", &save))) {
        bit = parse_token(g, r, t, bit);
    }
    if (bit != 0) {
        fail_at(g, file, lineno, "%s has %d bits, not 32", r->name, 32 - bit);
    }
    char none[] = "-";
    parse_attrs(r, semi ? semi : none);
    if (!r->func) {
        r->func = r->name;
    }
}

static void read_table(Gen *g, const char *path)
{
    FILE *f = fopen(path, "r");
    if (!f) {
        perror(path);
        exit(1);
    }
    char line[2048];
    int lineno = 0;
    while (fgets(line, sizeof(line), f)) {
        lineno++;
        char *hash;
        size_t n;
        while ((n = strcspn(line, "\n")) > 0 && line[n - 1] == '\\') {
            lineno++;
            if (!fgets(line + n - 1, (int)(sizeof(line) - n + 1), f)) {
                line[n - 1] = 0;
                break;
            }
        }
        line[n] = 0;
        /* '#' also stands for immediates in the disassembly: a comment starts the line */
        hash = line + strspn(line, " \t");
        if (*hash == '#' || *hash == 0) {
            continue;
        }
        if (*hash == '{') {
            g->group = ++g->n_groups;
        } else if (*hash == '}') {
            g->group = 0;
        } else {
            parse_row(g, hash, path, lineno);
        }
    }
    if (g->group) {
        fail_at(g, path, lineno, "missing }");
        g->group = 0;
    }
    fclose(f);
}

static bool rows_overlap(const Row *a, const Row *b)
{
    return ((a->value ^ b->value) & a->mask & b->mask) == 0;
}

static void check_rows(Gen *g)
{
    for (unsigned i = 0; i < g->n_rows; i++) {
        Row *a = &g->rows[i];
        for (unsigned j = i + 1; j < g->n_rows; j++) {
            Row *b = &g->rows[j];
            if (!strcmp(a->name, b->name)) {
                fail_at(g, b->file, b->line, "%s is there already (%s:%d)", b->name, a->file,
                        a->line);
            }
            if (!rows_overlap(a, b)) {
                continue;
            }
            if (a->group != b->group || !a->group) {
                fail_at(g, b->file, b->line, "%s overlaps %s (%s:%d)", b->name, a->name, a->file,
                        a->line);
            } else if ((b->mask & a->mask) == a->mask) {
                fail_at(g, b->file, b->line, "%s is never reached behind %s", b->name, a->name);
            }
        }
    }
}

/* ---- index ---- */

/* Expected number of compares when rows are spread by the bits in `bits` only. */
static double index_cost(const Gen *g, uint32_t bits)
{
    double sum = 0;
    for (unsigned i = 0; i < g->n_rows; i++) {
        sum += 1.0 / (double)(1u << __builtin_popcount(g->rows[i].mask & bits));
    }
    return sum;
}

static void choose_index(Gen *g)
{
    uint32_t bits = 0;
    for (unsigned n = 0; n < INDEX_BITS; n++) {
        unsigned best = 0;
        double best_cost = 1e30;
        for (unsigned b = 0; b < 32; b++) {
            if (bits >> b & 1) {
                continue;
            }
            double cost = index_cost(g, bits | 1u << b);
            if (cost < best_cost) {
                best_cost = cost;
                best = b;
            }
        }
        bits |= 1u << best;
    }
    for (unsigned b = 0, n = 0; b < 32; b++) {
        if (bits >> b & 1) {
            g->index_bit[n++] = b;
        }
    }
}

static uint16_t list_add(Gen *g, const uint16_t *list, unsigned n)
{
    for (unsigned at = 0; at + n <= g->n_lists_words; at++) {
        if (!memcmp(g->lists + at, list, n * sizeof(*list))) {
            return (uint16_t)at;
        }
    }
    if (g->n_lists_words + n > g->cap_lists_words) {
        g->cap_lists_words = 2 * (g->cap_lists_words + n) + 1024;
        g->lists = realloc(g->lists, g->cap_lists_words * sizeof(*g->lists));
        if (!g->lists) {
            exit(1);
        }
    }
    uint16_t at = (uint16_t)g->n_lists_words;
    memcpy(g->lists + at, list, n * sizeof(*list));
    g->n_lists_words += n;
    return at;
}

static void fill_index(Gen *g)
{
    uint32_t bits = 0;
    for (unsigned n = 0; n < INDEX_BITS; n++) {
        bits |= 1u << g->index_bit[n];
    }
    uint16_t *list = xmalloc((MAX_ROWS + 1) * sizeof(*list));
    for (unsigned k = 0; k < 1u << INDEX_BITS; k++) {
        uint32_t word = 0;
        for (unsigned n = 0; n < INDEX_BITS; n++) {
            word |= (k >> n & 1) << g->index_bit[n];
        }
        unsigned n = 0;
        for (unsigned i = 0; i < g->n_rows; i++) {
            if (((g->rows[i].value ^ word) & g->rows[i].mask & bits) == 0) {
                list[n++] = (uint16_t)i;
            }
        }
        list[n++] = 0xffff;
        g->index[k] = list_add(g, list, n);
    }
    free(list);
    if (g->n_lists_words > 0xffff) {
        fputs("decodegen: candidate lists too long\n", stderr);
        exit(1);
    }
}

/* ---- output ---- */

static FILE *open_out(const char *path)
{
    FILE *f = fopen(path, "w");
    if (!f) {
        perror(path);
        exit(1);
    }
    fputs("/* Made by tools/decodegen from .decode tables. Do not edit. */\n", f);
    return f;
}

static void close_out(FILE *f, const char *path)
{
    if (ferror(f) || fclose(f)) {
        perror(path);
        exit(1);
    }
}

static void write_header(const Gen *g, const char *path)
{
    FILE *f = open_out(path);
    fprintf(f, "#ifndef GEMEL_%s_DECODE_H\n#define GEMEL_%s_DECODE_H\n\n", g->upper, g->upper);
    fputs("#include <stdbool.h>\n#include <stdint.h>\n\n", f);
    fprintf(f, "struct %sCtx;\n\ntypedef enum %sRow {\n", g->type, g->type);
    for (unsigned i = 0; i < g->n_rows; i++) {
        fprintf(f, "    %s_R_%s,\n", g->upper, g->rows[i].name);
    }
    fprintf(f, "    %s_N_ROWS\n} %sRow;\n\n", g->upper, g->type);
    fprintf(f, "/* A decoded instruction; fields its row does not have are 0. */\n");
    fprintf(f,
            "typedef struct %sInsn {\n    uint32_t word, row;\n    union {\n"
            "        uint32_t field_[%u];\n        struct {\n",
            g->type, g->n_fields);
    for (unsigned i = 0; i < g->n_fields; i++) {
        fprintf(f, "            uint32_t %s;\n", g->fields[i]);
    }
    fprintf(f, "        };\n    };\n} %sInsn;\n\n", g->type);
    fprintf(f,
            "/* Part of a field: `width` bits at bit `pos`, appended to field number `field`. */\n"
            "typedef struct %sFieldPart {\n    uint8_t field, pos, width;\n} %sFieldPart;\n\n",
            g->type, g->type);
    fprintf(f,
            "typedef struct %sRowInfo {\n    const char *name;\n    uint32_t mask, value;\n"
            "    uint16_t feature;          /* %sFeature */\n    uint16_t first_part, n_parts;\n"
            "    const char *attrs, *disasm;\n} %sRowInfo;\n\n",
            g->type, g->type, g->type);
    fprintf(f, "extern const %sRowInfo %s_rows[%s_N_ROWS];\n", g->type, g->prefix, g->upper);
    fprintf(f, "extern const %sFieldPart %s_field_parts[];\n", g->type, g->prefix);
    fprintf(f, "extern const char *const %s_field_names[];\n\n", g->prefix);
    fprintf(
        f,
        "/* Finds the row of a word and takes its fields apart. false: no such instruction. */\n"
        "bool %s_decode(uint32_t word, %sInsn *out);\n\n",
        g->prefix, g->type);
    fprintf(f,
            "/* Translates one instruction; false: UNDEFINED. */\n"
            "typedef bool (*%sGenFn)(struct %sCtx *c, const %sInsn *i);\n"
            "extern const %sGenFn %s_gen_fns[%s_N_ROWS];\n\n",
            g->type, g->type, g->type, g->type, g->prefix, g->upper);
    for (unsigned i = 0; i < g->n_rows; i++) {
        bool seen = false;
        for (unsigned j = 0; j < i && !seen; j++) {
            seen = !strcmp(g->rows[i].func, g->rows[j].func);
        }
        if (!seen) {
            fprintf(f, "bool gen_%s(struct %sCtx *c, const %sInsn *i);\n", g->rows[i].func, g->type,
                    g->type);
        }
    }
    fputs("\n#endif\n", f);
    close_out(f, path);
}

static void write_string(FILE *f, const char *s)
{
    fputc('"', f);
    for (; *s; s++) {
        if (*s == '"' || *s == '\\') {
            fputc('\\', f);
        }
        fputc(*s, f);
    }
    fputc('"', f);
}

static void write_rows(const Gen *g, FILE *f)
{
    fprintf(f, "const %sFieldPart %s_field_parts[] = {\n", g->type, g->prefix);
    for (unsigned i = 0; i < g->n_rows; i++) {
        for (unsigned k = 0; k < g->rows[i].n_parts; k++) {
            const Part *p = &g->rows[i].part[k];
            fprintf(f, "    { %u, %u, %u },\n", p->field, p->pos, p->width);
        }
    }
    fprintf(f, "    { 0, 0, 0 }\n};\n\nconst %sRowInfo %s_rows[%s_N_ROWS] = {\n", g->type,
            g->prefix, g->upper);
    unsigned part = 0;
    for (unsigned i = 0; i < g->n_rows; i++) {
        const Row *r = &g->rows[i];
        fprintf(f, "    { \"%s\", 0x%08x, 0x%08x, %s_FEAT_%s, %u, %u, ", r->name, r->mask, r->value,
                g->upper, r->feature, part, r->n_parts);
        write_string(f, r->attrs);
        fputs(", ", f);
        write_string(f, r->disasm);
        fputs(" },\n", f);
        part += r->n_parts;
    }
    fprintf(f, "};\n\nconst char *const %s_field_names[] = {\n", g->prefix);
    for (unsigned i = 0; i < g->n_fields; i++) {
        fprintf(f, "    \"%s\",\n", g->fields[i]);
    }
    fputs("    0\n};\n\n", f);
}

static void write_u16s(FILE *f, const uint16_t *v, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        fprintf(f, "%s%u,", i % 16 ? " " : "\n    ", v[i]);
    }
}

/* The index of a word: runs of adjacent index bits are moved together. */
static void write_index_function(const Gen *g, FILE *f)
{
    fprintf(f, "static inline unsigned decode_index(uint32_t w)\n{\n    return 0");
    for (unsigned n = 0; n < INDEX_BITS;) {
        unsigned len = 1;
        while (n + len < INDEX_BITS && g->index_bit[n + len] == g->index_bit[n] + len) {
            len++;
        }
        fprintf(f, "\n        | (w >> %u & 0x%xu) << %u", g->index_bit[n], (1u << len) - 1, n);
        n += len;
    }
    fputs(";\n}\n\n", f);
}

static void write_source(const Gen *g, const char *path, const char *header)
{
    FILE *f = open_out(path);
    const char *base = strrchr(header, '/');
    fprintf(f, "#include \"%s\"\n\n#include \"target/arm/a64.h\"\n\n", base ? base + 1 : header);
    write_rows(g, f);
    fprintf(f, "static const uint16_t candidates[%u] = {", g->n_lists_words);
    write_u16s(f, g->lists, g->n_lists_words);
    fprintf(f, "\n};\n\nstatic const uint16_t first_candidate[%u] = {", 1u << INDEX_BITS);
    write_u16s(f, g->index, 1u << INDEX_BITS);
    fputs("\n};\n\n", f);
    write_index_function(g, f);
    fprintf(f, "bool %s_decode(uint32_t word, %sInsn *out)\n{\n", g->prefix, g->type);
    fprintf(
        f,
        "    const uint16_t *cand = candidates + first_candidate[decode_index(word)];\n"
        "    while (*cand != 0xffff && (word & %s_rows[*cand].mask) != %s_rows[*cand].value) {\n"
        "        cand++;\n    }\n    *out = (%sInsn){ .word = word, .row = *cand };\n"
        "    if (*cand == 0xffff) {\n        return false;\n    }\n"
        "    const %sRowInfo *row = &%s_rows[*cand];\n"
        "    uint32_t *fields = out->field_;\n"
        "    const %sFieldPart *p = %s_field_parts + row->first_part;\n"
        "    for (unsigned n = row->n_parts; n; n--, p++) {\n"
        "        uint32_t bits = word >> p->pos & (uint32_t)((1ull << p->width) - 1);\n"
        "        fields[p->field] = (uint32_t)((uint64_t)fields[p->field] << p->width) | bits;\n"
        "    }\n    return true;\n}\n",
        g->prefix, g->prefix, g->type, g->type, g->prefix, g->type, g->prefix);
    close_out(f, path);
}

static void write_gentab(const Gen *g, const char *path, const char *header)
{
    FILE *f = open_out(path);
    const char *base = strrchr(header, '/');
    fprintf(f, "#include \"%s\"\n\nconst %sGenFn %s_gen_fns[%s_N_ROWS] = {\n",
            base ? base + 1 : header, g->type, g->prefix, g->upper);
    for (unsigned i = 0; i < g->n_rows; i++) {
        fprintf(f, "    gen_%s,\n", g->rows[i].func);
    }
    fputs("};\n", f);
    close_out(f, path);
}

int main(int argc, char **argv)
{
    if (argc < 7) {
        fputs("usage: decodegen PREFIX Prefix OUT.h OUT.c GENTAB.c TABLE...\n", stderr);
        return 2;
    }
    Gen *g = xmalloc(sizeof(*g));
    g->prefix = argv[1];
    g->type = argv[2];
    for (unsigned i = 0; argv[1][i] && i < sizeof(g->upper) - 1; i++) {
        g->upper[i] = (char)toupper((unsigned char)argv[1][i]);
    }
    g->rows = xmalloc(MAX_ROWS * sizeof(*g->rows));
    for (int i = 6; i < argc; i++) {
        read_table(g, argv[i]);
    }
    check_rows(g);
    if (g->failed) {
        return 1;
    }
    choose_index(g);
    fill_index(g);
    write_header(g, argv[3]);
    write_source(g, argv[4], argv[3]);
    write_gentab(g, argv[5], argv[3]);
    return 0;
}
