# shellcheck shell=bash
# shellcheck disable=SC2154 # the caller sets what is not set here
# The disk, put together from files without any device of this machine, and the update bundle. Source after common.sh.

# Sizes in MiB. An update needs a slot that is at least as large as it.
esp_size=64
slot_size=256
data_size=128
# Before the first partition and after the last one, for the partition tables.
disk_margin=1

esp_start=$disk_margin
slot_a_start=$((esp_start + esp_size))
slot_b_start=$((slot_a_start + slot_size))
data_start=$((slot_b_start + slot_size))
disk_size=$((data_start + data_size + disk_margin))

# make_esp OUTPUT FOLDER: a FAT file system with the files of FOLDER.
make_esp() {
    local output=$1 folder=$2
    rm -f -- "$output"
    truncate -s "${esp_size}M" "$output"
    mkfs.vfat -n BOOT "$output" >/dev/null
    (cd "$folder" && MTOOLS_SKIP_CHECK=1 mcopy -s -i "$output" -- * ::/)
}

# make_grub_environment OUTPUT: the state of a new disk: a system in A, none in B.
make_grub_environment() {
    local text='# GRUB Environment Block
ORDER=A B
A_OK=1
A_TRY=0
B_OK=0
B_TRY=0
'
    { printf '%s' "$text" && head -c $((1024 - ${#text})) /dev/zero | tr '\0' '#'; } >"$1"
}

# make_data OUTPUT: an empty ext4 that grows with its partition at first boot.
make_data() {
    local output=$1
    rm -f -- "$output"
    truncate -s "${data_size}M" "$output"
    # What mkfs would choose for a small disk is wrong for the large one it becomes: blocks, journal and the room to
    # grow (in blocks: 256 GiB) are set.
    mkfs.ext4 -q -L data -b 4096 -m 1 -J size=16 -E resize=67108864,root_owner=0:0 "$output"
}

# copy_into DISK FILE START_MIB
copy_into() { dd if="$2" of="$1" bs=1M seek="$3" conv=notrunc,sparse status=none; }

# make_disk OUTPUT ESP SYSTEM DATA
make_disk() {
    local output=$1 esp=$2 system=$3 data=$4
    [ "$(stat -c %s "$system")" -le $((slot_size << 20)) ] || die "the system is larger than a slot ($slot_size MiB)"
    rm -f -- "$output.new"
    truncate -s "${disk_size}M" "$output.new"
    sfdisk --quiet "$output.new" <<TABLE
label: gpt
unit: sectors
start=${esp_start}MiB, size=${esp_size}MiB, type=uefi, name=esp
start=${slot_a_start}MiB, size=${slot_size}MiB, type=B921B045-1DF0-41C3-AF44-4C6F280D3FAE, name=system-a
start=${slot_b_start}MiB, size=${slot_size}MiB, type=B921B045-1DF0-41C3-AF44-4C6F280D3FAE, name=system-b
start=${data_start}MiB, size=${data_size}MiB, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4, name=data
TABLE
    copy_into "$output.new" "$esp" "$esp_start"
    copy_into "$output.new" "$system" "$slot_a_start"
    copy_into "$output.new" "$data" "$data_start"
    mv -- "$output.new" "$output"
}

# make_bundle OUTPUT SYSTEM COMPATIBLE VERSION KEY CERTIFICATE WORK
make_bundle() {
    local output=$1 system=$2 compatible=$3 version=$4 key=$5 certificate=$6 folder="$7/bundle"
    rm -rf -- "$folder" "$output.new"
    mkdir -p -- "$folder"
    ln -- "$system" "$folder/system.img" 2>/dev/null || cp -- "$system" "$folder/system.img"
    cat >"$folder/manifest.raucm" <<MANIFEST
[update]
compatible=$compatible
version=$version

[bundle]
format=verity

[image.system]
filename=system.img
MANIFEST
    rauc --key="$key" --cert="$certificate" --keyring="$certificate" bundle "$folder" "$output.new" \
        >"$7/rauc.log" 2>&1 || {
        cat "$7/rauc.log" >&2
        die 'the update could not be signed'
    }
    mv -- "$output.new" "$output"
    rm -rf -- "$folder"
}
