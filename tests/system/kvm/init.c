/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The only program of a guest that is a hypervisor: makes a virtual machine by KVM with one CPU, a
 * virtual GIC (version 3, else 2) and guest.S at 0x40000000, and prints what that writes. Tests
 * EL2, stage 2, list registers, maintenance interrupt and the virtual timer with the code that
 * users run.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    RAM = 0x40000000,
    RAM_BYTES = 1 << 20,
    DIST = 0x08000000,
    CPUIF = 0x08010000,
    REDIST = 0x080a0000,
    MAX_EXITS = 1000
};

extern const uint8_t guest_start[], guest_end[]; /* guest.S, by .incbin */
__asm__(".section .rodata\n.globl guest_start, guest_end\nguest_start: .incbin \"guest.bin\"\n"
        "guest_end:\n.previous");

static void power_off(void)
{
    sync();
    reboot(RB_POWER_OFF);
    for (;;) {
        pause();
    }
}

/* ioctl() that ends the test when it fails. */
static int must(const char *what, int fd, unsigned long request, uintptr_t arg)
{
    int r = ioctl(fd, request, arg);

    if (r < 0) {
        printf("KVM FAILED: %s: %s\n", what, strerror(errno));
        power_off();
    }
    return r;
}

static void gic_attr(int gic, uint32_t group, uint64_t attr, uint64_t value)
{
    struct kvm_device_attr a = {.group = group, .attr = attr, .addr = (uintptr_t)&value};

    must("vgic attribute", gic, KVM_SET_DEVICE_ATTR, (uintptr_t)&a);
}

/* Returns the version made; *gic is its device. */
static uint64_t make_gic(int vm, int *gic)
{
    struct kvm_create_device d = {.type = KVM_DEV_TYPE_ARM_VGIC_V3};
    uint64_t version = 3;

    if (ioctl(vm, KVM_CREATE_DEVICE, &d) < 0) {
        d.type = KVM_DEV_TYPE_ARM_VGIC_V2;
        version = 2;
        must("vgic", vm, KVM_CREATE_DEVICE, (uintptr_t)&d);
    }
    *gic = (int)d.fd;
    return version;
}

static void place_gic(int gic, uint64_t version)
{
    const uint32_t group = KVM_DEV_ARM_VGIC_GRP_ADDR;

    if (version == 2) {
        gic_attr(gic, group, KVM_VGIC_V2_ADDR_TYPE_DIST, DIST);
        gic_attr(gic, group, KVM_VGIC_V2_ADDR_TYPE_CPU, CPUIF);
    } else {
        gic_attr(gic, group, KVM_VGIC_V3_ADDR_TYPE_DIST, DIST);
        gic_attr(gic, group, KVM_VGIC_V3_ADDR_TYPE_REDIST, REDIST);
    }
    gic_attr(gic, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT, 0);
}

static void set_register(int cpu, uint64_t id, uint64_t value)
{
    struct kvm_one_reg r = {.id = KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE | id,
                            .addr = (uintptr_t)&value};

    must("register", cpu, KVM_SET_ONE_REG, (uintptr_t)&r);
}

static void run(int cpu, struct kvm_run *state)
{
    for (int i = 0; i < MAX_EXITS; i++) {
        must("run", cpu, KVM_RUN, 0);
        if (state->exit_reason == KVM_EXIT_MMIO) {
            putchar(state->mmio.data[0]);
        } else {
            printf("\nKVM exit %u, event %u\n", state->exit_reason, state->system_event.type);
            return;
        }
    }
    printf("\nKVM FAILED: too many exits\n");
}

int main(void)
{
    struct kvm_vcpu_init init;
    int gic;

    mkdir("/dev", 0755);
    mount("none", "/dev", "devtmpfs", 0, NULL);
    int console = open("/dev/console", O_RDWR);
    dup2(console, 1);
    setvbuf(stdout, NULL, _IONBF, 0);
    int kvm = open("/dev/kvm", O_RDWR);
    int vm = must("virtual machine", kvm, KVM_CREATE_VM, 0);
    uint8_t *ram = mmap(NULL, RAM_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    memcpy(ram, guest_start, (size_t)(guest_end - guest_start));
    struct kvm_userspace_memory_region region = {
        .guest_phys_addr = RAM, .memory_size = RAM_BYTES, .userspace_addr = (uintptr_t)ram};
    must("memory", vm, KVM_SET_USER_MEMORY_REGION, (uintptr_t)&region);
    uint64_t version = make_gic(vm, &gic);
    int cpu = must("CPU", vm, KVM_CREATE_VCPU, 0);
    must("target", vm, KVM_ARM_PREFERRED_TARGET, (uintptr_t)&init);
    init.features[0] |= 1u << KVM_ARM_VCPU_PSCI_0_2;
    must("CPU", cpu, KVM_ARM_VCPU_INIT, (uintptr_t)&init);
    place_gic(gic, version);
    set_register(cpu, KVM_REG_ARM_CORE_REG(regs.pc), RAM);
    set_register(cpu, KVM_REG_ARM_CORE_REG(regs.regs[0]), version);
    size_t bytes = (size_t)must("size", kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
    printf("KVM vgic %d: ", (int)version);
    run(cpu, mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, cpu, 0));
    power_off();
}
