# shellcheck shell=bash
# shellcheck disable=SC2154 # common.sh sets what is not set here
# Makes the Debian package out of the programs in .build-ARCH/release and the files in Packaging/ and systemd/. Source
# after common.sh.

# The programs carry Swift's own libraries in them, because a device has none. That makes another compilation of
# everything, so it has a folder of its own.
build_programs() {
    local architecture=$1 program
    if [ "$architecture" = arm64 ]; then
        Scripts/cross-build
        return
    fi
    need_swift
    install_build_packages
    say "Building for the package (swift build -c release --static-swift-stdlib --scratch-path .build-$architecture)"
    for program in edge-agent edgectl; do
        swift build -c release --static-swift-stdlib --scratch-path ".build-$architecture" -Xlinker -s \
            --product "$program"
    done
}

# make_package ARCH: sets `package` to the finished .deb.
make_package() {
    local architecture=$1 programs=".build-$1/release" version root program
    for program in edge-agent edgectl; do
        [ -x "$programs/$program" ] || die "$programs/$program is missing; leave --skip-build out"
    done
    apt_install dpkg-dev
    if [ "$architecture" = arm64 ]; then need_arm64_tools; fi
    version=$(sed -n 's/^package let agentVersion = "\(.*\)"$/\1/p' Sources/ControlProtocol/AgentVersion.swift)
    [ "$(dpkg-parsechangelog -l Packaging/changelog -S Version)" = "$version" ] ||
        die "Packaging/changelog does not begin with version $version, which Sources/ControlProtocol/AgentVersion.swift names"

    root="$repository/.build/packages/$architecture"
    package="$repository/.build/packages/edge-agent_${version}_$architecture.deb"
    say "Making $package"
    umask 022
    rm -rf -- "$root" "$package"
    mkdir -p -- "$root"
    SOURCE_DATE_EPOCH=$(dpkg-parsechangelog -l Packaging/changelog -S Timestamp)
    export SOURCE_DATE_EPOCH
    files_into "$root" "$programs"
    documents_into "$root"
    completions_into "$root" "$architecture"
    control_into "$root" "$architecture" "$version"
    dpkg-deb --root-owner-group -Zxz --build "$root" "$package.part" >/dev/null
    mv -- "$package.part" "$package"
    rm -rf -- "$root"
    say "$(du -k "$package" | cut -f1) KiB, installed $(dpkg-deb -f "$package" Installed-Size) KiB"
}

files_into() {
    local root=$1 programs=$2
    install -D -m 755 -t "$root/usr/bin" "$programs/edge-agent" "$programs/edgectl"
    install -D -m 644 -t "$root/etc/edge-agent" Packaging/edge-agent.yaml
    install -D -m 644 -t "$root/usr/lib/systemd/system" systemd/*.service
    install -D -m 644 systemd/edge-agent.sysusers.conf "$root/usr/lib/sysusers.d/edge-agent.conf"
    install -D -m 644 -t "$root/usr/lib/udev/rules.d" Packaging/60-edge-agent.rules
}

documents_into() {
    local root=$1 folder="$1/usr/share/doc/edge-agent" manuals="$1/usr/share/man"
    install -D -m 644 -t "$folder" Packaging/copyright \
        Documentation/{Configuration,Interfaces,Operating,Page,Pushing}.md
    install -D -m 644 -t "$folder/examples" Documentation/edge-agent.yaml
    install -D -m 644 Packaging/changelog "$folder/changelog"
    install -D -m 644 -t "$manuals/man1" Packaging/manuals/edgectl.1
    install -D -m 644 -t "$manuals/man8" Packaging/manuals/edge-agent.8
    mkdir -p -- "$manuals/man5"
    configuration_manual >"$manuals/man5/edge-agent.yaml.5"
    gzip -9n "$folder/changelog" "$manuals"/man*/*
}

# edge-agent.yaml(5): the list of keys comes from the annotated file, which a test compares with the program.
configuration_manual() {
    cat Packaging/manuals/edge-agent.yaml.5.head
    awk -f Packaging/manuals/keys.awk Documentation/edge-agent.yaml
    cat Packaging/manuals/edge-agent.yaml.5.tail
}

