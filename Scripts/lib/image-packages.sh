# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034 # common.sh sets what is not set here; Scripts/image uses what is set
# What an image takes from Debian: the configured root, and packages that are only unpacked. Both are kept in the cache.
# Source after common.sh and debian.sh.

image_suite=trixie

# Runs arm64 programs of the root that is being made.
need_arm64_emulation() {
    local folder=/proc/sys/fs/binfmt_misc rule=/usr/lib/binfmt.d/qemu-aarch64.conf
    [ "$(uname -m)" = aarch64 ] && return
    apt_install qemu-user-static
    if [ ! -e $folder/register ]; then
        as_root modprobe -q binfmt_misc 2>/dev/null || true
        as_root mount -t binfmt_misc binfmt_misc $folder ||
            die "arm64 programs cannot be run here: this kernel has no binfmt_misc (or this is a container that may" \
                "not mount it; then run 'mount -t binfmt_misc binfmt_misc $folder' on the machine itself)"
    fi
    if [ ! -e $folder/qemu-aarch64 ]; then
        as_root tee $folder/register <$rule >/dev/null || die "the kernel does not take $rule"
    fi
    # Without F the emulator would have to be inside the root.
    grep -q '^flags: .*F' $folder/qemu-aarch64 ||
        die "arm64 programs are run by an emulator that is not held open (flag F): remove $folder/qemu-aarch64" \
            "and the package that registered it, and try again"
}

base_packages() { sed '/^#/d' Board/common/packages; }

# Sets `image_base` to the tar file of the configured root.
need_image_base() {
    apt_install mmdebstrap debian-archive-keyring
    need_arm64_emulation
    cached_folder image/base "$image_suite $(base_packages; cat Scripts/lib/image-base.sh)" make_base
    image_base="$cached/root.tar"
}

make_base() {
    local log="$cache/image/base.log"
    say "Making the Debian root ($image_suite, arm64); this takes about four minutes"
    need_debian_mirrors
    # shellcheck disable=SC2046 # a package a word
    debian_sources "$image_suite" main |
        as_root unshare --mount Scripts/lib/image-base.sh "$1" $(base_packages) >"$log" 2>&1 || {
        tail -20 "$log" >&2
        die "the Debian root could not be made; all that was said is in $log"
    }
    as_root chown "$(id -u):$(id -g)" "$1/root.tar"
}

# need_unpacked NAME PACKAGE...: sets `unpacked` to a folder with the files of these arm64 packages.
need_unpacked() {
    cached_folder "image/$1" "$image_suite ${*:2} $(declare -f unpack_packages)" unpack_packages "${@:2}"
    unpacked=$cached
}

# unpack_packages PACKAGE... FOLDER
unpack_packages() {
    local folder=${*: -1} package packages=()
    say "Fetching ${*:1:$#-1}"
    debian_lists "$folder/debian" "$image_suite" arm64 main non-free-firmware
    for package in "${@:1:$#-1}"; do
        # A kernel's package without a version only names the newest one.
        if [[ $package == linux-image-* ]]; then
            package=$(in_debian "$folder/debian" apt-cache depends "$package" |
                sed -n 's/^ *Depends: \(linux-image-[0-9][^ ]*\)$/\1/p' | head -n 1)
        fi
        packages+=("$package")
    done
    debian_download "$folder/debian" download "${packages[@]}"
    for package in "$folder"/debian/*.deb; do debian_unpack "$package" "$folder"; done
    rm -rf -- "$folder/debian"
}
