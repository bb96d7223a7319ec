/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Capabilities that PCI Express functions have: PM, PCI Express, AER.
 *
 * Sources: PCI Express Base Specification 4.0, sections 7.5.2, 7.5.3, 7.8.4.
 * Not modelled: errors (the AER registers stay quiet), link speeds other than 2.5 GT/s x1 as what
 * the registers say, power states beyond D0 and D3hot as a field.
 */
#include "pci_internal.h"

void pci_pm_cap_add(PciDevice *p)
{
    unsigned off = pci_add_cap(p, PCI_CAP_ID_PM, PCI_PM_SIZEOF);

    p->pm_cap = (uint16_t)off;
    store_le16(p->config + off + PCI_PM_PMC, 3);
    store_le16(p->config + off + PCI_PM_CTRL, PCI_PM_CTRL_NO_SOFT_RESET);
    store_le16(p->wmask + off + PCI_PM_CTRL, PCI_PM_CTRL_STATE_MASK | PCI_PM_CTRL_PME_ENABLE);
}

void pcie_cap_add(PciDevice *p, unsigned type)
{
    enum { BYTES = 0x3c };
    unsigned off = pci_add_cap(p, PCI_CAP_ID_EXP, BYTES);
    uint8_t *c = p->config + off, *w = p->wmask + off;

    p->pcie_cap = (uint16_t)off;
    store_le16(c + PCI_EXP_FLAGS, (uint16_t)(2 | type << 4));
    store_le32(c + PCI_EXP_DEVCAP,
               PCI_EXP_DEVCAP_RBER | (type != PCI_EXP_TYPE_ROOT_PORT ? PCI_EXP_DEVCAP_FLR : 0));
    store_le16(w + PCI_EXP_DEVCTL,
               0x7aff | (type != PCI_EXP_TYPE_ROOT_PORT ? PCI_EXP_DEVCTL_BCR_FLR : 0));
    store_le16(p->w1c + off + PCI_EXP_DEVSTA, 0x000f);
    if (type != PCI_EXP_TYPE_RC_END) {
        store_le32(c + PCI_EXP_LNKCAP, PCI_EXP_LNKCAP_SLS_2_5GB | 1 << 4);
        store_le16(w + PCI_EXP_LNKCTL, PCI_EXP_LNKCTL_ASPMC | PCI_EXP_LNKCTL_RCB |
                                           PCI_EXP_LNKCTL_CCC | PCI_EXP_LNKCTL_ES);
        store_le16(c + PCI_EXP_LNKSTA, PCI_EXP_LNKSTA_CLS_2_5GB | PCI_EXP_LNKSTA_NLW_X1);
        store_le32(c + PCI_EXP_LNKCAP2, PCI_EXP_LNKCAP2_SLS_2_5GB);
        store_le16(c + PCI_EXP_LNKCTL2, 1);
        store_le16(w + PCI_EXP_LNKCTL2, 0x000e);
    }
    store_le32(c + PCI_EXP_DEVCAP2, PCI_EXP_DEVCAP2_COMP_TMOUT_DIS);
    store_le16(w + PCI_EXP_DEVCTL2, PCI_EXP_DEVCTL2_COMP_TMOUT_DIS);
}

void pcie_aer_add(PciDevice *p)
{
    enum { BYTES = 0x48 };
    unsigned off = pci_add_ext_cap(p, PCI_EXT_CAP_ID_ERR, 2, BYTES);

    store_le32(p->w1c + off + PCI_ERR_UNCOR_STATUS, 0x03fff030);
    store_le32(p->wmask + off + PCI_ERR_UNCOR_MASK, 0x03fff030);
    store_le32(p->wmask + off + PCI_ERR_UNCOR_SEVER, 0x03fff030);
    store_le32(p->w1c + off + PCI_ERR_COR_STATUS, 0x0000f1c1);
    store_le32(p->wmask + off + PCI_ERR_COR_MASK, 0x0000f1c1);
    store_le32(p->wmask + off + PCI_ERR_ROOT_COMMAND, 7);
    store_le32(p->w1c + off + PCI_ERR_ROOT_STATUS, 0x7f);
}
