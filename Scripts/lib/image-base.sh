#!/bin/bash
# Makes the configured Debian root that all board images start from. Run as root in a mount namespace of its own:
#   unshare --mount Scripts/lib/image-base.sh FOLDER PACKAGE...
# The sources.list to use is standard input. FOLDER gets root.tar.
#
# This machine's own dpkg unpacks, and only the packages' scripts run as arm64 programs: it takes a third of the time
# of a dpkg that is emulated itself.

set -euo pipefail
folder=$1
shift

root="$folder/root"
archives="$root/var/cache/apt/archives"

# Nothing is left of a run that ends early, least of all what this user cannot remove.
clean_up() {
    umount -l "$root/proc" "$root/dev" 2>/dev/null || true
    rm -rf --one-file-system -- "$root"
}
trap clean_up EXIT

# dpkg_in_root ARGUMENT...: the order of unpacking is nobody's concern here, and a power cut just means another try.
dpkg_in_root() {
    dpkg --root="$root" --force-depends --force-unsafe-io --force-architecture --force-confnew \
        --path-exclude='/usr/share/doc/*' --path-exclude='/usr/share/man/*' --path-exclude='/usr/share/info/*' \
        --path-exclude='/usr/share/locale/*' --path-exclude='/usr/share/lintian/*' "$@" </dev/null
}

# Files of all packages, without running anything: the packages' scripts need a shell and a C library to begin with.
mmdebstrap --mode=root --variant=extract --architectures=arm64 --skip=cleanup/apt \
    --aptopt='APT::Install-Recommends "false"' --include='?essential' --include="$*" '' "$root" -

mount --make-rprivate /
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
# No service is started in here.
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod 755 "$root/usr/sbin/policy-rc.d"

export DEBIAN_FRONTEND=noninteractive DEBCONF_NONINTERACTIVE_SEEN=true LC_ALL=C
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
# Users and the C library first: scripts of all others expect them.
dpkg_in_root --install "$archives"/base-passwd_*.deb
dpkg_in_root --install "$archives"/{base-files,libc6,libcrypt1}_*.deb
dpkg_in_root --unpack "$archives"/*.deb
dpkg_in_root --configure --pending

umount -l "$root/proc" "$root/dev"
rm -f -- "$root/usr/sbin/policy-rc.d"
rm -rf -- "$root"/var/cache/apt "$root"/var/lib/apt/lists "$root"/usr/share/{doc,man,info,locale,lintian}
tar -C "$root" --numeric-owner --xattrs -cf "$folder/root.tar" .
