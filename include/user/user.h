/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Linux user mode: the process, its threads, its memory map.
 *
 * Guest addresses are host addresses (base 0). Memory of the guest is what UserMap lists; all else
 * in the address space is the emulator's, and no guest mapping call may touch it.
 *
 * Locks, by rank: UserProcess.lock < the engine's < UserMap.lock. tcg_invalidate() is never
 * called with UserMap.lock held (the engine calls user_map_fetch() under its code lock).
 */
#ifndef GEMEL_USER_USER_H
#define GEMEL_USER_USER_H

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "accel/tcg.h"
#include "target/arm/a64.h"
#include "target/x86/x86.h"

enum { USER_NSIG = 64, USER_PAGE = 4096, USER_MAX_INHERIT = 64 };
#define USER_TASK_SIZE ((uint64_t)1 << 47)

/* Results of a system call that the guest never sees (Linux: include/linux/errno.h). */
enum {
    USER_ERESTARTSYS = 512,    /* interrupted: again, or EINTR if the handler has no SA_RESTART */
    USER_ERESTARTNOHAND = 514, /* interrupted: EINTR if a handler runs, else again */
    USER_ENOTYET = 600,        /* a signal came before it began: again after the handler */
    USER_ENORET = 601,         /* registers were set: leave x0 alone */
};

/* Immediates of SVC that only the vdso's own code uses. */
enum {
    USER_SVC_CLOCK_GETTIME = 0x6e01, USER_SVC_GETTIMEOFDAY = 0x6e02, USER_SVC_CLOCK_GETRES = 0x6e03
};

/* ---- options ---- */

typedef struct UserOptions {
    const char *program;     /* argv[0] of the emulator, without folder */
    const char *root;        /* -L, without a slash at the end; NULL: none */
    const char *cpu_model;
    const char *argv0;       /* -0 */
    uint64_t    base;        /* -B: load address of PIE programs */
    uint64_t    reserve;     /* -R: guest addresses stay below; 0 = no limit */
    bool        strace;
    bool        one_insn;
    bool        interp;
    bool        no_tier2;
    uint32_t    log;         /* TCG_LOG_ */
    bool        log_unimp;
    const char *log_file;    /* -D */
    int         self_fd;     /* our executable, from the emulator that started us; 0: none */
    char      **env;         /* the guest's environment, NULL at the end */
    const char *inherit[USER_MAX_INHERIT]; /* options for children, as typed */
    unsigned    n_inherit;
} UserOptions;

/* Parses argv and the environment. Returns the index of the guest program in argv; exits the
 * process itself for --help and the like and for errors (one line, status 1). */
int user_options_parse(UserOptions *o, int argc, char **argv, char **envp);

/* ---- memory map ---- */

typedef struct UserRegion {
    uint64_t start, end;    /* page aligned */
    int      prot;          /* what the guest asked: PROT_, USER_PROT_BTI */
    uint8_t  kind;          /* UserRegionKind */
    bool     shared;
    bool     sealed;        /* mseal(): stays as it is until the process ends */
} UserRegion;
typedef enum UserRegionKind {
    USER_R_PLAIN, USER_R_STACK, USER_R_HEAP, USER_R_VDSO, USER_R_SHM
} UserRegionKind;

/* Sorted, disjoint regions. Guarded by lock. */
typedef struct UserMap {
    pthread_mutex_t lock;
    UserRegion     *r;
    size_t          n, cap;
    uint64_t        limit;         /* guest addresses stay below */
    uint64_t        brk_start, brk;
    bool            lock_future;   /* mlockall(MCL_FUTURE): new mappings are locked */
    int             prot_arch;     /* bits of PROT_ that the guest's CPU adds: PROT_BTI */
    _Atomic(bool)   guarded;       /* some region has or had PROT_BTI; stays so */
} UserMap;

enum { USER_PROT_BTI = 0x10 }; /* arm64: a guarded page, if executable */

struct UserProcess;
void    user_map_init(UserMap *m, uint64_t limit);
/* TcgHostOps.symbol: the guest function at pc, from the ELF files mapped. Code lock held. */
bool    user_symbol(void *opaque, uint64_t pc, char *out, size_t bytes);
/* TcgHostOps.fetch and .page_mode. */
size_t  user_map_fetch(void *process, uint64_t pc, uint8_t *buf, size_t bytes);
uint64_t user_map_page_mode(void *process, uint64_t pc);
/* The region containing addr, copied out; false: none. */
bool    user_map_find(UserMap *m, uint64_t addr, UserRegion *out);
/* Records [start, end); for the loader, which maps itself. */
void    user_map_note(UserMap *m, const UserRegion *region);
int64_t user_mmap(struct UserProcess *p, const uint64_t a[6]);
int64_t user_munmap(struct UserProcess *p, uint64_t addr, uint64_t len);
int     user_host_prot(int guest_prot);
/* Memory for the loader: private, anonymous, within the limit; not yet in the map. NULL: none. */
void   *user_map_reserve(UserMap *m, uint64_t bytes, int host_prot);
/* Writes the guest's /proc/PID/maps (or smaps header lines) to fd. */
void    user_map_print(struct UserProcess *p, int fd);

