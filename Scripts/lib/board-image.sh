# shellcheck shell=bash
# shellcheck disable=SC2154 # common.sh sets what is not set here
# Makes what an emulated board boots: Debian's kernel and an initramfs with the agent. Source after common.sh.

# What the board loads, in this order; the parameters follow the name.
board_modules=(
    'virtio_pci'
    'virtio_net'
    # One webcam that only captures, so /dev/video0 is the camera.
    'vivid n_devs=1 node_types=0x1 num_inputs=1 input_types=0x0'
    # One card "Loopback": what is played on device 0 is captured on device 1; the microphone, the speaker, and one more.
    'snd-aloop pcm_substreams=3'
)

# Sets `kernel_root` to a folder with the kernel's image and modules, unpacked from Debian's package, and
# `kernel_version`. Nothing is installed.
need_kernel() {
    local meta=$1 package folder
    apt_update_if_unknown "$meta"
    package=$(apt-cache depends --no-recommends --no-suggests "$meta" |
        sed -n 's/^ *Depends: \(linux-image-[0-9][^ ]*\)$/\1/p' | head -n 1)
    [ -n "$package" ] || die "Debian's package lists do not say which kernel $meta is"
    folder="$cache/kernel/$package"
    if [ ! -e "$folder/complete" ]; then
        say "Fetching Debian's kernel ($package)"
        rm -rf -- "$folder"
        mkdir -p -- "$folder/root"
        if ! (cd "$folder" && apt-get -qq download "$package" >apt.log 2>&1); then
            # The lists may be older than what the mirror still has.
            as_root apt-get -qq -o DPkg::Lock::Timeout=300 update
            (cd "$folder" && apt-get -qq download "$package" >apt.log 2>&1) || {
                cat "$folder/apt.log" >&2
                die "the kernel package $package could not be downloaded"
            }
        fi
        dpkg -x "$folder"/*.deb "$folder/root"
        rm -f -- "$folder"/*.deb
        touch "$folder/complete"
    fi
    kernel_root="$folder/root"
    kernel_version=$(basename "$kernel_root"/lib/modules/*)
    [ -e "$kernel_root/lib/modules/$kernel_version/modules.dep" ] || depmod_of_kernel
}

depmod_of_kernel() { PATH="$PATH:/usr/sbin:/sbin" depmod -b "$kernel_root" "$kernel_version"; }

# board_modules_into ROOT: the modules and the list in which order they are loaded.
board_modules_into() {
    local root=$1 entry name parameters file base
    local -A listed=()
    mkdir -p -- "$root/modules"
    : >"$root/modules/list"
    for entry in "${board_modules[@]}"; do
        read -r name parameters <<<"$entry"
        while read -r _ file _; do
            base=$(basename "$file")
            base=${base%.xz}
            base=${base%.ko}
            if [ -n "${listed[$base]:-}" ]; then continue; fi
            listed[$base]=yes
            case $file in
            *.xz) xz -dc "$file" >"$root/modules/$base.ko" ;;
            *) cp -- "$file" "$root/modules/$base.ko" ;;
            esac
            if [ "$base" = "$name" ]; then
                printf '%s\n' "$base $parameters" >>"$root/modules/list"
            else
                printf '%s\n' "$base" >>"$root/modules/list"
            fi
        done < <(PATH="$PATH:/usr/sbin:/sbin" modprobe --show-depends -d "$kernel_root" -S "$kernel_version" "$name" |
            grep '^insmod ')
    done
}

# program_into ROOT PROGRAM...: programs of this machine with the shared libraries they need, at their own paths.
program_into() {
    local root=$1 program library
    shift
    for program in "$@"; do
        [ -x "$program" ] || die "$program is missing"
        install -D -m 755 -- "$program" "$root/usr/bin/$(basename "$program")"
        if ldd "$program" | grep 'not found' >&2; then die "$program lacks shared libraries on this machine"; fi
        # Lines are "name => /path (address)" or, for the loader, "/path (address)".
        while read -r library; do
            [ -e "$root$library" ] || install -D -m 755 -- "$library" "$root$library"
        done < <(ldd "$program" | sed -n 's|^[^/]*\(/[^ ]*\) (0x[0-9a-f]*)$|\1|p')
    done
}

# make_board_image ARCH OUTPUT PRODUCTS RTMP_PORT: OUTPUT gets `kernel` and `initramfs`.
make_board_image() {
    local output=$2 products=$3 rtmp_port=$4 root
    need_kernel "linux-image-$1"
    say "Making the board's image in $output"
    root="$output/root"
    rm -rf -- "$root"
    mkdir -p -- "$root"/{bin,dev,etc/edge-agent,lib,proc,root,run,sbin,srv/cgi-bin,sys,tmp,usr/bin,usr/sbin,var/log}
    board_modules_into "$root"

    install -m 755 /bin/busybox "$root/bin/busybox"
    local name
    while read -r name; do
        [ "$name" = busybox ] || ln -s /bin/busybox "$root/bin/$name"
    done < <(/bin/busybox --list)

    # Programs of this machine need their own loader, libraries and data.
    program_into "$root" "$products/edge-agent" "$products/edgectl" /usr/bin/v4l2-ctl /usr/bin/speaker-test \
        /usr/bin/aplay
    ln -s aplay "$root/usr/bin/arecord"
    mkdir -p -- "$root/usr/share" "$root/usr/share/fonts/truetype/dejavu"
    cp -r -- /usr/share/alsa "$root/usr/share/"
    cp -- /usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf "$root/usr/share/fonts/truetype/dejavu/"

    printf 'root:x:0:0:root:/root:/bin/sh\n' >"$root/etc/passwd"
    printf 'root:x:0:\n' >"$root/etc/group"
    printf '127.0.0.1 localhost board\n' >"$root/etc/hosts"
    printf 'passwd: files\ngroup: files\nhosts: files dns\n' >"$root/etc/nsswitch.conf"
    sed "s|@RTMP_PORT@|$rtmp_port|" Board/edge-agent.yaml >"$root/etc/edge-agent/edge-agent.yaml"
    install -m 755 Board/init "$root/init"
    install -m 755 Board/run-command "$root/srv/cgi-bin/run"

    # Not compressed: unpacking would take longer under emulation than reading does.
    (cd "$root" && find . -print0 | LC_ALL=C sort -z | /bin/busybox cpio -0 -o -H newc -R 0:0 2>/dev/null) \
        >"$output/initramfs"
    cp -- "$kernel_root/boot/vmlinuz-$kernel_version" "$output/kernel"
    rm -rf -- "$root"
}
