#!/usr/bin/env bash
# Fetches what the Linux board is made of, Debian's own arm64 packages, into build-linux/ below the
# source root: once for a checkout, shared by all builds, nothing of the system is changed.
#
# apt works in a root of its own: own lists, own cache, an empty status file, architecture arm64. What
# the machine's /etc/apt says (sources, keys, proxies, pins) holds here too, so that no host is named.
# apt verifies the lists' signatures by the machine's keyring and each package by the lists' SHA-256;
# packages that can't be verified are refused. dpkg-deb unpacks, no script of a package is run.
set -euo pipefail

root=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/../..
root=$(readlink -f -- "$root")
out=$root/build-linux
apt=$out/apt

# What ota-agent links, with the headers to build it; apt adds what these depend on.
libraries=(libc6-dev libmosquitto-dev libcurl4-openssl-dev libssl-dev libev-dev libfyaml-dev
    libjsmn-dev)
# Fetched without their dependencies: a shell for the initramfs, and the kernel.
alone=(busybox-static)
kernel_meta=linux-image-arm64

die() {
    printf 'rig/linux/fetch.sh: %s\n' "$*" >&2
    exit 1
}

# apt_run PROGRAM ARGUMENT...: in the private root, whose folders apt's own user need not reach.
apt_run() {
    local program=$1
    shift
    "$program" -o APT::Architecture=arm64 -o APT::Architectures::=arm64 \
        -o Dir::State="$apt/state" -o Dir::State::lists="$apt/lists" \
        -o Dir::State::status="$apt/status" -o Dir::Cache="$apt/cache" \
        -o APT::Get::AllowUnauthenticated=false -o APT::Install-Recommends=false \
        -o APT::Update::Post-Invoke-Success= -o APT::Sandbox::User=root \
        -o Acquire::Languages=none -o Acquire::Retries=3 "$@"
}

logged() {
    "$@" >"$apt/log" 2>&1 || {
        tail -n 20 -- "$apt/log" >&2
        die "failed: ${*:2:4} ...; is the network there, and does apt-get update work? (log: $apt/log)"
    }
}

prepare() {
    mkdir -p -- "$apt/state" "$apt/lists/partial" "$apt/cache/archives/partial" "$apt/alone"
    : >"$apt/status"
}

fetch() {
    logged apt_run apt-get -q update
    local kernel
    kernel=$(apt_run apt-cache depends "$kernel_meta" | sed -n 's/^ *Depends: \(linux-image-.*\)/\1/p')
    [[ -n $kernel ]] || die "$kernel_meta is not in the package lists for arm64"
    logged apt_run apt-get -q -y --download-only install "${libraries[@]}"
    cd -- "$apt/alone"
    logged apt_run apt-get -q download "${alone[@]}" "$kernel"
}

unpack() {
    local package
    rm -rf -- "$out/root" "$out/kernel"
    mkdir -p -- "$out/root" "$out/kernel"
    for package in "$apt"/cache/archives/*.deb "$apt"/alone/busybox-static_*.deb; do
        dpkg-deb -x "$package" "$out/root"
    done
    # Of the kernel's 350 MB only what a virtual board can need.
    dpkg-deb --fsys-tarfile "$apt"/alone/linux-image-*.deb |
        tar -x -C "$out/kernel" --wildcards --no-wildcards-match-slash \
            './boot/vmlinuz-*' './lib/modules/*/modules.builtin' \
            './lib/modules/*/kernel/drivers/'{block,net/*.ko,virtio,watchdog} \
            './lib/modules/*/kernel/net/core'
}

# What was fetched stays said; the packages themselves (70 MB) are not needed any more.
finish() {
    local package
    for package in "$apt"/cache/archives/*.deb "$apt"/alone/*.deb; do
        # shellcheck disable=SC2016
        dpkg-deb -W --showformat='${Package} ${Version}\n' "$package"
    done >"$out/packages"
    rm -rf -- "$apt"
}

main() {
    [[ -e $out/packages ]] && return
    command -v apt-get >/dev/null || die "this is no Debian system: the packages come by apt"
    mkdir -p -- "$out"
    exec 9>"$out/lock"
    flock 9
    [[ -e $out/packages ]] && return
    rm -rf -- "$apt"
    prepare
    fetch
    unpack
    finish
}

main
