/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PSCI 1.1 and the SMC Calling Convention's discovery calls, for machines without firmware at EL3.
 *
 * Source: Arm DEN 0022 (PSCI), DEN 0028 (SMCCC).
 * CPU_SUSPEND waits for an interrupt and returns: power-down states are not lost. Not there:
 * MIGRATE, SYSTEM_SUSPEND, memory protection, TRNG, statistics: NOT_SUPPORTED.
 */
#include "core/machine.h"
#include "target/arm/sys/sys.h"

typedef enum PsciResult {
    PSCI_SUCCESS = 0,
    PSCI_NOT_SUPPORTED = -1,
    PSCI_INVALID_PARAMETERS = -2,
    PSCI_DENIED = -3,
    PSCI_ALREADY_ON = -4,
    PSCI_ON_PENDING = -5,
    PSCI_INTERNAL_FAILURE = -6,
    PSCI_INVALID_ADDRESS = -9
} PsciResult;

enum { MPIDR_BIT31 = 1u << 31, BIT_SMC64 = 1u << 30 };
static const uint64_t affinity_mask = 0xff00ffffff;

static CpuPort *find_cpu(Machine *m, uint64_t affinity)
{
    for (unsigned n = 0; n < m->n_cpus; n++) {
        if ((m->cpus[n]->mpidr & affinity_mask) == affinity) {
            return m->cpus[n];
        }
    }
    return NULL;
}

static int64_t fn_version(A64Cpu *cpu)
{
    (void)cpu;
    return 0x10001;
}

static int64_t fn_cpu_on(A64Cpu *cpu)
{
    CpuPort *port = find_cpu(cpu->sys.port->machine, cpu->x[1]);
    if (!port) {
        return PSCI_INVALID_PARAMETERS;
    }
    uint32_t state = CPU_OFF;
    if (!atomic_compare_exchange_strong(&port->power, &state, CPU_STARTING)) {
        return state == CPU_ON ? PSCI_ALREADY_ON : PSCI_ON_PENDING;
    }
    port->start_pc = cpu->x[2];
    port->start_arg = cpu->x[3];
    port->start_level = a64_has(cpu, A64_FEAT_EL2) ? 2 : 1;
    atomic_store_explicit(&port->power, CPU_ON_PENDING, memory_order_release);
    port->kick(port);
    return PSCI_SUCCESS;
}

static int64_t fn_cpu_off(A64Cpu *cpu)
{
    atomic_store_explicit(&cpu->sys.port->power, CPU_OFF, memory_order_release);
    tcg_raise(&cpu->tcg, TCG_EXIT_HALT, 0);
}

static int64_t fn_cpu_suspend(A64Cpu *cpu)
{
    cpu->x[0] = PSCI_SUCCESS;
    cpu->pc += 4;
    tcg_raise(&cpu->tcg, TCG_EXIT_WFI, 0);
}

/* 0 on, 1 off, 2 on its way. */
static int64_t fn_affinity_info(A64Cpu *cpu)
{
    if (cpu->x[2] > 3) {
        return PSCI_INVALID_PARAMETERS;
    }
    Machine *m = cpu->sys.port->machine;
    uint64_t mask = affinity_mask & ~mask64(8 * (unsigned)cpu->x[2]);
    int64_t found = PSCI_INVALID_PARAMETERS;
    for (unsigned n = 0; n < m->n_cpus; n++) {
        if ((m->cpus[n]->mpidr & mask) != (cpu->x[1] & mask)) {
            continue;
        }
        uint32_t power = atomic_load_explicit(&m->cpus[n]->power, memory_order_acquire);
        if (power == CPU_ON) {
            return 0;
        }
        found = power == CPU_OFF ? (found == 2 ? 2 : 1) : 2;
    }
    return found;
}

static int64_t fn_migrate_info_type(A64Cpu *cpu)
{
    (void)cpu;
    return 2; /* no Trusted OS that would need it */
}

static int64_t fn_system_off(A64Cpu *cpu)
{
    machine_request_shutdown(cpu->sys.port->machine, CAUSE_GUEST_SHUTDOWN);
    tcg_raise(&cpu->tcg, TCG_EXIT_HALT, 0);
}

static int64_t fn_system_reset(A64Cpu *cpu)
{
    machine_request_reset(cpu->sys.port->machine, CAUSE_GUEST_RESET);
    tcg_raise(&cpu->tcg, TCG_EXIT_HALT, 0);
}

/* SYSTEM_WARM_RESET only; the others are the vendor's. */
static int64_t fn_system_reset2(A64Cpu *cpu)
{
    return cpu->x[1] & 0xffffffff ? PSCI_INVALID_PARAMETERS : fn_system_reset(cpu);
}

static int64_t fn_smccc_version(A64Cpu *cpu)
{
    (void)cpu;
    return 0x10001;
}

/* ARCH_WORKAROUND_1 and _3: not affected (1); _2: not needed (-2). */
static int64_t fn_arch_features(A64Cpu *cpu)
{
    switch ((uint32_t)cpu->x[1]) {
    case 0x80000000:
    case 0x80000001: return 0;
    case 0x80008000:
    case 0x80003fff: return 1;
    case 0x80007fff: return -2;
    default: return PSCI_NOT_SUPPORTED;
    }
}

static int64_t fn_features(A64Cpu *cpu);

static const struct Function {
    uint32_t id;
    bool wide; /* there is an SMC64 form */
    int64_t (*fn)(A64Cpu *cpu);
} functions[] = {
    {0x84000000, false, fn_version},       {0x84000001, true, fn_cpu_suspend},
    {0x84000002, false, fn_cpu_off},       {0x84000003, true, fn_cpu_on},
    {0x84000004, true, fn_affinity_info},  {0x84000006, false, fn_migrate_info_type},
    {0x84000008, false, fn_system_off},    {0x84000009, false, fn_system_reset},
    {0x8400000a, false, fn_features},      {0x84000012, true, fn_system_reset2},
    {0x80000000, false, fn_smccc_version}, {0x80000001, false, fn_arch_features},
};
enum { N_FUNCTIONS = sizeof(functions) / sizeof(functions[0]) };

static const struct Function *find_function(uint32_t id)
{
    for (const struct Function *f = functions; f < functions + N_FUNCTIONS; f++) {
        if (f->id == id || (f->wide && (f->id | BIT_SMC64) == id)) {
            return f;
        }
    }
    return NULL;
}

static int64_t fn_features(A64Cpu *cpu)
{
    return find_function((uint32_t)cpu->x[1]) ? 0 : PSCI_NOT_SUPPORTED;
}

bool a64_psci_call(A64Cpu *cpu)
{
    uint32_t id = (uint32_t)cpu->x[0];
    const struct Function *f = find_function(id);
    if (f && !(id & BIT_SMC64)) {
        for (unsigned n = 1; n < 4; n++) {
            cpu->x[n] = (uint32_t)cpu->x[n]; /* SMC32: W registers */
        }
    }
    cpu->x[0] = (uint64_t)(f ? f->fn(cpu) : PSCI_NOT_SUPPORTED);
    return true;
}
