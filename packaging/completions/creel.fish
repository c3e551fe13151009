# fish completion for creel(8). Commands, options and operands are read from the help of the program itself, so that
# nothing here has to follow when they change.

# "name<tab>summary" of each command.
function __creel_commands
    creel help | string match -rg '^   ([a-z]+)(?:, h)?  +([^-].*)' | while read -l name
        read -l summary
        printf '%s\t%s\n' $name $summary
    end
end

# "--name<tab>VALUE<tab>help" of each form of each option of the command $argv, or of the program.
function __creel_options
    for line in (creel help $argv 2>/dev/null | string match -rg '^   (-.*)')
        set -l parts (string split -m 1 -- '  ' $line)
        for form in (string split ', ' -- $parts[1])
            set -l words (string split -m 1 ' ' -- $form) ''
            printf '%s\t%s\t%s\n' $words[1..2] (string trim -- $parts[2])
        end
    end
end

# The operands of a command: "<container-id>".
function __creel_operands
    creel help $argv 2>/dev/null | string match -rg '^   creel .* options\] (.*)' | string match -ra '[[<][^]>]*[]>]'
end

# What may stand behind an option: its value's name and its help, a line each; fails when it is a switch or none.
function __creel_value
    set -l option (string replace -r '^-+' '' -- $argv[1])
    for line in (__creel_options $argv[2..])
        set -l cells (string split \t -- $line)
        if test "$(string replace -r '^-+' '' -- $cells[1])" = "$option" -a -n "$cells[2]"
            printf '%s\n' $cells[2..3]
            return 0
        end
    end
    return 1
end

# Files, or the words that the help of an option offers: "form of messages: text or json (default: text)".
function __creel_complete_value
    switch $argv[1]
        case FILE PATH
            __fish_complete_path (commandline -ct | string replace -r '^-[^=]*=' '')
        case DIR
            __fish_complete_directories (commandline -ct | string replace -r '^-[^=]*=' '')
        case '*'
            string match -rg '^(?:.*: )?((?:[a-z]+, )*[a-z]+ or [a-z]+)(?: \(|$)' -- $argv[2] |
                string replace -a ' or ' ', ' | string split ', '
    end
end

function __creel_complete_operand
    set -l operands (__creel_operands $argv[1])
    switch "$operands[$argv[2]]"
        case '*container-id*'
            contains -- $argv[1] create restore run || creel $argv[3..] list --quiet 2>/dev/null
        case '*signal*'
            kill -l | string split ' ' | string match -r '[A-Z].*'
        case '[command]'
            __creel_commands
    end
end

function __creel_complete
    set -l command
    set -l root
    set -l value
    set -l place 1
    set -l ended
    for word in (commandline -opc)[2..]
        if test -n "$value"
            string match -qr '^--?root$' -- $value[1] && test -z "$command" && set root --root $word
            set value
        else if test "$word" = --
            set ended y
        else if string match -q -- '-*' $word && test -z "$ended"
            string match -qr '^--?root=' -- $word && set root $word
            string match -q -- '*=*' $word || set value $word (__creel_value $word $command) || set value
        else if test -z "$command"
            set command $word
            set ended
        else
            set place (math $place + 1)
            # What follows the id belongs to somebody else where the command has more operands.
            test (count (__creel_operands $command)) -gt 1 && set ended y
        end
    end

    set -l token (commandline -ct)
    if test -n "$value"
        __creel_complete_value $value[2..]
    else if test -z "$ended" && string match -q -- '-*=*' $token
        set -l option (string split -m 1 = -- $token)[1]
        printf "$option=%s\n" (__creel_complete_value (__creel_value $option $command))
    else if test -z "$ended" && string match -q -- '-*' $token
        __creel_options $command | string replace -r '\t.*\t' '\t'
    else if test -z "$command"
        __creel_commands
    else
        __creel_complete_operand $command $place $root
    end
end

complete -c creel -f -a '(__creel_complete)'
