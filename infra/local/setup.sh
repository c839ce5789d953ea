#!/usr/bin/env bash
# Finds what this machine lacks to build and run the shop, and on Debian and Ubuntu installs it: after saying what, so
# that no service starts, and never at the price of a package that is already there.
set -euo pipefail

usage() {
    cat <<'END'
usage: infra/local/setup.sh [--tests] [--check]

Installs what is missing to build and run Trestle: a C compiler, make, nginx, Redis and MariaDB (or an installed
MySQL) from the system's packages, by apt-get, with sudo when not root. Nothing missing: nothing happens.
Rust is not installed: without it the way to get it is named.

  --tests  also what only the tests need: Python, Chromium with its driver and a Korean font, and the load clients wrk
           and hey
  --check  says what is missing and installs nothing; exit code 1 when something is

Exit code 1: something is still missing, and the message says what and how to get it.
END
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
policy=/usr/sbin/policy-rc.d
rust=1.95
# Servers are installed where an ordinary user's PATH does not lead; rustup's programs where a new shell's does.
export PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin:${CARGO_HOME:-$HOME/.cargo}/bin"

has() { command -v "$1" >/dev/null 2>&1; }
fail() {
    printf 'setup: ' >&2
    printf '%s\n' "$@" >&2
    exit 1
}

# Debian's gcc does not bring the C library's headers along; macOS keeps them elsewhere.
compiles() {
    has cc && { [ -e /usr/include/stdio.h ] || [ "$(uname -s)" = Darwin ]; }
}

# A browser for the tests, and the program that steers it.
has_browser() {
    has chromedriver &&
        { has chromium || has chromium-browser || has google-chrome || [ "$(uname -s)" = Darwin ]; }
}

# Without one Korean pages are empty boxes on the pictures that are taken of them.
has_korean() {
    [ "$(uname -s)" = Darwin ] || { has fc-list && [ -n "$(fc-list :lang=ko)" ]; }
}

is_ubuntu() { grep -qs '^ID=ubuntu' /etc/os-release; }

# One line for each thing that is missing: what it is, its package on Debian, on Fedora, with Homebrew.
missing() {
    compiles || echo "a C compiler|gcc libc6-dev|gcc glibc-devel|gcc"
    has make || echo "make|make|make|make"
    has nginx || echo "nginx|nginx|nginx|nginx"
    has redis-server || echo "redis-server|redis-server|redis|redis"
    has mariadbd || has mysqld || echo "mariadbd or mysqld|mariadb-server-core|mariadb-server|mariadb"
    # MariaDB's initialisation calls it; Debian has it in another package. MySQL's needs nothing.
    has my_print_defaults || { has mysqld && ! has mariadbd; } ||
        echo "my_print_defaults|mariadb-client-core|mariadb-server|mariadb"
    has curl || echo "curl|curl|curl|curl"
    [ -e /etc/ssl/certs/ca-certificates.crt ] || [ -e /etc/pki/tls/cert.pem ] || [ -e /etc/ssl/cert.pem ] ||
        echo "certificate authorities|ca-certificates|ca-certificates|ca-certificates"
    [ -z "$tests" ] || has envsubst || echo "envsubst|gettext-base|gettext|gettext"
    # For schemathesis, axe-core and k6. Debian's python3 comes without what makes a virtual environment.
    [ -z "$tests" ] || python3 -c 'import ensurepip, venv' 2>/dev/null ||
        echo "python3 with venv|python3-venv|python3|python3"
    # The load generator is held against them. Fedora has no package of hey.
    [ -z "$tests" ] || has wrk || echo "wrk|wrk|wrk|wrk"
    [ -z "$tests" ] || has hey || has dnf || echo "hey|hey||hey"
    # Ubuntu's packages of the browser are something else: see check_browser.
    [ -z "$tests" ] || has_browser || is_ubuntu ||
        echo "Chromium and its driver|chromium chromium-driver|chromium chromedriver|chromium chromedriver"
    [ -z "$tests" ] || has_korean ||
        echo "a Korean font|fonts-nanum fontconfig|google-noto-sans-cjk-fonts fontconfig|fontconfig"
}

check_rust() {
    local found
    if ! has cargo; then
        has curl || echo "setup: curl is missing too; the next line needs it" >&2
        fail "Rust is missing. Get it with rustup, then run this again in a new shell:" \
            "  curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh"
    fi
    # In the tree rustup takes the version that rust-toolchain.toml names.
    found=$(cd "$here" && cargo --version 2>/dev/null | cut -d' ' -f2) || found=
    [ -n "$found" ] || fail "cargo does not run here; 'cargo --version' says why"
    [ "$(printf '%s\n%s\n' "$rust" "$found" | sort -V | head -n 1)" = "$rust" ] ||
        fail "Rust $found is too old: $rust is needed. rustup brings the right one:" \
            "  curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh"
}

# Ubuntu has Chromium as a snap, which sees neither the profile folders that the tests give it nor the pipe by which it
# ends with them.
check_browser() {
    [ -z "$tests" ] || has_browser ||
        fail "Chromium and its driver are missing, and Ubuntu's packages are snaps, which the tests cannot steer. Get" \
            "google-chrome (https://www.google.com/chrome) and the chromedriver of the same version" \
            "(https://googlechromelabs.github.io/chrome-for-testing), both into the PATH. Then run this again."
}

# --- As root ----------------------------------------------------------------------------------------------------

# While packages are unpacked, no init script and no systemd unit may start: 101 is policy-rc.d's "forbidden".
# A policy of the machine's own is put aside and comes back whatever happens, after a kill with the next run.
forbid_services() {
    restore_policy
    trap restore_policy EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    [ ! -e "$policy" ] || mv "$policy" "$policy.before-trestle"
    printf '#!/bin/sh\n# Trestle setup: removed when its installation ends.\nexit 101\n' >"$policy"
    chmod 755 "$policy"
}

restore_policy() {
    if [ -e "$policy.before-trestle" ]; then
        mv -f "$policy.before-trestle" "$policy"
    elif grep -qs 'Trestle setup' "$policy"; then
        rm -f "$policy"
    fi
}

install_as_root() {
    local apt=(apt-get -q -y -o DPkg::Lock::Timeout=120 -o Dpkg::Use-Pty=0) plan removed services
    export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
    "${apt[@]}" update </dev/null >&2 || fail "apt-get update failed: see above"
    # Older releases name the package by its version.
    local name core
    for name in mariadb-server-core mariadb-client-core; do
        if [[ " $* " == *" $name "* ]] && ! apt-cache show "$name" >/dev/null 2>&1; then
            core=$(apt-cache search --names-only "^$name-[0-9.]+\$" | cut -d' ' -f1 | sort -V | tail -n 1)
            set -- "${@/#$name/$core}"
        fi
    done
    plan=$(apt-get -s install --no-install-recommends "$@" 2>&1) ||
        fail "apt-get cannot install $*:" "$plan"
    removed=$(sed -n 's/^Remv \([^ ]*\).*/\1/p' <<<"$plan" | tr '\n' ' ')
    [ -z "$removed" ] || fail "apt would remove ${removed% } to install $*." \
        "Nothing was changed. Install what is missing by hand, in a way that keeps what you need."
    services=$(new_services "$@")
    forbid_services
    "${apt[@]}" install --no-install-recommends "$@" </dev/null >&2 || fail "apt-get install failed: see above"
    # Nothing has started; at the next boot nothing shall, either. Services that were here before are left alone.
    if [ -n "$services" ] && has systemctl; then
        # shellcheck disable=SC2086
        systemctl disable --quiet $services >&2 || echo "setup: could not disable $services" >&2
    fi
}

new_services() {
    local package
    for package in nginx redis-server; do
        [[ " $* " != *" $package "* ]] || printf '%s ' "$package"
    done
}

# --- As whoever runs this ---------------------------------------------------------------------------------------

main() {
    local lacking names packages root=()
    lacking=$(missing)
    if [ -z "$lacking" ]; then
        check_rust
        check_browser
        return
    fi
    names=$(cut -d'|' -f1 <<<"$lacking" | paste -sd, | sed 's/,/, /g')
    echo "setup: missing: $names" >&2
    if ! has apt-get || [ ! -e /etc/debian_version ]; then
        elsewhere "$lacking"
    fi
    packages=$(cut -d'|' -f2 <<<"$lacking" | paste -sd' ')
    if [ -n "$check" ]; then
        fail "apt-get install --no-install-recommends $packages"
    fi
    check_rust
    if [ "$(id -u)" != 0 ]; then
        has sudo || fail "installing needs root, and there is no sudo. As root:" \
            "  apt-get update && apt-get install --no-install-recommends $packages"
        root=(sudo --)
    fi
    echo "setup: installing with ${root[*]:0:1} apt-get --no-install-recommends: $packages" | tr -s ' ' >&2
    echo "setup: no service is started, no package is removed" >&2
    # shellcheck disable=SC2086
    "${root[@]}" bash "$here/setup.sh" --as-root $packages
    lacking=$(missing | cut -d'|' -f1 | paste -sd,)
    [ -z "$lacking" ] || fail "still missing after the installation: $lacking"
    check_browser
}

elsewhere() {
    local column=3 how='sudo dnf install'
    if has brew || [ "$(uname -s)" = Darwin ]; then
        column=4 how='brew install'
    fi
    if has dnf || has brew || [ "$(uname -s)" = Darwin ]; then
        fail "  $how $(cut -d'|' -f$column <<<"$1" | paste -sd' ' | tr -s ' ')" "Then run this again."
    fi
    fail "This is neither Debian nor Ubuntu: install these with your system's package manager, then run this again."
}

tests='' check=''
case ${1-} in
    --as-root)
        shift
        install_as_root "$@"
        exit
        ;;
esac
for option in "$@"; do
    case $option in
        --tests) tests=yes ;;
        --check) check=yes ;;
        -h | --help) usage && exit ;;
        *) usage >&2 && exit 64 ;;
    esac
done
main
