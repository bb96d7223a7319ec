# SPDX-License-Identifier: GPL-2.0-or-later
# bash completion for gemel-user and its aliases: options before the program, files after it.

_gemel_user() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} i
    local with_value=' -L -cpu -E -U -0 -B -R -d -D -accel -tier '
    local flags='-L -cpu -strace -E -U -0 -B -R -d -D -one-insn-per-tb -singlestep -accel -tier
        -syscalls -version -help'

    COMPREPLY=()
    # Once a word stands where an option or its value cannot, it was the program.
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        -*) [[ $with_value == *" -${COMP_WORDS[i]##*-} "* ]] && ((i++)) ;;
        *) mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
        esac
    done
    case -${prev##*-} in
    -cpu) mapfile -t COMPREPLY < <(compgen -W "$("$1" -cpu help 2>/dev/null)" -- "$cur") ;;
    -accel) mapfile -t COMPREPLY < <(compgen -W 'tcg interp' -- "$cur") ;;
    -tier) mapfile -t COMPREPLY < <(compgen -W '1 2' -- "$cur") ;;
    -L) mapfile -t COMPREPLY < <(compgen -d -- "$cur") ;;
    -U | -E) mapfile -t COMPREPLY < <(compgen -v -- "$cur") ;;
    -d)
        mapfile -t COMPREPLY < <(compgen -P "${cur%"${cur##*,}"}" \
            -W 'in_asm op op_opt out_asm exec unimp help' -- "${cur##*,}")
        compopt -o nospace
        ;;
    *)
        if [[ $cur == -* ]]; then
            mapfile -t COMPREPLY < <(compgen -W "$flags" -- "$cur")
        else
            mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        fi
        ;;
    esac
}
complete -o filenames -F _gemel_user gemel-user gemel-user-static gemel-aarch64 gemel-aarch64-static
