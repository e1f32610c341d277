# SPDX-License-Identifier: BSL-1.0
# Completion of closeside-check for fish. Commands and options come from its help, names from `closeside-check explain`,
# and values from what it says of a wrong one.

# The program and its command, as they stand on the command line.
function __closeside_check_words
    set -l words (commandline -opc)
    echo $words[1]
    set -l commands (__closeside_check_commands $words[1])
    for word in $words[2..-1]
        if contains -- $word $commands
            echo $word
            return
        end
    end
end

function __closeside_check_commands
    $argv[1] --help 2>/dev/null | sed -n '/^Subcommands:/,/^$/s/^  \([a-z][a-z-]*\)  *\(.*\)/\1/p'
end

function __closeside_check_options
    set -l words (__closeside_check_words)
    $words --help 2>/dev/null | sed -n 's/^  \(-[a-z],\)\{0,1\}\(--[a-z][a-z0-9-]*\).*/\2/p'
end

# It ends at the value, and looks at nothing.
function __closeside_check_values
    set -l words (__closeside_check_words)
    $words $argv[1] '?' 2>&1 | sed -n 's/.*\(give\|none of\) \(.*\) (closeside-check --help.*/\2/p' | sed 's/, / /g; s/ or / /' | string split ' '
end

# __closeside_check_names <list>...: of what can be explained.
function __closeside_check_names
    set -l words (__closeside_check_words)
    for list in $argv
        $words[1] explain --format json 2>/dev/null | sed -n "/\"$list\": \[/,/\]/s/^    \"\(.*\)\".*/\1/p"
    end
end

function __closeside_check_after
    set -l words (commandline -opc)
    contains -- $words[-1] $argv
end

function __closeside_check_free
    not __closeside_check_after --format --assume --exposure --fail-on --loader --nat-choice --ignore --root --output --save \
        --against --suppressions --endings --accepts-per-second --connects-per-second --backlog --listen --idle-time --watch \
        --port --budget --kernel --peer --for --interval --closes --clients --nat-ports --nat-reuse --peers-in-time \
        --open-for --destinations --seed
end

function __closeside_check_in
    set -l words (__closeside_check_words)
    test "$words[2]" = "$argv[1]"
end

complete -c closeside-check -f
for option in --format --assume --exposure --fail-on --loader --nat-choice
    complete -c closeside-check -n "__closeside_check_after $option" -a "(__closeside_check_values $option)"
end
complete -c closeside-check -n '__closeside_check_after --ignore' -a '(__closeside_check_names rules)'
complete -c closeside-check -n '__closeside_check_after --root' -a '(__fish_complete_directories (commandline -ct))'
complete -c closeside-check -n '__closeside_check_after --output --save --against --suppressions --endings' -F
complete -c closeside-check -n '__closeside_check_free; and __closeside_check_in ""' \
    -a '(__closeside_check_commands (commandline -opc)[1])'
# Keys by their short names too.
complete -c closeside-check -n '__closeside_check_free; and __closeside_check_in explain' \
    -a "(__closeside_check_names topics rules keys counters | sed 'p;s/.*\\.//' | sort -u)"
complete -c closeside-check -n '__closeside_check_free; and __closeside_check_in lint' -F
complete -c closeside-check -n 'string match -q -- "-*" (commandline -ct)' -a '(__closeside_check_options)'
