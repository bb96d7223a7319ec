/* SPDX-License-Identifier: GPL-2.0-or-later */
/* System calls on mounts, namespaces, keys and the machine. All changes are in namespaces. */
#include "calls.h"

#include <linux/bpf.h>
#include <linux/landlock.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>

static void mounts(void)
{
    struct { uint64_t set, clear, propagation, user; } attr = {.set = 1}; /* MOUNT_ATTR_RDONLY */
    struct { uint32_t size, fd; uint64_t id, param, ns; } req = {.size = 24, .param = 2};
    uint64_t ids[64], list[512];
    VAL(unshare, 0, CLONE_NEWNS);
    ERR(unshare, EINVAL, 0x1);
    VAL(mount, 0, "none", "/", 0, MS_REC | MS_PRIVATE, 0);
    mkdir("m", 0700);
    mkdir("n", 0700);
    VAL(mount, 0, "none", "m", "tmpfs", MS_NOSUID, "size=64k");
    ERR(mount, ENOENT, "none", "none", "tmpfs", 0, 0);
    ERR(mount, ENODEV, "none", "m", "nosuchfs", 0, 0);
    ERR(mount, EFAULT, "none", BAD, "tmpfs", 0, 0);
    VAL(umount2, 0, "m", MNT_DETACH);
    ERR(umount2, EINVAL, "m", 0);
    ERR(umount2, EINVAL, "m", 0x1000);
    long fs = RES(fsopen, "tmpfs", 1);
    ERR(fsopen, ENODEV, "nosuchfs", 0);
    ERR(fsopen, EINVAL, "tmpfs", 99);
    VAL(fsconfig, 0, fs, 1, "size", "64k", 0);
    VAL(fsconfig, 0, fs, 6, 0, 0, 0);
    ERR(fsconfig, EOPNOTSUPP, fs, 99, 0, 0, 0);
    ERR(fsconfig, EBADF, NOFD, 6, 0, 0, 0);
    long mnt = RES(fsmount, fs, 1, 0);
    ERR(fsmount, EBADF, NOFD, 0, 0);
    ERR(fsmount, EINVAL, fs, 99, 0);
    VAL(move_mount, 0, mnt, "", AT_FDCWD, "m", 4);
    ERR(move_mount, EINVAL, mnt, "", AT_FDCWD, "m", 0x10000);
    ERR(move_mount, ENOENT, AT_FDCWD, "none", AT_FDCWD, "m", 0);
    close(open("m/file", O_CREAT | O_RDWR, 0600));
    long tree = RES(open_tree, AT_FDCWD, "m", 1 | O_CLOEXEC);
    ERR(open_tree, ENOENT, AT_FDCWD, "none", 0);
    ERR(open_tree, EINVAL, AT_FDCWD, "m", 2);
    VAL(mount_setattr, 0, tree, "", AT_EMPTY_PATH, &attr, sizeof attr);
    ERR(mount_setattr, EINVAL, tree, "", AT_EMPTY_PATH, &attr, 3);
    ERR(mount_setattr, EBADF, NOFD, "", AT_EMPTY_PATH, &attr, sizeof attr);
    tree = RES(open_tree_attr, AT_FDCWD, "m", 1 | O_CLOEXEC, &attr, sizeof attr);
    ERR(open_tree_attr, EINVAL, AT_FDCWD, "m", 1, &attr, 3);
    RES(fspick, AT_FDCWD, "m", 1);
    ERR(fspick, EINVAL, AT_FDCWD, "m", 99);
    ERR(fspick, ENOENT, AT_FDCWD, "none", 0);
    req.id = ~0ull;
    req.param = 0;
    DID(listmount, S(listmount, &req, ids, 64, 0) > 0);
    ERR(listmount, EINVAL, &req, ids, 64, 99);
    req.id = ids[0];
    req.param = 1; /* STATMOUNT_SB_BASIC */
    VAL(statmount, 0, &req, list, sizeof list, 0);
    DID(statmount, ((uint32_t *)list)[0] >= 64);
    ERR(statmount, EINVAL, &req, list, sizeof list, 99);
    mkdir("m/old", 0700);
    VAL(pivot_root, 0, "m", "m/old");
    DID(pivot_root, !access("/file", F_OK));
    ERR(pivot_root, ENOENT, "none", "none");
}

static void spaces(void)
{
    char name[65];
    int ns = open("/proc/self/ns/uts", O_RDONLY);
    VAL(unshare, 0, CLONE_NEWUTS);
    VAL(sethostname, 0, "gemel", 5);
    DID(sethostname, !gethostname(name, sizeof name) && !strcmp(name, "gemel"));
    ERR(sethostname, EINVAL, "x", 65);
    VAL(setdomainname, 0, "test", 4);
    DID(setdomainname, !getdomainname(name, sizeof name) && !strcmp(name, "test"));
    ERR(setdomainname, EINVAL, "x", 65);
    VAL(setns, 0, ns, CLONE_NEWUTS);
    DID(setns, !gethostname(name, sizeof name) && strcmp(name, "gemel"));
    ERR(setns, EBADF, NOFD, 0);
    ERR(setns, EINVAL, ns, CLONE_NEWNET);
    drop_all();
    ERR(sethostname, EPERM, "x", 1);
    ERR(unshare, EPERM, CLONE_NEWUTS);
}

