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
    bios_files '(,msdos1)/boot/grub' part_msdos ext2
    ext4 "$root" 1 "$root_uuid"
    grub_boot_code 1
}

layout_gpt_bios() {
    local root_dev=/dev/vda2 root_fs=ext2 root_uuid partmap=gpt
    root_uuid=$(uuid "$name" root)
    earlier_life
    partition gpt "start=2048,size=2048,type=$bios_boot" type=L
    mount_table "$root_uuid / ext4 errors=remount-ro 0 1"
    bios_files '(,gpt2)/boot/grub' part_gpt ext2
    ext4 "$root" 2 "$root_uuid"
    grub_boot_code 2048
}

# With swap behind the root.
layout_gpt_uefi() {
    local root_dev=/dev/vda2 root_fs=ext2 root_uuid swap_uuid partmap=gpt
    root_uuid=$(uuid "$name" root)
    swap_uuid=$(uuid "$name" swap)
    earlier_life
    partition gpt start=2048,size=131072,type=U size=3923968,type=L type=S
    mount_table "$root_uuid / ext4 errors=remount-ro 0 1" '6775-6573 /boot/efi vfat umask=0077 0 1' \
        "$swap_uuid none swap sw 0 0"
    mkdir "$root/boot/efi"
    grub_files x86_64-efi
    grub_menu
    grub_program '(,gpt2)/boot/grub' part_gpt ext2
    esp 1 67756573
    ext4 "$root" 2 "$root_uuid"
    swap 3 "$swap_uuid"
}

# With swap between /boot and the root, and a journal that contents of files go through.
layout_boot() {
    local root_dev=/dev/vda3 root_fs=ext2 root_uuid swap_uuid partmap=msdos
    local boot_dev=/dev/vda1 boot_fs=ext2 boot_uuid
    root_uuid=$(uuid "$name" root)
    boot_uuid=$(uuid "$name" boot)
    swap_uuid=$(uuid "$name" swap)
    earlier_life
    partition dos '2048,524288,L,*' ',131072,S' ',,L'
    mount_table "$root_uuid / ext4 errors=remount-ro 0 1" "$boot_uuid /boot ext4 data=journal 0 2" \
        "$swap_uuid none swap sw 0 0"
    bios_files '(,msdos1)/grub' part_msdos ext2
    mv "$root/boot" "$work/boot"
    mkdir "$root/boot"
    # Blocks of 1 KiB, as mke2fs chose for small partitions for many years.
    ext4 "$work/boot" 1 "$boot_uuid" -b 1024
    ext4 "$root" 3 "$root_uuid"
    swap 2 "$swap_uuid"
    grub_boot_code 1
}

layout_lvm() {
    local root_dev=/dev/mapper/guest-root root_fs=ext2 root_uuid partmap=msdos abstraction=lvm
    root_uuid=$(uuid "$name" root)
    earlier_life
    partition dos '2048,,8e,*'
    mount_table "$root_uuid / ext4 errors=remount-ro 0 1"
    sed -i "s|^UUID=$root_uuid|$root_dev|" "$root/etc/fstab"
    bios_files '(lvm/guest-root)/boot/grub' part_msdos lvm ext2
    appliance <<END
pvcreate /dev/sda1
vgcreate guest /dev/sda1
lvcreate-free root guest 100
END
    # The only volume begins where the first extent does: a MiB into the partition.
    local sectors=$(($(stat -c %s "$disk") / 512 - 2048))
    ext4_at "$root" 4096 $((sectors / 8192 * 8192 - 8192)) "$root_uuid"
    grub_boot_code 1
}

layout_xfs() {
    local root_dev=/dev/vda1 root_fs=xfs root_uuid partmap=msdos
    root_uuid=$(uuid "$name" root)
    earlier_life
    partition dos '2048,,L,*'
    mount_table "$root_uuid / xfs defaults 0 1"
    bios_files '(,msdos1)/boot/grub' part_msdos xfs
    pack
    appliance "$work/root.tar" <<END
debug sh "mkfs.xfs -q -K -m uuid=$root_uuid $inner_root"
mount /dev/sda1 /
$unpack
END
    grub_boot_code 1
}

layout_btrfs() {
    local root_dev=/dev/vda1 root_fs=btrfs root_uuid partmap=msdos prefix=/@rootfs
    root_uuid=$(uuid "$name" root)
    earlier_life
    partition dos '2048,,L,*'
    mount_table "$root_uuid / btrfs subvol=@rootfs 0 0"
    bios_files '(,msdos1)/@rootfs/boot/grub' part_msdos btrfs
    pack
    appliance "$work/root.tar" <<END
debug sh "mkfs.btrfs -q -K -U $root_uuid $inner_root"
mount /dev/sda1 /
btrfs-subvolume-create /@rootfs
umount-all
mount-options subvol=@rootfs /dev/sda1 /
$unpack
END
    grub_boot_code 1
}

