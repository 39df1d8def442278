#!/usr/bin/env bash
# Turns a freshly installed root folder into a machine that someone set up and used. Called by mmdebstrap.
#   furnish.sh TREE answer ROOT            before the packages are configured
#   furnish.sh TREE finish ROOT WHEELS     after
set -euo pipefail

tree=$1 stage=$2 root=$3 wheels=${4:-}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# Nothing of the host reaches the guest by its environment.
inside() {
    chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"
}

answer() {
    inside debconf-set-selections <<'END'
grub-pc grub-pc/install_devices_empty boolean true
locales locales/locales_to_be_generated multiselect de_DE.UTF-8 UTF-8, en_US.UTF-8 UTF-8
locales locales/default_environment_locale select en_US.UTF-8
tzdata tzdata/Areas select Europe
tzdata tzdata/Zones/Europe select Berlin
END
    # The initramfs looks here for the file systems whose check it must bring.
    printf '/dev/vda1 / ext4 errors=remount-ro 0 1\n' >"$root/etc/fstab"
}

finish() {
    network
    accounts
    console
    # shellcheck source=/dev/null
    [ ! -f "$here/$tree.sh" ] || . "$here/$tree.sh" "$wheels"
    rm -f "$root/etc/apt/apt.conf.d/99mmdebstrap"
    inside systemd-machine-id-setup >/dev/null
}

network() {
    printf 'guest\n' >"$root/etc/hostname"
    printf '127.0.0.1 localhost\n127.0.1.1 guest\n::1 localhost ip6-localhost\n' >"$root/etc/hosts"
    cat >"$root/etc/systemd/network/80-dhcp.network" <<'END'
[Match]
Name=en* eth*

[Network]
DHCP=yes
END
    inside systemctl --quiet enable systemd-networkd.service ssh.service
}

accounts() {
    inside useradd --create-home --shell /bin/bash --groups sudo --comment 'Sci Entist' sci
    inside chpasswd <<<$'root:root\nsci:sci'
}

# A screen and a serial line, at the boot loader's menu as well as at the login.
console() {
    sed -i -e 's/^GRUB_CMDLINE_LINUX=.*/GRUB_CMDLINE_LINUX="console=tty0 console=ttyS0,115200n8"/' \
        -e 's/^GRUB_TIMEOUT=.*/GRUB_TIMEOUT=1/' -e 's/^#\?GRUB_TERMINAL=.*/GRUB_TERMINAL="console serial"/' \
        "$root/etc/default/grub"
    printf 'GRUB_SERIAL_COMMAND="serial --unit=0 --speed=115200"\n' >>"$root/etc/default/grub"
    inside systemctl --quiet enable serial-getty@ttyS0.service
}

"$stage"
