# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # variables are shared with common.sh and with those who source this
# Sets up what compiles arm64 programs, out of Debian's packages: a builder root with Debian's own Swift compiler, and
# a Swift SDK with the C libraries of the release that the device runs. Source after common.sh and debian.sh.

arm64_sdk=edge-agent-arm64

# Only this release has a Swift that is new enough, for both architectures.
builder_suite=sid
builder_packages=(swiftlang libc6-dev g++ git ca-certificates dash coreutils)
# What the device runs.
target_suite=trixie
target_packages=(libc6-dev libstdc++-14-dev "${library_packages[@]}")

# What of the packages a build never looks at: debuggers, language servers, what editors use, documentation.
builder_leaves_out=(
    '*/bin/lldb*' '*/liblldb.so*' '*/bin/clangd' '*/bin/sourcekit-lsp' '*/libsourcekitd*' '*SourceKit*' '*/bin/docc'
    '*/bin/swift-format' '*/bin/wasmkit' '*/libclang.so*' '*/swift/embedded' '*/swift_static/embedded'
    '*/FrameworkABIBaseline' '*/migrator' './usr/share/doc' './usr/share/info' './usr/share/locale' './usr/share/man'
)
target_leaves_out=(
    './usr/bin' './usr/libexec' './usr/sbin' './usr/share/doc' './usr/share/info' './usr/share/locale' './usr/share/man'
)
# Debian has the module that joins Testing and Foundation, but not its library: who imports both could not be linked.
swift_leaves_out=(
    './usr/libexec/swift/lib/lib*' './usr/libexec/swift/lib/clang/*/lib' '*/swift/host' '*/embedded'
    '*/FrameworkABIBaseline' '*/migrator' '*/swift/pm' '*/Testing.swiftcrossimport' '*/_Testing_Foundation.swiftmodule'
)

# Sets `arm64_builder` to the root of the compiler: a folder with `usr`.
need_arm64_builder() {
    [ "$(dpkg --print-architecture)" = amd64 ] || die 'arm64 programs are cross-built on an amd64 machine only'
    apt_install bubblewrap xz-utils zstd
    cached_folder arm64/builder \
        "$(recipe builder_suite builder_packages builder_leaves_out make_arm64_builder unpack_all)" make_arm64_builder
    arm64_builder=$cached
    in_arm64_builder true ||
        die 'bubblewrap cannot make a namespace here. As root, or with user namespaces' \
            '(sysctl kernel.unprivileged_userns_clone=1), it can; a container needs --privileged.'
}

make_arm64_builder() {
    local root=$1
    say "Fetching the Swift compiler of Debian $builder_suite (some 700 MB)"
    debian_lists "$root/debian" "$builder_suite" amd64
    debian_version "$root/debian" swiftlang >"$root/swift-version"
    debian_download "$root/debian" install --download-only "${builder_packages[@]}"
    say 'Unpacking it'
    unpack_all "$root" "${builder_leaves_out[@]}"
}