/* ---- guest memory, safely: 0 or -EFAULT ---- */

/* Async-signal-safe; returns the bytes not copied. */
size_t user_copy(void *dst, const void *src, size_t n);
static inline int user_get(void *dst, uint64_t guest, size_t n)
{
    return user_copy(dst, (const void *)guest, n) ? -14 : 0;
}
static inline int user_put(uint64_t guest, const void *src, size_t n)
{
    return user_copy((void *)guest, src, n) ? -14 : 0;
}
/* A string of less than `bytes` bytes: its length, -EFAULT or -ENAMETOOLONG. */
int64_t user_get_string(char *dst, uint64_t guest, size_t bytes);

/* ---- signals ---- */

/* The kernel's struct sigaction, the same on arm64 and x86-64. */
typedef struct UserSigaction {
    uint64_t handler, flags, restorer, mask;
} UserSigaction;

typedef struct UserStack { uint64_t sp; int32_t flags, pad; uint64_t size; } UserStack;

/* A synchronous exception on its way to the guest. */
typedef struct UserFault {
    int      sig, code;
    uint64_t addr;
    uint64_t esr;    /* 0: the frame has no esr_context */
} UserFault;

/* ---- process and threads ---- */

typedef struct UserThread UserThread;
struct UserAbi; /* user/guest_abi.h */

typedef struct UserProcess {
    const UserOptions *opt;
    const struct UserAbi *abi;         /* from load() on */
    struct SymbolFile *symbol_files;   /* user/symbols.c; under the engine's code lock */
    TcgEngine      *engine;
    UserMap         map;
    pthread_mutex_t lock;              /* thread list, actions */
    UserThread     *threads;
    unsigned        n_threads;
    int             leader_status;     /* of the main thread's exit(), for the last one to report */
    int             self_fd;           /* our own executable, O_PATH; -1: none */
    char            exe[4096];         /* absolute path of the guest program */
    uint64_t        vdso, vdso_bytes;  /* guest address; 0: none */
    uint64_t        sigreturn;         /* guest address of the default signal return */
    uint64_t        stack_start, stack_end, stack_sp;
    uint64_t        arg_start, arg_end, env_start, env_end;
    uint64_t        auxv[64];          /* pairs */
    unsigned        n_auxv;            /* words */
    uint64_t        entry;
    FILE           *log;
} UserProcess;

struct UserThread {
    union {                            /* by the process's ABI; must be first */
        A64Cpu   cpu;
        X86Cpu   x86;
    };
    UserProcess *proc;
    UserThread  *next;
    int          tid;
    UserSigaction *action;             /* by signal; shared by threads (CLONE_SIGHAND); guarded by
                                          UserProcess.lock */
    uint64_t     sigmask;              /* the guest's mask: bit n - 1 = signal n */
    volatile uint64_t host_mask;       /* the host thread's mask, or a value that is none */
    uint64_t     saved_mask;           /* mask for the frame, while has_saved_mask */
    bool         has_saved_mask;
    UserStack    altstack;
    uint64_t     clear_tid, robust_list;
    uint64_t     robust_len;
    /* what the host handler took; it blocks everything until user_signals_deliver() */
    siginfo_t    pending;
    volatile sig_atomic_t has_pending;
    siginfo_t    held[2];              /* SIGSEGV, SIGBUS sent by someone while blocked */
    volatile sig_atomic_t has_held[2];
    volatile sig_atomic_t fault_sig;   /* signal behind TCG_EXIT_FAULT */
    int          restart;              /* USER_ERESTART of the call that was left, or 0 */
    bool         vfork_child;
    void        *exit_jump;            /* jmp_buf in the host thread's first function */
    void        *scratch;              /* of a vfork child's execve: the parent unmaps it */
    size_t       scratch_bytes;
    void        *host_altstack;
    uint64_t     syscall_nr;           /* for a handler that reports where we were */
};

/* The guest thread this host thread runs; NULL on the engine's own threads. */
extern _Thread_local UserThread *user_current;

/* ---- loader.c, script.c ---- */

/* What has to be known of a program before it replaces the current one. */
typedef struct UserImage {
    int      fd;
    char     path[4096];   /* host path, ELF file */
    uint64_t load_bias, entry, start, end, phdr, brk;
    uint16_t phnum, type;
    const struct UserAbi *abi;
    bool     exec_stack;   /* PT_GNU_STACK asks for it */
    bool     bti;          /* its property note says that it may run in guarded pages */
    char     interp[4096]; /* "" when static */
} UserImage;

