# Turns a root folder into a disk image. Sourced by guest.sh.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # what the layouts set is read in grub.sh; work: guest.sh

# uuid NAME WHAT: the same for every build, so that two builds can be compared.
uuid() { uuidgen --sha1 --namespace @dns --name "$1.$2.guestslim.invalid"; }

# make_disk NAME LAYOUT SIZE IMAGE: the work folder's root becomes a qcow2 image.
make_disk() {
    local name=$1 layout=$2 size=$3 image=$4 root=$work/root disk=$work/disk.raw start=$SECONDS
    truncate -s "$size" "$disk"
    "layout_${layout//-/_}"
    qemu-img convert -f raw -O qcow2 "$disk" "$image"
    say "$name: disk written, $((SECONDS - start)) s"
}

# A layout uses make_disk's name, root and disk, and sets what grub.sh needs to know of the disk to be.

layout_mbr() {
    local root_dev=/dev/vda1 root_fs=ext2 root_uuid partmap=msdos
    root_uuid=$(uuid "$name" root)
    partition dos '2048,,L,*'
    mount_table "$root_uuid / ext4 errors=remount-ro 0 1"
    grub_files i386-pc
    grub_menu
    grub_core '(,msdos1)/boot/grub' part_msdos ext2
    ext4 "$root" 2048 "$root_uuid"
    grub_boot_code 1
}

# mount_table LINE...: /etc/fstab by UUID.
mount_table() {
    printf '# <file system> <mount point> <type> <options> <dump> <pass>\n' >"$root/etc/fstab"
    printf 'UUID=%s\n' "$@" >>"$root/etc/fstab"
}

# partition LABEL LINE...: in sfdisk's own language.
partition() {
    local label=$1 id
    shift
    id=$(uuid "$name" disk)
    [ "$label" = gpt ] || id=0x${id:0:8}
    printf '%s\n' "label: $label" "label-id: $id" '' "$@" | sfdisk --quiet "$disk"
}

# ext4 FOLDER FIRST_SECTOR UUID [SECTORS]
ext4() {
    local sectors=${4:-$(($(stat -c %s "$disk") / 512 - $2))}
    # GRUB 2.06 refuses what newer versions of mke2fs switch on.
    LC_ALL=C mke2fs -q -F -t ext4 -O ^metadata_csum_seed,^orphan_file -U "$3" -d "$1" \
        -E "offset=$(($2 * 512))" "$disk" "$((sectors / 2))k"
}
