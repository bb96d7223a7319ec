# SPDX-License-Identifier: GPL-2.0-or-later
# Arm platform devices, boards, loaders, ACPI.
libhw_a_SOURCES += hw/acpi/aml.c hw/acpi/tables.c hw/acpi/ged.c hw/machine/primecell.c hw/machine/boot_order.c
libhw_a_SOURCES += hw/char/pl011.c hw/rtc/pl031.c hw/gpio/pl061.c hw/gpio/gpio_key.c
libhw_a_SOURCES += hw/intc/gic_virt.c hw/intc/gicv2m.c hw/intc/gicv2/gicv2.c hw/intc/gicv2/dist.c \
	hw/intc/gicv2/cpuif.c hw/intc/gicv2/hyp.c
libhw_a_SOURCES += hw/firmware/fw_cfg.c hw/flash/cfi01.c hw/machine/virt.c hw/machine/virt_fdt.c \
	hw/machine/virt_acpi.c hw/machine/virt_smbios.c
libhw_a_SOURCES += hw/loader/loader.c hw/loader/arm64.c hw/loader/elf.c hw/loader/device.c hw/loader/gunzip.c
libhw_a_SOURCES += hw/intc/gicv3/gicv3.c hw/intc/gicv3/banks.c hw/intc/gicv3/dist.c \
	hw/intc/gicv3/redist.c hw/intc/gicv3/lpi.c hw/intc/gicv3/cpuif.c hw/intc/gicv3/hyp.c \
	hw/intc/gicv3/its.c hw/intc/gicv3/its_command.c
libhw_a_SOURCES += hw/misc/pvpanic.c hw/watchdog/i6300esb.c
