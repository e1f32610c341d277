# SPDX-License-Identifier: BSL-1.0
# Completion of closeside-check for bash. Commands and options come from its help, names from `closeside-check explain`,
# and values from what it says of a wrong one.

_closeside_check_commands() {
    "$1" --help 2>/dev/null | sed -n '/^Subcommands:/,/^$/s/^  \([a-z][a-z-]*\) .*/\1/p'
}

# _closeside_check_values <program> <command or nothing> <option>: it ends at the value, and looks at nothing.
_closeside_check_values() {
    "$1" ${2:+"$2"} "$3" '?' 2>&1 | sed -n 's/.*\(give\|none of\) \(.*\) (closeside-check --help.*/\2/p' | sed 's/, / /g; s/ or / /'
}

# _closeside_check_names <program> <list>...: of what can be explained.
_closeside_check_names() {
    local program=$1 list
    shift
    for list; do
        "$program" explain --format json 2>/dev/null | sed -n "/\"$list\": \[/,/\]/s/^    \"\(.*\)\".*/\1/p"
    done
}

_closeside_check() {
    local program=${COMP_WORDS[0]} cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
    local commands command='' word words=''
    commands=$(_closeside_check_commands "$program")
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        if [[ -z $command && -n $word && $'\n'$commands$'\n' == *$'\n'$word$'\n'* ]]; then
            command=$word
        fi
    done
    case $prev in
    --format | --assume | --exposure | --fail-on | --loader | --nat-choice) words=$(_closeside_check_values "$program" "$command" "$prev") ;;
    --ignore) words=$(_closeside_check_names "$program" rules) ;;
    --root)
        mapfile -t COMPREPLY < <(compgen -d -- "$cur")
        return
        ;;
    --output | --save | --against | --suppressions | --endings)
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        return
        ;;
    --accepts-per-second | --connects-per-second | --backlog | --listen | --idle-time | --watch | --port | --budget | --kernel | --peer | --for | --interval | --closes | --clients | --nat-ports | --nat-reuse | --peers-in-time | --open-for | --destinations | --seed) return ;;
    *)
        if [[ $cur == -* ]]; then
            words=$("$program" ${command:+"$command"} --help 2>/dev/null | sed -n 's/^  \(-[a-z],\)\{0,1\}\(--[a-z][a-z0-9-]*\).*/\2/p')
        elif [[ $command == explain ]]; then
            # Keys by their short names too.
            words=$(_closeside_check_names "$program" topics rules keys counters | sed 'p;s/.*\.//' | sort -u)
        elif [[ $command == lint ]]; then
            mapfile -t COMPREPLY < <(compgen -f -- "$cur")
            return
        elif [[ -z $command ]]; then
            words=$commands
        fi
        ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}

complete -F _closeside_check closeside-check
