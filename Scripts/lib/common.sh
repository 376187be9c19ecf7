# shellcheck shell=bash
# What all scripts share. Source it; it sets `repository` to the checkout it lies in and goes there.
# shellcheck disable=SC2034 # what is set here is for those who source it

set -euo pipefail

# For paths that the caller gave.
caller=$PWD

repository=$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/../.." && pwd)
cd -- "$repository"

: "${HOME:=$(getent passwd "$(id -u)" | cut -d: -f6)}"
export HOME
cache="${XDG_CACHE_HOME:-$HOME/.cache}/edge-agent"
mkdir -p -- "$cache"

# One line for a person who waits.
say() { if [ -t 1 ]; then printf '\033[1m==> %s\033[0m\n' "$*"; else printf '==> %s\n' "$*"; fi; }
warn() { printf 'warning: %s\n' "$*" >&2; }
die() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# The text of a script's own head comment is its --help.
print_help() { sed -n '2,/^$/s/^# \{0,1\}//p' "$1"; }

# cached_folder NAME RECIPE COMMAND...: sets `cached` to a folder in the cache that COMMAND FOLDER has filled, now or in
# an earlier run. RECIPE is the text of everything that goes in; the two folders of a name that were used last are kept.
cached_folder() {
    local name=$1 key making
    key=$(sha256sum <<<"$2" | cut -c1-16)
    shift 2
    cached="$cache/$name-$key"
    if [ ! -e "$cached" ]; then
        mkdir -p -- "$(dirname -- "$cached")"
        # What runs that were interrupted left.
        find "$(dirname -- "$cached")" -maxdepth 1 -name '*.making-*' -mmin +120 -exec rm -rf -- {} +
        making=$(mktemp -d -- "$cached.making-XXXXXX")
        chmod 755 "$making"
        "$@" "$making"
        # Another run may have been faster.
        mv -T -- "$making" "$cached" 2>/dev/null || rm -rf -- "$making"
    fi
    touch -- "$cached"
    find "$(dirname -- "$cached")" -maxdepth 1 -name "$(basename -- "$name")-????????????????" -printf '%T@ %p\n' |
        sort -rn | sed -n '3,$s/^[^ ]* //p' | xargs -r -d '\n' rm -rf --
}

# recipe NAME...: prints the named variables and functions, so that what they make is made anew when they change.
recipe() {
    local name
    for name in "$@"; do declare -p "$name" 2>/dev/null || declare -f "$name"; done
}

have() { command -v "$1" >/dev/null 2>&1; }

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif have sudo; then
        sudo -- "$@"
    else
        die "this needs root: $*; run the script as root, or install sudo"
    fi
}

is_installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

apt_update() {
    say "Reading Debian's package lists"
    # The lists have a lock of their own, for which apt-get does not wait.
    (
        flock 9
        as_root apt-get -qq -o DPkg::Lock::Timeout=300 update
    ) 9>"$cache/apt-lists.lock"
}

apt_update_if_unknown() {
    local package
    for package in "$@"; do
        if ! apt-cache show --no-all-versions "$package" >/dev/null 2>&1; then
            apt_update
            return
        fi
    done
}

# Installs those of the given Debian packages that are missing. Services they bring are not started.
apt_install() {
    local package lock
    for package in "$@"; do
        is_installed "$package" && continue
        # Scripts that run side by side take turns.
        exec {lock}>"$cache/apt.lock"
        flock "$lock"
        apt_install_missing "$@"
        exec {lock}>&-
        return
    done
}

