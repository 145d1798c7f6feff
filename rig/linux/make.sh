#!/usr/bin/env bash
# Makes the Linux board: build-linux/Image and build-linux/initramfs.cpio, from Debian's arm64
# packages (fetch.sh) and this checkout's ota-agent. Quick when nothing has changed.
set -euo pipefail

here=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
root=$(readlink -f -- "$here/../..")
out=$root/build-linux
tree=$out/tree
libraries=("$out"/root/lib/aarch64-linux-gnu "$out"/root/usr/lib/aarch64-linux-gnu)

# Of these the board needs the drivers, and what they depend on.
modules=(virtio_mmio virtio_blk virtio_net i6300esb)

die() {
    printf 'rig/linux/make.sh: %s\n' "$*" >&2
    exit 1
}

build_agent() {
    command -v aarch64-linux-gnu-gcc >/dev/null || die "install gcc-aarch64-linux-gnu"
    cd -- "$root"
    if ! { cmake --preset arm64 && ninja -C build-arm64 ota-agent; } >"$out/agent.log" 2>&1; then
        tail -n 40 -- "$out/agent.log" >&2
        die "ota-agent can't be built for arm64"
    fi
}

needed_by() {
    aarch64-linux-gnu-readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'
}

# add_libraries FILE: the libraries that it needs, and those that they need.
add_libraries() {
    local name folder
    for name in $(needed_by "$1"); do
        [[ -e $tree/lib/$name ]] && continue
        for folder in "${libraries[@]}"; do
            [[ -e $folder/$name ]] && break
        done
        [[ -e $folder/$name ]] || die "$name, which ${1##*/} needs, was not fetched"
        cp -L -- "$folder/$name" "$tree/lib/$name"
        add_libraries "$tree/lib/$name"
    done
}

# add_module NAME: behind the modules that it depends on; nothing when it is in the kernel.
add_module() {
    local name=${1//-/_} path depends dependency
    grep -q "/${name//_/[-_]}\.ko$" "$kernel/modules.builtin" && return
    grep -qsx "$name.ko" "$tree/modules/order" && return
    path=$(find "$kernel" -name "${name//_/[-_]}.ko")
    [[ -n $path ]] || die "the kernel has no module $name"
    depends=$(tr '\0' '\n' <"$path" | grep -a '^depends=')
    IFS=, read -ra dependency <<<"${depends#depends=}"
    for depends in "${dependency[@]}"; do
        add_module "$depends"
    done
    cp -- "$path" "$tree/modules/$name.ko"
    echo "$name.ko" >>"$tree/modules/order"
}

fill_tree() {
    kernel=$(echo "$out"/kernel/lib/modules/*)
    rm -rf -- "$tree"
    mkdir -p -- "$tree"/{bin,dev,etc,lib,modules,proc,sys,tmp}
    cp -- "$here/init" "$tree/init"
    cp -- "$out/root/bin/busybox" "$tree/bin/busybox"
    ln -s busybox "$tree/bin/sh"
    aarch64-linux-gnu-strip -o "$tree/bin/ota-agent" "$root/build-arm64/ota-agent"
    cp -L -- "$out/root/lib/aarch64-linux-gnu/ld-linux-aarch64.so.1" "$tree/lib"
    add_libraries "$tree/bin/ota-agent"
    for module in "${modules[@]}"; do
        add_module "$module"
    done
    chmod 755 "$tree/init" "$tree"/bin/*
}

# Not compressed: the emulated processor would take longer to unpack it than QEMU to load it.
pack() {
    (cd -- "$tree" && find . | sort | cpio --quiet -o -H newc -R 0:0) >"$out/initramfs.new"
    cp -- "$out"/kernel/boot/vmlinuz-* "$out/Image"
    mv -- "$out/initramfs.new" "$out/initramfs.cpio"
}

main() {
    "$here/fetch.sh"
    exec 9>"$out/lock"
    flock 9
    build_agent
    local newer
    newer=$(find "$root/build-arm64/ota-agent" "$here/init" "$here/make.sh" "$out/packages" \
        -newer "$out/initramfs.cpio" 2>/dev/null || echo none)
    [[ -z $newer ]] && return
    command -v cpio >/dev/null || die "install cpio"
    fill_tree
    pack
}

main
