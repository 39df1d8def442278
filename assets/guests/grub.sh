# Installs GRUB the way grub-install and update-grub do, without the disk being there yet. Sourced by guest.sh.
# Both programs ask the running kernel about mounted devices, which a folder does not have; what they would be told
# is known beforehand, so grub-probe and grub-mkrelpath are stood in for while the menu is written.
# shellcheck shell=bash
# shellcheck disable=SC2154  # the variables of the layouts in disk.sh

# grub_files PLATFORM: what grub-install copies below /boot/grub.
grub_files() {
    local lib=$root/usr/lib/grub/$1 grub=$root/boot/grub
    mkdir -p "$grub/$1" "$grub/fonts"
    cp "$lib"/*.mod "$lib"/*.lst "$grub/$1/"
    cp "$root/usr/share/grub/unicode.pf2" "$grub/fonts/"
    chroot "$root" grub-editenv /boot/grub/grubenv create
}

# bios_files PREFIX MODULE...: all that GRUB needs to be loaded by the BIOS.
bios_files() {
    grub_files i386-pc
    grub_menu
    grub_core "$@"
}

# grub_program PREFIX MODULE...: the part of GRUB that UEFI loads.
grub_program() {
    local prefix=$1
    shift
    chroot "$root" grub-mkimage -O x86_64-efi -p "$prefix" -o /tmp/grub.efi "$@"
    mv "$root/tmp/grub.efi" "$work/grub.efi"
}

# grub_core PREFIX MODULE...: the part of GRUB that the BIOS loads.
grub_core() {
    local prefix=$1 grub=$root/boot/grub/i386-pc
    shift
    cp "$root/usr/lib/grub/i386-pc/boot.img" "$grub/"
    chroot "$root" grub-mkimage -O i386-pc -p "$prefix" -o /boot/grub/i386-pc/core.img biosdisk "$@"
    cp "$grub/boot.img" "$grub/core.img" "$work/"
}

# grub_boot_code SECTOR: writes both images where grub-bios-setup would, the second from SECTOR on.
grub_boot_code() {
    local sector=$1 boot=$work/boot.img core=$work/core.img
    # As grub-bios-setup: do not trust the BIOS to name the drive it booted from.
    patch "$boot" 0x66 '\x90\x90'
    patch "$boot" 0x5c "$(little_endian "$sector")"
    patch "$core" 0x1f4 "$(little_endian $((sector + 1)))"
    dd if="$boot" of="$disk" bs=440 count=1 conv=notrunc status=none
    dd if="$core" of="$disk" bs=512 seek="$sector" conv=notrunc status=none
}

# patch FILE OFFSET ESCAPES
patch() { printf '%b' "$3" | dd of="$1" bs=1 seek=$(($2)) conv=notrunc status=none; }

# little_endian NUMBER: eight bytes, as escapes.
little_endian() {
    local value=$1 i
    for ((i = 0; i < 8; i++)); do
        printf '\\x%02x' $((value & 255))
        value=$((value >> 8))
    done
}

# grub_menu: grub.cfg, written by the guest's own update-grub.
grub_menu() {
    local probe=$root/usr/sbin/grub-probe relpath=$root/usr/bin/grub-mkrelpath
    mv "$probe" "$probe.real"
    mv "$relpath" "$relpath.real"
    probe_answers >"$probe"
    relpath_answers >"$relpath"
    chmod 755 "$probe" "$relpath"
    mkdir -p "$root/dev/disk/by-uuid"
    : >"$root/dev/disk/by-uuid/$root_uuid"
    chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=en_US.UTF-8 \
        grub-mkconfig -o /boot/grub/grub.cfg 2>"$work/grub-mkconfig.log" || die "$(cat "$work/grub-mkconfig.log")"
    rm -r "$root/dev/disk"
    mv "$probe.real" "$probe"
    mv "$relpath.real" "$relpath"
}

probe_answers() {
    cat <<END
#!/bin/sh
want=fs place=/
while [ \$# -gt 0 ]; do
    case \$1 in
        --target=*) want=\${1#*=} ;;
        -t) want=\$2; shift ;;
        --device) ;;
        *) place=\$1 ;;
    esac
    shift
done
case \$place in
    ${boot_dev:-$root_dev} | /boot*)
        device=${boot_dev:-$root_dev} fs=${boot_fs:-$root_fs} uuid=${boot_uuid:-$root_uuid} ;;
    *)
        device=$root_dev fs=$root_fs uuid=$root_uuid ;;
esac
case \$want in
    device) echo \$device ;;
    fs) echo \$fs ;;
    fs_uuid) echo \$uuid ;;
    partmap) echo $partmap ;;
    abstraction) echo ${abstraction:-} ;;
esac
END
}

# The path of a file as the boot loader sees it, on the file system that holds it.
relpath_answers() {
    cat <<END
#!/bin/sh
case \$1 in
    /boot*) path=${prefix:-}\$1; echo "\${path#${boot_dev:+/boot}}" ;;
    *) echo "${prefix:-}\${1%/}" ;;
esac
END
}