# unpack_all ROOT PATTERN...: what was downloaded into ROOT/debian becomes ROOT/usr, less what matches a pattern.
unpack_all() {
    local root=$1 package pattern options=()
    shift
    for pattern in "$@"; do options+=("--exclude=$pattern"); done
    for package in "$root"/debian/cache/archives/*.deb; do
        debian_unpack "$package" "$root" --keep-directory-symlink "${options[@]}" ./usr
        rm -f -- "$package"
    done
    rm -rf -- "$root/debian"
}

# in_arm64_builder COMMAND...: runs it with the builder's /usr in place of this machine's. Everything else of the
# machine is seen as it is, so checkout, home, caches and repositories that git's configuration names are at their
# own paths.
in_arm64_builder() {
    local options=() entry
    for entry in /*; do
        case $entry in
        /usr | /etc | /proc | /dev | /sys | /lost+found) ;;
        *) if [ -d "$entry" ] && [ ! -L "$entry" ]; then options+=(--bind "$entry" "$entry"); fi ;;
        esac
    done
    for entry in group gitconfig hosts nsswitch.conf passwd resolv.conf ssl; do
        options+=(--ro-bind-try "/etc/$entry" "/etc/$entry")
    done
    bwrap --ro-bind "$arm64_builder/usr" /usr --symlink usr/bin /bin --symlink usr/sbin /sbin --symlink usr/lib /lib \
        --symlink usr/lib64 /lib64 --proc /proc --dev /dev --tmpfs /etc "${options[@]}" --die-with-parent \
        --chdir "$PWD" --setenv PATH /usr/libexec/swift/bin:/usr/bin "$@"
}

# Sets `arm64_sysroot` to the C and Swift libraries for arm64, and `arm64_sdks` to the folder with the Swift SDK
# `arm64_sdk` that is made of them. Goes after need_arm64_builder, whose version of Swift it must be.
need_arm64_sysroot() {
    local version
    version=$(<"$arm64_builder/swift-version")
    cached_folder arm64/sdk \
        "$version $(recipe builder_suite target_suite target_packages target_leaves_out swift_leaves_out \
            make_arm64_sdk make_swift_libraries write_arm64_sdk unpack_all)" make_arm64_sdk "$version"
    arm64_sdks=$cached
    arm64_sysroot="$cached/$arm64_sdk.artifactbundle/$target_suite/sysroot"
}

make_arm64_sdk() {
    local version=$1 bundle="$2/$arm64_sdk.artifactbundle"
    local root="$bundle/$target_suite/sysroot"
    mkdir -p -- "$root"
    make_swift_libraries "$version" "$root"
    say "Fetching the C libraries of Debian $target_suite for arm64"
    debian_lists "$root/debian" "$target_suite" arm64
    debian_download "$root/debian" install --download-only "${target_packages[@]}"
    unpack_all "$root" "${target_leaves_out[@]}"
    ln -s usr/lib "$root/lib"
    write_arm64_sdk "$bundle"
}

# The standard library is in the arm64 compiler's own package, which is fetched whole and thrown away.
make_swift_libraries() {
    local version=$1 root=$2 found pattern package options=()
    say "Fetching Swift's libraries for arm64 (some 530 MB, of which a sixth is kept)"
    debian_lists "$root/debian" "$builder_suite" arm64
    found=$(debian_version "$root/debian" swiftlang)
    [ "$found" = "$version" ] ||
        die "the compiler is Swift $version, but Debian's for arm64 is ${found:-missing}; delete $arm64_builder and try" \
            'again, tomorrow if need be: Debian may just be between two versions'
    debian_download "$root/debian" download swiftlang libswiftlang
    say 'Unpacking them'
    mkdir -p -- "$root/usr/lib"
    for pattern in "${swift_leaves_out[@]}"; do options+=("--exclude=$pattern"); done
    for package in "$root"/debian/*.deb; do
        debian_unpack "$package" "$root/usr/lib" --strip-components=5 "${options[@]}" ./usr/libexec/swift/lib
    done
    rm -rf -- "$root/debian"
}

write_arm64_sdk() {
    local bundle=$1
    cat >"$bundle/info.json" <<END
{
  "schemaVersion": "1.0",
  "artifacts": {
    "$arm64_sdk": {
      "type": "swiftSDK",
      "version": "1.0.0",
      "variants": [
        {
          "path": "$target_suite",
          "supportedTriples": ["x86_64-unknown-linux-gnu", "x86_64-pc-linux-gnu"]
        }
      ]
    }
  }
}
END
    cat >"$bundle/$target_suite/swift-sdk.json" <<END
{
  "schemaVersion": "4.0",
  "targetTriples": {
    "aarch64-unknown-linux-gnu": {
      "sdkRootPath": "sysroot",
      "swiftResourcesPath": "sysroot/usr/lib/swift",
      "swiftStaticResourcesPath": "sysroot/usr/lib/swift_static",
      "toolsetPaths": ["toolset.json"]
    }
  }
}
END
    # This machine's own linker knows no arm64.
    cat >"$bundle/$target_suite/toolset.json" <<END
{
  "schemaVersion": "1.0",
  "swiftCompiler": { "extraCLIOptions": ["-use-ld=lld"] }
}
END
}
