# SPDX-License-Identifier: GPL-2.0-or-later
# bash completion for gemel and gemel-system-ISA: options from the program's own table, names from
# its `-X help`.

# First words of the lines of `-X help` that are entries.
_gemel_names() {
    "$1" "$2" help 2>/dev/null | sed -n 's/^name "\([^"]*\)".*/\1/p; s/^ *\([a-z0-9][^ :]*\)\( .*\)\?$/\1/p'
}

_gemel_system() {
    local program=$1 cur=$2 prev=$3
    case -${prev##*-} in
    -M | -machine | -cpu | -accel | -device | -netdev | -object | -chardev | -d)
        mapfile -t COMPREPLY < <(compgen -W "$(_gemel_names "$program" "-${prev##*-}") help" -- "$cur")
        ;;
    -display) mapfile -t COMPREPLY < <(compgen -W 'sdl none vnc= help' -- "$cur") ;;
    -serial | -monitor | -qmp)
        mapfile -t COMPREPLY < <(compgen -W 'stdio mon:stdio pty null none file: unix: tcp: telnet:' -- "$cur")
        compopt -o nospace
        ;;
    -L | -D) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
    *)
        if [[ $cur == -* ]]; then
            mapfile -t COMPREPLY < <(compgen -W "$(gemel print-options words 2>/dev/null)" -- "$cur")
        else
            mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        fi
        ;;
    esac
}

_gemel() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}

    COMPREPLY=()
    if [[ ${1##*/} == gemel-system-* ]]; then
        _gemel_system "$1" "$cur" "$prev"
    elif ((COMP_CWORD == 1)); then
        mapfile -t COMPREPLY < <(compgen -W 'run system user img binfmt version help' -- "$cur")
    elif [[ ${COMP_WORDS[1]} == system ]]; then
        if ((COMP_CWORD == 2)); then
            mapfile -t COMPREPLY < <(compgen -W 'aarch64' -- "$cur")
        else
            _gemel_system "gemel-system-${COMP_WORDS[2]}" "$cur" "$prev"
        fi
    elif [[ ${COMP_WORDS[1]} == run && $cur == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W '--arch --memory --cpus --display --forward --share
            --initrd --append --firmware --snapshot --no-network --dry-run --help' -- "$cur")
    else
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
    fi
}
complete -o filenames -F _gemel gemel gemel-system-aarch64
