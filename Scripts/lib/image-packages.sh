# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034 # common.sh sets what is not set here; Scripts/image uses what is set
# What an image takes from Debian: the configured root, and packages that are only unpacked. Both are kept in the cache.
# Source after common.sh.

image_suite=trixie
image_cache="$cache/image"

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

# make_cached NAME KEY COMMAND...: sets `cached` to a folder that COMMAND FOLDER has filled once for this key. Of each
# name the last two are kept.
make_cached() {
    local name=$1 key=$2 new old
    shift 2
    cached="$image_cache/$name-$key"
    mkdir -p -- "$image_cache"
    if [ ! -d "$cached" ]; then
        new=$(mktemp -d "$image_cache/new-$name.XXXXXX")
        if ! "$@" "$new" >"$image_cache/$name.log" 2>&1; then
            tail -20 "$image_cache/$name.log" >&2
            as_root rm -rf -- "$new"
            die "this failed; all that was said is in $image_cache/$name.log"
        fi
        chmod 755 "$new"
        mv -- "$new" "$cached"
    fi
    touch -- "$cached"
    while read -r old; do as_root rm -rf -- "$old"; done < <(
        find "$image_cache" -maxdepth 1 -name "$name-*" -printf '%T@ %p\n' | sort -rn | tail -n +3 | cut -d' ' -f2-)
}

key_of() { cat -- "$@" | sha256sum | cut -c1-16; }

base_packages() { grep -v '^#' Board/common/packages; }

# Sets `image_base` to the tar file of the configured root.
need_image_base() {
    apt_install mmdebstrap debian-archive-keyring
    need_arm64_emulation
    local key
    key=$(key_of Board/common/packages Scripts/lib/image-base.sh <(echo "$image_suite"))
    [ -d "$image_cache/base-$key" ] || say "Making the Debian root ($image_suite, arm64); this takes some minutes"
    make_cached base "$key" make_base
    image_base="$cached/root.tar"
}

make_base() {
    # shellcheck disable=SC2046
    as_root unshare --mount Scripts/lib/image-base.sh "$image_suite" "$1" $(base_packages)
    as_root chown "$(id -u):$(id -g)" "$1/root.tar"
}

# need_unpacked NAME PACKAGE...: sets `unpacked` to a folder with the files of these arm64 packages.
need_unpacked() {
    local name=$1 key
    shift
    key=$(key_of Scripts/lib/image-packages.sh <(echo "$image_suite $*"))
    [ -d "$image_cache/$name-$key" ] || say "Fetching $*"
    make_cached "$name" "$key" unpack_packages "$@"
    unpacked="$cached"
}

# unpack_packages PACKAGE... FOLDER
unpack_packages() {
    local folder=${*: -1} apt package
    apt="$folder.apt"
    set -- "${@:1:$#-1}"
    mkdir -p -- "$apt"/{lists/partial,archives/partial}
    : >"$apt/status"
    for package in "" "-updates"; do
        echo "deb http://deb.debian.org/debian $image_suite$package main non-free-firmware"
    done >"$apt/sources.list"
    echo "deb http://security.debian.org/debian-security $image_suite-security main non-free-firmware" \
        >>"$apt/sources.list"
    local options=(-q -o "Dir::Etc::SourceList=$apt/sources.list" -o Dir::Etc::SourceParts=/dev/null
        -o "Dir::State::Lists=$apt/lists" -o "Dir::State::Status=$apt/status" -o "Dir::Cache=$apt"
        -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o APT::Sandbox::User=
        -o APT::Update::Post-Invoke-Success= -o Dir::Etc::TrustedParts=/usr/share/keyrings)
    apt-get "${options[@]}" update
    for package in "$@"; do
        # A kernel's package without a version only names the newest one.
        if [[ $package == linux-image-* ]]; then
            package=$(apt-cache "${options[@]}" depends "$package" |
                sed -n 's/^ *Depends: \(linux-image-[0-9][^ ]*\)$/\1/p' | head -n 1)
        fi
        (cd "$apt" && apt-get "${options[@]}" download "$package")
    done
    for package in "$apt"/*.deb; do dpkg -x "$package" "$folder"; done
    rm -rf -- "$apt"
}