static void keys(void)
{
    char text[16] = "";
    long ring = S(keyctl, 1, "gemel-test"); /* KEYCTL_JOIN_SESSION_KEYRING */
    DID(keyctl, ring > 0);
    long key = S(add_key, "user", "gemel:a", "secret", 6, -3);
    DID(add_key, key > 0);
    ERR(add_key, ENODEV, "nosuch", "gemel:a", "secret", 6, -3);
    VAL(keyctl, 6, 11, key, text, sizeof text); /* KEYCTL_READ */
    DID(keyctl, !memcmp(text, "secret", 6));
    ERR(keyctl, EOPNOTSUPP, 9999, 0, 0, 0);
    DID(request_key, S(request_key, "user", "gemel:a", 0, 0) == key);
    ERR(request_key, ENOKEY, "user", "gemel:none", 0, 0);
    VAL(keyctl, 0, 3, key); /* KEYCTL_REVOKE */
    ERR(request_key, EKEYREVOKED, "user", "gemel:a", 0, 0);
}

static void sandbox(void)
{
    struct landlock_ruleset_attr attr = {.handled_access_fs = LANDLOCK_ACCESS_FS_WRITE_FILE};
    struct landlock_path_beneath_attr path = {LANDLOCK_ACCESS_FS_WRITE_FILE, open("/", O_PATH)};
    DID(landlock_create_ruleset, S(landlock_create_ruleset, 0, 0, 1) > 0);
    long rules = RES(landlock_create_ruleset, &attr, sizeof attr, 0);
    ERR(landlock_create_ruleset, EINVAL, &attr, 1, 0);
    VAL(landlock_add_rule, 0, rules, LANDLOCK_RULE_PATH_BENEATH, &path, 0);
    ERR(landlock_add_rule, EINVAL, rules, 99, &path, 0);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    VAL(landlock_restrict_self, 0, rules, 0);
    ERR(landlock_restrict_self, EBADF, NOFD, 0);
    REFUSED(seccomp); /* filters would see the host's calls */
    ERR(seccomp, EINVAL, 99, 0, 0);
    ERR(seccomp, EINVAL, 0, 1, 0);
}

static void modules(void)
{
    uint32_t size = 0;
    struct { uint64_t id; uint32_t flags; } x = {0};
    char text[64];
    DID(lsm_list_modules, (S(lsm_list_modules, text, &size, 0), size) > 0);
    ERR(lsm_list_modules, EINVAL, text, &size, 1);
    REFUSED(lsm_get_self_attr);
    size = sizeof text;
    ERR(lsm_get_self_attr, EINVAL, 0, text, &size, 0);
    ERR(lsm_get_self_attr, EINVAL, 100, text, &size, 99);
    REFUSED(lsm_set_self_attr);
    ERR(lsm_set_self_attr, EINVAL, 100, text, 0, 99);
    ERR(lsm_set_self_attr, EINVAL, 100, text, 3, 0);
    REFUSED(init_module);
    ERR(init_module, ENOEXEC, text, 0, "");
    REFUSED(finit_module);
    ERR(finit_module, EBADF, NOFD, "", 0);
    ERR(finit_module, EINVAL, NOFD, "", 99);
    REFUSED(delete_module);
    ERR(delete_module, ENOENT, "gemel_none", O_NONBLOCK);
}

static void machine(void)
{
    char text[64] = "";
    union bpf_attr b = {.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8,
                        .max_entries = 1};
    struct perf_event_attr p = {.type = PERF_TYPE_SOFTWARE, .size = sizeof p,
                                .config = PERF_COUNT_SW_TASK_CLOCK};
    uint64_t count = 0;
    VAL(getrandom, 16, text, 16, 0);
    ERR(getrandom, EINVAL, text, 16, 99);
    ERR(getrandom, EFAULT, BAD, 16, 0);
    DID(syslog, S(syslog, 10, 0, 0) > 0);
    ERR(syslog, EINVAL, 99, 0, 0);
    VAL(acct, 0, 0);
    ERR(acct, ENOENT, "none");
    RES(bpf, BPF_MAP_CREATE, &b, sizeof b);
    ERR(bpf, EINVAL, 9999, &b, sizeof b);
    ERR(bpf, EFAULT, BPF_MAP_CREATE, BAD, sizeof b);
    long fd = RES(perf_event_open, &p, 0, -1, -1, 0);
    DID(perf_event_open, read(fd, &count, 8) == 8 && count > 0);
    ERR(perf_event_open, EINVAL, &p, 0, -1, -1, 1 << 20);
    VAL(ioctl, 0, fd, PERF_EVENT_IOC_DISABLE, 0);
    REFUSED(quotactl);
    ERR(quotactl, EINVAL, 99 << 8, 0, 0, 0);
    ERR(quotactl, ENOENT, 0x800007 << 8, "none", 0, text);
    REFUSED(quotactl_fd);
    ERR(quotactl_fd, EBADF, NOFD, 0x800007 << 8, 0, 0);
    ERR(quotactl_fd, EINVAL, open(".", O_RDONLY), 99 << 8, 0, 0);
    REFUSED(swapon);
    ERR(swapon, ENOENT, "none", 0);
    ERR(swapon, EINVAL, "none", 0x7fffffff);
    REFUSED(swapoff);
    ERR(swapoff, ENOENT, "none");
    REFUSED(kexec_load);
    ERR(kexec_load, EINVAL, 0, 99, 0, 0);
    REFUSED(kexec_file_load);
    ERR(kexec_file_load, EINVAL, NOFD, NOFD, 0, 0, 0x1000);
    REFUSED(reboot);
    ERR(reboot, EINVAL, 1, 2, 3, 0);
    REFUSED(pkey_alloc); /* today's distributions for arm64 have none */
    ERR(pkey_alloc, EINVAL, 1, 0);
    ERR(pkey_alloc, EINVAL, 0, 99);
    REFUSED(pkey_free);
    ERR(pkey_free, EINVAL, 99);
}

int main(void)
{
    in_child(mounts);
    in_child(spaces);
    in_child(keys);
    in_child(sandbox);
    modules();
    machine();
    return 0;
}
