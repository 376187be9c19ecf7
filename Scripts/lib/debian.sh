# shellcheck shell=bash
# shellcheck disable=SC2154 # common.sh sets what is not set here
# Gets Debian packages of another release or architecture as plain folders, beside the machine's own: nothing is
# installed, and root is not needed. Source after common.sh.

# need_debian_mirrors: sets `debian_mirror` and `debian_security_mirror` to where this machine's own packages come from,
# if DEBIAN_MIRROR and DEBIAN_SECURITY_MIRROR say nothing else.
need_debian_mirrors() {
    if [ -z "$(debian_archive Debian)" ]; then apt_update; fi
    debian_mirror=${DEBIAN_MIRROR:-$(debian_archive Debian)}
    debian_security_mirror=${DEBIAN_SECURITY_MIRROR:-$(debian_archive Debian-Security)}
    if [ -z "$debian_mirror" ] || [ -z "$debian_security_mirror" ]; then
        die "apt does not know where Debian's packages and security fixes are; say it in DEBIAN_MIRROR and" \
            'DEBIAN_SECURITY_MIRROR'
    fi
}

# debian_archive LABEL: the address of the first archive with this label.
debian_archive() {
    # shellcheck disable=SC2016 # apt-get fills it in
    apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' "Label: $1" | sed -n '1s|/*$||p'
}

# debian_sources SUITE COMPONENT...: the lines of a sources.list; a stable suite comes with its security fixes. Goes
# after need_debian_mirrors.
debian_sources() {
    local options='[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]'
    printf 'deb %s %s %s %s\n' "$options" "$debian_mirror" "$1" "${*:2}"
    if [ "$1" != sid ]; then
        printf 'deb %s %s %s %s\n' "$options" "$debian_mirror" "$1-updates" "${*:2}"
        printf 'deb %s %s %s %s\n' "$options" "$debian_security_mirror" "$1-security" "${*:2}"
    fi
}

# debian_lists FOLDER SUITE ARCH [COMPONENT...]: FOLDER gets package lists of its own, which in_debian uses.
debian_lists() {
    local folder=$1
    apt_install debian-archive-keyring
    need_debian_mirrors
    mkdir -p -- "$folder/state/lists/partial" "$folder/cache/archives/partial"
    : >"$folder/status"
    if [ $# = 3 ]; then set -- "$@" main; fi
    debian_sources "$2" "${@:4}" >"$folder/sources.list"
    # A mirror may lag behind the date up to which its lists of a moving release are meant to be used.
    cat >"$folder/apt.conf" <<END
Dir::State "$folder/state";
Dir::State::status "$folder/status";
Dir::Cache "$folder/cache";
Dir::Etc::sourcelist "$folder/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
APT::Architecture "$3";
APT::Architectures { "$3"; };
APT::Install-Recommends "false";
APT::Sandbox::User "";
Acquire::Check-Valid-Until "false";
Acquire::Languages "none";
END
    in_debian "$folder" apt-get -qq update ||
        die "Debian's package lists could not be read from $debian_mirror; DEBIAN_MIRROR names another mirror"
}

# in_debian FOLDER COMMAND...: runs an apt command with the lists of that folder.
in_debian() { APT_CONFIG="$1/apt.conf" "${@:2}"; }

# debian_download FOLDER install --download-only PACKAGE...: the packages and all they depend on, into
# FOLDER/cache/archives. debian_download FOLDER download PACKAGE...: just these, into FOLDER.
debian_download() {
    local folder=$1 log="$1/download.log"
    if ! (cd -- "$folder" && in_debian "$folder" apt-get -q -y "${@:2}") >"$log" 2>&1 </dev/null; then
        tail -20 "$log" >&2
        die "Debian's packages could not be fetched: ${*:3}; try again later, or name another mirror as DEBIAN_MIRROR"
    fi
    sed -n 's/^Fetched \(.*\)$/    \1/p' "$log"
}

# debian_version FOLDER PACKAGE: the upstream version that the lists have.
debian_version() {
    in_debian "$1" apt-cache show --no-all-versions "$2" | sed -n 's/^Version: \([0-9]*:\)\{0,1\}\([^-]*\).*/\2/p'
}

# debian_unpack PACKAGE-FILE FOLDER ARGUMENT...: unpacks with tar; the arguments are tar's, which parts to take.
debian_unpack() { dpkg-deb --fsys-tarfile "$1" | tar -x -C "$2" --no-same-owner "${@:3}"; }
