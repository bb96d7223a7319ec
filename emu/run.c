/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gemel run IMAGE: picks ISA, board, firmware, memory, CPUs, disk, network and display by looking
 * at the image and the host, says what it picked, and runs it. What it picks is a QEMU-style
 * command line:
 * --dry-run prints it, so that nothing here is magic.
 */
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "block/block.h"
#include "config.h"
#include "emu/front.h"
#include "emu/guess.h"
#include "emu/session.h"

enum { MAX_ARGS = 128, MAX_FORWARDS = 16 };

typedef struct Plan {
    const char *image, *isa, *memory, *cpus, *display, *share, *initrd, *append, *firmware;
    const char *forwards[MAX_FORWARDS];
    unsigned n_forwards;
    bool snapshot, no_network, dry_run;
    Guess guess;
    char *args[MAX_ARGS + 1];
    unsigned n_args;
} Plan;

static void usage(FILE *f)
{
    fputs("usage: gemel run IMAGE|KERNEL [OPTIONS] [-- OPTIONS OF gemel-system-ISA]\n"
          "Runs a disk image, a CD image or a kernel, and picks what is not said.\n\n"
          "  --arch ISA          aarch64 (default: what the image was made for)\n"
          "  --memory SIZE       e.g. 2G (default: a quarter of the host's, 1 to 4 GiB)\n"
          "  --cpus N            (default: as the host, at most 4)\n"
          "  --display KIND      sdl, vnc=:0, none; console: serial port here (default: a window\n"
          "                      where there is a desktop, else console)\n"
          "  --forward HOST:GUEST  TCP port of this machine's loopback to one of the guest; "
          "repeatable\n"
          "  --share DIR         a folder for the guest (mount -t 9p share /mnt)\n"
          "  --initrd FILE, --append TEXT   with a kernel\n"
          "  --firmware FILE     instead of the one found\n"
          "  --snapshot          leave the image as it is\n"
          "  --no-network\n"
          "  --dry-run           print the command line and leave\n",
          f);
}