# The type of the partition that GRUB's core lies in where a GPT leaves it no gap.
bios_boot=21686148-6449-6E6F-744E-656564454649

# earlier_life: a text in every eighth MiB, as if the disk had been in use before. It must not be in an output.
earlier_life() {
    perl -e 'open my $disk, "+<", $ARGV[0] or die; for (my $at = 400; ($at + 1) << 20 < -s $disk; $at += 8) {
        seek $disk, $at << 20, 0; print $disk "of an earlier life of this disk; " x 128; }' "$disk"
}

# mount_table LINE...: /etc/fstab by UUID.
mount_table() {
    printf '# <file system> <mount point> <type> <options> <dump> <pass>\n' >"$root/etc/fstab"
    printf 'UUID=%s\n' "$@" >>"$root/etc/fstab"
}

# partition LABEL LINE...: in sfdisk's own language.
partition() {
    local label=$1 id line number=0
    shift
    id=$(uuid "$name" disk)
    [ "$label" = gpt ] || id=0x${id:0:8}
    {
        printf '%s\n' "label: $label" "label-id: $id" ''
        for line; do
            number=$((number + 1))
            [ "$label" != gpt ] || line="$line,uuid=$(uuid "$name" "part$number")"
            printf '%s\n' "$line"
        done
    } | sfdisk --quiet "$disk"
}

# place NUMBER: a partition's first sector and how many it has.
place() { sfdisk --quiet --list --output Start,Sectors "$disk" | sed -n "$(($1 + 1))p"; }

# ext4 FOLDER NUMBER UUID [OPTION...]: a partition with the folder's files.
ext4() {
    local first sectors folder=$1 number=$2
    read -r first sectors < <(place "$number")
    ext4_at "$folder" "$first" "$sectors" "${@:3}"
}

# ext4_at FOLDER FIRST_SECTOR SECTORS UUID [OPTION...]
ext4_at() {
    # GRUB 2.06 refuses what newer versions of mke2fs switch on.
    LC_ALL=C mke2fs -q -F -t ext4 -O ^metadata_csum_seed,^orphan_file -U "$4" -d "$1" "${@:5}" \
        -E "offset=$(($2 * 512)),lazy_itable_init=0,nodiscard" "$disk" "$(($3 / 2))k"
}

# esp NUMBER ID: the firmware's partition, with the program that it starts where it remembers no other.
esp() {
    local first sectors file=$work/esp
    read -r first sectors < <(place "$1")
    truncate -s $((sectors * 512)) "$file"
    mkfs.vfat -F 32 -s 1 -i "$2" -n ESP "$file" >/dev/null
    mmd -i "$file" ::EFI ::EFI/BOOT
    mcopy -i "$file" "$work/grub.efi" ::EFI/BOOT/BOOTX64.EFI
    dd if="$file" of="$disk" bs=512 seek="$first" conv=notrunc,sparse status=none
}

# swap NUMBER UUID: an area that has been used; what was swapped out must not be in an output.
swap() {
    local first sectors file=$work/swap
    read -r first sectors < <(place "$1")
    install -m 600 /dev/null "$file"
    truncate -s $((sectors * 512)) "$file"
    mkswap -U "$2" -L swap "$file" >/dev/null
    perl -e 'print "swapped out once; " x 512' | dd of="$file" bs=4096 seek=1000 conv=notrunc status=none
    dd if="$file" of="$disk" bs=512 seek="$first" conv=notrunc,sparse status=none
}

# appliance [FILE]: runs guestfish's commands on the disk, with a file as a second one. Emulated, because a KVM that hangs
# can be opened, too.
appliance() {
    {
        [ $# = 0 ] || printf 'add-drive "%s" readonly:true format:raw\n' "$1"
        printf 'run\n'
        cat
    } | LIBGUESTFS_BACKEND=direct LIBGUESTFS_BACKEND_SETTINGS=force_tcg LIBGUESTFS_APPEND=mitigations=off \
        guestfish --format=raw -a "$disk" >/dev/null
}

# The kernel's names of the appliance's disks change from start to start.
inner_root='/dev/disk/by-path/*scsi-0:0:0:0-part1'
inner_second='/dev/disk/by-path/*scsi-0:0:1:0'

# pack: the root folder as one file, and unpack: guestfish's line that takes it from the second disk. What the library sends
# through its own channel takes an emulated processor a third longer.
pack() { tar -C "$root" --xattrs --xattrs-include='*' --acls --numeric-owner -cf "$work/root.tar" .; }
unpack="debug sh \"tar -C /sysroot --xattrs --xattrs-include='*' --acls --numeric-owner -xpf $inner_second\""
