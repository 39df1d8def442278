//! Which drivers belong to which hypervisor, and which folders of a kernel hold drivers of devices.

/// A hypervisor and the drivers that its guests need.
#[derive(Debug)]
pub struct Hypervisor {
    /// Its name in profiles and on the screen.
    pub id: &'static str,
    /// Its description, one phrase.
    pub doc: &'static str,
    /// Modules by their names, between spaces; a star at the beginning or the end stands for anything.
    pub modules: &'static str,
    /// Drivers of the disks that a guest may start from, as `modprobe` names them, between spaces.
    pub disks: &'static str,
}

/// All hypervisors. The devices are those that each shows by default and those that people choose instead.
pub static HYPERVISORS: &[Hypervisor] = &[
    Hypervisor {
        id: "kvm",
        doc: "QEMU and KVM, and clouds made of them: virtio devices, and what QEMU emulates",
        modules: "virtio* vmw_vsock_virtio* vsock* net_failover failover e1000 e1000e 8139cp 8139too \
            ne2k_pci igb igbvf ixgbevf iavf gve nvme* sym53c8xx megaraid_sas mptspi mptsas bochs \
            cirrus qxl i6300esb pvpanic* i2c_i801 qemu_fw_cfg snd_hda_* snd_intel8x0 snd_ens1370 \
            snd_ac97_codec",
        disks: "virtio_pci virtio_mmio virtio_blk virtio_scsi ahci ata_piix nvme sym53c8xx megaraid_sas mptspi mptsas",
    },
    Hypervisor {
        id: "virtualbox",
        doc: "Oracle VirtualBox",
        modules: "vboxguest vboxsf vboxvideo e1000 pcnet32 virtio* net_failover vmwgfx BusLogic mptspi \
            mptsas i2c_piix4 snd_intel8x0 snd_ac97_codec snd_hda_* snd_sb16 nvme*",
        disks: "ahci ata_piix mptspi mptsas BusLogic nvme virtio_pci virtio_blk virtio_scsi",
    },
    Hypervisor {
        id: "vmware",
        doc: "VMware Workstation, Fusion and ESXi",
        modules: "vmw* vmxnet3 vsock* e1000 e1000e pcnet32 BusLogic mptspi mptsas vmmouse i2c_piix4 \
            snd_ens1371 snd_ac97_codec snd_hda_* nvme*",
        disks: "vmw_pvscsi mptspi mptsas BusLogic ahci ata_piix nvme",
    },
    Hypervisor {
        id: "hyperv",
        doc: "Microsoft Hyper-V and Azure",
        modules: "hv_* hid_hyperv hyperv* pci_hyperv* uio_hv_generic mlx4_* mlx5_* mana* nvme* vsock*",
        disks: "hv_vmbus hv_storvsc pci_hyperv ata_piix nvme",
    },
    Hypervisor {
        id: "xen",
        doc: "Xen and the older instances of Amazon",
        modules: "xen* ixgbevf ena nvme* e1000 8139cp cirrus",
        disks: "xen_blkfront xen_scsifront ata_piix nvme",
    },
    Hypervisor {
        id: "amazon",
        doc: "Amazon's Nitro instances",
        modules: "ena efa nvme* ixgbevf nitro_enclaves virtio*",
        disks: "nvme",
    },
];

/// A folder of drivers below a kernel's own, and those in it that belong to every virtual machine or to none.
pub(super) struct Hardware {
    /// The folder below `kernel`.
    pub folder: &'static str,
    /// Modules that stay whatever is declared, in the same way.
    pub stays: &'static str,
}

const fn hardware(folder: &'static str, stays: &'static str) -> Hardware {
    Hardware { folder, stays }
}

/// Folders whose modules drive devices.
pub(super) static HARDWARE: &[Hardware] = &[
    hardware("drivers/accel", ""),
    hardware(
        "drivers/ata",
        "libata ahci libahci ata_piix ata_generic pata_acpi",
    ),
    hardware("drivers/atm", ""),
    hardware("drivers/auxdisplay", ""),
    hardware("drivers/bcma", ""),
    hardware("drivers/bluetooth", ""),
    hardware("drivers/char/agp", ""),
    hardware("drivers/char/hw_random", "rng_core"),
    hardware("drivers/char/ipmi", ""),
    hardware("drivers/char/pcmcia", ""),
    hardware("drivers/comedi", ""),
    hardware("drivers/edac", ""),
    hardware("drivers/extcon", ""),
    hardware("drivers/firewire", ""),
    hardware("drivers/fpga", ""),
    hardware("drivers/gpu", "drm drm_* ttm simpledrm"),
    hardware("drivers/hid", "hid hid_generic usbhid uhid"),
    hardware("drivers/hv", ""),
    hardware("drivers/hwmon", "hwmon"),
    hardware("drivers/i2c/busses", ""),
    hardware("drivers/iio", ""),
    hardware("drivers/infiniband/hw", ""),
    hardware("drivers/input/joystick", ""),
    hardware("drivers/input/mouse", "psmouse"),
    hardware("drivers/input/rmi4", ""),
    hardware("drivers/input/tablet", ""),
    hardware("drivers/input/touchscreen", ""),
    hardware("drivers/isdn", ""),
    hardware("drivers/leds", ""),
    hardware("drivers/media", ""),
    hardware("drivers/memstick", ""),
    hardware("drivers/message/fusion", ""),
    hardware("drivers/mfd", ""),
    hardware("drivers/misc", "eeprom_93cx6"),
    hardware("drivers/mmc", ""),
    hardware("drivers/mtd", ""),
    hardware("drivers/net/can", "can_dev vcan vxcan"),
    hardware("drivers/net/ethernet", ""),
    hardware("drivers/net/fddi", ""),
    hardware("drivers/net/hyperv", ""),
    hardware("drivers/net/ieee802154", ""),
    hardware("drivers/net/phy", "libphy mdio_devres"),
    hardware("drivers/net/usb", ""),
    hardware("drivers/net/wireless", ""),
    hardware("drivers/net/wwan", ""),
    hardware("drivers/nfc", ""),
    hardware("drivers/parport", ""),
    hardware("drivers/pcmcia", ""),
    hardware("drivers/platform", ""),
    hardware("drivers/power", ""),
    hardware(
        "drivers/scsi",
        "scsi_mod scsi_common sd_mod sr_mod sg st ch scsi_transport_* iscsi* libiscsi* scsi_dh_* \
        scsi_debug raid_class",
    ),
    hardware("drivers/soundwire", ""),
    hardware("drivers/ssb", ""),
    hardware("drivers/staging", ""),
    hardware("drivers/thunderbolt", ""),
    hardware(
        "drivers/usb",
        "usbcore usb_common *hci_* *hci usb_storage uas",
    ),
    hardware("drivers/video", ""),
    hardware("drivers/watchdog", "softdog watchdog"),
    hardware("drivers/xen", ""),
    hardware(
        "sound",
        "soundcore snd snd_pcm snd_timer snd_dummy snd_aloop",
    ),
];