static void push(Plan *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void push(Plan *p, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *text = NULL;
    if (p->n_args == MAX_ARGS || vasprintf(&text, fmt, ap) < 0) {
        fputs("gemel run: too many options\n", stderr);
        exit(EXIT_USAGE);
    }
    va_end(ap);
    p->args[p->n_args++] = text;
    p->args[p->n_args] = NULL;
}

/* A file name inside a key=value list. */
static char *quoted(const char *path)
{
    char *r = malloc(2 * strlen(path) + 1), *q = r;
    if (!r) {
        abort();
    }
    for (; *path; path++) {
        *q++ = *path;
        if (*path == ',') {
            *q++ = ',';
        }
    }
    *q = '\0';
    return r;
}

static bool parse(Plan *p, int argc, char **argv, int *rest)
{
    static const struct option longs[] = {
        {"arch", 1, 0, 'a'},       {"memory", 1, 0, 'm'},
        {"cpus", 1, 0, 'c'},       {"display", 1, 0, 'd'},
        {"forward", 1, 0, 'f'},    {"share", 1, 0, 's'},
        {"initrd", 1, 0, 'i'},     {"append", 1, 0, 'A'},
        {"firmware", 1, 0, 'F'},   {"snapshot", 0, 0, 'S'},
        {"no-network", 0, 0, 'N'}, {"dry-run", 0, 0, 'n'},
        {"help", 0, 0, 'h'},       {0, 0, 0, 0},
    };
    for (int c; (c = getopt_long(argc, argv, "hm:", longs, NULL)) != -1;) {
        switch (c) {
        case 'a': p->isa = optarg; break;
        case 'm': p->memory = optarg; break;
        case 'c': p->cpus = optarg; break;
        case 'd': p->display = optarg; break;
        case 's': p->share = optarg; break;
        case 'i': p->initrd = optarg; break;
        case 'A': p->append = optarg; break;
        case 'F': p->firmware = optarg; break;
        case 'S': p->snapshot = true; break;
        case 'N': p->no_network = true; break;
        case 'n': p->dry_run = true; break;
        case 'f':
            if (p->n_forwards < MAX_FORWARDS) {
                p->forwards[p->n_forwards++] = optarg;
            }
            break;
        case 'h': usage(stdout); exit(EXIT_OK);
        default: return false;
        }
    }
    p->image = optind < argc && strcmp(argv[optind], "--") ? argv[optind++] : NULL;
    *rest = optind;
    return p->image != NULL;
}

static bool look(Plan *p, Error *err)
{
    struct stat st;
    if (stat(p->image, &st)) {
        return error_set_errno(err, "%s", p->image);
    }
    if (guess_kernel(p->image, &p->guess)) {
        return true;
    }
    BlockOpenOptions o = {.file = p->image, .read_only = true, .force_share = true};
    BlockDev *dev = block_open(&o, err);
    if (!dev) {
        return false;
    }
    guess_disk(dev, &p->guess);
    block_close(dev);
    return true;
}

static bool pick_isa(Plan *p, Error *err)
{
    if (!p->isa) {
        p->isa = p->guess.isa;
    }
    if (!p->isa) {
        return error_set(err, "%s: %s; say --arch aarch64", p->image, p->guess.why);
    }
    if (strcmp(p->isa, "aarch64")) {
        return error_set(err, "%s: made for %s (%s); machines of that ISA are not there yet",
                         p->image, p->isa, p->guess.why);
    }
    return true;
}

static void pick_size(Plan *p)
{
    struct sysinfo si;
    uint64_t mib = 2048;
    if (!sysinfo(&si)) {
        mib = (uint64_t)si.totalram * si.mem_unit / 4 >> 20;
    }
    mib = mib < 1024 ? 1024 : mib > 4096 ? 4096 : mib & ~(uint64_t)127;
    push(p, "-m");
    if (p->memory) {
        push(p, "%s", p->memory);
    } else {
        push(p, "%lluM", (unsigned long long)mib);
    }
    long host = sysconf(_SC_NPROCESSORS_ONLN);
    push(p, "-smp");
    if (p->cpus) {
        push(p, "%s", p->cpus);
    } else {
        push(p, "%ld", host < 1 ? 1 : host > 4 ? 4 : host);
    }
}

static bool copy_file(const char *from, const char *to)
{
    char buf[1 << 16];
    FILE *in = fopen(from, "rb"), *out = in ? fopen(to, "wbx") : NULL;
    bool ok = in && out;
    for (size_t n; ok && (n = fread(buf, 1, sizeof buf, in)) > 0;) {
        ok = fwrite(buf, 1, n, out) == n;
    }
    if (in) {
        fclose(in);
    }
    return (out ? fclose(out) == 0 : false) && ok;
}

static void make_folders(char *path)
{
    for (char *c = path + 1; *c; c++) {
        if (*c == '/') {
            *c = '\0';
            mkdir(path, 0755);
            *c = '/';
        }
    }
    mkdir(path, 0755);
}

/* The firmware's variables of this image: a copy of the empty store, kept in the user's data folder
 * under the image's own path. */
static bool variable_store(const Plan *p, const char *empty, char *path, size_t bytes, Error *err)
{
    const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
    char *real = realpath(p->image, NULL);
    uint64_t hash = 0xcbf29ce484222325u;
    for (const char *c = real ? real : p->image; *c; c++) {
        hash = (hash ^ (uint8_t)*c) * 0x100000001b3u;
    }
    free(real);
    char dir[3000];
    if (data) {
        snprintf(dir, sizeof dir, "%s/gemel", data);
    } else {
        snprintf(dir, sizeof dir, "%s/.local/share/gemel", home ? home : "/tmp");
    }
    if (!p->dry_run) {
        make_folders(dir);
    }
    const char *base = strrchr(p->image, '/');
    snprintf(path, bytes, "%s/%s-%08x-vars.fd", dir, base ? base + 1 : p->image, (unsigned)hash);
    if (!p->dry_run && access(path, F_OK) && !copy_file(empty, path)) {
        return error_set_errno(err, "%s: cannot make the firmware's variable store", path);
    }
    return true;
}

static const char *first_there(const char *const *paths)
{
    for (; *paths; paths++) {
        if (!access(*paths, R_OK)) {
            return *paths;
        }
    }
    return NULL;
}

static bool pick_firmware(Plan *p, Error *err)
{
    static const char *const codes[] = {"/usr/share/AAVMF/AAVMF_CODE.fd",
                                        "/usr/share/edk2/aarch64/QEMU_EFI-silent-pflash.raw", NULL};
    static const char *const vars[] = {"/usr/share/AAVMF/AAVMF_VARS.fd",
                                       "/usr/share/edk2/aarch64/vars-template-pflash.raw", NULL};
    const char *code = p->firmware ? p->firmware : first_there(codes), *store = first_there(vars);
    char path[4096];
    if (!code) {
        return error_set(err,
                         "no UEFI firmware for aarch64 was found: install qemu-efi-aarch64, or say "
                         "--firmware FILE");
    }
    char *q = quoted(code);
    push(p, "-drive");
    push(p, "if=pflash,unit=0,format=raw,readonly=on,file=%s", q);
    free(q);
    if (!p->firmware && store) {
        if (!variable_store(p, store, path, sizeof path, err)) {
            return false;
        }
        q = quoted(path);
        push(p, "-drive");
        push(p, "if=pflash,unit=1,format=raw,file=%s", q);
        free(q);
    }
    return true;
}

static void pick_disk(Plan *p)
{
    char *q = quoted(p->image);
    push(p, "-drive");
    push(p, "if=virtio,id=disk,file=%s%s", q,
         p->guess.kind == GUESS_CD ? ",media=cdrom,format=raw" : "");
    free(q);
    if (p->snapshot) {
        push(p, "-snapshot");
    }
}

static void pick_network(Plan *p)
{
    char spec[2048] = "user,model=virtio-net-pci";
    if (p->no_network) {
        snprintf(spec, sizeof spec, "none");
    }
    for (unsigned i = 0; i < p->n_forwards && !p->no_network; i++) {
        const char *colon = strchr(p->forwards[i], ':');
        size_t n = strlen(spec);
        snprintf(spec + n, sizeof spec - n, ",hostfwd=tcp:127.0.0.1:%.*s-:%s",
                 colon ? (int)(colon - p->forwards[i]) : (int)strlen(p->forwards[i]),
                 p->forwards[i], colon ? colon + 1 : p->forwards[i]);
    }
    push(p, "-nic");
    push(p, "%s", spec);
}

static void pick_screen(Plan *p)
{
    const char *d = p->display;
    if (!d) {
        d = getenv("DISPLAY") || getenv("WAYLAND_DISPLAY") ? "sdl" : "console";
    }
    p->display = d;
    if (!strcmp(d, "console")) {
        push(p, "-nographic");
        return;
    }
    static const char *const devices[] = {"virtio-gpu-pci", "qemu-xhci", "usb-kbd", "usb-tablet",
                                          NULL};
    for (int i = 0; devices[i]; i++) {
        push(p, "-device");
        push(p, "%s", devices[i]);
    }
    push(p, "-display");
    push(p, "%s", d);
}

static bool make_plan(Plan *p, Error *err)
{
    push(p, "gemel-system-%s", p->isa);
    push(p, "-M");
    push(p, "virt");
    push(p, "-cpu");
    push(p, "max");
    pick_size(p);
    if (p->guess.kind == GUESS_KERNEL) {
        push(p, "-kernel");
        push(p, "%s", p->image);
        if (p->initrd) {
            push(p, "-initrd");
            push(p, "%s", p->initrd);
        }
        push(p, "-append");
        push(p, "%s", p->append ? p->append : "console=ttyAMA0");
    } else {
        if (!pick_firmware(p, err)) {
            return false;
        }
        pick_disk(p);
    }
    pick_network(p);
    push(p, "-device");
    push(p, "virtio-rng-pci");
    if (p->share) {
        char *q = quoted(p->share);
        push(p, "-virtfs");
        push(p, "local,path=%s,mount_tag=share,security_model=mapped-xattr", q);
        free(q);
    }
    pick_screen(p);
    return true;
}

static void print_plan(const Plan *p, FILE *f)
{
    for (unsigned i = 0; i < p->n_args; i++) {
        bool quote = strpbrk(p->args[i], " *?$\"") != NULL;
        fprintf(f, "%s%s%s%s", i ? " " : "", quote ? "'" : "", p->args[i], quote ? "'" : "");
    }
    fputc('\n', f);
}

int run_main(int argc, char **argv)
{
    Plan p = {0};
    Error err = {0};
    int rest = 0;
    if (!parse(&p, argc, argv, &rest)) {
        usage(stderr);
        return EXIT_USAGE;
    }
    if (!look(&p, &err) || !pick_isa(&p, &err) || !make_plan(&p, &err)) {
        error_report(&err, "gemel run", stderr);
        return EXIT_USAGE;
    }
    for (; rest < argc; rest++) {
        push(&p, "%s", argv[rest]);
    }
    if (p.dry_run) {
        print_plan(&p, stdout);
        return EXIT_OK;
    }
    fprintf(stderr, "gemel run: %s: %s\ngemel run: ", p.image, p.guess.why);
    print_plan(&p, stderr);
    int status = system_main(p.args[0], p.isa, (int)p.n_args, p.args);
    while (p.n_args) {
        free(p.args[--p.n_args]);
    }
    return status;
}