# The programs print them, so this also shows that they start.
completions_into() {
    local root=$1 architecture=$2 share="$1/usr/share" program
    mkdir -p -- "$share"/{bash-completion/completions,zsh/vendor-completions,fish/vendor_completions.d}
    for program in edge-agent edgectl; do
        # bash reads it and does not run it.
        run_program "$architecture" "$root/usr/bin/$program" --generate-completion-script bash | sed '1{/^#!/d}' \
            >"$share/bash-completion/completions/$program"
        run_program "$architecture" "$root/usr/bin/$program" --generate-completion-script zsh \
            >"$share/zsh/vendor-completions/_$program"
        run_program "$architecture" "$root/usr/bin/$program" --generate-completion-script fish \
            >"$share/fish/vendor_completions.d/$program.fish"
    done
}

control_into() {
    local root=$1 architecture=$2 version=$3 folder="$1/DEBIAN" libraries size
    libraries=$(shared_libraries "$architecture" "$root"/usr/bin/*)
    size=$(du -k --apparent-size --total --summarize "$root" | tail -n 1 | cut -f1)
    mkdir -p -- "$folder"
    sed -e "s/@VERSION@/$version/; s/@ARCHITECTURE@/$architecture/; s/@INSTALLED_SIZE@/$size/" \
        -e "s/@SHARED_LIBRARIES@/$libraries/" Packaging/control >"$folder/control"
    install -m 755 Packaging/{postinst,prerm,postrm} "$folder/"
    (cd "$root" && find etc -type f -printf '/%p\n' | LC_ALL=C sort >DEBIAN/conffiles)
    (cd "$root" && find usr -type f -print0 | LC_ALL=C sort -z | xargs -0 md5sum >DEBIAN/md5sums)
}

# What `Depends:` says of the shared libraries that the programs need.
shared_libraries() {
    local architecture=$1 folder said options=()
    shift
    folder=$(mktemp -d)
    # dpkg-shlibdeps works in a source package only.
    mkdir "$folder/debian"
    printf 'Source: edge-agent\n\nPackage: edge-agent\nArchitecture: %s\n' "$architecture" >"$folder/debian/control"
    if [ "$architecture" = arm64 ]; then
        options=(-l"$arm64_sysroot/usr/lib/aarch64-linux-gnu" -L"$arm64_shlibs")
    fi
    if ! said=$(cd "$folder" && DEB_HOST_ARCH="$architecture" dpkg-shlibdeps -O "${options[@]}" "$@" 2>"$folder/errors"); then
        cat "$folder/errors" >&2
        die 'dpkg-shlibdeps does not know which packages the programs need'
    fi
    rm -rf -- "$folder"
    printf '%s' "${said#shlibs:Depends=}"
}

# Programs of arm64 run under user-mode emulation.
run_program() {
    local architecture=$1
    shift
    if [ "$architecture" = "$(dpkg --print-architecture)" ]; then
        "$@"
    else
        qemu-aarch64-static -L "$arm64_sysroot" -E LD_LIBRARY_PATH=/usr/lib/aarch64-linux-gnu "$@"
    fi
}

# Sets what dpkg-shlibdeps and the emulator need to know of the device's Debian: `arm64_sysroot` with the libraries, and
# `arm64_shlibs`, a file that says which package each of them is in.
need_arm64_tools() {
    apt_install qemu-user-static
    source "$repository/Scripts/lib/debian.sh"
    source "$repository/Scripts/lib/arm64.sh"
    need_arm64_builder
    need_arm64_sysroot
    cached_folder arm64/shlibs "$(recipe target_suite target_packages make_arm64_shlibs)" make_arm64_shlibs
    arm64_shlibs="$cached/shlibs"
}

make_arm64_shlibs() {
    local folder=$1 file
    say "Reading which packages of Debian $target_suite the libraries are in"
    debian_lists "$folder/debian" "$target_suite" arm64
    debian_download "$folder/debian" install --download-only "${target_packages[@]}"
    for file in "$folder"/debian/cache/archives/*.deb; do
        dpkg-deb --info "$file" shlibs 2>/dev/null || true
    done | grep -v '^udeb:' >"$folder/shlibs"
    rm -rf -- "$folder/debian"
}