apt_install_missing() {
    local package missing=()
    for package in "$@"; do is_installed "$package" || missing+=("$package"); done
    if [ ${#missing[@]} = 0 ]; then return; fi
    have apt-get || die "these Debian packages are missing: ${missing[*]}; install what they hold by hand"
    apt_update_if_unknown "${missing[@]}"
    say "Installing ${missing[*]}"
    local policy=/usr/sbin/policy-rc.d placed=''
    if [ ! -e $policy ]; then
        printf '#!/bin/sh\nexit 101\n' | as_root tee $policy >/dev/null
        as_root chmod 755 $policy
        placed=yes
    fi
    local result=0
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 \
        install --no-install-recommends "${missing[@]}" </dev/null >"$cache/apt.log" 2>&1 || result=$?
    if [ -n "$placed" ]; then as_root rm -f $policy; fi
    if [ $result != 0 ]; then
        tail -20 "$cache/apt.log" >&2
        die "Debian's packages could not be installed; everything apt-get said is in $cache/apt.log"
    fi
    # The scripts run these themselves; the system's own, which came with the packages, are not wanted.
    local own
    for own in libnginx-mod-rtmp:nginx vsftpd:vsftpd gpsd:gpsd gpsd:gpsd.socket mosquitto:mosquitto coturn:coturn; do
        if [[ " ${missing[*]} " == *" ${own%:*} "* ]] && have systemctl; then
            as_root systemctl disable "${own#*:}" >/dev/null 2>&1 || true
        fi
    done
}

# Swift is the one thing that must be there already.
need_swift() {
    local version said
    if ! have swift; then
        die 'Swift is missing. Get version 6.2 or newer from https://www.swift.org/install/linux/' \
            'and put its usr/bin into PATH.'
    fi
    if ! swift build --version >/dev/null 2>&1; then
        # Libraries that the toolchain from swift.org expects and a small Debian does not have.
        apt_install libcurl4 libncurses6 libsqlite3-0 libxml2
    fi
    if ! said=$(swift --version 2>&1); then die "'swift --version' fails: $said"; fi
    version=$(sed -n 's/.*Swift version \([0-9][0-9]*\.[0-9][0-9]*\).*/\1/p' <<<"$said" | head -n 1)
    [ -n "$version" ] || die "'swift --version' says nothing that can be understood: $said"
    if [ "${version%%.*}" -lt 6 ] || { [ "${version%%.*}" = 6 ] && [ "${version#*.}" -lt 2 ]; }; then
        die "Swift $version is too old. Get version 6.2 or newer from https://www.swift.org/install/linux/"
    fi
}

# For programs that are given away: no symbols, which nobody looks up in a program (2.3 MB).
link_options=(-Xlinker -s -Xlinker --no-export-dynamic)

# What the sources include and link.
library_packages=(
    libx264-dev libvo-aacenc-dev libv4l-dev libasound2-dev libyuv-dev libturbojpeg0-dev libfreetype-dev libyaml-dev
    libsqlite3-dev libfaad-dev libspeexdsp-dev libcurl4-openssl-dev libnice-dev libusrsctp-dev libssl-dev
    libmosquitto-dev
)

install_build_packages() {
    apt_install ca-certificates git binutils g++ libc6-dev pkg-config fonts-dejavu-core "${library_packages[@]}"
}

install_media_service_packages() { apt_install libnginx-mod-rtmp nginx; }

# Sets `python` to an interpreter with the tests' packages, in an environment that is made once for each
# version of Tests/EndToEnd/requirements.txt.
need_python_packages() {
    local base=python3 key folder
    if ! have python3 || ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
        apt_install python3 python3-venv
        base=/usr/bin/python3
    fi
    key=$({ "$base" --version && cat Tests/EndToEnd/requirements.txt; } | sha256sum | cut -c1-16)
    folder="$cache/python-$key"
    if [ ! -e "$folder/complete" ]; then
        say "Installing Python packages for the tests into $folder"
        rm -rf -- "$folder"
        "$base" -m venv "$folder"
        "$folder/bin/pip" install --quiet --disable-pip-version-check --requirement Tests/EndToEnd/requirements.txt
        touch "$folder/complete"
    fi
    python="$folder/bin/python"
}

# Builds what is given to `swift build -c release`, and sets `products` to the folder of the programs.
build() {
    say "Building (swift build -c release $*)"
    swift build -c release "$@"
    products=$(swift build -c release --show-bin-path)
}
