# shellcheck shell=bash
# shellcheck disable=SC2154 # common.sh and package.sh set what is not set here
# Tries a package: lintian, and on an emulated machine with this machine's Debian, its kernel and systemd. Source after
# package.sh.

source "$repository/Scripts/lib/board-image.sh"

# test_package ARCH PYTEST-ARGUMENT...: tries $package.
test_package() {
    local architecture=$1 folder="$repository/.build/packages/test" result=0
    shift
    apt_install lintian
    say 'lintian'
    lintian --allow-root --fail-on error,warning "$package" || die 'lintian found something'
    need_python_packages
    mkdir -p -- "$folder"
    rm -f -- "$folder/tests.xml"
    if [ "$architecture" = "$(dpkg --print-architecture)" ]; then
        apt_install qemu-system-x86 mmdebstrap e2fsprogs
        need_package_machine "$(runtime_packages)"
        export EDGE_AGENT_PACKAGE_MACHINE="$machine"
    fi
    say 'Testing the package'
    # The tests bound each of their steps; this is for what nobody thought of.
    EDGE_AGENT_PACKAGE="$package" timeout --kill-after=20 600 "$python" -m pytest -p no:cacheprovider \
        --junitxml "$folder/tests.xml" Tests/Packaging "$@" </dev/null || result=$?
    "$python" Scripts/lib/summary.py "package tests=$folder/tests.xml" || result=1
    return "$result"
}

# The Debian packages that the package depends on, without versions.
runtime_packages() {
    dpkg-deb -f "$package" Pre-Depends Depends | sed 's/^[^:]*: //; s/ *([^)]*)//g' | tr ',\n' '  '
}

# need_package_machine PACKAGES: sets `machine` to a folder with `kernel`, `initramfs` and `disk`, a Debian with these
# packages and a root shell on its second serial port.
need_package_machine() {
    local suite
    suite=$(. /etc/os-release && printf '%s' "$VERSION_CODENAME")
    need_kernel "linux-image-$(dpkg --print-architecture)"
    cached_folder package-machine \
        "$suite $1 $kernel_version $(declare -f make_package_machine) $(cat Tests/Packaging/machine/*)" \
        make_package_machine "$suite" "$1"
    machine=$cached
}

make_package_machine() {
    local suite=$1 packages=$2 folder=$3 root="$3/root" files=Tests/Packaging/machine
    say "Making a Debian $suite to try the package in"
    # shellcheck disable=SC2046,SC2086 # names without spaces
    as_root mmdebstrap --quiet --variant=minbase --include="$(printf '%s,' systemd-sysv udev dbus $packages)" \
        --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
        --aptopt='Acquire::Check-Valid-Until "false"' \
        --customize-hook="copy-in $files/test-shell /usr/sbin" \
        --customize-hook="copy-in $files/test-shell.service /usr/lib/systemd/system" \
        --customize-hook="chroot \"\$1\" systemctl enable test-shell.service" \
        --customize-hook="chroot \"\$1\" systemctl mask systemd-networkd-wait-online getty@tty1 apt-daily.timer" \
        --customize-hook="chroot \"\$1\" systemctl mask apt-daily-upgrade.timer e2scrub_all.timer" \
        "$suite" "$root" >"$folder/mmdebstrap.log" 2>&1 ||
        die "the Debian to try the package in could not be made: $(tail -n 5 "$folder/mmdebstrap.log")"
    as_root mke2fs -q -F -t ext4 -d "$root" -L root "$folder/disk" 1G >/dev/null
    as_root chown "$(id -u)" "$folder/disk"
    as_root rm -rf -- "$root"
    make_machine_initramfs "$folder/initramfs" "$files/init"
    cp -- "$kernel_root/boot/vmlinuz-$kernel_version" "$folder/kernel"
}

# Loads the drivers and hands over to the system on the disk.
make_machine_initramfs() {
    local initramfs=$1 init=$2 root
    local board_modules=('virtio_pci' 'virtio_blk' 'ext4' "${board_modules[@]}")
    apt_install busybox-static kmod xz-utils
    root=$(mktemp -d)
    mkdir -p -- "$root"/{bin,dev,proc,sys,root}
    board_modules_into "$root"
    install -m 755 /bin/busybox "$root/bin/busybox"
    install -m 755 "$init" "$root/init"
    (cd "$root" && find . -print0 | LC_ALL=C sort -z | /bin/busybox cpio -0 -o -H newc -R 0:0 2>/dev/null) >"$initramfs"
    rm -rf -- "$root"
}