/* Opens and checks; returns 0 or -errno; *why gets a reason that a user understands. */
int  user_image_open(UserImage *im, const char *path, const UserOptions *o, const char **why);
/* The same for a file already open. */
int  user_image_check(UserImage *im, const UserOptions *o, const char **why);
/* Maps program and interpreter, makes the stack. argv, env: NULL at the end. */
int  user_image_load(UserProcess *p, UserImage *im, char **argv, char **env, const char *execfn,
                     const char **why);
int  user_stack_build(UserProcess *p, const UserImage *im, const UserImage *interp, char **argv,
                      char **env, const char *execfn);

/* "#!" line: interpreter and argument (each < 256 bytes, arg[0] == 0: none). 1: it is a script,
 * 0: not, -errno. */
int  user_script_parse(int fd, char interp[256], char arg[256]);

/* Host path for a guest path: below -L ROOT if it exists there. Returns path or buf. */
const char *user_path(const UserOptions *o, const char *path, char buf[4096]);

/* ---- loop ---- */
void user_cpu_loop(UserThread *t) __attribute__((noreturn));
UserThread *user_thread_new(UserProcess *p);
void user_thread_free(UserThread *t);
void user_thread_enter(UserThread *t);   /* on its host thread: current, alternate stack */
/* Address that the load or store `insn` at pc would access; registers as before it. */
uint64_t user_a64_fault_address(const A64Cpu *c, uint32_t insn);
void user_vdso_map(UserProcess *p);

/* ---- signals.c, sigframe.c ---- */
void user_signals_init(UserThread *t);
void user_signals_deliver(UserThread *t);
void user_signal_fault(UserThread *t, const UserFault *f);
void user_signals_host_mask(uint64_t guest_mask);
/* Everything blocked, however the guest's mask stands: around fork and thread creation. */
void user_signals_block_all(void);
void user_die_by_signal(UserThread *t, int sig) __attribute__((noreturn));
/* Pushes a frame and points the CPU at the handler; false: the stack is not writable. */
bool user_frame_push(UserThread *t, const siginfo_t *si, const UserSigaction *act,
                     uint64_t frame_mask, const UserFault *fault);
/* rt_sigreturn: false: the frame is not readable or not valid. */
bool user_frame_pop(UserThread *t, uint64_t *mask);

/* ---- system calls ---- */
typedef int64_t (*UserSyscallFn)(UserThread *t, const uint64_t a[6]);

/* Any system call of the host, interruptible without loss: result or -errno, and the USER_E
 * codes above. */
int64_t user_host_call(UserThread *t, long nr, const uint64_t a[6]);
#define USER_CALL(t, nr, ...) user_host_call(t, nr, (const uint64_t[6]){__VA_ARGS__})
/* The call's own temporary signal mask (ppoll and friends): result as user_host_call(). */
int64_t user_masked_call(UserThread *t, long nr, const uint64_t a[6], uint64_t mask);
void    user_syscall(UserThread *t);

/* strace.c */
void    user_strace_enter(UserThread *t, unsigned nr, const uint64_t a[6]);
void    user_strace_leave(UserThread *t, unsigned nr, int64_t result);
void    user_strace_signal(UserThread *t, int sig, const siginfo_t *si);
const char *user_errno_name(int e);

/* A row of syscalls.def. */
typedef struct UserSyscall {
    const char   *name;
    UserSyscallFn fn;      /* NULL: ENOSYS */
    int16_t       host;    /* pass: the host's number, else -1 */
    uint8_t       kind;    /* UserSyscallKind */
    const char   *args;    /* kinds of the arguments, see syscalls.def */
} UserSyscall;
typedef enum UserSyscallKind { USER_SYS_NONE, USER_SYS_IMPL, USER_SYS_PASS, USER_SYS_ENOSYS }
    UserSyscallKind;
enum { USER_N_SYSCALLS = 512 };
extern const UserSyscall user_syscalls[USER_N_SYSCALLS];
void    user_syscalls_list(FILE *out);

/* thread.c, exec.c, procfs.c */
void    user_thread_exit(UserThread *t, int status) __attribute__((noreturn));
int64_t user_execve(UserThread *t, int dirfd, uint64_t path, const uint64_t args[3]);
void    user_self_fd_init(UserProcess *p);
/* Before /proc may go out of reach: keeps a descriptor of our executable. */
void    user_self_fd_keep(UserProcess *p);
bool    user_is_self_fd(const UserProcess *p, int fd);
/* An fd with the guest's view if path names a file of /proc that must differ; -1: it does not. */
int     user_proc_open(UserThread *t, const char *path, int flags);
/* Target of /proc/self/exe and the like; NULL: not such a link. */
const char *user_proc_link(UserThread *t, const char *path);

#endif
