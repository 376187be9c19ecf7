#!/bin/bash
# Makes one board's system out of the configured Debian root. Run as root in a mount namespace of its own:
#   unshare --mount Scripts/lib/image-root.sh BOARD WORK BASE PACKAGE UNPACKED
#   BASE       the root's tar file
#   PACKAGE    the agent's Debian package
#   UNPACKED   a folder with the unpacked packages of kernel, boot loader and busybox
# WORK holds what else goes in: version, build-id, certificate.pem and, if wanted, authorized_keys and
# root-password-hash. It gets system.squashfs and sizes; the root itself is removed.

set -euo pipefail
board=$1 work=$2 base=$3 package=$4 unpacked=$5
cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/../.."
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C
masked_units=()
# shellcheck source=Board/qemu-virt/profile.conf
source "Board/$board/profile.conf"
# shellcheck source=Scripts/lib/image-initramfs.sh
source Scripts/lib/image-initramfs.sh

root="$work/root"
version=$(cat "$work/version")
kernel_version=$(basename "$unpacked"/usr/lib/modules/*)

run_in_root() { chroot "$root" "$@" </dev/null; }

unpack_base() {
    mkdir -p -- "$root"
    mount --make-rprivate /
    tar -C "$root" --numeric-owner --xattrs -xf "$base"
}

install_package() {
    local folder
    for folder in proc dev; do mount --rbind "/$folder" "$root/$folder"; done
    printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
    chmod 755 "$root/usr/sbin/policy-rc.d"
    DEBIAN_FRONTEND=noninteractive dpkg --root="$root" --force-unsafe-io --force-architecture \
        --path-exclude='/usr/share/doc/*' --path-exclude='/usr/share/man/*' --install "$package" </dev/null
    rm -f -- "$root/usr/sbin/policy-rc.d"
    for folder in proc dev; do umount -l "$root/$folder"; done
}

# Files of the board. What all boards share comes first, so that a profile can replace it.
copy_files() {
    local folder
    for folder in "Board/common/rootfs" "Board/$board/rootfs"; do
        [ -d "$folder" ] || continue
        tar -C "$folder" --owner=0 --group=0 --mode='u+w,go-w,a+rX' -cf - . | tar -C "$root" -xf -
    done
    install -D -m 644 "Board/$board/edge-agent.yaml" "$root/etc/edge-agent/edge-agent.yaml"
    install -D -m 755 "$unpacked/usr/bin/grub-editenv" "$root/usr/lib/edge-board/grub-editenv"
    # GRUB's program names it, and uses it only to find its own files.
    copy_library libdevmapper.so.1.02.1
    install -D -m 644 "$work/certificate.pem" "$root/usr/lib/edge-board/update-certificate.pem"
    install -D -m 644 "$work/build-id" "$root/usr/lib/edge-board/build-id"
    mkdir -p -- "$root/usr/lib/rauc"
    sed "s|@COMPATIBLE@|edge-agent-$board|" Board/common/system.conf >"$root/usr/lib/rauc/system.conf"
}

copy_library() {
    local name=$1 source
    [ -e "$root/usr/lib/aarch64-linux-gnu/$name" ] && return
    source=$(find "$unpacked" -name "$name" | head -n 1)
    install -D -m 644 "$source" "$root/usr/lib/aarch64-linux-gnu/$name"
}

# Kernel, the modules that this board may load, and the initramfs: all of them are part of the system, so an update
# brings matching ones.
install_kernel() {
    local source="$unpacked/usr/lib/modules/$kernel_version" target="$root/usr/lib/modules/$kernel_version" module
    mkdir -p -- "$target" "$root/boot"
    cp -- "$source"/modules.{builtin,builtin.modinfo,order} "$target/"
    # shellcheck disable=SC2154 # the profile sets it
    while read -r module; do
        install -D -m 644 -- "$source/$module" "$target/$module"
    done < <(module_files "$unpacked" "$kernel_version" "${boot_modules[@]}" "${system_modules[@]}" "${modules[@]}")
    depmod -b "$root/usr" "$kernel_version"
    gzip -9 -n <"$unpacked/boot/vmlinuz-$kernel_version" >"$root/boot/vmlinuz"
    make_initramfs "$unpacked" "$kernel_version" "$work" "$root/boot/initramfs" "${boot_modules[@]}"
    # shellcheck disable=SC2154
    sed "s|@COMMAND_LINE@|console=$console panic=10 oops=panic systemd.gpt_auto=no $command_line|" Board/common/boot.cfg \
        >"$root/boot/boot.cfg"
}

set_up_access() {
    # Nobody logs in with a password unless one was asked for.
    local hash='*' terminal=${console%%,*}
    if [ -e "$work/root-password-hash" ]; then hash=$(cat "$work/root-password-hash"); fi
    printf 'root:%s\n' "$hash" | run_in_root chpasswd -e
    if [ -e "$work/authorized_keys" ]; then
        install -D -m 600 "$work/authorized_keys" "$root/etc/ssh/authorized_keys/root"
    fi
    mkdir -p -- "$root/etc/systemd/system/getty.target.wants"
    ln -sf /usr/lib/systemd/system/serial-getty@.service \
        "$root/etc/systemd/system/getty.target.wants/serial-getty@$terminal.service"
}

# What a camera does not need, or what would be done anew at each start of a root that cannot change.
masked=(
    getty@tty1.service systemd-firstboot.service systemd-pcrphase.service systemd-pcrphase-sysinit.service
    systemd-hwdb-update.service systemd-journal-catalog-update.service systemd-update-done.service ldconfig.service
    systemd-sysusers.service systemd-networkd-wait-online.service
    systemd-udev-load-credentials.service systemd-networkd-persistent-storage.service systemd-network-generator.service
    proc-sys-fs-binfmt_misc.automount systemd-sysext.socket systemd-creds.socket systemd-initctl.socket
    systemd-ask-password-console.path systemd-ask-password-wall.path modprobe@loop.service modprobe@dm_mod.service
    modprobe@fuse.service modprobe@configfs.service modprobe@drm.service modprobe@efi_pstore.service
    sys-kernel-debug.mount sys-kernel-tracing.mount sys-fs-fuse-connections.mount dev-hugepages.mount
    e2scrub_all.timer e2scrub_reap.service dpkg-db-backup.timer
)

set_up_services() {
    local unit
    systemctl --quiet --root="$root" preset-all
    for unit in "${masked[@]}" "${masked_units[@]}"; do ln -sf /dev/null "$root/etc/systemd/system/$unit"; done
    systemctl --quiet --root="$root" set-default multi-user.target
}

# Nothing in here may be the same on two devices; first boot makes it.
forget_identity() {
    : >"$root/etc/machine-id"
    rm -f -- "$root"/etc/ssh/ssh_host_* "$root/etc/hostname" "$root/etc/edge-agent/device-id" \
        "$root/var/lib/dbus/machine-id" "$root/var/lib/systemd/random-seed"
    printf '127.0.0.1 localhost\n::1 localhost\n' >"$root/etc/hosts"
    ln -sf ../run/systemd/resolve/stub-resolv.conf "$root/etc/resolv.conf"
    : >"$root/etc/default/locale"
    ln -sf /proc/self/mounts "$root/etc/mtab"
    printf 'tmpfs /root tmpfs mode=0700,size=16m,nosuid,nodev 0 0\n' >"$root/etc/fstab"
}

# What was installed is written down, since the package database goes too.
remove_unneeded() {
    local path
    dpkg-query --admindir="$root/var/lib/dpkg" -W -f '${Package} ${Version}\n' >"$root/usr/lib/edge-board/packages"
    while read -r path; do
        # In the root, so that no link leads out of it.
        # shellcheck disable=SC2016
        run_in_root sh -c 'rm -rf -- $1' sh "$path"
    done < <(grep '^/' Board/common/unneeded)
}

# /var lies on the data partition, which may be new or older than this system: what has to be there is made at start.
list_var() {
    local list="$root/usr/lib/tmpfiles.d/board-var.conf"
    {
        echo '# Folders of /var that this system expects.'
        (cd "$root" && find var -mindepth 1 -type d -printf 'd /%p %#m %u %g -\n' | sort)
    } >"$work/var.conf"
    # Owners by the image's names, not this machine's.
    run_in_root find /var -mindepth 1 -type d -printf 'd %p %#m %u %g -\n' | sort >"$list"
    find "$root/var" -mindepth 1 -delete
}

finish() {
    mkdir -p -- "$root"/{data,boot/efi}
    printf 'IMAGE_ID=edge-agent-%s\nIMAGE_VERSION=%s\n' "$board" "$version" >>"$root/usr/lib/os-release"
    # No clock goes back before this.
    touch -- "$root/usr/lib/clock-epoch"
    find "$root"/{tmp,run} -mindepth 1 -delete
}

pack() {
    du -s --block-size=1 -- "$root" | cut -f1 >"$work/root-bytes"
    stat -c %s "$root/usr/bin/edge-agent" >"$work/agent-bytes"
    rm -f -- "$work/system.squashfs"
    # Of what GRUB can read, xz makes it a fifth smaller, but a slow processor's start takes a quarter longer. What GRUB
    # loads is compressed already, each file as a whole.
    mksquashfs "$root" "$work/system.squashfs" -quiet -no-progress -noappend -comp gzip -b 256K \
        -action 'uncompressed@pathname(boot/*)'
    rm -rf -- "$root"
}

rm -rf -- "$root"
unpack_base
install_package
copy_files
install_kernel
set_up_services
set_up_access
remove_unneeded
forget_identity
list_var
finish
pack
