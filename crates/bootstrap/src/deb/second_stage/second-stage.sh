#!/bin/sh
# Finishes this root: bareroot has unpacked its packages and run nothing of them (bareroot bootstrap --foreign).
#
# Run it as root, inside the root (chroot ROOT /bareroot/second-stage), on a machine that runs its programs. It can be run
# again after it was interrupted or a script failed, and goes on where it stopped; when it is done it removes itself.
set -eu
umask 022
cd /
home=/bareroot

# Maintainer scripts see this environment and nothing else.
if [ "${BAREROOT_SECOND_STAGE-}" != 1 ]; then
    exec env -i BAREROOT_SECOND_STAGE=1 @ENVIRONMENT@ /bin/sh "$home/second-stage"
fi
unset BAREROOT_SECOND_STAGE

fail() {
    echo "second-stage: $*" >&2
    exit 1
}

# Daemons must not start: invoke-rc.d asks policy-rc.d, and start-stop-daemon is put aside.
put_aside() {
    [ -e "/@POLICY@" ] || : > "$home/policy"
    if [ -e "$home/policy" ]; then
        mkdir -p "$(dirname "/@POLICY@")"
        printf '#!/bin/sh\nexit 101\n' > "/@POLICY@"
        chmod 755 "/@POLICY@"
    fi
    for starter in @STARTERS@; do
        if [ ! -e "$starter@REAL@" ]; then
            [ -e "$starter" ] || continue
            mv "$starter" "$starter@REAL@"
        fi
        printf '#!/bin/sh\necho '\''@WARNING@'\'' >&2\n' > "$starter"
        chmod 755 "$starter"
        break
    done
}

put_back() {
    for starter in @STARTERS@; do
        [ ! -e "$starter@REAL@" ] || mv -f "$starter@REAL@" "$starter"
    done
    if [ -e "$home/policy" ]; then
        rm -f "/@POLICY@" "$home/policy"
    fi
    if [ -n "$own_proc" ]; then
        umount /proc || :
        own_proc=
    fi
}

preinst() {
    number=$1
    package=$2
    shift 2
    rm -rf "/@CONTROL@"
    cp -R -p "$home/preinst/$number" "/@CONTROL@"
    set -- "/@CONTROL@/preinst" "$@"
    while IFS= read -r variable; do
        set -- "$variable" "$@"
    done < "$home/preinst/$number.variables"
    env "$@" < /dev/null || fail "the preinst script of package $package failed with status $?"
    rm -rf "/@CONTROL@"
}

follow() {
    done=0
    [ ! -e "$home/done" ] || read -r done < "$home/done"
    number=0
    while read -r act words; do
        number=$((number + 1))
        [ "$number" -gt "$done" ] || continue
        case $act in
            # shellcheck disable=SC2086
            preinst) (preinst $words) || exit 1 ;;
            # shellcheck disable=SC2086
            configure) dpkg --configure ${words:--a} < /dev/null || fail "dpkg failed with status $?" ;;
            *) fail "$home/course: \`$act\` is unknown" ;;
        esac
        echo "$number" > "$home/done.new"
        mv "$home/done.new" "$home/done"
    done < "$home/course"
}

# Removes what is in a directory, but for one name.
empty() {
    for entry in "$1"/* "$1"/.[!.]* "$1"/..?*; do
        [ "$entry" = "$1/$2" ] || rm -rf "$entry" 2> /dev/null || :
    done
}

# What bareroot does at the end of a root that it configures itself.
clean() {
    rm -rf @LEFTOVERS@
    if [ -e /etc/machine-id ] || [ -h /etc/machine-id ]; then
        rm -f /etc/machine-id
        : > /etc/machine-id
        chmod 644 /etc/machine-id
    fi
    [ -h /run ] || empty /run lock
    [ -h /tmp ] || empty /tmp ""
    for directory in @PARTIAL@; do
        mkdir -p "$directory"
        chmod 700 "$directory"
        ! id _apt > /dev/null 2>&1 || chown _apt:root "$directory"
    done
    for lock in @LOCKS@; do
        if [ ! -e "$lock" ] && [ ! -h "$lock" ]; then
            : > "$lock"
            chmod 640 "$lock"
        fi
    done
}

main() {
    [ "$(id -u)" = 0 ] || fail "it must be run as root"
    own_proc=
    trap put_back EXIT
    trap 'exit 1' HUP INT TERM
    [ -c /dev/null ] || mknod -m 666 /dev/null c 1 3 || fail "there is no /dev/null"
    if [ ! -e /proc/self ] && [ -d /proc ] && mount -t proc proc /proc; then
        own_proc=1
    fi
    put_aside
    follow
    clean
    put_back
    trap - EXIT
    rm -rf "$home"
    # No time is later than SOURCE_DATE_EPOCH, where that was set when the root was unpacked.
    if [ -n "${SOURCE_DATE_EPOCH-}" ]; then
        find / -xdev -newermt "@$SOURCE_DATE_EPOCH" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} + 2> /dev/null || :
    fi
}

# To its end in one piece: the file that the shell reads is gone then.
main
exit 0
