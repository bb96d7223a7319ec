/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gemel-img: disk images, with the command line of qemu-img (a link of that name is fine). */
#include <string.h>

#include "config.h"
#include "img.h"
#include "util/str_nearest.h"

static const ImgVerb *const verbs[] = {
    &img_amend, &img_bench, &img_check, &img_commit,  &img_compare, &img_convert, &img_create_verb,
    &img_dd,    &img_info,  &img_map,   &img_measure, &img_rebase,  &img_resize,  &img_snapshot,
};

static const char *verb_name(size_t i, const void *opaque)
{
    (void)opaque;
    return i < G_N_ELEMENTS(verbs) ? verbs[i]->name : NULL;
}

static void help(void)
{
    puts("usage: gemel-img VERB [option]... FILE...\n"
         "Makes, looks at, converts and repairs disk images (raw, qcow2).\n\nVerbs:");
    for (size_t i = 0; i < G_N_ELEMENTS(verbs); i++) {
        const char *text = verbs[i]->help, *end = strchr(text, '\n');
        printf("  %-10s %.*s\n", verbs[i]->name, end ? (int)(end - text) : (int)strlen(text), text);
    }
    puts("\ngemel-img VERB --help tells the options of a verb.\n\n"
         "  gemel-img create -f qcow2 disk.qcow2 20G        an empty disk\n"
         "  gemel-img convert -p -O qcow2 disk.img d.qcow2  another format\n"
         "  gemel-img info d.qcow2                          what is this?\n"
         "  gemel-img snapshot -c before-upgrade d.qcow2    remember this state");
}

static int unknown_verb(const char *name)
{
    const char *near = str_nearest(name, verb_name, NULL);

    if (!strcmp(name, "bitmap")) {
        return img_fail_text("%s: this verb of qemu-img is not here", name);
    }
    return near ? img_fail_text("unknown verb '%s'; did you mean '%s'?", name, near)
                : img_fail_text("unknown verb '%s' (gemel-img --help lists them)", name);
}

int main(int argc, char **argv)
{
    ImgArgs args = {0};
    Error err = {""};
    bool only_help = false;
    int status;

    if (argc < 2) {
        return img_fail_text("no verb given (gemel-img --help lists them)");
    }
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
        help();
        return 0;
    }
    if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
        puts("gemel-img version " GEMEL_VERSION);
        return 0;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(verbs) && !args.verb; i++) {
        args.verb = strcmp(verbs[i]->name, argv[1]) ? NULL : verbs[i];
    }
    if (!args.verb) {
        return unknown_verb(argv[1]);
    }
    if (!img_parse(&args, argc - 2, argv + 2, &only_help, &err)) {
        img_fail(&err);
        status = strcmp(args.verb->name, "compare") ? 1 : 2;
    } else if (only_help) {
        img_verb_help(args.verb);
        status = 0;
    } else {
        status = args.verb->run(&args);
    }
    img_args_free(&args);
    if (fflush(stdout)) {
        return img_fail_text("cannot write the output");
    }
    return status;
}
