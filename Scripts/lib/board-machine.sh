# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # for those who source it; what common.sh sets
# The emulated arm64 board that Board/qemu-virt is made for. Source after common.sh and debian.sh.

board_machine_packages=(qemu-system-arm qemu-efi-aarch64 qemu-utils openssh-client)
board_firmware=/usr/share/qemu-efi-aarch64/QEMU_EFI.fd

# make_board_disk IMAGE DISK: a larger disk that begins as IMAGE and keeps what is written to itself. What the board
# did not flush before the emulator was killed is partly lost, as with a real disk's cache.
make_board_disk() {
    rm -f -- "$2"
    qemu-img create -q -f qcow2 -F raw -b "$(readlink -f -- "$1")" "$2" 2G
}

# board_machine DISK KEYS HOST_SSH_PORT HOST_HTTP_PORT: the command of it, one argument a line. Whoever has one of the
# public keys in KEYS may log in as root. Without a serial line, monitor and the other end of the USB serial port,
# which the caller adds: the last one is the character device `usbserial`.
board_machine() {
    local disk=$1 keys=$2 ssh_port=$3 http_port=$4
    printf '%s\n' qemu-system-aarch64 \
        -machine virt,acpi=off -cpu cortex-a72 -accel tcg,thread=multi -smp 2 -m 1024 \
        -nodefaults -display none -bios "$board_firmware" \
        -drive "if=none,id=disk,file=$disk,format=qcow2" -device virtio-blk-pci,drive=disk,bootindex=0 \
        -netdev "user,id=network,hostfwd=tcp:127.0.0.1:$ssh_port-:22,hostfwd=tcp:127.0.0.1:$http_port-:8080" \
        -device virtio-net-pci,id=nic,netdev=network,romfile= \
        -device virtio-rng-pci \
        -device qemu-xhci -device usb-serial,chardev=usbserial,always-plugged=on \
        -device i6300esb -action watchdog=reset \
        -smbios "type=11,value=io.systemd.credential.binary:ssh.authorized_keys.root=$(base64 -w 0 <"$keys")"
}

# Sets `board_tools` to a folder with arm64 programs that the tests bring along: a device has no use for them.
need_board_tools() {
    cached_folder arm64/board-tools "$(declare -f make_board_tools)" make_board_tools
    board_tools=$cached
}

make_board_tools() {
    debian_lists "$1/debian" trixie arm64
    debian_download "$1/debian" download v4l-utils
    debian_unpack "$1"/debian/v4l-utils_*.deb "$1" --strip-components=3 ./usr/bin/v4l2-ctl
    rm -rf -- "$1/debian"
}
