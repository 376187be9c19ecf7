# shellcheck shell=bash
# Kernel modules and the initramfs that puts the root together. Source it.

# Modules that every board's system uses: file systems, updates (verity bundles through a loop device) and network.
# shellcheck disable=SC2034
system_modules=(squashfs ext4 overlay vfat nls_ascii nls_cp437 nls_utf8 autofs4 loop dm-verity sha256_generic)
initramfs_modules=(squashfs ext4 overlay)

# module_files UNPACKED VERSION NAME...: the modules and what they depend on, in loading order, relative to the
# kernel's folder of modules. Built-in ones are left out; an unknown one is an error.
module_files() {
    local unpacked=$1 version=$2 name
    shift 2
    [ -e "$unpacked/usr/lib/modules/$version/modules.dep" ] || depmod -b "$unpacked/usr" "$version"
    for name in "$@"; do
        modprobe --show-depends -d "$unpacked/usr" -S "$version" "$name" ||
            { echo "error: kernel $version has no module $name" >&2 && return 1; }
    done | sed -n "s|^insmod .*/lib/modules/$version/\([^ ]*\).*|\1|p" | awk '!seen[$0]++'
}

# make_initramfs UNPACKED VERSION WORK OUTPUT MODULE...
make_initramfs() {
    local unpacked=$1 version=$2 root="$3/initramfs" output=$4 file name tool
    shift 4
    rm -rf -- "$root"
    mkdir -p -- "$root"/{bin,dev,modules,proc,run,slot,sys}
    install -m 755 "$unpacked/usr/bin/busybox" "$root/bin/busybox"
    for tool in sh cat chroot grep insmod mkdir mount reboot sed sleep switch_root sync touch umount usleep; do
        ln -s busybox "$root/bin/$tool"
    done
    while read -r file; do
        name=$(basename "$file" .xz)
        xz -dc "$unpacked/usr/lib/modules/$version/$file" >"$root/modules/$name"
        echo "$name" >>"$root/modules/list"
    done < <(module_files "$unpacked" "$version" "$@" "${initramfs_modules[@]}")
    install -m 755 Board/common/initramfs/init "$root/init"
    (cd "$root" && find . -print0 | sort -z | cpio --null --quiet -o -H newc -R 0:0) | gzip -9 -n >"$output"
    rm -rf -- "$root"
}
